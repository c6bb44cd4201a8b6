"""Jobs: what can be started. Each is one process; on its own a step costs less than starting another process."""

from dagster import AssetSelection, define_asset_job, in_process_executor, job

from assets.ledger import LEDGER
from assets.plan import WRITE_BACK, record_approval

sync = define_asset_job(
    "sync",
    selection=AssetSelection.all() - AssetSelection.assets(WRITE_BACK),
    executor_def=in_process_executor,
    description="Pull every source, reconcile, report, propose. Writes nothing to any tool.",
)

reconcile_again = define_asset_job(
    "reconcile_again",
    selection=AssetSelection.assets(LEDGER).downstream() - AssetSelection.assets(WRITE_BACK),
    executor_def=in_process_executor,
    description="Reconcile, report and propose from what the ledger holds already. Asks no tool.",
)

#: No retry policy: what was begun is settled by reading, by a person who looks or by launching the job again.
apply_plan = define_asset_job(
    "apply_plan",
    selection=AssetSelection.assets(WRITE_BACK),
    executor_def=in_process_executor,
    description="Apply one approved plan. Launched by the sensor; refuses a plan without approval.",
)


@job(
    executor_def=in_process_executor,
    config={"ops": {"record_approval": {"config": {"plan": "", "code": ""}}}},
    description="Approve one plan with the single-use code the hub sent you. Nothing else here counts as approval.",
)
def approve_plan() -> None:
    """Record one approval."""
    record_approval()
