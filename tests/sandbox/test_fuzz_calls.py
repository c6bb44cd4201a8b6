"""Garbage at the tools' own functions: whatever comes in, an answer of the tool's own form goes out.

Every example runs in a transaction that is rolled back, so that no example sees what another one wrote.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from fuzz_words import ASKED, FORMULA, HEADERS, JQL, KEYS, SOQL
from http_world import ADA, BASE, CASES, DEAL, ITEMS, J_ADA, QUEUE, U_ADA
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from surface import company, fault_of, routes_of

from sandbox.calls import Call, Tool
from sandbox.description.operations import FORM
from sandbox.description.services import SERVICES
from sandbox.store import Store

EXAMPLES = int(os.environ.get("HUB_FUZZ", "0")) or 250
_FUZZ = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=5000,  # milliseconds: an answer that takes longer is a hang
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
_TOKENS = {"salesforce": ["sf-token"], "jira": ["jira-token", "app-token"], "airtable": ["at-token"]}
_NASTY = [
    "", " ", "\x00", "²", "٣", "NaN", "Infinity", "-0", "1e400", "99999999999999999999999", "-1", "0", "1", "true",
    "null", "[]", "{}", "'", '"', "\\", "%", "%00", "..", "../..", "\ud7ff", "\U0001d518", "a" * 5000, "0001-01-01",
    "9999-12-31", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2026-02-30", "2026-01-01T12:00:00Z",
    "2026-01-01 12:00", "-99999999999d", "-5m", "253402300800000", "99999999999999", "(" * 300, "*", "{", "}", "*all",
    "itr000000000000000/0", "itr000000000000000/99999999999999999999", "01g000000000000000-0",
    "01g000000000000000-²", "Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 99 Foo 0000 99:99:99 GMT", "bm90OmE6dG9rZW4=",
    "Case", "ACME", "ACME-1", "101", "Items", "fldName", "Name", "summary", "assignee", "changelog", "v59.0", "2", "3",
    CASES[0], DEAL, ADA, QUEUE, BASE, ITEMS, "rec1", U_ADA, J_ADA, "jira-token", "OwnerId", "Subject", "Status",
]  # fmt: skip
texts = st.sampled_from(_NASTY) | st.text(max_size=40)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, dict[str, Tool]]]:
    with company(tmp_path_factory.mktemp("fuzzed")) as built:
        yield built


@pytest.fixture(scope="module")
def stands(served: tuple[Store, dict[str, Tool]]) -> dict[str, dict[str, str]]:
    return _furnished(served[1])


def _answered(served: tuple[Store, dict[str, Tool]], tool: str, call: Call) -> None:
    """Ask, undo what was written, and check the form of the answer."""
    store, tools = served
    with contextlib.suppress(_UndoneError), store.transaction():
        answer = tools[tool](call)
        raise _UndoneError
    wrong = fault_of(tool, call, answer)
    assert not wrong, f"{wrong}: {call}"


class _UndoneError(Exception):
    """Rolls an example's writes back."""


def _values_like(tool: str) -> st.SearchStrategy[Any]:
    """JSON with the keys the tool knows, in the right and in wrong places."""
    keys = st.sampled_from(KEYS[tool]) | texts
    return st.recursive(
        st.none() | st.booleans() | st.integers(-(2**70), 2**70) | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5),
        max_leaves=12,
    )


def _bodies(tool: str) -> st.SearchStrategy[bytes]:
    known = _values_like(tool).map(_encoded)
    pairs = st.lists(st.tuples(st.sampled_from(KEYS[tool]) | texts, texts).map("=".join), max_size=4)
    form = pairs.map("&".join).map(str.encode)
    rows = st.lists(texts, max_size=6).map(",".join).map(str.encode)
    return st.one_of(known, known, known, form, rows, st.binary(max_size=60), st.just(b""))


