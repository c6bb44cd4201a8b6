"""Identities, work items and findings, thought over in one step."""

from collections.abc import Iterator

from dagster import AssetExecutionContext, AssetKey, AssetSpec, MaterializeResult, multi_asset

from assets.ledger import LEDGER
from assets.metadata import counts_metadata, findings_metadata
from assets.notices import tell_findings
from assets.resources import HubResource, now
from hub.domain.findings import FINDING_KINDS
from hub.flow.sync import think
from hub.reports.tables import KINDS

IDENTITIES, WORK_ITEMS = AssetKey("identities"), AssetKey("work_items")


def finding_key(kind: str) -> AssetKey:
    """Key of the asset of one finding kind."""
    return AssetKey(["findings", kind])


@multi_asset(
    name="reconcile",
    specs=[
        AssetSpec(
            IDENTITIES,
            deps=[LEDGER],
            group_name="reconciliation",
            description="Which account in which tool is which person, and how we know.",
        ),
        AssetSpec(
            WORK_ITEMS,
            deps=[IDENTITIES],
            group_name="reconciliation",
            description="The real pieces of work, the records that describe them, and the one owner each has.",
        ),
        *(
            AssetSpec(
                finding_key(kind),
                deps=[WORK_ITEMS],
                group_name="findings",
                description=KINDS[kind][1],
            )
            for kind in FINDING_KINDS
        ),
    ],
)
def reconcile(context: AssetExecutionContext, hub: HubResource) -> Iterator[MaterializeResult[None]]:
    """Reconcile the whole ledger once; selecting one of these assets runs all of them."""
    with hub.open() as opened:
        report = think(opened.ledger, opened.charter, clock=now)
        findings = opened.ledger.findings()
        for line in tell_findings(opened, report.changes):
            context.log.info(line)
    yield MaterializeResult(asset_key=IDENTITIES, metadata=counts_metadata(report.counts))
    yield MaterializeResult(asset_key=WORK_ITEMS, metadata=counts_metadata(report.counts))
    for kind in FINDING_KINDS:
        found = [f for f in findings if f.kind == kind]
        yield MaterializeResult(asset_key=finding_key(kind), metadata=findings_metadata(found, opened.charter))
