"""Reads an event log and the map that says which column means what; what cannot be used is reported by line."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

_COLUMNS = ("case", "time", "actor", "activity")
_OPTIONAL = ("group", "title")


class UnusableLog(ValueError):
    """A log or map that cannot be read at all; the message names the file and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMap:
    """Which columns of a log mean what.

    ``group`` is what decides the tool (default: the actor). ``extra`` are further columns, by label, put into
    the descriptions. ``closed`` are activities after which a case counts as done.
    """

    case: str
    time: str
    actor: str
    activity: str
    group: str
    title: str | None = None
    extra: dict[str, str] = field(default_factory=dict)
    closed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One row of a log; ``at`` is UTC (a time without an offset is taken as UTC)."""

    line: int
    case: str
    at: datetime
    actor: str
    activity: str
    group: str
    title: str
    extra: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusableRow:
    """A row that became no event, and why."""

    line: int
    reason: str


def read_map(path: Path) -> ColumnMap:
    """Read the map. Raises UnusableLog for a missing or unknown key."""
    try:
        told = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise UnusableLog(f"{path.name}: not a readable map ({error})") from error
    if not isinstance(told, dict):
        raise UnusableLog(f"{path.name}: a map has keys: {', '.join(_COLUMNS)}")
    unknown = sorted(set(told) - {*_COLUMNS, *_OPTIONAL, "extra", "closed"})
    missing = [name for name in _COLUMNS if not told.get(name)]
    if unknown or missing:
        what = [f"unknown key {name}" for name in unknown] + [f"no {name}" for name in missing]
        raise UnusableLog(f"{path.name}: {', '.join(what)}")
    return ColumnMap(
        **{name: str(told[name]) for name in _COLUMNS},
        group=str(told.get("group") or told["actor"]),
        title=told.get("title"),
        extra={str(label): str(column) for label, column in (told.get("extra") or {}).items()},
        closed=tuple(str(name) for name in told.get("closed") or ()),
    )


def read_log(path: Path, columns: ColumnMap) -> Iterator[Event | UnusableRow]:
    """Yield the rows of a CSV log (gzip allowed) in the order of the file. Raises UnusableLog."""
    with _opened(path) as file:
        rows = csv.DictReader(file)
        try:
            names = rows.fieldnames or []
        except (csv.Error, UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
            raise UnusableLog(f"{path.name}: not a CSV file in UTF-8 ({error})") from error
        wanted = [columns.case, columns.time, columns.actor, columns.activity, columns.group]
        wanted += [*columns.extra.values(), *([columns.title] if columns.title else [])]
        if missing := sorted({name for name in wanted if name not in names}):
            raise UnusableLog(f"{path.name}: no column {', '.join(missing)} (there are: {', '.join(names)})")
        try:
            for row in rows:
                yield _event({name: value or "" for name, value in row.items() if name}, columns, rows.line_num)
        except (csv.Error, UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
            raise UnusableLog(f"{path.name}: cannot be read after line {rows.line_num} ({error})") from error


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        # The text is read row by row, long after this line; the generator closes it.
        file: IO[str] = opener(path, "rt", encoding="utf-8-sig", newline="")
    except OSError as error:
        raise UnusableLog(f"{path.name}: {error.strerror}") from error
    with file:
        yield file


def _event(row: dict[str, str], columns: ColumnMap, line: int) -> Event | UnusableRow:
    told = {
        name: row.get(column, "").strip()
        for name, column in (("case", columns.case), ("actor", columns.actor), ("activity", columns.activity))
    }
    if empty := [name for name, value in told.items() if not value]:
        return UnusableRow(line=line, reason=f"no {' and no '.join(empty)}")
    text = row.get(columns.time, "").strip()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return UnusableRow(line=line, reason=f"unreadable time {text!r}")
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return Event(
        line=line,
        at=at,
        **told,
        group=row.get(columns.group, "").strip() or told["actor"],
        title=row.get(columns.title, "").strip() if columns.title else "",
        extra=tuple((label, row.get(column, "").strip()) for label, column in columns.extra.items()),
    )
