"""`hub findings`, `item`, `trace`, `report`: what is wrong, the whole story, why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.console import AsJson, Config, emit, line, now, table, visible
from hub.domain.findings import FINDING_KINDS, SEVERITIES, Finding
from hub.domain.records import instant
from hub.errors import ConfigurationError
from hub.reports.names import Names, read_names

if TYPE_CHECKING:
    from hub.flow.story import Told
    from hub.ledger.ledger import Ledger


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (findings, item, trace, report):
        app.command()(command)


def findings(
    kind: Annotated[str | None, typer.Option(help="Only this kind.")] = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """What is wrong, with the evidence and the next best move.

    Example: hub findings --kind missed_handoff --json
    """
    from hub.wiring import open_hub

    if kind is not None and kind not in FINDING_KINDS:
        raise ConfigurationError(f"no finding kind {kind!r}", hint=f"one of {', '.join(FINDING_KINDS)}")
    with open_hub(config) as hub:
        found = hub.ledger.findings(kind=kind)
        names = read_names(hub.ledger, hub.charter)
        state = as_of(hub.ledger)
    if json:
        emit([finding_data(f) for f in found])
    else:
        show_findings("Findings", found, names)
        line(f"{totals(found)}; {state}")
        if found:
            line("one item's whole story: hub item REF, with a key such as ACME-12 or an item id from --json")
    if found:
        raise typer.Exit(1)


def show_findings(title: str, found: Sequence[Finding], names: Names) -> None:
    """Print findings as people read them."""
    rows = [(f.severity, f.kind, f.title, f.summary, f.next_move, names.person(f.next_who or None)) for f in found]
    table(title, ("severity", "kind", "work item", "what", "next move", "who"), rows, head=3)


def totals(found: Sequence[Finding]) -> str:
    """How many findings there are, gravest first."""
    counts = Counter(f.severity for f in found)
    parts = [f"{counts[severity]} {severity}" for severity in reversed(SEVERITIES) if counts[severity]]
    return f"{len(found)} open" + (f": {', '.join(parts)}" if parts else "")


def as_of(ledger: Ledger) -> str:
    """How old the answer is, or that nobody has asked the tools yet."""
    receipts = [r for r in ledger.receipts() if not r.error]
    if not receipts:
        return "no tool has been read yet (hub sync)"
    if not ledger.derived("work_item").num_rows:
        return "nothing has been reconciled yet (hub reconcile)"
    return f"tools last read {visible(max(r.finished_at for r in receipts))} UTC"


def finding_data(finding: Finding) -> dict[str, Any]:
    """A finding as data, with stable names."""
    return {
        "kind": finding.kind,
        "key": finding.key,
        "item": finding.item,
        "title": finding.title,
        "refs": [list(ref) for ref in finding.refs],
        "severity": finding.severity,
        "state": finding.state,
        "summary": finding.summary,
        "first_seen": finding.first_seen,
        "last_seen": finding.last_seen,
        "seen": finding.seen,
        "at": instant(finding.at),
        "from": finding.from_person,
        "to": finding.to_person,
        "due": None if finding.due is None else instant(finding.due),
        "evidence": list(finding.evidence),
        "rule": finding.rule,
        "next_move": finding.next_move,
        "next_who": finding.next_who,
    }


def item(
    reference: Annotated[str, typer.Argument(help="Item id, native record id, or a key such as ACME-12.")],
    config: Config = None,
    json: AsJson = False,
) -> None:
    """The whole story of one work item over all its tools.

    Example: hub item ACME-12
    """
    from hub.flow.story import story
    from hub.wiring import open_hub

    with open_hub(config) as hub:
        told = story(hub.ledger, reference)
        names = read_names(hub.ledger, hub.charter)
    if json:
        emit(told)
        return
    about = told.item
    line(f"{about['title']}  ({about['item']})")
    owner = names.person(about["owner_person"])
    reason = f" ({about['owner_reason']})" if about["owner_reason"] else ""
    line(f"phase {visible(about['phase'])}, status {visible(about['status'])}, owner {owner}{reason}")
    line()
    links = {(t.source, t.record): t.value for t in told.lines if t.field == "url"}
    records = [(r["source"], r["record"], r["how"], links.get((r["source"], r["record"]))) for r in told.records]
    table("Records", ("source", "record", "how linked", "open it"), records, spare=("open it",))
    _show_claims("Who owns it, says", told.claims, names)
    table("Findings", ("kind", "state", "what"), [(f.kind, f.state, f.summary) for f in told.findings])
    shown = [t for t in told.lines if t.field not in _BOOKKEEPING]
    lines = [
        (t.at, t.source, t.field, _value(t, names), names.person(t.who) if t.who else None, t.origin) for t in shown
    ]
    columns = ("when (UTC)", "where", "what", "value", "who", "how we know")
    table("Story", columns, lines, spare=("how we know",))


#: Fields of a record that say what it is called, which the records show already.
_BOOKKEEPING = frozenset({"identifier", "reference", "url"})


def _value(told: Told, names: Names) -> str | None:
    return names.person(told.value) if told.field in {"owner", "approver"} else told.value


def _show_claims(title: str, claims: Sequence[dict[str, Any]], names: Names) -> None:
    rows = [
        (
            c["source"],
            c["record"],
            names.person(c["person"]) if c["person"] else names.owner(c["source"], c["account"]),
            c["since"],
            c["won"],
        )
        for c in claims
    ]
    table(title, ("source", "record", "owner", "since (UTC)", "counts"), rows)


def trace(
    reference: Annotated[str, typer.Argument(help="Item id, native record id, or a key such as ACME-12.")],
    field: Annotated[str, typer.Argument(help="owner, status, phase, title, due or approval.")],
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Why a value is what it is, back to the raw records.

    Example: hub trace ACME-12 owner
    """
    from hub.flow.story import trace as run_trace
    from hub.wiring import open_hub

    with open_hub(config) as hub:
        traced = run_trace(hub.ledger, reference, field)
        names = read_names(hub.ledger, hub.charter)
    if json:
        emit(traced)
        return
    value = names.person(traced.value) if field == "owner" else visible(traced.value)
    line(f"{traced.field} of {traced.item} is {value}: {traced.why}")
    line()
    _show_claims("Claims", traced.claims, names)
    lines = [
        (t.at, t.source, t.record, _value(t, names), names.person(t.who) if t.who else None, t.origin, t.raw[:12])
        for t in traced.lines
    ]
    columns = ("when (UTC)", "source", "record", "value", "who", "how", "raw record")
    table("Observations", columns, lines, spare=("raw record", "how"))


def report(
    config: Config = None,
    to: Annotated[Path | None, typer.Option(help="Directory to write into (default: artifacts).")] = None,
    json: AsJson = False,
) -> None:
    """Write the report: one HTML file and the findings as CSV.

    Example: hub report --to /srv/reports
    """
    from hub.reports.publish import publish
    from hub.wiring import open_hub

    with open_hub(config) as hub:
        files = publish(hub.ledger, to or hub.settings.artifacts, now=now(), charter=hub.charter)
    if json:
        emit({"files": [str(f) for f in files]})
        return
    for file in files:
        line(str(file))
