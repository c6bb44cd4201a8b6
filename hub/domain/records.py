"""What connectors deliver and the ledger keeps: raw records, observations, pages, receipts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

Entity = Literal["item", "account"]
Origin = Literal["snapshot", "history", "event"]
Field = Literal[
    "title", "status", "phase", "owner", "due", "approval", "approver", "update", "activity",
    "identifier", "reference", "url", "name", "email", "active", "kind",
    # deleted | unreachable | merged:<native id> | present; written on proof only, never from an empty pull
    "presence",
]  # fmt: skip

OWNER_SEPARATOR = ","


def instant(value: datetime) -> str:
    """ISO-8601 text of an aware time in UTC with microseconds; raises ValueError for a naive one."""
    if value.tzinfo is None:
        msg = f"naive time {value!r}"
        raise ValueError(msg)
    return value.astimezone(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRecord:
    """A record exactly as the tool sent it (with the history rows fetched for it).

    `payload` is canonical JSON (mail: the RFC 5322 bytes), `version` the tool's own version or
    modified stamp, `fetched_at` our clock (UTC).
    """

    source: str
    stream: str
    native_id: str
    version: str
    payload: bytes
    fetched_at: datetime

    @property
    def digest(self) -> str:
        """SHA-256 over identity, version and payload: equal content fetched twice is one record."""
        body = "\0".join((self.source, self.stream, self.native_id, self.version)).encode() + b"\0" + self.payload
        return hashlib.sha256(body).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """“Source S said at T that field F of record R is V.”

    `value` is canonical text (None: empty), `valid_from` when it became true in the tool (UTC), `actor` the
    native account id of whoever did it (None: unknown), `part` a sub-identity inside the record (approval,
    comment, field that names others: its `value` holds one token to a line), `evidence` a link or place a
    person can open.
    """

    source: str
    entity: Entity
    record: str
    field: Field
    value: str | None
    valid_from: datetime
    origin: Origin
    part: str = ""
    actor: str | None = None
    raw: str = ""
    evidence: str = ""

    @property
    def key(self) -> str:
        """Idempotency key: the same statement about the same moment is the same observation."""
        parts = (
            self.source, self.entity, self.record, self.part, self.field, self.origin,
            instant(self.valid_from), self.actor or "", "\1" if self.value is None else self.value,
        )  # fmt: skip
        return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A record that could not be read: kept with its payload and the reason, never dropped."""

    source: str
    stream: str
    native_id: str
    reason: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a pull, committed as a unit.

    `cursor` is the position that is safe once everything in this page is stored: it never lies beyond an
    unread record. `total` is the number of records the pull expects, when the source says so.
    """

    records: tuple[RawRecord, ...]
    observations: tuple[Observation, ...]
    quarantined: tuple[Quarantined, ...] = ()
    cursor: str | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What one pull of one stream did, and whether the source's own count agrees with ours.

    `source_count` and `ledger_count` count distinct records of the stream (None: the source offers no cheap
    count). `missing` names native ids that the source lists and that could not be fetched (the first 20).
    `error` is empty on success; a receipt with an error never means deletion.
    """

    source: str
    stream: str
    started_at: datetime
    finished_at: datetime
    pages: int = 0
    records: int = 0
    new_records: int = 0
    new_observations: int = 0
    quarantined: int = 0
    calls: int = 0
    source_count: int | None = None
    ledger_count: int | None = None
    error: str = ""
    hint: str = ""
    missing: tuple[str, ...] = ()

    @property
    def gap(self) -> int | None:
        """Records the source holds and the ledger does not (negative: the other way round)."""
        if self.source_count is None or self.ledger_count is None:
            return None
        return self.source_count - self.ledger_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong that `hub check` found: where, what, and what to do."""

    where: str
    what: str
    hint: str = ""
    severity: Literal["error", "warning"] = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullReport:
    """All receipts of one sync."""

    run: str
    receipts: tuple[Receipt, ...] = field(default=())

    @property
    def failed(self) -> tuple[Receipt, ...]:
        """Receipts of the streams that failed."""
        return tuple(r for r in self.receipts if r.error)
