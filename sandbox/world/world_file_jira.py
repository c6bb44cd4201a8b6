"""The short forms of a Jira site in a world file, written out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.jira.defaults import TASK
from sandbox.stamps import jira, parsed
from sandbox.world.schema import did_you_mean
from sandbox.world.world_file_space import Given, Space, chain, in_order, times_of

_OWN = {
    "user",
    "people",
    "project",
    "status",
    "issuetype",
    "priority",
    "resolution",
    "field",
    "_token",
    "_rights",
    "issue",
}
_NEW = {"to do", "todo", "open", "new", "backlog", "offen"}
_DONE = {"done", "closed", "resolved", "cancelled", "canceled", "complete", "completed", "erledigt"}
_CATEGORIES = {"new": (2, "To Do"), "indeterminate": (4, "In Progress"), "done": (3, "Done")}
_TYPES: Mapping[str, dict[str, Any]] = {
    "options": {"type": "array", "items": "option"},
    "users": {"type": "array", "items": "user"},
    "labels": {"type": "array", "items": "string"},
}
_TEXTS = ("summary", "description", "duedate")
_CATALOGUES = ("issuetype", "priority", "resolution")
_PEOPLE = ("assignee", "reporter", "creator")
_PRIORITIES, _RESOLUTIONS = ("Highest", "High", "Medium", "Low", "Lowest"), ("Done", "Won't Do", "Duplicate")
_USUAL: Mapping[str, dict[str, dict[str, Any]]] = {
    "issuetype": {"Task": dict(TASK)},
    "priority": {name: {"id": str(n), "name": name} for n, name in enumerate(_PRIORITIES, start=1)},
    "resolution": {name: {"id": str(n), "name": name} for n, name in enumerate(_RESOLUTIONS, start=10_000)},
}


def expand(space: Space) -> None:
    """Put every document of the site into the space's entries, in full form."""
    _people(space)
    for given in space.docs("project"):
        _project(space, given)
    catalogues = {kind: _catalogue(space, kind) for kind in ("status", *_CATALOGUES)}
    fields = _fields(space)
    for given in space.docs("_token"):
        doc = given.doc
        if given.short:
            more = {key: value for key, value in doc.items() if key not in {"token", "user"}}
            account = space.who(doc["user"], f"{given.place}.user")
            email = more.get("email") or _email(space, account)
            doc = {"_id": doc["token"], "accountId": account, **({"email": email} if email else {}), **more}
        space.add("_token", doc, given.place)
    for given in space.docs("_rights"):
        space.add("_rights", {**given.doc, "user": space.who(given.doc["user"], f"{given.place}.user")}, given.place)
    for rows, kind in (("history", "changelog"), ("comments", "comment")):
        told = [given.doc.get(rows, []) for given in space.docs("issue") if given.short]
        space.reserve(kind, {str(row["id"]) for group in told for row in group if "id" in row})
    for given in space.docs("issue"):
        if given.short:
            _Issue(space, given, catalogues, fields).expand()
        else:
            space.add("issue", given.doc, given.place)
    space.take_rest(tuple(_OWN))


def _people(space: Space) -> None:
    for given in space.docs("user"):
        doc = given.doc
        space.knows(str(doc["accountId"]), str(doc["displayName"]), str(doc.get("emailAddress") or ""))
        space.add("user", doc, given.place)
    for given in space.docs("people"):
        told = given.doc
        account = str(told.get("id") or space.mint.jira_account(f"{space.name}/{told.get('email') or told['name']}"))
        doc = {
            "accountId": account,
            "displayName": told["name"],
            "active": told.get("active", True),
            "accountType": {"bot": "app", "customer": "customer"}.get(str(told.get("kind")), "atlassian"),
            "timeZone": told.get("zone", "Etc/UTC"),
        }
        if told.get("email"):
            doc["emailAddress"] = told["email"]
        if told.get("email_hidden"):
            doc["_email_hidden"] = True
        space.knows(account, str(told["name"]), str(told.get("email") or ""))
        space.add("user", doc, given.place)
        if told.get("token"):
            token = {"_id": told["token"], "accountId": account, "email": told.get("email", "")}
            space.add("_token", token, f"{given.place}.token")


def _email(space: Space, account: str | None) -> str:
    for entry in space.entries:
        if entry.kind == "user" and entry.id == account:
            return str(entry.doc.get("emailAddress") or "")
    return ""


def _project(space: Space, given: Given) -> None:
    doc = given.doc
    if given.short:
        doc = {
            "id": doc.get("id") or space.number("project", 10_000),
            "key": doc["key"],
            "name": doc.get("name", doc["key"]),
        }
        if given.doc.get("type"):
            doc["projectTypeKey"] = given.doc["type"]
        if given.doc.get("lead"):
            doc["_lead"] = space.who(given.doc["lead"], f"{given.place}.lead")
    space.add("project", doc, given.place)


