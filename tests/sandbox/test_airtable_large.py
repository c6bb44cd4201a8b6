"""Large tables: only a place is kept of a listing, and nobody can tell it from a small one by its pages."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from paging_histories import History
from paging_walks import FIRST, Base, Moving, fill_base

from sandbox.airtable import finding
from sandbox.airtable.behind import mark
from sandbox.airtable.server import AirtableServer
from sandbox.airtable.tables import table_of
from sandbox.calls import Call
from sandbox.stamps import airtable, stamp
from sandbox.store import Doc, Store

TABLE = "/v0/appAll/tblAll"
FIELDS: list[Doc] = [
    {"id": "fldName", "name": "Name", "type": "singleLineText"},
    {"id": "fldPhase", "name": "Phase", "type": "singleLineText"},
    {"id": "fldCount", "name": "Count", "type": "number"},
    {"id": "fldMoved", "name": "Moved", "type": "lastModifiedTime", "options": {"referencedFieldIds": ["fldPhase"]}},
    {"id": "fldLong", "name": "Length", "type": "formula", "options": {"formula": "LEN({Name})"}},
]
TOUCHED_LATELY = (FIRST + timedelta(minutes=60)).isoformat()


class Clock:
    """Stands still until it is moved."""

    now = FIRST + timedelta(days=1)

    def __call__(self) -> Any:
        return self.now


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Make every table large, or none."""
    return lambda yes: monkeypatch.setattr(finding, "LARGE", 0 if yes else 10**9)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    held = Store(tmp_path / "world.sqlite")
    fill_base(held)
    table = {"id": "tblAll", "name": "All", "primaryFieldId": "fldName", "fields": FIELDS}
    table["views"] = [{"id": "viwQ", "name": "QA", "type": "grid", "_filter": "{Phase} = 'QA'"}]
    held.put("base", "table", [("tblAll", stamp(FIRST), table)])
    docs = []
    for n in range(250):
        at = FIRST + timedelta(minutes=n // 4, microseconds=(0, 400, 1000)[n % 3])
        cells = {"fldName": f"v{n}", "fldPhase": "QA" if n % 5 else "Build", "fldCount": n % 3}
        doc: Doc = {"id": f"rec{n:014d}", "createdTime": airtable(FIRST), "_table": "tblAll", "_modified": stamp(at)}
        doc["fields"] = cells
        before = at - timedelta(minutes=n % 17)
        if n % 11 in {0, 1}:  # last touched where the field of the last change does not look
            cells["fldMoved"] = airtable(before)
            mark(table_of(table), doc)
        if n % 11 in {0, 2}:  # known cell by cell
            doc["_touched"] = {"": stamp(before), "fldCount": stamp(at)}
        docs.append((str(doc["id"]), stamp(at), doc))
    held.put("base", "record", docs)
    yield held
    held.close()


def asked(server: AirtableServer, method: str, path: str, body: Any = None, token: str = "reader", **query: str) -> Any:
    data = b"" if body is None else orjson.dumps(body)
    headers = {"authorization": f"Bearer {token}"}
    answer = server(Call(method=method, path=path, query=tuple(query.items()), headers=headers, body=data))
    assert answer.status == 200, answer
    return orjson.loads(answer.body)


def pages(server: AirtableServer, **query: str) -> Iterator[list[dict[str, Any]]]:
    offset: dict[str, str] = {}
    while True:
        told = asked(server, "GET", TABLE, **query, **offset)
        yield told["records"]
        if "offset" not in told:
            return
        assert told["offset"].startswith("itr")
        offset = {"offset": told["offset"]}


def open_walks(server: AirtableServer) -> list[Any]:
    handler = server._routes.find(Call(method="GET", path=TABLE))
    assert isinstance(handler, tuple)
    listing: Any = handler[0].__self__  # type: ignore[attr-defined]  # the method is bound to it
    return list(listing.iterators._walks._open.values())


MOVED = f"IS_AFTER({{Moved}}, '{TOUCHED_LATELY}')"
SORTED = {"sort[0][field]": "Moved"}
QUESTIONS: list[dict[str, str]] = [
    {},
    SORTED,
    {"pageSize": "7", "maxRecords": "20"},
    {"maxRecords": "3"},
    {"maxRecords": "14", "pageSize": "7", **SORTED},
    {"filterByFormula": f"IS_AFTER(LAST_MODIFIED_TIME(), '{TOUCHED_LATELY}')"},
    {"filterByFormula": MOVED, **SORTED},
    {"filterByFormula": f"AND({MOVED}, IS_AFTER(LAST_MODIFIED_TIME({{Name}}), '2026-01-01'))"},
    {"filterByFormula": f"AND({{Moved}} > DATETIME_PARSE('{TOUCHED_LATELY}'), {{Count}} = 0)", "view": "QA"},
    {"filterByFormula": "{Length} = 3", "view": "QA", **SORTED},
    {"view": "viwQ", "fields[]": "Moved", "returnFieldsByFieldId": "1"},
    {"filterByFormula": "FALSE()"},
]


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: "&".join(question.values()) or "all")
def test_the_pages_of_a_large_table_are_those_of_a_small_one(
    store: Store, large: Callable[[bool], None], question: dict[str, str], hidden: bool
) -> None:
    if hidden:
        rights = {"user": "usrreader", "admin": True, "hidden": [f"rec{n:014d}" for n in range(0, 250, 4)]}
        store.put("base", "_rights", [("usrreader", stamp(FIRST), rights)])
    server = AirtableServer(store, "base", Clock())
    told = []
    for yes in (False, True):
        large(yes)
        told.append(list(pages(server, **question)))
    assert told[1] == told[0]
    assert told[0][0] or "FALSE()" in question.values()


