"""One raw asset per configured source; a new source in the charter is a new asset without any code."""

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    Backoff,
    Jitter,
    MaterializeResult,
    RetryPolicy,
    asset,
)

from assets.metadata import pull_metadata
from assets.resources import HubResource, now
from hub.charter.model import Charter
from hub.charter.sources import Source
from hub.flow.sync import census_policies, pull

#: Reading again is harmless, so a busy database or a lost process is tried again. What a *tool* refuses or
#: fails is in the receipt already, after the connector's own retries.
READS = RetryPolicy(max_retries=2, delay=5, backoff=Backoff.EXPONENTIAL, jitter=Jitter.PLUS_MINUS)


def raw_key(source: str) -> AssetKey:
    """Key of the raw asset of a source."""
    return AssetKey([source, "raw"])


def raw_assets(charter: Charter) -> list[AssetsDefinition]:
    """The raw assets of every source in the charter."""
    return [_raw_asset(name, source) for name, source in charter.sources.items()]


def _raw_asset(name: str, source: Source) -> AssetsDefinition:
    @asset(
        key=raw_key(name),
        group_name="sources",
        kinds={source.tool},
        tags={"partner": source.partner},
        pool=source.pool or f"api_{name}",
        retry_policy=READS,
        description=(
            f"Everything `{name}` changed since the last pull, kept as received. "
            "A source that is down finishes with a failed check, so that the others are still reconciled."
        ),
    )
    def raw(context: AssetExecutionContext, hub: HubResource) -> MaterializeResult[None]:
        with hub.open() as opened:
            policies = census_policies(opened.charter)
            report = pull(opened.ledger, opened.connector, [name], clock=now, policies=policies)
        for receipt in report.failed:
            context.log.warning(f"{receipt.error} {receipt.hint}")
        return MaterializeResult(metadata=pull_metadata(report.receipts))

    return raw
