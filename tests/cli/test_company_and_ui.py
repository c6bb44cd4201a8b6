"""The UI on a company that is stopped: the company answers as long as the UI runs."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.cli.ui import awake
from hub.errors import SourceUnavailable
from sandbox import launcher
from tests.cli.conftest import Hub


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "company"
    launcher.down(tmp_path / "company")


def test_a_stopped_company_answers_while_the_ui_runs_and_is_read_like_before(hub: Hub, directory: Path) -> None:
    running = launcher.up(directory, seed=7, items=10)
    assert hub("pull", "--config", running.config, "--json").data["new_observations"] > 0
    launcher.down(directory)
    with awake(directory):
        assert launcher.status(directory) is not None
        again = hub("pull", "--config", running.config, "--json")
        assert (again.code, again.data["new_observations"]) == (0, 0)
    assert launcher.status(directory) is None


def test_a_company_that_runs_goes_on_when_the_ui_ends(directory: Path) -> None:
    running = launcher.up(directory, seed=7, items=2)
    with awake(directory):
        assert launcher.status(directory) == running
    assert launcher.status(directory) == running


def test_a_real_configuration_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "charter.yaml").write_text("version: 1\n")
    with awake(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == ["charter.yaml"]


def test_a_taken_port_is_told_before_the_ui_starts(directory: Path) -> None:
    running = launcher.up(directory, seed=7, items=2)
    launcher.down(directory)
    port = int(running.addresses["jira"].rpartition(":")[2])
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(SourceUnavailable, match=f"port {port}"),
        awake(directory),
    ):
        pass


def test_the_port_of_the_ui_may_be_taken(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "hub.yaml").write_text("database: sqlite:///hub.sqlite\n")
    with socket.create_server(("127.0.0.1", 0)) as other:
        ran = hub("ui", "--config", tmp_path, "--port", str(other.getsockname()[1]))
    assert ran.code == 2
    assert "cannot be used: Address already in use" in ran.err
    assert "hub ui --port N" in ran.err


def test_a_new_company_is_not_mixed_up_with_what_was_known_of_the_last(hub: Hub, directory: Path) -> None:
    up = ("sandbox", "up", "--items", "2", "--dir", directory)
    config = hub(*up, "--json").data["config"]
    hub("pull", "--config", config)
    assert (directory / "hub.sqlite").exists()
    (directory / "notes.txt").write_text("mine")
    launcher.down(directory)
    ran = hub(*up)
    assert "replacing the earlier company" in ran.err
    assert not (directory / "hub.sqlite").exists()
    assert (directory / "notes.txt").read_text() == "mine"


def test_a_log_is_loaded_with_its_unusable_rows_named(hub: Hub, directory: Path, tmp_path: Path) -> None:
    log, columns = tmp_path / "log.csv", tmp_path / "map.yaml"
    columns.write_text("{case: c, time: t, actor: a, activity: w}")
    log.write_text("c,t,a,w\n1,2026-01-01,Ann,start\n1,never,Bob,end\n" + ",2026-01-01,Bob,end\n" * 6)
    ran = hub("sandbox", "load-log", log, "--map", columns, "--dir", directory)
    assert ran.code == 0
    assert "1 events in 1 cases; 7 rows could not be used" in ran.out
    assert "- line 3: unreadable time 'never'" in ran.out
    assert f"- and 2 more in {directory.resolve() / 'unusable_rows.csv'}" in ran.out
    assert hub("sandbox", "down", "--dir", directory).out == "stopped\n"
    resumed = hub("sandbox", "resume", "--dir", directory, "--json")
    assert resumed.code == 0
    assert set(resumed.data["addresses"]) >= {"salesforce", "jira", "airtable", "imap", "smtp"}
