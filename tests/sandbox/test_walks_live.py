"""Large results keep their place: records come once, as they are, while others change them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from sandbox.store import Store
from sandbox.walks import Page, Span, Walk, Walks


def at(minute: int) -> str:
    return f"2026-01-{1 + minute // 1440:02d}T{minute // 60 % 24:02d}:{minute % 60:02d}:00.000000Z"


OPENED, LATER = at(20_000), at(20_001)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    held = Store(tmp_path / "world.sqlite")
    held.put("org", "Case", [(f"{n:04d}", at(n // 3), {"Id": f"{n:04d}", "n": 0}) for n in range(600)])
    yield held
    held.close()


def opened(walks: Walks[str], **bounds: Any) -> Walk[str]:
    return walks.open_span("ada", Span(space="org", kind="Case", **bounds), "plan", total=600, opened=OPENED)


def pages(walks: Walks[str], walk: Walk[str], size: int) -> Iterator[Page]:
    start: int | None = 0
    while start is not None:
        page = walks.read(walk, start, size, space="org", kind="Case")
        assert page is not None
        yield page
        start = page.next


def ids(page: Page) -> list[str]:
    return [str(doc["Id"]) for doc in page.docs]


def test_a_quiet_walk_serves_everything_in_order_and_can_be_asked_again(store: Store) -> None:
    walks: Walks[str] = Walks(store)
    walk = opened(walks)
    seen = [ids(page) for page in pages(walks, walk, 50)]
    assert [len(part) for part in seen] == [50] * 12
    assert list(chain.from_iterable(seen)) == [f"{n:04d}" for n in range(600)]
    again = walks.read(walk, 100, 50, space="org", kind="Case")
    assert again is not None
    assert ids(again) == seen[2]
    assert walks.read(walk, 101, 50, space="org", kind="Case") is None


@pytest.mark.parametrize("stamp", [LATER, OPENED])  # a clock that stands still gives the same stamp again
def test_an_edited_record_comes_once_at_its_old_place_as_it_is_now(store: Store, stamp: str) -> None:
    walks: Walks[str] = Walks(store)
    walk = opened(walks)
    seen: list[dict[str, Any]] = []
    for nth, page in enumerate(pages(walks, walk, 100)):
        seen += page.docs
        if nth == 1:
            for id_ in ("0050", "0450"):  # one behind us, one to come; twice
                for n in (1, 2):
                    store.put("org", "Case", [(id_, stamp, {"Id": id_, "n": n})])
    assert [doc["Id"] for doc in seen] == [f"{n:04d}" for n in range(600)]
    assert {doc["Id"]: doc["n"] for doc in seen if doc["n"]} == {"0450": 2}


def test_deleted_records_are_left_out_and_new_ones_not_seen(store: Store) -> None:
    walks: Walks[str] = Walks(store)
    walk = opened(walks)
    seen: list[str] = []
    for nth, page in enumerate(pages(walks, walk, 100)):
        seen += ids(page)
        if nth == 0:
            store.delete("org", "Case", "0300")
            store.put("org", "Case", [("9999", LATER, {"Id": "9999"})])
    assert seen == [f"{n:04d}" for n in range(600) if n != 300]


def test_bounds_conditions_and_the_order_of_ids(store: Store) -> None:
    walks: Walks[str] = Walks(store)
    even = opened(walks, since=at(10), until=at(100), test=lambda doc: int(doc["Id"]) % 2 == 0)
    assert list(chain.from_iterable(ids(page) for page in pages(walks, even, 7))) == [
        f"{n:04d}" for n in range(30, 303, 2)
    ]
    by_id = opened(walks, by_id=True)
    store.put("org", "Case", [("0007", LATER, {"Id": "0007"})])
    assert list(chain.from_iterable(ids(page) for page in pages(walks, by_id, 99))) == [f"{n:04d}" for n in range(600)]


def test_whatever_happens_meanwhile_untouched_records_come_once_and_nobody_twice(store: Store) -> None:
    for seed in range(40):
        rng = random.Random(seed)
        walks: Walks[str] = Walks(store)
        before = {str(doc["Id"]) for doc in store.scan("org", "Case")}
        newest = max(store.page("org", "Case", size=10_000))[0]
        walk = walks.open_span("ada", Span(space="org", kind="Case"), "plan", total=len(before), opened=newest)
        seen: list[str] = []
        touched: set[str] = set()
        clock = 20_000 + 100 * seed
        for page in pages(walks, walk, rng.randint(5, 90)):
            seen += ids(page)
            for _ in range(rng.randint(0, 6)):
                clock += rng.randint(0, 1)
                id_ = f"{rng.randrange(620):04d}"
                touched.add(id_)
                if rng.random() < 0.2:
                    store.delete("org", "Case", id_)
                else:
                    store.put("org", "Case", [(id_, at(clock), {"Id": id_, "n": clock})])
        assert len(seen) == len(set(seen))
        assert before - touched <= set(seen)
        walks.forget(walk.name)


def test_spans_are_counted_right_however_they_change(tmp_path: Path) -> None:
    store = Store(tmp_path / "world.sqlite")
    rng = random.Random(5)
    held: dict[str, tuple[str, bool]] = {}
    for _ in range(1500):
        id_, stamp, gone = f"{rng.randrange(300):03d}", at(rng.randrange(9000)), rng.random() < 0.1
        if rng.random() < 0.1:
            store.delete("org", "Case", id_)
            held.pop(id_, None)
        else:
            store.put("org", "Case", [(id_, stamp, {"Id": id_, "IsDeleted": gone})])
            held[id_] = (stamp, gone)
    assert store.count("org", "Case") == len(held)
    for _ in range(200):
        low, high = sorted((at(rng.randrange(9000)), at(rng.randrange(9000))))
        since, until = rng.choice([(low, high), (None, high), (low, None), (None, None)])
        inside = [gone for stamp, gone in held.values() if (since or "") <= stamp <= (until or "~")]
        assert store.span("org", "Case", since=since, until=until) == len(inside)
        assert store.span("org", "Case", since=since, until=until, with_gone=False) == inside.count(False)
    store.close()
