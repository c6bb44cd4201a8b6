"""Turns a story into what each tool would hold if it had happened there."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sandbox.world import airtable, jira, mail, mess, salesforce, words
from sandbox.world.identifiers import Mint
from sandbox.world.links import Links, as_known, links_of
from sandbox.world.people import Company, Person
from sandbox.world.story import Act, Story, Tool

Document = tuple[str, str, str, str, dict[str, Any]]  # space, kind, id, stamp, doc
_SITE_STATUSES = {source: jira.statuses(tuple(site.statuses.values())) for source, site in jira.SITES.items()}
JIRA_STATUSES = _SITE_STATUSES["acme_jira"]
_FROM_ALIAS = 0.3
_RESPELT, _RESPELT_FROM = 0.3, 2  # how often a mail program shows a name in another spelling
_TYPED_FROM = 3  # from this degree of untidiness on days and amounts are typed as text, and currencies differ


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where stories are projected to. ``copies_from`` is the number above all items, from which copies count on."""

    mint: Mint
    company: Company
    companies: Mapping[str, Company]  # Salesforce org -> the same people with their accounts there
    copies_from: int


def stage(mint: Mint, company: Company, items: int = 0) -> Stage:
    """Give the stage of a world of that many items."""
    orgs = {source: company.in_org(mint.of(org.key)) for source, org in salesforce.ORGS.items() if org.key}
    return Stage(mint=mint, company=company, companies=orgs, copies_from=items)


def records_of(mint: Mint, story: Story) -> list[list[str]]:
    """Name the item's records as [source, native id], in the order of the tools."""
    records = links_of(mint, story).records
    return [[story.sources[tool], records[tool]] for tool in story.tools]


def copies_of(at: Stage, story: Story) -> list[list[str]]:
    """Name the records of an item that somebody entered a second time."""
    if not story.untidy.copies:
        return []
    again = _again(at, story)
    found = records_of(at.mint, again)
    return [record for record, tool in zip(found, story.tools, strict=True) if tool in story.untidy.copies]


def project(mint: Mint, company: Company, story: Story) -> Iterator[Document]:
    """Give every native document of a story, tool by tool."""
    yield from perform(stage(mint, company), story)


def perform(at: Stage, story: Story) -> Iterator[Document]:
    """Give every native document of a story, tool by tool, then those of records entered twice."""
    yield from _performed(at, story, story.tools)
    if story.untidy.copies:
        yield from _performed(at, _again(at, story), story.untidy.copies)


def _performed(at: Stage, story: Story, tools: tuple[Tool, ...]) -> Iterator[Document]:
    links = links_of(at.mint, story)
    timed: dict[Tool, list[tuple[datetime, Act]]] = {tool: [] for tool in story.tools}
    for act in story.acts:
        for where, late in act.told:
            timed[where].append((act.at + timedelta(seconds=late) if late else act.at, act))
    for tool in tools:
        space = story.sources[tool]
        hand = _HANDS[tool](at, story, links)
        for when, act in sorted(timed[tool], key=_moment):
            hand.write(act, when)
        for kind, id_, stamp, doc in hand.documents():
            yield space, kind, id_, stamp, doc


def _moment(timed: tuple[datetime, Act]) -> datetime:
    return timed[0]


def _again(at: Stage, story: Story) -> Story:
    """Give the story under the number of its copy; the copy knows nothing of the other records."""
    return replace(story, number=at.copies_from + story.number, linked=False)


class _Base:
    """What all four hands share: the people and the story."""

    tool: Tool

    def __init__(self, at: Stage, story: Story, links: Links) -> None:
        self.mint = at.mint
        self.source = story.sources[self.tool]
        self.company = at.companies.get(self.source, at.company)
        self.people = self.company.people
        self.story = story
        self.links = as_known(links, story, self.tool)

    def owners(self, value: str) -> list[Person]:
        return [self.people[key] for key in value.split(",") if key]


