"""Dagster's own storage: a filled ledger shows in a new home, and PostgreSQL holds runs as SQLite does."""

from __future__ import annotations

import urllib.parse
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dagster import AssetKey, DagsterInstance, Definitions, ExecuteInProcessResult
from ruamel.yaml import YAML

from assets.first_look import look_at
from sandbox.launcher import Running

PROJECT = Path(__file__).parents[2]


def test_a_new_home_shows_what_the_ledger_holds_without_asking_any_tool(
    company: Running,
    run_job: Callable[..., ExecuteInProcessResult],
    graph_of: Callable[[Path], Definitions],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = tmp_path / "dagster"
    home.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    assert not look_at(graph_of(company.config)), "an empty ledger has nothing to show"
    run_job(company.config, "sync", DagsterInstance.ephemeral())
    assert look_at(graph_of(company.config))
    with DagsterInstance.get() as instance:
        assert instance.get_latest_materialization_event(AssetKey("findings_report")) is not None
        assert instance.get_latest_materialization_event(AssetKey(["acme_jira", "raw"])) is None


@pytest.fixture
def postgresql_storage(postgresql_server: str) -> dict[str, Any]:
    """The storage block of `deploy/dagster.yaml`, filled in for a fresh database."""
    name = f"dagster_{uuid.uuid4().hex}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    template = (PROJECT / "deploy" / "dagster.yaml").read_text(encoding="utf-8")
    block = "\n".join(
        line.removeprefix("# ") for line in template.splitlines() if line.startswith(("# storage:", "#   "))
    )
    storage: dict[str, Any] = YAML(typ="safe").load(block)["storage"]
    address = urllib.parse.urlsplit(postgresql_server)
    query = dict(urllib.parse.parse_qsl(address.query))
    storage["postgres"]["postgres_db"].update(
        hostname=address.hostname or "",
        username=address.username or "postgres",
        password=address.password or "",
        port=address.port or 5432,
        db_name=name,
        params=query,
    )
    return storage


def test_a_job_runs_on_postgresql_storage(
    postgresql_storage: dict[str, Any],
    company: Running,
    run_job: Callable[..., ExecuteInProcessResult],
    tmp_path: Path,
) -> None:
    home = tmp_path / "dagster"
    home.mkdir()
    with (home / "dagster.yaml").open("w", encoding="utf-8") as file:
        YAML().dump({"storage": postgresql_storage, "telemetry": {"enabled": False}}, file)
    with DagsterInstance.from_config(str(home)) as instance:
        assert run_job(company.config, "sync", instance).success
        assert [r.dagster_run.job_name for r in instance.get_run_records()] == ["sync"]
        assert instance.get_latest_materialization_event(AssetKey("findings_report")) is not None
