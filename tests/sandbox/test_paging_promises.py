"""The referee of the paging histories sees each promise broken: a toy tool breaks them one by one."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from paging_histories import History, Page

SIZE = 4


@dataclass(slots=True)
class Toy:
    """Sixteen records, walked by a list of ids noted at the opening; `breaks` names what it does wrong."""

    breaks: str
    size: int = SIZE
    records: dict[str, tuple[str, bool]] = field(default_factory=dict)
    walk: list[str] = field(default_factory=list)
    made: int = 0

    def start(self) -> dict[str, tuple[str, bool]]:
        self.records = {str(n): (f"v{n}", n % 3 != 0) for n in range(16)}
        return dict(self.records)

    def open(self) -> Page:
        self.walk = [id_ for id_, (_, fits) in self.records.items() if fits or self.breaks == "never fitted"]
        if self.breaks == "untouched":
            del self.walk[5]
        return self.further("0")

    def further(self, next_: str) -> Page:
        start = int(next_)
        ids = self.walk[start : start + SIZE]
        rows = [(id_, self.records[id_][0]) for id_ in ids if id_ in self.records]
        if self.breaks == "never existed" and start:
            rows = [*rows[:3], ("ghost", "v")]
        if self.breaks == "never was" and start:
            rows = [(id_, "stale") for id_, _ in rows]
        if self.breaks == "twice":
            rows = [*rows[:2], *rows[:1]]
        if self.breaks == "rows on a page":
            rows = [(id_, self.records[id_][0]) for id_ in self.walk[start:] if id_ in self.records]
        if self.breaks == "of a walk over":
            return Page(rows=[], next=next_)
        return Page(rows=rows, next=str(start + SIZE) if start + SIZE < len(self.walk) else "")

    def change(self, id_: str, version: str, *, fits: bool) -> None:
        self.records[id_] = (version, fits)

    def create(self, version: str, *, fits: bool) -> str:
        self.made += 1
        self.records[f"new{self.made}"] = (version, fits)
        return f"new{self.made}"

    def remove(self, id_: str) -> None:
        del self.records[id_]


def _played(breaks: str) -> None:
    for seed in range(20):
        rng = random.Random(seed)
        History(Toy(breaks), rng).play()


def test_a_tool_that_keeps_the_promises_passes() -> None:
    _played("nothing")


@pytest.mark.parametrize(
    "breaks",
    ["never existed", "never fitted", "never was", "twice", "rows on a page", "untouched", "of a walk over"],
)
def test_a_broken_promise_is_seen_and_named(breaks: str) -> None:
    with pytest.raises(AssertionError, match=breaks):
        _played(breaks)
