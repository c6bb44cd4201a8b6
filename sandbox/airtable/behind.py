"""Records whose field of the last change lags behind their own last change, because it watches some cells only.

A table sorted by such a field is read in the order of change, which is right for all records but these. They are
marked when they are written, so that they can be put in their places without looking at the whole table.
"""

from __future__ import annotations

from typing import Any

from sandbox.airtable.tables import Table
from sandbox.stamps import parsed, stamp
from sandbox.store import Store
from sandbox.walks import Key

_MILLISECONDS = 23  # characters of a stamp that tell them


def mark(table: Table, record: dict[str, Any]) -> None:
    """Note in a record (``_alias``) whether a field of the last change lags behind; call it before it is stored."""
    record.pop("_alias", None)
    at = str(record.get("_modified") or "")[:_MILLISECONDS]
    told = (record["fields"].get(str(field["id"])) for field in table.of_type("lastModifiedTime"))
    if any(value and str(value)[:_MILLISECONDS] != at for value in told):
        record["_alias"] = _shelf(table.id)


def elsewhere(store: Store, space: str, table: Table, field: str, since: str | None) -> list[Key]:
    """Return the places, in an order by this field, of the records that do not stand where they were changed.

    `since` (a stamp) leaves records out that were not changed after it.
    """
    away = []
    for at, record in store.aliased(space, "record", _shelf(table.id)):
        value = record["fields"].get(field)
        if value and at >= (since or ""):
            told = _told(value)
            if told != at[:_MILLISECONDS]:
                away.append((f"{told}999~{at}", str(record["id"])))  # behind all that changed in that millisecond
    return away


def _told(value: Any) -> str:
    try:
        return stamp(parsed(str(value)))[:_MILLISECONDS]
    except (ValueError, OverflowError):
        return str(value)


def _shelf(table: str) -> str:
    return f"behind/{table}"
