"""What each check says, by the receipts, findings and outcomes it is given."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from assets.verdicts import completeness, freshness, open_findings, quarantine, written
from hub.domain.findings import Finding, Severity
from hub.domain.records import Receipt

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def receipt(stream: str = "ACME", *, minutes: int = 5, counted: int = 10, held: int = 10, error: str = "") -> Receipt:
    read = NOW - timedelta(minutes=minutes)
    return Receipt(
        source="acme_jira", stream=stream, started_at=read, finished_at=read,
        source_count=counted, ledger_count=held, error=error, hint="is it up?" if error else "",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("minutes", "passed", "error"),
    [(5, True, False), (59, True, False), (61, False, False), (200, False, True)],
)
def test_a_source_is_fresh_for_an_hour_and_an_error_after_three(minutes: int, passed: bool, error: bool) -> None:
    verdict = freshness([receipt(minutes=minutes), receipt("SITE", minutes=1)], NOW)
    assert verdict.passed is passed
    assert (verdict.error and not verdict.passed) is error


def test_a_source_that_was_never_read_is_an_error() -> None:
    assert not freshness([], NOW).passed
    assert freshness([], NOW).error
    assert freshness([receipt("*", error="no answer")], NOW).error


def test_a_stream_that_failed_just_now_is_not_fresh() -> None:
    verdict = freshness([receipt(), receipt("SITE", error="no answer")], NOW)
    assert not verdict.passed
    assert "SITE" in verdict.sentence


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([receipt(counted=12)], "2 records of the source are missing"),
        ([receipt(held=11)], "holds 1 records the source does not count"),
        ([receipt(error="acme_jira does not answer")], "acme_jira does not answer. is it up?"),
        ([], "never read"),
    ],
)
def test_what_is_missing_is_an_error_with_its_reason(given: list[Receipt], words: str) -> None:
    verdict = completeness(given)
    assert not verdict.passed
    assert verdict.error
    assert words in verdict.sentence


def test_missing_records_are_named_and_no_count_is_needed_for_it() -> None:
    named = completeness([replace(receipt(counted=23), missing=("10001", "10002"))])
    assert "ACME: 13 records of the source are missing (10001, 10002, …)" in named.sentence
    uncounted = completeness([replace(receipt(), source_count=None, ledger_count=None, missing=("10001",))])
    assert (uncounted.passed, uncounted.sentence) == (False, "ACME: records of the source are missing (10001)")


def test_equal_counts_are_complete() -> None:
    assert completeness([receipt()]).passed


def finding(severity: Severity) -> Finding:
    return Finding(
        key=severity, kind="owner_conflict", item="i", title="t", severity=severity, summary="s", rule="r",
        next_move="m", next_who="ada", at=NOW,
    )  # fmt: skip


@pytest.mark.parametrize(("severities", "error"), [(["high", "low"], True), (["medium"], False), (["low"], False)])
def test_open_cases_of_high_severity_are_errors_others_warnings(severities: list[Severity], error: bool) -> None:
    verdict = open_findings([finding(s) for s in severities])
    assert not verdict.passed
    assert verdict.error is error


def test_no_open_case_passes() -> None:
    assert open_findings([]).passed


def test_quarantined_records_only_warn() -> None:
    assert quarantine(0).passed
    assert not quarantine(2).passed
    assert not quarantine(2).error


@pytest.mark.parametrize(
    ("outcomes", "passed", "error"),
    [
        ({}, True, False),
        ({"confirmed": 3, "already": 1}, True, False),
        ({"confirmed": 3, "refused_changed": 1}, False, False),
        ({"confirmed": 3, "unknown": 1}, False, True),
        ({"diverged": 1}, False, True),
    ],
)
def test_a_write_that_was_not_verified_shows(outcomes: dict[str, int], passed: bool, error: bool) -> None:
    verdict = written(outcomes)
    assert verdict.passed is passed
    assert verdict.error is error
