"""Findings live: opened, seen again, resolved, reopened. Derived tables are replaced as a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from hub.domain.findings import FINDING_KINDS
from hub.errors import InternalFault
from hub.ledger import FindingChanges, Ledger
from hub.ledger.derived import DERIVED


def test_the_life_of_a_finding(ledger: Ledger, scene: Any, sql: Callable[[str], list[tuple[Any, ...]]]) -> None:
    assert ledger.record_findings("r1", scene.wrong("b", "a"), scene.at(1)) == FindingChanges(opened=("a", "b"))
    assert ledger.record_findings("r2", scene.wrong("a", "b"), scene.at(2)) == FindingChanges()
    assert ledger.record_findings("r3", scene.wrong("a"), scene.at(3)) == FindingChanges(resolved=("b",))
    assert ledger.record_findings("r4", scene.wrong("a"), scene.at(4)) == FindingChanges()
    assert ledger.record_findings("r5", scene.wrong("a", "b"), scene.at(5)) == FindingChanges(reopened=("b",))

    a, b = sorted(ledger.findings(), key=lambda f: f.key)
    assert (a.state, a.first_seen, a.last_seen, a.seen) == ("open", scene.at(1), scene.at(5), 5)
    assert (b.state, b.first_seen, b.last_seen, b.seen) == ("reopened", scene.at(1), scene.at(5), 3)
    steps = sql("SELECT key, transition, run FROM finding_event ORDER BY seq")
    assert steps == [
        ("a", "opened", "r1"), ("b", "opened", "r1"), ("b", "resolved", "r3"), ("b", "reopened", "r5"),
    ]  # fmt: skip


def test_a_finding_comes_back_whole(ledger: Ledger, scene: Any) -> None:
    ledger.record_findings("r1", scene.wrong("a", summary="first\0"), scene.at())
    ledger.record_findings("r2", scene.wrong("a", summary="then", severity="low"), scene.at())

    (found,) = ledger.findings()

    assert (found.summary, found.severity, found.title) == ("then", "low", "Title a")
    assert (found.from_person, found.to_person, found.at, found.due) == ("ada", None, scene.at(), None)
    assert found.refs == (("jira", "1"),)
    assert found.evidence == ({"source": "jira", "value": "\ud800 \0"},)


def test_findings_are_chosen_by_kind_state_and_key(ledger: Ledger, scene: Any) -> None:
    several = pa.concat_tables(
        [
            scene.wrong("c", severity="low"),
            scene.wrong("a", "b"),
            scene.wrong("g", kind="ghost_owner", severity="medium"),
        ]
    )
    ledger.record_findings("r1", pa.concat_tables([several, scene.wrong("gone")]), scene.at())
    ledger.record_findings("r2", several, scene.at())

    def keys(**chosen: Any) -> list[str]:
        return [f.key for f in ledger.findings(**chosen)]

    assert keys() == ["a", "b", "g", "c"]
    assert keys(kind="ghost_owner") == ["g"]
    assert keys(states=("resolved",)) == ["gone"]
    assert keys(keys=["c", "a", "gone", "never"]) == ["a", "c"]
    assert keys(keys=[]) == []
    assert ledger.finding_counts() == {"ghost_owner": 1, "owner_conflict": 3}


def test_the_trend_comes_down_to_zero(ledger: Ledger, scene: Any) -> None:
    for n, wrong in enumerate([scene.wrong("a", "b"), scene.wrong("a"), scene.wrong()]):
        ledger.record_findings(f"r{n}", wrong, scene.at(n))

    rows = [r for r in ledger.trend().to_pylist() if r["kind"] == "owner_conflict"]
    assert [(r["run"], r["at"], r["open"]) for r in rows] == [
        ("r0", scene.at(0), 2), ("r1", scene.at(1), 1), ("r2", scene.at(2), 0),
    ]  # fmt: skip
    assert ledger.trend(limit=2).num_rows == 2 * len(FINDING_KINDS)
    assert set(ledger.trend(limit=1).column("run").to_pylist()) == {"r2"}
    assert ledger.finding_counts() == {}


def test_thousands_of_findings(ledger: Ledger, scene: Any) -> None:
    many = [f"k{n:05}" for n in range(3000)]
    assert len(ledger.record_findings("r1", scene.wrong(*many), scene.at()).opened) == 3000
    changes = ledger.record_findings("r2", scene.wrong(*many[1500:], summary="else"), scene.at(1))
    assert (len(changes.resolved), len(changes.reopened)) == (1500, 0)
    changes = ledger.record_findings("r3", scene.wrong(*many), scene.at(2))
    assert len(changes.reopened) == 1500
    assert len(ledger.findings(keys=many)) == 3000


def test_derived_tables_are_replaced_as_a_whole(ledger: Ledger, scene: Any) -> None:
    for name, schema in DERIVED.items():
        assert ledger.derived(name).schema == schema
        assert ledger.derived(name).num_rows == 0

    def links(count: int) -> pa.Table:
        rows = [
            {
                "item": f"i{n}",
                "source": "jira",
                "record": str(n),
                "how": "reference",
                "score": 1.0,
                "evidence": "\ud83d"[:0],
            }
            for n in range(count)
        ]
        return pa.Table.from_pylist(rows, DERIVED["link"])

    items = DERIVED["work_item"].empty_table()
    ledger.store_derived("r1", {"link": links(250_001), "work_item": items}, scene.at())
    assert ledger.derived("link").equals(links(250_001))
    assert ledger.derived("work_item").equals(items)

    ledger.store_derived("r2", {"link": links(2)}, scene.at())
    assert ledger.derived("link").equals(links(2))


def test_a_derived_table_that_lacks_a_column_replaces_nothing(ledger: Ledger, scene: Any) -> None:
    with pytest.raises(InternalFault, match="lacks evidence"):
        ledger.store_derived("r", {"link": DERIVED["link"].empty_table().drop_columns(["evidence"])}, scene.at())
    with pytest.raises(InternalFault, match="'linx'"):
        ledger.derived("linx")
