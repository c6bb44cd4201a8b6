"""The people of the simulated company and the account each of them has in each tool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sandbox.world.hours import Hours, Leave, leave_of
from sandbox.world.identifiers import Mint
from sandbox.world.partners import BY_KEY, HARBOR, NORTH, partners
from sandbox.world.shape import Shape
from sandbox.world.staff import (
    ALIASES,
    CHANGING,
    CONTRACTORS,
    HARBOR_STAFF,
    NAMESAKE,
    NORTH_STAFF,
    STAFF,
    TEAMS,
    Post,
    Team,
)

PHASES = ("Brief", "Build", "QA", "Launch", "Optimize")
TEAM_OF_PHASE = {
    "Brief": "strategy",
    "Build": "build",
    "QA": "qa",
    "Launch": "launch",
    "Optimize": "strategy",
}
# The phases that a further company takes over on the items it works on.
TAKEN_OVER: Mapping[str, Mapping[str, str]] = {
    NORTH: {"Build": "print"},
    HARBOR: {"Launch": "media", "Optimize": "media"},
}
HUB_ADDRESS = "handoffs@hub.example"  # the shared mailbox
HUB_ACCOUNT = "hub@acme.example"  # the address of its accounts in the tools
BOT, IMPORTER = "bot", "importer"
_CHANGES_FROM = 1  # from this degree of untidiness on people keep hours, take leave, come and change desks
_NAMESAKES_FROM = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with accounts in the tools; ``key`` is the name the charter gives them."""

    key: str
    name: str
    email: str
    team: str | None = None
    partner: str | None = None
    kind: str = "person"  # person | contractor | bot | hub
    joined: date | None = None
    left: date | None = None
    successor: str | None = None
    moved: tuple[date, str] | None = None  # since when in this team, and in which before
    aliases: tuple[str, ...] = ()  # further addresses
    hours: Hours | None = None  # None: acts around the clock
    zone: str = ""
    salesforce: str = ""
    jira: str = ""
    airtable: str = ""
    jira_email_hidden: bool = False
    airtable_email: str = ""  # the address the Airtable account was opened with

    @property
    def works(self) -> bool:
        """Whether this is somebody of flesh and blood who still has accounts."""
        return self.kind in {"person", "contractor"} and self.left is None

    def away(self, at: datetime) -> Leave | None:
        """Give the leave the person is on at an instant (UTC), or None."""
        return self.hours.away(at) if self.hours else None

    def team_on(self, day: date) -> str | None:
        """Give the team the person worked in on a day; None before joining."""
        if self.joined is not None and day < self.joined:
            return None
        return self.moved[1] if self.moved is not None and day < self.moved[0] else self.team


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Everybody, by key; the queue is the Salesforce group that holds what nobody owns."""

    people: dict[str, Person]
    teams: dict[str, Team]
    queue: str
    _now: dict[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)
    _ever: dict[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        here = [p for p in self.people.values() if p.left is None]
        now = {team: tuple(p.key for p in here if p.team == team) for team in self.teams}
        ever = {
            team: tuple(p.key for p in here if p.team == team or (p.moved is not None and p.moved[1] == team))
            for team in self.teams
        }
        object.__setattr__(self, "_now", now)
        object.__setattr__(self, "_ever", ever)

    def members(self, team: str, at: datetime | None = None, *, but: str = "") -> tuple[str, ...]:
        """Name those who work in a team now, or worked in it at an instant (UTC), in a fixed order.

        At an instant those on leave are left out, unless nobody else remains. Who has left the company since is
        never named, nor is ``but``.
        """
        if at is None:
            return tuple(key for key in self._now[team] if key != but) if but else self._now[team]
        day = at.date()
        there = [key for key in self._ever[team] if key != but and self.people[key].team_on(day) == team]
        present = [key for key in there if not self.people[key].away(at)]
        return tuple(present or there)

    def leavers(self) -> tuple[str, ...]:
        """Name those who left."""
        return tuple(p.key for p in self.people.values() if p.left is not None)

    def contractors(self) -> tuple[str, ...]:
        """Name those who have accounts but stand in no charter."""
        return tuple(p.key for p in self.people.values() if p.kind == "contractor")

    def charted(self) -> tuple[Person, ...]:
        """Give everybody the charter knows."""
        return tuple(p for p in self.people.values() if p.kind == "person")

    def in_org(self, mint: Mint) -> Company:
        """Give the same people with the accounts they have in another Salesforce org, that of the given mint."""
        people = {
            key: replace(person, salesforce=mint.salesforce("005", number))
            for number, (key, person) in enumerate(self.people.items(), start=1)
        }
        return Company(people=people, teams=self.teams, queue=mint.salesforce("00G", 1))


def team_of(phase: str, lanes: frozenset[str] = frozenset()) -> str:
    """Name the team in charge of a phase of an item on which the named further companies work too."""
    for lane in (NORTH, HARBOR):
        if lane in lanes and phase in TAKEN_OVER[lane]:
            return TAKEN_OVER[lane][phase]
    return TEAM_OF_PHASE[phase]


def found(mint: Mint, now: datetime, shape: Shape | None = None) -> Company:
    """Found the company: fourteen people in four teams, two of whom left, two contractors, a bot and the hub.

    A third and a fourth company bring a team each. In an untidy world people keep hours, take leave, write from
    several addresses, join and change teams, some share a name, and an importer works at night.
    """
    shape = shape or Shape()
    there = {partner.key for partner in partners(shape.companies)}
    people: dict[str, Person] = {}
    for number, person in _numbered(now, shape):
        # One account was opened with an address the charter does not give: it is mapped by id.
        strange = "j.bartik@freelance.example" if person.key == "jean" else ""
        people[person.key] = replace(
            person,
            salesforce=mint.salesforce("005", number),
            jira=mint.jira_account(person.key),
            airtable=mint.airtable("usr", person.key),
            airtable_email=strange or person.email,
            hours=_hours(mint.seed, person, now, shape) if shape.mess >= _CHANGES_FROM else None,
        )
    teams = {team.key: team for team in TEAMS if team.partner in there}
    return Company(people=people, teams=teams, queue=mint.salesforce("00G", 1))


def _numbered(now: datetime, shape: Shape) -> Iterator[tuple[int, Person]]:
    partner_of = {team.key: team.partner for team in TEAMS}
    contractors = (*CONTRACTORS, NAMESAKE) if shape.mess >= _NAMESAKES_FROM else CONTRACTORS
    changing = CHANGING if shape.mess >= _CHANGES_FROM else ()
    for number, post in enumerate(STAFF, start=1):
        yield number, _employee(post, partner_of[post.team], now, shape)
    for number, (key, name) in enumerate(contractors, start=len(STAFF) + 1):
        yield number, Person(key=key, name=name, email=f"{key}@contractor.example", kind="contractor")
    further = (NORTH_STAFF if shape.companies > 2 else ()) + (HARBOR_STAFF if shape.companies > 3 else ())
    for number, post in enumerate((*changing, *further), start=30):
        yield number, _employee(post, partner_of[post.team], now, shape)
    yield 90, Person(key=BOT, name="Release bot", email="release-bot@acme.example", kind="bot")
    yield 91, Person(key="hub", name="Handoff Hub", email=HUB_ACCOUNT, kind="hub")
    if shape.mess >= _NAMESAKES_FROM:
        yield 92, Person(key=IMPORTER, name="Data import", email="import@acme.example", kind="bot")


def _employee(post: Post, partner: str, now: datetime, shape: Shape) -> Person:
    def ago(days: int | None) -> date | None:
        return None if days is None else (now - timedelta(days=days)).date()

    home = BY_KEY[partner]
    alias = ALIASES.get(post.key) if shape.mess >= _CHANGES_FROM else None
    since = ago(post.moved[0]) if post.moved else None
    return Person(
        key=post.key,
        name=post.name,
        email=f"{post.address or post.key}@{home.domain}",
        team=post.team,
        partner=partner,
        joined=ago(post.came),
        left=ago(post.gone),
        successor=post.successor,
        moved=(since, post.moved[1]) if since and post.moved else None,
        aliases=(f"{alias}@{home.domain}",) if alias else (),
        zone=home.zone,
        jira_email_hidden=post.hidden,
    )


def _hours(seed: int, person: Person, now: datetime, shape: Shape) -> Hours | None:
    if person.kind != "person" or person.partner is None:
        return None
    first, last = (now - timedelta(days=30 * shape.months + 30)).date(), (now + timedelta(days=60)).date()
    leave = leave_of(seed, person.key, first, last) if person.left is None else ()
    # Some begin early, some late, always the same for one person.
    start = 8 * 60 + 30 * (sum(person.key.encode()) % 4)
    home = BY_KEY[person.partner]
    return Hours(zone=home.zone, country=home.country, start=start, end=start + 8 * 60 + 30, leave=leave)
