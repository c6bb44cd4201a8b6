"""A company is pulled, thought over, and pulled again: what the hub says, and what that took."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from hub.domain.records import Receipt
from hub.flow.sync import SyncReport, sync
from hub.wiring import Hub, open_hub
from sandbox import launcher
from sandbox.launcher import Running

T = TypeVar("T")


class Unfinished(RuntimeError):
    """A sync that did not read everything; its numbers would mean nothing. The message names the streams."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one `hub sync` took: seconds of reading, seconds of thinking and planning, API calls, new facts."""

    pull: float
    reconcile: float
    calls: int
    new_observations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: the numbers of the hub beside those of the check, by the same names.

    `differences` are without explanation, `explained` are those that no tool can tell apart.
    """

    name: str
    hub: dict[str, int]
    check: dict[str, int]
    differences: tuple[str, ...]
    explained: tuple[str, ...] = ()
    first: Cost
    again: Cost
    load: float

    @property
    def equal(self) -> bool:
        """Whether both agree, in total and one by one."""
        return self.hub == self.check and not self.differences and not self.explained

    @property
    def excused(self) -> bool:
        """Whether both agree wherever the tools can tell."""
        return bool(self.explained) and not self.differences


@contextmanager
def company(**what: Any) -> Iterator[tuple[Running, float]]:
    """A company on real sockets in a directory of its own, gone afterwards, and the seconds until it answered.

    Takes the keywords of `launcher.up`.
    """
    with tempfile.TemporaryDirectory(prefix="real-input-") as folder:
        directory = Path(folder) / "company"
        began = time.perf_counter()
        running = launcher.up(directory, **what)
        try:
            yield running, time.perf_counter() - began
        finally:
            launcher.down(directory)


def synced_twice(running: Running, read: Callable[[Hub, SyncReport], T]) -> tuple[T, Cost, Cost]:
    """What `read` makes of the hub after its first sync, and the costs of that one and of one without changes.

    Raises Unfinished when a stream failed, has a gap or holds unreadable records.
    """
    with open_hub(running.config) as hub:
        report, first = _timed(hub)
        told = read(hub, report)
        _, again = _timed(hub)
    return told, first, again


def _timed(hub: Hub) -> tuple[SyncReport, Cost]:
    began = time.perf_counter()
    report = sync(hub.ledger, hub.charter, hub.connector, clock=lambda: datetime.now(UTC))
    whole = time.perf_counter() - began
    receipts = report.pull.receipts
    if troubles := [_trouble(r) for r in receipts if r.error or r.gap or r.quarantined]:
        raise Unfinished("; ".join(troubles))
    reading = (max(r.finished_at for r in receipts) - min(r.started_at for r in receipts)).total_seconds()
    return report, Cost(
        pull=reading,
        reconcile=whole - reading,
        calls=sum(r.calls for r in receipts),
        new_observations=sum(r.new_observations for r in receipts),
    )


def _trouble(receipt: Receipt) -> str:
    counted = f"{receipt.source_count} in the tool, {receipt.ledger_count} in the ledger"
    return f"{receipt.source} {receipt.stream}: {receipt.error or counted}, {receipt.quarantined} unreadable"