def _catalogue(space: Space, kind: str) -> dict[str, dict[str, Any]]:
    """Take the statuses (types, priorities, resolutions) of the site; gives them by name."""
    found: dict[str, dict[str, Any]] = {}
    for given in space.docs(kind):
        doc = given.doc
        if given.short:
            told = {"name": doc} if isinstance(doc, str) else dict(doc)
            category = told.pop("category", None)
            doc = {"id": told.pop("id", None) or space.number(kind, 10_000), **told}
            if kind == "status":
                doc["statusCategory"] = _category(category or _guessed(str(told["name"])))
        space.add(kind, doc, given.place)
        found[str(doc["name"])] = doc
    return found or _USUAL.get(kind, {})


def _guessed(name: str) -> str:
    return "new" if name.lower() in _NEW else "done" if name.lower() in _DONE else "indeterminate"


def _category(key: str) -> dict[str, Any]:
    number, name = _CATEGORIES[key]
    return {"id": number, "key": key, "name": name}


def _fields(space: Space) -> dict[str, dict[str, Any]]:
    """Take the fields of the site; gives them by id."""
    found: dict[str, dict[str, Any]] = {}
    taken = {str(given.doc.get("id", "")) for given in space.docs("field")}
    turn = 10_100
    for given in space.docs("field"):
        doc = given.doc
        if given.short:
            while f"customfield_{turn}" in taken:
                turn += 1
            id_ = str(doc.get("id") or f"customfield_{turn}")
            taken.add(id_)
            custom = id_.startswith("customfield_")
            schema = dict(_TYPES.get(doc["type"], {"type": doc["type"]}))
            doc = {"id": id_, "name": doc["name"], "custom": custom, "schema": schema}
            if "options" in given.doc:
                doc["_options"] = given.doc["options"]
        space.add("field", doc, given.place)
        found[str(doc["id"])] = doc
    return found


