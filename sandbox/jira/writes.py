"""Changing issues as Jira does: checks, one changelog entry for one edit, comments, moves, deletion."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.jira import adf
from sandbox.jira.entries import Entries, entry_item
from sandbox.jira.errors import refused
from sandbox.jira.values import UnusableValue, Values
from sandbox.stamps import Clock, jira, parsed, stamp
from sandbox.store import Doc, Store

_FORMER_STATES = 20  # of one issue: what a lagging search may still show


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that was done to an issue, named as webhooks name it."""

    event: str
    issue: Doc
    account: str
    at: datetime
    entry: Doc | None = None  # the changelog entry
    comment: Doc | None = None
    property_key: str = ""


class Writer:
    """The writes of one site. `watchers` are told of everything that happens."""

    def __init__(self, store: Store, space: str, clock: Clock) -> None:
        """Write into one space, stamping with the clock."""
        self._store = store
        self._space = space
        self._clock = clock
        self._numbers = itertools.count()
        self._last_keys: dict[str, int] = {}
        self._entries = Entries(store, space)
        self.values = Values(store, space)
        self.watchers: list[Callable[[Happening], None]] = []

    def edit(
        self,
        issue: Doc,
        wanted: Mapping[str, Any],
        *,
        account: str,
        hidden: frozenset[str] = frozenset(),
        at: datetime | None = None,
    ) -> None:
        """Set fields; either all of them are accepted or RefusedCall is raised and none is changed.

        `at` dates the edit otherwise than now: it was committed late.
        """
        items: list[dict[str, Any]] = []
        problems: dict[str, str] = {}
        changes: list[tuple[str, Any]] = []
        project = str(issue["key"]).rpartition("-")[0]
        for name, value in wanted.items():
            try:
                accepted = self.values.accepted(name, value, project=project, hidden=hidden)
            except UnusableValue as error:
                problems[name] = str(error)
                continue
            old = _kept(issue, name)
            if old != accepted:
                items.append(self._entries.item(name, old, accepted))
                changes.append((name, accepted))
        if problems:
            raise refused(400, errors=problems)
        if not changes:
            return
        for name, accepted in changes:
            _keep(issue, name, accepted)
        self._changed(issue, items, account=account, at=at)

    def assign(self, issue: Doc, account: str | None, *, by: str) -> None:
        """Set the assignee (None: nobody); raises RefusedCall for somebody who cannot be assigned."""
        self.edit(issue, {"assignee": {"accountId": account}}, account=by)

    def move(self, issue: Doc, status: Mapping[str, Any], *, account: str) -> None:
        """Give the issue another status."""
        old = issue["fields"]["status"]
        item = entry_item(
            "status", "status", "jira", (str(old["id"]), old["name"]), (str(status["id"]), status["name"])
        )
        issue["fields"]["status"] = dict(status)
        self._changed(issue, [item], account=account)

    def relocate(self, issue: Doc, project: Mapping[str, Any], *, account: str) -> None:
        """Move the issue to another project: a new key, the same id; the old key still leads to it."""
        old_key, old = str(issue["key"]), self._store.named(self._space, "project", _project(issue)) or {}
        issue["key"] = self._new_key(str(project["key"]))
        issue["_project"] = project["key"]
        items = [
            entry_item("Key", "issuekey", "jira", (None, old_key), (None, issue["key"])),
            entry_item(
                "project", "project", "jira", (old.get("id"), old.get("name")), (str(project["id"]), project["name"])
            ),
        ]
        with self._store.transaction():
            former = {"issue": str(issue["id"]), "_key": old_key, "_parent": str(issue["id"])}
            self._store.put(self._space, "_former_key", [(old_key, stamp(self._now()), former)])
            self._changed(issue, items, account=account)

    def delete(self, issue: Doc, *, account: str) -> None:
        """Delete the issue and everything beside it, for good."""
        id_ = str(issue["id"])
        self._tell("jira:issue_deleted", issue, account, self._now())  # while it can still be read and filtered
        with self._store.transaction():
            for kind in ("comment", "changelog", "_issue_before", "approval", "_former_key"):
                for doc in list(self._store.find(self._space, kind, id_)):
                    self._store.delete(self._space, kind, _shelf_id(kind, doc))
            for doc in list(self._store.find(self._space, "_property", id_)):
                self._store.delete(self._space, "_property", f"{id_}/{doc['key']}")
            self._store.delete(self._space, "issue", id_)

    def comment(self, issue: Doc, body: Any, *, account: str) -> Doc:
        """Add a comment; the issue counts as updated."""
        text = _comment_text(body)
        at = self._now()
        told = jira(at)
        doc: Doc = {
            "id": self._new_id(at),
            "body": text,
            "created": told,
            "updated": told,
            "_author": account,
            "_parent": str(issue["id"]),
        }
        with self._store.transaction():
            self._store.put(self._space, "comment", [(doc["id"], stamp(at), doc)])
            self._touch(issue, at)
        self._tell("comment_created", issue, account, at, comment=doc)
        return doc

    def rewrite(self, issue: Doc, comment: Doc, body: Any, *, account: str) -> Doc:
        """Change the text of a comment; its place among the comments stays."""
        at = self._now()
        changed = {**comment, "body": _comment_text(body), "updated": jira(at), "_editor": account}
        with self._store.transaction():
            created = stamp(parsed(str(comment["created"])))
            self._store.put(self._space, "comment", [(str(comment["id"]), created, changed)])
            self._touch(issue, at)
        self._tell("comment_updated", issue, account, at, comment=changed)
        return changed

    def withdraw(self, issue: Doc, comment: Doc, *, account: str) -> None:
        """Delete a comment."""
        at = self._now()
        with self._store.transaction():
            self._store.delete(self._space, "comment", str(comment["id"]))
            self._touch(issue, at)
        self._tell("comment_deleted", issue, account, at, comment=comment)

    def create(
        self,
        wanted: Mapping[str, Any],
        *,
        account: str,
        at: datetime | None = None,
        hidden: frozenset[str] = frozenset(),
    ) -> Doc:
        """Add an issue; its first values leave no changelog. `at` dates it otherwise than now."""
        fields = dict(wanted)
        named = fields.pop("project", None)
        named = named if isinstance(named, Mapping) else {}
        kind = fields.pop("issuetype", None)
        project = self._store.named(self._space, "project", str(named.get("key") or "").upper())
        project = project or self._store.get(self._space, "project", str(named.get("id") or ""))
        key = "" if project is None else str(project["key"])
        problems: dict[str, str] = {}
        if project is None:
            problems["project"] = "Specify a valid project ID or key"
        if not fields.get("summary"):
            problems["summary"] = "You must specify a summary of the issue."
        accepted: dict[str, Any] = {}
        if kind is not None:
            fields["issuetype"] = kind
        for name, value in fields.items():
            try:
                accepted[name] = self.values.accepted(name, value, project=key, hidden=hidden)
            except UnusableValue as error:
                problems.setdefault(name, str(error))
        if problems or project is None:
            raise refused(400, errors=problems)
        at = at or self._now()
        status = next((doc for doc in self._store.scan(self._space, "status")), {"id": "1", "name": "To Do"})
        issue: Doc = {
            "id": self._new_id(at),
            "key": self._new_key(key),
            "created": jira(at),
            "updated": jira(at),
            "_project": project["key"],
            "_assignee": accepted.pop("assignee", None),
            "_creator": account,
            "_reporter": accepted.pop("reporter", None) or account,
            "fields": {"description": None, "duedate": None, "status": status, **accepted},
        }
        self._store.put(self._space, "issue", [(issue["id"], stamp(at), issue)])
        self._tell("jira:issue_created", issue, account, at)
        return issue

    def set_property(self, issue: Doc, key: str, value: Any, *, account: str) -> bool:
        """Keep a property of an issue; gives whether it is new. The issue does not count as updated."""
        id_, at = f"{issue['id']}/{key}", self._now()
        known = self._store.get(self._space, "_property", id_)
        doc = {"key": key, "value": value, "_parent": str(issue["id"])}
        self._store.put(self._space, "_property", [(id_, stamp(at), doc)])
        self._tell("issue_property_set", issue, account, at, property_key=key)
        return known is None

    def drop_property(self, issue: Doc, key: str, *, account: str) -> None:
        """Remove a property of an issue."""
        self._store.delete(self._space, "_property", f"{issue['id']}/{key}")
        self._tell("issue_property_deleted", issue, account, self._now(), property_key=key)

    def record(self, issue: Doc, items: Sequence[Mapping[str, Any]], *, account: str) -> None:
        """Keep an issue that was changed by hand, with one changelog entry of these items."""
        self._changed(issue, [dict(item) for item in items], account=account)

    def _changed(self, issue: Doc, items: list[dict[str, Any]], *, account: str, at: datetime | None = None) -> None:
        at = at or self._now()
        entry: Doc = {
            "id": self._new_id(at),
            "created": jira(at),
            "items": items,
            "_author": account,
            "_parent": str(issue["id"]),
        }
        with self._store.transaction():
            self._store.put(self._space, "changelog", [(str(entry["id"]), stamp(at), entry)])
            self._touch(issue, at)
        self._tell("jira:issue_updated", issue, account, at, entry=entry)

    def _touch(self, issue: Doc, at: datetime) -> None:
        id_ = str(issue["id"])
        before = self._store.get(self._space, "issue", id_)
        if before is not None:
            until = stamp(at)
            doc = {"issue": before, "_until": until, "_parent": id_}
            former = list(self._store.find(self._space, "_issue_before", id_))
            for old in former[: 1 - _FORMER_STATES]:
                self._store.delete(self._space, "_issue_before", _shelf_id("_issue_before", old))
            self._store.put(self._space, "_issue_before", [(f"{id_}/{until}", until, doc)])
        issue["updated"] = jira(at)
        self._store.put(self._space, "issue", [(id_, stamp(at), issue)])

    def _tell(
        self,
        event: str,
        issue: Doc,
        account: str,
        at: datetime,
        *,
        entry: Doc | None = None,
        comment: Doc | None = None,
        property_key: str = "",
    ) -> None:
        if self.watchers:
            happening = Happening(
                event=event,
                issue=issue,
                account=account,
                at=at,
                entry=entry,
                comment=comment,
                property_key=property_key,
            )
            for watcher in self.watchers:
                watcher(happening)

    def _now(self) -> datetime:
        at = self._clock()
        return at.replace(microsecond=at.microsecond // 1000 * 1000)

    def _new_id(self, at: datetime) -> str:
        return str(int(at.timestamp() * 1000) * 1000 + next(self._numbers) % 1000)

    def _new_key(self, project: str) -> str:
        if project not in self._last_keys:
            self._last_keys[project] = self._store.last_number(self._space, "issue", f"{project}-")
        self._last_keys[project] += 1
        return f"{project}-{self._last_keys[project]}"


def _project(issue: Mapping[str, Any]) -> str:
    return str(issue["key"]).rpartition("-")[0]


def _kept(issue: Doc, name: str) -> Any:
    if name == "assignee":
        return issue.get("_assignee")
    if name == "reporter":
        return issue.get("_reporter", issue.get("_creator"))
    value = issue["fields"].get(name)
    if name == "labels":
        return value or []
    if name in {"priority", "issuetype"} and isinstance(value, Mapping):
        return {"id": str(value.get("id")), "name": value.get("name")}
    return value


def _keep(issue: Doc, name: str, value: Any) -> None:
    if name in {"assignee", "reporter"}:
        issue[f"_{name}"] = value
    else:
        issue["fields"][name] = value


def _shelf_id(kind: str, doc: Doc) -> str:
    if kind == "_issue_before":
        return f"{doc['_parent']}/{doc['_until']}"
    return str(doc.get("id") or doc.get("_key") or "")


def _comment_text(body: Any) -> str:
    text = adf.to_text(body) if body is None or isinstance(body, (str, Mapping)) else None
    if not text or not text.strip():
        raise refused(400, errors={"comment": "Comment body can not be empty!"})
    return text
