"""The store: order, bounds, secondary keys, all or nothing."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sandbox.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "w.sqlite")


def _fill(store: Store, count: int) -> None:
    rows = (
        (f"id{n:05d}", f"2026-01-01T00:00:{n % 10:02d}.000000Z", {"n": n, "_parent": f"p{n % 3}"}) for n in range(count)
    )
    store.put("s", "k", rows)


def test_a_scan_gives_every_document_once_in_order_of_stamp_and_id(store: Store) -> None:
    _fill(store, 2500)
    seen = [(doc["n"] % 10, doc["n"]) for doc in store.scan("s", "k")]
    assert seen == sorted(seen)
    assert len(seen) == 2500


def test_bounds_are_included_and_after_is_strict(store: Store) -> None:
    _fill(store, 100)
    since = "2026-01-01T00:00:08.000000Z"
    assert {doc["n"] % 10 for doc in store.scan("s", "k", since=since)} == {8, 9}
    assert {doc["n"] % 10 for doc in store.scan("s", "k", until="2026-01-01T00:00:01.000000Z")} == {0, 1}
    rest = [doc["n"] for doc in store.scan("s", "k", after=(since, "id00048"), limit=2)]
    assert rest == [58, 68]


def test_children_are_found_by_parent_and_keys_by_name(store: Store) -> None:
    _fill(store, 9)
    store.put("s", "issue", [("1", "x", {"id": "1", "key": "ACME-1", "_project": "ACME"})])
    assert {doc["n"] for doc in store.find("s", "k", "p1")} == {1, 4, 7}
    assert [doc["n"] for doc in store.find_all("s", "k", ["p2", "p0"])] == [0, 3, 6, 2, 5, 8]
    assert store.named("s", "issue", "ACME-1") == store.get("s", "issue", "1")
    assert store.count("s", "k", parent="p2") == 3
    assert next(store.find("s", "issue", "ACME"))["id"] == "1"


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def interrupted() -> None:
        with store.transaction():
            store.put("s", "k", [("a", "x", {})])
            store.put("new", "shelf", [("b", "x", {})])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert store.get("s", "k", "a") is None
    store.put("new", "shelf", [("b", "x", {"there": True})])
    assert store.get("new", "shelf", "b") == {"there": True}


def test_a_document_is_replaced_and_moves_with_its_stamp(store: Store) -> None:
    _fill(store, 3)
    store.put("s", "k", [("id00000", "2027", {"n": 0})])
    assert [doc["n"] for doc in store.scan("s", "k")] == [1, 2, 0]
    assert list(store.find("s", "k", "p0")) == []
    store.delete("s", "k", "id00000")
    assert store.count("s", "k") == 2


def test_readers_and_a_writer_share_one_file(store: Store) -> None:
    other = Store(store.path)
    thread = threading.Thread(target=lambda: _fill(store, 3000))
    thread.start()
    while thread.is_alive():
        assert other.count("s", "k") in {0, 3000}
    thread.join()
    assert other.count("s", "k") == 3000
