"""Everything together: the graph of one configuration."""

from dagster import Definitions

from assets.checks import all_checks
from assets.jobs import apply_plan, approve_plan, reconcile_again, sync
from assets.ledger import ledger_asset
from assets.plan import plan, write_back
from assets.reconciliation import reconcile
from assets.report import findings_report
from assets.resources import HubResource
from assets.retention import every_night, prune_runs
from assets.schedules import every_15_minutes
from assets.sensors import alert_on_broken_runs, apply_approved_plans
from assets.sources import raw_assets
from hub.charter.model import Charter
from hub.settings import Settings


def graph(settings: Settings, charter: Charter, *, report_url: str = "") -> Definitions:
    """The definitions of one configuration; opens no database and no connection.

    `report_url` replaces the address in the settings under which the artifacts are served.
    """
    return Definitions(
        assets=[*raw_assets(charter), ledger_asset(charter), reconcile, plan, findings_report, write_back],
        asset_checks=all_checks(charter),
        jobs=[sync, reconcile_again, approve_plan, apply_plan, prune_runs],
        schedules=[every_15_minutes, every_night],
        sensors=[apply_approved_plans, alert_on_broken_runs],
        resources={
            "hub": HubResource(directory=str(settings.directory), report_url=report_url or settings.report_url or "")
        },
    )
