"""Everything Dagster loads: the graph of the configured charter. Needs settings and charter, nothing else."""

import os

from dagster import Definitions

from assets.checks import all_checks
from assets.jobs import apply_plan, approve_plan, sync
from assets.ledger import ledger_asset
from assets.plan import plan, write_back
from assets.reconciliation import findings_report, reconcile
from assets.resources import HubResource, one_line
from assets.schedules import every_15_minutes
from assets.sensors import alert_on_broken_runs, apply_approved_plans
from assets.sources import raw_assets
from hub.charter.load import load_charter
from hub.charter.model import Charter
from hub.errors import ConfigurationError
from hub.settings import Settings


def definitions(settings: Settings, charter: Charter) -> Definitions:
    """The graph for one configuration; opens no database and no connection."""
    return Definitions(
        assets=[*raw_assets(charter), ledger_asset(charter), reconcile, findings_report, plan, write_back],
        asset_checks=all_checks(charter),
        jobs=[sync, approve_plan, apply_plan],
        schedules=[every_15_minutes],
        sensors=[apply_approved_plans, alert_on_broken_runs],
        resources={
            "hub": HubResource(
                directory=str(settings.directory),
                report_url=os.environ.get("HUB_REPORT_URL") or settings.report_url or "",
            )
        },
    )


def load() -> Definitions:
    """The graph of the configuration in $HUB_CONFIG; raises ConfigurationError with what to do about it."""
    try:
        settings = Settings.load()
        charter = load_charter(settings.charter)
    except ConfigurationError as error:
        raise ConfigurationError(one_line(error), hint=error.hint, problems=error.problems) from None
    return definitions(settings, charter)


defs = load()
