"""The HTML report shows everything, runs nothing and asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

from hub.reports.content import ReportContent
from hub.reports.html import render_html


class _Page(HTMLParser):
    """Tags and link targets of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.targets: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.targets += [value or "" for name, value in attrs if name in {"src", "href", "action"}]


def test_the_report_shows_findings_evidence_tasks_plan_and_receipts(content: ReportContent) -> None:
    page = render_html(content)
    for text in (
        "Landing page", "Jira says Bob, Salesforce says Ada", "Ask Bob to hand the landing page back to Ada",
        "survivorship.owner.by_phase.Build", "Ada Lovelace", "plan-0123456789ab", "Jira decides during Build",
        "studio_airtable does not answer", "is the service up?", "nobody named", "2026-11-20 09:00 UTC",
    ):  # fmt: skip
        assert text in page


def test_hostile_text_stays_text(content: ReportContent) -> None:
    page = render_html(content)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;b&gt;cut&lt;/b&gt;" in page


def test_nothing_is_loaded_from_anywhere_and_links_are_web_addresses(content: ReportContent) -> None:
    page = _Page(render_html(content))
    assert not page.tags & {"script", "link", "iframe", "object", "form"}
    assert all(t.startswith(("#", "data:image/svg+xml;base64,", "https://acme.example/")) for t in page.targets)


def test_the_policy_allows_only_the_style_that_is_in_the_page(content: ReportContent) -> None:
    page = render_html(content)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    allowed = re.search(r"default-src 'none'; style-src 'sha256-([^']+)'", page)
    assert style is not None
    assert allowed is not None
    assert base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode() == allowed[1]


def test_an_empty_hub_gives_a_friendly_page(content: ReportContent) -> None:
    page = render_html(replace(content, findings=(), receipts=(), quarantined=(), trend=(), plan=None))
    assert "Nothing to do" in page
    assert "proposes no change" in page
