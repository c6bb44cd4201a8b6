"""Report content as rows: the same tables for the HTML file, CSV, the command line and the UI."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from hub.domain.findings import FINDING_KINDS, SEVERITIES, Finding
from hub.domain.records import Receipt
from hub.reports.content import ReportContent

Row = dict[str, str | int]

#: What each kind is called and what it means, in the words of the people who read the report.
KINDS: dict[str, tuple[str, str]] = {
    "owner_conflict": ("Owner conflicts", "Tools name different owners for the same work."),
    "missed_handoff": ("Missed handoffs", "Work was passed on and nobody picked it up in time."),
    "returned_handoff": ("Returned handoffs", "Work was passed on and came straight back."),
    "duplicate_update": ("Duplicate updates", "The same news was told more than once."),
    "stalled_decision": ("Stalled decisions", "An approval has waited longer than agreed."),
    "ghost_owner": ("Ghost owners", "The owner has left."),
    "orphan_item": ("Orphan items", "Nobody owns the work."),
    "split_ownership": ("Split ownership", "Several people are named as the one owner."),
    "unmapped_person": ("Unmapped people", "An owner is somebody the charter does not know."),
}


def kind_name(kind: str) -> str:
    """The kind as a heading."""
    return KINDS[kind][0] if kind in KINDS else kind.replace("_", " ").capitalize()


def clock(moment: datetime | None) -> str:
    """A UTC time as people read it, to the minute; empty for None."""
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"


def urgent_first(findings: Iterable[Finding]) -> list[Finding]:
    """Findings by severity, the longest waiting first."""
    return sorted(findings, key=lambda f: (-SEVERITIES.index(f.severity), f.at, f.key))


def headline(content: ReportContent) -> dict[str, int]:
    """The seven numbers that come first and are worth plotting over time."""
    counts = finding_counts(content.findings)
    return {
        "open_findings": len(content.findings),
        "owner_conflicts": counts["owner_conflict"],
        "missed_handoffs": counts["missed_handoff"],
        "duplicate_updates": counts["duplicate_update"],
        "proposed_changes": len(content.plan.changes)
        if content.plan is not None and content.plan.state in {"proposed", "approved"}
        else 0,
        "sources_with_problems": len({r.source for r in content.receipts if r.error or r.gap}),
        "quarantined_records": len(content.quarantined),
    }


def finding_counts(findings: Iterable[Finding]) -> dict[str, int]:
    """Open findings per kind; every kind is present."""
    counts: dict[str, int] = dict.fromkeys(FINDING_KINDS, 0)
    for finding in findings:
        counts[finding.kind] = counts.get(finding.kind, 0) + 1
    return counts


def finding_rows(content: ReportContent, findings: Iterable[Finding], limit: int | None = None) -> list[Row]:
    """One row per finding, the most urgent first."""
    return [
        {
            "severity": f.severity,
            "kind": f.kind,
            "item": f.title or f.item,
            "summary": f.summary,
            "next": f.next_move,
            "who": content.name(f.next_who),
            "since": clock(f.at),
        }
        for f in urgent_first(findings)[:limit]
    ]


def task_groups(content: ReportContent) -> list[tuple[str, list[Finding]]]:
    """Who should do what: findings per person, the busiest first; “nobody named” goes last."""
    groups: dict[str, list[Finding]] = {}
    for finding in urgent_first(content.findings):
        groups.setdefault(finding.next_who or "", []).append(finding)
    ordered = sorted(groups.items(), key=lambda g: (not g[0], -len(g[1]), g[0]))
    return [(content.name(who) or "nobody named", found) for who, found in ordered]


def receipt_rows(receipts: Iterable[Receipt]) -> list[Row]:
    """One row per stream: what was read, what the source counts, what the ledger holds, what went wrong."""
    return [
        {
            "source": r.source,
            "stream": r.stream,
            "read_at": clock(r.finished_at),
            "records": r.records,
            "new_observations": r.new_observations,
            "calls": r.calls,
            "source_count": "" if r.source_count is None else r.source_count,
            "ledger_count": "" if r.ledger_count is None else r.ledger_count,
            "gap": "" if r.gap is None else r.gap,
            "missing": " ".join(r.missing),
            "quarantined": r.quarantined,
            "error": r.error,
            "hint": r.hint,
        }
        for r in sorted(receipts, key=lambda r: (r.source, r.stream))
    ]


def change_rows(content: ReportContent) -> list[Row]:
    """One row per proposed write of the plan."""
    if content.plan is None:
        return []
    return [
        {
            "source": c.source,
            "record": c.record,
            "item": c.title or c.item,
            "from": content.owner(c.source, c.expected),
            "to": content.owner(c.source, c.desired),
            "why": c.reason,
        }
        for c in content.plan.changes
    ]
