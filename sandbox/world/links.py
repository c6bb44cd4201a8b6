"""How the records of one item name each other: native ids, and the addresses and keys people paste."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sandbox.world import airtable, jira, salesforce
from sandbox.world.identifiers import Mint, jira_id, jira_key
from sandbox.world.story import Story, Tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """The native ids of one item's records and the addresses people paste."""

    records: dict[Tool, str]
    salesforce_url: str | None
    jira_key: str | None
    airtable_url: str | None


def links_of(mint: Mint, story: Story) -> Links:
    """Give the native ids of an item's records and how its records name each other when they are kept well."""
    records: dict[Tool, str] = {}
    org = salesforce.ORGS[story.sources.get("salesforce", "acme_salesforce")]
    site = jira.SITES[story.sources.get("jira", "acme_jira")]
    for tool in story.tools:
        if tool == "salesforce":
            records[tool] = salesforce.record_id(mint.of(org.key) if org.key else mint, story.sobject, story.number)
        elif tool == "jira":
            records[tool] = jira_id(story.number)
        elif tool == "airtable":
            records[tool] = airtable.record_id(mint, story.number)
        else:
            records[tool] = mint.message(story.number, 0)
    known = records if story.linked else {}
    return Links(
        records=records,
        salesforce_url=salesforce.link(known["salesforce"], story.sobject, org.domain)
        if "salesforce" in known
        else None,
        jira_key=jira_key(story.number, site.project["key"]) if "jira" in known else None,
        airtable_url=airtable.link(known["airtable"]) if "airtable" in known else None,
    )


def as_known(links: Links, story: Story, tool: Tool) -> Links:
    """Give the links as they stand in one tool's record: left out by the careless, or another item's key."""
    if tool in story.untidy.silent:
        return replace(links, salesforce_url=None, jira_key=None, airtable_url=None)
    if tool == story.untidy.stray:
        project = jira.SITES[story.sources.get("jira", "acme_jira")].project["key"]
        return replace(links, jira_key=jira_key(story.number - 1, project))
    return links
