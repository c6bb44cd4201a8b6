"""Old runs go, in time: Dagster keeps every run and event until somebody deletes them."""

from datetime import datetime, timedelta

from dagster import (
    Config,
    DagsterRunStatus,
    DefaultScheduleStatus,
    OpExecutionContext,
    RunRecord,
    RunsFilter,
    ScheduleDefinition,
    in_process_executor,
    job,
    op,
)
from pydantic import Field

from assets.resources import now

_FINISHED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]


class RetentionConfig(Config):
    """How long runs are kept."""

    days: int = Field(default=30, ge=1, description="Finished runs older than this are deleted")


def outdated(records: list[RunRecord], before: datetime) -> list[str]:
    """Ids of finished runs that ended before `before`, except the newest of every job: no page becomes empty."""
    newest: dict[str, RunRecord] = {}
    for record in sorted(records, key=lambda r: r.create_timestamp):
        newest[record.dagster_run.job_name] = record
    kept = {record.dagster_run.run_id for record in newest.values()}
    return [r.dagster_run.run_id for r in records if r.update_timestamp < before and r.dagster_run.run_id not in kept]


@op(description="Deletes finished runs that are older than the configured number of days, with their events.")
def delete_old_runs(context: OpExecutionContext, config: RetentionConfig) -> None:
    """Nothing of the ledger is touched: observations, plans, approvals and receipts stay for good."""
    records = list(context.instance.get_run_records(RunsFilter(statuses=_FINISHED)))
    gone = outdated(records, now() - timedelta(days=config.days))
    for run in gone:
        context.instance.delete_run(run)
    context.log.info(f"{len(gone)} of {len(records)} finished runs deleted")


@job(executor_def=in_process_executor, description="Delete old runs and their events; the ledger keeps everything.")
def prune_runs() -> None:
    """Keep Dagster's own database small."""
    delete_old_runs()


#: On from the start: SQLite keeps about 280 KiB a run, so a sync every quarter of an hour is 26 MiB a day.
every_night = ScheduleDefinition(
    name="prune_runs_every_night",
    job=prune_runs,
    cron_schedule="20 3 * * *",
    execution_timezone="UTC",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Deletes runs older than 30 days.",
)
