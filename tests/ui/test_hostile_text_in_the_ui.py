"""Somebody types an attack into a tool; whoever opens the report in the browser sees words, nothing else."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from dagster import AssetMaterialization, DagsterInstance
from playwright.sync_api import Page, Request, expect

from assets.metadata import report_metadata
from assets.report import FINDINGS_REPORT
from hub.domain.findings import Finding
from hub.domain.records import Receipt
from hub.reports.content import ReportContent
from hub.reports.publish import ReportFiles

if TYPE_CHECKING:
    from conftest import Served

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(300), pytest.mark.xdist_group("ui")]

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ATTACKS = (
    "![x](/graphql?query=mutation)",
    "![y](http://evil.example/p.png) [go](javascript:alert(1))",
    "<img src=/graphql?z> | `x` |",
    "[go](https://evil.example) <https://evil.example/b>",
    "https://evil.example/a www.evil.example me@evil.example",
)


def content() -> ReportContent:
    findings = tuple(
        Finding(
            key=f"{number:020d}", kind="owner_conflict", item="item-1", title=attack, severity="high", summary=attack,
            rule="r", next_move=attack, next_who=attack, at=NOW,
        )
        for number, attack in enumerate(ATTACKS)
    )  # fmt: skip
    receipts = tuple(
        Receipt(source="ops_mail", stream="*", started_at=NOW, finished_at=NOW, error=attack) for attack in ATTACKS
    )
    return ReportContent(at=NOW, findings=findings, receipts=receipts)


def test_it_is_only_words(page: Page, served: Served) -> None:
    metadata = report_metadata(content(), ReportFiles(html=Path("report.html"), csv={}), "")
    with DagsterInstance.from_config(str(served.home)) as instance:
        instance.report_runless_asset_event(AssetMaterialization(FINDINGS_REPORT, metadata=metadata))

    asked: list[str] = []
    page.on("request", lambda request: asked.append(_told(request)))
    page.goto(f"{served.address}/assets/findings_report")
    page.get_by_text("[Show Markdown]").first.click()
    expect(page.get_by_role("heading", name=re.compile("open findings"))).to_be_visible()
    expect(page.get_by_role("heading", name="Who should do what")).to_be_visible()

    assert page.locator("img").count() == 0
    targets = [str(link.get_attribute("href")) for link in page.locator("a[href]").all()]
    assert not [t for t in targets if "evil" in t or t.startswith(("javascript:", "mailto:"))]
    assert not [a for a in asked if "evil" in a or ("GET" in a and "graphql?" in a)]


def _told(request: Request) -> str:
    return f"{request.method} {request.url}"
