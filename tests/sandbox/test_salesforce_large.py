"""Large results of the org are spans: they hold no ids, and answer page for page as small ones do."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from paging_histories import History
from paging_walks import FIRST, Bulk, Moving, Org, fill_org

from sandbox.calls import Call
from sandbox.salesforce import finding
from sandbox.salesforce.columns import Columns
from sandbox.salesforce.finding import Search, search
from sandbox.salesforce.schema import Schema
from sandbox.salesforce.server import SalesforceServer
from sandbox.salesforce.soql import parse
from sandbox.stamps import salesforce, stamp
from sandbox.store import Store

DATA = "/services/data/v59.0"
NOW = FIRST + timedelta(days=2)
FROM, UNTIL = (f"{FIRST + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%SZ}" for minute in (9, 40))
BROKEN = f"{FIRST + timedelta(minutes=9):%Y-%m-%dT%H:%M:%S}.400Z"
STAMPED = " ORDER BY SystemModstamp, Id"
NATURAL = [
    "SELECT Id, Subject FROM Case",
    "SELECT Id FROM Case ORDER BY Id",
    f"SELECT Id, Owner.Name, Subject, Owner.Type FROM Case{STAMPED}",
    f"SELECT Subject FROM Case WHERE Status = 'New'{STAMPED}",
    f"SELECT Id, SystemModstamp FROM Case WHERE SystemModstamp >= {FROM}{STAMPED}",
    f"SELECT Id, SystemModstamp FROM Case WHERE SystemModstamp > {FROM} AND SystemModstamp < {UNTIL}{STAMPED}",
    f"SELECT Id, SystemModstamp FROM Case WHERE SystemModstamp > {BROKEN} AND SystemModstamp <= {UNTIL}{STAMPED}",
    f"SELECT Id FROM Case WHERE SystemModstamp >= {FROM} AND Status != 'New' ORDER BY SystemModstamp",
    "SELECT Id FROM Case WHERE Id > '500000000000123AAA' ORDER BY Id",
    "SELECT Id FROM Case WHERE Id >= '500000000000123AAA' AND Status = 'New' ORDER BY Id",
    f"SELECT Id FROM Case WHERE SystemModstamp >= {FROM} ORDER BY Id",
]
LIMITED = [
    "SELECT Id FROM Case ORDER BY Id LIMIT 7",
    "SELECT Id FROM Case WHERE Id > '500000000000123AAA' ORDER BY Id LIMIT 250 OFFSET 3",
    f"SELECT Id FROM Case WHERE Status = 'New'{STAMPED} LIMIT 300",
    "SELECT Id, CreatedDate FROM Case ORDER BY CreatedDate DESC LIMIT 13",
    f"SELECT Id FROM Case WHERE SystemModstamp < {UNTIL} ORDER BY SystemModstamp DESC LIMIT 9 OFFSET 4",
    "SELECT Id FROM Case WHERE Status = 'Closed' ORDER BY LastModifiedDate DESC LIMIT 45",
    "SELECT Id, LastModifiedDate FROM Case ORDER BY LastModifiedDate DESC LIMIT 3",
    "SELECT Id FROM Case ORDER BY SystemModstamp DESC LIMIT 0",
]
COUNTS = [f"SELECT COUNT() FROM {soql.partition(' FROM ')[2].partition(' ORDER ')[0]}" for soql in NATURAL]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "world.sqlite")
    fill_org(opened)
    for n in (5, 77, 130, 131, 300):  # deleted in whole seconds, one a little later within its second
        at = FIRST + timedelta(minutes=n // 7, milliseconds=500 if n % 2 else 0)
        doc = opened.get("org", "Case", f"500{n:012d}AAA") or {}
        doc |= {"SystemModstamp": salesforce(at), "LastModifiedDate": salesforce(at), "IsDeleted": n > 100}
        opened.put("org", "Case", [(doc["Id"], stamp(at), doc)])
    doc = opened.get("org", "Case", "500000000000064AAA") or {}
    doc |= {"SystemModstamp": salesforce(FIRST + timedelta(minutes=9, milliseconds=600)), "Subject": "broken second"}
    del doc["LastModifiedDate"]  # derived
    opened.put("org", "Case", [(doc["Id"], stamp(FIRST + timedelta(minutes=9, milliseconds=600)), doc)])
    for n in range(380, 460):  # touched by the system after people had last changed them
        doc = opened.get("org", "Case", f"500{n:012d}AAA") or {}
        doc["LastModifiedDate"] = salesforce(FIRST + timedelta(minutes=(n * 7) % 53))
        opened.put("org", "Case", [(doc["Id"], stamp(FIRST + timedelta(minutes=n // 7)), doc)])
    rights: dict[str, Any] = {"user": f"005{1:012d}AAA", "hidden": [f"500{n:012d}AAA" for n in (64, 70, 131, 200)]}
    opened.put("org", "_rights", [(rights["user"], stamp(FIRST), rights)])
    yield opened
    opened.close()


@pytest.fixture
def org(store: Store) -> SalesforceServer:
    return SalesforceServer(store, "org", lambda: NOW)


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "LARGE", 0)


def asked(org: SalesforceServer, path: str, token: str = "other", **query: str) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {token}", "sforce-query-options": "batchSize=200"}
    answer = org(Call(method="GET", path=path, query=tuple(query.items()), headers=headers))
    assert answer.status == 200, answer
    told: dict[str, Any] = orjson.loads(answer.body)
    return told


def pages(org: SalesforceServer, soql: str, verb: str = "query", token: str = "other") -> list[Any]:
    told = asked(org, f"{DATA}/{verb}", token, q=soql)
    found = [(told["totalSize"], told["done"], told["records"])]
    while not told["done"]:
        told = asked(org, told["nextRecordsUrl"], token)
        found.append((told["totalSize"], told["done"], told["records"]))
    return found


@pytest.mark.parametrize("token", ["other", "reader"])  # the reader does not see four of the cases
@pytest.mark.parametrize("verb", ["query", "queryAll"])
@pytest.mark.parametrize("soql", [*NATURAL, *LIMITED, *COUNTS])
def test_a_large_result_has_the_pages_of_a_small_one(
    org: SalesforceServer, monkeypatch: pytest.MonkeyPatch, soql: str, verb: str, token: str
) -> None:
    small = pages(org, soql, verb, token)
    monkeypatch.setattr(finding, "LARGE", 0)
    monkeypatch.setattr(finding, "CHUNK", 20)
    large = pages(org, soql, verb, token)
    if "ORDER" not in soql and "WHERE" in soql:  # in no certain order
        return
    assert [page[:2] for page in large] == [page[:2] for page in small]
    assert large == small


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize("soql", NATURAL)
def test_a_large_result_holds_no_ids(org: SalesforceServer, soql: str) -> None:
    locator = asked(org, f"{DATA}/query", q=soql).get("nextRecordsUrl")
    if locator is None:
        return
    walk = org.queries.walks.find(locator.rpartition("01g")[2].partition("-")[0])
    assert walk is not None
    assert walk.span is not None
    assert not walk.ids


@pytest.mark.usefixtures("everything_is_large")
def test_a_large_result_of_one_page_leaves_no_locator_open(org: SalesforceServer) -> None:
    first = asked(org, f"{DATA}/query", q="SELECT Id FROM Case")["nextRecordsUrl"]
    for _ in range(12):
        told = asked(org, f"{DATA}/query", q="SELECT Id FROM Case WHERE Status = 'Closed'")
        assert told["done"]
        assert told["totalSize"] == len(told["records"]) == 52
    assert asked(org, first)["records"]


class Counting(Store):
    """A store that tells how many documents were read page by page or by scanning."""

    read = 0

    def page(self, *args: Any, **bounds: Any) -> list[tuple[str, str, bytes]]:
        rows = super().page(*args, **bounds)
        self.read += len(rows)
        return rows

    def scan(self, *args: Any, **bounds: Any) -> Iterator[dict[str, Any]]:
        for doc in super().scan(*args, **bounds):
            self.read += 1
            yield doc


def searched(store: Store, soql: str) -> Search:
    schema = Schema(store, "org")
    case = schema.objects["Case"]
    return search(store, "org", case, parse(soql), Columns(store, "org", schema, case), with_deleted=False)


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize(
    ("soql", "most"),
    [
        ("SELECT COUNT() FROM Case", 0),
        (f"SELECT COUNT() FROM Case WHERE SystemModstamp >= {FROM} AND SystemModstamp < {UNTIL}", 0),
        (f"SELECT COUNT() FROM Case WHERE SystemModstamp > {FROM}", 8),  # the seven or eight of one second
    ],
)
def test_what_bounds_say_is_counted_without_reading(store: Store, soql: str, most: int) -> None:
    counting = Counting(store.path)
    made = searched(counting, soql)
    before = counting.read
    assert made.count() == sum(1 for _ in searched(store, soql).matching())
    assert counting.read - before <= most
    counting.close()


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize(
    ("soql", "most"),
    [
        ("SELECT Id FROM Case WHERE Id > '500000000000123AAA' ORDER BY Id LIMIT 20", 21),
        (f"SELECT Id FROM Case{STAMPED} LIMIT 20", 21),
        ("SELECT Id FROM Case ORDER BY SystemModstamp DESC LIMIT 20", 20),
        ("SELECT Id FROM Case ORDER BY CreatedDate DESC LIMIT 20", 20),
    ],
)
def test_a_limit_in_the_stores_order_reads_little_further(
    store: Store, monkeypatch: pytest.MonkeyPatch, soql: str, most: int
) -> None:
    monkeypatch.setattr(finding, "CHUNK", 20)
    counting = Counting(store.path)
    made = searched(counting, soql)
    before = counting.read
    assert len(made.found().ids) == 20
    assert counting.read - before <= 3 * most  # deleted ones are passed over
    counting.close()


@pytest.mark.usefixtures("everything_is_large")
def test_a_parent_renamed_between_two_pages_has_its_new_name(org: SalesforceServer, store: Store) -> None:
    told = asked(org, f"{DATA}/query", q=f"SELECT Id, Owner.Name FROM Case{STAMPED}")
    owner = store.get("org", "User", f"005{2:012d}AAA") or {}
    assert {record["Owner"]["Name"] for record in told["records"]} == {owner["Name"]}
    store.put("org", "User", [(owner["Id"], stamp(NOW), {**owner, "Name": "Renamed"})])
    further = asked(org, told["nextRecordsUrl"])
    assert {record["Owner"]["Name"] for record in further["records"]} == {"Renamed"}


@pytest.mark.usefixtures("everything_is_large")
def test_what_is_deleted_in_mid_walk_is_left_out(org: SalesforceServer, store: Store) -> None:
    for soql in ("SELECT Id FROM Case", f"SELECT Id FROM Case{STAMPED}"):
        told = asked(org, f"{DATA}/query", q=soql)
        waiting = org.queries.waiting(told["nextRecordsUrl"].rpartition("/")[2])
        assert waiting is not None
        assert waiting.served == (told["records"][-1]["Id"],)
        (gone,) = waiting.coming
        doc = store.get("org", "Case", gone) or {}
        store.put("org", "Case", [(gone, stamp(NOW), {**doc, "IsDeleted": True})])
        further = asked(org, told["nextRecordsUrl"])
        assert further["totalSize"] == told["totalSize"]
        assert gone not in {record["Id"] for record in further["records"]}


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize("walk", [Org, Bulk])
def test_large_results_keep_the_promises_of_paging(store: Store, walk: type[Org]) -> None:
    fill_org(store)
    store.delete("org", "_rights", f"005{1:012d}AAA")
    for seed in range(60):
        rng = random.Random(seed)
        with contextlib.suppress(_UndoneError), store.transaction():
            try:
                History(walk(SalesforceServer(store, "org", Moving(rng)), rng), rng).play()
            except AssertionError as broken:
                raise AssertionError(f"history {seed}: {broken}") from broken
            raise _UndoneError


class _UndoneError(Exception):
    """Rolls a history's edits back."""
