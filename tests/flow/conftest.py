"""A small charter, and a tool that keeps owners in memory and can fail in every way a tool can."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.base import OwnerReading, SendResult
from hub.charter.model import Charter
from hub.errors import SourceUnavailable

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class Killed(BaseException):
    """The process dies here."""


@dataclass
class Clock:
    """Time that only moves when somebody waits."""

    at: datetime = START

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Tool:
    """A tool with owners, a history of changes, and a schedule of what happens around each request.

    `script` maps the number of a send to what happens then: "lost_reply", "lost_request", "kill_before",
    "kill_after", "refuse", "busy"; `humans` maps the number of a read to an edit that somebody makes just before.
    """

    clock: Clock
    owners: dict[str, str | None]
    script: dict[int, str] = field(default_factory=dict)
    humans: dict[int, tuple[str, str]] = field(default_factory=dict)
    inactive: frozenset[str] = frozenset()
    keeps_history: bool = True
    sends: list[tuple[str, str | None]] = field(default_factory=list)
    effective: list[tuple[str, str | None, str]] = field(default_factory=list)
    history: list[tuple[datetime, str, str | None, str]] = field(default_factory=list)
    overwritten: list[tuple[str, str | None]] = field(default_factory=list)
    reads: int = 0

    def human_edit(self, record: str, owner: str) -> None:
        self.owners[record] = owner
        self.history.append((self.clock.at, record, owner, "human"))

    def read_owner(self, record: str) -> OwnerReading:
        self.reads += 1
        if self.reads in self.humans:
            self.human_edit(*self.humans[self.reads])
        if record not in self.owners:
            raise SourceUnavailable("tool: gone", source="tool")
        return OwnerReading(owner=self.owners[record], version=str(len(self.history)))

    def may_own(self, record: str, account: str) -> str:
        return f"{account} is inactive" if account in self.inactive else ""

    def send_owner(self, record: str, desired: str | None, reading: OwnerReading, *, marker: str) -> SendResult:
        number = len(self.sends) + 1
        self.sends.append((record, desired))
        what = self.script.get(number, "")
        if what == "kill_before":
            raise Killed
        if what == "lost_request":
            return SendResult(kind="unknown", detail="connection reset")
        if what == "busy":
            return SendResult(kind="not_processed", detail="busy")
        if what == "refuse":
            return SendResult(kind="refused", detail="no")
        if reading.version != str(len(self.history)) and self.history[-1][1] == record:
            self.overwritten.append((record, self.owners[record]))
        self.owners[record] = desired
        self.effective.append((record, desired, marker))
        self.history.append((self.clock.at, record, desired, marker))
        if what == "kill_after":
            raise Killed
        if what == "lost_reply":
            return SendResult(kind="unknown", detail="timeout")
        return SendResult(kind="accepted")

    def sent_by_us(self, record: str, desired: str | None, since: datetime, *, marker: str) -> bool | None:
        if not self.keeps_history:
            return None
        return any(r == record and m == marker and at >= since for at, r, _, m in self.history)


@pytest.fixture
def clock() -> Clock:
    """Time under the test's control."""
    return Clock()


@pytest.fixture
def charter() -> Charter:
    """Ada and Bob may approve; Cleo left."""
    body: dict[str, Any] = {
        "version": 1,
        "partners": {"acme": {"name": "Acme"}},
        "sources": {
            "tool": {
                "tool": "jira",
                "partner": "acme",
                "writable": True,
                "connection": {"server": "https://jira.example", "email": "hub@acme.example", "token": "env:T"},
                "projects": ["ACME"],
            }
        },
        "people": {
            "ada": {
                "name": "Ada",
                "token": "sha256:" + "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683",
            },
            "bob": {"name": "Bob"},
            "cleo": {"name": "Cleo", "left": "2026-01-01"},
            "dan": {"name": "Dan"},
        },
        "decision_rights": {"owner_change": {"approvers": ["ada", "bob", "cleo"], "max_changes": 10}},
        "brakes": {"max_changes": 8, "max_to_one_person": 6},
    }
    return Charter.model_validate(body)


@pytest.fixture
def tool(clock: Clock) -> Callable[..., Tool]:
    """Make a tool."""
    return lambda **options: Tool(clock=clock, **options)


@pytest.fixture
def dice() -> random.Random:
    """Seeded randomness."""
    return random.Random(20261120)
