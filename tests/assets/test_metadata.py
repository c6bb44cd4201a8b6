"""What the UI is given: numbers first, at most twenty rows, and no text from a tool as Markdown."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from dagster import IntMetadataValue, MarkdownMetadataValue, TextMetadataValue, UrlMetadataValue
from ruamel.yaml import YAML

from assets.metadata import approval_markdown, launchpad, report_markdown, report_metadata, table
from hub.domain.findings import Finding
from hub.domain.plans import Plan
from hub.domain.records import Receipt
from hub.reports.content import ReportContent, TrendPoint
from hub.reports.publish import ReportFiles

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
NASTY = "![x](/graphql?query=mutation{launch}) <img src=x> | [a](https://evil.example) https://evil.example\n# x"


def content(count: int = 1) -> ReportContent:
    findings = tuple(
        Finding(
            key=f"{n:020d}", kind="owner_conflict", item=f"item-{n}", title=NASTY, severity="high", summary=NASTY,
            rule="r", next_move=NASTY, next_who=NASTY, at=NOW,
        )
        for n in range(count)
    )  # fmt: skip
    receipts = (Receipt(source="ops_mail", stream="*", started_at=NOW, finished_at=NOW, error=NASTY, hint=NASTY),)
    trend = (TrendPoint(at=NOW, kind="owner_conflict", open=count),)
    return ReportContent(at=NOW, findings=findings, receipts=receipts, trend=trend)


def test_hostile_text_adds_no_image_link_or_html_to_the_summary() -> None:
    text = report_markdown(content())
    ours = re.sub(r"\\.", "", text)
    assert re.findall(r"!\[[^\]]*\]\(([^;)]*)", ours) == ["data:image/svg+xml"]
    assert "<" not in ours
    assert "://" not in ours
    assert ours.count("](") == 1


def test_the_numbers_come_first_so_that_they_plot_over_time() -> None:
    files = ReportFiles(html=Path("reports/report.html"), csv={})
    values = list(report_metadata(content(), files, "").values())
    assert all(isinstance(v, int | IntMetadataValue) for v in values[:7])


def test_the_full_report_is_a_link_only_when_it_is_served_over_http() -> None:
    files = ReportFiles(html=Path("reports/report.html"), csv={})
    assert isinstance(report_metadata(content(), files, "http://127.0.0.1:9/r.html")["full_report"], UrlMetadataValue)
    assert isinstance(report_metadata(content(), files, "javascript:alert(1)")["full_report"], TextMetadataValue)
    assert isinstance(report_metadata(content(), files, "")["summary"], MarkdownMetadataValue)


def test_tables_hold_twenty_short_lines_at_most() -> None:
    made = table({"text": "x" * 500 + "\n", "number": n} for n in range(60))
    assert len(made.records) == 20
    assert len(str(made.records[0].data["text"])) == 160
    assert [c.type for c in made.schema.columns] == ["string", "int"]


def test_an_empty_table_is_a_table() -> None:
    assert table([]).records == []


def test_a_plan_says_how_to_approve_it_with_the_launchpad_filled_in() -> None:
    plan = Plan(created_at=NOW, expires_at=NOW + timedelta(hours=24), base_seq=1, charter_digest="", changes=())
    assert launchpad(plan.id) in approval_markdown(plan, ())
    config = YAML(typ="safe").load(parse_qs(urlsplit(launchpad(plan.id)).query)["config"][0])
    assert config == {"ops": {"record_approval": {"config": {"plan": plan.id, "code": ""}}}}


def test_a_braked_plan_offers_no_way_to_approve() -> None:
    plan = Plan(created_at=NOW, expires_at=NOW, base_seq=1, charter_digest="", changes=())
    text = approval_markdown(plan, [("max_changes", "60 changes, at most 50")])
    assert "max\\_changes" in text
    assert "playground" not in text


def test_an_empty_hub_has_a_summary_without_a_drawing() -> None:
    text = report_markdown(replace(content(), findings=(), receipts=(), trend=()))
    assert "no open finding" in text
    assert "data:image" not in text
