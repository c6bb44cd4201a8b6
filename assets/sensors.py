"""Sensors only trigger: what is true lives in the ledger, never in a sensor's cursor."""

from collections.abc import Iterator

from dagster import (
    DefaultSensorStatus,
    RunConfig,
    RunFailureSensorContext,
    RunRequest,
    SensorEvaluationContext,
    SkipReason,
    run_failure_sensor,
    sensor,
)

from assets.jobs import apply_plan
from assets.notices import tell_broken_run
from assets.plan import ApplyConfig
from assets.resources import HubResource


@sensor(
    job=apply_plan,
    minimum_interval_seconds=15,
    # Safe to run from the start: it cannot approve anything. It starts `apply_plan` for a plan that an entitled
    # person has approved, and applying checks approval, digest, expiry, brakes and every record once more.
    default_status=DefaultSensorStatus.RUNNING,
    description="Starts apply_plan once for a plan that has been approved. Approving is what people do, not this.",
)
def apply_approved_plans(context: SensorEvaluationContext, hub: HubResource) -> Iterator[RunRequest | SkipReason]:
    """One run per approved plan, ever: the plan's digest is the run key."""
    with hub.open() as opened:
        newest = next(iter(opened.ledger.plans(limit=1)), None)
    if newest is None or newest.state != "approved":
        yield SkipReason("no approved plan waits" if newest is None else f"{newest.plan.id} is {newest.state}")
        return
    plan = newest.plan
    yield RunRequest(
        run_key=plan.digest,
        run_config=RunConfig(ops={"write_back": ApplyConfig(plan=plan.id)}),
        tags={"hub/plan": plan.id},
    )


@run_failure_sensor(
    default_status=DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description="Mails when a run breaks, at most once per job and day. Findings have their own alerts.",
)
def alert_on_broken_runs(context: RunFailureSensorContext, hub: HubResource) -> None:
    """Tell the people the charter names that a job needs them."""
    with hub.open() as opened:
        told = tell_broken_run(opened, context.dagster_run.job_name, context.failure_event.message or "no message")
    context.log.info(f"{told.delivered} messages went out, {told.failed} wait for the next time")
