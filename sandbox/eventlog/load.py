"""Deals the groups of a log over the tools and writes each case as those tools would have recorded it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sandbox import configuration
from sandbox.eventlog.reading import ColumnMap, Event, UnusableRow, read_log, read_map
from sandbox.store import Store
from sandbox.world import airtable, calendar, jira, mail, salesforce, words
from sandbox.world.generate import furniture, write
from sandbox.world.identifiers import Mint
from sandbox.world.people import HUB_ACCOUNT, Company, Person
from sandbox.world.projection import Document
from sandbox.world.story import SOURCE_OF, TOOLS, Tool

_DOMAIN = "log.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What became of a log."""

    configured: configuration.Configured
    events: int
    cases: int
    actors: int
    documents: int
    tools: dict[str, Tool]  # group -> the tool it works in
    unusable: tuple[UnusableRow, ...]


def load_log(store: Store, mint: Mint, log: Path, column_map: Path) -> Loaded:
    """Build a world out of an event log; every usable row leaves a trace by its actor at its time.

    The groups (default: the actors) are dealt over the four tools, balanced by number of events. A case has
    one record in each tool whose groups took part in it: a Salesforce Case or Jira issue owned by the actor
    of its last event there, with a history row for every event; an Airtable item with an update row for
    every event; a mail thread with a message for every event. All carry the case id. Salesforce and mail
    keep whole seconds, Jira and Airtable milliseconds.

    The order of events within a case is by time, then by line. Raises UnusableLog.
    """
    columns = read_map(column_map)
    events: list[Event] = []
    unusable: list[UnusableRow] = []
    for row in read_log(log, columns):
        if isinstance(row, Event):
            events.append(row)
        else:
            unusable.append(row)
    people = hire(mint, sorted({event.actor for event in events}))
    company = Company(people=people, teams={}, queue=mint.salesforce("00G", 1))
    tools = deal(Counter(event.group for event in events))
    cases: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        cases[event.case].append(event)
    by_name = {person.name: person for person in people.values()}
    activities = sorted({event.activity for event in events})

    def documents() -> Iterator[Document]:
        if events:
            opened = calendar.whole(min(event.at for event in events)) - timedelta(days=1)
            yield from furniture(mint, company, opened, statuses=activities)
        statuses = jira.statuses(activities)
        for number, case in enumerate(sorted(cases)):
            told = sorted(cases[case], key=lambda event: (event.at, event.line))
            yield from _Case(mint, company, number, told, by_name, statuses).documents(tools)

    return Loaded(
        documents=write(store, documents()),
        configured=configuration.log_charter(mint, company, statuses=dict.fromkeys(columns.closed, "done")),
        events=len(events),
        cases=len(cases),
        actors=len(by_name) - 1,
        tools=tools,
        unusable=tuple(unusable),
    )


def deal(groups: Counter[str]) -> dict[str, Tool]:
    """Give every group a tool: the largest first, each to the tool with the fewest events so far."""
    load = dict.fromkeys(TOOLS, 0)
    dealt: dict[str, Tool] = {}
    for group, events in sorted(groups.items(), key=lambda counted: (-counted[1], counted[0])):
        tool = min(TOOLS, key=lambda name: load[name])
        dealt[group] = tool
        load[tool] += events
    return dealt


def hire(mint: Mint, names: Iterable[str]) -> dict[str, Person]:
    """Give every actor of a log accounts in all tools, and the hub its own."""
    people: dict[str, Person] = {}

    def account(key: str, name: str, email: str, kind: str, number: int) -> None:
        people[key] = Person(
            key=key,
            name=name,
            email=email,
            kind=kind,
            salesforce=mint.salesforce("005", number),
            jira=mint.jira_account(f"log/{key}"),
            airtable=mint.airtable("usr", f"log/{key}"),
            airtable_email=email,
        )

    for number, name in enumerate(names, start=1000):
        stem = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "actor"
        key, turn = stem, 1
        while key in people or key == "hub":
            turn += 1
            key = f"{stem}_{turn}"
        account(key, name, f"{key}@{_DOMAIN}", "person", number)
    account("hub", "Handoff Hub", HUB_ACCOUNT, "hub", 91)
    return people


