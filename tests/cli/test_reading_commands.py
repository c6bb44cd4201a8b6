"""What the reading commands print, for people in windows of any width and for machines."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hub.cli import console
from hub.cli.console import emit, line, table
from tests.cli.conftest import Company, Hub, hub_command

FINDING = {
    "kind", "key", "item", "title", "refs", "severity", "state", "summary", "first_seen", "last_seen", "seen",
    "at", "from", "to", "due", "evidence", "rule", "next_move", "next_who",
}  # fmt: skip
ACCOUNT_ID = re.compile(r"\b(?:[0-9a-f]{24}|005\w{15}|usr\w{14})\b")
HOSTILE = "\x1b[2Jwiped \x9b31m [red]not red[/red]\u202e\nerror: not ours\ttab\u00a0nbsp"


def in_a_process(*arguments: str, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from hub.cli import main; main()", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload,no-any-return]  # options are Popen's own


def test_syncing_again_with_nothing_changed_learns_nothing_and_says_what_it_cost(hub: Hub, company: Company) -> None:
    ran = hub("sync", "--config", company.config)
    assert ran.code == 1
    told = re.search(r"^0 new observations, (\d+) API calls$", ran.out, re.MULTILINE)
    assert told is not None
    assert 0 < int(told[1]) < 60
    assert re.search(r"open findings: 0 new, 0 back again; 0 resolved$", ran.out, re.MULTILINE)


def test_a_sync_tells_machines_of_every_stream_and_the_plan(company: Company) -> None:
    data = company.first_sync
    assert data["new_observations"] == sum(receipt["new_observations"] for receipt in data["receipts"]) > 0
    assert data["calls"] == sum(receipt["calls"] for receipt in data["receipts"])
    assert {"source", "stream", "records", "source_count", "ledger_count", "gap", "error", "seconds"} <= set(
        data["receipts"][0]
    )
    assert set(data["plan"]) == {"id", "changes", "brakes"}


def test_every_command_counts_the_same_findings(hub: Hub, company: Company, tmp_path: Path) -> None:
    found = hub("findings", "--config", company.config, "--json").data
    counts = hub("reconcile", "--config", company.config, "--json").data["findings"]
    files = hub("report", "--to", tmp_path, "--config", company.config, "--json").data["files"]
    with Path(next(name for name in files if "findings" in name)).open(encoding="utf-8", newline="") as file:
        reported = list(csv.DictReader(file))
    assert len(found) == sum(counts.values()) == len(reported) > 0
    for kind, number in counts.items():
        assert len(hub("findings", "--kind", kind, "--config", company.config, "--json").data) == number
    assert f"{len(found)} open: " in hub("findings", "--config", company.config).out


def test_a_finding_has_the_documented_fields(hub: Hub, company: Company) -> None:
    ran = hub("findings", "--config", company.config, "--json")
    assert ran.code == 1
    assert all(set(finding) == FINDING for finding in ran.data)
    one = ran.data[0]
    assert one["at"].endswith("+00:00")
    assert all(len(ref) == 2 for ref in one["refs"])
    assert {"source", "record", "field", "value", "who", "at", "url"} <= set(one["evidence"][0])


def test_a_plan_names_people_and_only_machines_see_ids(hub: Hub, company: Company) -> None:
    ran = hub("plan", "--config", company.config)
    assert ran.code == 1
    assert ACCOUNT_ID.search(ran.out) is None
    data = hub("plan", "--config", company.config, "--json").data
    assert set(data) == {"id", "digest", "expires_at", "changes", "brakes", "asked"}
    assert any(ACCOUNT_ID.fullmatch(change["desired"]) for change in data["changes"])
    assert f"{data['id']}: {len(data['changes'])} owner changes" in ran.out
    assert ran.out.count("owner now") == len(data["changes"])
    assert f"next: hub approve {data['id']} --code CODE" in ran.out


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("command", ["pull", "findings", "plan", "reconcile", "check", "quarantine"])
def test_nothing_is_wider_than_a_narrow_window(hub: Hub, company: Company, command: str) -> None:
    out = hub(command, "--config", company.config).out
    tables = [row for row in out.splitlines() if not row.startswith(("one item", "plan-", "next:"))]
    assert max(map(len, tables)) <= 80
    assert "acme_salesf \n" not in out  # a name that is cut in two cannot be searched for


@pytest.mark.usefixtures("narrow")
def test_receipts_stay_whole_in_a_narrow_window(hub: Hub, company: Company) -> None:
    rows = hub("pull", "--config", company.config).out.splitlines()
    assert any(re.fullmatch(r"acme_salesforce\s+Opportunity\.approvals\s+\d+\s+\d+\s+1? ?.*ok\s*", row) for row in rows)


def test_the_story_of_an_item_is_told_with_names(hub: Hub, company: Company) -> None:
    conflict = hub("findings", "--kind", "owner_conflict", "--config", company.config, "--json").data[0]
    record = conflict["refs"][0][1]
    ran = hub("item", record, "--config", company.config)
    assert ran.code == 0
    assert conflict["title"] in ran.out
    assert ACCOUNT_ID.search(ran.out.replace(record, "")) is None
    story = hub("item", record, "--config", company.config, "--json").data
    assert set(story) == {"item", "records", "claims", "handoffs", "findings", "lines"}
    trace = hub("trace", record, "owner", "--config", company.config, "--json").data
    assert (trace["field"], trace["value"]) == ("owner", story["item"]["owner_person"])
    assert f"owner of {story['item']['item']} is " in hub("trace", record, "owner", "--config", company.config).out


def test_unknown_references_and_fields(hub: Hub, company: Company) -> None:
    ran = hub("item", "NOPE-1", "--config", company.config)
    assert (ran.code, ran.err.splitlines()[0]) == (1, "error: nothing is known as 'NOPE-1'")
    record = hub("findings", "--config", company.config, "--json").data[0]["refs"][0][1]
    assert hub("trace", record, "colour", "--config", company.config).code == 2


def test_check_and_quarantine_are_content(hub: Hub, company: Company) -> None:
    ran = hub("check", "--config", company.config)
    assert ran.code == 0
    assert "charter, connections and permissions are fine" in ran.out
    assert hub("check", "--config", company.config, "--json").data == {"problems": []}
    assert hub("quarantine", "--config", company.config, "--json").data == []


def test_mail_is_read_and_explained(hub: Hub, company: Company, tmp_path: Path) -> None:
    letters = hub("sandbox", "mail", "--to", "ada@acme.example", "--dir", company.directory)
    assert "hub approve plan-" in letters.out
    assert (
        "no mail for nobody@x.example"
        in hub("sandbox", "mail", "--to", "nobody@x.example", "--dir", company.directory).out
    )
    mail = tmp_path / "letter.eml"
    mail.write_text(
        "From: Ada <ada@acme.example>\nMessage-ID: <1@acme.example>\nSubject: [ACME-1] Banner\n\n"
        "Owner: Grace Hopper <grace@studio.example>\n"
    )
    ran = hub("mail", "explain", mail)
    assert "sender: ada@acme.example (unverified)" in ran.out
    assert "ACME-1" in ran.out
    assert hub("mail", "explain", mail, "--json").data["statements"][0]["field"] == "owner"


def test_a_company_is_started_once(hub: Hub, company: Company) -> None:
    ran = hub("sandbox", "up", "--dir", company.directory)
    assert ran.code == 1
    assert "already runs" in ran.err
    assert f"hub sandbox down --dir {company.directory}" in ran.err
    status = hub("sandbox", "status", "--dir", company.directory, "--json").data
    assert set(status) == {"directory", "config", "pid", "addresses"}


def test_a_reader_who_has_seen_enough_is_no_fault(company: Company) -> None:
    process = in_a_process("findings", "--config", company.config, "--json")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "[\n"
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(20) in (0, 1)


def test_a_terminal_that_lacks_characters_gets_others(company: Company) -> None:
    process = in_a_process("findings", "--config", company.config, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    out, err = process.communicate(timeout=20)
    assert process.returncode == 1, err
    assert "open: " in out


def test_what_a_tool_says_never_drives_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console.out, "_width", 160)  # in a narrow window any word may begin a line
    table(HOSTILE, ("a", "b"), [(HOSTILE, "x"), ("y", HOSTILE)])
    table("entries", ("a", "b"), [(HOSTILE, HOSTILE * 9)], head=1)
    line(HOSTILE)
    out = capsys.readouterr().out
    assert not set(out) & set("\x1b\x9b\u202e\t\u00a0")
    assert "[red]not red[/red]" in out
    assert not any(row.startswith("error:") for row in out.splitlines())


def test_json_holds_nothing_a_terminal_would_obey(capsys: pytest.CaptureFixture[str]) -> None:
    emit({"title": HOSTILE, "name": "Karen Spärck Jones"})
    out = capsys.readouterr().out
    assert not set(out) & set("\x1b\x9b\u202e\t")
    assert "Karen Spärck Jones" in out
    import json

    assert json.loads(out)["title"] == HOSTILE


def test_a_stopped_company_is_recognised(hub: Hub, tmp_path: Path) -> None:
    from sandbox import launcher

    running = launcher.up(tmp_path / "company", seed=7, items=2)
    launcher.down(tmp_path / "company")
    ran = hub_command("pull", "ops_mail", "--config", running.config)
    assert ran.code == 3
    assert f"hub sandbox resume --dir {tmp_path / 'company'}" in ran.err
    assert "Traceback" not in ran.err