class _Salesforce(_Base):
    tool = "salesforce"
    record: salesforce.Record

    def write(self, act: Act, at: datetime) -> None:
        by = self.people[act.actor]
        if act.kind == "created":
            self._create(dict(act.changes), at, by)
        elif act.kind == "update":
            self.record.comment(at, by, act.text)
        elif act.kind == "asked":
            self.record.ask(at, by, self.people[act.text])
        elif act.kind == "answered":
            self.record.answer(at, by, act.text)
        elif act.kind == "imported":
            self._import(at, by, dict(act.changes)["due"])
        else:
            changes = dict(act.changes)
            if "owner" in changes:
                owners = self.owners(changes["owner"])
                self.record.own(at, by, owners[0] if owners else None)
            values = self._values(changes)
            if values:
                self.record.change(at, by, values)

    def documents(self) -> Iterator[salesforce.Document]:
        return self.record.documents()

    def _import(self, at: datetime, by: Person, due: str) -> None:
        self.record.load(at, by, {"Due__c" if self.story.sobject == "Case" else "CloseDate": due})

    def _values(self, changes: dict[str, str]) -> dict[str, str]:
        sobject = self.story.sobject
        values = {}
        if "status" in changes:
            native = salesforce.ORGS[self.source].statuses[sobject]
            values[salesforce.STATUS_FIELD[sobject]] = native[changes["status"]]
        if "phase" in changes:
            values["Phase__c"] = changes["phase"]
        return values

    def _create(self, changes: dict[str, str], at: datetime, by: Person) -> None:
        story, links = self.story, self.links
        owners = self.owners(changes["owner"])
        # Every second linked issue names the Salesforce record; then the record need not name the issue.
        key = links.jira_key if story.number % 3 or story.untidy.stray == "salesforce" else None
        about = {
            "Description": f"Requested by the client. Plan: {links.airtable_url}" if links.airtable_url else None,
            "Jira_Key__c": key,
            "External_Ref__c": story.reference or None,
            **self._values(changes),
        }
        own: dict[str, Any]
        if story.sobject == "Case":
            own = {
                "CaseNumber": f"{300_000 + story.number:08d}",
                "Subject": story.titles["salesforce"],
                "Due__c": story.due.isoformat(),
                "Activity__c": None,
            }
        else:
            own = {
                "Name": story.titles["salesforce"],
                "CloseDate": story.due.isoformat(),
                "Amount": story.amount,
            }
            if story.untidy.level >= _TYPED_FROM:
                own["CurrencyIsoCode"] = salesforce.CURRENCIES[story.number % len(salesforce.CURRENCIES)]
        self.record = salesforce.Record(
            self.mint.of(salesforce.ORGS[self.source].key),
            self.company,
            story.sobject,
            story.number,
            at=at,
            by=by,
            owner=owners[0] if owners else None,
            values=own | about,
        )


class _Jira(_Base):
    tool = "jira"
    issue: jira.Issue

    def write(self, act: Act, at: datetime) -> None:
        by = self.people[act.actor]
        changes = dict(act.changes)
        owners = self.owners(changes.get("owner", ""))
        owner = owners[0] if owners else None
        site, statuses = jira.SITES[self.source], _SITE_STATUSES[self.source]
        status = statuses[site.statuses[changes["status"]]] if "status" in changes else None
        if act.kind == "created":
            story, links = self.story, self.links
            self.issue = jira.Issue(
                story.number,
                site=site,
                at=at,
                by=by,
                owner=owner,
                title=story.titles["jira"],
                description=f"Sales record: {links.salesforce_url}" if links.salesforce_url else "See the brief.",
                status=status or statuses[site.statuses["todo"]],
                due=story.due,
                phase=changes["phase"],
                reference=story.reference or None,
            )
        elif act.kind == "update":
            self.issue.comment(at, by, act.text)
        elif act.kind == "asked":
            self.issue.edit(at, by, approval="Pending", approver=self.people[act.text])
        elif act.kind == "answered":
            self.issue.edit(at, by, approval=act.text.capitalize())
        else:
            self.issue.edit(
                at,
                by,
                owner=owner if "owner" in changes else "",
                status=status,
                phase=changes.get("phase"),
                due=changes.get("due"),
            )

    def documents(self) -> Iterator[jira.Document]:
        return self.issue.documents()