@pytest.mark.parametrize("moment", [TOUCHED_LATELY, "2026-01-01T12:30:00.000Z", "2026-01-01T12:31:00.0002Z"])
@pytest.mark.parametrize("time", ["{Moved}", "LAST_MODIFIED_TIME()", "LAST_MODIFIED_TIME({Name}, {Phase})"])
def test_a_bound_alone_finds_what_it_finds_beside_another_condition(store: Store, time: str, moment: str) -> None:
    server = AirtableServer(store, "base", Clock())
    bound = f"IS_AFTER({time}, '{moment}')"
    alone, beside = (
        [record["id"] for page in pages(server, filterByFormula=words) for record in page]
        for words in (bound, f"AND({bound}, TRUE())")
    )
    assert alone == beside
    assert 0 < len(alone) < 250


def test_a_large_listing_keeps_no_ids(store: Store, large: Callable[[bool], None]) -> None:
    server = AirtableServer(store, "base", Clock())
    for yes, kept in ((False, 250), (True, 0)):
        large(yes)
        for question in ({}, {"filterByFormula": "{Count} >= 0"}):
            next(pages(server, **question))
            walk = open_walks(server)[-1]
            assert len(walk.ids) == kept
            assert (walk.span is not None) is yes
    large(True)
    next(pages(server, **{"sort[0][field]": "Name"}))
    assert len(open_walks(server)[-1].ids) == 250  # the store has no such order


