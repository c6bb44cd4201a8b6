"""Changing issues as Jira does: checks, one changelog entry for one edit, comments."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sandbox.jira import adf
from sandbox.jira.errors import refused
from sandbox.stamps import Clock, jira, stamp
from sandbox.store import Doc, Store

_TEXTS = {"summary", "description"}
_SETTABLE = {*_TEXTS, "duedate", "assignee"}


class UnusableValue(Exception):
    """A field does not take the value; the text is Jira's own."""


class Writer:
    """The writes of one site."""

    def __init__(self, store: Store, space: str, clock: Clock) -> None:
        """Write into one space, stamping with the clock."""
        self._store = store
        self._space = space
        self._clock = clock
        self._numbers = itertools.count()
        self._last_keys: dict[str, int] = {}

    def edit(self, issue: Doc, wanted: Mapping[str, Any], *, account: str) -> None:
        """Set fields; either all of them are accepted or RefusedCall is raised and none is changed."""
        items: list[dict[str, Any]] = []
        problems: dict[str, str] = {}
        changes: list[tuple[str, Any]] = []
        for name, value in wanted.items():
            try:
                accepted = self._accepted(name, value)
            except UnusableValue as error:
                problems[name] = str(error)
                continue
            old = issue.get("_assignee") if name == "assignee" else issue["fields"].get(name)
            if old != accepted:
                items.append(self._item(name, old, accepted))
                changes.append((name, accepted))
        if problems:
            raise refused(400, errors=problems)
        if not changes:
            return
        for name, accepted in changes:
            if name == "assignee":
                issue["_assignee"] = accepted
            else:
                issue["fields"][name] = accepted
        self._changed(issue, items, account=account)

    def assign(self, issue: Doc, account: str | None, *, by: str) -> None:
        """Set the assignee (None: nobody); raises RefusedCall for somebody who cannot be assigned."""
        self.edit(issue, {"assignee": {"accountId": account}}, account=by)

    def move(self, issue: Doc, status: Mapping[str, Any], *, account: str) -> None:
        """Give the issue another status."""
        old = issue["fields"]["status"]
        item = _entry("status", "status", "jira", (old["id"], old["name"]), (status["id"], status["name"]))
        issue["fields"]["status"] = dict(status)
        self._changed(issue, [item], account=account)

    def comment(self, issue: Doc, body: Any, *, account: str) -> Doc:
        """Add a comment; the issue counts as updated."""
        text = adf.to_text(body)
        if not text or not text.strip():
            raise refused(400, errors={"comment": "Comment body can not be empty!"})
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
        return doc

    def create(self, wanted: Mapping[str, Any], *, account: str) -> Doc:
        """Add an issue; its first values leave no changelog."""
        fields = dict(wanted)
        named = fields.pop("project", None) or {}
        fields.pop("issuetype", None)
        fields.pop("reporter", None)
        project = self._store.named(self._space, "project", str(named.get("key", "")).upper())
        project = project or self._store.get(self._space, "project", str(named.get("id", "")))
        problems = {}
        if project is None:
            problems["project"] = "Specify a valid project ID or key"
        if not fields.get("summary"):
            problems["summary"] = "You must specify a summary of the issue."
        accepted: dict[str, Any] = {}
        for name, value in fields.items():
            try:
                accepted[name] = self._accepted(name, value)
            except UnusableValue as error:
                problems[name] = str(error)
        if problems or project is None:
            raise refused(400, errors=problems)
        at = self._now()
        status = next((doc for doc in self._store.scan(self._space, "status")), {"id": "1", "name": "To Do"})
        issue: Doc = {
            "id": self._new_id(at),
            "key": self._new_key(str(project["key"])),
            "created": jira(at),
            "updated": jira(at),
            "_project": project["key"],
            "_assignee": accepted.pop("assignee", None),
            "_creator": account,
            "fields": {"description": None, "duedate": None, "status": status, **accepted},
        }
        self._store.put(self._space, "issue", [(issue["id"], stamp(at), issue)])
        return issue

    # -- inside ----------------------------------------------------------------------------------------------

    def _changed(self, issue: Doc, items: list[dict[str, Any]], *, account: str) -> None:
        at = self._now()
        entry = {
            "id": self._new_id(at),
            "created": jira(at),
            "items": items,
            "_author": account,
            "_parent": str(issue["id"]),
        }
        with self._store.transaction():
            self._store.put(self._space, "changelog", [(str(entry["id"]), stamp(at), entry)])
            self._touch(issue, at)

    def _touch(self, issue: Doc, at: datetime) -> None:
        issue["updated"] = jira(at)
        self._store.put(self._space, "issue", [(str(issue["id"]), stamp(at), issue)])

    def _accepted(self, name: str, value: Any) -> Any:
        """Return the value as the store keeps it; raises UnusableValue with Jira's words for the field."""
        field = self._store.get(self._space, "field", name)
        kind = str(((field or {}).get("schema") or {}).get("type", ""))
        if name not in _SETTABLE and not (field and field.get("custom")):
            raise UnusableValue(f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown.")
        if name == "assignee":
            return self._assignable(value)
        if value is None:
            if name == "summary":
                raise UnusableValue("You must specify a summary of the issue.")
            return None
        if name == "duedate" or kind == "date":
            return _day(value)
        if kind == "option":
            return self._option(name, value)
        if kind == "user":
            return {"accountId": self._assignable(value)}
        text = adf.to_text(value) if isinstance(value, Mapping) else value
        if not isinstance(text, (str, int, float)):
            raise UnusableValue("Operation value must be a string")
        return text

    def _assignable(self, value: Any) -> str | None:
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise UnusableValue("data was not an object")
        if "accountId" not in value and "id" not in value:
            raise UnusableValue("expected Object containing an 'accountId' property")
        account = value.get("accountId", value.get("id"))
        if account is None:
            return None
        user = self._store.get(self._space, "user", str(account))
        if user is None or not user.get("active", True):
            raise UnusableValue(f"User '{account}' cannot be assigned issues.")
        return str(account)

    def _option(self, name: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping) or not (value.get("value") or value.get("id")):
            raise UnusableValue("Specify a valid 'id' or 'name' for the option")
        field = self._store.get(self._space, "field", name) or {}
        options = field.get("_options")
        if options is not None and value.get("value") not in options:
            raise UnusableValue(f"Option value '{value.get('value')}' is not valid")
        return {"value": value.get("value") or value.get("id")}

    def _item(self, name: str, old: Any, new: Any) -> dict[str, Any]:
        field = self._store.get(self._space, "field", name) or {}
        custom = bool(field.get("custom"))
        label = str(field.get("name", name)) if custom else name
        return _entry(label, name, "custom" if custom else "jira", self._side(name, old), self._side(name, new))

    def _side(self, name: str, value: Any) -> tuple[Any, Any]:
        if isinstance(value, Mapping) and "value" in value:
            return value["value"], value["value"]
        account = value.get("accountId") if isinstance(value, Mapping) else value
        if name == "assignee" or isinstance(value, Mapping):
            user = self._store.get(self._space, "user", str(account)) if account else None
            return account, None if user is None else user["displayName"]
        return None, value

    def _now(self) -> datetime:
        at = self._clock()
        return at.replace(microsecond=at.microsecond // 1000 * 1000)

    def _new_id(self, at: datetime) -> str:
        return str(int(at.timestamp() * 1000) * 1000 + next(self._numbers) % 1000)

    def _new_key(self, project: str) -> str:
        if project not in self._last_keys:
            keys = (str(issue["key"]).rpartition("-") for issue in self._store.scan(self._space, "issue"))
            numbers = (int(number) for name, _, number in keys if name == project and number.isdigit())
            self._last_keys[project] = max(numbers, default=0)
        self._last_keys[project] += 1
        return f"{project}-{self._last_keys[project]}"


def _entry(label: str, id_: str, kind: str, old: tuple[Any, Any], new: tuple[Any, Any]) -> dict[str, Any]:
    return {
        "field": label,
        "fieldId": id_,
        "fieldtype": kind,
        "from": old[0],
        "fromString": old[1],
        "to": new[0],
        "toString": new[1],
    }


def _day(value: Any) -> str:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError as error:
        raise UnusableValue("Error parsing date string: use yyyy-MM-dd") from error
