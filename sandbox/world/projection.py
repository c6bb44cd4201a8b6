"""Turns a story into what each tool would hold if it had happened there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.world import airtable, jira, mail, salesforce, words
from sandbox.world.identifiers import Mint, jira_id, jira_key
from sandbox.world.people import Company, Person
from sandbox.world.story import SOURCE_OF, Act, Story, Tool

Document = tuple[str, str, str, str, dict[str, Any]]  # space, kind, id, stamp, doc
JIRA_STATUSES = jira.statuses(tuple(jira.STATUSES.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """The native ids of one item's records and the addresses people paste."""

    records: dict[Tool, str]
    salesforce_url: str | None
    jira_key: str | None
    airtable_url: str | None


def records_of(mint: Mint, story: Story) -> list[list[str]]:
    """Name the item's records as [source, native id], in the order of the tools."""
    records = _links(mint, story).records
    return [[SOURCE_OF[tool], records[tool]] for tool in story.tools]


def project(mint: Mint, company: Company, story: Story) -> Iterator[Document]:
    """Give every native document of a story, tool by tool."""
    links = _links(mint, story)
    for tool in story.tools:
        hand = _HANDS[tool](mint, company, story, links)
        acts = sorted(
            (
                (act.at + timedelta(seconds=late), act)
                for act in story.acts
                for where, late in act.told
                if where == tool
            ),
            key=lambda timed: timed[0],
        )
        for at, act in acts:
            hand.write(act, at)
        space = SOURCE_OF[tool]
        for kind, id_, stamp, doc in hand.documents():
            yield space, kind, id_, stamp, doc


def _links(mint: Mint, story: Story) -> Links:
    records: dict[Tool, str] = {}
    for tool in story.tools:
        if tool == "salesforce":
            records[tool] = salesforce.record_id(mint, story.sobject, story.number)
        elif tool == "jira":
            records[tool] = jira_id(story.number)
        elif tool == "airtable":
            records[tool] = airtable.record_id(mint, story.number)
        else:
            records[tool] = mint.message(story.number, 0)
    known = records if story.linked else {}
    return Links(
        records=records,
        salesforce_url=salesforce.link(known["salesforce"], story.sobject) if "salesforce" in known else None,
        jira_key=jira_key(story.number) if "jira" in known else None,
        airtable_url=airtable.link(known["airtable"]) if "airtable" in known else None,
    )


class _Base:
    """What all four hands share: the people and the story."""

    def __init__(self, mint: Mint, company: Company, story: Story, links: Links) -> None:
        self.mint = mint
        self.company = company
        self.people = company.people
        self.story = story
        self.links = links

    def owners(self, value: str) -> list[Person]:
        return [self.people[key] for key in value.split(",") if key]


class _Salesforce(_Base):
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

    def _values(self, changes: dict[str, str]) -> dict[str, str]:
        sobject = self.story.sobject
        values = {}
        if "status" in changes:
            values[salesforce.STATUS_FIELD[sobject]] = salesforce.STATUSES[sobject][changes["status"]]
        if "phase" in changes:
            values["Phase__c"] = changes["phase"]
        return values

    def _create(self, changes: dict[str, str], at: datetime, by: Person) -> None:
        story, links = self.story, self.links
        owners = self.owners(changes["owner"])
        # Every second linked issue names the Salesforce record; then the record need not name the issue.
        key = links.jira_key if story.number % 3 else None
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
        self.record = salesforce.Record(
            self.mint,
            self.company,
            story.sobject,
            story.number,
            at=at,
            by=by,
            owner=owners[0] if owners else None,
            values=own | about,
        )


class _Jira(_Base):
    issue: jira.Issue

    def write(self, act: Act, at: datetime) -> None:
        by = self.people[act.actor]
        changes = dict(act.changes)
        owners = self.owners(changes.get("owner", ""))
        owner = owners[0] if owners else None
        status = JIRA_STATUSES[jira.STATUSES[changes["status"]]] if "status" in changes else None
        if act.kind == "created":
            story, links = self.story, self.links
            self.issue = jira.Issue(
                story.number,
                at=at,
                by=by,
                owner=owner,
                title=story.titles["jira"],
                description=f"Sales record: {links.salesforce_url}" if links.salesforce_url else "See the brief.",
                status=status or JIRA_STATUSES["To Do"],
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
                at, by, owner=owner if "owner" in changes else "", status=status, phase=changes.get("phase")
            )

    def documents(self) -> Iterator[jira.Document]:
        return self.issue.documents()


class _Airtable(_Base):
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
            )
        elif act.kind == "update":
            self.row.update(at, self.people[act.actor], act.text)
        elif act.kind == "asked":
            self.row.edit(at, approval="Pending", approver=self.people[act.text])
        elif act.kind == "answered":
            self.row.edit(at, approval=act.text.capitalize())
        else:
            self.row.edit(at, owners=owners, status=status, phase=changes.get("phase"))

    def documents(self) -> Iterator[airtable.Document]:
        return self.row.documents()


class _Mail(_Base):
    thread: mail.Thread
    turn = 0

    def write(self, act: Act, at: datetime) -> None:
        by = self.people[act.actor]
        self.turn += 1
        if act.kind == "created":
            key = self.links.jira_key
            title = self.story.titles["mail"]
            self.thread = mail.Thread(self.mint, self.story.number, subject=f"[{key}] {title}" if key else title)
            where = self.links.salesforce_url or self.links.airtable_url
            lines = ["Hello everybody,", "", "we start on this one now; the brief is attached to the record."]
            self.thread.say(at, by, [*lines, *([where] if where and not key else []), "", *self._state(act)])
        elif act.kind == "update":
            self.thread.say(at, by, [act.text], signed=False)
        elif act.kind == "asked":
            approver = self.people[act.text]
            self.thread.say(at, by, [f"Approval requested from {approver.name} <{approver.email}>"])
        elif act.kind == "answered":
            self.thread.say(at, by, [act.text], quoting=True)
        else:
            handing = any(name == "owner" for name, _ in act.changes)
            self.thread.say(at, by, [words.cover_note(self.turn, handing=handing), "", *self._state(act)])

    def documents(self) -> Iterator[mail.Document]:
        return self.thread.documents()

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
