"""Paging under concurrent edits: two hundred random histories of each tool keep the promises of paging_histories.

`HUB_FUZZ=1000` plays a thousand of each. Each history runs in a transaction that is rolled back.
"""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paging_histories import History
from paging_walks import Base, Bulk, Moving, Org, Site, fill_base, fill_org, fill_site
from surface import fault_of

from sandbox.airtable.server import AirtableServer
from sandbox.calls import Tool
from sandbox.jira.server import JiraServer
from sandbox.salesforce.server import SalesforceServer
from sandbox.store import Store

HISTORIES = int(os.environ.get("HUB_FUZZ", "0")) or 200
_TOOLS = pytest.mark.parametrize(
    ("fill", "space", "serve", "walk"),
    [
        pytest.param(fill_org, "org", SalesforceServer, Org, id="salesforce"),
        pytest.param(fill_org, "org", SalesforceServer, Bulk, id="salesforce-bulk"),
        pytest.param(fill_site, "site", JiraServer, Site, id="jira"),
        pytest.param(fill_base, "base", AirtableServer, Base, id="airtable"),
    ],
)
_NAMES = {"org": "salesforce", "site": "jira", "base": "airtable"}
Fill = Callable[[Store], None]
Serve = Callable[..., Tool]


class _UndoneError(Exception):
    """Rolls a history's edits back."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "world.sqlite")
    yield opened
    opened.close()


@_TOOLS
def test_a_walk_keeps_its_promises_whatever_others_do(
    store: Store, fill: Fill, space: str, serve: Serve, walk: type[Org | Site | Base]
) -> None:
    fill(store)
    pages = 0
    for seed in range(HISTORIES):
        rng = random.Random(seed)
        with contextlib.suppress(_UndoneError), store.transaction():
            tool = serve(store, space, Moving(rng))
            try:
                pages += History(walk(tool, rng), rng).play()
            except AssertionError as broken:
                raise AssertionError(f"history {seed}: {broken}") from broken
            raise _UndoneError
    assert pages > 2 * HISTORIES, "the walks are too short to show anything"


@_TOOLS
def test_a_spoilt_page_token_gets_a_page_or_the_tools_own_error(
    store: Store, fill: Fill, space: str, serve: Serve, walk: type[Org | Site | Base]
) -> None:
    fill(store)
    rng = random.Random(1)
    reader = walk(serve(store, space, Moving(rng)), rng)
    reader.start()
    token = reader.open().next
    assert token

    @settings(
        max_examples=HISTORIES,
        derandomize=True,
        database=None,
        deadline=5000,  # milliseconds
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(
        place=st.integers(0, len(token)),
        cut=st.integers(0, 3),
        put=st.text(max_size=3) | st.sampled_from(["0", "-1", "99999999999999999999", "\u00b2", "\u0663", "/", "."]),
    )
    def fuzz(place: int, cut: int, put: str) -> None:
        call = reader.further_call(token[:place] + put + token[place + cut :])
        answer = reader.tool(call)
        wrong = fault_of(_NAMES[space], call, answer)
        assert not wrong, f"{wrong}: {call}"

    fuzz()
