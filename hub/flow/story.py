"""The whole story of one work item, and why one of its values is what it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.domain.findings import Finding
from hub.errors import ConfigurationError, Refused
from hub.ledger.ledger import Ledger

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
    found = {row["item"] for row in links.to_pylist() if (row["source"], row["record"]) in known}
    if len(found) == 1:
        return str(found.pop())
    if found:
        raise Refused(f"{reference!r} names {len(found)} items: {', '.join(sorted(found))}", hint="use an item id")
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
    rows = ledger.history([(row["source"], row["record"]) for row in records]).to_pylist()
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
