"""JQL conditions by the book, one issue at a time; shares nothing with the sandbox's own evaluator.

Book: Atlassian support, "JQL operators", "JQL keywords", "Search for issues by text". An empty field is matched
by no `=`, `!=`, `in`, `not in`, `<` ... with a value, only by EMPTY; `NOT field = value` is `field != value`,
so that NOT turns each clause round instead of counting the misses; names are compared without regard to case;
`~` looks for whole words, or for beginnings of words before a star. WAS asks whether a field ever had a value
(the present counts), within AFTER and BEFORE; CHANGED whether there is one change to which all that is said applies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

Issue = Mapping[str, Any]
TURNED = {
    "=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "in": "not in", "not in": "in",
    "is": "is not", "is not": "is", "~": "!~", "!~": "~",
}  # fmt: skip
_ORDERINGS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


@dataclass(frozen=True, slots=True)
class Clause:
    """`field op values`; None among the values is EMPTY."""

    field: str
    op: str
    values: tuple[Any, ...]

    def holds(self, issue: Issue) -> bool:
        have = _plain(issue[self.field])
        wanted = [_plain(value) for value in self.values]
        if self.op in {"=", "in", "is"}:
            return have in wanted
        if self.op in {"!=", "not in", "is not"}:
            return have is not None and have not in wanted
        if self.op in {"~", "!~"}:
            return _told(str(issue[self.field]), str(self.values[0])) is (self.op == "~")
        return have is not None and _ORDERINGS[self.op](have, wanted[0])

    def turned(self) -> Clause:
        return Clause(self.field, TURNED[self.op], self.values)

    def written(self, zone: ZoneInfo) -> str:
        told = [_written(value, zone) for value in self.values]
        return f"{self.field} {self.op} {'(' + ', '.join(told) + ')' if 'in' in self.op.split() else told[0]}"


@dataclass(frozen=True, slots=True)
class Not:
    """`NOT cond`."""

    cond: Cond

    def holds(self, issue: Issue) -> bool:
        return self.cond.turned().holds(issue)

    def turned(self) -> Cond:
        return self.cond

    def written(self, zone: ZoneInfo) -> str:
        told = self.cond.written(zone)
        return f"NOT ({told})" if isinstance(self.cond, Joined) else f"NOT {told}"


@dataclass(frozen=True, slots=True)
class Joined:
    """`a AND b ...` or `a OR b ...`; brackets are written only where AND binding tighter than OR needs them."""

    word: str
    conds: tuple[Cond, ...]

    def holds(self, issue: Issue) -> bool:
        whole = all if self.word == "AND" else any
        return whole(cond.holds(issue) for cond in self.conds)

    def turned(self) -> Cond:
        return Joined("OR" if self.word == "AND" else "AND", tuple(cond.turned() for cond in self.conds))

    def written(self, zone: ZoneInfo) -> str:
        parts = []
        for cond in self.conds:
            told = cond.written(zone)
            loose = isinstance(cond, Joined) and cond.word == "OR" and self.word == "AND"
            parts.append(f"({told})" if loose else told)
        return f" {self.word} ".join(parts)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a field: when, by whom, from what to what."""

    at: datetime
    by: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Was:
    """`field [NOT] was value ...`: the field had the value at some time, the present counts too."""

    field: str
    values: tuple[Any, ...]
    after: datetime | None = None
    before: datetime | None = None
    negated: bool = False

    def holds(self, issue: Issue) -> bool:
        changes: list[Change] = issue["history"][self.field]
        had = [changes[0].old if changes else issue[self.field], *(change.new for change in changes)]
        ends = [*(change.at for change in changes), None]
        begins = [issue["created"], *(change.at for change in changes)]
        wanted = [_plain(value) for value in self.values]
        found = any(
            _plain(value) in wanted
            and (self.after is None or end is None or end > self.after)
            and (self.before is None or begin < self.before)
            for value, begin, end in zip(had, begins, ends, strict=True)
        )
        return found is not self.negated

    def turned(self) -> Was:
        return replace(self, negated=not self.negated)

    def written(self, zone: ZoneInfo) -> str:
        told = [_written(value, zone) for value in self.values]
        what = f"in ({', '.join(told)})" if len(told) > 1 else told[0]
        when = "".join(
            f" {word} {_written(at, zone)}" for word, at in (("AFTER", self.after), ("BEFORE", self.before)) if at
        )
        return f"{self.field} was {'not ' if self.negated else ''}{what}{when}"


@dataclass(frozen=True, slots=True)
class Changed:
    """`field changed FROM .. TO .. BY .. AFTER .. BEFORE ..`: one change to which all of it applies."""

    field: str
    old: Any = ""  # "" leaves it out, None is EMPTY
    new: Any = ""
    by: str = ""
    after: datetime | None = None
    before: datetime | None = None

    def holds(self, issue: Issue) -> bool:
        return any(
            (self.old == "" or _plain(change.old) == _plain(self.old))
            and (self.new == "" or _plain(change.new) == _plain(self.new))
            and self.by in {"", change.by}
            and (self.after is None or change.at > self.after)
            and (self.before is None or change.at < self.before)
            for change in issue["history"][self.field]
        )

    def written(self, zone: ZoneInfo) -> str:
        told = [f"{self.field} changed"]
        told += [
            f"{word} {_written(value, zone)}" for word, value in (("FROM", self.old), ("TO", self.new)) if value != ""
        ]
        told += [f'BY "{self.by}"'] if self.by else []
        told += [f"{word} {_written(at, zone)}" for word, at in (("AFTER", self.after), ("BEFORE", self.before)) if at]
        return " ".join(told)


Cond = Clause | Was | Not | Joined


def _told(text: str, asked: str) -> bool:
    words = re.findall(r"\w+", text.lower())
    return all(
        any(word.startswith(part[:-1]) if part.endswith("*") else word == part for word in words)
        for part in asked.lower().split()
    )


def _plain(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _written(value: Any, zone: ZoneInfo) -> str:
    if value is None:
        return "EMPTY"
    if isinstance(value, datetime):
        if value.second:  # no text form is that fine
            return str(int(value.timestamp() * 1000))
        return f'"{value.astimezone(zone):%Y-%m-%d %H:%M}"'
    if isinstance(value, date):
        return f'"{value.isoformat()}"'
    return f'"{value}"'
