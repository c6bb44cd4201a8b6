"""Whatever a tool does, the receipt says what the operator must do, and it is never taken for a defect of the hub."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import airtable_world
import jira_world
import pytest
import requests
import salesforce_world

import connectors.transport
import connectors.wire
from connectors.write_transport import write_session
from hub.domain.records import Receipt
from hub.errors import (
    REMEDIES,
    ConfigurationError,
    InternalFault,
    SourceBroken,
    SourceRefused,
    SourceUnavailable,
    advice,
    remedy_in,
)
from hub.flow.sync import pull
from hub.ledger import Ledger
from sandbox.faults.catalogue import CATALOGUE

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
WORLDS: dict[str, ModuleType] = {"salesforce": salesforce_world, "jira": jira_world, "airtable": airtable_world}
SETTINGS: dict[str, dict[str, Any]] = {"slow_drip": {"bytes": 4000, "pause": 0.005}, "equal_stamps": {"count": 20}}
# What these leave behind would hide what the next fault does.
LASTING = {
    "base_locked", "collaborator_without_access", "deleted_between_pages", "edited_mid_walk", "email_hidden",
    "equal_stamps", "field_deleted", "field_renamed", "field_retyped", "index_lag", "issue_moved", "late_commit",
    "permission_lost", "profile_zone", "user_deleted",
}  # fmt: skip
PASSING = {fault: known.tools for fault, known in CATALOGUE.items() if fault not in LASTING}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reply that never comes is given up at once."""
    senders: tuple[Any, ...] = (
        connectors.wire.GuardedAdapter.__init__,
        connectors.transport.ReadingAdapter.__init__,
        connectors.transport.session,
        write_session,
    )
    for sender in senders:
        if "timeout" in inspect.signature(sender).parameters:
            monkeypatch.setitem(sender.__kwdefaults__, "timeout", (1.0, 0.2))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}") as opened:
        yield opened


def started(company: Callable[..., Any], tool: str) -> Any:
    return company({tool: WORLDS[tool].SPACE}, WORLDS[tool].fill)


def under(running: Any, tool: str, fault: str, ledger: Ledger) -> tuple[Receipt, ...]:
    """Receipts of a full pull under a fault that strikes as often as it can."""
    world = WORLDS[tool]
    running.order(fault=fault, tool=tool, times=None, settings=SETTINGS.get(fault, {}))
    connector = world.connector_for(running)
    receipts = pull(ledger, lambda _: connector, [world.SPACE], clock=lambda: NOW, full=True).receipts
    requests.delete(f"{running.addresses['control']}/faults", timeout=5).raise_for_status()
    return receipts


def defects(receipts: tuple[Receipt, ...]) -> list[str]:
    """Errors that would send the operator to the makers of the hub, or nowhere."""
    failed = [receipt for receipt in receipts if receipt.error]
    return [f"{r.error} ({r.hint})" for r in failed if remedy_in(r.hint) in {None, "report a bug"}]


@pytest.mark.parametrize("tool", WORLDS)
def test_no_passing_fault_ends_as_a_defect(company: Callable[..., Any], ledger: Ledger, tool: str) -> None:
    running = started(company, tool)
    found = {
        fault: told
        for fault, tools in PASSING.items()
        if tool in tools and (told := defects(under(running, tool, fault, ledger)))
    }
    assert found == {}
    after = pull(ledger, lambda _: WORLDS[tool].connector_for(running), [WORLDS[tool].SPACE], clock=lambda: NOW)
    assert after.failed == ()


@pytest.mark.parametrize(
    ("fault", "tool"), [(f, t) for f in sorted(LASTING) for t in CATALOGUE[f].tools if t in WORLDS]
)
def test_no_lasting_fault_ends_as_a_defect(company: Callable[..., Any], ledger: Ledger, fault: str, tool: str) -> None:
    assert defects(under(started(company, tool), tool, fault, ledger)) == []


@pytest.mark.parametrize(
    ("fault", "remedy"),
    [("down", "wait"), ("html", "wait"), ("html_502", "wait"), ("truncated", "wait"), ("hang_before", "wait"),
     ("too_many_requests", "wait"), ("unauthorized_for_ever", "fix configuration")],
)  # fmt: skip
@pytest.mark.parametrize("tool", WORLDS)
def test_the_remedy_fits_the_fault(
    company: Callable[..., Any], ledger: Ledger, tool: str, fault: str, remedy: str
) -> None:
    failed = [each for each in under(started(company, tool), tool, fault, ledger) if each.error]
    assert failed
    assert {remedy_in(each.hint) for each in failed} == {remedy}
    kept = ledger.receipts()
    assert {remedy_in(each.hint) for each in kept if each.error} == {remedy}


def test_every_kind_of_error_has_its_remedy() -> None:
    assert SourceUnavailable("a", source="s").remedy == "wait"
    assert SourceRefused("a", source="s").remedy == "fix configuration"
    assert SourceRefused("a", source="s", remedy="fix data").advice == "fix data"
    assert SourceBroken("a", source="s", hint="tell us").advice == "report a bug: tell us"
    assert ConfigurationError("a", hint="name it").advice == "fix configuration: name it"
    assert InternalFault("a").advice == "report a bug"


@pytest.mark.parametrize("remedy", REMEDIES)
def test_an_advice_gives_its_remedy_back(remedy: Any) -> None:
    assert remedy_in(advice(remedy, "and then: look")) == remedy
    assert remedy_in(advice(remedy, "")) == remedy
    assert remedy_in(f"{remedy}ing is no remedy") is None


def test_the_check_of_a_tool_that_is_down_says_to_wait(company: Callable[..., Any]) -> None:
    running = started(company, "jira")
    running.order(fault="down", tool="jira", times=None)
    connector = jira_world.connector_for(running)
    problems = connector.check()
    assert [remedy_in(problem.hint) for problem in problems] == ["wait"]


def test_an_unexpected_failure_is_ours_to_mend(ledger: Ledger) -> None:
    def connect(_: str) -> Any:
        raise ZeroDivisionError("secret text")

    receipts = pull(ledger, connect, ["s"], clock=lambda: NOW).receipts
    assert [remedy_in(each.hint) for each in receipts] == ["report a bug"]
    assert "secret" not in receipts[0].error + receipts[0].hint


def test_a_broken_reply_with_a_hint_names_its_remedy() -> None:
    """Where the operator can do something, "report a bug" would be the wrong thing to say by default."""
    package = Path(connectors.wire.__file__).parent
    silent = [
        f"{path.relative_to(package)}:{node.lineno}"
        for path in sorted(package.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "SourceBroken"
        if "hint" in (named := {word.arg for word in node.keywords}) and "remedy" not in named
    ]
    assert silent == []
