"""The descriptions and the route tables name the same paths; the printed documents are valid OpenAPI."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from http_world import SPACES, Running
from starlette.routing import Route
from surface import company, routes_of

from sandbox.calls import Tool
from sandbox.clock import VirtualClock
from sandbox.control import control_app
from sandbox.description.operations import nameless, surface
from sandbox.description.services import SERVICES
from sandbox.faults.orders import Faults
from sandbox.journal import Journal

PROJECT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Tool]]:
    with company(tmp_path_factory.mktemp("described")) as (_, built):
        yield built


def _told(pairs: set[tuple[str, str]]) -> str:
    return "\n  ".join(f"{method} {path}" for method, path in sorted(pairs)) or "nothing"


@pytest.mark.parametrize("name", ["salesforce", "jira", "airtable"])
def test_what_is_described_is_served_and_what_is_served_is_described(tools: dict[str, Tool], name: str) -> None:
    served = {(method, nameless(path)) for method, path in routes_of(tools[name])}
    described = surface(SERVICES[name].operations)

    assert served == described, (
        f"served but not described:\n  {_told(served - described)}\n"
        f"described but not served:\n  {_told(described - served)}"
    )


def test_the_control_port_serves_what_is_described_and_nothing_else(tmp_path: Path) -> None:
    with company(tmp_path) as (store, _):
        journal, clock = Journal(), VirtualClock()
        app = control_app(store, SPACES, journal=journal, faults=Faults(), clock=clock, addresses={})
    routes = [route for route in app.routes if isinstance(route, Route)]
    served = {(method, nameless(route.path)) for route in routes for method in route.methods or () if method != "HEAD"}
    described = surface(SERVICES["control"].operations)

    assert served == described, (
        f"served but not described:\n  {_told(served - described)}\n"
        f"described but not served:\n  {_told(described - served)}"
    )


def test_the_control_port_answers_as_described(small: Running) -> None:
    import requests

    for one in SERVICES["control"].operations:
        if one.body is not None or "{" in one.path:
            continue
        answer = requests.request(one.method, small.addresses["control"] + one.path, timeout=10)
        assert answer.status_code in one.statuses, (one.method, one.path, answer.text[:200])
        assert answer.headers["content-type"].startswith(one.kind)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_the_printed_document_is_valid_openapi(name: str) -> None:
    import schemathesis

    printed = subprocess.run(
        [sys.executable, "-m", "sandbox.description", name], cwd=PROJECT, capture_output=True, check=True, timeout=60
    )
    document = json.loads(printed.stdout)

    loaded = schemathesis.openapi.from_dict(document)
    loaded.validate()
    assert loaded.statistic.operations.total == len(SERVICES[name].operations)
    assert len({one["operationId"] for path in document["paths"].values() for one in path.values()}) == len(
        SERVICES[name].operations
    )


def test_a_name_nobody_knows_is_told_the_names() -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "sandbox.description", "sharepoint"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert asked.returncode == 2
    assert "salesforce, jira, airtable, control" in asked.stderr
