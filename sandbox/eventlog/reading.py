"""Reads an event log row by row; what cannot be used is reported by line, column and value."""

from __future__ import annotations

import codecs
import csv
import gzip
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

from sandbox.eventlog import times
from sandbox.eventlog.column_map import ColumnMap, UnusableLog, read_map

_BROKEN = (csv.Error, UnicodeError, EOFError, gzip.BadGzipFile)
_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SHOWN = 200
_DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One row of a log; ``at`` is UTC."""

    line: int
    case: str
    at: datetime
    actor: str
    activity: str
    group: str
    title: str
    due: str
    extra: tuple[str, ...]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusableRow:
    """A row that became no event: its last line in the file, which cell is to blame, and why.

    ``kind`` is the reason without the value, to count by.
    """

    line: int
    column: str
    value: str
    kind: str

    @property
    def reason(self) -> str:
        """Why, in words."""
        return f"{self.kind} {self.value!r}" if self.value else self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A row that the map's ``keep`` does not want: what stands in its ``lifecycle``."""

    lifecycle: str


Row = Event | UnusableRow | LeftOut


def read_log(path: Path, columns: ColumnMap) -> Iterator[Row]:
    """Yield the rows of a log (CSV, gzip allowed) in the order of the file, holding one at a time.

    Raises UnusableLog for a file that is none, that lacks a column of the map, or that breaks off.
    """
    if path.name.lower().removesuffix(".gz").endswith(".xes"):
        raise UnusableLog(f"{path.name}: XES is not read; export the log as CSV (pm4py: write_csv)")
    # A quote that is never closed makes one cell of the rest of the file: the largest cell allowed is kept small.
    csv.field_size_limit(min(sys.maxsize, 10_000_000))
    with _opened(path, columns.encoding) as file:
        rows = None
        try:
            sample = file.readline()
            file.seek(0)
            rows = csv.reader(file, delimiter=columns.delimiter or _delimiter(sample), quotechar=columns.quote)
            names = next(rows, [])
        except _BROKEN as error:
            what = f"not a CSV file in {columns.encoding or 'UTF-8'} ({error})"
            raise UnusableLog(f"{path.name}: {what}; `encoding` in the map names another") from error
        _refuse_lacking(path.name, names, columns)
        event = _Maker(names, columns)
        try:
            for cells in rows:
                if cells:
                    yield event.made(cells, rows.line_num)
        except _BROKEN as error:
            raise UnusableLog(f"{path.name}: cannot be read after line {rows.line_num} ({error})") from error


def _delimiter(header: str) -> str:
    """Give the separator that the header has most of."""
    return max(_DELIMITERS, key=header.count)


def _refuse_lacking(file: str, names: Sequence[str], columns: ColumnMap) -> None:
    lacking = sorted({name for name in columns.used if name not in names})
    if lacking:
        raise UnusableLog(f"{file}: no column {', '.join(lacking)} (there are: {', '.join(names)})")
    twice = sorted({name for name in columns.used if names.count(name) > 1})
    if twice:
        raise UnusableLog(f"{file}: more than one column {', '.join(twice)}")


class _Maker:
    """Makes events out of cells."""

    def __init__(self, names: Sequence[str], columns: ColumnMap) -> None:
        self._names = list(names)
        self._columns = columns
        self._keep = frozenset(word.lower() for word in columns.keep)
        self._read = times.reader(columns.times, ZoneInfo(columns.zone))
        self._needed = (
            ("case", columns.case, self._cell(columns.case)),
            ("actor", columns.actor, self._cell(columns.actor)),
            ("activity", columns.activity, self._cell(columns.activity)),
        )
        self._time, self._start = self._cell(columns.time), self._cell(columns.start)
        self._lifecycle, self._title = self._cell(columns.lifecycle), self._cell(columns.title)
        self._group, self._role, self._due = (self._cell(name) for name in (columns.group, columns.role, columns.due))
        self._extra = tuple(self._cell(name) for name in columns.extra.values())
        self._fields = tuple(self._cell(name) for name in columns.fields.values())

    def made(self, cells: list[str], line: int) -> Row:
        """Give the event of one row, or why there is none."""
        if len(cells) > len(self._names):
            extra = ", ".join(cells[len(self._names) :])[:_SHOWN]
            return UnusableRow(line=line, column="", value=extra, kind="more cells than columns")
        if self._columns.lifecycle and (word := self._lifecycle(cells)).lower() not in self._keep:
            return LeftOut(lifecycle=word)
        told = {name: read(cells) for name, _, read in self._needed}
        empty = [(name, column) for name, column, _ in self._needed if not told[name]]
        if empty:
            kind = f"no {' and no '.join(name for name, _ in empty)}"
            return UnusableRow(line=line, column=", ".join(column for _, column in empty), value="", kind=kind)
        at = self._instant(cells, line)
        if isinstance(at, UnusableRow):
            return at
        due = self._day(cells, line)
        if isinstance(due, UnusableRow):
            return due
        return Event(
            line=line,
            at=at,
            **told,
            group=self._group(cells) or self._role(cells) or told["actor"],
            title=self._title(cells),
            due=due,
            extra=tuple(read(cells) for read in self._extra),
            fields=tuple(read(cells) for read in self._fields),
        )

    def _instant(self, cells: list[str], line: int) -> datetime | UnusableRow:
        columns, text, start = self._columns, self._time(cells), self._start(cells)
        if not text and not start:
            return UnusableRow(line=line, column=columns.time, value="", kind="no time")
        name, began = columns.time, None
        try:
            if start:
                name = str(columns.start)
                began = self._read(start)
            if not text and began is not None:
                return began
            name = columns.time
            at = self._read(text)
        except ValueError:
            value = text if name == columns.time else start
            return UnusableRow(line=line, column=name, value=value[:_SHOWN], kind="unreadable time")
        if began is not None and at < began:
            return UnusableRow(line=line, column=columns.time, value=text, kind="ends before it starts")
        return at

    def _day(self, cells: list[str], line: int) -> str | UnusableRow:
        text = self._due(cells)
        if not text:
            return ""
        try:
            return (date.fromisoformat(text) if len(text) == len("2026-01-01") else self._read(text)).isoformat()[:10]
        except ValueError:
            return UnusableRow(line=line, column=str(self._columns.due), value=text[:_SHOWN], kind="unreadable day")

    def _cell(self, name: str | None) -> Callable[[list[str]], str]:
        if name is None:
            return lambda _: ""
        place = self._names.index(name)
        return lambda cells: cells[place].strip() if place < len(cells) else ""


@contextmanager
def _opened(path: Path, encoding: str | None) -> Iterator[IO[str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        if encoding is None:
            with opener(path, "rb") as raw:
                encoding = "utf-16" if raw.read(2) in _BOMS else "utf-8-sig"
        # The text is read row by row, long after this line; the generator closes it.
        file: IO[str] = opener(path, "rt", encoding=encoding, newline="")
    except OSError as error:
        raise UnusableLog(f"{path.name}: {error.strerror or error}") from error
    with file:
        yield file


__all__ = ["ColumnMap", "Event", "LeftOut", "Row", "UnusableLog", "UnusableRow", "read_log", "read_map"]