class _Issue:
    """One issue in short form."""

    def __init__(
        self,
        space: Space,
        given: Given,
        catalogues: Mapping[str, Mapping[str, dict[str, Any]]],
        fields: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self._space = space
        self._place = given.place
        self._told: dict[str, Any] = dict(given.doc)
        self._catalogues = catalogues
        self._fields = fields
        self._id = str(self._told.get("id") or space.number("issue", 10_000))

    def expand(self) -> None:
        """Add the issue with its changelog and comments."""
        space, told = self._space, self._told
        history, comments = list(told.get("history", [])), list(told.get("comments", []))
        in_order(space, history, f"{self._place}.history", str(told["created"]))
        present = self._present(history)
        times = [str(told["created"]), *times_of(history), *times_of(comments)]
        updated = str(told.get("updated") or max(times, key=parsed))
        creator = space.who(told.get("creator") or (history[0]["by"] if history else None), f"{self._place}.creator")
        doc = {
            "id": self._id,
            "key": told["key"],
            "created": _jira(told["created"]),
            "updated": _jira(updated),
            "_project": str(told["key"]).rpartition("-")[0],
            "_assignee": present.pop("assignee", None),
            "_creator": present.pop("creator", creator),
            "fields": {"summary": told["summary"], "description": told.get("description"), "duedate": None} | present,
        }
        if "reporter" in present:
            doc["_reporter"] = doc["fields"].pop("reporter")
        space.add("issue", doc, self._place)
        for number, row in enumerate(history):
            self._row(row, f"{self._place}.history[{number}]")
        for number, row in enumerate(comments):
            self._comment(row, f"{self._place}.comments[{number}]")

    def _present(self, history: list[Mapping[str, Any]]) -> dict[str, Any]:
        """Give the present values by field id, those people fields among them."""
        own = {"key", "id", "created", "updated", "history", "comments"}
        steps: dict[str, list[tuple[str, Any, Any]]] = {}
        for number, row in enumerate(history):
            for name, change in row.items():
                if name in {"at", "by", "id"}:
                    continue
                where = f"{self._place}.history[{number}].{name}"
                field = self._field(name, where)
                if field is not None:
                    before, after = (self._value(field, value, where) for value in change)
                    steps.setdefault(field, []).append((where, before, after))
        present: dict[str, Any] = {}
        for name, value in self._told.items():
            field = None if name in own else self._field(name, f"{self._place}.{name}")
            if field is not None:
                present[field] = self._value(field, value, f"{self._place}.{name}")
        for field, changes in steps.items():
            told = field in present
            present[field] = chain(self._space, self._place, field, changes, present.get(field), told=told)
        statuses = self._catalogues["status"]
        if "status" not in present and statuses:
            present["status"] = next(iter(statuses.values()))
        elif "status" not in present:
            self._space.wrong(self._place, "no status", "give the space `status`: a list of names")
        return present

    def _row(self, row: Mapping[str, Any], place: str) -> None:
        items = []
        for name, change in row.items():
            field = None if name in {"at", "by", "id"} else self._field(name, "")
            if field is None:
                continue
            ends = [self._end(field, self._value(field, value, "")) for value in change]
            (old, old_text), (new, new_text) = ends
            custom = field.startswith("customfield_")
            items.append(
                {
                    "field": str(self._fields[field]["name"]) if custom else field,
                    "fieldId": field,
                    "fieldtype": "custom" if custom else "jira",
                    "from": old,
                    "fromString": old_text,
                    "to": new,
                    "toString": new_text,
                }
            )
        if not items:
            self._space.wrong(place, "nothing changes here", "give a field: [before, after]")
            return
        id_ = str(row.get("id") or self._space.number("changelog", 10_000))
        by = self._space.who(row["by"], f"{place}.by")
        entry = {"id": id_, "created": _jira(row["at"]), "items": items, "_author": by, "_parent": self._id}
        self._space.add("changelog", entry, place)

    def _comment(self, row: Mapping[str, Any], place: str) -> None:
        id_ = str(row.get("id") or self._space.number("comment", 10_000))
        at, by = _jira(row["at"]), self._space.who(row["by"], f"{place}.by")
        doc = {"id": id_, "body": row["text"], "created": at, "updated": at, "_author": by, "_parent": self._id}
        self._space.add("comment", doc, place)

    def _field(self, name: str, place: str) -> str | None:
        """Give the id of a field by id or name; an unknown one is a problem, once."""
        if name in {"status", "labels", *_TEXTS, *_CATALOGUES, *_PEOPLE} or name in self._fields:
            return name
        found = [id_ for id_, doc in self._fields.items() if str(doc["name"]).lower() == name.lower()]
        if found:
            return found[0]
        if place and "field" not in self._space.broken:
            names = [str(doc["name"]) for doc in self._fields.values()]
            hint = did_you_mean(name, [*names, *_ISSUE_KEYS]) or "add it to `field`"
            self._space.wrong(place, f"the site has no field {name!r}", hint)
        return None

    def _value(self, field: str, value: Any, place: str) -> Any:
        """Give a value as the issue holds it."""
        if value is None:
            return None
        if field in _PEOPLE:
            return self._space.who(value, place)
        if field == "status" or field in _CATALOGUES:
            return self._named(field, value, place)
        kind = self._kind(field)
        make: Mapping[str, Callable[[Any], Any]] = {
            "option": lambda one: one if isinstance(one, Mapping) else {"value": str(one)},
            "user": lambda one: {"accountId": self._space.who(one, place)},
        }
        if kind in make:
            return make[kind](value)
        items = str((self._fields.get(field, {}).get("schema") or {}).get("items", ""))
        if kind == "array" and items in make and isinstance(value, list):
            return [make[items](one) for one in value]
        return value

    def _named(self, kind: str, value: Any, place: str) -> Any:
        known = self._catalogues[kind]
        found = known.get(str(value)) or next((doc for doc in known.values() if str(doc["id"]) == str(value)), None)
        if found is None and place and kind not in self._space.broken:
            hint = did_you_mean(str(value), list(known)) or f"give the space `{kind}`: a list of names"
            self._space.wrong(place, f"the site has no {kind} {value!r}", hint)
        return found or {"id": str(value), "name": str(value)}

    def _kind(self, field: str) -> str:
        return str((self._fields.get(field, {}).get("schema") or {}).get("type", ""))

    def _end(self, field: str, value: Any) -> tuple[str | None, str | None]:
        """Give one end of a change as the changelog tells it: id and text."""
        if value is None:
            return None, None
        if field in _PEOPLE:
            return str(value), self._space.name_of(str(value))
        if isinstance(value, Mapping):
            if "accountId" in value:
                return str(value["accountId"]), self._space.name_of(str(value["accountId"]))
            text = str(value.get("name") or value.get("value") or "")
            return str(value.get("id") or text), text
        if isinstance(value, list):
            text = ", ".join(str(self._end(field, one)[1]) for one in value)
            return None, " ".join(map(str, value)) if field == "labels" else text
        return (str(value), str(value)) if field == "duedate" or self._kind(field) == "date" else (None, str(value))


_ISSUE_KEYS = (*_TEXTS, "status", "assignee", "reporter", "labels", "history", "comments", "created", "updated")


def _jira(text: Any) -> str:
    return jira(parsed(str(text)))
