"""Airtable formulas by the book, one record at a time; shares nothing with the sandbox's own evaluator.

Book: Airtable support, "Formula field reference". A blank cell is equal to the empty text and to BLANK(); text
is compared with regard to case; FIND counts from one and gives 0 for a miss, SEARCH does not regard case and
gives a blank for a miss; in a condition 0, "", BLANK() and an unticked box are false. Every expression below
knows whether it gives text, a number, a moment or a truth, so that only documented mixtures are written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Node:
    """An expression: how it is written, and what it gives for a record."""

    text: str
    value: Callable[[Row], Any]


def literal(value: str | float) -> Node:
    """A text or a number."""
    if isinstance(value, str):
        quoted = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return Node(quoted, lambda _: value)
    return Node(str(value) if value >= 0 else f"-{-value}", lambda _: value)


def moment(at: datetime) -> Node:
    """A moment, parsed from its text."""
    return Node(f'DATETIME_PARSE("{at:%Y-%m-%dT%H:%M:%S}.000Z")', lambda _: at)


def cell(name: str) -> Node:
    """A cell."""
    return Node(f"{{{name}}}", lambda row: row[name])


def own_time(function: str) -> Node:
    """CREATED_TIME() or LAST_MODIFIED_TIME()."""
    return Node(f"{function}()", lambda row: row[function])


def record_id() -> Node:
    """RECORD_ID()."""
    return Node("RECORD_ID()", lambda row: row["RECORD_ID"])


def sum_of(left: Node, sign: str, right: Node) -> Node:
    """Arithmetic of two numbers, in brackets."""
    does: Mapping[str, Callable[[float, float], float]] = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
    }
    return Node(
        f"({left.text} {sign} {right.text})",
        lambda row: does[sign](left.value(row) or 0, right.value(row) or 0),
    )


def glued(left: Node, right: Node) -> Node:
    """Two texts, one behind the other."""
    return Node(f"({left.text} & {right.text})", lambda row: _text(left.value(row)) + _text(right.value(row)))


def compared(left: Node, sign: str, right: Node, *, texts: bool) -> Node:
    """A comparison of two texts (= and != only) or of two numbers."""

    def value(row: Row) -> bool:
        a, b = left.value(row), right.value(row)
        if texts:
            a, b = _text(a), _text(b)
        return {
            "=": lambda: a == b,
            "!=": lambda: a != b,
            "<": lambda: a < b,
            "<=": lambda: a <= b,
            ">": lambda: a > b,
            ">=": lambda: a >= b,
        }[sign]()

    return Node(f"{left.text} {sign} {right.text}", value)


def blank(node: Node, *, equal: bool) -> Node:
    """`x = BLANK()`, `x != BLANK()` for a text."""
    return Node(f"{node.text} {'=' if equal else '!='} BLANK()", lambda row: (_text(node.value(row)) == "") is equal)


def logic(word: str, conds: Sequence[Node]) -> Node:
    """AND(...), OR(...) or NOT(...)."""
    told = f"{word}({', '.join(cond.text for cond in conds)})"
    if word == "NOT":
        return Node(told, lambda row: not _true(conds[0].value(row)))
    whole = all if word == "AND" else any
    return Node(told, lambda row: whole(_true(cond.value(row)) for cond in conds))


def chosen(cond: Node, yes: Node, no: Node | None) -> Node:
    """IF(cond, yes, no); without a third part, a blank."""
    told = f"IF({cond.text}, {yes.text}{', ' + no.text if no else ''})"
    return Node(
        told, lambda row: yes.value(row) if _true(cond.value(row)) else no.value(row) if no is not None else None
    )


def cased(function: str, node: Node) -> Node:
    """LOWER, UPPER or TRIM of a text."""
    does: Mapping[str, Callable[[str], str]] = {"LOWER": str.lower, "UPPER": str.upper, "TRIM": str.strip}
    return Node(f"{function}({node.text})", lambda row: does[function](_text(node.value(row))))


def length(node: Node) -> Node:
    """LEN of a text."""
    return Node(f"LEN({node.text})", lambda row: len(_text(node.value(row))))


def found(needle: Node, hay: Node, start: int | None) -> Node:
    """FIND: the place of the needle, counted from one, or 0."""

    def value(row: Row) -> int:
        where, what = _text(hay.value(row)), _text(needle.value(row))
        for place in range((start or 1) - 1, len(where)):
            if where[place : place + len(what)] == what:
                return place + 1
        return 0

    return Node(f"FIND({needle.text}, {hay.text}{f', {start}' if start else ''})", value)


def searched(needle: Node, hay: Node) -> Node:
    """SEARCH: as FIND, whatever the case, but a blank for a miss."""

    def value(row: Row) -> int | None:
        place = _text(hay.value(row)).lower().find(_text(needle.value(row)).lower())
        return None if place < 0 else place + 1

    return Node(f"SEARCH({needle.text}, {hay.text})", value)


def dated(function: str, left: Node, right: Node, unit: str = "") -> Node:
    """IS_AFTER, IS_BEFORE, IS_SAME (also by day, hour, month or year); never true of a blank."""

    def value(row: Row) -> bool:
        a, b = left.value(row), right.value(row)
        if a is None or b is None:
            return False
        if function == "IS_AFTER":
            return bool(a > b)
        if function == "IS_BEFORE":
            return bool(a < b)
        return bool(_cut(a, unit) == _cut(b, unit))

    return Node(f"{function}({left.text}, {right.text}{f', {unit!r}' if unit else ''})", value)


def moved(at: Node, count: int, unit: str) -> Node:
    """DATEADD by a number of minutes, hours, days or weeks."""

    def value(row: Row) -> Any:
        start = at.value(row)
        return None if start is None else start + timedelta(**{unit: count})

    return Node(f"DATEADD({at.text}, {count}, '{unit}')", value)


def holds(node: Node, row: Row) -> bool:
    """Whether a listing filtered by the formula shows the record."""
    return _true(node.value(row))


def _cut(at: datetime, unit: str) -> datetime:
    steps = ["year", "month", "day", "hour", "minute", "second"]
    if not unit:
        return at
    kept = {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0, "microsecond": 0}
    for step in steps[: steps.index(unit) + 1]:
        kept.pop(step, None)
    return at.replace(**kept)  # type: ignore[arg-type]  # the names of the parts are those of replace()


def _true(value: Any) -> bool:
    return value not in (None, False, 0, "")


def _text(value: Any) -> str:
    return "" if value is None else str(value)
