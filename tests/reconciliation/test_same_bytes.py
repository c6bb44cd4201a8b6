"""The same statements give the same bytes, in any order and however often they are repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciliation import columns
from reconciliation.run import Reconciled, reconcile

AS_OF = datetime(2026, 9, 30, 12, tzinfo=UTC)

WORLD = """
09-01 09:00 jira A1 title "Landing page of the harvest campaign"
09-01 09:00 jira A1 identifier ACME-1
09-01 09:00 jira A1 phase Brief ada
09-01 09:00 jira A1 status Open ada
09-01 09:00 jira A1 owner ada ada
09-01 09:10 sf   A2 title "landing page of the HARVEST campaign"
09-01 09:10 sf   A2 owner ada ada
09-01 09:05 air  A3 reference ACME-1
09-01 09:05 air  A3 owner ada
09-10 09:05 air  A3 owner ada,grace
09-12 10:00 sf   A2 owner bob ada
09-12 10:07 jira A1 owner bob ada
09-12 10:07 jira A1 phase Build ada
09-13 10:07 jira A1 owner ada bob
09-14 10:00 jira A1 update "Fewer pictures on page two, please" bob
09-14 11:00 sf   A2 update "FYI: fewer pictures on page two please" bob
09-15 10:00 sf   A2 approval#p pending ada
09-15 10:00 sf   A2 approver#p grace ada
09-16 10:00 sf   A2 approval#p pending ada
09-01 09:00 jira B1 title Ghost
09-01 09:00 jira B1 owner eve eve
09-01 09:00 jira C1 title Orphan
09-01 09:00 jira C1 phase QA ada
09-01 09:00 jira C1 owner - ada
09-01 09:00 jira D1 title Stranger
09-01 09:00 jira D1 owner contractor ada
09-01 09:00 mail m1 title "A thread"
09-01 09:00 mail m1 owner ada@acme.example ada@acme.example event
09-20 09:00 mail m1 owner bob@acme.example ada@acme.example event
"""

_RULES: dict[str, dict[str, Any]] = {
    "owners tell": {},
    "acts tell": {"handoffs": {"detect": "actor_change", "returned_within": "0d"}},
}


def tables(result: Reconciled) -> dict[str, pa.Table]:
    return {f.name: getattr(result, f.name) for f in fields(result) if f.name != "counts"}


@pytest.fixture(scope="module", params=_RULES, ids=lambda name: name.replace(" ", "_"))
def judged(request: Any, agreed: Callable[..., Any]) -> Callable[[pa.Table], Reconciled]:
    charter = agreed(**_RULES[request.param])
    return lambda table: reconcile(table, charter, as_of=AS_OF)


@pytest.fixture(scope="module")
def expected(judged: Callable[[pa.Table], Reconciled], statements: Callable[[str], pa.Table]) -> Reconciled:
    return judged(statements(WORLD))


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_order_and_repetition_change_nothing(
    judged: Callable[[pa.Table], Reconciled],
    expected: Reconciled,
    statements: Callable[[str], pa.Table],
    data: st.DataObject,
) -> None:
    table = statements(WORLD)
    rows = data.draw(st.permutations(range(table.num_rows)))
    told_again = [n for n in range(table.num_rows) if table.column("origin")[n].as_py() != "snapshot"]
    repeated = data.draw(st.lists(st.sampled_from(told_again), max_size=8))
    again = table.take(pa.array(repeated, pa.int64()))
    again = again.set_column(0, "seq", pa.array([1000 + n for n in range(len(repeated))], pa.int64()))
    result = judged(pa.concat_tables([again, table.take(rows)]))
    assert tables(result) == tables(expected)


def test_every_kind_of_result_is_there(expected: Reconciled) -> None:
    assert all(table.num_rows for table in tables(expected).values())


def test_outputs_have_their_columns(expected: Reconciled) -> None:
    assert {name: table.schema for name, table in tables(expected).items()} == {
        name: getattr(columns, name.upper()) for name in tables(expected)
    }


def test_nothing_in_nothing_out(judged: Callable[[pa.Table], Reconciled]) -> None:
    result = judged(columns.OBSERVATION.empty_table())
    assert [table.num_rows for table in tables(result).values()] == [0] * 7
    assert set(result.counts.values()) == {0}
