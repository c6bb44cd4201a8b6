"""Every fault of the catalogue, by its name, against every tool it can strike.

The tool is pulled under the fault, people go on working, the fault is lifted, and after one more pull the ledger
holds what the tool holds: nothing missed, nothing kept twice. Pages are small, and each pull under a fault is
also killed after its first pages, so that a cursor that runs ahead of its data would show.
"""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from lively_bench import behind_sockets
from lively_tools import TOOLS, missed, present

from hub.errors import SourceError
from sandbox.faults.catalogue import CATALOGUE

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


@pytest.fixture
def struck(request, tmp_path, monkeypatch):
    with behind_sockets(request.param, tmp_path, monkeypatch) as made:
        yield made


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
