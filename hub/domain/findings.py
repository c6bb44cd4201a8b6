"""Findings: what is wrong, with evidence, and who should do what."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

FindingKind = Literal[
    "owner_conflict", "missed_handoff", "returned_handoff", "duplicate_update", "stalled_decision",
    "ghost_owner", "orphan_item", "split_ownership", "unmapped_person",
]  # fmt: skip
Severity = Literal["low", "medium", "high"]
FindingState = Literal["open", "resolved", "reopened"]

FINDING_KINDS: tuple[FindingKind, ...] = get_args(FindingKind)
SEVERITIES: tuple[Severity, ...] = get_args(Severity)


def finding_key(kind: str, item: str, *facts: str) -> str:
    """Stable key of a finding: kind, item and the facts that make it the same case on every run."""
    return hashlib.sha256("\0".join((kind, item, *facts)).encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with one work item.

    `at` is when it began, `due` when it should have been settled (UTC). `evidence` is a tuple of
    {source, record, field, value, who, at, url} dictionaries, `refs` the native records of the item.
    """

    key: str
    kind: FindingKind
    item: str
    title: str
    severity: Severity
    summary: str
    rule: str
    next_move: str
    next_who: str
    at: datetime
    from_person: str | None = None
    to_person: str | None = None
    due: datetime | None = None
    refs: tuple[tuple[str, str], ...] = ()
    evidence: tuple[dict[str, Any], ...] = ()
    state: FindingState = "open"
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    seen: int = 0
