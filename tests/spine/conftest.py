"""A simulated company on real sockets, and the means to watch and disturb it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from hub.wiring import Hub, open_hub
from sandbox import launcher


def clock() -> datetime:
    """The present instant: the company's servers live in real time."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Company:
    """A running company: its configuration and its control port."""

    directory: Path
    config: Path
    addresses: dict[str, str]

    def journal(self, tool: str = "", method: str = "") -> list[dict[str, Any]]:
        """Every request so far, oldest first."""
        reply = requests.get(
            f"{self.addresses['control']}/journal", params={"tool": tool, "method": method}, timeout=10
        )
        return list(reply.json())

    def writes(self, tool: str) -> list[dict[str, Any]]:
        """Requests that change an owner."""
        changing = {"salesforce": ("PATCH", "/sobjects/"), "jira": ("PUT", "/assignee"), "airtable": ("PATCH", "/v0/")}
        method, path = changing[tool]
        return [entry for entry in self.journal(tool, method) if path in entry["path"]]

    def fault(self, **order: Any) -> None:
        """Let coming requests go wrong."""
        requests.post(f"{self.addresses['control']}/faults", json=order, timeout=10).raise_for_status()

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        requests.delete(f"{self.addresses['control']}/faults", timeout=10).raise_for_status()

    def letters(self, to: str) -> list[dict[str, Any]]:
        """Mail delivered to an address, newest first."""
        return list(requests.get(f"{self.addresses['control']}/mail", params={"to": to}, timeout=10).json())

    def code(self, hub: Hub, plan_id: str) -> str:
        """The approval code that the first approver received for a plan."""
        approver = hub.charter.decision_rights.owner_change.approvers[0]
        for letter in self.letters(hub.charter.people[approver].email or ""):
            found = re.search(rf"hub approve {plan_id} --code (\S+)", letter["text"])
            if found:
                return found[1]
        raise AssertionError(f"no code for {plan_id}")

    def change_charter(self, change: Callable[[str], str]) -> None:
        """Edit the charter's text."""
        path = self.config / "charter.yaml"
        text = path.read_text(encoding="utf-8")
        changed = change(text)
        assert changed != text
        path.write_text(changed, encoding="utf-8")

    def use_database(self, url: str) -> None:
        """Keep the ledger at `url`."""
        path = self.config / "hub.yaml"
        text = re.sub(r"database: .*", f"database: '{url}'", path.read_text(encoding="utf-8"))
        path.write_text(text, encoding="utf-8")


@contextmanager
def running_company(directory: Path, **options: Any) -> Iterator[Company]:
    """A company that stops at the end."""
    running = launcher.up(directory, **options)
    try:
        yield Company(directory=directory, config=running.config, addresses=running.addresses)
    finally:
        launcher.down(directory)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    """A small company of its own for one test."""
    with running_company(tmp_path / "company", seed=11, items=60) as running:
        yield running


@pytest.fixture
def hub(company: Company) -> Iterator[Hub]:
    """The hub on that company, with SQLite."""
    with open_hub(company.config) as opened:
        yield opened
