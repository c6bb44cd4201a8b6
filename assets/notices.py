"""Telling people: what changed among the findings, that a new plan waits for them, that a job broke."""

from assets.resources import now
from hub.alerts import Case, DeliveryReport, Notice, deliver, queue
from hub.alerts.grouping import Channel
from hub.announce import announce
from hub.domain.plans import Plan
from hub.ledger import FindingChanges
from hub.reports.escape import one_line
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


def tell_broken_run(hub: Hub, job: str, message: str) -> DeliveryReport:
    """Queue and deliver the news that a job broke, to everybody who hears alerts, once per job and day."""
    moment, alerts = now(), hub.charter.alerts
    case = Case(
        key=f"run|{job}|{moment:%Y-%m-%d}",
        kind="broken_run",
        severity="high",
        title=f"job {job}",
        summary=one_line(message),
        next_move="open the run in Dagster, read its last error, and start the job again when that is settled",
    )
    recipients: list[tuple[Channel, str, str]] = [
        *(("mail", person, hub.charter.people[person].email or "") for person in alerts.mail_to),
        *(("chat", reference, "") for reference in alerts.apprise),
    ]
    notices = [
        Notice(channel=channel, recipient=who, address=address, kind=case.kind, turn="opened", cases=(case,))
        for channel, who, address in recipients
    ]
    queue(hub.ledger, notices, moment)
    return deliver(hub.ledger, hub.charter, hub.secret, moment)
