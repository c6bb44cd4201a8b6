"""Records as the API prints them: cells by name or id, as values or as the text a person reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.airtable import moments
from sandbox.airtable.computed import Cells
from sandbox.airtable.errors import bad_request
from sandbox.airtable.tables import Table
from sandbox.airtable.values import BrokenValue, instant, text

_MONTH_FIRST = frozenset({"", "en", "en-us", "en-ca"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Cells as text: the clock's zone and the reader's locale."""

    zone: ZoneInfo
    locale: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is needed to print records: which cells (None: all), by id or name, as values or text."""

    table: str
    fields: frozenset[str] | None = None
    by_id: bool = False
    counts: bool = False
    size: int = 1
    style: Style | None = None


def style_of(asked: Mapping[str, Any]) -> Style | None:
    """Return how cells are written as text, None for plain values; raises RefusedCall (422) for a bad zone."""
    wanted = str(asked.get("cellFormat") or "json")
    if wanted == "json":
        return None
    zone, locale = str(asked.get("timeZone") or ""), str(asked.get("userLocale") or "")
    if wanted != "string" or not zone or not locale:
        raise bad_request()
    try:
        return Style(zone=moments.named_zone(zone), locale=locale.lower())
    except BrokenValue as error:
        raise bad_request() from error


def printed(cells: Cells, table: Table, record: Mapping[str, Any], plan: Plan, *, comments: int = 0) -> dict[str, Any]:
    """Return a record as the API prints it."""
    held = cells.of(table, record)
    told: dict[str, Any] = {
        "id": record["id"],
        "createdTime": record["createdTime"],
        "fields": {
            (id_ if plan.by_id else str(field["name"])): (
                held[id_] if plan.style is None else _text(cells, table, record, field, held[id_], plan.style)
            )
            for id_, field in table.by_id.items()
            if id_ in held and (plan.fields is None or id_ in plan.fields)
        },
    }
    if plan.counts:
        told["commentCount"] = comments
    return told


def _text(
    cells: Cells, table: Table, record: Mapping[str, Any], field: Mapping[str, Any], value: Any, style: Style
) -> str:
    kind = str(field["type"])
    if kind == "checkbox":
        return "checked"
    if kind == "multipleRecordLinks":
        others = cells.linked(table, record, str(field["id"]))
        return ", ".join(text(cells.of(other, linked, depth=1).get(other.primary)) for other, linked in others)
    at = instant(value) if kind in {"date", "dateTime", "createdTime", "lastModifiedTime"} else None
    if at is None:
        return text(value)
    day = "M/D/YYYY" if style.locale in _MONTH_FIRST else "D/M/YYYY"
    local = at if kind == "date" else at.astimezone(style.zone)
    return str(moments.formatted(local, day if kind == "date" else f"{day} h:mma"))
