"""What a report is about, read once from the ledger; everything after this is pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from hub.charter.model import Charter
from hub.domain.findings import Finding
from hub.domain.plans import OwnerChange
from hub.domain.records import Quarantined, Receipt
from hub.reports.names import Names, read_names

if TYPE_CHECKING:
    from hub.ledger.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """Open findings of one kind after one reconciliation, at `at` (UTC)."""

    at: datetime
    kind: str
    open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """The newest plan as a reader needs it: what it would change, and how far it has come."""

    id: str
    state: str
    created_at: datetime
    expires_at: datetime
    changes: tuple[OwnerChange, ...]
    approved_by: str | None = None
    outcomes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContent:
    """Everything one report shows. `names` maps person keys to names, times are UTC."""

    at: datetime
    findings: tuple[Finding, ...]
    receipts: tuple[Receipt, ...]
    quarantined: tuple[Quarantined, ...] = ()
    trend: tuple[TrendPoint, ...] = ()
    plan: PlanView | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    accounts: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def owner(self, source: str, accounts: str | None) -> str:
        """Whoever these account ids of a source (joined by `,`) belong to, by name."""
        return Names(people=dict(self.names), accounts=dict(self.accounts)).owner(source, accounts)

    def name(self, person: str | None) -> str:
        """The person's name; the key itself for somebody the charter does not know; empty for nobody."""
        return self.names.get(person, person) if person else ""


def current_receipts(receipts: Iterable[Receipt]) -> tuple[Receipt, ...]:
    """The receipts that still say something: a failed sign-in (stream `*`) is over once a stream was read."""
    rows = tuple(receipts)
    newest = {r.source: r.finished_at for r in sorted(rows, key=lambda r: r.finished_at)}
    return tuple(r for r in rows if r.stream != "*" or r.finished_at >= newest[r.source])


def read_content(ledger: Ledger, charter: Charter | None, *, now: datetime, runs: int = 30) -> ReportContent:
    """The current state of the ledger as report content; the trend covers the last `runs` reconciliations."""
    statuses = ledger.plans(limit=1)
    plan = None
    if statuses:
        newest = statuses[0]
        plan = PlanView(
            id=newest.plan.id,
            state=newest.state,
            created_at=newest.plan.created_at,
            expires_at=newest.plan.expires_at,
            changes=newest.plan.changes,
            approved_by=newest.approved_by,
            outcomes=newest.outcomes,
        )
    seen = [] if plan is None else [(c.source, owner) for c in plan.changes for owner in (c.expected, c.desired)]
    names = read_names(ledger, charter, seen)
    return ReportContent(
        at=now,
        findings=ledger.findings(),
        receipts=current_receipts(ledger.receipts()),
        quarantined=ledger.quarantined(),
        trend=tuple(
            TrendPoint(at=row["at"], kind=row["kind"], open=row["open"]) for row in ledger.trend(limit=runs).to_pylist()
        ),
        plan=plan,
        names=names.people,
        accounts=names.accounts,
    )
