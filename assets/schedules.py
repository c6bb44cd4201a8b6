"""The rhythm of sync. Off until somebody switches it on: a fresh installation reads nothing unasked."""

from dagster import (
    DagsterRunStatus,
    DefaultScheduleStatus,
    RunRequest,
    RunsFilter,
    ScheduleEvaluationContext,
    SkipReason,
    schedule,
)

from assets.jobs import sync

_UNFINISHED = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]


@schedule(
    job=sync,
    cron_schedule="*/15 * * * *",
    execution_timezone="UTC",
    default_status=DefaultScheduleStatus.STOPPED,
    description="Sync every quarter of an hour, unless the last one still runs. Switch it on under Automation.",
)
def every_15_minutes(context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
    """One sync at a time: a slow source must not pile up runs behind it."""
    unfinished = RunsFilter(job_name=sync.name, statuses=_UNFINISHED)
    if context.instance.get_run_records(unfinished, limit=1):
        return SkipReason("the last sync is still running")
    return RunRequest()
