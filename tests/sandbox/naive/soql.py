"""SOQL conditions by the book, one record at a time; shares nothing with the sandbox's own evaluator.

Book: "SOQL and SOSL Reference", comparison operators and ORDER BY. Text is compared without regard to case;
`!=`, NOT IN and NOT keep records whose field is null (two-valued logic); `<` and its kin and LIKE never hold
for null; ids are compared with regard to case, in their 15 or their 18 character form; nulls are sorted first
unless NULLS LAST is written, in either direction. A date literal stands for a span of days: `=` is within it, `<`
before it, `>` behind it; LAST_N_DAYS:n reaches to the end of today.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cmp_to_key
from typing import Any

Record = Mapping[str, Any]
ORDERINGS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


@dataclass(frozen=True, slots=True)
class Is:
    """`column op value`, op one of = != < <= > >=."""

    column: str
    op: str
    value: Any
    offset: int = 0  # hours of the zone a date and time is written in

    def holds(self, record: Record) -> bool:
        have, want = _plain(record[self.column]), _plain(self.value)
        if self.op == "=":
            return bool(have == want)
        if self.op == "!=":
            return bool(have != want)
        return have is not None and ORDERINGS[self.op](have, want)

    def __str__(self) -> str:
        return f"{self.column} {self.op} {_written(self.value, self.offset)}"


@dataclass(frozen=True, slots=True)
class Within:
    """`column op LITERAL`, where the literal stands for the days from `start` to before `end`, in UTC."""

    column: str
    op: str
    literal: str
    start: date
    end: date

    def holds(self, record: Record) -> bool:
        have = record[self.column]
        if have is None:
            return self.op == "!="
        day = have.astimezone(UTC).date() if isinstance(have, datetime) else have
        return {
            "=": self.start <= day < self.end,
            "!=": not self.start <= day < self.end,
            "<": day < self.start,
            "<=": day < self.end,
            ">": day >= self.end,
            ">=": day >= self.start,
        }[self.op]

    def __str__(self) -> str:
        return f"{self.column} {self.op} {self.literal}"


@dataclass(frozen=True, slots=True)
class Among:
    """`column [NOT] IN (...)`."""

    column: str
    values: tuple[Any, ...]
    negated: bool

    def holds(self, record: Record) -> bool:
        have = _plain(record[self.column])
        return any(have == _plain(value) for value in self.values) is not self.negated

    def __str__(self) -> str:
        told = ", ".join(_written(value) for value in self.values)
        return f"{self.column} {'NOT ' if self.negated else ''}IN ({told})"


@dataclass(frozen=True, slots=True)
class Like:
    """`column LIKE pattern`; the pattern is a list of characters, of "%" and "_" as wildcards marked by True."""

    column: str
    pattern: tuple[tuple[str, bool], ...]

    def holds(self, record: Record) -> bool:
        have = record[self.column]
        return have is not None and _fits(have.lower(), self.pattern)

    def __str__(self) -> str:
        told = "".join(char if wild else "\\" + char if char in "%_'\\" else char for char, wild in self.pattern)
        return f"{self.column} LIKE '{told}'"


@dataclass(frozen=True, slots=True)
class Not:
    """`NOT (cond)`."""

    cond: Cond

    def holds(self, record: Record) -> bool:
        return not self.cond.holds(record)

    def __str__(self) -> str:
        return f"NOT ({self.cond})"


@dataclass(frozen=True, slots=True)
class Joined:
    """`(a) AND (b) ...` or `(a) OR (b) ...`."""

    word: str
    conds: tuple[Cond, ...]

    def holds(self, record: Record) -> bool:
        whole = all if self.word == "AND" else any
        return whole(cond.holds(record) for cond in self.conds)

    def __str__(self) -> str:
        return f" {self.word} ".join(f"({cond})" if isinstance(cond, Joined) else str(cond) for cond in self.conds)


Cond = Is | Within | Among | Like | Not | Joined


@dataclass(frozen=True, slots=True)
class Key:
    """One sort key."""

    column: str
    descending: bool
    nulls: str  # "", "FIRST" or "LAST"

    def __str__(self) -> str:
        words = [self.column, "DESC" if self.descending else "ASC", *(["NULLS", self.nulls] if self.nulls else [])]
        return " ".join(words)


def ordered(records: Sequence[Record], keys: Sequence[Key]) -> list[Record]:
    """Sort by the keys in turn; the last one must tell any two records apart."""

    def compared(one: Record, other: Record) -> int:
        for key in keys:
            a, b = _plain(one[key.column]), _plain(other[key.column])
            if a == b:
                continue
            if a is None or b is None:
                first = -1 if a is None else 1
                return -first if key.nulls == "LAST" else first
            first = -1 if a < b else 1
            return -first if key.descending else first
        return 0

    return sorted(records, key=cmp_to_key(compared))


def _fits(text: str, pattern: tuple[tuple[str, bool], ...]) -> bool:
    if not pattern:
        return not text
    (char, wild), rest = pattern[0], pattern[1:]
    if wild and char == "%":
        return any(_fits(text[start:], rest) for start in range(len(text) + 1))
    return bool(text) and (wild or text[0] == char.lower()) and _fits(text[1:], rest)


class Reference(str):
    """An id: letters count as they are written, and the last three of eighteen do not count."""

    __slots__ = ()


def _plain(value: Any) -> Any:
    if isinstance(value, Reference):
        return str(value)[:15]
    return value.lower() if isinstance(value, str) else value


def _written(value: Any, offset: int = 0) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "TRUE", False: "false"}[value]
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
    if isinstance(value, datetime):
        at = value.astimezone(UTC if not offset else timezone(timedelta(hours=offset)))
        return at.strftime("%Y-%m-%dT%H:%M:%SZ") if not offset else at.isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, date) else str(value)
