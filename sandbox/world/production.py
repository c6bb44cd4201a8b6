"""Produces the rows of many items, in this process or in several; what comes out is the same, in the same order."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context

import orjson

from sandbox.store import Row, row_of
from sandbox.world import faults, flat
from sandbox.world.course import Setting, tell
from sandbox.world.identifiers import Mint
from sandbox.world.projection import Stage, copies_of, perform, records_of, stage

_AT_ONCE = 250  # items in one portion
_AHEAD = 2  # portions under way for each process: enough to keep it busy, few enough to fit in memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """What became of some items: their rows, and lines of JSON for the answer key and the truth."""

    rows: list[Row]
    key: list[bytes]
    items: list[bytes]


class Workshop:
    """Tells and projects the items of one world."""

    def __init__(self, setting: Setting) -> None:
        """Find out once what all items share."""
        shape = setting.shape
        self.setting = setting
        self.stage: Stage = stage(Mint(setting.seed), setting.company, shape.items)
        self._planted = faults.assign(setting.seed, shape.items, shape) if shape.flat is None else {}

    def portion(self, start: int, stop: int) -> Portion:
        """Make the items of a range of numbers."""
        with _uncollected():
            return self._told(start, stop) if self.setting.shape.flat is None else self._flat(start, stop)

    def _flat(self, start: int, stop: int) -> Portion:
        now, shape = self.setting.now, self.setting.shape
        rows = [
            row_of(*document)
            for number in range(start, stop)
            for document in flat.perform(self.stage, number, of=shape.flat or 1, now=now, months=shape.months)
        ]
        items = [orjson.dumps(flat.records(self.stage, number)) for number in range(start, stop)]
        return Portion(rows=rows, key=[], items=items)

    def _told(self, start: int, stop: int) -> Portion:
        rows: list[Row] = []
        key: list[bytes] = []
        items: list[bytes] = []
        for number in range(start, stop):
            story = tell(self.setting, number, self._planted.get(number))
            records = records_of(self.stage.mint, story)
            if story.fault is not None:
                key.append(orjson.dumps({"kind": story.fault, "records": records, "detail": story.detail}))
            items.append(orjson.dumps(records + copies_of(self.stage, story)))
            rows += [row_of(*document) for document in perform(self.stage, story)]
        return Portion(rows=rows, key=key, items=items)


def produce(setting: Setting, *, processes: int) -> Iterator[Portion]:
    """Give all items of a world portion by portion, in order of their numbers, made by so many processes."""
    items = setting.shape.items if setting.shape.flat is None else setting.shape.flat
    ranges = ((start, min(start + _AT_ONCE, items)) for start in range(0, items, _AT_ONCE))
    if processes < 2:
        workshop = Workshop(setting)
        for start, stop in ranges:
            yield workshop.portion(start, stop)
        return
    # Processes are started afresh, since a copy of one with running servers may hang on a lock of theirs.
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _open, (setting,))
    with pool:
        under_way: deque[Future[Portion]] = deque()
        for start, stop in ranges:
            under_way.append(pool.submit(_portion, start, stop))
            if len(under_way) >= processes * _AHEAD:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Spare the search for cycles, of which documents have none: it took a quarter of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


_workshop: list[Workshop] = []  # of this process, where it is one of several


def _open(setting: Setting) -> None:
    _workshop[:] = [Workshop(setting)]


def _portion(start: int, stop: int) -> Portion:
    return _workshop[0].portion(start, stop)
