"""What the hub remembers."""

from dagster import AssetKey, AssetsDefinition, MaterializeResult, asset

from assets.metadata import ledger_metadata
from assets.resources import HubResource
from assets.sources import raw_key
from hub.charter.model import Charter
from hub.reports.content import current_receipts

LEDGER = AssetKey("ledger")


def ledger_asset(charter: Charter) -> AssetsDefinition:
    """The ledger asset, downstream of every source of the charter."""

    @asset(
        key=LEDGER,
        deps=[raw_key(source) for source in charter.sources],
        group_name="ledger",
        description="The append-only record of who said what about which work, and when.",
    )
    def ledger(hub: HubResource) -> MaterializeResult[None]:
        with hub.open() as opened:
            receipts = current_receipts(opened.ledger.receipts())
            quarantined = opened.ledger.quarantined()
            return MaterializeResult(
                metadata=ledger_metadata(opened.ledger.head(), receipts, quarantined),
            )

    return ledger
