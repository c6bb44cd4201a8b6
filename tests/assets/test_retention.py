"""Old runs are deleted, the newest of each job and everything young stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter, job, op

from assets.retention import prune_runs


@op
def nothing() -> None:
    pass


@job
def often() -> None:
    nothing()


@job
def seldom() -> None:
    nothing()


def kept(instance: DagsterInstance) -> list[str]:
    records = instance.get_run_records(RunsFilter(statuses=[DagsterRunStatus.SUCCESS]))
    return sorted(r.dagster_run.job_name for r in records)


def test_runs_older_than_the_limit_go_except_the_newest_of_each_job(monkeypatch: pytest.MonkeyPatch) -> None:
    with DagsterInstance.ephemeral() as instance:
        for run in (seldom, often, often):
            run.execute_in_process(instance=instance)
        month_later = datetime.now(UTC) + timedelta(days=31)
        monkeypatch.setattr("assets.retention.now", lambda: month_later)
        prune_runs.execute_in_process(instance=instance)
        assert kept(instance) == ["often", "prune_runs", "seldom"]


def test_young_runs_stay() -> None:
    with DagsterInstance.ephemeral() as instance:
        for _ in range(2):
            often.execute_in_process(instance=instance)
        prune_runs.execute_in_process(instance=instance)
        assert kept(instance) == ["often", "often", "prune_runs"]
