"""A quick world for measurements: exactly so many records in each HTTP tool, with one plain story each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sandbox.world import airtable, jira, mail, salesforce, words
from sandbox.world.calendar import whole
from sandbox.world.identifiers import jira_id, jira_key
from sandbox.world.people import PHASES, Company, Person
from sandbox.world.projection import JIRA_STATUSES, Document, Stage
from sandbox.world.story import SOURCE_OF

MAX_THREADS = 3000  # the IMAP server keeps its mails in memory
_STATUSES = ("todo", "doing", "blocked", "done")
_SEASONS = ("spring", "summer", "autumn", "winter")
_HANDED_AFTER = timedelta(hours=20)


def records(at: Stage, number: int) -> list[list[str]]:
    """Name the records of an item as [source, native id]."""
    found = [
        [SOURCE_OF["salesforce"], salesforce.record_id(at.mint, "Case", number)],
        [SOURCE_OF["jira"], jira_id(number)],
        [SOURCE_OF["airtable"], airtable.record_id(at.mint, number)],
    ]
    return found + ([[SOURCE_OF["mail"], at.mint.message(number, 0)]] if number < MAX_THREADS else [])


def perform(at: Stage, number: int, *, of: int, now: datetime, months: int) -> Iterator[Document]:
    """Give the documents of one item of so many: opened, and handed over once; the last one just before ``now``.

    The n-th record of a tool changes after the one before it, so that a walk by time meets them in order.
    """
    people = _working(at.company)
    opened = whole(now - timedelta(days=30 * months) * ((of - number) / of) - 2 * _HANDED_AFTER)
    handed = opened + _HANDED_AFTER
    giver, taker = people[number % len(people)], people[(number * 7 + 3) % len(people)]
    title = f"{words.brand(number)}: {_SEASONS[number % len(_SEASONS)]} campaign"
    status, phase, key = _STATUSES[number % len(_STATUSES)], PHASES[number % len(PHASES)], jira_key(number)
    due = (now + timedelta(days=number % 60)).date()

    case = salesforce.Record(
        at.mint,
        at.company,
        "Case",
        number,
        at=opened,
        by=giver,
        owner=giver,
        values={
            "CaseNumber": f"{300_000 + number:08d}",
            "Subject": title,
            "Description": None,
            "Status": salesforce.STATUSES["Case"][status],
            "Phase__c": phase,
            "Due__c": due.isoformat(),
            "Jira_Key__c": key,
            "External_Ref__c": None,
            "Activity__c": None,
        },
    )
    case.own(handed, giver, taker)
    issue = jira.Issue(
        number,
        at=opened,
        by=giver,
        owner=giver,
        title=title,
        description="See the brief.",
        status=JIRA_STATUSES[jira.STATUSES[status]],
        due=due,
        phase=phase,
    )
    issue.edit(handed, giver, owner=taker)
    row = airtable.Row(
        at.mint,
        number,
        at=opened,
        owners=[giver],
        title=title,
        status=airtable.STATUSES[status],
        phase=phase,
        due=due,
        jira_key=key,
    )
    row.edit(handed, owners=[taker])
    for tool, held in (("salesforce", case), ("jira", issue), ("airtable", row)):
        for document in held.documents():
            yield (SOURCE_OF[tool], *document)
    if number < MAX_THREADS:
        thread = mail.Thread(at.mint, number, subject=f"[{key}] {title}")
        thread.say(handed, giver, ["Yours from now on.", "", mail.owner_line(taker)])
        for document in thread.documents():
            yield (SOURCE_OF["mail"], *document)


def _working(company: Company) -> tuple[Person, ...]:
    return tuple(person for person in company.charted() if person.left is None)
