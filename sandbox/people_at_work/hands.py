"""What the hands of people in every tool have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sandbox.people_at_work.deeds import Deed
from sandbox.people_at_work.talk import Reply
from sandbox.people_at_work.view import Field, Record, State

NOBODY = Reply(status=0, text="this tool has no such thing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What an instance shows at the beginning."""

    records: tuple[Record, ...] = ()
    statuses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by kind
    fields: tuple[Field, ...] = ()
    former: tuple[str, ...] = ()  # accounts of people who left


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a deed: the answer, and the id of a record that it made."""

    reply: Reply
    made: str = ""
    kept: Mapping[str, Any] = field(default_factory=dict)  # what is needed to make a deleted record again


class Hand(Protocol):
    """How people work in one instance. Tokens are by person; nothing is raised but Unreachable, by ``look``."""

    def look(self, most: int) -> Seen:
        """Read what there is: at most so many records, those that changed last."""

    def state(self, record: Record, *, by: str) -> tuple[State | None, Reply]:
        """Read a record as a person sees it now; None when it cannot be read."""

    def act(self, deed: Deed, record: Record | None, *, at: str) -> Outcome:
        """Carry out a deed; ``at`` is the company's time (ISO)."""

    def close(self) -> None:
        """Hang up."""


def joined(accounts: Iterable[str | None]) -> str | None:
    """Give several owners as one text, in order; None for nobody."""
    return ",".join(sorted(account for account in accounts if account)) or None
