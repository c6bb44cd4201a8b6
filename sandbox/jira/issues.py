"""How the site prints issues, people, comments and changelogs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.jira import adf
from sandbox.stamps import parsed
from sandbox.store import Store

_MOST_COMMENTS = 20  # comments inside a search result
_MOST_HISTORIES = 40  # changelog entries inside a search result; a single issue shows up to 100
_TYPE = {"id": "10001", "name": "Task", "description": "", "subtask": False, "hierarchyLevel": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which fields of an issue the caller asked for, and what to expand."""

    fields: frozenset[str]
    without: frozenset[str]
    everything: bool
    changelog: bool

    def field(self, name: str) -> bool:
        """Whether this field is to be printed."""
        return name not in self.without and (self.everything or name in self.fields)

    @property
    def only_id(self) -> bool:
        """Whether nothing but the id was asked for."""
        return not self.everything and not self.changelog and self.fields <= {"id"}


def wanted(fields: Sequence[str], expand: str, *, default: str) -> Wanted:
    """Read the `fields` and `expand` parameters; entries may hold commas, `-name` leaves a field out."""
    names = [name.strip() for entry in fields for name in entry.split(",") if name.strip()] or [default]
    without = frozenset(name[1:] for name in names if name.startswith("-"))
    positive = frozenset(name for name in names if not name.startswith(("-", "*")))
    everything = any(name in {"*all", "*navigable"} for name in names) or (not positive and bool(without))
    if "*navigable" in names:
        without |= {"comment"}
    return Wanted(fields=positive, without=without, everything=everything, changelog="changelog" in expand.split(","))


