"""What the documents of a space point at: everything that nothing defines, and everything that is there twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.world.schema import Problem, is_history
from sandbox.world.world_file_space import Entry, Space

_SF_ID = (15, 18)
_GONE = "people who left stay in the file, not active or `_deleted`"
# kind, key, kinds one of which must have that id
_POINTERS: Mapping[str, tuple[tuple[str, str, tuple[str, ...]], ...]] = {
    "jira": (
        *(("issue", key, ("user",)) for key in ("_assignee", "_creator", "_reporter")),
        *((kind, "_parent", ("issue",)) for kind in ("changelog", "comment", "approval")),
        *((kind, "_author", ("user",)) for kind in ("changelog", "comment")),
        ("project", "_lead", ("user",)),
        ("_token", "accountId", ("user",)),
        ("_rights", "user", ("user",)),
    ),
    "salesforce": tuple((kind, "user", ("User",)) for kind in ("_token", "_client", "_rights")),
    "airtable": (
        ("table", "_base", ("base",)),
        ("record", "_table", ("table",)),
        ("comment", "_parent", ("record",)),
        ("webhook", "_parent", ("base",)),
        ("_token", "user", ("collaborator",)),
        ("_rights", "user", ("collaborator",)),
    ),
    "mail": (("message", "login", ("_login",)),),
}
_COLUMNS = {
    "OwnerId": ("User", "Group"),
    **dict.fromkeys(("CreatedById", "LastModifiedById", "SubmittedById"), ("User",)),
}


def doubles(space: Space) -> Iterator[Problem]:
    """Yield documents that have the id, and issues that have the key, of an earlier one."""
    seen: dict[tuple[str, str], str] = {}
    for entry in space.entries:
        names = [("id", entry.id)]
        if space.tool == "jira" and entry.kind in {"issue", "project"}:
            names.append(("key", str(entry.doc.get("key"))))
        for word, value in names:
            key = (f"{entry.kind}.{word}", value)
            if key in seen:
                what, hint = f"{entry.kind} with the {word} {value!r} is there already", f"the other is {seen[key]}"
                yield Problem(place=entry.place, what=what, hint=hint)
            else:
                seen[key] = entry.place


def loose_ends(space: Space) -> Iterator[Problem]:
    """Yield every reference to something that the space does not hold."""
    known = _Known(space)
    for kind, key, targets in _POINTERS[space.tool]:
        for entry in known.of(kind):
            yield from known.missing(entry, key, entry.doc.get(key), *targets)
    for entry in space.entries:
        yield from _MORE[space.tool](known, entry)


class _Known:
    """What a space holds, by kind."""

    def __init__(self, space: Space) -> None:
        self.broken = space.broken
        self.by_kind: dict[str, dict[str, Entry]] = defaultdict(dict)
        self.begins: dict[str, set[str]] = defaultdict(set)  # Salesforce: key prefix -> ids, long and short
        for entry in space.entries:
            self.by_kind[entry.kind].setdefault(entry.id, entry)
            if "Id" in entry.doc and not is_history(entry.kind):
                self.begins[entry.id[:3]] |= {entry.id, entry.id[:15]}
        self.keys = {str(entry.doc.get("key")) for entry in self.of("project")}
        self.objects = {str(entry.doc["name"]): entry.doc for entry in self.of("_object") if "name" in entry.doc}

    def of(self, kind: str) -> Iterator[Entry]:
        """Yield the documents of a kind."""
        return iter(self.by_kind[kind].values() if kind in self.by_kind else ())

    def lacks(self, kind: str) -> bool:
        """Whether what is not there is not there for sure: no document of the kind was left out."""
        return kind not in self.broken

    def missing(self, entry: Entry, key: str, value: Any, *kinds: str) -> Iterator[Problem]:
        """Yield a problem when no document of these kinds has the id."""
        if value is None or value == "" or self.broken & {*kinds, "people"}:
            return
        if not any(str(value) in self.by_kind.get(kind, ()) for kind in kinds):
            what = f"there is no {' or '.join(kinds)} {value!r}"
            hint = _GONE if kinds[0].lower() == "user" else f"add it to `{kinds[0]}`"
            yield Problem(place=f"{entry.place}.{key}", what=what, hint=hint)


def _jira(known: _Known, entry: Entry) -> Iterator[Problem]:
    doc = entry.doc
    if entry.kind == "approval":
        for number, asked in enumerate(doc.get("approvers", [])):
            yield from known.missing(entry, f"approvers[{number}].accountId", asked["accountId"], "user")
    if entry.kind != "issue":
        return
    project = str(doc["key"]).rpartition("-")[0]
    if project not in known.keys and known.lacks("project"):
        what = f"there is no project {project!r}"
        yield Problem(place=f"{entry.place}.key", what=what, hint="add it to `project`")
    if doc.get("_project", project) != project:
        yield Problem(place=f"{entry.place}._project", what=f"the key {doc['key']!r} is one of {project!r}")
    status, where = doc["fields"].get("status"), f"{entry.place}.fields.status"
    if not isinstance(status, Mapping) or "name" not in status:
        yield Problem(place=where, what="no status", hint="give the whole document: id, name, statusCategory")
    elif known.by_kind.get("status"):
        yield from known.missing(entry, "fields.status", status.get("id"), "status")
    for name in doc["fields"]:
        if name.startswith("customfield_"):
            yield from known.missing(entry, f"fields.{name}", name, "field")


def _salesforce(known: _Known, entry: Entry) -> Iterator[Problem]:
    if entry.kind.startswith("_"):
        return
    about = known.objects.get(entry.kind, {})
    told = {str(field["name"]) for field in about["fields"]} if "fields" in about else None
    for key, value in entry.doc.items():
        if told is not None and key.endswith("__c") and key not in told:
            hint = "add it to the fields of its `_object`"
            yield Problem(place=f"{entry.place}.{key}", what=f"{entry.kind} has no field {key}", hint=hint)
        if key in _COLUMNS:
            yield from known.missing(entry, key, value, *_COLUMNS[key])
        elif _points_nowhere(known, key, value):
            yield Problem(place=f"{entry.place}.{key}", what=f"there is no record {value!r}")
    if is_history(entry.kind):
        parent = entry.doc.get("_parent")
        if parent and parent not in known.begins.get(str(parent)[:3], ()) and not known.broken:
            yield Problem(place=entry.place, what=f"history of {parent!r}, which is not there")


def _points_nowhere(known: _Known, key: str, value: Any) -> bool:
    """Whether a column holds an id that looks like those of the file's own records, and is none of them."""
    if key == "Id" or not key.endswith("Id") or not isinstance(value, str) or len(value) not in _SF_ID:
        return False
    return value not in known.begins.get(value[:3], {value}) and not known.broken


