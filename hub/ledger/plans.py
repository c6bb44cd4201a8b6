"""Plans, the codes and approvals that release one, and its single use."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from hub.domain.plans import SETTLED, Approval, OutcomeKind, Plan
from hub.errors import ApprovalRefused, InternalFault, Refused
from hub.ledger.engine import Database
from hub.ledger.intents import change_from, last_outcomes
from hub.ledger.schema import approval, code, consumed, plan
from hub.ledger.upsert import insert_once
from hub.ledger.values import micros, moment, storable, to_json

PlanState = Literal["proposed", "approved", "expired", "applying", "applied"]

_NAME = re.compile(r"(?:plan-)?([0-9a-f]{4,64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStatus:
    """A plan and how far it has come.

    `applying`: used, and some of its writes are not settled yet (at work, or cut short). `outcomes` counts
    the writes by their last outcome, `pending` those that have none.
    """

    plan: Plan
    state: PlanState
    approved_by: str | None = None
    approved_at: datetime | None = None
    outcomes: dict[str, int]


def save(database: Database, new: Plan, now: datetime) -> None:
    """Keep a plan; one with the same digest is already there."""
    row = {
        "digest": new.digest,
        "body": _body(new),
        "created_at": micros(new.created_at),
        "expires_at": micros(new.expires_at),
        "base_seq": new.base_seq,
        "saved_at": micros(now),
    }
    with database.write("plans") as connection:
        insert_once(connection, plan, row)


def find(database: Database, name: str) -> Plan | None:
    """The plan with this id, digest, or beginning of either (at least four digits).

    Raises Refused when several plans begin like that.
    """
    matched = _NAME.fullmatch(name.strip())
    if matched is None:
        return None
    prefix = matched[1]
    # "g" follows every hexadecimal digit: a range, so that the unique index answers.
    query = (
        select(plan.c.digest, plan.c.body)
        .where(plan.c.digest >= prefix, plan.c.digest < prefix + "g")
        .order_by(plan.c.digest)
        .limit(2)
    )
    with database.read() as connection:
        rows = connection.execute(query).all()
    if len(rows) > 1:
        raise Refused(f"{name} is the beginning of several plans", hint="give more of the digest")
    return _plan(*rows[0]) if rows else None


def listing(database: Database, limit: int, now: datetime) -> tuple[PlanStatus, ...]:
    """The newest plans and how far each has come at `now`."""
    query = select(plan.c.digest, plan.c.body).order_by(plan.c.seq.desc()).limit(limit)
    with database.read() as connection:
        return tuple(_status(connection, _plan(digest, body), now) for digest, body in connection.execute(query).all())


def add_code(database: Database, digest: str, person: str, code_hash: str, expires_at: datetime) -> None:
    """Keep the hash of a single-use code that lets `person` approve the plan. Raises ApprovalRefused for an
    unknown plan or a hash that was given out before."""
    row = {"digest": digest, "person": person, "code_hash": code_hash, "expires_at": micros(expires_at)}
    with database.write("plans") as connection:
        try:
            connection.execute(insert(code), row)
        except IntegrityError as error:
            raise ApprovalRefused(f"no code can be given for plan {digest[:12]}") from error


def use_code(database: Database, digest: str, code_hash: str, now: datetime) -> str | None:
    """Spend a code: the person it was given to, once; None when unknown, spent or expired."""
    mine = (code.c.digest == digest) & (code.c.code_hash == code_hash)
    with database.write("plans") as connection:
        spent = connection.execute(
            update(code)
            .where(mine, code.c.used_at.is_(None), code.c.expires_at > micros(now))
            .values(used_at=micros(now))
        )
        if spent.rowcount != 1:
            return None
        return str(connection.execute(select(code.c.person).where(mine)).scalar_one())


def add_approval(database: Database, given: Approval) -> None:
    """Keep a person's consent. Raises ApprovalRefused for a plan the ledger does not hold."""
    row = {
        "digest": given.digest,
        "person": storable(given.person),
        "method": given.method,
        "at": micros(given.at),
    }
    with database.write("plans") as connection:
        try:
            connection.execute(insert(approval), row)
        except IntegrityError as error:
            raise ApprovalRefused(f"there is no plan {given.digest[:12]} to approve") from error


def approval_of(database: Database, digest: str) -> Approval | None:
    """The first consent given to this digest."""
    with database.read() as connection:
        return _approval(connection, digest)


def consume(database: Database, digest: str, now: datetime) -> bool:
    """Use a plan: True exactly once over all processes, False ever after and for an unknown plan."""
    with database.write("plans") as connection:
        if connection.execute(select(plan.c.seq).where(plan.c.digest == digest)).first() is None:
            return False
        return insert_once(connection, consumed, {"digest": digest, "at": micros(now)})


def _approval(connection: Connection, digest: str) -> Approval | None:
    row = connection.execute(
        select(approval).where(approval.c.digest == digest).order_by(approval.c.seq).limit(1)
    ).first()
    if row is None:
        return None
    return Approval(digest=row.digest, person=row.person, method=row.method, at=moment(row.at))


def _status(connection: Connection, held: Plan, now: datetime) -> PlanStatus:
    digest = held.digest
    given = _approval(connection, digest)
    used = connection.execute(select(consumed.c.at).where(consumed.c.digest == digest)).first() is not None
    last = last_outcomes(connection, (digest, held.id))
    state: PlanState
    if used:
        state = "applied" if _settled(held, last) else "applying"
    elif now >= held.expires_at:
        state = "expired"
    else:
        state = "proposed" if given is None else "approved"
    return PlanStatus(
        plan=held,
        state=state,
        approved_by=given.person if given else None,
        approved_at=given.at if given else None,
        outcomes=dict(Counter(kind or "pending" for kind in last)),
    )


def _settled(held: Plan, last: list[OutcomeKind | None]) -> bool:
    return len(last) >= len(held.changes) and all(kind in SETTLED for kind in last)


def _body(new: Plan) -> str:
    return to_json(
        {
            "created_at": new.created_at,
            "expires_at": new.expires_at,
            "base_seq": new.base_seq,
            "charter_digest": new.charter_digest,
            "changes": [asdict(change) for change in new.changes],
        }
    )


def _plan(digest: str, body: str) -> Plan:
    held = json.loads(body)
    found = Plan(
        created_at=datetime.fromisoformat(held["created_at"]),
        expires_at=datetime.fromisoformat(held["expires_at"]),
        base_seq=held["base_seq"],
        charter_digest=held["charter_digest"],
        changes=tuple(change_from(change) for change in held["changes"]),
    )
    if found.digest != digest:
        raise InternalFault(
            f"plan {digest[:12]} does not match its digest any more",
            hint="its row was changed outside the hub; make a new plan",
        )
    return found
