"""Single-use approval codes: mailed to the person who may approve, stored only as a hash."""

from __future__ import annotations

import secrets as randomness
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from hub.alerts.smtp import Letter, NotDelivered, Sender, sending_connection
from hub.charter.model import Charter
from hub.charter.secret import Secret
from hub.domain.codes import code_hash
from hub.domain.plans import OwnerChange, Plan
from hub.errors import SourceUnavailable
from hub.ledger.ledger import Ledger

#: Letters and digits that nobody mistakes for one another when reading a code aloud.
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_GROUPS, _GROUP = 2, 5
_LISTED = 20


def issue_codes(
    ledger: Ledger, plan: Plan, charter: Charter, secrets: Callable[[str], Secret], now: datetime
) -> tuple[str, ...]:
    """Mail every entitled approver a code of their own for this plan; the people who got one.

    A code fits one plan and one person, works once and expires with the plan. People who left or have no e-mail
    address get none. Raises ConfigurationError when no mailbox can send, SourceUnavailable when no mail went out.
    """
    mailed: list[str] = []
    problem = "no approver in the charter has an e-mail address"
    with Sender(sending_connection(charter), secrets) as sender:
        for person in charter.decision_rights.owner_change.approvers:
            known = charter.people[person]
            if known.email is None or (known.left is not None and known.left <= now.date()):
                continue
            code = new_code()
            # stored first: a code that reaches a person always works, one that is lost merely expires
            ledger.add_code(plan.digest, person, code_hash(plan.digest, person, code), plan.expires_at)
            try:
                sender.send(_letter(plan, charter, person, known.email, code, now))
            except NotDelivered as failure:
                problem = str(failure)
                continue
            mailed.append(person)
    if not mailed:
        raise SourceUnavailable(
            f"no approval code for {plan.id} was sent: {problem}",
            source=charter.alerts.via or "alerts",
            hint="approvers with a personal token can approve with `hub approve PLAN --as PERSON`",
        )
    return tuple(mailed)


def new_code() -> str:
    """A random code of ten letters and digits in two groups, like `K7QM2-XW9TC` (50 bits)."""
    return "-".join("".join(randomness.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))


def summary(plan: Plan, charter: Charter) -> str:
    """The plan in a few lines of plain text: how many changes where, to whom, and the first of them."""
    per_source = Counter(change.source for change in plan.changes)
    lines = [f"{len(plan.changes)} owner changes: " + ", ".join(f"{n} in {s}" for s, n in sorted(per_source.items()))]
    lines += ["", *(_line(change, charter) for change in plan.changes[:_LISTED])]
    if len(plan.changes) > _LISTED:
        lines.append(f"… and {len(plan.changes) - _LISTED} more; `hub plan` lists them all.")
    return "\n".join(lines)


def _line(change: OwnerChange, charter: Charter) -> str:
    person = charter.people.get(change.person)
    name = person.name if person is not None else change.person
    text = f"{change.source} “{change.title}”: owner becomes {name}, because {change.reason}"
    return "- " + " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]


def _letter(plan: Plan, charter: Charter, person: str, address: str, code: str, now: datetime) -> Letter:
    text = (
        f"Hello {charter.people[person].name},\n\n"
        f"{plan.id} waits for an approval. It expires at {plan.expires_at:%Y-%m-%d %H:%M} UTC.\n\n"
        f"{summary(plan, charter)}\n\n"
        "If this is right, approve it with this code. It is yours alone and works once:\n\n"
        f"    hub approve {plan.id} --code {code}\n\n"
        "or give plan and code to the job `approve_plan`. If it is not right, do nothing.\n"
    )
    return Letter(
        to=address,
        subject=f"{plan.id}: {len(plan.changes)} owner changes wait for your approval",
        text=text,
        identity=f"{plan.digest}|{person}|{code_hash(plan.digest, person, code)}",
        thread=f"{plan.digest}|{person}",
        purpose="code",
        at=now,
    )
