"""Telling people: what changed among the findings, and that a new plan waits for them."""

from hub.ledger.ledger import FindingChanges

from assets.resources import now
from hub.announce import announce
from hub.domain.plans import Plan
from hub.wiring import Hub

_NOTHING_CHANGED = FindingChanges(opened=(), resolved=(), reopened=())


def tell_findings(hub: Hub, changes: FindingChanges) -> list[str]:
    """Queue and deliver alerts for new and settled cases; one line per thing done, for the run's log."""
    moment = now()
    nothing = Plan(created_at=moment, expires_at=moment, base_seq=0, charter_digest="", changes=())
    return list(announce(hub, changes, nothing, now=moment).lines())


def tell_plan(hub: Hub, plan: Plan) -> list[str]:
    """Send each entitled approver a code for a plan they have none for; one line per thing done."""
    return list(announce(hub, _NOTHING_CHANGED, plan, now=now()).lines())
