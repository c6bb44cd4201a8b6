"""The short forms of a Salesforce org in a world file, written out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sandbox.stamps import parsed, salesforce
from sandbox.world.schema import is_history, kind_of
from sandbox.world.schema.salesforce import RECORD
from sandbox.world.world_file_space import Given, Space, chain, in_order, times_of

_OWN = {"User", "people", "Group", "_object", "_token", "_client", "_rights"}
_PREFIX = {
    "Account": "001", "Contact": "003", "Lead": "00Q", "Task": "00T", "Case": "500", "Opportunity": "006",
    "Organization": "00D", "Profile": "00e", "UserRole": "00E", "ProcessDefinition": "04a",
}  # fmt: skip
_OWNERLESS = {"Organization", "Profile", "UserRole", "ProcessDefinition", "GroupMember", "QueueSobject"}
_HISTORIES = {"Case": ("CaseHistory", "CaseId"), "Opportunity": ("OpportunityFieldHistory", "OpportunityId")}
_PARENTS = {
    **dict(_HISTORIES.values()),
    "CaseComment": "ParentId",
    "ProcessInstance": "TargetObjectId",
    "ProcessInstanceStep": "ProcessInstanceId",
    "ProcessInstanceWorkitem": "ProcessInstanceId",
}
_DATA_TYPES = {
    "picklist": "DynamicEnum", "date": "DateOnly", "datetime": "DateTime", "boolean": "Boolean", "double": "Double",
    "currency": "Currency", "reference": "EntityId",
}  # fmt: skip
_PERSONAL = ("CreatedById", "LastModifiedById")
_TIMES = ("CreatedDate", "LastModifiedDate", "SystemModstamp")


def expand(space: Space) -> None:
    """Put every document of the org into the space's entries, in full form."""
    _people(space)
    objects = {str(given.doc["name"]): _object(space, given) for given in space.docs("_object")}
    for given in space.docs("_token"):
        doc = given.doc
        if given.short:
            doc = {"_id": doc["token"], "user": space.who(doc["user"], f"{given.place}.user")}
        space.add("_token", doc, given.place)
    for given in space.docs("_client"):
        doc = given.doc
        if given.short:
            rest = {key: value for key, value in doc.items() if key != "client"}
            doc = {"_id": doc["client"], **rest, "user": space.who(doc.get("user"), f"{given.place}.user")}
        space.add("_client", doc, given.place)
    for given in space.docs("_rights"):
        space.add("_rights", {**given.doc, "user": space.who(given.doc["user"], f"{given.place}.user")}, given.place)
    for kind in space.kinds():
        if kind in _OWN:
            continue
        if kind_of(space.tool, kind) is RECORD:
            _records(space, kind, objects.get(kind, {}))
        else:
            _rows(space, kind, objects.values())


def _records(space: Space, kind: str, about: Mapping[str, Any]) -> None:
    for number, given in enumerate(space.docs(kind)):
        if given.short:
            _Record(space, kind, number, given, about).expand()
        else:
            space.add(kind, given.doc, given.place)


def _rows(space: Space, kind: str, objects: Iterable[Mapping[str, Any]]) -> None:
    """Take rows that belong to records; which one is read from their columns where they do not say it."""
    told = (str(one["historyParent"]) for one in objects if one.get("history") == kind)
    parent = next(told, _PARENTS.get(kind, ""))
    for given in space.docs(kind):
        owner = given.doc.get("_parent") or given.doc.get(parent)
        space.add(kind, {**given.doc, **({"_parent": owner} if owner else {})}, given.place)


