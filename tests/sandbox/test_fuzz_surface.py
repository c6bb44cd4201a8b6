"""Requests made up from the descriptions, right ones and wrong ones, over real sockets.

Never a 5xx that nobody ordered, never a hang, always an answer of the tool's own form. A few examples of every
operation by default; `HUB_FUZZ=1000` makes a thousand of each.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest
import requests
import schemathesis
from http_world import Running, running
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from surface import fault_of, furnished

from sandbox.calls import Answer, Call
from sandbox.description.services import SERVICES

EXAMPLES = int(os.environ.get("HUB_FUZZ", "0")) or 8
PATIENCE = 5  # seconds until silence is a hang
_FUZZ = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate] if EXAMPLES < 100 else [Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
_TOKENS = {"salesforce": "sf-token", "jira": "app-token", "airtable": "at-token", "control": "nobody's"}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    store = furnished(tmp_path_factory.mktemp("fuzzed") / "world.sqlite")
    with running(store) as served:
        yield served
    store.close()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
@pytest.mark.parametrize("tool", ["salesforce", "jira", "airtable", "control"])
def test_made_up_requests_get_an_answer_of_the_tools_own_form(
    company: Running, tool: str, mode: GenerationMode
) -> None:
    described = schemathesis.openapi.from_dict(SERVICES[tool].document())
    address = company.addresses[tool]
    asked = 0
    with requests.Session() as session:
        for found in described.get_all_operations():
            one = found.ok()

            @_FUZZ
            @given(case=one.as_strategy(generation_mode=mode))
            def fuzz(case: schemathesis.Case) -> None:
                nonlocal asked
                asked += 1
                _ask(session, tool, address, case)

            # an operation that takes nothing cannot be asked wrongly
            with contextlib.suppress(Unsatisfiable):
                fuzz()
            if tool == "control":
                session.delete(address + "/faults", timeout=PATIENCE)
    assert asked > len(SERVICES[tool].operations)


def _ask(session: requests.Session, tool: str, address: str, case: schemathesis.Case) -> None:
    headers = {"Authorization": f"Bearer {_TOKENS[tool]}"}
    told = case.as_transport_kwargs(base_url=address, headers=headers)
    response = session.request(**told, timeout=PATIENCE, allow_redirects=False)
    call = Call(method=case.method, path=response.request.path_url.partition("?")[0])
    kind = response.headers.get("content-type", "")
    wrong = fault_of(tool, call, Answer(status=response.status_code, body=response.content, kind=kind))
    assert not wrong, f"{wrong}\n{case.as_curl_command()}\n{response.text[:300]}"
