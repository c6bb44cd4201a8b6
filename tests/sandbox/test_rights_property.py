"""What an account may not see is in no result of any query: the full result without the hidden rows, in its order.

Random queries, each asked by somebody who sees everything and by somebody who does not see every third record
and one field.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
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
from sandbox.stamps import stamp
from sandbox.store import Store

_EXAMPLES = settings(
    max_examples=int(os.environ.get("HUB_FUZZ", "0")) or 100,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store(tmp_path_factory.mktemp("rights") / "world.sqlite")
    yield opened
    opened.close()


def _limited(store: Store, space: str, user: str, token: dict[str, Any], rights: dict[str, Any]) -> None:
    store.put(space, "_token", [("limited", stamp(worlds.FIRST), token)])
    store.put(space, "_rights", [(user, stamp(worlds.FIRST), {"user": user, "edit": [], **rights})])


def _asked(tool: Tool, token: str, path: str, **query: str) -> tuple[int, Any]:
    headers = {"authorization": f"Bearer {token}"}
    answer = tool(Call(method="GET", path=path, query=tuple(query.items()), headers=headers))
    return answer.status, orjson.loads(answer.body)


@pytest.fixture(scope="module")
def org(store: Store) -> tuple[Tool, set[str]]:
    hidden = {str(one["Id"]) for one in worlds.org(store, 0)[::3]}
    user = str(worlds.USERS[1])
    rights = {"read": ["*"], "hidden": sorted(hidden), "hidden_fields": ["Case.Effort__c"]}
    _limited(store, "org0", user, {"user": user}, rights)
    return SalesforceServer(store, "org0", lambda: worlds.NOW), hidden


@_EXAMPLES
@given(where=queries.soql_conds, keys=queries.soql_keys)
def test_no_query_tells_of_a_hidden_case(org: tuple[Tool, set[str]], where: soql.Cond, keys: list[soql.Key]) -> None:
    tool, hidden = org
    text = f"FROM Case WHERE {where} ORDER BY {', '.join(map(str, [*keys, 'Id']))}"
    status, told = _asked(tool, "limited", "/services/data/v59.0/query", q=f"SELECT Id {text}")
    if "Effort__c" in text:
        assert (status, told[0]["errorCode"]) == (400, "INVALID_FIELD"), text
        return
    _, whole = _asked(tool, "token", "/services/data/v59.0/query", q=f"SELECT Id {text}")
    seen = [row["Id"] for row in whole["records"] if row["Id"] not in hidden]

    assert [row["Id"] for row in told["records"]] == seen, text
    assert told["totalSize"] == len(seen)
    counted = f"SELECT COUNT() FROM Case WHERE {where}"
    assert _asked(tool, "limited", "/services/data/v59.0/query", q=counted)[1]["totalSize"] == len(seen)


@pytest.fixture(scope="module")
def site(store: Store) -> tuple[Tool, set[str]]:
    issues = worlds.site(store, 0)
    hidden = {one["id"] for one in issues[::3]} | {one["id"] for one in issues if one["project"] == "BETA"}
    rights = {"read": ["ACME"], "hidden": [one["id"] for one in issues[::3]], "hidden_fields": ["customfield_10010"]}
    _limited(store, "site0", worlds.ACCOUNTS[1], {"email": "g@a.example", "accountId": worlds.ACCOUNTS[1]}, rights)
    return JiraServer(store, "site0", lambda: worlds.NOW), hidden


@_EXAMPLES
@given(where=queries.jql_conds)
def test_no_search_tells_of_a_hidden_issue(site: tuple[Tool, set[str]], where: jql.Cond) -> None:
    tool, hidden = site
    text = f"{where.written(ZoneInfo(worlds.ZONE))} ORDER BY key"
    asked = {"jql": text, "maxResults": "1000", "fields": "id"}
    status, told = _asked(tool, "limited", "/rest/api/3/search/jql", **asked)
    if status == 400:  # a name that means nothing to somebody who may not see what it names
        assert any(name in text for name in ("beta", "key ", "Phase")), (text, told)
        return
    assert "Phase" not in text
    _, whole = _asked(tool, "token", "/rest/api/3/search/jql", **asked)

    seen = [issue["id"] for issue in whole["issues"] if issue["id"] not in hidden]
    assert [issue["id"] for issue in told["issues"]] == seen, text


@pytest.fixture(scope="module")
def base(store: Store) -> tuple[Tool, set[str]]:
    hidden = {one["RECORD_ID"] for one in worlds.base(store, 0)[::3]}
    rights = {"read": ["appAll", "tblAll"], "hidden": sorted(hidden), "hidden_fields": ["fldStatus"]}
    _limited(store, "base0", "usr1", {"user": "usr1"}, rights)
    return AirtableServer(store, "base0", lambda: worlds.NOW), hidden


@_EXAMPLES
@given(where=queries.truths, size=st.integers(5, 100))
def test_no_listing_tells_of_a_hidden_record(base: tuple[Tool, set[str]], where: af.Node, size: int) -> None:
    tool, hidden = base
    asked = {"filterByFormula": where.text, "sort[0][field]": "Rank", "pageSize": str(size)}
    status, told = _asked(tool, "limited", "/v0/appAll/tblAll", **asked)
    if "{Status}" in where.text:
        assert (status, told["error"]["type"]) == (422, "INVALID_FILTER_BY_FORMULA"), where.text
        return
    whole = _all(tool, "token", asked)

    assert _all(tool, "limited", asked) == [id_ for id_ in whole if id_ not in hidden], where.text
    assert not any("Status" in record["fields"] for record in told["records"])


def _all(tool: Tool, token: str, asked: dict[str, str]) -> list[str]:
    ids: list[str] = []
    offset = ""
    while True:
        status, told = _asked(tool, token, "/v0/appAll/tblAll", **asked, **({"offset": offset} if offset else {}))
        assert status == 200, told
        ids += [record["id"] for record in told["records"]]
        offset = told.get("offset", "")
        if not offset:
            return ids
