"""Fields of the charter that a table no longer has, or has in a type that cannot mean what it meant. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from connectors.airtable.cells import Json
from hub.charter.sources import AirtableItems, AirtableUpdates

Mapped = TypeVar("Mapped", AirtableItems, AirtableUpdates)

# Types whose cells never name a person, and hold no time that the base itself keeps.
_PLAIN = frozenset(
    {
        "singleLineText", "multilineText", "richText", "email", "url", "phoneNumber", "number", "currency", "percent",
        "duration", "rating", "checkbox", "singleSelect", "multipleSelects", "barcode", "button", "autoNumber", "count",
        "multipleAttachments",
    }
)  # fmt: skip
_NOT_FOR = {
    "owner": _PLAIN | {"date", "dateTime"},
    "approver": _PLAIN | {"date", "dateTime"},
    "by": _PLAIN | {"date", "dateTime"},
    "modified": _PLAIN,
    "at": _PLAIN - {"singleLineText"},
    "item": _PLAIN | {"date", "dateTime"},
}


def roles(mapping: AirtableItems | AirtableUpdates) -> dict[str, tuple[str, ...]]:
    """What each field of a table is to the hub, by field id: `owner`, `phase`, `identifiers` and so on."""
    found: dict[str, tuple[str, ...]] = {}
    for role, value in mapping:
        for field in () if role == "table" else (value,) if isinstance(value, str) else value or ():
            found[field] = (*found.get(field, ()), role)
    return found


def lost(fields: Sequence[Json], wanted: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Why a field cannot be read as what the charter says, by field id; `fields` are those of the table's schema.

    A new name is no reason: fields are known by id.
    """
    kinds = {str(field.get("id")): str(field.get("type")) for field in fields}
    reasons: dict[str, str] = {}
    for field, meant in wanted.items():
        told = f"field {field} ({', '.join(meant)})"
        if field not in kinds:
            reasons[field] = f"{told} is gone"
        elif any(kinds[field] in _NOT_FOR.get(role, ()) for role in meant):
            reasons[field] = f"{told} has become {kinds[field]}"
    return reasons


def without(mapping: Mapped, fields: Mapping[str, str]) -> Mapped:
    """The mapping with these fields left out; a required one is then the empty text."""
    changed: dict[str, Any] = {}
    for role, value in mapping:
        if isinstance(value, tuple):
            changed[role] = tuple(field for field in value if field not in fields)
        elif value in fields:
            changed[role] = ""
    return mapping.model_copy(update=changed)
