"""First loads of large objects by Bulk API 2.0: one job finds the records, its result is read page by page.

The position names the job and the page, so that a load that was stopped goes on where it was, as long as the org
keeps the result (seven days). Rows are given the types a query gives them; nothing shows how they were read.
https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/queries.htm
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from connectors.salesforce import soql
from connectors.salesforce.org import Org
from connectors.salesforce.pull import Batch, Position
from hub.errors import SourceBroken, SourceRefused, SourceUnavailable

PAGE = 20_000  # rows of a result asked for at once: about ten megabytes
_BATCH = 2_000  # rows given out at once
_PATIENCE = 1_800.0  # seconds to wait for a job within one pull
_LONGEST = 10.0  # seconds between two looks
_ENDED_BADLY = frozenset({"Failed", "Aborted"})
_WHOLE, _BROKEN = frozenset({"int", "long"}), frozenset({"double", "currency", "percent"})

Read = Callable[[str], Any]


def suits(fields: Sequence[str], conditions: Sequence[str]) -> bool:
    """Whether a query may go in bulk: parents and conditions on them come in another form."""
    return not conditions and not any("." in name for name in fields)


def start(org: Org, fields: Sequence[str], sobject: str) -> Position | None:
    """The position of a new job, or None where the org does not take it. Raises SourceUnavailable."""
    try:
        made = org.query_job(soql.select(fields, sobject))
    except SourceRefused:
        return None
    return Position(began=made.at, job=(str(made.body["id"]), ""))


def load(
    org: Org, fields: Sequence[str], sobject: str, position: Position, *, sleep: Callable[[float], None]
) -> Iterator[Batch] | None:
    """Batches of the records a job found, from the page of `position` on; None when the org has forgotten the job.

    Raises SourceUnavailable while the job takes longer than half an hour (the next pull goes on with it), and
    SourceBroken when it failed.
    """
    job, _ = position.job or ("", "")
    try:
        org.get(f"jobs/query/{_checked(job, org)}")
    except SourceRefused:
        return None
    return _batches(org, fields, sobject, position, sleep)


def _batches(
    org: Org, fields: Sequence[str], sobject: str, position: Position, sleep: Callable[[float], None]
) -> Iterator[Batch]:
    job, locator = position.job or ("", "")
    # Given out before the wait, so that what is waited for is not asked for twice.
    yield Batch(rows=(), position=position, total=0)
    total = _finished(org, job, sleep)
    typed = _readers(org, sobject)
    while True:
        params = {"maxRecords": str(PAGE)} | ({"locator": locator} if locator else {})
        response = org.reply(f"jobs/query/{job}/results", params)
        rows = _rows(org, response, sobject, fields, typed)
        locator = response.headers.get("Sforce-Locator", "")
        end = locator in {"", "null"}
        for first in range(0, max(len(rows), 1), _BATCH):
            if first + _BATCH >= len(rows):
                position = Position(at=position.began) if end else replace(position, job=(job, locator))
            yield Batch(rows=tuple(rows[first : first + _BATCH]), position=position, total=total)
        if end:
            return


def _finished(org: Org, job: str, sleep: Callable[[float], None]) -> int:
    """Wait for the job's end; the number of records it found."""
    waited, pause = 0.0, 0.5
    while True:
        told = org.get(f"jobs/query/{job}").body
        state = str(told.get("state"))
        if state == "JobComplete":
            return int(told.get("numberRecordsProcessed") or 0)
        if state in _ENDED_BADLY:
            words = " ".join(str(told.get("errorMessage") or "").split())[:200]
            raise SourceBroken(
                f"{org.source}: the bulk job {job} is {state}{': ' + words if words else ''}",
                source=org.source,
                hint="raise bulk_above in the charter to read without bulk jobs",
                remedy="fix configuration",
            )
        if waited >= _PATIENCE:
            raise SourceUnavailable(
                f"{org.source}: the bulk job {job} is still {state}",
                source=org.source,
                hint="the next sync goes on with the same job",
            )
        sleep(pause)
        waited += pause
        pause = min(2 * pause, _LONGEST)


def _rows(
    org: Org, response: requests.Response, sobject: str, fields: Sequence[str], typed: Mapping[str, Read]
) -> list[dict[str, Any]]:
    kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
    announced = response.headers.get("Sforce-NumberOfRecords", "")
    table = list(csv.reader(io.StringIO(response.content.decode("utf-8", "replace"), newline="")))
    if kind != "text/csv" or not announced.isdigit() or len(table) != int(announced) + 1:
        raise SourceBroken(
            f"{org.source}: a page of a bulk result is not what was announced",
            source=org.source,
            hint="the next sync tries again; nothing of this page was used",
            remedy="wait",
        )
    header = {name.lower(): place for place, name in enumerate(table[0])}
    if any(name.lower() not in header for name in fields) or any(len(row) != len(header) for row in table):
        raise SourceBroken(f"{org.source}: a bulk result lacks columns", source=org.source)
    places = [(name, header[name.lower()], typed.get(name, str)) for name in fields]
    base = urlsplit(org.address(f"sobjects/{soql.name(sobject)}")).path
    rows = []
    for cells in table[1:]:
        row: dict[str, Any] = {"attributes": {"type": sobject, "url": ""}}
        row |= {name: read(cells[place]) if cells[place] else None for name, place, read in places}
        row["attributes"]["url"] = f"{base}/{row.get('Id')}"
        rows.append(row)
    return rows


def _readers(org: Org, sobject: str) -> dict[str, Read]:
    """How the text of each field becomes what a query would answer; texts stay as they are."""
    described = org.get(f"sobjects/{soql.name(sobject)}/describe").body
    readers: dict[str, Read] = {}
    for each in described.get("fields", []):
        kind = str(each.get("type"))
        if kind == "boolean":
            readers[str(each["name"])] = lambda text: text.lower() == "true"
        elif kind == "datetime":
            readers[str(each["name"])] = _stamp
        elif kind in _WHOLE:
            readers[str(each["name"])] = _number(int)
        elif kind in _BROKEN:
            readers[str(each["name"])] = _number(float)
    return readers


def _number(made: Callable[[str], float]) -> Read:
    def read(text: str) -> Any:
        try:
            return made(text)
        except ValueError:
            return text  # what is no number is left for whoever reads the record

    return read


def _stamp(text: str) -> str:
    """A time as queries print it; anything else stays as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return text[:-1] + "+0000" if moment.tzinfo and text.endswith("Z") else text


def _checked(job: str, org: Org) -> str:
    if not (job.isascii() and job.isalnum()):
        raise SourceRefused(f"{org.source}: {job[:40]!r} is no job", source=org.source)
    return job
