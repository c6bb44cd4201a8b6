"""The whole story of one work item, and why one of its values is what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.domain.findings import Finding
from hub.errors import ConfigurationError, Refused
from hub.ledger.ledger import Ledger
from hub.ledger.presence import Presence

MERGED = "merged:"
TRACEABLE = ("owner", "status", "phase", "title", "due", "approval")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One line of a story: when (UTC), where, what, by whom."""

    at: datetime
    source: str
    record: str
    field: str
    value: str | None
    who: str | None
    origin: str
    raw: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A work item: its records, everybody's current say, its findings, and all that happened, oldest first."""

    item: dict[str, Any]
    records: tuple[dict[str, Any], ...]
    claims: tuple[dict[str, Any], ...]
    handoffs: tuple[dict[str, Any], ...]
    findings: tuple[Finding, ...]
    lines: tuple[Told, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Why a value is what it is: the value, one sentence, the winning and losing claims, and their sources."""

    item: str
    field: str
    value: str | None
    why: str
    claims: tuple[dict[str, Any], ...]
    lines: tuple[Told, ...]


def find_item(ledger: Ledger, reference: str) -> str:
    """The item a reference means: an item id, a native record id, a key such as ACME-12, a number or a link.

    Raises Refused when nothing or more than one item is known by it.
    """
    links = ledger.derived("link")
    items = set(links.column("item").to_pylist())
    if reference in items:
        return reference
    known = set(ledger.records_known_as(reference))
    presences = {source: ledger.presences(source) for source, _ in known}
    survivors = {(source, _survivor(presences[source], record)) for source, record in known}
    found = {row["item"] for row in links.to_pylist() if (row["source"], row["record"]) in survivors}
    if len(found) == 1:
        return str(found.pop())
    if found:
        raise Refused(f"{reference!r} names {len(found)} items: {', '.join(sorted(found))}", hint="use an item id")
    for source, record in sorted(survivors):
        last = presences[source].get(record)
        if last is not None and last.gone:
            raise Refused(
                f"{reference!r} is {last.value} in {source} since {last.at:%Y-%m-%d %H:%M} UTC",
                hint="what it said before is still in the ledger",
            )
    raise Refused(f"nothing is known as {reference!r}", hint="use an item id, a record id or a key such as ACME-12")


def story(ledger: Ledger, reference: str) -> Story:
    """Everything known about the item a reference means. Raises Refused."""
    item = find_item(ledger, reference)
    records = _of_item(ledger, "link", item)
    return Story(
        item=next(iter(_of_item(ledger, "work_item", item))),
        records=records,
        claims=_of_item(ledger, "owner_claim", item),
        handoffs=_of_item(ledger, "handoff", item),
        findings=tuple(
            finding for finding in ledger.findings(states=("open", "reopened", "resolved")) if finding.item == item
        ),
        lines=_lines(ledger, records),
    )


def trace(ledger: Ledger, reference: str, field: str) -> Trace:
    """Why `field` of an item is what it is, back to raw records.

    Raises ConfigurationError for a field that cannot be traced, Refused for an unknown reference.
    """
    if field not in TRACEABLE:
        raise ConfigurationError(f"{field!r} cannot be traced", hint=f"one of {', '.join(TRACEABLE)}")
    told = story(ledger, reference)
    lines = tuple(line for line in told.lines if line.field == field)
    if field == "owner":
        return Trace(
            item=told.item["item"],
            field=field,
            value=told.item["owner_person"],
            why=told.item["owner_reason"] or "nobody is known to own it",
            claims=told.claims,
            lines=lines,
        )
    value = told.item.get(field)
    last = lines[-1] if lines else None
    why = f"the latest change, in {last.source} on {last.at:%Y-%m-%d %H:%M} UTC" if last is not None else "no tool says"
    return Trace(
        item=told.item["item"],
        field=field,
        value=value if value is not None else (last.value if last is not None else None),
        why=why,
        claims=(),
        lines=lines,
    )


def _survivor(presences: Mapping[str, Presence], record: str) -> str:
    """The record that this one was merged into at last; itself where it was not."""
    passed = {record}
    while (last := presences.get(record)) is not None and last.value.startswith(MERGED):
        record = last.value.removeprefix(MERGED)
        if record in passed:
            break
        passed.add(record)
    return record


def _with_merged(ledger: Ledger, records: tuple[dict[str, Any], ...]) -> list[tuple[str, str]]:
    """The records and those that were merged into them."""
    there = {(row["source"], row["record"]) for row in records}
    merged = {
        (source, record)
        for source, presences in ((source, ledger.presences(source)) for source in {source for source, _ in there})
        for record in presences
        if (source, _survivor(presences, record)) in there
    }
    return sorted(there | merged)


def _of_item(ledger: Ledger, name: str, item: str) -> tuple[dict[str, Any], ...]:
    import pyarrow.compute as pc

    table = ledger.derived(name)
    return tuple(table.filter(pc.equal(table.column("item"), item)).to_pylist())


def _lines(ledger: Ledger, records: tuple[dict[str, Any], ...]) -> tuple[Told, ...]:
    people = {
        (row["source"], row["account"]): row["person"]
        for row in ledger.derived("identity").to_pylist()
        if row["person"] is not None
    }
    rows = ledger.history(_with_merged(ledger, records)).to_pylist()
    rows.sort(key=lambda row: (row["valid_from"], row["seq"]))
    return tuple(
        Told(
            at=row["valid_from"],
            source=row["source"],
            record=row["record"],
            field=row["field"],
            value=people.get((row["source"], row["value"]), row["value"])
            if row["field"] in {"owner", "approver"}
            else row["value"],
            who=people.get((row["source"], row["actor"]), row["actor"]),
            origin=row["origin"],
            raw=row["raw"],
            evidence=row["evidence"],
        )
        for row in rows
    )
