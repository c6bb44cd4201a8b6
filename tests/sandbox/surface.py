"""The simulated tools as plain functions over the small company, and what any answer of theirs must look like."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from airtable_base import rich_company
from http_world import SPACES
from jira_site import furnish

from sandbox.calls import Answer, Call, Routes, Tool
from sandbox.store import Store
from sandbox.web import SERVERS

NOW = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)
_NAMED = re.compile(r"\(\?P<(\w+)>((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)")
_CHOICE = re.compile(r"\(\?(?:i)?:((?:[\w\\.]+\|)*[\w\\.]+)\)")
_WORDS = re.compile(r"(?:[A-Za-z][\w]*\|)+[A-Za-z][\w]*")


def furnished(path: Path) -> Store:
    """The small company with everything in it that a described path may lead to."""
    store: Store = rich_company(path)
    furnish(store)
    return store


@contextmanager
def company(directory: Path) -> Iterator[tuple[Store, dict[str, Tool]]]:
    """The furnished company and its three tools, at a fixed moment; nothing listens."""
    store = furnished(directory / "world.sqlite")
    try:
        yield store, {tool: build(store, SPACES[tool], lambda: NOW) for tool, build in SERVERS.items()}
    finally:
        store.close()


def routes_of(tool: Tool) -> set[tuple[str, str]]:
    """Every (method, path template) a tool routes: a group of words is spelt out, any other is `{name}`."""
    tables = [value for value in vars(tool).values() if isinstance(value, Routes)]
    assert tables, f"{type(tool).__name__} keeps its route table where nobody finds it"
    return {
        (method, path)
        for table in tables
        for method, pattern, *_ in table._table  # the one place that reads it
        for path in _templates(pattern.pattern)
    }


def _templates(pattern: str) -> list[str]:
    """Path templates of a route's pattern."""
    pattern = re.sub(r"\(\?:/[^()]*\)\?", "", pattern)  # what a path may go without
    parts: list[list[str]] = []
    place = 0
    for found in sorted([*_NAMED.finditer(pattern), *_CHOICE.finditer(pattern)], key=lambda match: match.start()):
        if found.start() < place:
            continue
        parts.append([pattern[place : found.start()]])
        if found.re is _CHOICE:
            parts.append(found[1].split("|"))
        else:
            spelt = found[1] != "v" and _WORDS.fullmatch(found[2])
            parts.append(found[2].split("|") if spelt else [f"{{{found[1]}}}"])
        place = found.end()
    parts.append([pattern[place:]])
    return ["".join(combination).replace("\\", "") for combination in itertools.product(*parts)]


def fault_of(tool: str, call: Call, answer: Answer) -> str:
    """What is wrong with an answer, in one line; empty when the tool may answer so."""
    if answer.status >= 500 and not _soap(call):
        return f"status {answer.status}"
    body, kind = answer.body, answer.kind.partition(";")[0]
    if answer.status in {204, 304}:
        return f"a body with status {answer.status}" if body else ""
    if not body and answer.status < 300:
        return ""
    if kind == "application/json":
        try:
            told = orjson.loads(body)
        except orjson.JSONDecodeError:
            return "not JSON"
        return "" if answer.status < 400 else _SHAPES[tool](call, answer.status, told)
    if answer.status < 400:
        return "" if not body or kind in {"text/csv", "text/xml", "text/html", "text/plain"} else f"kind {kind}"
    if tool == "salesforce" and _soap(call) and kind == "text/xml":
        return "" if b"faultcode" in body else "no SOAP fault"
    if tool == "salesforce" and kind == "text/plain" and body in {b"Bad_OAuth_Token", b"Bad_Id"}:
        return ""  # the identity addresses tell their errors as bare words
    if tool == "jira" and (answer.status, kind) in {(401, "text/plain"), (404, "text/html"), (403, "text/plain")}:
        return ""
    return f"error {answer.status} as {kind}"


def _soap(call: Call) -> bool:
    return call.path.startswith("/services/Soap")


def _salesforce(call: Call, status: int, told: Any) -> str:
    if call.path.startswith("/services/oauth2") and isinstance(told, Mapping):
        return "" if isinstance(told.get("error"), str) else f"not an OAuth error: {told!r:.200}"
    rows = told if isinstance(told, list) else []
    if "/process/approvals" in call.path and rows and all(isinstance(row, dict) and "success" in row for row in rows):
        return ""
    right = bool(rows) and all(isinstance(row, dict) and {"errorCode", "message"} <= set(row) for row in rows)
    return "" if right else f"not an error array ({status}): {told!r:.200}"


def _jira(call: Call, status: int, told: Any) -> str:
    if not isinstance(told, Mapping):
        return f"not an error collection ({status}): {told!r:.200}"
    if "/servicedeskapi/" in call.path and isinstance(told.get("errorMessage"), str):
        return ""
    if call.path.startswith("/oauth/") and isinstance(told.get("error"), str):
        return ""
    if status == 429 and told:
        return ""
    right = isinstance(told.get("errorMessages"), list) and ("errors" in told or "warningMessages" in told)
    return "" if right else f"not an error collection ({status}): {told!r:.200}"


def _airtable(_: Call, status: int, told: Any) -> str:
    if isinstance(told, Mapping):
        error = told.get("error")
        if isinstance(error, str) or (isinstance(error, Mapping) and isinstance(error.get("type"), str)):
            return ""
        if status == 429 and isinstance(told.get("errors"), list):
            return ""
    return f"not an Airtable error ({status}): {told!r:.200}"


def _control(_: Call, status: int, told: Any) -> str:
    right = isinstance(told, Mapping) and isinstance(told.get("error"), str)
    return "" if right else f"not the control port's error ({status}): {told!r:.200}"


_SHAPES = {"salesforce": _salesforce, "jira": _jira, "airtable": _airtable, "control": _control}
