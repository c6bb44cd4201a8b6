"""What is there and what is gone, as the org itself says: its ids, its log of deletions, its recycle bin.

`sobjects/{o}/deleted` answers in whole minutes, says up to when its answer is complete (`latestDateCovered`, the
next start) and from when on (`earliestDateAvailable`). Where that is later than we ask for, or the object keeps no
such log, the recycle bin (queryAll) is read instead; what has left the bin is found by a census.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_getdeleted.htm
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from connectors.base import Absence
from connectors.salesforce import soql
from connectors.salesforce.org import Org
from connectors.salesforce.parse import Row, Unreadable, account_id, instant
from connectors.salesforce.pull import IDS_PER_QUERY, OVERLAP, by_id
from hub.errors import SourceBroken, SourceRefused

_REMEMBERED = timedelta(days=15)  # how far back the log of deletions goes at most
_SHORTEST = timedelta(minutes=2)  # the start has to be more than a minute before the end
_MERGEABLE = frozenset({"Account", "Case", "Contact", "Lead"})
_NO_BIN = frozenset({"User", "Group"})  # neither has IsDeleted
_IN_LOG = "the org's log of deletions names it"
_IN_BIN = "the org shows it as deleted (queryAll)"
_NOWHERE = "the org shows it neither as a record nor as deleted: deleted for good, or hidden from the hub's user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Deletions of one object, and the time up to which there are no others."""

    absences: tuple[Absence, ...]
    covered: datetime


def ids_of(org: Org, sobject: str, *conditions: str) -> Iterator[str]:
    """Ids of all records there are, in their order. Raises SourceError."""
    return (str(row["Id"]) for row in by_id(org, ("Id",), sobject, *conditions))


def proofs(org: Org, sobject: str, ids: Sequence[str], *, now: datetime) -> tuple[Absence, ...]:
    """What became of records, each asked for by its id, deleted ones too. Raises SourceError."""
    found = _rows(org, sobject, ids)
    made: list[Absence] = []
    for id_ in ids:
        row = found.get(account_id(id_))
        if row is None:
            made.append(Absence(record=id_, kind="unreachable", at=now, evidence=_NOWHERE))
        elif row.get("IsDeleted"):
            made.append(_gone(org, id_, row, evidence=_IN_BIN))
        else:
            made.append(Absence(record=id_, kind="present", at=now, evidence="the org shows it"))
    return tuple(made)


def deletions(org: Org, sobject: str, since: datetime | None) -> Told:
    """Deletions since a time (None: as far back as the org remembers). Raises SourceError."""
    # Seconds are ignored by the service: the minute that is running is asked about, too, and again next time.
    end = org.time() + timedelta(minutes=1)
    start = min(since or end - _REMEMBERED, end - _SHORTEST)
    try:
        body = org.get(f"sobjects/{soql.name(sobject)}/deleted/", {"start": _minute(start), "end": _minute(end)}).body
    except SourceRefused:
        return _in_bin(org, sobject, start, covered=max(start, end - OVERLAP))
    covered, earliest = _told_time(org, body, "latestDateCovered"), _told_time(org, body, "earliestDateAvailable")
    if since is not None and earliest > start:
        return _in_bin(org, sobject, start, covered=covered)
    logged: dict[str, datetime] = {}
    for entry in body.get("deletedRecords") or ():
        logged[str(entry.get("id"))] = _told_time(org, entry, "deletedDate")
    rows = _rows(org, sobject, tuple(logged))
    absences = []
    for id_, at in logged.items():
        row = rows.get(account_id(id_))
        if row is None:
            absences.append(Absence(record=account_id(id_), kind="deleted", at=at, evidence=_IN_LOG))
        elif row.get("IsDeleted"):
            absences.append(_gone(org, account_id(id_), row, evidence=_IN_LOG))
        # else: restored meanwhile; its stamp has moved, so that the next pull reads it
    return Told(absences=tuple(absences), covered=max(covered, start))


def _in_bin(org: Org, sobject: str, start: datetime, *, covered: datetime) -> Told:
    """The same out of the recycle bin."""
    conditions = (soql.compare("IsDeleted", "=", value=True), soql.compare("SystemModstamp", ">=", start))
    rows = _with_master(org, sobject, conditions)
    return Told(absences=tuple(_gone(org, str(row["Id"]), row, evidence=_IN_BIN) for row in rows), covered=covered)


def _rows(org: Org, sobject: str, ids: Sequence[str]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for start in range(0, len(ids), IDS_PER_QUERY):
        wanted = (soql.within("Id", ids[start : start + IDS_PER_QUERY]),)
        rows: Iterable[Row]
        if sobject in _NO_BIN:
            rows = by_id(org, ("Id", "SystemModstamp"), sobject, *wanted)
        else:
            rows = _with_master(org, sobject, wanted)
        found.update((account_id(str(row["Id"])), row) for row in rows)
    return found


def _with_master(org: Org, sobject: str, conditions: tuple[str, ...]) -> list[dict[str, Any]]:
    """Rows, deleted ones too, with the record they were merged into where the object can be merged."""
    fields = ("Id", "IsDeleted", "SystemModstamp")
    if sobject in _MERGEABLE:
        try:
            return list(by_id(org, (*fields, "MasterRecordId"), sobject, *conditions, with_deleted=True))
        except SourceRefused as error:
            if "MasterRecordId" not in error.message:
                raise
    return list(by_id(org, fields, sobject, *conditions, with_deleted=True))


def _gone(org: Org, id_: str, row: Row, *, evidence: str) -> Absence:
    into = str(row.get("MasterRecordId") or "")
    kind: Literal["merged", "deleted"] = "merged" if into else "deleted"
    try:
        at = instant(row, "SystemModstamp")
    except Unreadable as error:
        raise SourceBroken(f"{org.source}: {id_}: {error}", source=org.source) from error
    return Absence(record=id_, kind=kind, at=at, into=into, evidence=evidence)


def _told_time(org: Org, body: Any, key: str) -> datetime:
    try:
        return instant(body, key)
    except (Unreadable, AttributeError, TypeError):
        raise SourceBroken(f"{org.source}: the log of deletions lacks {key}", source=org.source) from None


def _minute(at: datetime) -> str:
    return at.astimezone(UTC).replace(second=0, microsecond=0).isoformat()