def _people(space: Space) -> None:
    for given in space.docs("User"):
        doc = given.doc
        space.knows(str(doc["Id"]), str(doc["Name"]), str(doc.get("Email") or ""))
        space.add("User", doc, given.place)
    for number, given in enumerate(space.docs("people"), start=1):
        told = given.doc
        first, _, last = str(told["name"]).partition(" ")
        doc = {
            "Id": told.get("id") or space.mint.salesforce("005", number),
            "Name": told["name"],
            "FirstName": first if last else None,
            "LastName": last or first,
            "Email": told.get("email"),
            "Username": told.get("email") or f"{first.lower()}{number}@{space.name.replace('_', '-')}.example",
            "IsActive": told.get("active", True),
            "UserType": "AutomatedProcess" if told.get("kind") == "bot" else "Standard",
            "IsDeleted": False,
        }
        doc |= dict.fromkeys(_TIMES, "2000-01-01T00:00:00.000+0000")
        for key, name in (("zone", "TimeZoneSidKey"), ("password", "_password"), ("security_token", "_security_token")):
            if told.get(key):
                doc[name] = told[key]
        space.knows(str(doc["Id"]), str(told["name"]), str(told.get("email") or ""))
        space.add("User", doc, given.place)
        if told.get("token"):
            space.add("_token", {"_id": told["token"], "user": doc["Id"]}, f"{given.place}.token")
    for number, given in enumerate(space.docs("Group"), start=1):
        doc = given.doc
        if given.short:
            doc = {"Id": space.mint.salesforce("00G", number), "Type": "Queue", **doc, "IsDeleted": False}
            doc |= dict.fromkeys(_TIMES, "2000-01-01T00:00:00.000+0000")
        space.knows(str(doc["Id"]), str(doc["Name"]), str(doc.get("Email") or ""))
        space.add("Group", doc, given.place)


def _object(space: Space, given: Given) -> Mapping[str, Any]:
    doc = dict(given.doc)
    name = str(doc["name"])
    if doc.get("history") is True:
        doc["history"], doc["historyParent"] = _history_of(name)
    elif doc.get("history") is False:
        del doc["history"]
    if doc.get("history") and not doc.get("historyParent"):
        doc["historyParent"] = _history_of(name)[1]
    if "fields" in doc:
        doc["fields"] = [_column(field) for field in doc["fields"]]
    space.add("_object", doc, given.place)
    return doc


def _column(field: Mapping[str, Any]) -> dict[str, Any]:
    told = {"type": "string", "updateable": True, **field}
    values = told.pop("values", None)
    if values is not None:
        told["picklistValues"] = [{"value": value, "label": value, "active": True} for value in values]
        told["type"] = field.get("type", "picklist")
    return told


def _history_of(name: str) -> tuple[str, str]:
    if name.endswith("__c"):
        return f"{name.removesuffix('c')}History", "ParentId"
    return _HISTORIES.get(name, (f"{name}History", f"{name}Id"))