class Printer:
    """Prints documents of one site for one request; people are read once."""

    def __init__(self, store: Store, space: str, *, address: str, version: str) -> None:
        """Print links below an address, in API version 2 (plain text) or 3 (document trees)."""
        self._store = store
        self._space = space
        self._rest = f"{address}/rest/api/{version}"
        self._trees = version == "3"
        self._people: dict[str, dict[str, Any]] = {}
        self._projects: dict[str, dict[str, Any] | None] = {}
        self._user_fields: list[str] | None = None

    def person(self, account: str | None) -> dict[str, Any] | None:
        """Return a user as embedded elsewhere; a deleted account is a former user."""
        if not account:
            return None
        if account not in self._people:
            known = self._store.get(self._space, "user", account)
            self._people[account] = self.user(
                known or {"accountId": account, "displayName": "Former user", "active": False, "accountType": "unknown"}
            )
        return self._people[account]

    def user(self, doc: Mapping[str, Any]) -> dict[str, Any]:
        """Return a user; the e-mail address only where the person shows it."""
        told = {key: value for key, value in doc.items() if not key.startswith("_")}
        return {"self": f"{self._rest}/user?accountId={doc['accountId']}", **told}

    def issues(self, docs: Sequence[Mapping[str, Any]], what: Wanted, *, in_search: bool) -> list[dict[str, Any]]:
        """Return issues; histories and comments are read for all of them at once."""
        if what.only_id:
            return [{"id": doc["id"]} for doc in docs]
        ids = [str(doc["id"]) for doc in docs]
        comments = self._grouped("comment", ids) if what.field("comment") else {}
        histories = self._grouped("changelog", ids) if what.changelog else {}
        out = []
        for doc in docs:
            id_ = str(doc["id"])
            told: dict[str, Any] = {
                "expand": "renderedFields,names,schema,operations,editmeta,changelog",
                "id": id_,
                "self": f"{self._rest}/issue/{id_}",
                "key": doc["key"],
            }
            if what.changelog:
                rows = histories.get(id_, [])[::-1][: _MOST_HISTORIES if in_search else 100]
                told["changelog"] = {
                    "startAt": 0,
                    "maxResults": len(rows),
                    "total": len(histories.get(id_, [])),
                    "histories": [self.history(row) for row in rows],
                }
            fields = self._fields(doc, what)
            if what.field("comment"):
                most = _MOST_COMMENTS if in_search else None
                fields["comment"] = self._embedded(id_, comments.get(id_, []), most)
            if fields or what.fields - {"id", "key"}:
                told["fields"] = fields
            out.append(told)
        return out

    def comment(self, doc: Mapping[str, Any]) -> dict[str, Any]:
        """Return a comment."""
        author = self.person(doc.get("_author"))
        return {
            "self": f"{self._rest}/issue/{doc['_parent']}/comment/{doc['id']}",
            "id": doc["id"],
            "author": author,
            "body": self.rich(doc["body"]),
            "updateAuthor": author,
            "created": doc["created"],
            "updated": doc.get("updated", doc["created"]),
            "jsdPublic": True,
        }

    def history(self, doc: Mapping[str, Any], *, epoch: bool = False) -> dict[str, Any]:
        """Return a changelog entry; `epoch` prints its time as the bulk call does, in milliseconds."""
        created: Any = doc["created"]
        if epoch:
            created = int(parsed(created).timestamp() * 1000)
        return {
            "id": doc["id"],
            "author": self.person(doc.get("_author")),
            "created": created,
            "items": doc["items"],
        }

    def status(self, doc: Mapping[str, Any]) -> dict[str, Any]:
        """Return a status with its category."""
        category = dict(doc.get("statusCategory") or {"key": "indeterminate"})
        return {
            "self": f"{self._rest}/status/{doc['id']}",
            "description": "",
            "iconUrl": "",
            "name": doc["name"],
            "id": str(doc["id"]),
            "statusCategory": {"self": f"{self._rest}/statuscategory/{category.get('id', 4)}", **category},
        }

    def project(self, doc: Mapping[str, Any]) -> dict[str, Any]:
        """Return a project."""
        return {
            "self": f"{self._rest}/project/{doc['id']}",
            "id": str(doc["id"]),
            "key": doc["key"],
            "name": doc["name"],
            "projectTypeKey": "software",
            "simplified": False,
            "style": "classic",
            "isPrivate": False,
        }

    def rich(self, text: str | None) -> Any:
        """Return text as this API version prints it."""
        return adf.to_tree(text) if self._trees else text

    def _grouped(self, kind: str, ids: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
        groups: dict[str, list[Mapping[str, Any]]] = {}
        for doc in self._store.find_all(self._space, kind, ids):
            groups.setdefault(str(doc["_parent"]), []).append(doc)
        return groups

    def _embedded(self, id_: str, docs: Sequence[Mapping[str, Any]], most: int | None) -> dict[str, Any]:
        shown = docs if most is None else docs[:most]
        return {
            "comments": [self.comment(doc) for doc in shown],
            "self": f"{self._rest}/issue/{id_}/comment",
            "maxResults": len(shown),
            "total": len(docs),
            "startAt": 0,
        }

    def _fields(self, doc: Mapping[str, Any], what: Wanted) -> dict[str, Any]:
        own = doc["fields"]
        fields = {name: value for name, value in own.items() if what.field(name)}
        if what.field("description"):
            fields["description"] = self.rich(own.get("description"))
        if what.field("status") and own.get("status"):
            fields["status"] = self.status(own["status"])
        for name in ("created", "updated"):
            if what.field(name):
                fields[name] = doc[name]
        if what.field("assignee"):
            fields["assignee"] = self.person(doc.get("_assignee"))
        if what.field("creator"):
            fields["creator"] = self.person(doc.get("_creator"))
        if what.field("reporter"):
            fields["reporter"] = self.person(doc.get("_reporter", doc.get("_creator")))
        if what.field("project"):
            fields["project"] = self._project_of(str(doc["key"]).rpartition("-")[0])
        if what.field("issuetype"):
            told = own.get("issuetype") or _TYPE
            fields["issuetype"] = {"self": f"{self._rest}/issuetype/{told.get('id', '10001')}", **told}
        for name in self._custom_people():
            value = fields.get(name)
            if value:
                account = value.get("accountId") if isinstance(value, Mapping) else value
                fields[name] = self.person(account)
        return fields

    def _project_of(self, key: str) -> dict[str, Any] | None:
        if key not in self._projects:
            known = self._store.named(self._space, "project", key)
            self._projects[key] = None if known is None else self.project(known)
        return self._projects[key]

    def _custom_people(self) -> list[str]:
        if self._user_fields is None:
            self._user_fields = [
                str(doc["id"])
                for doc in self._store.scan(self._space, "field")
                if doc.get("custom") and (doc.get("schema") or {}).get("type") == "user"
            ]
        return self._user_fields
