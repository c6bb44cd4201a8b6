"""Writes the hub has decided to make, and what became of each: written ahead, never changed."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError

from hub.domain.plans import Intent, Outcome, OutcomeKind, OwnerChange
from hub.errors import InternalFault
from hub.ledger.engine import Database
from hub.ledger.schema import intent, intent_event
from hub.ledger.upsert import insert_once
from hub.ledger.values import micros, moment, optional_storable, storable, to_json


def add(database: Database, new: Intent, now: datetime) -> None:
    """Keep an intent; one with the same key is already there."""
    row = {"key": new.key, "plan": new.plan, "body": to_json(asdict(new.change)), "at": micros(now)}
    with database.write("plans") as connection:
        insert_once(connection, intent, row)


def add_event(database: Database, key: str, outcome: Outcome) -> None:
    """Keep what happened to an intent: on disk before this returns. Raises InternalFault for an unknown key."""
    row = {
        "intent": key,
        "kind": outcome.kind,
        "at": micros(outcome.at),
        "detail": storable(outcome.detail),
        "before": optional_storable(outcome.before),
        "after": optional_storable(outcome.after),
        "version": storable(outcome.version),
    }
    with database.write("plans") as connection:
        try:
            connection.execute(insert(intent_event), row)
        except IntegrityError as error:
            raise InternalFault(f"no intent has the key {key[:12]}") from error


def listing(database: Database, plans: Collection[str] | None) -> tuple[tuple[Intent, tuple[Outcome, ...]], ...]:
    """Intents in the order they were made, each with its outcomes so far; only of `plans` when given."""
    wanted = select(intent.c.key, intent.c.plan, intent.c.body).order_by(intent.c.seq)
    told = select(intent_event).join(intent, intent.c.key == intent_event.c.intent).order_by(intent_event.c.seq)
    if plans is not None:
        wanted = wanted.where(intent.c.plan.in_(plans))
        told = told.where(intent.c.plan.in_(plans))
    with database.read() as connection:
        outcomes: dict[str, list[Outcome]] = {}
        for row in connection.execute(told):
            outcomes.setdefault(row.intent, []).append(
                Outcome(
                    kind=row.kind,
                    at=moment(row.at),
                    detail=row.detail,
                    before=row.before,
                    after=row.after,
                    version=row.version,
                )
            )
        return tuple(
            (Intent(key=key, plan=plan, change=change_from(json.loads(body))), tuple(outcomes.get(key, ())))
            for key, plan, body in connection.execute(wanted)
        )


def last_outcomes(connection: Connection, plans: Collection[str]) -> list[OutcomeKind | None]:
    """The last outcome of each intent of these plans (None: none yet)."""
    event = intent_event.alias()
    newest = select(func.max(event.c.seq)).where(event.c.intent == intent.c.key).correlate(intent).scalar_subquery()
    query = (
        select(intent_event.c.kind)
        .select_from(intent.outerjoin(intent_event, intent_event.c.seq == newest))
        .where(intent.c.plan.in_(plans))
        .order_by(intent.c.seq)
    )
    return [cast("OutcomeKind | None", kind) for kind in connection.execute(query).scalars()]


def change_from(body: dict[str, Any]) -> OwnerChange:
    """An owner change from its JSON object."""
    return OwnerChange(**{**body, "findings": tuple(body["findings"])})
