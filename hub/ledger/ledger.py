"""The ledger's face: everything the rest of the hub may ask of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from hub.domain.findings import Finding
from hub.domain.plans import Approval, Intent, Outcome, Plan
from hub.domain.records import Page, Quarantined, RawRecord, Receipt
from hub.ledger import alerts, append, derived, findings, intents, lease, plans, presence, reads, release, runs
from hub.ledger.alerts import Delivery
from hub.ledger.append import Appended
from hub.ledger.engine import Database, open_database
from hub.ledger.findings import FindingChanges
from hub.ledger.migrate import migrate
from hub.ledger.plans import PlanStatus
from hub.ledger.presence import Presence


class Ledger:
    """Everything observed, found, planned, approved and done, on SQLite or PostgreSQL alike.

    Times are aware UTC datetimes. Every method is one transaction; a method that writes returns when the disk
    has it. Any method raises Refused when the database is busy or away. Safe to use from several threads and
    processes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str) -> Ledger:
        """The ledger at `url`, brought to this code's schema.

        Raises ConfigurationError for an address that cannot be used or a schema newer than this code.
        """
        database = open_database(url)
        try:
            migrate(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    def close(self) -> None:
        """Give back every connection."""
        self._database.close()

    def __enter__(self) -> Self:
        """The ledger itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    # -- remember --------------------------------------------------------------------------------------------

    def start_run(self, kind: str, now: datetime) -> str:
        """The id of a new run."""
        return runs.start_run(self._database, kind, now)

    def finish_run(self, run: str, now: datetime, outcome: str) -> None:
        """Close a run with what became of it."""
        runs.finish_run(self._database, run, now, outcome)

    def append(self, run: str, stream: str, source: str, page: Page, recorded_at: datetime) -> Appended:
        """Store one page and its cursor, all or nothing; the same page again adds nothing.

        A snapshot that repeats the value in force is dropped. A record that parses resolves its quarantine.
        """
        return append.append(self._database, run, stream, source, page, recorded_at)

    def cursor(self, source: str, stream: str) -> str | None:
        """Where the next pull of the stream starts; None: from the beginning."""
        return append.position(self._database, source, stream)

    def reset_cursor(self, source: str, stream: str) -> None:
        """Let the next pull of the stream start from the beginning."""
        append.forget_position(self._database, source, stream)

    def record_count(self, source: str, stream: str) -> int:
        """How many different records of the stream the ledger holds; those found gone and quarantined ones are
        not among them."""
        return presence.record_count(self._database, source, stream)

    def presences(self, source: str) -> Mapping[str, Presence]:
        """What became of records of the source that were found gone or back again: the latest word by record."""
        return presence.presences(self._database, source)

    def held_ids(self, source: str, stream: str) -> set[str]:
        """Native ids of all records of the stream the ledger holds, gone ones too."""
        return presence.held_ids(self._database, source, stream)

    def held_among(self, source: str, stream: str, ids: Iterable[str]) -> set[str]:
        """Which of these native ids the ledger holds a record of the stream for."""
        return presence.held_among(self._database, source, stream, ids)

    def unread_ids(self, source: str, stream: str) -> set[str]:
        """Native ids of the quarantined records of the stream."""
        return presence.unread_ids(self._database, source, stream)

    def accounts_among(self, source: str, records: Iterable[str]) -> set[str]:
        """Which of these records are accounts."""
        return presence.accounts_among(self._database, source, records)

    def add_receipt(self, run: str, receipt: Receipt) -> None:
        """Keep what one pull of one stream did."""
        runs.add_receipt(self._database, run, receipt)

    def receipts(self, run: str | None = None, limit: int = 100) -> tuple[Receipt, ...]:
        """Receipts of one run in the order they came, or (None) the latest of every source and stream."""
        return runs.receipts(self._database, run, limit)

    def quarantined(self) -> tuple[Quarantined, ...]:
        """Records that still cannot be read."""
        return append.quarantined(self._database)

    def note_released(self, source: str, stream: str, ids: Sequence[str], note: str) -> int:
        """Say how records left the quarantine; how many had no such note yet."""
        return release.note_released(self._database, source, stream, ids, note)

    def hold_newer(self, source: str, stream: str, read: Mapping[str, bytes]) -> frozenset[str]:
        """Put back released records of which the quarantine held another payload than the one read; their ids."""
        return release.hold_newer(self._database, source, stream, read)

    def released(self, limit: int = 100) -> tuple[Quarantined, ...]:
        """Records that left the quarantine, latest first; `reason` ends with the note of their release."""
        return release.released(self._database, limit)

    def head(self) -> int:
        """The highest observation number, 0 for an empty ledger."""
        return reads.head(self._database)

    # -- read ------------------------------------------------------------------------------------------------

    def observations(self, *, as_of: datetime | None = None) -> pa.Table:
        """Every observation, or those recorded up to `as_of`, ordered by `seq` (columns: reads.OBSERVATIONS)."""
        return reads.observations(self._database, as_of)

    def observation_batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """These columns of all observations present now, ordered by `seq`, a few thousand rows at a time.

        Never more than one transaction of some rows at a time: appending goes on meanwhile.
        """
        return reads.observation_batches(self._database, columns)

    def history(self, refs: Iterable[tuple[str, str]]) -> pa.Table:
        """The observations of these (source, record) pairs; columns and order as `observations`."""
        return reads.history(self._database, refs)

    def raw(self, digest: str) -> RawRecord | None:
        """The record with this digest, as it was received."""
        return reads.raw(self._database, digest)

    def records_known_as(self, token: str) -> tuple[tuple[str, str], ...]:
        """The (source, record) pairs of items whose record id is `token` or that carry it as an identifier."""
        return reads.records_known_as(self._database, token)

    # -- derived state ---------------------------------------------------------------------------------------

    def store_derived(self, run: str, tables: Mapping[str, pa.Table], now: datetime) -> None:
        """Replace all derived tables (names: derived.DERIVED) at once; one that is not given becomes empty."""
        derived.store(self._database, run, tables, now)

    def derived(self, name: str) -> pa.Table:
        """One derived table as stored; empty, with its columns, before the first reconciliation."""
        return derived.load(self._database, name)

    def record_findings(self, run: str, findings_now: pa.Table, now: datetime) -> FindingChanges:
        """Take over everything that is wrong now; what opened, resolved and reopened by that."""
        return findings.record(self._database, run, findings_now, now)

    def findings(
        self,
        *,
        kind: str | None = None,
        states: tuple[str, ...] = findings.OPEN,
        keys: Collection[str] | None = None,
    ) -> tuple[Finding, ...]:
        """Findings in these states, gravest first, then oldest."""
        return findings.listing(self._database, kind, states, keys)

    def finding_counts(self) -> dict[str, int]:
        """How many findings are open or reopened, per kind that has any."""
        return findings.counts(self._database)

    def trend(self, limit: int = 30) -> pa.Table:
        """Open findings per kind after each of the last `limit` runs, oldest first: run, at, kind, open."""
        return findings.trend_table(self._database, limit)

    # -- plans -----------------------------------------------------------------------------------------------

    def save_plan(self, plan: Plan, now: datetime) -> None:
        """Keep a plan; the same digest again changes nothing."""
        plans.save(self._database, plan, now)

    def plan(self, plan_id: str) -> Plan | None:
        """The plan with this id, digest or unique beginning of either (four digits or more).

        Raises Refused when several plans begin like that.
        """
        return plans.find(self._database, plan_id)

    def plans(self, limit: int = 20, *, now: datetime | None = None) -> tuple[PlanStatus, ...]:
        """The newest plans and how far each has come at `now` (None: the clock's time)."""
        return plans.listing(self._database, limit, now or datetime.now(UTC))

    def add_code(self, digest: str, person: str, code_hash: str, expires_at: datetime) -> None:
        """Keep the hash of a single-use code for `person`. Raises ApprovalRefused for an unknown plan."""
        plans.add_code(self._database, digest, person, code_hash, expires_at)

    def use_code(self, digest: str, code_hash: str, now: datetime) -> str | None:
        """Spend a code: its person, once; None when unknown, spent or expired."""
        return plans.use_code(self._database, digest, code_hash, now)

    def add_approval(self, approval: Approval) -> None:
        """Keep a person's consent. Raises ApprovalRefused for a plan the ledger does not hold."""
        plans.add_approval(self._database, approval)

    def approval(self, digest: str) -> Approval | None:
        """The first consent given to this digest."""
        return plans.approval_of(self._database, digest)

    def consume(self, digest: str, now: datetime) -> bool:
        """Use a plan: True exactly once over all processes."""
        return plans.consume(self._database, digest, now)

    def add_intent(self, intent: Intent, now: datetime) -> None:
        """Keep an intent; the same key again changes nothing."""
        intents.add(self._database, intent, now)

    def add_event(self, intent_key: str, outcome: Outcome) -> None:
        """Keep what happened to an intent: on disk before this returns."""
        intents.add_event(self._database, intent_key, outcome)

    def intents(self, plan_id: str | None = None) -> tuple[tuple[Intent, tuple[Outcome, ...]], ...]:
        """Intents in the order they were made with their outcomes; of one plan (id, digest or beginning)."""
        if plan_id is None:
            return intents.listing(self._database, None)
        held = plans.find(self._database, plan_id)
        return intents.listing(self._database, (plan_id, *((held.digest, held.id) if held else ())))

    def writing(self) -> AbstractContextManager[None]:
        """The right to write to tools, held by one at a time and freed when its holder dies.

        Entering it raises Refused while another apply runs.
        """
        return lease.sole_applier(self._database)

    # -- alerts ----------------------------------------------------------------------------------------------

    def queue_alert(self, key: str, kind: str, payload: dict[str, Any], now: datetime) -> bool:
        """Queue the next turn of a thread; False when its latest turn is this `kind` already."""
        return alerts.queue(self._database, key, kind, payload, now)

    def pending_deliveries(self) -> tuple[Delivery, ...]:
        """Deliveries not yet made, oldest first."""
        return alerts.pending(self._database)

    def mark_delivered(self, delivery_id: int, now: datetime, detail: str) -> None:
        """The message went out."""
        alerts.delivered(self._database, delivery_id, now, detail)

    def mark_failed(self, delivery_id: int, now: datetime, detail: str) -> None:
        """The message did not go out; it stays pending, with one attempt more."""
        alerts.failed(self._database, delivery_id, now, detail)
