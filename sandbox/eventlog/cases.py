"""One case of a log as the tools would have recorded it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sandbox.eventlog.column_map import ColumnMap
from sandbox.eventlog.reading import Event
from sandbox.world import airtable, calendar, jira, mail, salesforce, words
from sandbox.world.identifiers import Mint
from sandbox.world.people import Company, Person
from sandbox.world.projection import Document
from sandbox.world.story import SOURCE_OF, TOOLS, Tool

_NUMBERED_FROM = 300_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What all cases of a log share."""

    mint: Mint
    company: Company
    columns: ColumnMap
    people: Mapping[str, Person]  # by the actor's name
    statuses: Mapping[str, dict[str, Any]]  # Jira's, by name
    tools: Mapping[str, Tool]  # by group

    def status(self, event: Event) -> str:
        """What an activity makes of the status."""
        return self.columns.status.get(event.activity, event.activity)

    def phase(self, event: Event) -> str | None:
        """The phase an activity belongs to, None where the map does not say."""
        return self.columns.phase.get(event.activity)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """An event in its place within the case, and who did it."""

    place: int
    event: Event
    by: Person

    @property
    def activity(self) -> str:
        return f"{self.place}. {self.event.activity}"


class Case:
    """One case on its way into the tools."""

    def __init__(self, scene: Scene, number: int, events: Sequence[Event]) -> None:
        """Take its events, by time, then by line."""
        self._scene = scene
        self._number = number
        first = events[0]
        self._case = first.case
        # Cases often have no title but a running number, and titles that differ in one digit look like one
        # title: each case gets a client of its own.
        self._title = next((e.title for e in events if e.title), "") or f"{words.brand(number)}: {first.case}"
        extra = zip(scene.columns.extra, first.extra, strict=True)
        self._about = "\n".join(f"{label}: {value}" for label, value in extra if value) or None
        due = next((e.due for e in reversed(events) if e.due), "")
        self._due = date.fromisoformat(due) if due else None
        self.fields = [
            next((one for one in values if one), "") for values in zip(*(e.fields for e in events), strict=True)
        ]
        self._told = [
            _Told(place=place, event=event, by=scene.people[event.actor]) for place, event in enumerate(events, start=1)
        ]

    def documents(self) -> Iterator[Document]:
        """Give the records of the case in every tool whose groups took part in it."""
        for tool in TOOLS:
            told = [one for one in self._told if self._scene.tools[one.event.group] == tool]
            if told:
                for kind, id_, stamp, doc in _WRITERS[tool](self, told):
                    yield SOURCE_OF[tool], kind, id_, stamp, doc

    def salesforce(self, told: Sequence[_Told]) -> Iterator[salesforce.Document]:
        """Give the Case with a history row for every event."""
        record: salesforce.Record | None = None
        for one in told:
            at = calendar.whole(one.event.at)
            values = {"Status": self._scene.status(one.event), "Activity__c": one.activity}
            if phase := self._scene.phase(one.event):
                values["Phase__c"] = phase
            if record is None:
                about = {
                    "CaseNumber": f"{_NUMBERED_FROM + self._number:08d}",
                    "Subject": self._title,
                    "Description": self._about,
                    "Phase__c": None,
                    "Due__c": self._due.isoformat() if self._due else None,
                    "Jira_Key__c": None,
                    "External_Ref__c": self._case,
                }
                record = salesforce.Record(
                    self._scene.mint,
                    self._scene.company,
                    "Case",
                    self._number,
                    at=at,
                    by=one.by,
                    owner=one.by,
                    values=about | values,
                )
            else:
                record.own(at, one.by, one.by)
                record.change(at, one.by, values)
        if record is not None:
            yield from record.documents()

    def jira(self, told: Sequence[_Told]) -> Iterator[jira.Document]:
        """Give the issue with a changelog entry for every event."""
        issue: jira.Issue | None = None
        for one in told:
            at, phase = calendar.thousandth(one.event.at), self._scene.phase(one.event)
            status = self._scene.statuses[self._scene.status(one.event)]
            if issue is None:
                issue = jira.Issue(
                    self._number,
                    at=at,
                    by=one.by,
                    owner=one.by,
                    title=self._title,
                    description=self._about or "",
                    status=status,
                    due=self._due,
                    phase=phase,
                    reference=self._case,
                    activity=one.activity,
                )
            else:
                issue.edit(at, one.by, owner=one.by, status=status, phase=phase, activity=one.activity)
        if issue is not None:
            yield from issue.documents()

    def airtable(self, told: Sequence[_Told]) -> Iterator[airtable.Document]:
        """Give the item with an update for every event."""
        row: airtable.Row | None = None
        for one in told:
            at, phase, status = (
                calendar.thousandth(one.event.at),
                self._scene.phase(one.event),
                self._scene.status(one.event),
            )
            if row is None:
                row = airtable.Row(
                    self._scene.mint,
                    self._number,
                    at=at,
                    owners=[one.by],
                    title=self._title,
                    status=status,
                    phase=phase,
                    due=self._due,
                    reference=self._case,
                )
            else:
                row.edit(at, status=status, phase=phase, owners=[one.by])
            row.update(at, one.by, one.activity)
        if row is not None:
            yield from row.documents()

    def mail(self, told: Sequence[_Told]) -> Iterator[mail.Document]:
        """Give the thread with a message for every event."""
        thread = mail.Thread(self._scene.mint, self._number, subject=f"[{self._case}] {self._title}")
        for one in told:
            text = [one.activity, f"Status: {self._scene.status(one.event)}"]
            if phase := self._scene.phase(one.event):
                text.append(f"Phase: {phase}")
            thread.say(calendar.whole(one.event.at), one.by, text, signed=False)
        yield from thread.documents()


_Writer = Callable[[Case, Sequence[_Told]], Iterator[tuple[str, str, str, dict[str, Any]]]]
_WRITERS: Mapping[Tool, _Writer] = {
    "salesforce": Case.salesforce,
    "jira": Case.jira,
    "airtable": Case.airtable,
    "mail": Case.mail,
}
