"""Large Jira results are what small ones are, page by page, though nothing of them is kept but the place."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from paging_histories import History
from paging_walks import FIRST, Moving, Site, fill_site

from sandbox.calls import Call
from sandbox.jira import search
from sandbox.jira.searching import Searching
from sandbox.jira.server import JiraServer
from sandbox.jira.site import Site as JiraSite
from sandbox.jira.zones import retelling, told
from sandbox.stamps import jira, parsed, stamp
from sandbox.store import Store

NOW = FIRST + timedelta(days=1)
MANY = 400
HEADERS = {"authorization": "Bearer reader", "content-type": "application/json"}
ORDERS = [
    "", "ORDER BY updated", "ORDER BY updated, key", "ORDER BY updated ASC, key DESC", "ORDER BY updated DESC",
    "ORDER BY updated DESC, key ASC", "ORDER BY updated DESC, key DESC, created", "ORDER BY updated, id DESC",
    "ORDER BY created, key", "ORDER BY summary, key",
]  # fmt: skip


class _UndoneError(Exception):
    """Rolls edits back."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "world.sqlite")
    yield opened
    opened.close()


def fill(store: Store) -> None:
    """Issues of two projects by turns; up to eleven change in one millisecond, and keys run against ids."""
    fill_site(store)
    store.delete("site", "project", "10000")
    for doc in list(store.scan("site", "issue")):
        store.delete("site", "issue", str(doc["id"]))
    for id_, key in (("10000", "ACME"), ("10001", "OPS")):
        store.put("site", "project", [(id_, stamp(FIRST), {"id": id_, "key": key, "name": key})])
    status = store.get("site", "status", "10")
    rng, docs = random.Random(4), []
    at = FIRST
    for n in range(MANY):
        at += timedelta(milliseconds=1) if rng.random() < 0.3 else timedelta()
        key = f"{('ACME', 'OPS')[n % 2]}-{MANY - n}"
        fields = {"summary": f"v{n % 7}", "status": status, "customfield_10010": {"value": ("QA", "Build")[n % 3 == 0]}}
        doc = {"id": str(95 + n), "key": key, "created": jira(at), "updated": jira(at), "fields": fields}
        doc |= {"_project": key.partition("-")[0], "_creator": "acc:other", "_assignee": "acc:other"}
        docs.append((doc["id"], stamp(at + timedelta(microseconds=n % 5)), doc))
    store.put("site", "issue", docs)


def asked(server: Callable[[Call], Any], jql: str, token: str = "", **more: Any) -> dict[str, Any]:
    body = {"jql": jql, "maxResults": 50, "fields": ["summary", "assignee"], "nextPageToken": token or None, **more}
    path = f"/rest/api/3/search/{'approximate-count' if more.get('count') else 'jql'}"
    answer = server(Call(method="POST", path=path, headers=dict(HEADERS), body=orjson.dumps(body)))
    assert answer.status == 200, answer.body
    result: dict[str, Any] = orjson.loads(answer.body)
    return result


def pages(server: JiraServer, jql: str, **more: Any) -> list[list[str]]:
    seen, token = [], ""
    while True:
        page = asked(server, jql, token, **more)
        seen.append([str(issue["id"]) for issue in page["issues"]])
        token = page.get("nextPageToken", "")
        if not token:
            return seen


def both(monkeypatch: pytest.MonkeyPatch, store: Store, play: Callable[[JiraServer], Any]) -> tuple[Any, Any]:
    """What comes out where results are kept as ids, and where they are kept as places."""
    out = []
    for most in (MANY * 2, 0):
        monkeypatch.setattr(search, "LARGE", most)
        out.append(play(JiraServer(store, "site", lambda: NOW)))
    return out[0], out[1]


_MIDDLE = int((FIRST + timedelta(milliseconds=40)).timestamp() * 1000)
WHERES = [
    "project in (ACME, OPS)", "project = ACME", 'project in (ACME, OPS) AND Phase = "QA"', f"updated >= {_MIDDLE}",
    f"updated > {_MIDDLE} AND project = OPS", f"updated < {_MIDDLE}", f"updated <= {_MIDDLE} AND Phase = QA",
    f"NOT updated = {_MIDDLE}", f"updated = {_MIDDLE}", "id in (95, 96, 100)", "project = ACME AND project = OPS",
]  # fmt: skip


@pytest.mark.parametrize("order", ORDERS)
def test_a_large_walk_has_the_pages_of_a_small_one(store: Store, monkeypatch: pytest.MonkeyPatch, order: str) -> None:
    fill(store)
    for where, size in product(WHERES, (7, 50)):
        jql = f"{where} {order}"
        small, large = both(monkeypatch, store, partial(pages, jql=jql, maxResults=size))
        if order:
            assert large == small, where
        else:  # without an order the small one comes by id, the large one by change
            assert sorted(chain(*large)) == sorted(chain(*small)), where


