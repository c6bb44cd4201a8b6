"""Checks that make the asset graph readable at a glance. None of them blocks: alerts have their own state."""

from collections.abc import Iterator

from dagster import (
    AssetCheckKey,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    asset_check,
    multi_asset_check,
)

from assets.ledger import LEDGER
from assets.plan import WRITE_BACK
from assets.reconciliation import finding_key
from assets.resources import HubResource, now
from assets.sources import raw_key
from assets.verdicts import Verdict, completeness, freshness, open_findings, quarantine, written
from hub.charter.model import Charter
from hub.domain.findings import FINDING_KINDS
from hub.reports.content import current_receipts
from hub.reports.escape import md_escape
from hub.reports.tables import kind_name


def all_checks(charter: Charter) -> list[AssetChecksDefinition]:
    """Every check of the graph."""
    return [*(_source_checks(source) for source in charter.sources), nothing_quarantined, findings, all_verified]


def _source_checks(source: str) -> AssetChecksDefinition:
    key = raw_key(source)

    @multi_asset_check(
        name=f"{source}_checks",
        specs=[
            AssetCheckSpec("fresh", asset=key, description="Every stream was read within the last hour."),
            AssetCheckSpec("complete", asset=key, description="The ledger holds what the source counts."),
        ],
    )
    def checks(hub: HubResource) -> Iterator[AssetCheckResult]:
        with hub.open() as opened:
            receipts = [r for r in current_receipts(opened.ledger.receipts()) if r.source == source]
        yield _result(AssetCheckKey(key, "fresh"), freshness(receipts, now()))
        yield _result(AssetCheckKey(key, "complete"), completeness(receipts))

    return checks


@asset_check(asset=LEDGER, name="nothing_quarantined", description="Every record could be read.")
def nothing_quarantined(hub: HubResource) -> AssetCheckResult:
    """Warns about records that are kept but could not be read."""
    with hub.open() as opened:
        count = len(opened.ledger.quarantined())
    return _result(AssetCheckKey(LEDGER, "nothing_quarantined"), quarantine(count))


@multi_asset_check(
    name="finding_checks",
    specs=[
        AssetCheckSpec("none_open", asset=finding_key(kind), description=f"{kind_name(kind)}: none is open.")
        for kind in FINDING_KINDS
    ],
)
def findings(hub: HubResource) -> Iterator[AssetCheckResult]:
    """One verdict per finding kind, never one per finding."""
    with hub.open() as opened:
        current = opened.ledger.findings()
    for kind in FINDING_KINDS:
        found = [f for f in current if f.kind == kind]
        yield _result(AssetCheckKey(finding_key(kind), "none_open"), open_findings(found), open=len(found))


@asset_check(asset=WRITE_BACK, name="all_verified", description="Every change of the last applied plan was verified.")
def all_verified(hub: HubResource) -> AssetCheckResult:
    """Fails when a write of the last applied plan did not end as it should."""
    with hub.open() as opened:
        applied = next((s for s in opened.ledger.plans() if s.outcomes), None)
    return _result(AssetCheckKey(WRITE_BACK, "all_verified"), written(applied.outcomes if applied else {}))


def _result(key: AssetCheckKey, verdict: Verdict, **numbers: int) -> AssetCheckResult:
    return AssetCheckResult(
        passed=verdict.passed,
        asset_key=key.asset_key,
        check_name=key.name,
        severity=AssetCheckSeverity.ERROR if verdict.error else AssetCheckSeverity.WARN,
        description=md_escape(verdict.sentence, 400),
        metadata=numbers,
    )
