"""Text that somebody typed into a tool stays text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.reports.escape import csv_cell, md_escape, one_line, web_url

HOSTILE = [
    "![x](/graphql?query=mutation{launchRun})",
    "[click](javascript:alert(1))",
    "<img src=x onerror=alert(1)>",
    "a | b\n| c | d |",
    "```\ncode\n```",
    "# heading\r\n- list",
    "[ref]: http://evil.example",
    "&lt;script&gt;",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_punctuation_never_survives_unescaped(text: str) -> None:
    escaped = md_escape(text)
    for mark in "`*_{}[]()#!|<>&":
        assert escaped.count(mark) == escaped.count("\\" + mark)
    assert "\n" not in escaped
    assert "\r" not in escaped


@given(st.text(max_size=80))
def test_any_text_becomes_one_line_without_bare_addresses(text: str) -> None:
    escaped = md_escape("see https://evil.example/" + text)
    assert "://" not in escaped.replace("\\", "")
    assert len(escaped.splitlines()) == 1


@pytest.mark.parametrize("text", ["www.evil.example", "mail ada@acme.example now"])
def test_bare_addresses_are_not_linkable(text: str) -> None:
    plain = md_escape(text).replace("\\", "")
    assert "www." not in plain
    assert "a@" not in plain


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1", "\ufeff=1"])
def test_a_spreadsheet_cell_never_starts_a_formula(text: str) -> None:
    assert csv_cell(text).startswith("'")


@pytest.mark.parametrize("value", ["Ada", "ACME-12", "", None, 12])
def test_ordinary_cells_stay_as_they_are(value: object) -> None:
    assert csv_cell(value) == ("" if value is None else str(value))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "file:///etc/passwd",
        "https://",
        "http://[",
        "ht\ntps://x",
    ],
)
def test_only_web_addresses_become_links(url: str) -> None:
    assert web_url(url) == ""


def test_a_web_address_is_kept() -> None:
    assert web_url(" https://acme.example/browse/ACME-1 ") == "https://acme.example/browse/ACME-1"


def test_direction_overrides_and_long_texts_are_tamed() -> None:
    assert one_line("safe\u202egnp.exe\x00 end") == "safe gnp.exe end"
    assert one_line("x" * 300, limit=10) == "x" * 9 + "…"
