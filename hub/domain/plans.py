"""Plans: proposed owner corrections, bound to what they were made against, and what became of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from hub.domain.records import instant

OutcomeKind = Literal[
    "claimed", "sent", "confirmed", "confirmed_late", "already", "refused_changed", "refused_policy",
    "rejected", "unknown", "not_applied", "diverged", "overwrote",
]  # fmt: skip

#: Outcomes after which an intent is settled and is never sent again.
SETTLED: frozenset[OutcomeKind] = frozenset(
    {
        "confirmed",
        "confirmed_late",
        "already",
        "refused_changed",
        "refused_policy",
        "rejected",
        "diverged",
        "overwrote",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class OwnerChange:
    """One proposed write: in `source`, record `record`, from the owner we expect to the owner that should be.

    `expected` and `desired` are native account ids (None: nobody; several ids joined by ","; a plan made from
    findings always desires one person, its inverse may restore nobody or several),
    `person` the golden owner, `reason` one plain sentence.
    """

    source: str
    record: str
    item: str
    title: str
    expected: str | None
    desired: str | None
    person: str
    reason: str
    findings: tuple[str, ...] = ()
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A sorted list of changes with everything it depends on; `digest` covers all of it."""

    created_at: datetime
    expires_at: datetime
    base_seq: int
    charter_digest: str
    changes: tuple[OwnerChange, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over canonical JSON: any changed byte makes another plan."""
        body = {
            "created_at": instant(self.created_at),
            "expires_at": instant(self.expires_at),
            "base_seq": self.base_seq,
            "charter_digest": self.charter_digest,
            "changes": [asdict(c) for c in sorted(self.changes, key=change_order)],
        }
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def id(self) -> str:
        """Short name of the plan, taken from its digest."""
        return f"plan-{self.digest[:12]}"


def change_order(change: OwnerChange) -> tuple[str, str]:
    """Plans are sorted by source and record, so equal content has one digest."""
    return (change.source, change.record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Consent of an entitled person to exactly one plan digest."""

    digest: str
    person: str
    method: Literal["code", "token"]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A write the hub has decided to make; its state is the last of its events."""

    key: str
    plan: str
    change: OwnerChange


def intent_key(digest: str, change: OwnerChange) -> str:
    """Idempotency key of one write of one plan."""
    parts = (digest, change.source, change.record, "owner", change.expected or "", change.desired or "")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happened to an intent, with its evidence."""

    kind: OutcomeKind
    at: datetime
    detail: str = ""
    before: str | None = None
    after: str | None = None
    version: str = ""
