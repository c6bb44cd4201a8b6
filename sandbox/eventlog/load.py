"""Deals the groups of a log over the tools and writes each case as those tools would have recorded it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sandbox import configuration
from sandbox.eventlog import shelf
from sandbox.eventlog.cases import Case, Scene
from sandbox.eventlog.column_map import ColumnMap, UnusableLog, read_map
from sandbox.eventlog.fields import Attributes, with_phases
from sandbox.eventlog.reading import Event, LeftOut, UnusableRow, read_log
from sandbox.eventlog.unusable import Unusable
from sandbox.store import Store, row_of
from sandbox.world import calendar, jira
from sandbox.world.generate import furniture
from sandbox.world.identifiers import Mint
from sandbox.world.people import HUB_ACCOUNT, Company, Person
from sandbox.world.projection import Document
from sandbox.world.story import TOOLS, Tool

_DOMAIN = "log.example"
_BATCH = 1_000  # documents that go to the store at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What became of a log: every row of it is an event, unusable, or left out as the map says.

    ``unusable`` are the first of ``unusable_total`` rows; ``left_out`` counts rows by what their lifecycle is.
    """

    configured: configuration.Configured
    rows: int
    events: int
    cases: int
    actors: int
    documents: int
    tools: dict[str, Tool]  # group -> the tool it works in
    unusable: tuple[UnusableRow, ...]
    unusable_total: int
    reasons: dict[str, int]
    left_out: dict[str, int]


def load_log(store: Store, mint: Mint, log: Path, column_map: Path, directory: Path | None = None) -> Loaded:
    """Build a world out of an event log; every usable row leaves a trace by its actor at its time.

    The groups (default: the actors) are dealt over the four tools, balanced by number of events, unless the map
    deals them. A case has one record in each tool whose groups took part in it: a Salesforce Case or Jira issue
    owned by the actor of its last event there, with a history row for every event; an Airtable item with an update
    row for every event; a mail thread with a message for every event. All carry the case id. Salesforce and mail
    keep whole seconds, Jira and Airtable milliseconds.

    The order of events within a case is by time, then by line. All unusable rows go to ``unusable_rows.csv`` in the
    directory. Memory does not grow with the log, but with its actors, activities and its longest case. Raises
    UnusableLog.
    """
    columns = read_map(column_map)
    census, unusable = _Census(), Unusable(directory)
    with shelf.opened() as events:
        with unusable.open():
            events.keep(census.counted(read_log(log, columns), unusable))
        if not census.events:
            why = ", ".join(f"{kind}: {number}" for kind, number in unusable.reasons.most_common()) or "there are none"
            raise UnusableLog(f"{log.name}: none of its {census.rows} rows can be used ({why})")
        people = hire(mint, sorted(census.actors))
        tools = deal(census.groups, columns.deal)
        names = sorted({columns.status.get(activity, activity) for activity in census.activities})
        scene = Scene(
            mint=mint,
            company=Company(people=people, teams={}, queue=mint.salesforce("00G", 1)),
            columns=columns,
            people={person.name: person for person in people.values() if person.kind != "hub"},
            statuses=jira.statuses(names),
            tools=tools,
        )
        writing = _Writing(scene, names)
        documents = writing.into(store, events)
    closed = {columns.status.get(name, name): "done" for name in columns.closed}
    return Loaded(
        documents=documents,
        configured=configuration.log_charter(mint, scene.company, statuses=closed),
        rows=census.rows,
        events=census.events,
        cases=writing.cases,
        actors=len(census.actors),
        tools=tools,
        unusable=tuple(unusable.first),
        unusable_total=unusable.total,
        reasons=dict(unusable.reasons.most_common()),
        left_out=dict(census.left_out.most_common()),
    )


class _Census:
    """Counts what passes."""

    def __init__(self) -> None:
        self.rows = self.events = 0
        self.actors: set[str] = set()
        self.activities: set[str] = set()
        self.groups: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()

    def counted(self, rows: Iterable[Event | UnusableRow | LeftOut], unusable: Unusable) -> Iterator[Event]:
        for row in rows:
            self.rows += 1
            if isinstance(row, Event):
                self.events += 1
                self.actors.add(row.actor)
                self.activities.add(row.activity)
                self.groups[row.group] += 1
                yield row
            elif isinstance(row, LeftOut):
                self.left_out[row.lifecycle] += 1
            else:
                unusable.add(row)


class _Writing:
    """Writes a company into a store, case by case."""

    def __init__(self, scene: Scene, statuses: list[str]) -> None:
        self._scene = scene
        self._statuses = statuses
        self._attributes = Attributes(list(scene.columns.fields))
        self.cases = 0

    def into(self, store: Store, events: shelf.Shelf) -> int:
        """Write everything; gives the number of documents."""
        documents, total = self._documents(events), 0
        with store.loading() as load:
            while batch := [row_of(*document) for document in islice(documents, _BATCH)]:
                total += len(batch)
                load(batch)
        return total

    def _documents(self, events: shelf.Shelf) -> Iterator[Document]:
        first = events.first()
        if first is None:
            return
        scene, opened = self._scene, calendar.whole(first) - timedelta(days=1)
        rooms = furniture(scene.mint, scene.company, opened, statuses=self._statuses)
        phases = list(dict.fromkeys(scene.columns.phase.values()))
        yield from self._attributes.furnished(with_phases(rooms, phases))
        for number, (_, told) in enumerate(events.cases()):
            self.cases += 1
            case = Case(scene, number, told)
            yield from self._attributes.filled(case.documents(), case.fields)


def deal(groups: Counter[str], fixed: Mapping[str, Tool] | None = None) -> dict[str, Tool]:
    """Give every group a tool: those that are fixed, then the largest first, each to the tool with fewest events."""
    load = dict.fromkeys(TOOLS, 0)
    dealt: dict[str, Tool] = {}
    for group, tool in (fixed or {}).items():
        if group in groups:
            dealt[group] = tool
            load[tool] += groups[group]
    for group, events in sorted(groups.items(), key=lambda counted: (-counted[1], counted[0])):
        if group not in dealt:
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

    turns: Counter[str] = Counter()
    for number, name in enumerate(names, start=1000):
        stem = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "actor"
        key = stem
        while key in people or key == "hub":
            turns[stem] += 1
            key = f"{stem}_{turns[stem] + 1}"
        account(key, name, f"{key}@{_DOMAIN}", "person", number)
    account("hub", "Handoff Hub", HUB_ACCOUNT, "hub", 91)
    return people


def report(loaded: Loaded) -> dict[str, Any]:
    """Give what became of the log as plain data, the first unusable rows by line and reason."""
    return {
        "rows": loaded.rows,
        "events": loaded.events,
        "cases": loaded.cases,
        "actors": loaded.actors,
        "documents": loaded.documents,
        "groups": dict(sorted(loaded.tools.items())),
        "unusable_total": loaded.unusable_total,
        "unusable_by_reason": loaded.reasons,
        "left_out_by_lifecycle": loaded.left_out,
        "unusable": [
            {"line": row.line, "column": row.column, "value": row.value, "reason": row.reason}
            for row in loaded.unusable
        ],
    }


__all__ = ["ColumnMap", "Loaded", "deal", "hire", "load_log", "report"]
