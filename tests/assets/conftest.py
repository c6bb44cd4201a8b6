"""A configuration directory whose tools are all down: enough to load, and to see what failing looks like."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance, Definitions, ExecuteInProcessResult

from assets.graph import graph
from hub.charter.load import load_charter
from hub.settings import Settings
from sandbox import launcher
from sandbox.launcher import Running

CHARTER = """\
version: 1
partners: {{acme: {{name: Acme}}}}
sources:
  acme_jira:
    tool: jira
    partner: acme
    writable: true
    connection: {{server: "http://127.0.0.1:{port}", email: hub@acme.example, token: "file:token"}}
    projects: [ACME]
    fields: {{phase: customfield_10010}}
  studio_jira:
    tool: jira
    partner: acme
    pool: jira_site
    connection: {{server: "http://127.0.0.1:{port}", email: hub@acme.example, token: "file:token"}}
    projects: [STUDIO]
people:
  ada: {{name: Ada Lovelace, email: ada@acme.example, partner: acme}}
decision_rights:
  owner_change: {{approvers: [ada]}}
"""


@pytest.fixture
def dead_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def config(tmp_path: Path, dead_port: int) -> Path:
    """A valid configuration with two sources that do not answer."""
    directory = tmp_path / "config"
    directory.mkdir()
    (directory / "hub.yaml").write_text("database: sqlite:///ledger.sqlite\n", encoding="utf-8")
    (directory / "charter.yaml").write_text(CHARTER.format(port=dead_port), encoding="utf-8")
    (directory / "token").write_text("secret-token\n", encoding="utf-8")
    return directory


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Running]:
    """A simulated company of forty items, with the configuration that reads it."""
    running = launcher.up(tmp_path / "company", items=40)
    yield running
    launcher.down(running.directory)


def _graph(config: Path) -> Definitions:
    """What Dagster loads for a configuration."""
    settings = Settings.load(config)
    return graph(settings, load_charter(settings.charter))


def _run_job(
    config: Path, job: str, instance: DagsterInstance, run_config: dict[str, Any] | None = None
) -> ExecuteInProcessResult:
    """One run of a job as the daemon would do it, in this process."""
    return (
        _graph(config)
        .resolve_job_def(job)
        .execute_in_process(run_config=run_config, instance=instance, raise_on_error=False)
    )


def _failure_of(result: ExecuteInProcessResult) -> str:
    """What the failed step tells the person who looks at the run."""
    return next(e.step_failure_data.error_display_string for e in result.all_events if e.is_step_failure)


@pytest.fixture
def run_job() -> Callable[..., ExecuteInProcessResult]:
    """Runs a job of a configuration."""
    return _run_job


@pytest.fixture
def failure_of() -> Callable[[ExecuteInProcessResult], str]:
    """Tells why a run failed."""
    return _failure_of


@pytest.fixture
def graph_of() -> Callable[[Path], Definitions]:
    """Gives what Dagster loads for a configuration."""
    return _graph
