"""Which snapshots say something new (pure).

A snapshot repeats a record's current value on every pull. It is kept only when it differs from the value in
force for its subject at its own moment, so A, B, A stays three statements while A, A, A is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

Subject = tuple[str, str, str, str, str]


class Said(NamedTuple):
    """A snapshot: its subject (source, entity, record, field, part), when (microseconds) and what."""

    subject: Subject
    valid_from: int
    value: str | None


class InForce(NamedTuple):
    """What the ledger holds in force at some moment; `snapshot` when that too was a snapshot."""

    valid_from: int
    snapshot: bool
    value: str | None


def worth_keeping(said: Sequence[Said], in_force: Mapping[int, InForce]) -> list[int]:
    """Positions in `said` that differ from what was in force, in their own order.

    `in_force` gives, by position, the ledger's value at that snapshot's moment; earlier snapshots of the same
    page count as well. At one moment history and events outrank a snapshot, and a later snapshot an earlier.
    """
    kept: list[int] = []
    latest: dict[Subject, Said] = {}
    for position in sorted(range(len(said)), key=lambda p: said[p].valid_from):
        new = said[position]
        before = in_force.get(position)
        in_page = latest.get(new.subject)
        if in_page is not None and _follows(in_page, before):
            if in_page.value == new.value:
                continue
        elif before is not None and before.value == new.value:
            continue
        latest[new.subject] = new
        kept.append(position)
    kept.sort()
    return kept


def _follows(in_page: Said, before: InForce | None) -> bool:
    if before is None or in_page.valid_from != before.valid_from:
        return before is None or in_page.valid_from > before.valid_from
    return before.snapshot
