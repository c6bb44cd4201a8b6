"""What goes wrong is said in one line with a hint, the other sources go on, and nothing is taken for deleted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hub.domain.records import PullReport, Receipt
from hub.flow.sync import pull, sync
from hub.wiring import Hub, open_hub
from tests.spine.conftest import Company, clock

HUB = Path(sys.executable).with_name("hub")
SOURCES = {"salesforce": "acme_salesforce", "jira": "acme_jira", "airtable": "studio_airtable"}
SECRETS = {"salesforce": "salesforce_client_secret", "jira": "jira_token", "airtable": "airtable_token"}


def _hub(company: Company, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HUB, *arguments, "--config", company.config], capture_output=True, text=True, timeout=120, check=False
    )


def _pull(company: Company) -> PullReport:
    with open_hub(company.config) as hub:
        return pull(hub.ledger, hub.connector, hub.charter.sources, clock=clock)


def _of(report: PullReport, source: str) -> list[Receipt]:
    return [receipt for receipt in report.receipts if receipt.source == source]


@pytest.mark.parametrize("tool", list(SOURCES))
def test_a_wrong_token(company: Company, tool: str) -> None:
    (company.directory / "secrets" / SECRETS[tool]).write_text("wrong-secret-value", encoding="utf-8")
    result = _hub(company, "pull")
    assert result.returncode == 3
    errors = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert errors
    assert all(SOURCES[tool] in line for line in errors)
    assert "hint:" in result.stderr
    assert "wrong-secret-value" not in result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    with open_hub(company.config) as hub:
        went_on = {receipt.source for receipt in hub.ledger.receipts() if not receipt.error and receipt.records}
    assert went_on == {"ops_mail", *SOURCES.values()} - {SOURCES[tool]}
    problems = json.loads(_hub(company, "check", "--json").stdout)["problems"]
    assert any(problem["where"].startswith(SOURCES[tool]) for problem in problems)


@pytest.mark.parametrize("tool", list(SOURCES))
def test_a_tool_that_is_down_or_talks_nonsense(company: Company, tool: str) -> None:
    with open_hub(company.config) as hub:
        before = sync(hub.ledger, hub.charter, hub.connector, clock=clock)
        assert before.pull.failed == ()
        findings = {f.key for f in hub.ledger.findings()}
        records = {r.stream: hub.ledger.record_count(r.source, r.stream) for r in _of(before.pull, SOURCES[tool])}
    for action in ("down", "html", "truncate"):
        company.fault(tool=tool, action=action, times=None)
        with open_hub(company.config) as hub:
            report = sync(hub.ledger, hub.charter, hub.connector, clock=clock)
            failed = [r for r in report.pull.receipts if r.error]
            assert {r.source for r in failed} == {SOURCES[tool]}, action
            assert all("\n" not in r.error and r.hint for r in failed), action
            assert len({r.source for r in report.pull.receipts if not r.error}) == 3, action
            assert {f.key for f in hub.ledger.findings()} == findings, action
            assert {s: hub.ledger.record_count(SOURCES[tool], s) for s in records} == records, action
        company.heal()
    assert _pull(company).failed == ()


def test_a_failed_page_never_moves_the_cursor_past_it(company: Company) -> None:
    company.fault(tool="jira", path="search/jql", nth=1, times=1, action="html")
    first = _pull(company)
    assert {r.source for r in first.failed} == {"acme_jira"}
    company.heal()
    second = _pull(company)
    jira = next(r for r in second.receipts if r.stream.startswith("issues"))
    assert jira.gap == 0
    assert jira.ledger_count


def test_a_record_with_a_missing_field_is_quarantined_and_comes_back(company: Company) -> None:
    from sandbox.store import Store

    store = Store(company.directory / "world.sqlite")
    issue = next(store.scan("acme_jira", "issue"))
    summary = issue["fields"].pop("summary")
    store.put("acme_jira", "issue", [(issue["id"], issue["_stamp"] if "_stamp" in issue else issue["updated"], issue)])
    report = _pull(company)
    assert report.failed == ()
    with open_hub(company.config) as hub:
        held = hub.ledger.quarantined()
        assert [(q.source, q.native_id) for q in held] == [("acme_jira", issue["id"])]
        assert "summary" in held[0].reason
    assert _hub(company, "quarantine").returncode == 1
    issue["fields"]["summary"] = summary
    store.put("acme_jira", "issue", [(issue["id"], issue["_stamp"] if "_stamp" in issue else issue["updated"], issue)])
    with open_hub(company.config) as hub:
        pull(hub.ledger, hub.connector, ["acme_jira"], clock=clock, full=True)
        assert hub.ledger.quarantined() == ()


def test_an_unknown_status_is_counted_and_keeps_the_item_open(company: Company) -> None:
    company.change_charter(lambda text: text.replace("In Progress:", "In Regress:"))
    with open_hub(company.config) as hub:
        report = sync(hub.ledger, hub.charter, hub.connector, clock=clock)
    assert report.pull.failed == ()
    assert report.reconciled.counts["unmapped_statuses"] > 0


def test_a_charter_with_an_unknown_key(company: Company) -> None:
    company.change_charter(lambda text: text.replace("grace:", "graze:"))
    result = _hub(company, "sync")
    assert result.returncode == 2
    assert "unknown key 'graze'; did you mean 'grace'?" in result.stderr
    assert "charter.yaml:" in result.stderr
    assert "Traceback" not in result.stderr


def test_no_configuration_at_all(tmp_path: Path) -> None:
    result = subprocess.run(
        [HUB, "findings", "--config", tmp_path], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 2
    assert result.stderr.startswith("error: no hub.yaml in")
    assert "hint:" in result.stderr


def test_a_source_that_left_the_charter_is_named(company: Company, hub: Hub) -> None:
    result = _hub(company, "pull", "acme_jyra")
    assert result.returncode == 2
    assert "no source 'acme_jyra'" in result.stderr
