"""Propose: turn corrections into a plan with a digest, and name the brakes that would stop it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime

from hub.charter.model import Charter
from hub.domain.plans import OwnerChange, Plan, change_order
from hub.ledger.ledger import Ledger

#: A share of all open items says little about a plan of a handful of changes.
SHARE_COUNTS_FROM = 6

REUSABLE = ("proposed", "approved")


def make_plan(ledger: Ledger, charter: Charter, *, now: datetime) -> Plan:
    """The plan for what the last reconciliation found; saved when it changes anything.

    While an earlier plan with the very same changes is still valid, that plan is returned: people are asked
    once.
    """
    changes = tuple(sorted((_change(row) for row in ledger.derived("correction").to_pylist()), key=change_order))
    latest = next(iter(ledger.plans(limit=1)), None)
    if (
        latest is not None
        and latest.state in REUSABLE
        and latest.plan.changes == changes
        and latest.plan.charter_digest == charter.digest
        and latest.plan.expires_at > now
    ):
        return latest.plan
    plan = Plan(
        created_at=now,
        expires_at=now + charter.decision_rights.owner_change.expires_within,
        base_seq=ledger.head(),
        charter_digest=charter.digest,
        changes=changes,
    )
    if changes:
        ledger.save_plan(plan, now)
    return plan


def engaged_brakes(plan: Plan, charter: Charter, *, open_items: int) -> tuple[tuple[str, str], ...]:
    """Brakes that stop this plan, as (name, sentence) pairs; empty when it may go on."""
    brakes, count = charter.brakes, len(plan.changes)
    found: list[tuple[str, str]] = []
    limit = min(brakes.max_changes, charter.decision_rights.owner_change.max_changes)
    if count > limit:
        found.append(("max_changes", f"{count} changes, at most {limit} are allowed in one plan"))
    items = len({change.item for change in plan.changes})
    if items >= SHARE_COUNTS_FROM and open_items and items / open_items > brakes.max_share:
        found.append(
            (
                "max_share",
                f"{items} of {open_items} open items, at most {brakes.max_share:.0%} may change at once",
            )
        )
    for person, number in Counter(change.person for change in plan.changes).most_common(1):
        if number > brakes.max_to_one_person:
            found.append(
                (
                    "max_to_one_person",
                    f"{number} changes to {person}, at most {brakes.max_to_one_person} are allowed",
                )
            )
    return tuple(found)


def open_item_count(ledger: Ledger) -> int:
    """Open items in the last reconciliation."""
    return sum(1 for is_open in ledger.derived("work_item").column("open").to_pylist() if is_open)


def _change(row: dict[str, object]) -> OwnerChange:
    return OwnerChange(
        source=str(row["source"]),
        record=str(row["record"]),
        item=str(row["item"]),
        title=str(row["title"] or ""),
        expected=None if row["expected"] is None else str(row["expected"]),
        desired=str(row["desired"]),
        person=str(row["person"]),
        reason=str(row["reason"] or ""),
        findings=tuple(json.loads(str(row["findings"] or "[]"))),
        url=str(row["url"] or ""),
    )
