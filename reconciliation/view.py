"""What detectors look at: every intermediate result of one reconciliation, evaluated."""

from __future__ import annotations

from dataclasses import dataclass

import ibis.expr.types as ir

from reconciliation.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Evaluated tables; times are microseconds since 1970 (`columns.micros`).

    item: item, title, label, phase, accountable, status, open, due, partner, records, created, updated, url,
        base, person, person_name, reason, rule (the golden owner, see `ownership.golden`)
    link: source, record, tool, node, item, created, updated
    now: source, entity, record, part, field, value, at, actor, origin, evidence
    claim: item, source, record, node, tool, value, account, person, holder, since, actor, actor_person, evidence
    handoff: item, n, from_person, to_person, offered_at, due_at, accepted_at, returned, back_at, final, rule, ...
    act: item, source, record, seq, field, part, value, at, actor, person, doer, evidence
    identity: source, account, person, how, score, name, active, kind
    people: person, name, partner, gone, gone_why, heir, heir_step
    source: source, tool, partner, writable
    """

    engine: Engine
    item: ir.Table
    link: ir.Table
    now: ir.Table
    claim: ir.Table
    handoff: ir.Table
    act: ir.Table
    identity: ir.Table
    people: ir.Table
    source: ir.Table
