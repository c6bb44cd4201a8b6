"""Apply: carry out an approved plan, each write read, announced, sent once, and verified.

The order for each record follows optimistic concurrency with write-ahead intents: read and compare, commit the
intent, send once, read again, record. An intent that was announced but has no outcome (a crash, a lost reply)
is settled by reading before anything is sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.base import OwnerReading, OwnerWriter, SendResult
from hub.charter.model import Charter
from hub.domain.plans import SETTLED, Intent, Outcome, OutcomeKind, OwnerChange, Plan, intent_key
from hub.errors import ApprovalRefused, HubError
from hub.flow.approve import find_plan, refuse_braked, refuse_stale, refuse_unentitled
from hub.flow.ingest import Progress, Report
from hub.ledger.ledger import Ledger

#: A reading older than this is not good enough to write on.
FRESH = timedelta(seconds=2)
#: A request that was cut off may still arrive this long after it was sent.
SETTLE = timedelta(seconds=3)
#: A write that was definitely not processed is tried again at most this often.
ATTEMPTS = 3
#: A wave ends after this many writes in a row that did not end well.
GIVE_UP_AFTER = 3
#: Readings made before a write that the tool accepted is called diverged (delivery of mail takes a moment).
VERIFY_READS = 6

GOOD: frozenset[OutcomeKind] = frozenset({"confirmed", "confirmed_late", "already"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedRow:
    """One change of the plan and what became of it (`outcome` None: not tried, see `detail`)."""

    change: OwnerChange
    outcome: OutcomeKind | None
    detail: str = ""
    sent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyReport:
    """What applying did. `stopped` says why the wave ended early, if it did."""

    plan_id: str
    rows: tuple[AppliedRow, ...]
    stopped: str = ""

    @property
    def outcomes(self) -> dict[str, int]:
        """Number of changes per outcome; `waiting` for those not settled yet."""
        return dict(Counter(row.outcome if row.outcome in SETTLED else "waiting" for row in self.rows))

    @property
    def verified(self) -> int:
        """Changes whose owner was read back as it should be."""
        return sum(1 for row in self.rows if row.outcome in GOOD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """What the write protocol needs: the ledger, the writers, and time (injected)."""

    ledger: Ledger
    writer: Callable[[str], OwnerWriter]
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]

    def note(self, key: str, kind: OutcomeKind, detail: str = "", **facts: str | None) -> Outcome:
        """Append an event of an intent, durably, and return it."""
        outcome = Outcome(
            kind=kind,
            at=self.clock(),
            detail=detail,
            before=facts.get("before"),
            after=facts.get("after"),
            version=facts.get("version") or "",
        )
        self.ledger.add_event(key, outcome)
        return outcome


def apply(
    ledger: Ledger,
    charter: Charter,
    plan_id: str,
    *,
    writer: Callable[[str], OwnerWriter],
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
    progress: Report | None = None,
) -> ApplyReport:
    """Apply an approved plan once; called again after a crash it settles and finishes what was begun.

    Raises ApprovalRefused, PlanStale or BrakeEngaged before the first write, Refused while another apply runs.
    """
    with ledger.writing():
        status = find_plan(ledger, plan_id)
        plan = status.plan
        _refuse_unapproved(ledger, charter, plan, now=clock())
        if not ledger.intents(plan.id):
            refuse_stale(ledger, charter, status, now=clock())
            refuse_braked(ledger, charter, plan)
        for change in plan.changes:
            key = intent_key(plan.digest, change)
            ledger.add_intent(Intent(key=key, plan=plan.id, change=change), clock())
        ledger.consume(plan.digest, clock())
        return _wave(Outbox(ledger=ledger, writer=writer, clock=clock, sleep=sleep), plan, progress)


def _refuse_unapproved(ledger: Ledger, charter: Charter, plan: Plan, *, now: datetime) -> None:
    approval = ledger.approval(plan.digest)
    if approval is None:
        raise ApprovalRefused(f"{plan.id} is not approved", hint=f"hub approve {plan.id} --code CODE")
    refuse_unentitled(charter, approval.person, now=now)


def _wave(outbox: Outbox, plan: Plan, progress: Report | None) -> ApplyReport:
    rows: list[AppliedRow] = []
    bad_in_a_row, stopped = 0, ""
    may_send = plan.expires_at > outbox.clock()
    intents = outbox.ledger.intents(plan.id)
    for number, (intent, events) in enumerate(intents, start=1):
        if stopped:
            row = _row(intent, events, detail=stopped)
        else:
            row = _carry_out(outbox, intent, events, may_send=may_send)
            bad_in_a_row = 0 if row.outcome in GOOD or row.outcome == "refused_changed" else bad_in_a_row + 1
            if bad_in_a_row >= GIVE_UP_AFTER:
                stopped = f"stopped after {GIVE_UP_AFTER} writes in a row that did not succeed"
        rows.append(row)
        if progress is not None:
            progress(Progress(what=f"apply {plan.id}", done=number, total=len(intents)))
    return ApplyReport(plan_id=plan.id, rows=tuple(rows), stopped=stopped)


def _row(intent: Intent, events: tuple[Outcome, ...], *, detail: str) -> AppliedRow:
    last = events[-1] if events else None
    if last is not None and last.kind in SETTLED:
        return AppliedRow(change=intent.change, outcome=last.kind, detail=last.detail)
    return AppliedRow(change=intent.change, outcome=None, detail=detail)


def _carry_out(outbox: Outbox, intent: Intent, events: tuple[Outcome, ...], *, may_send: bool) -> AppliedRow:
    last = events[-1] if events else None
    if last is not None and last.kind in SETTLED:
        return _row(intent, events, detail=last.detail)
    try:
        writer = outbox.writer(intent.change.source)
        if last is not None and last.kind in {"sent", "unknown"}:
            settled = _settle(outbox, writer, intent, sent_at=_sent_at(events), quiet_since=last.at)
            if settled.kind in SETTLED:
                return AppliedRow(change=intent.change, outcome=settled.kind, detail=settled.detail)
        if not may_send:
            return AppliedRow(change=intent.change, outcome=None, detail="the plan expired before this write")
        return _write(outbox, writer, intent)
    except HubError as error:
        return AppliedRow(change=intent.change, outcome=None, detail=error.message)


def _sent_at(events: tuple[Outcome, ...]) -> datetime:
    return max(event.at for event in events if event.kind == "sent")


def _write(outbox: Outbox, writer: OwnerWriter, intent: Intent) -> AppliedRow:
    change = intent.change
    sent = False
    for attempt in range(ATTEMPTS):
        ready = _prepare(outbox, writer, intent)
        if isinstance(ready, Outcome):
            return AppliedRow(change=change, outcome=ready.kind, detail=ready.detail, sent=sent)
        announced = outbox.note(intent.key, "sent", before=ready.owner, version=ready.version)
        result = writer.send_owner(change.record, change.desired, ready, marker=intent.key)
        sent = True
        outcome = _judge(outbox, writer, intent, ready, result, sent_at=announced.at)
        if outcome.kind != "not_applied":
            return AppliedRow(change=change, outcome=outcome.kind, detail=outcome.detail, sent=sent)
        outbox.sleep(2.0**attempt)
    return AppliedRow(change=change, outcome=None, detail="the tool did not process the write; try later", sent=sent)


def _prepare(outbox: Outbox, writer: OwnerWriter, intent: Intent) -> OwnerReading | Outcome:
    """A fresh reading that still shows the expected owner, or the outcome that ends the intent."""
    change = intent.change
    reason = "" if change.desired is None else writer.may_own(change.record, change.desired)
    if reason:
        return outbox.note(intent.key, "refused_policy", reason)
    while True:
        read_at = outbox.clock()
        reading = writer.read_owner(change.record)
        if reading.owner == change.desired:
            return outbox.note(intent.key, "already", "the tool names this owner already", after=reading.owner)
        if reading.owner != change.expected:
            return outbox.note(
                intent.key,
                "refused_changed",
                "changed since the plan was made; left alone",
                before=reading.owner,
            )
        outbox.note(intent.key, "claimed", before=reading.owner, version=reading.version)
        if outbox.clock() - read_at <= FRESH:
            return reading


def _judge(
    outbox: Outbox,
    writer: OwnerWriter,
    intent: Intent,
    reading: OwnerReading,
    result: SendResult,
    *,
    sent_at: datetime,
) -> Outcome:
    facts = {"before": reading.owner, "version": reading.version}
    match result.kind:
        case "accepted":
            return _verify(outbox, writer, intent, reading)
        case "refused":
            return outbox.note(intent.key, "rejected", result.detail, **facts)
        case "precondition_failed":
            return outbox.note(
                intent.key, "refused_changed", "changed while writing; the tool refused our write", **facts
            )
        case "not_processed":
            return outbox.note(intent.key, "not_applied", result.detail, **facts)
        case "unknown":
            unknown = outbox.note(intent.key, "unknown", result.detail, **facts)
            return _settle(outbox, writer, intent, sent_at=sent_at, quiet_since=unknown.at)


def _verify(outbox: Outbox, writer: OwnerWriter, intent: Intent, reading: OwnerReading) -> Outcome:
    """Success is a value read back, not a status code."""
    change = intent.change
    after = reading
    for attempt in range(VERIFY_READS):
        after = writer.read_owner(change.record)
        if after.owner == change.desired:
            return outbox.note(intent.key, "confirmed", before=reading.owner, after=after.owner, version=after.version)
        if after.owner != reading.owner:
            break
        outbox.sleep(0.1 * 2**attempt)
    return outbox.note(
        intent.key,
        "diverged",
        "the tool accepted the write but names another owner now",
        before=reading.owner,
        after=after.owner,
        version=after.version,
    )


def _settle(
    outbox: Outbox, writer: OwnerWriter, intent: Intent, *, sent_at: datetime, quiet_since: datetime
) -> Outcome:
    """Find out by reading what became of a write that was sent, or may have been, at `sent_at`.

    `quiet_since` is when we last heard of it: a request cut off then may still arrive a moment later.
    """
    change = intent.change
    wait = (quiet_since + SETTLE - outbox.clock()).total_seconds()
    if wait > 0:
        outbox.sleep(wait)
    reading = writer.read_owner(change.record)
    ours = writer.sent_by_us(change.record, change.desired, sent_at - SETTLE, marker=intent.key)
    facts = {"after": reading.owner, "version": reading.version}
    if reading.owner == change.desired:
        return outbox.note(intent.key, "confirmed_late", "found in the tool after an interruption", **facts)
    if reading.owner == change.expected and not ours:
        return outbox.note(intent.key, "not_applied", "the interrupted write never arrived", **facts)
    return outbox.note(
        intent.key,
        "diverged",
        "the tool names neither the old nor the new owner; a person must look",
        **facts,
    )
