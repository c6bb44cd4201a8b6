"""The people of the simulated company and the account each of them has in each tool."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sandbox.world.identifiers import Mint

PHASES = ("Brief", "Build", "QA", "Launch", "Optimize")
TEAM_OF_PHASE = {
    "Brief": "strategy",
    "Build": "build",
    "QA": "qa",
    "Launch": "launch",
    "Optimize": "strategy",
}
HUB_ADDRESS = "handoffs@hub.example"  # the shared mailbox
HUB_ACCOUNT = "hub@acme.example"  # the address of its accounts in the tools


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with accounts in the tools; ``key`` is the name the charter gives them."""

    key: str
    name: str
    email: str
    team: str | None = None
    partner: str | None = None
    kind: str = "person"  # person | contractor | bot | hub
    left: date | None = None
    successor: str | None = None
    salesforce: str = ""
    jira: str = ""
    airtable: str = ""
    jira_email_hidden: bool = False
    airtable_email: str = ""  # the address the Airtable account was opened with


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Who works together, for which partner, led by whom."""

    key: str
    name: str
    partner: str
    lead: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Everybody, by key; the queue is the Salesforce group that holds what nobody owns."""

    people: dict[str, Person]
    teams: dict[str, Team]
    queue: str

    def members(self, team: str) -> tuple[str, ...]:
        """Name those who work in a team now, in a fixed order."""
        return tuple(p.key for p in self.people.values() if p.team == team and p.left is None)

    def leavers(self) -> tuple[str, ...]:
        """Name those who left."""
        return tuple(p.key for p in self.people.values() if p.left is not None)

    def contractors(self) -> tuple[str, ...]:
        """Name those who have accounts but stand in no charter."""
        return tuple(p.key for p in self.people.values() if p.kind == "contractor")

    def charted(self) -> tuple[Person, ...]:
        """Give everybody the charter knows."""
        return tuple(p for p in self.people.values() if p.kind == "person")


_TEAMS = (
    Team(key="strategy", name="Strategy", partner="acme", lead="ada"),
    Team(key="build", name="Build team", partner="studio", lead="grace"),
    Team(key="qa", name="Quality", partner="acme", lead="katherine"),
    Team(key="launch", name="Launch desk", partner="studio", lead="hedy"),
)
# key, name, team, days since they left (None: still here), successor, Jira address hidden
_STAFF: tuple[tuple[str, str, str, int | None, str | None, bool], ...] = (
    ("ada", "Ada Lovelace", "strategy", None, None, False),
    ("mary", "Mary Jackson", "strategy", None, None, True),
    ("joan", "Joan Clarke", "strategy", None, None, False),
    ("grace", "Grace Hopper", "build", None, None, False),
    ("radia", "Radia Perlman", "build", None, None, True),
    ("karen", "Karen Spärck Jones", "build", None, None, False),
    ("evelyn", "Evelyn Berezin", "build", 24, "grace", False),
    ("katherine", "Katherine Johnson", "qa", None, None, False),
    ("jean", "Jean Bartik", "qa", None, None, True),
    ("frances", "Frances Allen", "qa", None, None, False),
    ("hedy", "Hedy Lamarr", "launch", None, None, False),
    ("annie", "Annie Easley", "launch", None, None, True),
    ("betty", "Betty Holberton", "launch", None, None, False),
    ("klara", "Klara Dan", "launch", 17, "hedy", True),
)
_CONTRACTORS = (("milo", "Milo Vance"), ("tara", "Tara Quill"))
_DOMAINS = {"acme": "acme.example", "studio": "northwind.example"}


def found(mint: Mint, now: datetime) -> Company:
    """Found the company: fourteen people in four teams, two of whom left, two contractors, a bot and the hub."""
    teams = {team.key: team for team in _TEAMS}
    people: dict[str, Person] = {}

    def hire(person: Person, number: int) -> None:
        people[person.key] = Person(
            **{
                **{name: getattr(person, name) for name in Person.__dataclass_fields__},
                "salesforce": mint.salesforce("005", number),
                "jira": mint.jira_account(person.key),
                "airtable": mint.airtable("usr", person.key),
                "airtable_email": person.airtable_email or person.email,
            }
        )

    for number, (key, name, team, gone, successor, hidden) in enumerate(_STAFF, start=1):
        partner = teams[team].partner
        hire(
            Person(
                key=key,
                name=name,
                email=f"{key}@{_DOMAINS[partner]}",
                team=team,
                partner=partner,
                left=None if gone is None else (now - timedelta(days=gone)).date(),
                successor=successor,
                jira_email_hidden=hidden,
                # One account was opened with an address the charter does not give: it is mapped by id.
                airtable_email="j.bartik@freelance.example" if key == "jean" else "",
            ),
            number,
        )
    for number, (key, name) in enumerate(_CONTRACTORS, start=len(_STAFF) + 1):
        hire(Person(key=key, name=name, email=f"{key}@contractor.example", kind="contractor"), number)
    hire(Person(key="bot", name="Release bot", email="release-bot@acme.example", kind="bot"), 90)
    hire(Person(key="hub", name="Handoff Hub", email=HUB_ACCOUNT, kind="hub"), 91)
    return Company(people=people, teams=teams, queue=mint.salesforce("00G", 1))
