"""`hub quarantine`: what is held, trying again, what came out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.domain.records import Page, Quarantined, RawRecord
from hub.ledger import Ledger
from tests.cli.conftest import Hub

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
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
    """A hub whose ledger holds one record it could not read, and whose one source has no secret."""
    directory = tmp_path / "config"
    directory.mkdir()
    (directory / "hub.yaml").write_text("database: sqlite:///hub.sqlite\n")
    (directory / "charter.yaml").write_text(CHARTER)
    aside = Quarantined(source="desk", stream="issues:OPS", native_id="7", reason="no summary", payload=b"{}")
    with Ledger.open(f"sqlite:///{directory / 'hub.sqlite'}") as ledger:
        page = Page(records=(), observations=(), quarantined=(aside,))
        ledger.append("pull-1", "issues:OPS", "desk", page, recorded_at=NOW)
    return directory


def test_what_is_held_is_listed_with_the_way_out(hub: Hub, config: Path) -> None:
    ran = hub("quarantine", "--config", config)
    assert ran.code == 1
    assert "no summary" in ran.out
    assert "hub quarantine retry" in ran.out
    assert hub("quarantine", "--config", config, "--json").data == [
        {"source": "desk", "stream": "issues:OPS", "record": "7", "reason": "no summary"}
    ]


def test_a_source_that_cannot_be_asked_says_what_to_do_and_keeps_the_record(hub: Hub, config: Path) -> None:
    ran = hub("quarantine", "retry", "--config", config)
    assert ran.code == 3
    assert "NO_TOKEN" in ran.err
    assert "hint: fix configuration: " in ran.err
    assert "0 released, 1 still held" in ran.out
    told = hub("quarantine", "retry", "desk", "--config", config, "--json")
    assert told.code == 3
    assert [failure["remedy"] for failure in told.data["failures"]] == ["fix configuration"]
    assert told.data["records"] == [
        {"source": "desk", "stream": "issues:OPS", "record": "7", "released": False, "note": "no summary"}
    ]


def test_an_unknown_source_is_named(hub: Hub, config: Path) -> None:
    ran = hub("quarantine", "retry", "dsk", "--config", config)
    assert ran.code == 2
    assert "no source 'dsk'" in ran.err
    assert "desk" in ran.err


def test_options_before_the_verb_are_not_lost_silently(hub: Hub, config: Path) -> None:
    ran = hub("quarantine", "--config", config, "retry")
    assert ran.code == 2
    assert "behind the verb" in ran.err


def test_what_came_out_is_listed_with_its_note(hub: Hub, config: Path) -> None:
    assert hub("quarantine", "released", "--config", config, "--json").data == []
    raw = RawRecord(source="desk", stream="issues:OPS", native_id="7", version="1", payload=b"{}", fetched_at=NOW)
    with Ledger.open(f"sqlite:///{config / 'hub.sqlite'}") as ledger:
        ledger.append("quarantine-1", "issues:OPS", "desk", Page(records=(raw,), observations=()), recorded_at=NOW)
        assert ledger.note_released("desk", "issues:OPS", ["7"], "read anew, quarantine-1") == 1
        assert ledger.note_released("desk", "issues:OPS", ["7"], "twice") == 0
    ran = hub("quarantine", "released", "--limit", "5", "--config", config)
    assert ran.code == 0
    assert "no summary | released: read anew, quarantine-1" in ran.out
    assert hub("quarantine", "--config", config).code == 0


def test_a_failed_pull_has_its_remedy_in_the_receipt(hub: Hub, config: Path) -> None:
    ran = hub("pull", "--config", config, "--json")
    assert ran.code == 3
    assert [receipt["remedy"] for receipt in ran.data["receipts"]] == ["fix configuration"]
    assert "hint: fix configuration: " in hub("pull", "--config", config).err