@pytest.mark.parametrize("where", WHERES)
def test_a_large_result_is_counted_as_a_small_one(store: Store, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    fill(store)
    small, large = both(monkeypatch, store, partial(asked, jql=where, count=True))
    assert large == small
    assert small["count"] == len(list(chain(*pages(JiraServer(store, "site", lambda: NOW), where))))


def test_a_large_walk_keeps_its_promises_whatever_others_do(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "LARGE", 0)
    fill_site(store)
    pages_read = 0
    for seed in range(120):
        rng = random.Random(seed)
        with suppress(_UndoneError), store.transaction():
            try:
                pages_read += History(Site(JiraServer(store, "site", Moving(rng)), rng), rng).play()
            except AssertionError as broken:
                raise AssertionError(f"history {seed}: {broken}") from broken
            raise _UndoneError
    assert pages_read > 240


def test_edits_while_the_clock_stands_still_serve_nothing_twice(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store)
    monkeypatch.setattr(search, "LARGE", 0)
    server = JiraServer(store, "site", lambda: NOW)
    jql = "project in (ACME, OPS) ORDER BY updated"
    still = list(chain(*pages(server, jql)))
    page = asked(server, jql)
    seen = [issue["id"] for issue in page["issues"]]
    for id_ in (still[3], still[120]):
        put = Call(
            method="PUT", path=f"/rest/api/3/issue/{id_}", headers=HEADERS, body=b'{"fields":{"summary":"edited"}}'
        )
        assert server(put).status == 204
    while token := page.get("nextPageToken"):
        page = asked(server, jql, token)
        seen += [issue["id"] for issue in page["issues"]]
    assert seen == still


def test_issues_that_are_not_filed_under_their_project_are_found(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store)
    doc = store.get("site", "issue", "101") or {}
    del doc["_project"]
    store.put("site", "issue", [("101", stamp(parsed(doc["updated"])), doc)])
    small, large = both(monkeypatch, store, partial(pages, jql="project = ACME ORDER BY updated"))
    assert large == small
    assert "101" in list(chain(*large))


def test_a_large_walk_holds_no_ids(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store)
    monkeypatch.setattr(search, "LARGE", 0)
    searching = Searching(JiraSite(store, "site", lambda: NOW))
    call = Call(
        method="POST", path="/rest/api/3/search/jql", headers=HEADERS,
        body=orjson.dumps({"jql": "project = ACME ORDER BY updated, key", "maxResults": 10}),
    )  # fmt: skip
    token = orjson.loads(searching.search(call).body)["nextPageToken"]
    found = searching.walk_of(token)
    assert found is not None
    walk, start = found
    assert (walk.ids, start) == ((), 10)
    assert walk.plan.large is not None
    assert set(walk.plan.large.places) == {0, 10}
    assert not walk.moved


def test_a_large_result_asked_for_once_is_not_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store)
    monkeypatch.setattr(search, "LARGE", 0)
    searching = Searching(JiraSite(store, "site", lambda: NOW))
    body = orjson.dumps({"jql": "project = ACME AND updated < '2026-01-01'", "maxResults": 10})
    told_ = searching.search(Call(method="POST", path="/rest/api/3/search/jql", headers=HEADERS, body=body))
    assert orjson.loads(told_.body) == {"issues": [], "isLast": True}
    assert not searching._walks._open


@pytest.mark.parametrize("order", ["updated", "updated DESC", "updated DESC, key DESC"])
@pytest.mark.parametrize("flicker", [0.0, 0.4])
def test_index_lag_and_flicker_are_those_of_a_small_result(
    store: Store, monkeypatch: pytest.MonkeyPatch, order: str, flicker: float
) -> None:
    fill(store)
    settings = {"index_lag_seconds": 60, "index_flicker": flicker, "index_seed": 3}
    store.put("site", "_settings", [("1", stamp(FIRST), settings)])
    clock = [NOW - timedelta(seconds=100)]
    writing = JiraServer(store, "site", lambda: clock[0])
    for n in range(0, 60, 2):
        clock[0] += timedelta(seconds=3)
        fields = {"summary": f"changed {n}", "customfield_10010": {"value": "Build" if n % 4 else "QA"}}
        put = Call(
            method="PUT", path=f"/rest/api/3/issue/{95 + n * 3}", headers={**HEADERS, "authorization": "Bearer other"},
            body=orjson.dumps({"fields": fields}),
        )  # fmt: skip
        assert writing(put).status == 204
    horizon = stamp(NOW - timedelta(seconds=120 if flicker else 60))
    since = int((NOW - timedelta(hours=30)).timestamp() * 1000)
    # few may be fresh even where the result is large; here nothing is few
    monkeypatch.setattr(search.Searcher, "_exceeds", lambda _, part: search.LARGE == 0 and part.since != horizon)
    for where in ("project = ACME AND Phase = QA", f"updated >= {since}", "Phase = Build"):
        small, large = both(monkeypatch, store, partial(pages, jql=f"{where} ORDER BY {order}"))
        assert large == small, where
    found = list(chain(*small))
    assert len(found) == len(set(found)) > 50


