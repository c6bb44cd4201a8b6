"""What lies beside an issue: changelog, comments, properties."""

from __future__ import annotations

from typing import Any

import orjson

from sandbox.calls import Answer, Call, RefusedCall, reply
from sandbox.jira.errors import refused
from sandbox.jira.site import Site, object_body, paging
from sandbox.stamps import stamp
from sandbox.store import Doc


class Trail:
    """Answers what is asked and told about an issue's trail."""

    def __init__(self, site: Site) -> None:
        """Work on one site."""
        self._site = site

    def changelog(self, call: Call) -> Answer:
        """GET issue/{id or key}/changelog: oldest first, times as text."""
        issue, printer = self._site.issue(call), self._site.printer(call)
        rows = list(self._site.store.find(self._site.space, "changelog", str(issue["id"])))
        start, size = paging(call, 100)
        return reply(
            {
                "self": f"http://{call.headers.get('host', '')}{call.path}",
                "maxResults": size,
                "startAt": start,
                "total": len(rows),
                "isLast": start + size >= len(rows),
                "values": [printer.history(row) for row in rows[start : start + size]],
            }
        )

    def bulk_changelog(self, call: Call) -> Answer:
        """POST changelog/bulkfetch: oldest first, times in epoch milliseconds."""
        asked, printer = object_body(call), self._site.printer(call)
        names = [str(name) for name in asked.get("issueIdsOrKeys") or []]
        if not names or len(names) > 1000:
            raise refused(400, "The number of issues requested must be between 1 and 1000.")
        wanted_fields = set(asked.get("fieldIds") or [])
        if len(wanted_fields) > 10:
            raise refused(400, "The number of field ids must be at most 10.")
        ids = sorted({int(issue["id"]) for name in names if (issue := self._maybe(name)) is not None})
        rows = []
        for row in self._site.store.find_all(self._site.space, "changelog", [str(id_) for id_ in ids]):
            items = [item for item in row["items"] if not wanted_fields or item.get("fieldId") in wanted_fields]
            if items:
                rows.append({**row, "items": items})
        token = str(asked.get("nextPageToken") or "0")
        if not token.isdigit():
            raise refused(400, "The provided next page token is invalid.")
        start, size = int(token), min(10_000, max(1, int(asked.get("maxResults") or 1000)))
        logs: dict[str, list[dict[str, Any]]] = {}
        for row in rows[start : start + size]:
            logs.setdefault(str(row["_parent"]), []).append(printer.history(row, epoch=True))
        told: dict[str, Any] = {
            "issueChangeLogs": [{"issueId": id_, "changeHistories": part} for id_, part in logs.items()]
        }
        if start + size < len(rows):
            told["nextPageToken"] = str(start + size)
        return reply(told)

    def _maybe(self, name: str) -> Doc | None:
        try:
            return self._site.by_name(name)
        except RefusedCall:
            return None

    def comments(self, call: Call) -> Answer:
        """GET issue/{id or key}/comment."""
        issue, printer = self._site.issue(call), self._site.printer(call)
        rows = list(self._site.store.find(self._site.space, "comment", str(issue["id"])))
        if call.one("orderBy") == "-created":
            rows.reverse()
        start, size = paging(call, 100)
        shown = [printer.comment(row) for row in rows[start : start + size]]
        return reply({"startAt": start, "maxResults": size, "total": len(rows), "comments": shown})

    def comment(self, call: Call) -> Answer:
        """POST issue/{id or key}/comment."""
        made = self._site.writer.comment(
            self._site.issue(call), object_body(call).get("body"), account=self._site.account(call)
        )
        return reply(self._site.printer(call).comment(made), 201)

    def properties(self, call: Call) -> Answer:
        """GET issue/{id or key}/properties."""
        issue = self._site.issue(call)
        link = f"http://{call.headers.get('host', '')}{call.path}"
        names = [str(doc["key"]) for doc in self._site.store.find(self._site.space, "_property", str(issue["id"]))]
        return reply({"keys": [{"self": f"{link}/{name}", "key": name} for name in names]})

    def value(self, call: Call) -> Answer:
        """GET issue/{id or key}/properties/{name}."""
        issue, name = self._site.issue(call), call.at["name"]
        doc = self._site.store.get(self._site.space, "_property", f"{issue['id']}/{name}")
        if doc is None:
            raise refused(404, f"The property with key '{name}' does not exist.")
        return reply({"key": name, "value": doc["value"]})

    def keep(self, call: Call) -> Answer:
        """PUT issue/{id or key}/properties/{name}: 201 when new, 200 when replaced."""
        issue, name = self._site.issue(call), call.at["name"]
        try:
            value = call.json()
        except orjson.JSONDecodeError as error:
            raise refused(400, "The property value must be valid JSON.") from error
        id_ = f"{issue['id']}/{name}"
        known = self._site.store.get(self._site.space, "_property", id_)
        doc = {"key": name, "value": value, "_parent": str(issue["id"])}
        self._site.store.put(self._site.space, "_property", [(id_, stamp(self._site.clock()), doc)])
        return Answer(status=201 if known is None else 200)
