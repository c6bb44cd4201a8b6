"""The part of Airtable's formula language the base understands, compiled to functions of a record."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Tree, UnexpectedInput

from sandbox.airtable.errors import bad_formula
from sandbox.stamps import parsed

_GRAMMAR = r"""
?start: comparison
?comparison: joined
           | joined COMPARE joined -> compare
?joined: sum
       | joined "&" sum -> concat
?sum: product
    | sum "+" product -> add
    | sum "-" product -> subtract
?product: atom
        | product "*" atom -> multiply
        | product "/" atom -> divide
?atom: NUMBER -> number
     | "-" atom -> negative
     | STRING -> text
     | FIELD -> field
     | NAME "(" [comparison ("," comparison)*] ")" -> call
     | NAME -> bare
     | "(" comparison ")"
COMPARE: "!=" | "<=" | ">=" | "=" | "<" | ">"
STRING: /"(\\.|[^"\\])*"/ | /'(\\.|[^'\\])*'/
FIELD: /\{(\\.|[^}\\])+\}/
NAME: /[A-Za-z_]\w*/
NUMBER: /\d+(\.\d+)?/
%ignore /\s+/
"""
_PARSER = Lark(_GRAMMAR, start="start", parser="lalr", maybe_placeholders=False)
_UNITS = {
    "second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "millisecond": 0.001,
    "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "ms": 0.001,
}  # fmt: skip
_MODIFIED = "LAST_MODIFIED_TIME"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A record as formulas see it: cells by field id, the times of its creation and last change."""

    id: str
    created: datetime
    modified: datetime
    cells: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A compiled formula; `since` is a time before which no record that fits was last changed."""

    test: Callable[[Row], bool]
    since: datetime | None


Value = Callable[[Row], Any]


class _Compiler:
    """Turns one parsed formula into functions."""

    def __init__(self, fields: Mapping[str, str], modified_fields: frozenset[str], now: datetime) -> None:
        self._fields = fields
        self._modified_fields = modified_fields
        self._now = now

    def value(self, node: Tree[Token]) -> Value:
        kind, parts = str(node.data), node.children
        if kind == "number":
            number = float(str(parts[0]))
            return lambda _: number
        if kind == "text":
            text = _unquoted(str(parts[0]))
            return lambda _: text
        if kind == "field":
            return self._field(str(parts[0])[1:-1].replace("\\}", "}"))
        if kind == "bare":
            return self._field(str(parts[0]))
        inner = [part for part in parts if isinstance(part, Tree)]
        if kind == "call":
            return self._call(str(parts[0]).upper(), inner)
        values = [self.value(part) for part in inner]
        if kind == "negative":
            return lambda row: -_number(values[0](row))
        left, right = values
        if kind == "compare":
            return _compared(str(parts[1]), left, right)
        if kind == "concat":
            return lambda row: _text(left(row)) + _text(right(row))
        sums: dict[str, Callable[[float, float], float]] = {
            "add": lambda a, b: a + b,
            "subtract": lambda a, b: a - b,
            "multiply": lambda a, b: a * b,
            "divide": lambda a, b: a / b if b else 0.0,
        }
        combine = sums[kind]
        return lambda row: combine(_number(left(row)), _number(right(row)))

    def since(self, node: Tree[Token]) -> datetime | None:
        """Return a lower bound on the last change of every record that fits, where one is plain to see."""
        kind, parts = str(node.data), node.children
        inner = [part for part in parts if isinstance(part, Tree)]
        name = str(parts[0]).upper() if kind == "call" else ""
        if name == "AND":
            bounds = [bound for bound in map(self.since, inner) if bound is not None]
            return max(bounds, default=None)
        if name == "OR":
            all_bounds = [self.since(part) for part in inner]
            known = [bound for bound in all_bounds if bound is not None]
            return min(known) if known and len(known) == len(all_bounds) else None
        if name in {"IS_AFTER", "IS_SAME"} and len(inner) >= 2 and self._is_modified(inner[0]):
            # IS_SAME may compare whole days, so only IS_AFTER narrows
            return self._constant(inner[1]) if name == "IS_AFTER" else None
        if kind == "compare" and str(parts[1]) in {">", ">="} and self._is_modified(inner[0]):
            return self._constant(inner[1])
        return None

    def _is_modified(self, node: Tree[Token]) -> bool:
        if node.data == "call":
            return str(node.children[0]).upper() == _MODIFIED
        if node.data in {"field", "bare"}:
            return self._fields.get(str(node.children[0]).strip("{}")) in self._modified_fields
        return False

    def _constant(self, node: Tree[Token]) -> datetime | None:
        if any(part.data in {"field", "bare"} for part in node.iter_subtrees()):
            return None
        if any(
            part.data == "call" and str(part.children[0]).upper() in {_MODIFIED, "CREATED_TIME", "RECORD_ID"}
            for part in node.iter_subtrees()
        ):
            return None
        nobody = Row(id="", created=self._now, modified=self._now, cells={})
        return _instant(self.value(node)(nobody))

    def _field(self, name: str) -> Value:
        id_ = self._fields.get(name)
        if id_ is None:
            raise bad_formula(f"Unknown field names: {name.lower()}")
        return lambda row: row.cells.get(id_)

    def _call(self, name: str, inner: Sequence[Tree[Token]]) -> Value:
        made = _FUNCTIONS.get(name)
        if made is None and name not in {_MODIFIED, "NOW", "TODAY"}:
            raise bad_formula(f"Unknown function: {name}")
        if name == _MODIFIED:
            return lambda row: row.modified
        if made is None:
            today = self._now.replace(hour=0, minute=0, second=0, microsecond=0)
            return lambda _: self._now if name == "NOW" else today
        low, high, build = made
        if not low <= len(inner) <= high:
            raise bad_formula(f"Invalid arguments for {name}")
        return build([self.value(part) for part in inner])


def compiled(text: str, *, fields: Mapping[str, str], modified_fields: frozenset[str], now: datetime) -> Formula:
    """Return the formula; raises RefusedCall (422) for text outside the subset or unknown fields.

    `fields` gives the field id for every name and id of the table; `modified_fields` are the ids of its
    lastModifiedTime fields; `now` is what NOW() means.
    """
    tree = _tree(text)
    compiler = _Compiler(fields, modified_fields, now)
    value = compiler.value(tree)
    return Formula(test=lambda row: _truth(value(row)), since=compiler.since(tree))


@lru_cache(maxsize=128)
def _tree(text: str) -> Tree[Token]:
    try:
        return _PARSER.parse(text)
    except UnexpectedInput as error:
        raise bad_formula("Invalid formula. Please check your formula text.") from error


def _unquoted(quoted: str) -> str:
    body = quoted[1:-1]
    if quoted[0] == "'":
        body = body.replace("\\'", "'").replace('"', '\\"')
    try:
        return str(json.loads(f'"{body}"'))
    except json.JSONDecodeError:
        return quoted[1:-1].replace("\\", "")


def _truth(value: Any) -> bool:
    return value not in (None, False, 0, "", [])


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return str(value.get("name") or value.get("email") or value.get("id") or "")
    if isinstance(value, list):
        return ", ".join(_text(part) for part in value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _number(value: Any) -> float:
    try:
        return float(value or 0)
    except (TypeError, ValueError):
        return 0.0


def _instant(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    try:
        return parsed(str(value)) if value else None
    except ValueError:
        return None


def _compared(op: str, left: Value, right: Value) -> Value:
    def both(row: Row) -> tuple[Any, Any]:
        a, b = left(row), right(row)
        if isinstance(a, datetime) or isinstance(b, datetime):
            return _instant(a), _instant(b)
        if isinstance(a, (int, float)) and isinstance(b, (int, float)):
            return a, b
        return (_text(a), _text(b))

    def test(row: Row) -> bool:
        a, b = both(row)
        if op == "=":
            return bool(a == b)
        if op == "!=":
            return bool(a != b)
        if a is None or b is None:
            return False
        return bool({"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op])

    return test


def _dates(test: Callable[[datetime, datetime], bool]) -> Callable[[list[Value]], Value]:
    def build(values: list[Value]) -> Value:
        def value(row: Row) -> bool:
            a, b = _instant(values[0](row)), _instant(values[1](row))
            return a is not None and b is not None and test(a, b)

        return value

    return build


def _same(values: list[Value]) -> Value:
    def value(row: Row) -> bool:
        a, b = _instant(values[0](row)), _instant(values[1](row))
        if a is None or b is None:
            return False
        unit = _text(values[2](row)) if len(values) > 2 else ""
        return a.date() == b.date() if unit in {"day", "days", "d"} else a == b

    return value


def _shifted(values: list[Value]) -> Value:
    def value(row: Row) -> datetime | None:
        start, unit = _instant(values[0](row)), _text(values[2](row)).lower()
        seconds = _UNITS.get(unit, _UNITS.get(unit.removesuffix("s"), 0))
        return None if start is None else start + timedelta(seconds=_number(values[1](row)) * seconds)

    return value


def _found(values: list[Value], *, fold: bool) -> Value:
    def value(row: Row) -> int:
        needle, hay = _text(values[0](row)), _text(values[1](row))
        return (hay.lower().find(needle.lower()) if fold else hay.find(needle)) + 1

    return value


def _chosen(values: list[Value]) -> Value:
    def value(row: Row) -> Any:
        if _truth(values[0](row)):
            return values[1](row)
        return values[2](row) if len(values) > 2 else None

    return value


def _created(row: Row) -> datetime:
    return row.created


_MANY = 10_000
_FUNCTIONS: Mapping[str, tuple[int, int, Callable[[list[Value]], Value]]] = {
    "AND": (1, _MANY, lambda values: lambda row: all(_truth(value(row)) for value in values)),
    "OR": (1, _MANY, lambda values: lambda row: any(_truth(value(row)) for value in values)),
    "NOT": (1, 1, lambda values: lambda row: not _truth(values[0](row))),
    "IF": (2, 3, _chosen),
    "BLANK": (0, 0, lambda values: lambda row: None),
    "TRUE": (0, 0, lambda values: lambda row: True),
    "FALSE": (0, 0, lambda values: lambda row: False),
    "RECORD_ID": (0, 0, lambda values: lambda row: row.id),
    "CREATED_TIME": (0, 0, lambda values: _created),
    "IS_AFTER": (2, 2, _dates(lambda a, b: a > b)),
    "IS_BEFORE": (2, 2, _dates(lambda a, b: a < b)),
    "IS_SAME": (2, 3, _same),
    "DATETIME_PARSE": (1, 3, lambda values: lambda row: _instant(values[0](row))),
    "DATEADD": (3, 3, _shifted),
    "FIND": (2, 3, lambda values: _found(values, fold=False)),
    "SEARCH": (2, 3, lambda values: _found(values, fold=True)),
    "LOWER": (1, 1, lambda values: lambda row: _text(values[0](row)).lower()),
    "UPPER": (1, 1, lambda values: lambda row: _text(values[0](row)).upper()),
    "TRIM": (1, 1, lambda values: lambda row: _text(values[0](row)).strip()),
    "LEN": (1, 1, lambda values: lambda row: len(_text(values[0](row)))),
    "ARRAYJOIN": (1, 2, lambda values: lambda row: _text(values[0](row))),
    "CONCATENATE": (1, _MANY, lambda values: lambda row: "".join(_text(value(row)) for value in values)),
}


def row_of(record: Mapping[str, Any]) -> Row:
    """Return a stored record as formulas see it."""
    created = parsed(str(record["createdTime"]))
    modified = parsed(str(record.get("_modified") or record["createdTime"]))
    return Row(id=str(record["id"]), created=created.astimezone(UTC), modified=modified, cells=record["fields"])
