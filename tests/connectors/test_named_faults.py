"""Every fault of the catalogue, by its name, against every tool it can strike.

The tool is pulled under the fault, people go on working, the fault is lifted, and after one more pull the ledger
holds what the tool holds: nothing missed, nothing kept twice. Pages are small, and each pull under a fault is
also killed after its first pages, so that a cursor that runs ahead of its data would show.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from lively_tools import TOOLS, Lively, missed, present, standing_clock

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
from sandbox.faults.catalogue import CATALOGUE
from sandbox.store import Store
from sandbox.web import serve, simulation

PAGE = 7
STRIKES = [(fault, tool) for fault, known in CATALOGUE.items() for tool in known.tools if tool in TOOLS]
# What the catalogue leaves to the order, made small enough for a test.
SETTINGS: dict[str, dict[str, Any]] = {
    "slow_drip": {"bytes": 4000, "pause": 0.005},
    "status": {"status": 503},
    "equal_stamps": {"count": 20},
}
# Faults that strike writes only: there the hub gives a record to somebody before it pulls.
WRITES = {
    "session_expired_before_write", "row_locked", "partial_collection_failure", "changed_before_write",
    "owner_changed_same_second", "owner_deactivated", "queue_owner_refused",
}  # fmt: skip
# Faults that this hub's pulls offer no place to strike: it asks for no such thing yet.
HANGS = {"hang_before", "hang_after"}  # each costs a timeout in real time
NEVER_ASKED = {"partial_collection_failure", "queue_owner_refused", "deleted_window_too_old", "webhook_gap"}
# What a person puts right before the next pull: accounts, rights, and the shape of the tool. An org is left as it
# is: there the charter is mended.
KINDS = ("field", "table", "collaborator", "user", "User", "_rights", "_token", "project", "base", "right")


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


@pytest.fixture
def struck(request, tmp_path, monkeypatch):
    monkeypatch.setattr(connectors.jira.pull, "PAGE", PAGE)
    monkeypatch.setattr(connectors.airtable.web, "PAGE", PAGE)
    monkeypatch.setattr(sandbox.salesforce.queries, "_MOST", PAGE)
    for sender in (connectors.wire.GuardedAdapter.__init__, connectors.transport.ReadingAdapter.__init__,
                   connectors.transport.session, write_session):  # fmt: skip
        if "timeout" in inspect.signature(sender).parameters:
            monkeypatch.setitem(sender.__kwdefaults__, "timeout", (1.0, 0.2))
    store, shared = Store(tmp_path / "world.sqlite"), simulation(standing_clock())
    tool = TOOLS[request.param](store, "", shared.clock)
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


def kept_kinds(tool):
    return {
        kind: {id_: (stamp, body) for stamp, id_, body in tool.store.page(tool.space, kind, size=500)} for kind in KINDS
    }


def put_right(struck, before):
    tool = struck.tool
    for kind, docs in before.items():
        now = {id_ for _, id_, _ in tool.store.page(tool.space, kind, size=500)}
        for id_ in now - set(docs):
            tool.store.delete(tool.space, kind, id_)
        tool.store.put(tool.space, kind, [(i, stamp, orjson.loads(body)) for i, (stamp, body) in docs.items()])
    tool.mended = True


def give_away(tool, record):
    """The hub gives a record to somebody, once; whatever comes of it."""
    writer = tool.connector().writer
    try:
        reading = writer.read_owner(record)
        writer.send_owner(record, tool.people[1], reading, marker="named-fault")
    except SourceError:
        return


@pytest.mark.parametrize(("fault", "struck"), STRIKES, indirect=["struck"])
def test_a_pull_under_the_fault_and_one_after_it_hold_what_the_tool_holds(fault, struck):
    tool = struck.tool
    first = sorted(tool.truth())
    before = kept_kinds(tool)
    settings = SETTINGS.get(fault, {})
    if fault.startswith("field_") and tool.name == "salesforce":
        settings = {"field": "Case.Phase__c"}
    order = {"fault": fault, "tool": tool.name, "settings": settings}
    if fault in WRITES:
        struck.faults.order({**order, "times": None})
        tool.clock.advance(5)
        give_away(tool, first[5])
        struck.pull()
    else:
        struck.faults.order({**order, "times": 1})
        struck.pull_and_die(2)
        if fault not in HANGS:
            struck.faults.order({**order, "times": None})
            tool.clock.advance(3)
            struck.pull()
    if fault not in NEVER_ASKED:
        assert fault in {name for entry in struck.journal.entries() for name in (entry["fault"] or "").split(",")}
    struck.faults.clear()
    put_right(struck, before)

    tool.clock.advance(60)
    tool.rename(sorted(tool.truth())[7], "renamed afterwards")
    tool.create("made afterwards")
    struck.pull_and_die(1)
    tool.clock.advance(20)
    assert struck.pull() == []
    said = struck.said()
    assert missed(tool.truth(), present(said)) == {}
    told = [(o.entity, o.record, o.part, o.field, o.value, o.valid_from, o.actor) for o in said]
    assert len(told) == len(set(told))
    struck.pull()
    assert len(struck.said()) == len(said), "a pull without changes observed something new"
