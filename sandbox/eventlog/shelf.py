"""Keeps the events of a log on disk, so that they can be gone through case by case whatever their number."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson

from sandbox.eventlog.reading import Event

_SCHEMA = "CREATE TABLE event (case_ TEXT, at INTEGER, line INTEGER, rest BLOB)"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)


class Shelf:
    """The events of one log."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Use an empty database."""
        self._db = db
        self._db.execute("PRAGMA journal_mode=OFF")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute(_SCHEMA)

    def keep(self, events: Iterable[Event]) -> None:
        """Take events as they come."""
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO event VALUES (?, ?, ?, ?)", map(_row, events))
        self._db.execute("COMMIT")

    def cases(self) -> Iterator[tuple[str, list[Event]]]:
        """Give every case by name, its events by time, then by line."""
        rows = self._db.execute("SELECT case_, at, line, rest FROM event ORDER BY case_, at, line")
        for case, told in groupby(rows, key=lambda row: str(row[0])):
            yield case, [_event(row) for row in told]

    def first(self) -> datetime | None:
        """When the earliest event was, None when there is none."""
        (micros,) = self._db.execute("SELECT min(at) FROM event").fetchone()
        return None if micros is None else _EPOCH + timedelta(microseconds=micros)


@contextmanager
def opened() -> Iterator[Shelf]:
    """Give a shelf that is thrown away at the end."""
    with tempfile.TemporaryDirectory(prefix="eventlog-") as directory:
        db = sqlite3.connect(Path(directory) / "events.sqlite", isolation_level=None)
        try:
            yield Shelf(db)
        finally:
            db.close()


def _row(event: Event) -> tuple[Any, ...]:
    rest = (event.actor, event.activity, event.group, event.title, event.due, event.extra, event.fields)
    return event.case, (event.at - _EPOCH) // _MICRO, event.line, orjson.dumps(rest)


def _event(row: tuple[Any, ...]) -> Event:
    case, micros, line, rest = row
    actor, activity, group, title, due, extra, fields = orjson.loads(rest)
    return Event(
        line=line,
        case=case,
        at=_EPOCH + timedelta(microseconds=micros),
        actor=actor,
        activity=activity,
        group=group,
        title=title,
        due=due,
        extra=tuple(extra),
        fields=tuple(fields),
    )
