"""The page that people open first."""

from dagster import AssetKey, MaterializeResult, asset

from assets.metadata import report_metadata
from assets.plan import PLAN
from assets.reconciliation import finding_key
from assets.resources import HubResource, now
from hub.domain.findings import FINDING_KINDS
from hub.reports.content import read_content
from hub.reports.publish import write_report

FINDINGS_REPORT = AssetKey("findings_report")


@asset(
    key=FINDINGS_REPORT,
    deps=[*(finding_key(kind) for kind in FINDING_KINDS), PLAN],
    group_name="review",
    description=(
        "Start here: what is wrong, since when, and who should do what. "
        "Open the full report from the metadata below; corrections are proposed in `plan`."
    ),
)
def findings_report(hub: HubResource) -> MaterializeResult[None]:
    """Write the HTML and CSV report and show its core."""
    with hub.open() as opened:
        content = read_content(opened.ledger, opened.charter, now=now())
        files = write_report(content, opened.settings.artifacts)
    return MaterializeResult(metadata=report_metadata(content, files, files.link(hub.report_url)))