@pytest.mark.parametrize("order", ["updated", "updated, key DESC", "updated DESC", "updated DESC, key"])
def test_edited_mid_walk_asks_again_as_a_small_result_does(
    store: Store, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    fill(store)
    jql = f"project = ACME AND Phase = QA ORDER BY {order}"

    def play(server: JiraServer) -> list[list[str]]:
        seen: list[list[str]] = []
        token = ""
        with suppress(_UndoneError), store.transaction():
            while token or not seen:
                call = Call(method="POST", path="/", headers=HEADERS, body=orjson.dumps({"nextPageToken": token}))
                before = server.hooks["edited_mid_walk"].before
                if len(seen) in {2, 3} and before is not None:
                    before(call, {})
                page = asked(server, jql, token, maxResults=20)
                seen.append([str(issue["id"]) for issue in page["issues"]])
                token = page.get("nextPageToken", "")
            raise _UndoneError
        return seen

    small, large = both(monkeypatch, store, play)
    assert large == small
    ids, still = list(chain(*large)), list(chain(*pages(JiraServer(store, "site", lambda: NOW), jql)))
    assert len(set(ids)) < max(len(ids), len(still))  # some came twice, or were passed over


def test_what_is_remembered_is_never_stale(store: Store) -> None:
    fill(store)
    server = JiraServer(store, "site", lambda: NOW)
    jql = "project = ACME ORDER BY updated"
    first = asked(server, jql, maxResults=2)
    user = store.get("site", "user", "acc:other") or {}
    store.put("site", "user", [("acc:other", stamp(NOW), {**user, "displayName": "Somebody Renamed"})])
    second = asked(server, jql, first["nextPageToken"])
    names = [{issue["fields"]["assignee"]["displayName"] for issue in page["issues"]} for page in (first, second)]
    assert names == [{"other"}, {"Somebody Renamed"}]
    other = Store(store.path)  # another process
    other.put("site", "user", [("acc:other", stamp(NOW), {**user, "displayName": "Renamed Elsewhere"})])
    other.close()
    third = asked(server, jql, second["nextPageToken"])
    assert third["issues"][0]["fields"]["assignee"]["displayName"] == "Renamed Elsewhere"
    rights: Mapping[str, Any] = {"user": "acc:reader", "read": ["OPS"]}
    store.put("site", "_rights", [("acc:reader", stamp(NOW), dict(rights))])
    assert asked(server, "updated > 0 ORDER BY updated", third["nextPageToken"])["issues"] == []


def test_a_late_page_costs_what_an_early_one_costs(store: Store) -> None:
    fill(store)
    steps = [0]

    def count() -> int:
        steps[0] += 1
        return 0

    def cost(after: tuple[str, str], *, backwards: bool) -> int:
        steps[0] = 0
        store._db.set_progress_handler(count, 10)
        since, until = stamp(FIRST - timedelta(days=1)), stamp(NOW)
        store.page("site", "issue", size=5, since=since, until=until, after=after, backwards=backwards)
        store._db.set_progress_handler(None, 0)
        return steps[0]

    rows = store.page("site", "issue", size=MANY)
    early, late = rows[10][:2], rows[-10][:2]
    assert cost(late, backwards=False) <= cost(early, backwards=False) + 5
    assert cost(early, backwards=True) <= cost(late, backwards=True) + 5


def test_a_new_issue_gets_the_next_number_of_its_project(store: Store) -> None:
    fill(store)
    assert store.last_number("site", "issue", "ACME-") == MANY
    assert store.last_number("site", "issue", "OPS-") == MANY - 1
    assert store.last_number("site", "issue", "AC-") == 0
    body = orjson.dumps({"fields": {"project": {"key": "OPS"}, "issuetype": {"name": "Task"}, "summary": "new"}})
    made = JiraServer(store, "site", lambda: NOW)(
        Call(method="POST", path="/rest/api/3/issue", headers=HEADERS, body=body)
    )
    assert orjson.loads(made.body)["key"] == f"OPS-{MANY}"


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
def test_times_are_retold_as_if_one_by_one(zone: str) -> None:
    rng, retell = random.Random(zone), retelling(ZoneInfo(zone))
    for _ in range(3000):
        kept = jira(datetime(1990, 1, 1, tzinfo=UTC) + timedelta(milliseconds=rng.randrange(40 * 365 * 86_400_000)))
        assert retell(kept) == told(parsed(kept), ZoneInfo(zone))
    for broken in ("2026-13-40T25:00:00.000+0000", "2026-01-01T10:99:00.000+0000", "soon", ""):
        assert retell(broken) == broken
