"""Tell whoever should know: alerts for new and resolved findings, approval codes for a new plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hub.alerts import DeliveryReport, deliver, issue_codes, plan_alerts, queue
from hub.domain.plans import Plan
from hub.errors import HubError
from hub.flow.plan import engaged_brakes, open_item_count
from hub.ledger.findings import FindingChanges
from hub.wiring import Hub

#: Findings this young are queued again each time, so that a run which died before telling loses nothing;
#: what was queued before is not queued twice.
LOOK_BACK = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What was told: alert messages, who was asked to approve, and what could not be delivered."""

    delivery: DeliveryReport
    asked: tuple[str, ...] = ()
    problem: str = ""

    def lines(self, name: Callable[[str], str] = str) -> tuple[str, ...]:
        """Sentences for people; empty when there was nothing to tell. `name` turns a person's key into a name."""
        told = []
        if self.delivery.delivered:
            told.append(f"{self.delivery.delivered} alert messages sent")
        told.extend(f"not delivered (kept for next time): {failure}" for failure in self.delivery.failures)
        if self.asked:
            told.append(f"approval code sent to: {', '.join(map(name, self.asked))}")
        if self.problem:
            told.append(f"approval codes not sent: {self.problem}")
        return tuple(told)


def announce(hub: Hub, changes: FindingChanges, plan: Plan, *, now: datetime) -> Announced:
    """Send alerts for what changed and, once per plan, codes to the people who may approve it.

    A channel that fails stops nothing: undelivered alerts stay queued for the next time.
    """
    missed = tuple(
        finding.key
        for finding in hub.ledger.findings()
        if finding.first_seen is not None and finding.first_seen > now - LOOK_BACK
    )
    changes = replace(changes, opened=tuple(dict.fromkeys((*changes.opened, *missed))))
    found = hub.ledger.findings(
        states=("open", "reopened", "resolved"), keys={*changes.opened, *changes.reopened, *changes.resolved}
    )
    queue(hub.ledger, plan_alerts(changes, found, hub.charter, hub.charter.people), now)
    delivery = deliver(hub.ledger, hub.charter, hub.secret, now)
    try:
        asked = announce_plan(hub, plan, now=now)
    except HubError as error:
        return Announced(delivery=delivery, problem=error.message)
    return Announced(delivery=delivery, asked=asked)


def announce_plan(hub: Hub, plan: Plan, *, now: datetime) -> tuple[str, ...]:
    """Send single-use codes for a plan that nobody was asked about yet; who was asked now.

    Nobody is asked about an empty or braked plan, nor where no mailbox sends (`alerts.via`).
    """
    if not plan.changes or hub.charter.alerts.via is None:
        return ()
    if engaged_brakes(plan, hub.charter, open_items=open_item_count(hub.ledger)):
        return ()
    key = f"codes|{plan.digest}"
    hub.ledger.queue_alert(key, "asked", {}, now)
    waiting = [row for row in hub.ledger.pending_deliveries() if row.key == key]
    if not waiting:
        return ()
    try:
        asked = issue_codes(hub.ledger, plan, hub.charter, hub.secret, now)
    except HubError as error:
        hub.ledger.mark_failed(waiting[0].id, now, error.message)
        raise
    hub.ledger.mark_delivered(waiting[0].id, now, ", ".join(asked))
    return asked
