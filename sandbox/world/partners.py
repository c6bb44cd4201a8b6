"""The companies of the partnership, and the instance of each tool that each of them owns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.world.shape import Shape
from sandbox.world.story import SOURCE_OF, TOOLS, Tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """A company: its mail domain, where its people sit, and which phases of which items it may take over."""

    key: str
    name: str
    domain: str
    zone: str
    country: str


PARTNERS = (
    Partner(key="acme", name="Acme", domain="acme.example", zone="America/New_York", country="US"),
    Partner(key="studio", name="Northwind Studio", domain="northwind.example", zone="Europe/Berlin", country="DE"),
    Partner(key="north", name="Northlight Print", domain="northlight.example", zone="Asia/Kolkata", country="IN"),
    Partner(key="harbor", name="Harbor Media", domain="harbor.example", zone="America/Los_Angeles", country="US"),
)
BY_KEY: Mapping[str, Partner] = {partner.key: partner for partner in PARTNERS}
NORTH, HARBOR = "north", "harbor"
# The tool instance that a further company brings along: an item its people work on lives there, not at Acme's.
OWN_INSTANCE: Mapping[str, tuple[Tool, str]] = {
    NORTH: ("jira", "north_jira"),
    HARBOR: ("salesforce", "harbor_salesforce"),
}
OWNER_OF_SOURCE: Mapping[str, str] = {
    "acme_salesforce": "acme",
    "acme_jira": "acme",
    "studio_airtable": "studio",
    "ops_mail": "studio",
    "north_jira": NORTH,
    "harbor_salesforce": HARBOR,
}


def partners(companies: int) -> tuple[Partner, ...]:
    """Give the companies that take part."""
    return PARTNERS[:companies]


def sources(shape: Shape) -> dict[str, Tool]:
    """Name every tool instance of a world with its tool, the first of each tool first."""
    found: dict[str, Tool] = {SOURCE_OF[tool]: tool for tool in TOOLS}
    for partner in partners(shape.companies):
        if partner.key in OWN_INSTANCE:
            tool, source = OWN_INSTANCE[partner.key]
            found[source] = tool
    return found


def instances(shape: Shape) -> dict[str, str]:
    """Name the instances the servers run, each with its space: the first of a tool is named like the tool."""
    return {
        tool if SOURCE_OF[tool] == source else f"{tool}:{source}": source for source, tool in sources(shape).items()
    }


def source_of(tool: Tool, lanes: frozenset[str]) -> str:
    """Name the instance of a tool that holds an item on which the named further companies work too."""
    for lane in lanes:
        if OWN_INSTANCE[lane][0] == tool:
            return OWN_INSTANCE[lane][1]
    return SOURCE_OF[tool]
