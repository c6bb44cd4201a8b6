"""Loading very many documents at once: the same store as one put document by document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.store import Row, Store, row_of

AT = "2026-11-01T00:00:00.000000Z"
LATER = "2026-11-02T00:00:00.000000Z"


def test_what_is_loaded_is_found_in_every_way(tmp_path: Path) -> None:
    store = Store(tmp_path / "world.sqlite")
    with store.loading() as load:
        load(row_of("jira", "issue", str(n), AT, {"id": str(n), "key": f"A-{n}", "_project": "A"}) for n in range(10))
        load([row_of("jira", "comment", "c1", LATER, {"id": "c1", "_parent": "3"})])
    assert store.count("jira", "issue") == 10
    assert (store.get("jira", "issue", "3") or {})["key"] == "A-3"
    assert (store.named("jira", "issue", "A-4") or {})["id"] == "4"
    assert [doc["id"] for doc in store.find("jira", "comment", "3")] == ["c1"]
    assert len(list(store.scan("jira", "issue", since=AT, parent="A"))) == 10


def test_the_last_of_two_rows_with_one_id_stands_and_earlier_documents_give_way(tmp_path: Path) -> None:
    store = Store(tmp_path / "world.sqlite")
    store.put("jira", "issue", [("1", AT, {"id": "1", "turn": 0}), ("2", AT, {"id": "2", "turn": 0})])
    with store.loading() as load:
        load([row_of("jira", "issue", "1", AT, {"id": "1", "turn": 1})])
        load([row_of("jira", "issue", "1", LATER, {"id": "1", "turn": 2})])
    assert [(doc["id"], doc["turn"]) for doc in store.scan("jira", "issue")] == [("2", 0), ("1", 2)]


def test_a_store_serves_and_takes_writes_after_loading(tmp_path: Path) -> None:
    store = Store(tmp_path / "world.sqlite")
    with store.loading() as load:
        load([row_of("jira", "issue", "1", AT, {"id": "1"})])
    store.put("jira", "issue", [("1", LATER, {"id": "1", "again": True})])
    assert list(store.scan("jira", "issue")) == [{"id": "1", "again": True}]
    other = Store(tmp_path / "world.sqlite")
    assert other.count("jira", "issue") == 1


def test_the_indexes_are_back_even_after_a_failed_load(tmp_path: Path) -> None:
    store = Store(tmp_path / "world.sqlite")

    def rows() -> Iterator[Row]:
        yield row_of("jira", "issue", "1", AT, {"id": "1"})
        raise ZeroDivisionError

    def fail() -> None:
        with store.loading() as load:
            load(rows())

    with pytest.raises(ZeroDivisionError):
        fail()
    store.put("jira", "issue", [("1", LATER, {"id": "1", "again": True})])
    assert store.count("jira", "issue") == 1
