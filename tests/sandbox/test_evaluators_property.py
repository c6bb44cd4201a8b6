"""The evaluators of SOQL, JQL and formulas agree with naive ones written from the vendors' books.

Random conditions over random records, asked of the tools themselves; ids and their order must be the same.
`HUB_FUZZ=1000` asks a thousand queries of each instead of three hundred.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naive import formula as af
from naive import jql, queries, soql, worlds

from sandbox.airtable.server import AirtableServer
from sandbox.calls import Call, Tool
from sandbox.jira.server import JiraServer
from sandbox.salesforce.server import SalesforceServer
from sandbox.store import Store

_WORLDS = 4
_EXAMPLES = settings(
    max_examples=int(os.environ.get("HUB_FUZZ", "0")) or 300,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
seeds = st.integers(0, _WORLDS - 1)
World = tuple[Tool, list[worlds.Plain]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store(tmp_path_factory.mktemp("worlds") / "world.sqlite")
    yield opened
    opened.close()


def _worlds(
    store: Store, name: str, fill: Callable[[Store, int], list[worlds.Plain]], serve: Callable[..., Tool]
) -> list[World]:
    built = []
    for seed in range(_WORLDS):
        with store.transaction():
            plain = fill(store, seed)
        built.append((serve(store, f"{name}{seed}", lambda: worlds.NOW), plain))
    return built


def _asked(tool: Tool, path: str, **query: str) -> Any:
    answer = tool(Call(method="GET", path=path, query=tuple(query.items()), headers={"authorization": "Bearer token"}))
    assert answer.status == 200, (query, answer.body[:300])
    return orjson.loads(answer.body)


# -- SOQL ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def orgs(store: Store) -> list[World]:
    return _worlds(store, "org", worlds.org, SalesforceServer)


@_EXAMPLES
@given(
    seed=seeds,
    where=queries.soql_conds,
    keys=queries.soql_keys,
    limit=st.none() | st.integers(0, 20),
    offset=st.integers(0, 3),
)
def test_soql_agrees_with_the_book(
    orgs: list[World], seed: int, where: soql.Cond, keys: list[soql.Key], limit: int | None, offset: int
) -> None:
    tool, records = orgs[seed]
    keys = [*keys, soql.Key("Id", descending=False, nulls="")]
    text = f"SELECT Id FROM Case WHERE {where} ORDER BY {', '.join(map(str, keys))}"
    text += (f" LIMIT {limit}" if limit is not None else "") + (f" OFFSET {offset}" if offset else "")
    expected = [str(one["Id"]) for one in soql.ordered([one for one in records if where.holds(one)], keys)]
    expected = expected[offset : None if limit is None else offset + limit]

    told = _asked(tool, "/services/data/v59.0/query", q=text)

    assert [row["Id"] for row in told["records"]] == expected, text


# -- JQL -----------------------------------------------------------------------------------------------------

_ZONE = ZoneInfo(worlds.ZONE)


@pytest.fixture(scope="module")
def sites(store: Store) -> list[World]:
    return _worlds(store, "site", worlds.site, JiraServer)


def _jql_asked(world: World, where: jql.Cond | jql.Changed, field: str, *, descending: bool) -> None:
    tool, issues = world
    text = f"{where.written(_ZONE)} ORDER BY {field} {'DESC' if descending else 'ASC'}"
    text += "" if field == "key" else ", key ASC"
    expected = [one for one in issues if where.holds(one)]  # told in the order of their keys
    if field == "key":
        expected = expected[::-1] if descending else expected
    else:
        expected.sort(key=lambda one: one[field], reverse=descending)

    told = _asked(tool, "/rest/api/3/search/jql", jql=text, maxResults="1000", fields="id")

    assert [issue["id"] for issue in told["issues"]] == [one["id"] for one in expected], text


@_EXAMPLES
@given(
    seed=seeds, where=queries.jql_conds, field=st.sampled_from(["created", "updated", "key"]), descending=st.booleans()
)
def test_jql_agrees_with_the_book(sites: list[World], seed: int, where: jql.Cond, field: str, descending: bool) -> None:
    _jql_asked(sites[seed], where, field, descending=descending)


@_EXAMPLES
@given(seed=seeds, where=queries.past_conds)
def test_jql_about_the_past_agrees_with_the_book(sites: list[World], seed: int, where: jql.Cond | jql.Changed) -> None:
    _jql_asked(sites[seed], where, "key", descending=False)


# -- formulas ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bases(store: Store) -> list[World]:
    return _worlds(store, "base", worlds.base, AirtableServer)


@_EXAMPLES
@given(seed=seeds, where=queries.truths, descending=st.booleans())
def test_formulas_agree_with_the_book(bases: list[World], seed: int, where: af.Node, descending: bool) -> None:
    tool, rows = bases[seed]
    expected = sorted((row for row in rows if af.holds(where, row)), key=lambda row: row["Rank"], reverse=descending)
    order = {"sort[0][field]": "Rank", "sort[0][direction]": "desc" if descending else "asc"}

    told = _asked(tool, "/v0/appAll/tblAll", filterByFormula=where.text, **order)

    assert [record["id"] for record in told["records"]] == [row["RECORD_ID"] for row in expected], where.text


def test_the_naive_evaluators_know_the_odd_rules() -> None:
    """The rules a careless evaluator gets wrong, stated one by one."""
    nobody = {"assignee": None, "duedate": None}
    assert soql.Is("a", "!=", "x").holds({"a": None})
    assert not soql.Is("a", "<", "x").holds({"a": None})
    assert not jql.Clause("assignee", "!=", ("acc:ada",)).holds(nobody)
    assert not jql.Not(jql.Clause("assignee", "=", ("acc:ada",))).holds(nobody)
    assert not jql.Not(jql.Clause("duedate", ">", (date(2026, 1, 1),))).holds(nobody)
    assert af.holds(af.blank(af.cell("Name"), equal=True), {"Name": ""})
    assert isinstance(worlds.NOW, datetime)
