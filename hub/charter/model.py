"""The charter as typed values. Unknown keys are errors; every reference between parts is checked."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hub.charter.duration import Duration
from hub.charter.secret import SecretReference
from hub.charter.sources import Source, Strict
from hub.domain.findings import FindingKind, Severity


class UnknownNames(ValueError):
    """Names that are used but not defined: pairs of dotted place and what is wrong."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{where}: {what}" for where, what in problems))
        self.problems = problems


class Partner(Strict):
    """A company that takes part."""

    name: str


class Team(Strict):
    """A team of one partner; `lead` takes over what nobody else does."""

    name: str
    partner: str
    lead: str | None = None


class Person(Strict):
    """One human over all tools. `accounts` names native ids where the e-mail address cannot tell."""

    name: str
    email: str | None = None
    team: str | None = None
    partner: str | None = None
    accounts: dict[str, str] = {}
    aliases: tuple[str, ...] = ()
    joined: date | None = None
    left: date | None = None
    successor: str | None = None
    token: str | None = Field(default=None, pattern=r"^sha256:[0-9a-f]{64}$")


class Phase(Strict):
    """A phase of the work and who is accountable while it lasts."""

    name: str
    accountable: str | None = None
    aliases: tuple[str, ...] = ()


class HandoffProtocol(Strict):
    """What was agreed for the handoff between two phases."""

    name: str
    from_: Annotated[str, Field(alias="from")]
    to: str
    accept_within: Duration = timedelta(hours=24)
    escalate_to: str | None = None


class Handoffs(Strict):
    """How handoffs are recognised and how long acceptance may take."""

    detect: Literal["owner_change", "actor_change"] = "owner_change"
    accept_within: Duration = timedelta(hours=24)
    returned_within: Duration = timedelta(days=7)
    protocols: tuple[HandoffProtocol, ...] = ()


class Decisions(Strict):
    """How long an approval may wait for its answer."""

    answer_within: Duration = timedelta(hours=72)


class Updates(Strict):
    """When two updates are the same news told twice."""

    duplicate_within: Duration = timedelta(hours=24)
    similarity: Annotated[float, Field(gt=0, le=1)] = 0.8


class OwnerSurvivorship(Strict):
    """Which tool is right about the owner: by phase, otherwise by rule."""

    by_phase: dict[str, str] = {}
    otherwise: Literal["latest_change", "consensus"] = "latest_change"


class StatusSurvivorship(Strict):
    """Which status counts for the item."""

    otherwise: Literal["latest_change"] = "latest_change"


class Survivorship(Strict):
    """The rule that picks the golden value, per field."""

    owner: OwnerSurvivorship = OwnerSurvivorship()
    status: StatusSurvivorship = StatusSurvivorship()


class DecisionRight(Strict):
    """Who may approve, up to how many changes, and for how long a plan stays valid."""

    approvers: tuple[str, ...]
    max_changes: int = Field(default=50, gt=0)
    expires_within: Duration = timedelta(hours=24)


class DecisionRights(Strict):
    """Decisions the hub enforces."""

    owner_change: DecisionRight


class Brakes(Strict):
    """Limits that stop a plan before its first write."""

    max_changes: int = Field(default=50, gt=0)
    max_share: float = Field(default=0.5, gt=0, le=1)
    max_to_one_person: int = Field(default=25, gt=0)


class AlertRules(Strict):
    """Who hears of new findings, from which severity on, over which channel."""

    minimum_severity: Severity = "high"
    mail_to: tuple[str, ...] = ()
    apprise: tuple[SecretReference, ...] = ()
    via: str | None = None


_DEFAULT_SEVERITIES: dict[FindingKind, Severity] = {
    "owner_conflict": "high",
    "missed_handoff": "high",
    "returned_handoff": "medium",
    "duplicate_update": "low",
    "stalled_decision": "high",
    "ghost_owner": "high",
    "orphan_item": "high",
    "split_ownership": "medium",
    "unmapped_person": "medium",
}


class Charter(Strict):
    """Everything the partners agreed that the hub measures against."""

    version: Literal[1]
    partners: dict[str, Partner]
    sources: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")], Source]
    teams: dict[str, Team] = {}
    people: dict[str, Person] = {}
    statuses: dict[str, dict[str, str]] = {}
    closed_statuses: tuple[str, ...] = ("done", "cancelled")
    phases: tuple[Phase, ...] = ()
    handoffs: Handoffs = Handoffs()
    decisions: Decisions = Decisions()
    updates: Updates = Updates()
    grace: Duration = timedelta(hours=1)
    survivorship: Survivorship = Survivorship()
    decision_rights: DecisionRights
    brakes: Brakes = Brakes()
    severities: dict[FindingKind, Severity] = {}
    alerts: AlertRules = AlertRules()

    def severity(self, kind: FindingKind) -> Severity:
        """Severity of a finding kind, the charter's or the default."""
        return self.severities.get(kind, _DEFAULT_SEVERITIES[kind])

    @property
    def digest(self) -> str:
        """SHA-256 over the whole charter: plans are bound to it."""
        return hashlib.sha256(self.model_dump_json(by_alias=True).encode()).hexdigest()

    @model_validator(mode="after")
    def _references_exist(self) -> Self:
        problems = [
            (where, f"{name!r} is not one of the {what} ({', '.join(sorted(known)) or 'none'})")
            for where, name, what, known in self._references()
            if name is not None and name not in known
        ]
        if problems:
            raise UnknownNames(problems)
        return self

    def _references(self) -> list[tuple[str, str | None, str, set[str]]]:
        people, partners = set(self.people), set(self.partners)
        sources, phases = set(self.sources), {p.name for p in self.phases}
        found: list[tuple[str, str | None, str, set[str]]] = []
        for key, source in self.sources.items():
            found.append((f"sources.{key}.partner", source.partner, "partners", partners))
        for key, team in self.teams.items():
            found.append((f"teams.{key}.partner", team.partner, "partners", partners))
            found.append((f"teams.{key}.lead", team.lead, "people", people))
        for key, person in self.people.items():
            found.append((f"people.{key}.team", person.team, "teams", set(self.teams)))
            found.append((f"people.{key}.partner", person.partner, "partners", partners))
            found.append((f"people.{key}.successor", person.successor, "people", people))
            found.extend((f"people.{key}.accounts", s, "sources", sources) for s in person.accounts)
        found.extend((f"phases.{p.name}.accountable", p.accountable, "people", people) for p in self.phases)
        found.extend((f"statuses.{s}", s, "sources", sources) for s in self.statuses)
        for protocol in self.handoffs.protocols:
            where = f"handoffs.protocols.{protocol.name}"
            found.append((f"{where}.from", protocol.from_, "phases", phases))
            found.append((f"{where}.to", protocol.to, "phases", phases))
            found.append((f"{where}.escalate_to", protocol.escalate_to, "people", people))
        for phase, chosen in self.survivorship.owner.by_phase.items():
            found.append(("survivorship.owner.by_phase", phase, "phases", phases))
            found.append((f"survivorship.owner.by_phase.{phase}", chosen, "sources", sources))
        found.extend(
            ("decision_rights.owner_change.approvers", p, "people", people)
            for p in self.decision_rights.owner_change.approvers
        )
        found.extend(("alerts.mail_to", p, "people", people) for p in self.alerts.mail_to)
        mailboxes = {k for k, s in self.sources.items() if s.tool == "mail"}
        found.append(("alerts.via", self.alerts.via, "mail sources", mailboxes))
        return found
