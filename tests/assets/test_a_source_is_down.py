"""One tool down: the others are read and reconciled, and the page says what failed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from dagster import AssetCheckEvaluation, DagsterInstance, ExecuteInProcessResult

from sandbox.launcher import Running


@pytest.fixture
def half_dead(company: Running, dead_port: int, tmp_path: Path) -> Path:
    """The company's configuration, but nobody answers at the address of its Jira site."""
    shutil.copytree(company.directory / "secrets", tmp_path / "other" / "secrets")
    config = tmp_path / "other" / "config"
    shutil.copytree(company.config, config)
    charter = config / "charter.yaml"
    text, count = re.subn(
        re.escape(company.addresses["jira"]), f"http://127.0.0.1:{dead_port}", charter.read_text(encoding="utf-8")
    )
    assert count == 1
    charter.write_text(text, encoding="utf-8")
    return config


def check(result: ExecuteInProcessResult, asset: str, name: str) -> AssetCheckEvaluation:
    return next(
        c
        for c in result.get_asset_check_evaluations()
        if c.asset_key.to_user_string() == asset and c.check_name == name
    )


def test_the_other_sources_are_reconciled_and_the_dead_one_is_red(
    half_dead: Path, run_job: Callable[..., ExecuteInProcessResult]
) -> None:
    result = run_job(half_dead, "sync", DagsterInstance.ephemeral())
    assert result.success

    made = {
        e.materialization.asset_key.to_user_string(): e.materialization.metadata
        for e in result.get_asset_materialization_events()
    }
    assert {"work_items", "findings_report", "plan"} <= set(made)
    assert made["acme_salesforce/raw"]["new_observations"].value
    assert made["acme_jira/raw"]["failed_streams"].value == 1
    assert "acme_jira" in str(made["acme_jira/raw"]["problem"].value)
    assert made["findings_report"]["sources_with_problems"].value == 1

    assert not check(result, "acme_jira/raw", "complete").passed
    assert check(result, "acme_jira/raw", "complete").severity.value == "ERROR"
    assert not check(result, "acme_jira/raw", "fresh").passed
    assert check(result, "acme_salesforce/raw", "complete").passed
    assert check(result, "acme_salesforce/raw", "fresh").passed


def test_a_source_that_comes_back_is_green_again(
    half_dead: Path, company: Running, run_job: Callable[..., ExecuteInProcessResult]
) -> None:
    instance = DagsterInstance.ephemeral()
    run_job(half_dead, "sync", instance)
    shutil.copyfile(company.config / "charter.yaml", half_dead / "charter.yaml")
    result = run_job(half_dead, "sync", instance)
    assert check(result, "acme_jira/raw", "complete").passed
    assert check(result, "acme_jira/raw", "fresh").passed
