"""`hub findings`, `item`, `trace`, `report`: what is wrong, the whole story, why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.console import AsJson, Config, emit, now, out, table
from hub.domain.findings import FINDING_KINDS, Finding
from hub.domain.records import instant
from hub.errors import ConfigurationError


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
    if json:
        emit([finding_data(f) for f in found])
    else:
        rows = [(f.severity, f.kind, f.title, f.summary, f.next_move, f.next_who) for f in found]
        table("Findings", ("severity", "kind", "work item", "what", "next best move", "who"), rows)
    if found:
        raise typer.Exit(1)


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
    if json:
        emit(told)
        return
    about = told.item
    out.print(f"{about['item']}  {about['title']}", highlight=False, markup=False)
    out.print(
        f"phase {about['phase']}, status {about['status']}, owner {about['owner_person']}: {about['owner_reason']}",
        highlight=False,
        markup=False,
    )
    table(
        "Records",
        ("source", "record", "how linked"),
        [(r["source"], r["record"], r["how"]) for r in told.records],
    )
    claims = [(c["source"], c["record"], c["person"] or c["account"], c["since"], c["won"]) for c in told.claims]
    table("Who owns it, says", ("source", "record", "owner", "since", "won"), claims)
    table("Findings", ("kind", "state", "what"), [(f.kind, f.state, f.summary) for f in told.findings])
    lines = [(t.at, t.source, t.field, t.value, t.who, t.origin) for t in told.lines]
    table("Story", ("when (UTC)", "where", "what", "value", "who", "how we know"), lines)


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
    if json:
        emit(traced)
        return
    out.print(f"{traced.field} of {traced.item} is {traced.value}: {traced.why}", highlight=False, markup=False)
    claims = [(c["source"], c["record"], c["person"] or c["account"], c["since"], c["won"]) for c in traced.claims]
    table("Claims", ("source", "record", "value", "since", "won"), claims)
    lines = [(t.at, t.source, t.record, t.value, t.who, t.origin, t.raw[:12]) for t in traced.lines]
    table("Observations", ("when (UTC)", "source", "record", "value", "who", "how", "raw record"), lines)


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
        out.print(str(file), highlight=False, markup=False)
