"""The first mistakes people make: one line that says what is wrong, one that says what to do, the exit code."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Hub, Ran

CHARTER = """
version: 1
partners: {acme: {name: Acme}}
people: {ada: {name: Ada Lovelace}}
decision_rights: {owner_change: {approvers: [ada]}}
sources:
  desk:
    tool: jira
    partner: acme
    projects: [OPS]
    connection: {server: "http://127.0.0.1:1", email: a@b.example, token: "env:NO_TOKEN"}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    directory = tmp_path / "config"
    directory.mkdir()
    (directory / "hub.yaml").write_text("database: sqlite:///hub.sqlite\n")
    (directory / "charter.yaml").write_text(CHARTER)
    return directory


def told(ran: Ran, code: int, what: str, hint: str) -> None:
    """One error in one line, with one hint."""
    assert ran.code == code, ran
    lines = ran.err.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    hints = [line for line in lines if line.startswith("hint: ")]
    assert len(errors) == 1, ran.err
    assert len(hints) == 1, ran.err
    assert what in errors[0]
    assert hint in hints[0]
    assert "Traceback" not in ran.err
    assert ran.out == ""


def test_no_configuration(hub: Hub, tmp_path: Path) -> None:
    told(hub("sync", "--config", tmp_path), 2, "no hub.yaml", "hub sandbox up")
    told(hub("findings", "--config", tmp_path / "nowhere"), 2, "no hub.yaml", "--config DIR")


def test_an_error_is_an_object_for_machines(hub: Hub, tmp_path: Path) -> None:
    ran = hub("sync", "--config", tmp_path, "--json")
    assert ran.code == 2
    assert set(ran.data) == {"error", "hint", "problems"}
    assert "no hub.yaml" in ran.data["error"]
    assert ran.err == ""


@pytest.mark.parametrize(
    ("arguments", "what", "hint"),
    [
        (["findings", "--bogus"], "No such option: --bogus", "hub findings --help"),
        (["nonsense"], "No such command 'nonsense'", "hub --help"),
        (["approve"], "Missing argument", "hub approve --help"),
        (["findings", "--kind", "nope"], "no finding kind 'nope'", "owner_conflict, missed_handoff"),
        (["sandbox", "up", "--items", "-3"], "'--items'", "hub sandbox up --help"),
    ],
)
def test_wrong_usage(hub: Hub, arguments: list[str], what: str, hint: str) -> None:
    told(hub(*arguments), 2, what, hint)
    ran = hub(*arguments, "--json")
    assert ran.code == 2
    assert what in ran.data["error"]


def test_a_charter_with_an_unknown_key_names_file_and_line(hub: Hub, config: Path) -> None:
    (config / "charter.yaml").write_text(CHARTER + "nonsense: 1\nrubbish: 2\n")
    ran = hub("check", "--config", config)
    told(ran, 2, "charter.yaml:12: unknown key 'nonsense'", "")
    assert "also: " in ran.err
    assert "charter.yaml:13: unknown key 'rubbish'" in ran.err


def test_a_charter_that_is_missing_or_no_yaml(hub: Hub, config: Path) -> None:
    (config / "charter.yaml").write_text("sources: [\n")
    told(hub("check", "--config", config), 2, "not valid YAML", "colons")
    (config / "charter.yaml").unlink()
    told(hub("check", "--config", config), 2, "cannot be read", "create it")


@pytest.mark.parametrize(
    ("database", "what"),
    [
        ("postgresql://nobody:secret@127.0.0.1:1/none", "Connection refused"),
        ("postgresq://x", "cannot live in 'postgresq'"),
        ("sqlite:////proc/nowhere/hub.sqlite", "cannot make the ledger's directory"),
        ("env:NO_SUCH_DATABASE", "env:NO_SUCH_DATABASE is not set"),
    ],
)
def test_a_ledger_that_cannot_be_opened(hub: Hub, config: Path, database: str, what: str) -> None:
    (config / "hub.yaml").write_text(f"database: '{database}'\n")
    ran = hub("findings", "--config", config)
    told(ran, 2, what, "")
    assert "secret" not in ran.err


def test_a_ledger_that_is_another_file_or_may_not_be_written(hub: Hub, config: Path) -> None:
    (config / "hub.sqlite").write_text("not a database, really not one")
    told(hub("findings", "--config", config), 2, "file is not a database", "must be writable")
    (config / "hub.sqlite").unlink()
    if os.geteuid() != 0:  # nothing is read-only for root
        config.chmod(stat.S_IRUSR | stat.S_IXUSR)
        told(hub("findings", "--config", config), 2, "cannot open the ledger", "must be writable")
        config.chmod(stat.S_IRWXU)


def test_a_tool_that_does_not_let_us_in_fails_alone_and_is_named(hub: Hub, config: Path) -> None:
    ran = hub("pull", "--config", config)
    assert ran.code == 3
    assert "NO_TOKEN" in ran.err
    told(hub("pull", "nosource", "--config", config), 2, "no source 'nosource'", "configured: desk")


def test_nothing_read_yet_is_not_the_same_as_nothing_wrong(hub: Hub, config: Path) -> None:
    ran = hub("findings", "--config", config)
    assert ran.code == 0
    assert "no tool has been read yet (hub sync)" in ran.out


def test_a_mail_that_is_none(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "note.eml").write_text("just a note")
    told(hub("mail", "explain", tmp_path / "note.eml"), 1, "would be quarantined", ".eml")
    told(hub("mail", "explain", tmp_path / "nothing.eml"), 2, "cannot be read", ".eml")
    assert "would be quarantined" in hub("mail", "explain", tmp_path / "note.eml", "--json").data["error"]


def test_logs_and_worlds_that_cannot_be_loaded(hub: Hub, tmp_path: Path) -> None:
    good, column_map = tmp_path / "log.csv", tmp_path / "map.yaml"
    good.write_text("id,when,who,what\n1,2026-01-01,Ann,start\n")
    column_map.write_text("{case: id, time: at, actor: who, activity: what}")
    other, missing = tmp_path / "picture.csv", tmp_path / "missing.csv"
    other.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    broken = tmp_path / "broken.yaml"
    broken.write_text("case: [")
    directory = ("--dir", tmp_path / "company")
    load = ("sandbox", "load-log")
    told(hub(*load, good, "--map", column_map, *directory), 2, "no column at (there are: id, when", "try again")
    told(hub(*load, good, "--map", broken, *directory), 2, "broken.yaml: not a readable map", "try again")
    told(hub(*load, other, "--map", column_map, *directory), 2, "picture.csv: not a CSV file", "try again")
    told(hub(*load, missing, "--map", column_map, *directory), 2, "no file", "existing file")
    told(hub("sandbox", "up", "--world", good, *directory), 2, "not a world file", "try again")
    told(hub("sandbox", "status", *directory), 1, "no company is running", "hub sandbox up")
    told(hub("sandbox", "mail", "--to", "x", *directory), 1, "no company is running", "hub sandbox up")
    told(hub("sandbox", "resume", *directory), 2, "no stopped simulated company", "hub sandbox up")
    assert hub("sandbox", "down", *directory, "--json").data == {"stopped": False}


def test_a_defect_of_the_hub_says_so(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "connectors.mail.explain", None)
    told(hub("mail", "explain", __file__), 4, "internal fault: ", "HUB_DEBUG=1")
