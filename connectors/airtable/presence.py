"""What is there and what is gone: ids of whole tables, and the fate of single records by direct read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from connectors.airtable.web import Web
from connectors.base import Absence

_RECORD = re.compile(r"rec[A-Za-z0-9]+")
_AT_ONCE = 100  # ids in one filter: the answer fits one page


def listed(web: Web, table: str, field: str) -> Iterator[str]:
    """Ids of all records of a table, each once. One small field is asked for, since asking for none means all.

    A record that is edited while we walk may be stepped over: what is not listed is not gone. Raises SourceError.
    """
    met: set[str] = set()
    for records, _ in web.walk(table, (field,)):
        for record in records:
            native = str(record.get("id") or "")
            if native and native not in met:
                met.add(native)
                yield native


def proven(web: Web, table: str, ids: Sequence[str], *, now: datetime) -> tuple[Absence, ...]:
    """What became of each record, by direct read; times are the service's.

    A record is deleted only when the service knows no such record in a table that it still shows us; a base, a
    table or a record out of our reach looks otherwise and is unreachable. Raises SourceError for everything
    else, a lost token included.
    """
    told: list[Absence] = []
    tables: set[str] | None = None
    for native in ids:
        if not _RECORD.fullmatch(native):
            continue  # nothing that could be asked about
        found = web.fate(table, native)
        at = web.date or now
        if found == "gone":
            if tables is None:
                tables = set(web.tables(fresh=True))
            known = table in tables
            told.append(
                Absence(
                    record=native,
                    kind="deleted" if known else "unreachable",
                    at=at,
                    evidence=f"GET of the record answered 404; table {table} is {'listed' if known else 'not listed'}",
                )
            )
        elif found == "forbidden":
            told.append(Absence(record=native, kind="unreachable", at=at, evidence="GET of the record answered 403"))
        else:
            told.append(Absence(record=native, kind="present", at=at, evidence="GET of the record answered 200"))
    return tuple(told)


def filters(ids: Sequence[str]) -> Iterator[str]:
    """Filter formulas that together name all of `ids`, each for one page of records."""
    asked = [native for native in dict.fromkeys(ids) if _RECORD.fullmatch(native)]
    for first in range(0, len(asked), _AT_ONCE):
        each = (f'RECORD_ID()="{native}"' for native in asked[first : first + _AT_ONCE])
        yield f"OR({','.join(each)})"