def _airtable(known: _Known, entry: Entry) -> Iterator[Problem]:
    if entry.kind == "table":
        primary = entry.doc.get("primaryFieldId")
        if primary not in {str(field["id"]) for field in entry.doc["fields"]}:
            yield Problem(place=f"{entry.place}.primaryFieldId", what=f"the table has no field {primary!r}")
        for number, field in enumerate(entry.doc["fields"]):
            other = (field.get("options") or {}).get("linkedTableId")
            yield from known.missing(entry, f"fields[{number}].options.linkedTableId", other, "table")
    table = known.by_kind["table"].get(str(entry.doc.get("_table"))) if entry.kind == "record" else None
    if table is None:
        return
    fields = {str(field["id"]): str(field["type"]) for field in table.doc["fields"]}
    for name, value in entry.doc["fields"].items():
        where, cells = f"fields.{name}", value if isinstance(value, list) else [value]
        if name not in fields:
            what = f"the table {table.doc['name']!r} has no field {name!r}"
            yield Problem(place=f"{entry.place}.{where}", what=what, hint="full forms name fields by id")
        elif fields[name] == "multipleRecordLinks":
            for one in cells:
                yield from known.missing(entry, where, one, "record")
        elif fields[name] in {"singleCollaborator", "multipleCollaborators"}:
            for one in cells:
                id_ = one.get("id") if isinstance(one, Mapping) else one
                yield from known.missing(entry, where, id_, "collaborator")


def _nothing(_: _Known, __: Entry) -> Iterator[Problem]:
    return iter(())


_MORE = {"jira": _jira, "salesforce": _salesforce, "airtable": _airtable, "mail": _nothing}
