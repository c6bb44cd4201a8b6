"""Approve: an entitled person consents to exactly one plan digest, by single-use code or personal token."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from hub.charter.model import Charter
from hub.domain.codes import code_hash
from hub.domain.plans import Approval, Plan
from hub.errors import ApprovalRefused, BrakeEngaged, PlanStale
from hub.flow.plan import engaged_brakes, open_item_count
from hub.ledger.ledger import Ledger
from hub.ledger.plans import PlanStatus


def approve(
    ledger: Ledger,
    charter: Charter,
    plan_id: str,
    *,
    now: datetime,
    code: str | None = None,
    person: str | None = None,
    token: str | None = None,
) -> Approval:
    """Record the approval of a plan.

    The person is proven by the single-use `code` the hub sent them, or by `person` with their personal `token`.
    Raises ApprovalRefused (unknown plan, wrong code or token, no right), PlanStale (expired, superseded, used,
    made under another charter) or BrakeEngaged.
    """
    status = find_plan(ledger, plan_id)
    plan = status.plan
    refuse_stale(ledger, charter, status, now=now)
    refuse_braked(ledger, charter, plan)
    right = charter.decision_rights.owner_change
    if code is not None:
        approver = _by_code(ledger, plan, right.approvers, code, now)
        method = "code"
    else:
        approver = _by_token(charter, person or "", token or "")
        method = "token"
    refuse_unentitled(charter, approver, now=now)
    approval = Approval(digest=plan.digest, person=approver, method="code" if method == "code" else "token", at=now)
    ledger.add_approval(approval)
    return approval


def find_plan(ledger: Ledger, plan_id: str) -> PlanStatus:
    """The plan with this id, prefix or digest; raises ApprovalRefused when there is none."""
    plan = ledger.plan(plan_id)
    if plan is not None:
        for status in ledger.plans(limit=1000):
            if status.plan.digest == plan.digest:
                return status
    raise ApprovalRefused(f"no plan {plan_id!r}", hint="`hub plan` shows the plans")


def refuse_stale(ledger: Ledger, charter: Charter, status: PlanStatus, *, now: datetime) -> None:
    """Raise PlanStale unless the plan is the newest, unexpired, unused and made under this charter."""
    plan, again = status.plan, "run `hub plan` and approve the new plan"
    if plan.expires_at <= now:
        raise PlanStale(f"{plan.id} expired at {plan.expires_at:%Y-%m-%d %H:%M} UTC", hint=again)
    if plan.charter_digest != charter.digest:
        raise PlanStale(f"{plan.id} was made under another charter", hint=again)
    if ledger.head() < plan.base_seq:
        raise PlanStale(f"{plan.id} was made from a newer ledger than this one", hint="pull again before applying")
    newest = next(iter(ledger.plans(limit=1)), None)
    if newest is not None and newest.plan.digest != plan.digest:
        raise PlanStale(f"{plan.id} was superseded by {newest.plan.id}", hint=again)
    if status.state == "applied":
        raise PlanStale(f"{plan.id} was applied already; a plan is used once", hint=again)


def refuse_braked(ledger: Ledger, charter: Charter, plan: Plan) -> None:
    """Raise BrakeEngaged with the first brake that stops the plan."""
    for name, sentence in engaged_brakes(plan, charter, open_items=open_item_count(ledger)):
        raise BrakeEngaged(
            f"{plan.id} stopped by {name}: {sentence}",
            brake=name,
            hint="look at the plan; if it is right, raise the limit in the charter and plan again",
        )


def refuse_unentitled(charter: Charter, person: str, *, now: datetime) -> None:
    """Raise ApprovalRefused unless the charter lets this person approve owner changes today."""
    if person not in charter.decision_rights.owner_change.approvers:
        raise ApprovalRefused(
            f"{person} may not approve owner changes",
            hint="decision_rights.owner_change.approvers in the charter says who may",
        )
    left = charter.people[person].left
    if left is not None and left <= now.date():
        raise ApprovalRefused(f"{person} left on {left}", hint="ask another approver")


def _by_code(ledger: Ledger, plan: Plan, approvers: tuple[str, ...], code: str, now: datetime) -> str:
    for person in approvers:
        found = ledger.use_code(plan.digest, code_hash(plan.digest, person, code), now)
        if found is not None:
            return found
    raise ApprovalRefused(
        f"this code does not approve {plan.id}",
        hint="codes are sent to the approvers, fit one plan and one person, work once and expire with the plan",
    )


def _by_token(charter: Charter, person: str, token: str) -> str:
    if not person:
        raise ApprovalRefused(
            "nobody says who approves", hint="give --code, or --as PERSON with HUB_APPROVAL_TOKEN set to their token"
        )
    if not token:
        raise ApprovalRefused(f"no token for {person}", hint="set HUB_APPROVAL_TOKEN to that person's token")
    known = charter.people.get(person)
    offered = "sha256:" + hashlib.sha256(token.encode()).hexdigest()
    if known is None or known.token is None or not hmac.compare_digest(known.token, offered):
        raise ApprovalRefused(
            f"this token is not the one of {person}",
            hint="HUB_APPROVAL_TOKEN must hold the token whose SHA-256 stands in the charter under that person",
        )
    return person
