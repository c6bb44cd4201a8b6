"""A thousand random histories: pulls that are cut off anywhere while people create, rename, reassign and delete.

Whatever happened, one quiet pull later everything the tool holds is kept, and nothing twice. The tools answer
inside the process: what is tried is the walk, not the wire.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
from email.utils import format_datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import urllib3
from lively_tools import TOOLS, Book, Lively, missed, standing_clock

import connectors.airtable.web
import connectors.jira.pull
import sandbox.salesforce.queries
from sandbox.calls import Call
from sandbox.store import Store
from sandbox.web import SERVERS

HISTORIES = int(os.environ.get("HUB_HISTORIES", "0")) or 70  # of each tool; 334 make a thousand in all
PAGE = 7


class _UndoneError(Exception):
    """Rolls a history's edits back."""


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(connectors.jira.pull, "PAGE", PAGE)
    monkeypatch.setattr(connectors.airtable.web, "PAGE", PAGE)
    monkeypatch.setattr(sandbox.salesforce.queries, "_MOST", PAGE)


@pytest.fixture(params=sorted(TOOLS))
def tool(request, tmp_path, small_pages):
    store = Store(tmp_path / "world.sqlite")
    made = TOOLS[request.param](store, "http://127.0.0.1:9", standing_clock())
    made.fill()
    yield made
    store.close()


def answered_in_process(tool: Lively, monkeypatch):
    server = SERVERS[tool.name](tool.store, tool.space, tool.clock)

    def send(adapter, request, *_, **__):
        url = urlsplit(request.url)
        body = request.body or b""
        answer = server(
            Call(
                method=request.method,
                path=url.path,
                query=tuple(parse_qsl(url.query, keep_blank_values=True)),
                headers={"host": url.netloc} | {name.lower(): value for name, value in request.headers.items()},
                body=body.encode() if isinstance(body, str) else body,
            )
        )
        date = format_datetime(tool.clock().replace(microsecond=0), usegmt=True)
        headers = {"content-type": answer.kind, "date": date, **answer.headers}
        raw = urllib3.HTTPResponse(io.BytesIO(answer.body), headers, answer.status, preload_content=False)
        return adapter.build_response(request, raw)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)


def about_items(book: Book) -> set[str]:
    """What is kept about items. People carry no stamp: they are told anew as of each full hour."""
    return {key for key, said in book.kept.items() if said.entity == "item"}


def play(tool: Lively, rng: random.Random) -> list[str]:
    """One history; gives what happened. Raises AssertionError when something is missed or kept twice."""
    book, told = Book(), []
    connector = tool.connector()
    for _ in range(rng.choice([1, 2, 3])):
        told += [tool.act(rng) for _ in range(rng.choice([0, 1, 3]))]
        for stream in connector.streams():
            pages = connector.pull(stream, book.cursors.get(stream), now=tool.clock())
            for page in pages:
                book.append(stream, page)
                told.append(f"{tool.clock():%H:%M:%S} page of {stream}: {[r.native_id[-5:] for r in page.records]}")
                deeds = rng.choice([0, 0, 1, 2]) if stream == tool.items else 0
                told += [tool.act(rng) for _ in range(deeds)]
                if rng.random() < 0.08:
                    told.append("killed")
                    connector = tool.connector()
                    break
        tool.clock.advance(rng.choice([0, 1, 30, 600, 10_000]))
    tool.clock.advance(rng.choice([1, 60]))
    for _ in range(2):
        before = about_items(book)
        for stream in connector.streams():
            for page in connector.pull(stream, book.cursors.get(stream), now=tool.clock()):
                book.append(stream, page)
                told.append(f"{tool.clock():%H:%M:%S} quiet {stream}: {[r.native_id[-5:] for r in page.records]}")
        wrong = missed(tool.truth(), book.present())
        assert not wrong, "\n".join([f"missed {wrong}", *told])
    assert about_items(book) == before, "\n".join(["a pull without changes observed something new", *told])
    assert not book.doubles(), "\n".join([f"twice {book.doubles()[:3]}", *told])
    return told


def test_whatever_happens_meanwhile_nothing_is_missed_and_nothing_kept_twice(tool, monkeypatch):
    answered_in_process(tool, monkeypatch)
    broken = []
    pages = 0
    for seed in range(HISTORIES):
        tool.clock.set(standing_clock()())
        with contextlib.suppress(_UndoneError), tool.store.transaction():
            try:
                pages += sum("page of" in line for line in play(tool, random.Random(seed)))
            except AssertionError as error:
                broken.append(f"history {seed}: {error}")
            raise _UndoneError
    assert not broken, f"{len(broken)} of {HISTORIES}\n{broken[0]}"
    assert pages > 5 * HISTORIES, "the walks are too short to show anything"