class _Record:
    """One record in short form."""

    def __init__(self, space: Space, kind: str, number: int, given: Given, about: Mapping[str, Any]) -> None:
        self._space = space
        self._kind = kind
        self._place = given.place
        self._about = about
        self._number = number
        self._told: dict[str, Any] = dict(given.doc)
        self._history = list(self._told.pop("history", []))
        self._comments = list(self._told.pop("comments", []))
        self._serial = 0

    def expand(self) -> None:
        """Add the record with its history and comments."""
        space, told, history = self._space, self._told, self._history
        first = str(told.get("CreatedDate") or (history[0]["at"] if history else ""))
        if not first:
            space.wrong(self._place, "no CreatedDate", "say when the record was made")
            return
        in_order(space, history, f"{self._place}.history", first)
        maker = told.get("CreatedById") or (history[0]["by"] if history else None)
        record: dict[str, Any] = {"Id": told.get("Id") or self._minted(), "IsDeleted": False}
        people = {name: told[name] for name in (*_PERSONAL, "OwnerId") if told.get(name)}
        record |= told | {name: space.who(value, f"{self._place}.{name}") for name, value in people.items()}
        record["CreatedById"] = record.get("CreatedById") or space.who(maker, f"{self._place}.CreatedById")
        self._present(record)
        if not record.get("OwnerId") and self._kind not in _OWNERLESS:
            record["OwnerId"] = record["CreatedById"]
        last = max([first, *times_of(history)], key=parsed)
        changed = str(told.get("LastModifiedDate") or told.get("SystemModstamp") or last)
        record["CreatedDate"], record["LastModifiedDate"] = _sf(first), _sf(changed)
        record["SystemModstamp"] = _sf(told.get("SystemModstamp") or changed)
        by = space.who(history[-1]["by"], "") if history else record["CreatedById"]
        record["LastModifiedById"] = record.get("LastModifiedById") or by
        space.add(self._kind, record, self._place)
        self._rows(record)
        self._said(record)

    def _minted(self) -> str:
        prefix = str(self._about.get("keyPrefix") or _PREFIX.get(self._kind) or "")
        if not prefix:
            self._space.wrong(
                self._place, "no Id, and nothing says how ids of this object begin", "give `_object` a keyPrefix"
            )
            prefix = "a00"
        return self._space.mint.salesforce(prefix, self._number + 1)

    def _present(self, record: dict[str, Any]) -> None:
        """Bring the record's columns to where its history ends."""
        steps: dict[str, list[tuple[str, Any, Any]]] = {}
        for number, row in enumerate(self._history):
            for column, change in _changes(row):
                where = f"{self._place}.history[{number}].{column}"
                before, after = change
                if column == "OwnerId":
                    before, after = (self._space.who(end, where) for end in change)
                steps.setdefault(column, []).append((where, before, after))
        for column, changes in steps.items():
            told = column in self._told
            record[column] = chain(self._space, self._place, column, changes, record.get(column), told=told)

    def _rows(self, record: Mapping[str, Any]) -> None:
        if not self._history:
            return
        if self._about.get("history"):
            kind, parent = str(self._about["history"]), str(self._about["historyParent"])
        elif self._kind in _HISTORIES:
            kind, parent = _HISTORIES[self._kind]
        else:
            self._space.wrong(
                f"{self._place}.history", f"{self._kind} keeps no history", "give `_object` history: true"
            )
            return
        self._row(kind, parent, record, record["CreatedDate"], record["CreatedById"], ("created", None, None), "Text")
        for number, row in enumerate(self._history):
            at, by = _sf(row["at"]), self._space.who(row["by"], f"{self._place}.history[{number}].by")
            for column, (old, new) in _changes(row):
                if column != "OwnerId":
                    self._row(kind, parent, record, at, by, (column, old, new), self._data_type(column))
                    continue
                ends = [self._space.who(end, "") for end in (old, new)]
                names = [self._space.name_of(end) for end in ends]
                self._row(kind, parent, record, at, by, ("Owner", names[0], names[1]), "Text")
                self._row(kind, parent, record, at, by, ("Owner", ends[0], ends[1]), "EntityId")

    def _row(
        self,
        kind: str,
        parent: str,
        record: Mapping[str, Any],
        at: str,
        by: str | None,
        change: tuple[str, Any, Any],
        data_type: str,
    ) -> None:
        self._serial += 1
        field, old, new = change
        row = {
            "Id": self._child("017", kind),
            parent: record["Id"],
            "Field": field,
            "DataType": data_type,
            "OldValue": old,
            "NewValue": new,
            "CreatedById": by,
            "CreatedDate": at,
            "IsDeleted": False,
            "_parent": record["Id"],
        }
        self._space.add(kind, row, f"{self._place}.history")

    def _said(self, record: Mapping[str, Any]) -> None:
        if self._comments and self._kind != "Case":
            self._space.wrong(f"{self._place}.comments", f"{self._kind} has no comments", "only cases have")
            return
        for number, told in enumerate(self._comments):
            self._serial += 1
            place, at = f"{self._place}.comments[{number}]", _sf(told["at"])
            by = self._space.who(told["by"], f"{place}.by")
            row = {
                "Id": told.get("id") or self._child("00a", "CaseComment"),
                "ParentId": record["Id"],
                "CommentBody": told["text"],
                "IsPublished": False,
                "IsDeleted": False,
                "CreatedById": by,
                "LastModifiedById": by,
                "_parent": record["Id"],
            } | dict.fromkeys(_TIMES, at)
            self._space.add("CaseComment", row, place)

    def _child(self, prefix: str, kind: str) -> str:
        number = sum(1 for _ in self._space.docs(kind)) + self._space.turn(f"{prefix}/rows")
        return self._space.mint.salesforce(prefix, number)

    def _data_type(self, column: str) -> str:
        field: Mapping[str, Any] = next((one for one in self._about.get("fields", []) if one["name"] == column), {})
        return _DATA_TYPES.get(str(field.get("type")), "DynamicEnum" if column in {"Status", "StageName"} else "Text")


def _changes(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give what a row of a short history changes."""
    return ((name, value) for name, value in row.items() if name not in {"at", "by"})


def _sf(text: Any) -> str:
    return salesforce(parsed(str(text)))


__all__ = ["expand", "is_history"]