def test_a_listing_is_large_beyond_so_many_records(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    server = AirtableServer(store, "base", Clock())
    lately = {"filterByFormula": f"IS_AFTER(LAST_MODIFIED_TIME(), '{(FIRST + timedelta(minutes=20)).isoformat()}')"}
    for most, question, span in ((249, {}, True), (250, {}, False), (200, lately, False), (160, lately, True)):
        monkeypatch.setattr(finding, "LARGE", most)
        next(pages(server, **question))
        assert (open_walks(server)[-1].span is not None) is span


def test_a_field_that_watches_some_cells_keeps_its_order_while_others_edit(
    store: Store, large: Callable[[bool], None]
) -> None:
    large(True)
    clock = Clock()
    server = AirtableServer(store, "base", clock)
    rng = random.Random(3)
    for n in rng.sample(range(250), 90):
        clock.now += timedelta(seconds=rng.randint(0, 1))
        cells = rng.choice([{"Name": f"w{n}"}, {"Phase": "Launch"}, {"Name": f"w{n}", "Phase": "Launch"}])
        asked(server, "PATCH", f"{TABLE}/rec{n:014d}", {"fields": cells}, token="other")
    told = [record["fields"]["Moved"] for page in pages(server, pageSize="9", **SORTED) for record in page]
    assert len(told) == 250
    assert told == sorted(told)
    walk = pages(server, pageSize="9", **SORTED)
    seen = next(walk)
    late, early = f"rec{249:014d}", str(seen[0]["id"])
    for id_ in (late, early):  # to come, and passed
        asked(server, "PATCH", f"{TABLE}/{id_}", {"fields": {"Name": "edited"}}, token="other")
    rest = {record["id"]: record["fields"]["Name"] for page in walk for record in page}
    assert rest[late] == "edited"
    assert early not in rest


class Large(Base):
    """The walker of a large base: by a formula, or by the field of the last change."""

    def start(self) -> dict[str, tuple[str, bool]]:
        super().start()
        self.asked = {"filterByFormula": '{Phase} = "QA"', "pageSize": str(self.size)}
        if self.rng.random() < 0.5:
            self.asked |= {"sort[0][field]": "Moved"}
        return {f"rec{n:014d}": (f"v{n}", n % 5 != 0) for n in range(30)}


class _UndoneError(Exception):
    """Rolls a history's edits back."""


def test_large_walks_keep_the_promises_whatever_others_do(store: Store, large: Callable[[bool], None]) -> None:
    large(True)
    for n in range(30, 250):
        store.delete("base", "record", f"rec{n:014d}")
    for seed in range(100):
        rng = random.Random(seed)
        with contextlib.suppress(_UndoneError), store.transaction():
            server = AirtableServer(store, "base", Moving(rng))
            History(Large(server, rng), rng).play()
            assert all(walk.span is not None for walk in open_walks(server))
            raise _UndoneError


def test_idle_listings_are_forgotten_when_another_begins(store: Store, large: Callable[[bool], None]) -> None:
    large(True)
    clock = Clock()
    server = AirtableServer(store, "base", clock)
    old, used = pages(server), pages(server)
    next(old)
    next(used)
    clock.now += timedelta(seconds=200)
    next(used)
    clock.now += timedelta(seconds=200)
    next(pages(server))
    assert len(open_walks(server)) == 2
    assert len(next(used)) == 50


def test_what_a_reader_may_see_is_never_out_of_date(store: Store) -> None:
    server = AirtableServer(store, "base", Clock())

    def names(token: str = "reader") -> list[str]:
        return sorted(asked(server, "GET", TABLE, token=token, maxRecords="1")["records"][0]["fields"])

    assert names() == names() == ["Count", "Length", "Moved", "Name", "Phase"]
    elsewhere = Store(store.path)  # as another process has it
    rights = {"user": "usrreader", "admin": True, "hidden_fields": ["fldName"]}
    elsewhere.put("base", "_rights", [("usrreader", stamp(FIRST), rights)])
    elsewhere.close()
    assert names() == ["Count", "Length", "Moved", "Phase"]
    with contextlib.suppress(_UndoneError), store.transaction():
        store.delete("base", "_rights", "usrreader")
        assert "Name" in names()
        raise _UndoneError
    assert "Name" not in names()
    store.delete("base", "_token", "reader")
    answer = server(Call(method="GET", path=TABLE, headers={"authorization": "Bearer reader"}))
    assert answer.status == 401
    assert "Name" in names("other")


def test_cells_that_hold_nothing_are_left_out_and_noughts_are_told(store: Store) -> None:
    doc = store.get("base", "record", f"rec{0:014d}")
    assert doc is not None
    doc["fields"] = {"fldName": "", "fldPhase": None, "fldCount": 0}
    store.put("base", "record", [(str(doc["id"]), str(doc["_modified"]), doc)])
    server = AirtableServer(store, "base", Clock())
    first = asked(server, "GET", TABLE, **{"fields[]": "Count", "maxRecords": "1"})["records"][0]
    assert first["fields"] == {"Count": 0}
    assert set(next(pages(server))[0]["fields"]) == {"Count", "Length", "Moved"}
    doc["fields"] = {"fldName": False}
    store.put("base", "record", [(str(doc["id"]), str(doc["_modified"]), doc)])
    assert [record["id"] for record in next(pages(server, filterByFormula="COUNTA({Name}) = 0"))] == [doc["id"]]


def test_records_are_counted_no_further_than_asked_and_named_without_reading(store: Store) -> None:
    assert [store.exceeds("base", "record", n, parent="tblAll") for n in (0, 249, 250)] == [True, True, False]
    since, last = (stamp(FIRST + timedelta(minutes=62, microseconds=after)) for after in (0, 1000))
    assert store.ids("base", "record", since=since, parent="tblAll") == [f"rec{n:014d}" for n in (249, 248)]
    assert store.newest("base", "record", parent="tblAll") == last
    assert store.newest("base", "record", parent="tblNone") is None
    behind = [str(doc["id"]) for _, doc in store.aliased("base", "record", "behind/tblAll")]
    assert sorted(behind) == [f"rec{n:014d}" for n in range(250) if n % 11 in {0, 1} and n % 17]
