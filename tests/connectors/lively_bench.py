"""A tool behind real sockets with small pages, faults on order, a clock to move, and a ledger to pull it into."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lively_tools import TOOLS, Lively, standing_clock

import connectors.airtable.web
import connectors.jira.pull
import connectors.transport
import connectors.wire
import sandbox.salesforce.queries
from connectors.write_transport import write_session
from hub.domain.records import Observation
from hub.errors import SourceError
from hub.flow.ingest import pull_source
from hub.ledger.ledger import Ledger
from hub.ledger.values import moment
from sandbox.store import Store
from sandbox.web import serve, simulation

PAGE = 7


@dataclass
class Struck:
    """A tool behind real sockets with a fault desk, and the ledger it is pulled into."""

    tool: Lively
    faults: Any
    journal: Any
    ledger: Ledger

    def pull(self) -> list[str]:
        """One whole pull; gives the errors of its receipts."""
        clock = self.tool.clock
        run = self.ledger.start_run("sync", clock())
        receipts = pull_source(self.ledger, self.tool.connector, self.tool.space, run=run, clock=clock)
        self.ledger.finish_run(run, clock(), "done")
        return [f"{receipt.stream}: {receipt.error}" for receipt in receipts if receipt.error]

    def pull_and_die(self, pages: int) -> None:
        """A pull that is killed in each stream after so many pages; what was committed stays."""
        connector, clock = self.tool.connector(), self.tool.clock
        run = self.ledger.start_run("sync", clock())
        for stream in connector.streams():
            walk = connector.pull(stream, self.ledger.cursor(self.tool.space, stream), now=clock())
            try:
                for _, page in zip(range(pages), walk, strict=False):
                    self.ledger.append(run, stream, self.tool.space, page, recorded_at=clock())
            except SourceError:
                continue
        self.ledger.finish_run(run, clock(), "failed")

    def said(self) -> list[Observation]:
        rows = self.ledger.observations().to_pylist()
        rows.sort(key=lambda row: row["seq"])
        return [
            Observation(
                source=row["source"], entity=row["entity"], record=row["record"], field=row["field"],
                value=row["value"], valid_from=as_moment(row["valid_from"]), origin=row["origin"], part=row["part"],
                actor=row["actor"],
            )
            for row in rows
        ]  # fmt: skip


def as_moment(value: Any) -> Any:
    return moment(value) if isinstance(value, int) else value


@contextmanager
def behind_sockets(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Struck]:
    """Serve one tool until the end; waits for a silent service are short."""
    monkeypatch.setattr(connectors.jira.pull, "PAGE", PAGE)
    monkeypatch.setattr(connectors.airtable.web, "PAGE", PAGE)
    monkeypatch.setattr(sandbox.salesforce.queries, "_MOST", PAGE)
    for sender in (connectors.wire.GuardedAdapter.__init__, connectors.transport.ReadingAdapter.__init__,
                   connectors.transport.session, write_session):  # fmt: skip
        if "timeout" in inspect.signature(sender).parameters:
            monkeypatch.setitem(sender.__kwdefaults__, "timeout", (1.0, 0.2))
    store, shared = Store(tmp_path / "world.sqlite"), simulation(standing_clock())
    tool = TOOLS[name](store, "", shared.clock)
    tool.fill()
    loop, stop, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event()

    def told(addresses):
        tool.address = addresses[tool.name]
        ready.set()

    thread = threading.Thread(
        target=lambda: loop.run_until_complete(
            serve(store, {tool.name: tool.space}, shared=shared, ready=told, stop=stop)
        ),
        daemon=True,
    )
    thread.start()
    assert ready.wait(20), "the server did not start"
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}") as ledger:
        yield Struck(tool, shared.faults, shared.journal, ledger)
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