def _encoded(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # an integer beyond 64 bits: JSON allows it
        return json.dumps(value).encode()


@st.composite
def _calls(draw: st.DrawFn, tool: str, routes: list[tuple[str, str]]) -> Call:
    """A request to a served path that may be wrong in everything else."""
    method, template = draw(st.sampled_from(routes))
    known = {"v": "v59.0" if tool == "salesforce" else "3", "o": "Case", "b": BASE, "t": ITEMS}
    segments = st.sampled_from([*CASES, "ACME-1", "101", "rec1", "10000"]) | texts

    def filled(name: str) -> str:
        if name in known and draw(st.integers(0, 9)):
            return known[name]
        return draw(segments)

    path = re.sub(r"\{(\w+)\}", lambda found: filled(found[1]), template)
    if not draw(st.integers(0, 19)):
        path += draw(texts)
    if not draw(st.integers(0, 9)):
        method = draw(st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW"]))
    query = draw(st.lists(st.tuples(st.sampled_from(ASKED[tool]) | texts, texts), max_size=5))
    headers = draw(st.dictionaries(st.sampled_from(HEADERS), texts.map(_latin), max_size=2))
    token = draw(st.sampled_from(_TOKENS[tool])) if draw(st.integers(0, 19)) else _latin(draw(texts))
    scheme = "Bearer" if draw(st.integers(0, 19)) else draw(st.sampled_from(["Basic", "OAuth", "", "bearer"]))
    headers["authorization"] = f"{scheme} {token}"
    body = draw(_bodies(tool)) if method not in {"GET", "DELETE"} else b""
    return Call(method=method, path=path, query=tuple(query), headers=headers, body=body)


_STAND_FOR = {
    "salesforce": {
        "v": "v59.0",
        "o": "Case",
        "id": CASES[0],
        "n": "59.0",
        "api": "u",
        "field": "Id",
        "value": CASES[0],
    },
    "jira": {"v": "3", "k": "ACME-1", "p": "ACME", "name": "note", "id": "10", "a": "1", "d": "10001"},
    "airtable": {"b": BASE, "t": ITEMS, "r": "rec1", "f": "fldName"},
}
_MADE = {  # what a fresh company lacks, by the request that makes it: tool, path, and what its id stands for
    "salesforce": [
        ("/services/data/{v}/jobs/query", "query/{job}"),
        ("/services/data/{v}/jobs/ingest", "ingest/{job}"),
    ],
    "jira": [("/rest/api/{v}/issue/{k}/comment", "{c}")],
    "airtable": [("/v0/{b}/{t}/{r}/comments", "{c}"), ("/v0/bases/{b}/webhooks", "{w}")],
}


def _furnished(tools: dict[str, Tool]) -> dict[str, dict[str, str]]:
    """Make a comment, a webhook, a job of each kind; returns what stands for the `{...}` of the paths, by tool."""
    stands: dict[str, dict[str, str]] = {}
    for tool, made in _MADE.items():
        stand = stands[tool] = {f"{{{name}}}": value for name, value in _STAND_FOR[tool].items()}
        for path, name in made:
            sample = next(one.sample for one in SERVICES[tool].operations if (one.method, one.path) == ("POST", path))
            answer = tools[tool](_signed(tool, "POST", _filled(path, stand), body=orjson.dumps(sample)))
            assert answer.status < 300, answer
            id_ = orjson.loads(answer.body)["id"]
            stand[name] = name.replace("{job}", id_) if "/" in name else id_
    return stands


def _filled(path: str, stand: dict[str, str]) -> str:
    for name, value in sorted(stand.items(), key=lambda pair: -len(pair[0])):
        path = path.replace(name, value)
    return path


@st.composite
def _near_misses(draw: st.DrawFn, tool: str, stand: dict[str, str]) -> Call:
    """A request that would be understood, with one or two things in it spoilt."""
    one = draw(st.sampled_from(SERVICES[tool].operations))
    path = re.sub(r"\{\w+\}", lambda _: draw(texts), _filled(one.path, stand))
    names = st.sampled_from(sorted(one.query)) if one.query else st.nothing()
    query = draw(st.lists(st.tuples(names, texts), max_size=2)) if one.query else []
    body = one.sample
    for _ in range(draw(st.integers(0, 2))):
        body = _spoilt(draw, body, tool)
    if one.body_kind == FORM and isinstance(body, dict):
        data = urlencode({str(key): str(value) for key, value in body.items()}).encode()
    else:
        data = b"" if one.body is None else body.encode() if isinstance(body, str) else _encoded(body)
    token = draw(st.sampled_from(_TOKENS[tool]))
    headers = {"authorization": f"Bearer {token}", "host": "127.0.0.1", "content-type": one.body_kind}
    if one.headers:
        headers |= draw(
            st.dictionaries(st.sampled_from(sorted(one.headers)).map(str.lower), texts.map(_latin), max_size=1)
        )
    return Call(method=one.method, path=path, query=tuple(query), headers=headers, body=data)


def _spoilt(draw: st.DrawFn, value: Any, tool: str) -> Any:
    """The value with one place in it replaced, taken away, doubled or added to."""
    if isinstance(value, dict) and value and draw(st.integers(0, 3)):
        key = draw(st.sampled_from(sorted(value)))
        if not draw(st.integers(0, 5)):
            return {name: kept for name, kept in value.items() if name != key}
        if not draw(st.integers(0, 5)):
            return {**value, draw(st.sampled_from(KEYS[tool])): draw(values)}
        return {**value, key: _spoilt(draw, value[key], tool)}
    if isinstance(value, list) and value and draw(st.integers(0, 3)):
        if not draw(st.integers(0, 3)):
            return value * draw(st.sampled_from([2, 11, 201]))
        return [_spoilt(draw, value[0], tool), *value[1:]]
    return draw(values)


def _latin(text: str) -> str:
    """What a header can carry: bytes, read as Latin-1, without line ends."""
    return re.sub(r"[\r\n\x00]", "", text.encode("utf-8").decode("latin-1"))


def _signed(tool: str, method: str, path: str, *, query: tuple[tuple[str, str], ...] = (), body: bytes = b"") -> Call:
    headers = {"authorization": f"Bearer {_TOKENS[tool][-1]}", "host": "127.0.0.1"}
    return Call(method=method, path=path, query=query, headers=headers, body=body)


@pytest.mark.parametrize("tool", ["salesforce", "jira", "airtable"])
def test_any_call_to_a_known_path_gets_an_answer_of_the_tools_own_form(
    served: tuple[Store, dict[str, Tool]], tool: str
) -> None:
    routes = sorted(routes_of(served[1][tool]))

    @settings(_FUZZ, max_examples=EXAMPLES * 3)
    @given(call=_calls(tool, routes))
    def fuzz(call: Call) -> None:
        _answered(served, tool, call)

    fuzz()


@pytest.mark.parametrize("tool", ["salesforce", "jira", "airtable"])
def test_a_good_request_with_something_spoilt_gets_an_answer_of_the_tools_own_form(
    served: tuple[Store, dict[str, Tool]], stands: dict[str, dict[str, str]], tool: str
) -> None:
    @settings(_FUZZ, max_examples=EXAMPLES * 3)
    @given(call=_near_misses(tool, stands[tool]))
    def fuzz(call: Call) -> None:
        _answered(served, tool, call)

    fuzz()


@pytest.mark.parametrize("tool", ["salesforce", "jira", "airtable"])
@_FUZZ
@given(path=texts, method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]), body=st.binary(max_size=50))
def test_any_path_gets_an_answer_of_the_tools_own_form(
    served: tuple[Store, dict[str, Tool]], tool: str, path: str, method: str, body: bytes
) -> None:
    start = {"salesforce": "/services/data/v59.0/", "jira": "/rest/api/3/", "airtable": "/v0/"}[tool]
    _answered(served, tool, _signed(tool, method, "/" + path, body=body))
    _answered(served, tool, _signed(tool, method, start + path, body=body))


