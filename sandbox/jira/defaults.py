"""What every site has even when its world does not say so: system fields, issue types, priorities, resolutions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.store import Doc, Store

# id, name, type, type of the items of a list, names in queries
_SYSTEM = (
    ("issuekey", "Key", "", "", ("id", "issue", "issuekey", "key")),
    ("summary", "Summary", "string", "", ("summary",)),
    ("description", "Description", "string", "", ("description",)),
    ("issuetype", "Issue Type", "issuetype", "", ("issuetype", "type")),
    ("project", "Project", "project", "", ("project",)),
    ("status", "Status", "status", "", ("status",)),
    ("assignee", "Assignee", "user", "", ("assignee",)),
    ("reporter", "Reporter", "user", "", ("reporter",)),
    ("creator", "Creator", "user", "", ("creator",)),
    ("priority", "Priority", "priority", "", ("priority",)),
    ("resolution", "Resolution", "resolution", "", ("resolution",)),
    ("labels", "Labels", "array", "string", ("labels",)),
    ("created", "Created", "datetime", "", ("created", "createdDate")),
    ("updated", "Updated", "datetime", "", ("updated", "updatedDate")),
    ("duedate", "Due date", "date", "", ("due", "duedate")),
    ("comment", "Comment", "comments-page", "", ("comment",)),
)
_PRIORITIES = (("1", "Highest"), ("2", "High"), ("3", "Medium"), ("4", "Low"), ("5", "Lowest"))
_COLOURS = ("#d04437", "#f15C75", "#f79232", "#707070", "#999999")
_RESOLUTIONS = (("10000", "Done"), ("10001", "Won't Do"), ("10002", "Duplicate"))
TASK: Doc = {"id": "10001", "name": "Task", "description": "", "subtask": False, "hierarchyLevel": 0}
MEDIUM = "3"


def fields(store: Store, space: str) -> Iterator[Doc]:
    """Yield every field of the site as `GET field` tells it, system fields first."""
    own = {str(doc["id"]): doc for doc in store.scan(space, "field")}
    for id_, name, kind, items, clauses in _SYSTEM:
        told = _system(id_, name, kind, items, clauses)
        yield {**told, **{key: value for key, value in own.pop(id_, {}).items() if key != "schema" or value}}
    for id_, doc in own.items():
        custom = bool(doc.get("custom"))
        names = [f"cf[{id_.removeprefix('customfield_')}]", doc["name"]] if custom else [id_]
        yield {
            "key": id_,
            "orderable": True,
            "navigable": True,
            "searchable": True,
            "clauseNames": names,
            **doc,
            "custom": custom,
            "schema": _custom_schema(id_, doc) if custom else doc.get("schema") or {"type": "string", "system": id_},
        }


def issue_types(store: Store, space: str) -> list[Doc]:
    """Return the issue types of the site; a site without any has Task."""
    return list(store.scan(space, "issuetype")) or [dict(TASK)]


def priorities(store: Store, space: str) -> list[Doc]:
    """Return the priorities of the site, most urgent first; a site without any has the usual five."""
    told = sorted(store.scan(space, "priority"), key=lambda doc: int(doc["id"]) if str(doc["id"]).isdigit() else 0)
    return told or [
        {"id": id_, "name": name, "description": "", "statusColor": colour, "isDefault": id_ == MEDIUM}
        for (id_, name), colour in zip(_PRIORITIES, _COLOURS, strict=True)
    ]


def resolutions(store: Store, space: str) -> list[Doc]:
    """Return the resolutions of the site; a site without any has three."""
    told = list(store.scan(space, "resolution"))
    return told or [{"id": id_, "name": name, "description": ""} for id_, name in _RESOLUTIONS]


def schema_of(doc: Mapping[str, Any]) -> dict[str, Any]:
    """Return a field's schema without the sandbox's own keys."""
    known = ("type", "items", "system", "custom", "customId", "configuration")
    return {key: value for key, value in (doc.get("schema") or {}).items() if key in known}


def _system(id_: str, name: str, kind: str, items: str, clauses: tuple[str, ...]) -> Doc:
    told: Doc = {
        "id": id_,
        "key": id_,
        "name": name,
        "custom": False,
        "orderable": id_ not in {"created", "updated", "creator", "issuekey"},
        "navigable": id_ != "comment",
        "searchable": True,
        "clauseNames": list(clauses),
    }
    if kind:
        told["schema"] = {"type": kind, **({"items": items} if items else {}), "system": id_}
    return told


def _custom_schema(id_: str, doc: Doc) -> dict[str, Any]:
    number = id_.removeprefix("customfield_")
    schema = {"type": "any", **(doc.get("schema") or {})}
    schema.setdefault("custom", f"com.atlassian.jira.plugin.system.customfieldtypes:{schema['type']}")
    if number.isdigit():
        schema.setdefault("customId", int(number))
    return schema
