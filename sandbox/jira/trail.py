"""What lies beside an issue: changelog, comments, properties."""

from __future__ import annotations

from typing import Any

import orjson

from sandbox.calls import Answer, Call, RefusedCall, reply
from sandbox.jira.bodies import number, object_body, paging, text, texts
from sandbox.jira.errors import refused
from sandbox.jira.site import Caller, Site, address, edits
from sandbox.store import Doc

_MOST_PROPERTY = 32_768  # bytes of a property's value


class Trail:
    """Answers what is asked and told about an issue's trail."""

    def __init__(self, site: Site) -> None:
        """Work on one site."""
        self._site = site

    # -- changelog -------------------------------------------------------------------------------------------

    def changelog(self, call: Call) -> Answer:
        """GET issue/{id or key}/changelog: oldest first, times as text."""
        rows = self._histories(call)
        start, size = paging(call, 100)
        told: dict[str, Any] = {
            "self": f"{address(call)}{call.path}?startAt={start}&maxResults={size}",
            "maxResults": size,
            "startAt": start,
            "total": len(rows),
            "isLast": start + size >= len(rows),
            "values": rows[start : start + size],
        }
        if not told["isLast"]:
            told["nextPage"] = f"{address(call)}{call.path}?startAt={start + size}&maxResults={size}"
        return reply(told)

    def changelog_list(self, call: Call) -> Answer:
        """POST issue/{id or key}/changelog/list: the entries with these ids."""
        ids = set(texts(object_body(call), "changelogIds"))
        if not ids:
            raise refused(400, "changelogIds must be given.")
        rows = [row for row in self._histories(call) if row["id"] in ids]
        return reply({"startAt": 0, "maxResults": len(rows), "total": len(rows), "histories": rows})

    def bulk_changelog(self, call: Call) -> Answer:
        """POST changelog/bulkfetch: oldest first, times in epoch milliseconds."""
        asked, printer = object_body(call), self._site.printer(call)
        names = texts(asked, "issueIdsOrKeys")
        if not names or len(names) > 1000:
            raise refused(400, "The number of issues requested must be between 1 and 1000.")
        wanted_fields = set(texts(asked, "fieldIds"))
        if len(wanted_fields) > 10:
            raise refused(400, "The number of field ids must be at most 10.")
        token = text(asked, "nextPageToken") or "0"
        if not token.isascii() or not token.isdigit() or len(token) > 12:
            raise refused(400, "The provided next page token is invalid.")
        start, size = int(token), min(10_000, max(1, number(asked, "maxResults", 1000)))
        caller = self._site.caller(call)
        ids = sorted({int(issue["id"]) for name in names if (issue := self._maybe(name, caller)) is not None})
        rows = []
        for row in self._site.store.find_all(self._site.space, "changelog", [str(id_) for id_ in ids]):
            items = [item for item in row["items"] if not wanted_fields or item.get("fieldId") in wanted_fields]
            if items:
                rows.append({**row, "items": items})
        logs: dict[str, list[dict[str, Any]]] = {}
        for row in rows[start : start + size]:
            told_rows = printer.histories([row], epoch=True)
            if told_rows:
                logs.setdefault(str(row["_parent"]), []).extend(told_rows)
        told: dict[str, Any] = {
            "issueChangeLogs": [{"issueId": id_, "changeHistories": part} for id_, part in logs.items()]
        }
        if start + size < len(rows):
            told["nextPageToken"] = str(start + size)
        return reply(told)

    # -- comments --------------------------------------------------------------------------------------------

    def comments(self, call: Call) -> Answer:
        """GET issue/{id or key}/comment."""
        issue, printer = self._site.issue(call), self._site.printer(call)
        rows = list(self._site.store.find(self._site.space, "comment", str(issue["id"])))
        order = call.one("orderBy")
        if order not in {"", "created", "+created", "-created"}:
            raise refused(400, f"The orderBy value '{order}' is not supported; use created.")
        if order == "-created":
            rows.reverse()
        start, size = paging(call, 5000, 50)
        shown = [printer.comment(row) for row in rows[start : start + size]]
        return reply({"startAt": start, "maxResults": size, "total": len(rows), "comments": shown})

    def read_comment(self, call: Call) -> Answer:
        """GET issue/{id or key}/comment/{id}."""
        return reply(self._site.printer(call).comment(self._comment(call)[1]))

    def comment(self, call: Call) -> Answer:
        """POST issue/{id or key}/comment: anybody who sees the issue may."""
        issue, body = self._site.issue(call), _body(call)
        made = self._site.writer.comment(issue, body, account=self._site.account(call))
        return reply(self._site.printer(call).comment(made), 201)

    def rewrite(self, call: Call) -> Answer:
        """PUT issue/{id or key}/comment/{id}: its author, or whoever may edit the issue."""
        issue, doc = self._own_comment(call)
        made = self._site.writer.rewrite(issue, doc, _body(call), account=self._site.account(call))
        return reply(self._site.printer(call).comment(made))

    def withdraw(self, call: Call) -> Answer:
        """DELETE issue/{id or key}/comment/{id}."""
        issue, doc = self._own_comment(call)
        self._site.writer.withdraw(issue, doc, account=self._site.account(call))
        return Answer(status=204)

    # -- properties ------------------------------------------------------------------------------------------

    def properties(self, call: Call) -> Answer:
        """GET issue/{id or key}/properties."""
        issue = self._site.issue(call)
        link = f"{address(call)}{call.path.rstrip('/')}"
        names = [str(doc["key"]) for doc in self._site.store.find(self._site.space, "_property", str(issue["id"]))]
        return reply({"keys": [{"self": f"{link}/{name}", "key": name} for name in names]})

    def value(self, call: Call) -> Answer:
        """GET issue/{id or key}/properties/{name}."""
        return reply({"key": call.at["name"], "value": self._property(call)["value"]})

    def keep(self, call: Call) -> Answer:
        """PUT issue/{id or key}/properties/{name}: 201 when new, 200 when replaced."""
        issue, name = self._site.issue(call), call.at["name"]
        self._may_edit(call, issue)
        try:
            value = call.json()
            orjson.dumps(value)  # nested so deeply that it could not be told again
        except (orjson.JSONDecodeError, orjson.JSONEncodeError) as error:
            raise refused(400, "The property value must be valid JSON.") from error
        if len(call.body) > _MOST_PROPERTY or len(name) > 255:
            raise refused(400, "The property key or value is too long.")
        new = self._site.writer.set_property(issue, name, value, account=self._site.account(call))
        return Answer(status=201 if new else 200)

    def drop(self, call: Call) -> Answer:
        """DELETE issue/{id or key}/properties/{name}."""
        issue = self._site.issue(call)
        self._property(call)
        self._may_edit(call, issue)
        self._site.writer.drop_property(issue, call.at["name"], account=self._site.account(call))
        return Answer(status=204)

    # -- inside ----------------------------------------------------------------------------------------------

    def _histories(self, call: Call) -> list[dict[str, Any]]:
        issue, printer = self._site.issue(call), self._site.printer(call)
        return printer.histories(list(self._site.store.find(self._site.space, "changelog", str(issue["id"]))))

    def _maybe(self, name: str, caller: Caller) -> Doc | None:
        try:
            return self._site.by_name(name, caller)
        except RefusedCall:
            return None

    def _comment(self, call: Call) -> tuple[Doc, Doc]:
        issue, id_ = self._site.issue(call), call.at["c"]
        doc = self._site.store.get(self._site.space, "comment", id_)
        if doc is None or str(doc["_parent"]) != str(issue["id"]):
            raise refused(404, f"Can not find a comment for the id: {id_}.")
        return issue, doc

    def _own_comment(self, call: Call) -> tuple[Doc, Doc]:
        issue, doc = self._comment(call)
        caller = self._site.caller(call)
        if doc.get("_author") != caller.account and not edits(caller, issue):
            raise refused(400, f"You do not have permission to edit the comment with id: {doc['id']}.")
        return issue, doc

    def _property(self, call: Call) -> Doc:
        issue, name = self._site.issue(call), call.at["name"]
        doc = self._site.store.get(self._site.space, "_property", f"{issue['id']}/{name}")
        if doc is None:
            raise refused(404, f"The property with key '{name}' does not exist.")
        return doc

    def _may_edit(self, call: Call, issue: Doc) -> None:
        if not edits(self._site.caller(call), issue):
            raise refused(403, "You do not have permission to edit issues in this project.")


def _body(call: Call) -> Any:
    body = object_body(call).get("body")
    if call.at.get("v") != "2" and isinstance(body, str) and body:
        raise refused(400, errors={"comment": "Comment body is not valid!"})
    return body
