"""Who works in the partnership: the tables from which the people of a world are made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Who works together, for which partner, led by whom."""

    key: str
    name: str
    partner: str
    lead: str


@dataclass(frozen=True, slots=True)
class Post:
    """A post in a team. ``gone`` and ``came`` are days before now; ``moved`` days since, from which team."""

    key: str
    name: str
    team: str
    gone: int | None = None
    successor: str | None = None
    hidden: bool = False  # the Jira account shows no address
    came: int | None = None
    moved: tuple[int, str] | None = None
    address: str = ""  # before the @; the key where nothing is said


TEAMS = (
    Team(key="strategy", name="Strategy", partner="acme", lead="ada"),
    Team(key="build", name="Build team", partner="studio", lead="grace"),
    Team(key="qa", name="Quality", partner="acme", lead="katherine"),
    Team(key="launch", name="Launch desk", partner="studio", lead="hedy"),
    Team(key="print", name="Print works", partner="north", lead="asima"),
    Team(key="media", name="Media desk", partner="harbor", lead="kay"),
)
STAFF = (
    Post("ada", "Ada Lovelace", "strategy"),
    Post("mary", "Mary Jackson", "strategy", hidden=True),
    Post("joan", "Joan Clarke", "strategy"),
    Post("grace", "Grace Hopper", "build"),
    Post("radia", "Radia Perlman", "build", hidden=True),
    Post("karen", "Karen Spärck Jones", "build"),
    Post("evelyn", "Evelyn Berezin", "build", gone=24, successor="grace"),
    Post("katherine", "Katherine Johnson", "qa"),
    Post("jean", "Jean Bartik", "qa", hidden=True),
    Post("frances", "Frances Allen", "qa"),
    Post("hedy", "Hedy Lamarr", "launch"),
    Post("annie", "Annie Easley", "launch", hidden=True),
    Post("betty", "Betty Holberton", "launch"),
    Post("klara", "Klara Dan", "launch", gone=17, successor="hedy", hidden=True),
)
# The people of the third and the fourth company. One shares her name with somebody at the studio.
NORTH_STAFF = (
    Post("asima", "Asima Chatterjee", "print"),
    Post("anna", "Anna Mani", "print"),
    Post("annie_north", "Annie Easley", "print", address="annie.easley"),
    Post("kamala", "Kamala Sohonie", "print", hidden=True),
    Post("janaki", "Janaki Ammal", "print", gone=21, successor="asima"),
)
HARBOR_STAFF = (
    Post("kay", "Kay McNulty", "media"),
    Post("marlyn", "Marlyn Meltzer", "media", hidden=True),
    Post("ruth", "Ruth Teitelbaum", "media"),
    Post("fran", "Fran Bilas", "media"),
)
# A company in which people come and change desks: where some untidiness is wanted.
CHANGING = (
    Post("lise", "Lise Meitner", "qa", came=25),
    Post("rosalind", "Rosalind Franklin", "launch", moved=(40, "build")),
)
CONTRACTORS = (("milo", "Milo Vance"), ("tara", "Tara Quill"))
NAMESAKE = ("joan_contractor", "Joan Clarke")  # a contractor with the name of somebody at Acme
# Further addresses under which somebody writes mail; the charter lists them.
ALIASES = {"ada": "ada.lovelace", "karen": "karen.jones", "hedy": "h.lamarr", "asima": "a.chatterjee", "kay": "kay.mc"}