class _Case:
    """One case of the log on its way into the tools."""

    def __init__(
        self,
        mint: Mint,
        company: Company,
        number: int,
        events: Sequence[Event],
        people: dict[str, Person],
        statuses: dict[str, dict[str, Any]],
    ) -> None:
        self._mint = mint
        self._company = company
        self._number = number
        self._people = people
        self._statuses = statuses
        first = events[0]
        self._case = first.case
        # Cases often have no title but a running number, and titles that differ in one digit look like one
        # title: each case gets a client of its own.
        self._title = next((e.title for e in events if e.title), "") or f"{words.brand(number)}: {first.case}"
        self._about = "\n".join(f"{label}: {value}" for label, value in first.extra if value) or None
        self._told = [(place, event, people[event.actor]) for place, event in enumerate(events, start=1)]

    def documents(self, tools: dict[str, Tool]) -> Iterator[Document]:
        for tool in TOOLS:
            told = [(n, event, by) for n, event, by in self._told if tools[event.group] == tool]
            if told:
                for kind, id_, stamp, doc in _WRITERS[tool](self, told):
                    yield SOURCE_OF[tool], kind, id_, stamp, doc

    def salesforce(self, told: _Told) -> Iterator[salesforce.Document]:
        record: salesforce.Record | None = None
        for n, event, by in told:
            at = calendar.whole(event.at)
            values = {"Status": event.activity, "Activity__c": f"{n}. {event.activity}"}
            if record is None:
                about = {
                    "CaseNumber": f"{300_000 + self._number:08d}",
                    "Subject": self._title,
                    "Description": self._about,
                    "Phase__c": None,
                    "Due__c": None,
                    "Jira_Key__c": None,
                    "External_Ref__c": self._case,
                }
                record = salesforce.Record(
                    self._mint, self._company, "Case", self._number, at=at, by=by, owner=by, values=about | values
                )
            else:
                record.own(at, by, by)
                record.change(at, by, values)
        if record is not None:
            yield from record.documents()

    def jira(self, told: _Told) -> Iterator[jira.Document]:
        issue: jira.Issue | None = None
        for n, event, by in told:
            at = calendar.thousandth(event.at)
            activity, status = f"{n}. {event.activity}", self._statuses[event.activity]
            if issue is None:
                issue = jira.Issue(
                    self._number,
                    at=at,
                    by=by,
                    owner=by,
                    title=self._title,
                    description=self._about or "",
                    status=status,
                    reference=self._case,
                    activity=activity,
                )
            else:
                issue.edit(at, by, owner=by, status=status, activity=activity)
        if issue is not None:
            yield from issue.documents()

    def airtable(self, told: _Told) -> Iterator[airtable.Document]:
        row: airtable.Row | None = None
        for n, event, by in told:
            at = calendar.thousandth(event.at)
            if row is None:
                row = airtable.Row(
                    self._mint,
                    self._number,
                    at=at,
                    owners=[by],
                    title=self._title,
                    status=event.activity,
                    reference=self._case,
                )
            else:
                row.edit(at, status=event.activity, owners=[by])
            row.update(at, by, f"{n}. {event.activity}")
        if row is not None:
            yield from row.documents()

    def mail(self, told: _Told) -> Iterator[mail.Document]:
        thread = mail.Thread(self._mint, self._number, subject=f"[{self._case}] {self._title}")
        for n, event, by in told:
            text = [f"{n}. {event.activity}", f"Status: {event.activity}"]
            thread.say(calendar.whole(event.at), by, text, signed=False)
        yield from thread.documents()


_Told = Sequence[tuple[int, Event, Person]]
_WRITERS = {"salesforce": _Case.salesforce, "jira": _Case.jira, "airtable": _Case.airtable, "mail": _Case.mail}


def report(loaded: Loaded) -> dict[str, Any]:
    """Give what became of the log as plain data, unusable rows by line and reason."""
    return {
        "events": loaded.events,
        "cases": loaded.cases,
        "actors": loaded.actors,
        "documents": loaded.documents,
        "groups": dict(sorted(loaded.tools.items())),
        "unusable": [{"line": row.line, "reason": row.reason} for row in loaded.unusable],
    }


__all__ = ["ColumnMap", "Loaded", "deal", "hire", "load_log", "report"]