class _Airtable(_Base):
    tool = "airtable"
    row: airtable.Row

    def write(self, act: Act, at: datetime) -> None:
        changes = dict(act.changes)
        owners = self.owners(changes["owner"]) if "owner" in changes else None
        status = airtable.STATUSES[changes["status"]] if "status" in changes else None
        if act.kind == "created":
            story, links = self.story, self.links
            self.row = airtable.Row(
                self.mint,
                story.number,
                at=at,
                owners=owners or (),
                title=story.titles["airtable"],
                status=status or airtable.STATUSES["todo"],
                phase=changes["phase"],
                due=story.due,
                jira_key=links.jira_key,
                salesforce_url=links.salesforce_url,
                reference=story.reference or None,
                **self._typed(),
            )
        elif act.kind == "update":
            self.row.update(at, self.people[act.actor], act.text)
        elif act.kind == "asked":
            self.row.edit(at, approval="Pending", approver=self.people[act.text])
        elif act.kind == "answered":
            self.row.edit(at, approval=act.text.capitalize())
        else:
            self.row.edit(at, owners=owners, status=status, phase=changes.get("phase"), due=changes.get("due"))

    def _typed(self) -> dict[str, str]:
        if self.story.untidy.level < _TYPED_FROM:
            return {}
        rng = random.Random(self.story.number)
        return {"promised": mess.day(self.story.due, rng), "budget": mess.money(self.story.amount, rng)}

    def documents(self) -> Iterator[airtable.Document]:
        return self.row.documents()


class _Mail(_Base):
    tool = "mail"
    thread: mail.Thread
    turn = 0

    def write(self, act: Act, at: datetime) -> None:
        by = self._guise(self.people[act.actor])
        quoting = self.story.untidy.quoting
        self.turn += 1
        if act.kind == "created":
            key = self.links.jira_key
            title = self.story.titles["mail"]
            self.thread = mail.Thread(self.mint, self.story.number, subject=f"[{key}] {title}" if key else title)
            where = self.links.salesforce_url or self.links.airtable_url
            lines = ["Hello everybody,", "", "we start on this one now; the brief is attached to the record."]
            self.thread.say(at, by, [*lines, *([where] if where and not key else []), "", *self._state(act)])
        elif act.kind == "update":
            self.thread.say(at, by, [act.text], signed=False, quoting=quoting)
        elif act.kind == "asked":
            approver = self.people[act.text]
            self.thread.say(at, by, [f"Approval requested from {approver.name} <{approver.email}>"])
        elif act.kind == "answered":
            self.thread.say(at, by, [act.text], quoting=True)
        else:
            handing = any(name == "owner" for name, _ in act.changes)
            if self.story.untidy.level:
                for person in self.owners(dict(act.changes).get("owner", "")):
                    self.thread.copy_to(person)
            lines = [words.cover_note(self.turn, handing=handing), "", *self._state(act)]
            self.thread.say(at, by, lines, quoting=quoting)

    def documents(self) -> Iterator[mail.Document]:
        return self.thread.documents()

    def _guise(self, person: Person) -> Person:
        """Give somebody as she writes in this thread: from which address, under which spelling of her name."""
        level = self.story.untidy.level
        if level == 0 or person.kind != "person":
            return person
        rng = random.Random(f"{self.story.number}/{person.key}")
        if person.aliases and rng.random() < _FROM_ALIAS:
            person = replace(person, email=rng.choice(person.aliases))
        if level >= _RESPELT_FROM and rng.random() < _RESPELT:
            person = replace(person, name=mess.name(person.name, rng))
        return person

    def _state(self, act: Act) -> list[str]:
        changes = dict(act.changes)
        lines = [mail.owner_line(person) for person in self.owners(changes.get("owner", ""))]
        if "phase" in changes:
            lines.append(f"Phase: {changes['phase']}")
        if "status" in changes:
            lines.append(f"Status: {mail.STATUSES[changes['status']]}")
        return lines


_HANDS: dict[Tool, type[_Salesforce | _Jira | _Airtable | _Mail]] = {
    "salesforce": _Salesforce,
    "jira": _Jira,
    "airtable": _Airtable,
    "mail": _Mail,
}
