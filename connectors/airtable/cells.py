"""Reading Airtable's cells: times, texts, people, links, approvals. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hub.domain.records import OWNER_SEPARATOR

Json = dict[str, Any]

_APPROVALS = {
    "pending": "pending",
    "requested": "pending",
    "waiting": "pending",
    "in review": "pending",
    "approved": "approved",
    "accepted": "approved",
    "rejected": "rejected",
    "declined": "rejected",
}


class Unreadable(ValueError):
    """A record lacks what it must have, or a cell holds something of another shape; the text says what."""


def moment(value: Any, what: str) -> datetime:
    """An aware UTC time out of ISO text. Raises Unreadable naming `what`."""
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Unreadable(f"{what} is {value!r}, not a time") from None
    if parsed.tzinfo is None:
        raise Unreadable(f"{what} is {value!r}, without a time zone")
    return parsed.astimezone(UTC)


def text(cell: Any, what: str) -> str | None:
    """Text of a cell of any readable type; a cell that is left out is empty. Raises Unreadable for a formula
    that failed: its value is unknown, not empty."""
    match cell:
        case None | "" | []:
            return None
        case str():
            return cell.strip() or None
        case bool():
            return "true" if cell else "false"
        case int() | float():
            return str(cell)
        case list():
            parts = [part for part in (text(one, what) for one in cell) if part]
            return ", ".join(parts) or None
        case {"error": _} | {"specialValue": _}:
            raise Unreadable(f"{what} holds a failed formula")
        case {"name": inner} | {"text": inner} | {"label": inner} | {"url": inner} | {"id": inner}:
            return text(inner, what)
    raise Unreadable(f"{what} holds a value of unknown shape")


def words(cell: Any, what: str) -> tuple[str, ...]:
    """The texts of a cell one by one: a list or a link cell holds several."""
    cells = cell if isinstance(cell, list) else [cell]
    return tuple(word for word in (text(one, what) for one in cells) if word)


def owners(cell: Any, what: str) -> str | None:
    """Ids of the people in a cell, sorted and joined: one collaborator, several, or linked records of a
    table of people. Raises Unreadable for anything else."""
    return OWNER_SEPARATOR.join(sorted({_person(one, what) for one in _people(cell)})) or None


def users(cell: Any) -> tuple[Json, ...]:
    """The collaborator objects of a cell; a link cell has none."""
    return tuple(one for one in _people(cell) if isinstance(one, dict) and one.get("id"))


def approval(state: str | None) -> str | None:
    """The canonical approval state; a word nobody taught us stays visible in lower case."""
    if state is None:
        return None
    return _APPROVALS.get(state.casefold(), state.casefold())


def _people(cell: Any) -> list[Any]:
    if cell is None:
        return []
    return cell if isinstance(cell, list) else [cell]


def _person(one: Any, what: str) -> str:
    if isinstance(one, dict) and one.get("id"):
        return str(one["id"])
    if isinstance(one, str) and one.startswith("rec"):
        return one
    raise Unreadable(f"{what} holds something that is not a person")
