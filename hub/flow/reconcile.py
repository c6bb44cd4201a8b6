"""Think over everything the ledger remembers and keep what was found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.charter.model import Charter
from hub.domain.findings import FINDING_KINDS
from hub.ledger.findings import FindingChanges
from hub.ledger.ledger import Ledger
from reconciliation.columns import OBSERVATION
from reconciliation.run import reconcile as think

DERIVED = ("identity", "link", "work_item", "owner_claim", "handoff", "correction")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileReport:
    """What one reconciliation saw: `counts` of things, open `findings` per kind, and what changed."""

    counts: dict[str, int]
    findings: dict[str, int]
    changes: FindingChanges


def reconcile(ledger: Ledger, charter: Charter, *, run: str, now: datetime) -> ReconcileReport:
    """Reconcile all observations as known at `now` against the charter and store the result."""
    result = think(ledger.observation_batches(OBSERVATION.names), charter, as_of=now)
    ledger.store_derived(run, {name: getattr(result, name) for name in DERIVED}, now)
    changes = ledger.record_findings(run, result.finding, now)
    open_now = ledger.finding_counts()
    return ReconcileReport(
        counts=dict(result.counts),
        findings={kind: open_now.get(kind, 0) for kind in FINDING_KINDS},
        changes=changes,
    )
