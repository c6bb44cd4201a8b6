"""Numbers, tables, trend, CSV and files of a report."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from hub.domain.findings import FINDING_KINDS
from hub.reports.content import ReportContent
from hub.reports.csv import findings_csv, plan_csv, rows_csv
from hub.reports.publish import write_report
from hub.reports.tables import KINDS, finding_rows, headline, task_groups
from hub.reports.trend import trend_svg


def test_every_kind_has_a_name_people_understand() -> None:
    assert set(KINDS) == set(FINDING_KINDS)


def test_seven_numbers_come_first(content: ReportContent) -> None:
    assert headline(content) == {
        "open_findings": 2,
        "owner_conflicts": 2,
        "missed_handoffs": 0,
        "duplicate_updates": 0,
        "proposed_changes": 1,
        "sources_with_problems": 1,
        "quarantined_records": 1,
    }


def test_a_plan_that_is_done_proposes_nothing(content: ReportContent) -> None:
    assert content.plan is not None
    assert headline(replace(content, plan=replace(content.plan, state="applied")))["proposed_changes"] == 0


def test_urgent_findings_come_before_old_ones(content: ReportContent) -> None:
    assert [row["severity"] for row in finding_rows(content, content.findings)] == ["high", "low"]


def test_tasks_are_grouped_by_the_person_who_should_act(content: ReportContent) -> None:
    assert [(who, len(found)) for who, found in task_groups(content)] == [
        ("Ada Lovelace", 1),
        ("nobody named", 1),
    ]


def test_the_trend_is_one_well_formed_drawing_without_the_kinds_that_never_occurred(
    content: ReportContent,
) -> None:
    svg = trend_svg(content.trend)
    assert ET.fromstring(svg).tag.endswith("svg")
    assert "Owner conflicts" in svg
    assert "Ghost owners" not in svg


def test_without_runs_there_is_no_trend() -> None:
    assert trend_svg(()) == ""


def test_csv_lists_every_finding_and_defuses_formulas(content: ReportContent) -> None:
    rows = list(csv.DictReader(io.StringIO(findings_csv(content), newline="")))
    assert [row["severity"] for row in rows] == ["high", "low"]
    assert rows[0]["records"] == "acme_jira:10042 acme_salesforce:500000000000001AAA"
    plan = list(csv.DictReader(io.StringIO(plan_csv(content), newline="")))
    assert plan[0]["item"].startswith("'=cmd")


def test_no_rows_no_csv() -> None:
    assert rows_csv([]) == ""


def test_files_are_written_below_the_artifacts(content: ReportContent, tmp_path: Path) -> None:
    files = write_report(content, tmp_path)
    assert files.html.read_text(encoding="utf-8") == (tmp_path / "latest.html").read_text(encoding="utf-8")
    assert set(files.csv) == {"findings", "plan", "receipts"}
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize(
    ("base", "link"),
    [
        ("https://hub.example/files/", "https://hub.example/files/report-20261120-0900.html"),
        ("javascript:alert(1)", ""),
        (None, ""),
    ],
)
def test_only_a_served_report_has_a_link(content: ReportContent, tmp_path: Path, base: str | None, link: str) -> None:
    assert write_report(content, tmp_path).link(base) == link
