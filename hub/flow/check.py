"""Everything wrong at once: charter, secrets, connections, permissions, who can approve."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from connectors.base import Connector
from hub.charter.model import Charter
from hub.charter.secret import Secret
from hub.domain.records import Problem
from hub.errors import HubError
from hub.ledger.ledger import Ledger


def check(
    charter: Charter,
    ledger: Ledger,
    connect: Callable[[str], Connector],
    secret: Callable[[str], Secret],
    *,
    now: datetime,
) -> tuple[Problem, ...]:
    """Problems of every part, errors first; asks the tools, changes nothing."""
    problems = [*_agreement(charter, now), *_alert_channels(charter, secret)]
    for source in charter.sources:
        try:
            problems.extend(connect(source).check())
        except HubError as error:
            problems.append(Problem(where=source, what=error.message, hint=error.advice))
    held = len(ledger.quarantined())
    if held:
        problems.append(
            Problem(
                where="ledger",
                what=f"{held} records are quarantined",
                hint="fix data or the mapping (hub quarantine shows the reasons), then hub quarantine retry",
                severity="warning",
            )
        )
    return tuple(sorted(problems, key=lambda p: (p.severity != "error", p.where)))


def _agreement(charter: Charter, now: datetime) -> list[Problem]:
    problems: list[Problem] = []
    left = {key for key, person in charter.people.items() if person.left is not None and person.left <= now.date()}
    approvers = set(charter.decision_rights.owner_change.approvers)
    where = "charter decision_rights.owner_change"
    if not approvers - left:
        problems.append(Problem(where=where, what="nobody who is still here may approve", hint="name an approver"))
    problems.extend(
        Problem(where=where, what=f"{person} left", hint="name another approver", severity="warning")
        for person in sorted(approvers & left)
    )
    problems.extend(
        Problem(
            where=f"charter phases.{phase.name}",
            what="nobody is accountable" if phase.accountable is None else f"{phase.accountable} left",
            hint="name an accountable person",
            severity="warning",
        )
        for phase in charter.phases
        if phase.accountable is None or phase.accountable in left
    )
    problems.extend(
        Problem(
            where=f"charter statuses.{source}",
            what="no status of this source is mapped",
            hint="map its statuses, or every item in it stays open",
            severity="warning",
        )
        for source in charter.sources
        if source not in charter.statuses
    )
    return problems


def _alert_channels(charter: Charter, secret: Callable[[str], Secret]) -> list[Problem]:
    problems: list[Problem] = []
    if charter.alerts.via is None:
        problems.append(
            Problem(
                where="charter alerts.via",
                what="no mailbox sends alerts and approval codes",
                hint="name a mail source; without it plans are approved with personal tokens only",
                severity="warning",
            )
        )
    for reference in charter.alerts.apprise:
        try:
            secret(reference)
        except HubError as error:
            problems.append(Problem(where="charter alerts.apprise", what=error.message, hint=error.hint))
    return problems
