"""A charter for a world file that brings none: who is there and which columns most likely mean what."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sandbox.world.world_file_space import Space

_TITLES = ("Subject", "Name")
_STATUSES = ("Status", "StageName", "Stage__c", "Status__c")
_PEOPLE = {
    "salesforce": ("User", "Name", "Email", "IsActive"),
    "jira": ("user", "displayName", "emailAddress", "active"),
    "airtable": ("collaborator", "name", "email", ""),
}


def guessed(spaces: tuple[Space, ...]) -> dict[str, Any]:
    """Give a charter over these spaces; whoever reads it is meant to correct it."""
    people = _people(spaces)
    return {
        "version": 1,
        "partners": {"company": {"name": "Company"}},
        "teams": {},
        "people": people,
        "sources": {
            space.name: {"tool": space.tool, "partner": "company", **_SOURCES[space.tool](space)} for space in spaces
        },
        "handoffs": {"detect": "owner_change", "accept_within": "24h"},
        "decision_rights": {"owner_change": {"approvers": list(people)[:1]}},
    }


def _docs(space: Space, kind: str) -> Iterator[dict[str, Any]]:
    return (entry.doc for entry in space.entries if entry.kind == kind)


def _people(spaces: tuple[Space, ...]) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    for space in spaces:
        if space.tool not in _PEOPLE:
            continue
        kind, name, email, active = _PEOPLE[space.tool]
        for doc in _docs(space, kind):
            address = str(doc.get(email) or "").lower()
            if address and doc.get(active, True):
                found.setdefault(address, {"name": doc[name], "email": address})
    keyed: dict[str, Any] = {}
    for address, person in found.items():
        stem = re.sub(r"[^a-z0-9]+", "_", address.partition("@")[0]).strip("_") or "person"
        key, turn = stem, 1
        while key in keyed:
            turn += 1
            key = f"{stem}_{turn}"
        keyed[key] = person
    return keyed


def _salesforce(space: Space) -> dict[str, Any]:
    objects: dict[str, Any] = {}
    about = {str(doc["name"]): doc for doc in _docs(space, "_object")}
    for entry in space.entries:
        if entry.kind in objects or "OwnerId" not in entry.doc:
            continue
        title = next((name for name in _TITLES if name in entry.doc), None)
        status = next((name for name in _STATUSES if name in entry.doc), None)
        if title and status:
            told = {"title": title, "status": status, "owner": "OwnerId"}
            tracked = about.get(entry.kind, {}).get("tracked")
            objects[entry.kind] = told | ({"tracked": tracked} if tracked else {})
    return {"objects": objects}


def _jira(space: Space) -> dict[str, Any]:
    return {"projects": [doc["key"] for doc in _docs(space, "project")]}


def _airtable(space: Space) -> dict[str, Any]:
    for table in _docs(space, "table"):
        kinds: Mapping[str, str] = {str(field["type"]): str(field["id"]) for field in reversed(table["fields"])}
        owner = kinds.get("multipleCollaborators") or kinds.get("singleCollaborator")
        if owner:
            items = {"table": table["id"], "title": table["primaryFieldId"], "owner": owner}
            status = kinds.get("singleSelect")
            base = table.get("_base") or next((doc["id"] for doc in _docs(space, "base")), "")
            return {"base": base, "items": items | ({"status": status} if status else {})}
    return {}


def _mail(_: Space) -> dict[str, Any]:
    return {}


_SOURCES: Mapping[str, Callable[[Space], dict[str, Any]]] = {
    "salesforce": _salesforce,
    "jira": _jira,
    "airtable": _airtable,
    "mail": _mail,
}
