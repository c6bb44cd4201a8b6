"""Records as the API prints them: cells by name or id, as values or as the text a person reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.airtable import moments
from sandbox.airtable.computed import Cells, fill
from sandbox.airtable.errors import bad_request
from sandbox.airtable.tables import Table
from sandbox.airtable.values import KEPT, BrokenValue, instant, text
from sandbox.store import Doc

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


class Printer:
    """Prints the records of one page of a table; what does not differ from record to record is looked up once."""

    def __init__(self, cells: Cells, table: Table, plan: Plan) -> None:
        """Print by a plan, with what these cells know."""
        self._cells = cells
        self._table = table
        self._plan = plan
        self._columns = [
            (id_, id_ if plan.by_id else str(field["name"]))
            for id_, field in table.by_id.items()
            if plan.fields is None or id_ in plan.fields
        ]
        derived = cells.derived(table, plan.fields)
        self._whole = plan.style is not None or derived.formulas or bool(derived.linked)
        self._derived = derived

    def page(self, records: Sequence[Doc], *, comments: Callable[[str], int]) -> list[dict[str, Any]]:
        """Return records as the API prints them; `comments` counts those of a record, by its id.

        The records are used up: what is worked out is put into them.
        """
        told = self._worked_out(records) if self._whole else self._plain(records)
        if self._plan.counts:
            for entry in told:
                entry["commentCount"] = comments(str(entry["id"]))
        return told

    def _plain(self, records: Sequence[Doc]) -> list[dict[str, Any]]:
        fill(records, self._derived)
        columns, told = self._columns, []
        for record in records:
            cells = record["fields"]
            shown = {name: cells[id_] for id_, name in columns if id_ in cells}
            if not all(shown.values()):
                shown = {name: value for name, value in shown.items() if value or type(value) in KEPT}
            told.append({"id": record["id"], "createdTime": record["createdTime"], "fields": shown})
        return told

    def _worked_out(self, records: Sequence[Doc]) -> list[dict[str, Any]]:
        self._cells.expect(self._table, records)
        return [
            {"id": record["id"], "createdTime": record["createdTime"], "fields": self._shown(record)}
            for record in records
        ]

    def _shown(self, record: Doc) -> dict[str, Any]:
        table, style = self._table, self._plan.style
        held = self._cells.of(table, record, wanted=self._plan.fields)
        if style is None:
            return {name: held[id_] for id_, name in self._columns if id_ in held}
        return {
            name: _text(self._cells, table, record, table.by_id[id_], held[id_], style)
            for id_, name in self._columns
            if id_ in held
        }


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
