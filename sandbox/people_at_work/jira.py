"""How people work in a Jira site: REST version 2 (plain texts), searches by version 3."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from sandbox.people_at_work import deeds
from sandbox.people_at_work.hands import NOBODY, Outcome, Seen
from sandbox.people_at_work.talk import Line, Reply
from sandbox.people_at_work.view import GONE, Field, Record, State

_API = "/rest/api/2"
_PAGE = 100


class JiraHand:
    """One site, with the API token of each person."""

    def __init__(self, instance: str, address: str, tokens: Mapping[str, tuple[str, str]], *, control: str) -> None:
        """Work in the site at an address; ``tokens`` (address and token) by person.

        ``control`` is the control port: fields are renamed there, as an administrator does on the site's pages.
        """
        self._instance = instance
        self._line = Line(address)
        self._control = Line(control)
        self._auth = {key: _basic(*login) for key, login in tokens.items()}
        self._first = next(iter(self._auth.values()))
        self._approval, self._approver = "", ""

    def close(self) -> None:
        """Hang up."""
        self._line.close()
        self._control.close()

    def look(self, most: int) -> Seen:
        """Read issues, statuses, custom fields and people who left."""
        fields = self._line.look("GET", f"{_API}/field", auth=self._first)
        for field in fields:
            if str(field["name"]).startswith("Approval"):
                self._approval = field["id"]
            elif str(field["name"]).startswith("Approver"):
                self._approver = field["id"]
        projects = self._line.look("GET", f"{_API}/project/search", auth=self._first)["values"]
        keys = [str(project["key"]) for project in projects]
        names = tuple(status["name"] for status in self._line.look("GET", f"{_API}/status", auth=self._first))
        users = self._line.look("GET", f"{_API}/users/search", auth=self._first, query={"maxResults": 1000})
        return Seen(
            records=tuple(self._issues(keys, most)),
            statuses=dict.fromkeys(keys, tuple(dict.fromkeys(names))),
            fields=tuple(
                Field(instance=self._instance, where="", id=field["id"], name=field["name"])
                for field in fields
                if field.get("custom") and field["id"] not in {self._approval, self._approver}
            ),
            former=tuple(sorted(user["accountId"] for user in users if not user.get("active", True))),
        )

    def state(self, record: Record, *, by: str) -> tuple[State | None, Reply]:
        """Read assignee and status."""
        query = {"fields": "assignee,status"}
        reply = self._line.ask("GET", f"{_API}/issue/{record.id}", auth=self._auth[by], query=query)
        if reply.status == 404:
            return GONE, reply
        return (_state(reply.body["fields"]) if reply.ok else None), reply

    def act(self, deed: deeds.Deed, record: Record | None, *, at: str) -> Outcome:
        """Carry out a deed."""
        auth = self._auth[deed.by]
        if isinstance(deed, deeds.CreateItem):
            fields = {"project": {"key": deed.kind}, "summary": deed.title, "issuetype": {"name": "Task"}}
            return self._create(fields | {"assignee": {"accountId": deed.owner}}, auth)
        if isinstance(deed, deeds.RenameField):
            return Outcome(reply=self._rename(deed, auth))
        if record is None:
            return Outcome(reply=NOBODY)
        path = f"{_API}/issue/{record.id}"
        match deed:
            case deeds.Reassign():
                reply = self._line.ask("PUT", f"{path}/assignee", auth=auth, json={"accountId": deed.to})
            case deeds.MoveStatus():
                reply = self._move(path, deed.to, auth)
            case deeds.Comment():
                reply = self._line.ask("POST", f"{path}/comment", auth=auth, json={"body": deed.text})
            case deeds.AskApproval():
                reply = self._edit(path, auth, "Pending", deed.of)
            case deeds.Approve():
                reply = self._edit(path, auth, "Approved")
            case deeds.Reject():
                reply = self._edit(path, auth, "Rejected")
            case deeds.Delete():
                return self._delete(path, auth)
            case deeds.Restore():
                return self._create(dict(record.kept), auth)
            case _:
                reply = NOBODY
        return Outcome(reply=reply)

    def _issues(self, keys: list[str], most: int) -> list[Record]:
        if not keys:
            return []
        wanted = ["summary", "status", "assignee", "project"]
        wanted += [name for name in (self._approval, self._approver) if name]
        ask: dict[str, Any] = {
            "jql": f"project in ({', '.join(keys)}) ORDER BY updated DESC",
            "fields": wanted,
            "maxResults": _PAGE,
        }
        found: list[Record] = []
        while len(found) < most:
            page = self._line.look("POST", "/rest/api/3/search/jql", auth=self._first, json=ask)
            found += [self._record(issue) for issue in page["issues"]]
            if not page.get("nextPageToken"):
                break
            ask["nextPageToken"] = page["nextPageToken"]
        return found[:most]

    def _record(self, issue: Mapping[str, Any]) -> Record:
        fields = issue["fields"]
        state = _state(fields)
        pending = (fields.get(self._approval) or {}).get("value") == "Pending"
        return Record(
            instance=self._instance,
            id=issue["id"],
            kind=str(issue["key"]).rpartition("-")[0],
            title=fields.get("summary") or "",
            approver=(fields.get(self._approver) or {}).get("accountId") if pending else None,
            owner=state["owner"],
            status=state["status"],
        )

    def _move(self, path: str, status: str, auth: Mapping[str, str]) -> Reply:
        offered = self._line.ask("GET", f"{path}/transitions", auth=auth)
        if not offered.ok:
            return offered
        ways = [way["id"] for way in offered.body["transitions"] if way["to"]["name"] == status]
        if not ways:
            return Reply(status=400, text=f"no way to {status}")
        return self._line.ask("POST", f"{path}/transitions", auth=auth, json={"transition": {"id": ways[0]}})

    def _edit(self, path: str, auth: Mapping[str, str], answer: str, approver: str = "") -> Reply:
        if not self._approval:
            return NOBODY
        fields: dict[str, Any] = {self._approval: {"value": answer}}
        if approver:
            fields[self._approver] = {"accountId": approver}
        return self._line.ask("PUT", path, auth=auth, json={"fields": fields})

    def _delete(self, path: str, auth: Mapping[str, str]) -> Outcome:
        before = self._line.ask("GET", path, auth=auth)
        kept: dict[str, Any] = {}
        if before.ok:
            fields = before.body["fields"]
            kept = {"project": {"key": fields["project"]["key"]}, "summary": fields["summary"]}
            kept["issuetype"] = {"name": "Task"}
            if fields.get("description"):
                kept["description"] = fields["description"]
            if fields.get("assignee"):
                kept["assignee"] = {"accountId": fields["assignee"]["accountId"]}
        return Outcome(reply=self._line.ask("DELETE", path, auth=auth), kept=kept)

    def _create(self, fields: Mapping[str, Any], auth: Mapping[str, str]) -> Outcome:
        def found() -> Reply | None:
            jql = (
                f'project = {fields["project"]["key"]} AND summary ~ "\\"{fields["summary"]}\\"" ORDER BY created DESC'
            )
            ask = {"jql": jql, "fields": ["summary"], "maxResults": 1}
            page = self._line.ask("POST", "/rest/api/3/search/jql", auth=auth, json=ask)
            known = page.body["issues"] if page.ok else []
            return Reply(status=201, body=known[0], tries=2) if known else None

        # whatever was made again has the title of one that is gone, so a search for it finds this one only
        reply = self._line.ask("POST", f"{_API}/issue", auth=auth, json={"fields": dict(fields)}, done=found)
        return Outcome(reply=reply, made=str(reply.body["id"]) if reply.ok else "")

    def _rename(self, deed: deeds.RenameField, auth: Mapping[str, str]) -> Reply:
        settings = {"field": deed.record, "name": deed.to}
        order = {"fault": "field_renamed", "tool": self._instance, "path": "/field$", "settings": settings}
        ordered = self._control.ask("POST", "/faults", auth={}, json=order)
        return self._line.ask("GET", f"{_API}/field", auth=auth) if ordered.ok else ordered


def _state(fields: Mapping[str, Any]) -> dict[str, str | None]:
    return {
        "owner": (fields.get("assignee") or {}).get("accountId"),
        "status": (fields.get("status") or {}).get("name"),
    }


def _basic(user: str, token: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{token}'.encode()).decode()}"}
