"""The alert outbox: every case is queued per recipient with the ledger and delivered in groups.

At least once: a message is marked as delivered after the service took it, so a crash in between repeats it, with
the same Message-ID. A case resolved before anybody was told of it is dropped together with its trigger.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from hub.alerts.chat import say
from hub.alerts.grouping import Case, Notice, Turn, body, subject
from hub.alerts.smtp import Letter, NotDelivered, Sender, sending_connection
from hub.charter.model import Charter
from hub.charter.secret import Secret
from hub.errors import ConfigurationError
from hub.ledger.alerts import Delivery
from hub.ledger.ledger import Ledger

#: More new cases of one kind than this are counted in the message, not followed one by one.
FOLLOWED = 100
#: So many resolved cases of one kind are looked at for having been told.
_LOOKED_AT = 500
_CASE_FIELDS = frozenset(f.name for f in fields(Case))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """What one delivery did: messages that went out and messages that did not, with one line for each failure.

    `dropped` counts cases that were over before anybody had been told.
    """

    delivered: int = 0
    failed: int = 0
    dropped: int = 0
    failures: tuple[str, ...] = ()


def queue(ledger: Ledger, notices: Iterable[Notice], now: datetime) -> int:
    """Queue the cases of `notices`; the same turn of a case is queued once. Returns how many are new."""
    added = 0
    for notice in notices:
        opened = notice.turn == "opened"
        uncounted = max(0, len(notice.cases) - FOLLOWED) if opened else 0
        for number, case in enumerate(notice.cases[: FOLLOWED if opened else _LOOKED_AT]):
            payload = {
                "channel": notice.channel,
                "recipient": notice.recipient,
                "address": notice.address,
                "case": asdict(case),
                "uncounted": 0 if number else uncounted,
            }
            key = f"{notice.channel}|{notice.recipient}|{case.key}"
            if not opened:
                # New here means that nobody was told; both turns then wait together, and delivery drops them.
                ledger.queue_alert(key, "opened", payload, now)
            added += ledger.queue_alert(key, notice.turn, payload, now)
    return added


def deliver(ledger: Ledger, charter: Charter, secrets: Callable[[str], Secret], now: datetime) -> DeliveryReport:
    """Send what waits, one message per recipient, kind and turn; failures stay queued for the next time."""
    waiting, dropped = _untold(ledger.pending_deliveries())
    for row in dropped:
        ledger.mark_delivered(row.id, now, "over before anybody was told")
    delivered, failures = 0, []
    post = _Post(charter, secrets, now)
    with post:
        for rows in waiting:
            failure = post.tell(rows)
            for row in rows:
                if failure:
                    ledger.mark_failed(row.id, now, failure)
                else:
                    ledger.mark_delivered(row.id, now, str(row.payload["channel"]))
            if failure:
                failures.append(f"{rows[0].payload['channel']} to {rows[0].payload['recipient']}: {failure}")
            else:
                delivered += 1
    return DeliveryReport(
        delivered=delivered, failed=len(failures), dropped=len(dropped), failures=tuple(dict.fromkeys(failures))
    )


def _untold(pending: Iterable[Delivery]) -> tuple[list[list[Delivery]], list[Delivery]]:
    """Pending rows in groups to send, and those that cancel out: opened and resolved again, both untold."""
    by_key: dict[str, list[Delivery]] = defaultdict(list)
    for row in pending:
        # the outbox also keeps turns that are not messages about cases (an approval that was asked for)
        if "case" not in row.payload:
            continue
        by_key[row.key].append(row)
    dropped: list[Delivery] = []
    groups: dict[tuple[str, str, str, str], list[Delivery]] = defaultdict(list)
    for rows in by_key.values():
        kept: list[Delivery] = []
        for row in rows:
            if row.kind == "resolved" and kept and kept[-1].kind == "opened":
                dropped += [kept.pop(), row]
            else:
                kept.append(row)
        for row in kept:
            case = row.payload["case"]
            groups[row.payload["channel"], row.payload["recipient"], case["kind"], row.kind].append(row)
    return [groups[key] for key in sorted(groups)], dropped


class _Post:
    """The ways out, opened when first needed."""

    def __init__(self, charter: Charter, secrets: Callable[[str], Secret], now: datetime) -> None:
        self._charter, self._secrets, self._now = charter, secrets, now
        self._sender: Sender | None = None

    def __enter__(self) -> None:
        return None

    def __exit__(self, *problem: object) -> None:
        if self._sender is not None:
            self._sender.__exit__(None, None, None)

    def tell(self, rows: list[Delivery]) -> str:
        """Send one message about all rows; empty text, or why it did not go out."""
        payload = rows[0].payload
        cases = [_case(row.payload["case"]) for row in rows]
        count = len(cases) + sum(int(row.payload.get("uncounted", 0)) for row in rows)
        turn: Turn = "resolved" if rows[0].kind == "resolved" else "opened"
        kind, recipient = cases[0].kind, str(payload["recipient"])
        title, text = subject(kind, turn, cases, count), body(kind, turn, cases, count)
        try:
            if payload["channel"] == "chat":
                say(self._secrets(recipient), title, text)
            else:
                self._letter(str(payload["address"]), recipient, kind, title, text, rows)
        except NotDelivered as problem:
            return str(problem)
        except ConfigurationError as problem:
            return problem.message
        return ""

    def _letter(self, address: str, recipient: str, kind: str, title: str, text: str, rows: list[Delivery]) -> None:
        if not address:
            raise NotDelivered(f"{recipient} has no e-mail address in the charter")
        if self._sender is None:
            self._sender = Sender(sending_connection(self._charter), self._secrets)
        self._sender.send(
            Letter(
                to=address,
                subject=title,
                text=text,
                identity="|".join([recipient, *sorted(f"{row.id}{row.key}{row.kind}" for row in rows)]),
                thread=f"{recipient}|{kind}",
                purpose="alert",
                at=self._now,
            )
        )


def _case(stored: dict[str, Any]) -> Case:
    return Case(**{name: value for name, value in stored.items() if name in _CASE_FIELDS})
