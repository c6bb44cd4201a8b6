"""Formulas that would hold up a careless server."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from sandbox.airtable.formula import compiled, row_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def matches(formula: str) -> bool:
    test = compiled(formula, fields={"Name": "fldName"}, modified_fields=frozenset(), now=NOW).test
    return test(row_of({"id": "rec1", "createdTime": "2026-01-01T00:00:00.000Z", "fields": {"fldName": "a" * 5000}}))


@pytest.mark.parametrize(
    "function", ["REGEX_MATCH({Name} & '!', '^(a+)+$')", "REGEX_REPLACE({Name} & '!', '(a+)+$', 'x') = ''"]
)
def test_no_pattern_takes_longer_than_its_text(function: str) -> None:
    began = time.process_time()
    assert not matches(function)
    assert time.process_time() - began < 2


def test_patterns_of_the_services_own_engine_work_and_others_do_not() -> None:
    assert matches("REGEX_MATCH({Name}, '^a{3,}')")
    assert matches("REGEX_EXTRACT({Name} & '12', '[0-9]+') = '12'")
    assert matches("REGEX_REPLACE('a.b.c', '[.]', '-') = 'a-b-c'")
    for pattern in ("(", "(?=a)a"):  # the second is no pattern of RE2
        assert not matches(f"REGEX_MATCH({{Name}}, '{pattern}')")
