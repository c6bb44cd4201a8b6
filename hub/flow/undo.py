"""Undo: the inverse of an applied plan is a plan of its own, through the same gate."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hub.charter.model import Charter
from hub.domain.plans import OwnerChange, Plan, change_order
from hub.errors import Refused
from hub.flow.apply import GOOD
from hub.flow.approve import find_plan
from hub.ledger.ledger import Ledger

WRITTEN = GOOD - {"already"}


def inverse_plan(ledger: Ledger, charter: Charter, plan_id: str, *, now: datetime) -> Plan:
    """A plan that puts back every owner the given plan wrote, where that owner still stands when it is applied.

    Raises Refused when the plan wrote nothing.
    """
    plan = find_plan(ledger, plan_id).plan
    changes: list[OwnerChange] = []
    for intent, events in ledger.intents(plan.id):
        if events and events[-1].kind in WRITTEN:
            change = intent.change
            changes.append(
                replace(
                    change,
                    expected=change.desired,
                    desired=change.expected,
                    reason=f"undo of {plan.id}: {change.reason}",
                )
            )
    if not changes:
        raise Refused(f"{plan.id} wrote nothing", hint="only applied changes can be undone")
    inverse = Plan(
        created_at=now,
        expires_at=now + charter.decision_rights.owner_change.expires_within,
        base_seq=ledger.head(),
        charter_digest=charter.digest,
        changes=tuple(sorted(changes, key=change_order)),
    )
    ledger.save_plan(inverse, now)
    return inverse
