"""One sync: pull every source, reconcile, plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from connectors.base import Connector
from hub.charter.model import Charter
from hub.domain.plans import Plan
from hub.domain.records import PullReport
from hub.flow.census import CensusPolicy
from hub.flow.ingest import Progress, Report, pull_source
from hub.flow.plan import engaged_brakes, make_plan, open_item_count
from hub.flow.reconcile import ReconcileReport, reconcile
from hub.ledger.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What one sync did. `brakes` name what would stop the plan."""

    pull: PullReport
    reconciled: ReconcileReport
    plan: Plan
    brakes: tuple[tuple[str, str], ...]


def census_policies(charter: Charter) -> dict[str, CensusPolicy]:
    """How each source of the charter is compared with what the ledger holds."""
    return {
        name: CensusPolicy(every=source.census_every, max_believed_deletions=source.max_believed_deletions)
        for name, source in charter.sources.items()
    }


def pull(
    ledger: Ledger,
    connect: Callable[[str], Connector],
    sources: Iterable[str],
    *,
    clock: Callable[[], datetime],
    full: bool = False,
    progress: Report | None = None,
    policies: Mapping[str, CensusPolicy] | None = None,
) -> PullReport:
    """Pull the named sources one after the other; a failing source never stops the next. A source without a
    policy is compared as `CensusPolicy` says by itself."""
    compared = policies or {}
    run = ledger.start_run("pull", clock())
    receipts = tuple(
        receipt
        for source in sources
        for receipt in pull_source(
            ledger,
            lambda name=source: connect(name),  # type: ignore[misc]  # mypy cannot infer a lambda's default
            source,
            run=run,
            clock=clock,
            full=full,
            progress=progress,
            policy=compared.get(source, CensusPolicy()),
        )
    )
    report = PullReport(run=run, receipts=receipts)
    ledger.finish_run(run, clock(), "failed" if report.failed else "succeeded")
    return report


def think(ledger: Ledger, charter: Charter, *, clock: Callable[[], datetime]) -> ReconcileReport:
    """Reconcile in a run of its own."""
    run = ledger.start_run("reconcile", clock())
    try:
        report = reconcile(ledger, charter, run=run, now=clock())
    except BaseException:
        ledger.finish_run(run, clock(), "failed")
        raise
    ledger.finish_run(run, clock(), "succeeded")
    return report


def sync(
    ledger: Ledger,
    charter: Charter,
    connect: Callable[[str], Connector],
    *,
    clock: Callable[[], datetime],
    progress: Report | None = None,
) -> SyncReport:
    """Pull every source of the charter, reconcile and plan."""
    policies = census_policies(charter)
    pulled = pull(ledger, connect, charter.sources, clock=clock, progress=progress, policies=policies)
    if progress is not None:
        progress(Progress(what="reconciling", done=0))
    reconciled = think(ledger, charter, clock=clock)
    plan = make_plan(ledger, charter, now=clock())
    brakes = engaged_brakes(plan, charter, open_items=open_item_count(ledger))
    return SyncReport(pull=pulled, reconciled=reconciled, plan=plan, brakes=brakes)