def _soup(words: list[str]) -> st.SearchStrategy[str]:
    """Words of a language in any order, with and without space between them."""
    token = st.sampled_from(words) | st.sampled_from(words) | texts
    return st.tuples(st.sampled_from([" ", " ", ""]), st.lists(token, max_size=14)).map(
        lambda soup: soup[0].join(soup[1])
    )


@_FUZZ
@given(
    text=_soup(SOQL) | _soup(SOQL).map("SELECT Id FROM Case WHERE ".__add__),
    verb=st.sampled_from(["query", "queryAll"]),
)
def test_any_soql_gets_rows_or_salesforces_error(served: tuple[Store, dict[str, Tool]], text: str, verb: str) -> None:
    _answered(served, "salesforce", _signed("salesforce", "GET", f"/services/data/v59.0/{verb}", query=(("q", text),)))


@_FUZZ
@given(text=_soup(JQL) | _soup(JQL).map("project = ACME AND ".__add__))
def test_any_jql_gets_issues_or_jiras_error(served: tuple[Store, dict[str, Tool]], text: str) -> None:
    _answered(served, "jira", _signed("jira", "GET", "/rest/api/3/search/jql", query=(("jql", text),)))


@_FUZZ
@given(text=_soup(FORMULA))
def test_any_formula_gets_records_or_airtables_error(served: tuple[Store, dict[str, Tool]], text: str) -> None:
    _answered(served, "airtable", _signed("airtable", "GET", f"/v0/{BASE}/{ITEMS}", query=(("filterByFormula", text),)))
