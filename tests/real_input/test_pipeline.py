"""A CRM export becomes a Salesforce org, and the command that measures real input ends as it says."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from benchmarks.real_input import page
from benchmarks.real_input.__main__ import ended, main
from benchmarks.real_input.crm import pipeline
from benchmarks.real_input.measure import Cost, Row

TEAMS = """\
sales_agent,manager,regional_office
Anna Snelling,Dustin Brinkmann,Central
Boris Faz,Dustin Brinkmann,Central
Wilburn Farren,Cara Losch,East
"""
ACCOUNTS = "account,sector\nAcme Corporation,technolgy\n"
PIPELINE = """\
opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value
AAAA0001,Anna Snelling,GTXPro,Acme Corporation,Won,2016-10-20,2017-03-01,1054
AAAA0002,Anna Snelling,GTXPro,Acme Corporation,Engaging,2016-10-25,,
AAAA0003,Boris Faz,MG Special,,Prospecting,,,
AAAA0004,Boris Faz,MG Special,,Lost,2016-10-25,2017-03-07,0
"""


def exported(folder: Path) -> Path:
    """The files of the export."""
    folder.mkdir(parents=True)
    (folder / "sales_teams.csv").write_text(TEAMS, encoding="utf-8")
    (folder / "accounts.csv").write_text(ACCOUNTS, encoding="utf-8")
    with gzip.open(folder / "sales_pipeline.csv.gz", "wt", encoding="utf-8") as file:
        file.write(PIPELINE)
    return folder


def test_owners_and_open_deals_are_those_of_the_export(tmp_path: Path) -> None:
    synced = pipeline(exported(tmp_path / "crm"))
    counted = {"records": 4, "agents": 3, "owning nothing": 1, "open": 2, "conflicts": 0, "unmapped": 0}
    assert synced.hub == counted
    assert synced.equal
    assert synced.again.new_observations == 0


def test_without_data_one_line_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "page.md"
    assert main(["--data", str(tmp_path), "--page", str(target)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert "helpdesk.csv.gz" in said.err
    assert not target.exists()


def row(**changed: Any) -> Row:
    """A measured log on which all agree, but for what is changed."""
    cost = Cost(pull=1.0, reconcile=2.0, calls=30, new_observations=40)
    same = {"cases": 2, "events": 1_000}
    agreed = {
        "name": "a.csv",
        "hub": same,
        "check": same,
        "differences": (),
        "first": cost,
        "again": replace(cost, calls=5, new_observations=0),
        "load": 3.0,
    }
    return Row(**(agreed | changed))


def test_the_page_shows_both_counts_and_what_they_cost() -> None:
    text = page.page([row()], date(2026, 11, 21))
    counted = "cases 2 · events 1,000"
    assert f"| a.csv | 2 | 1,000 | {counted} | {counted} | yes | 3.0 | 1.0 | 2.0 | 30 | 0, 5, 3.0 |" in text
    assert "Nothing differs" in text
    assert "2026-11-21" in text


def test_whatever_differs_is_listed_and_only_the_explained_is_no_failure() -> None:
    explained = row(explained=("T1: late 0 against 1",))
    wrong = row(differences=("T2: late 0 against 1",))
    loud = row(again=replace(row().again, new_observations=7))
    assert [ended([each]) for each in (row(), explained, wrong, loud)] == [0, 0, 1, 1]
    assert page.verdict([explained]) == "Differences that whole seconds explain:\n- a.csv: T1: late 0 against 1"
    assert page.verdict([row(), wrong]) == "Differences:\n- a.csv: T2: late 0 against 1"
    assert "7 new observations" in page.verdict([loud])
    assert not explained.equal
    assert "**no** (1 differ, 0 explained)" in page.table([wrong])
    assert ended([row(hub={"cases": 3, "events": 1_000})]) == 1
