"""The part of Airtable's formula language the base understands, compiled to functions of a record."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Tree, UnexpectedInput

from sandbox.airtable.errors import bad_formula
from sandbox.airtable.functions import ERROR, FUNCTIONS, LAZY, compared
from sandbox.airtable.values import BrokenValue, instant, number, text, truth
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
     | "+" atom -> positive
     | STRING -> text
     | FIELD -> field
     | NAME "(" [comparison ("," comparison)*] ")" -> call
     | NAME -> bare
     | "(" comparison ")"
COMPARE: "!=" | "<=" | ">=" | "=" | "<" | ">"
STRING: /"(\\.|[^"\\])*"/ | /'(\\.|[^'\\])*'/
FIELD: /\{(\\.|[^}\\])+\}/
NAME: /[A-Za-z_]\w*/
NUMBER: /\d+(\.\d+)?|\.\d+/
%ignore /\s+/
"""
_PARSER = Lark(_GRAMMAR, start="start", parser="lalr", maybe_placeholders=False)
_MODIFIED = "LAST_MODIFIED_TIME"
_OF_THE_RECORD = frozenset({_MODIFIED, "CREATED_TIME", "RECORD_ID"})
_OF_THE_MOMENT = frozenset({"NOW", "TODAY"})
_DEEPEST = 150  # brackets in brackets: more would exhaust the interpreter's stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A record as formulas see it: cells by field id, the times of its creation and last change (or their texts).

    `touched` holds, by field id, when a cell was last changed, and under the empty name when those it does not
    know were; without that they were last changed with the record.
    """

    id: str
    created: datetime | str
    modified: datetime | str
    cells: Mapping[str, Any]
    touched: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A compiled formula; `since` is a time before which no record that fits was last changed.

    It is `exact` when every record changed then or later fits whose cells all changed with it. `fields` are the ids
    of the fields it speaks of. `test` says whether a record fits (one for which the formula cannot be worked out does
    not); `value` gives the result and raises BrokenValue where there is none.
    """

    test: Callable[[Row], bool]
    value: Callable[[Row], Any]
    since: datetime | None
    exact: bool = False
    fields: frozenset[str] = frozenset()


Value = Callable[[Row], Any]


class _Compiler:
    """Turns one parsed formula into functions."""

    def __init__(
        self, fields: Mapping[str, str], modified_fields: frozenset[str], now: datetime, kinds: Mapping[str, str]
    ) -> None:
        self._fields = fields
        self._modified_fields = modified_fields
        self._now = now
        self._kinds = kinds

    def value(self, node: Tree[Token], depth: int = 0) -> Value:
        if depth > _DEEPEST:
            raise bad_formula("Invalid formula. Please check your formula text.")
        kind, parts = str(node.data), node.children
        if kind == "number":
            constant = float(str(parts[0]))
            return lambda _: constant
        if kind == "text":
            words = _unquoted(str(parts[0]))
            return lambda _: words
        if kind == "field":
            return self._field(_name(str(parts[0])))
        if kind == "bare":
            return self._field(str(parts[0]))
        inner = [part for part in parts if isinstance(part, Tree)]
        if kind == "call":
            return self._call(str(parts[0]).upper(), inner, depth)
        values = [self.value(part, depth + 1) for part in inner]
        if kind == "negative":
            return lambda row: -number(values[0](row))
        if kind == "positive":
            return values[0]
        left, right = values
        if kind == "compare":
            return _comparison(str(parts[1]), left, right)
        if kind == "concat":
            return lambda row: text(left(row)) + text(right(row))
        combine = _SUMS[kind]
        return lambda row: combine(number(left(row)), number(right(row)))

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
        # IS_SAME may compare whole days, so only IS_AFTER narrows
        if name == "IS_AFTER" and len(inner) >= 2 and self._is_modified(inner[0]):
            return self._constant(inner[1])
        if kind == "compare" and str(parts[1]) in {">", ">="} and self._is_modified(inner[0]):
            return self._constant(inner[1])
        return None

    def exactly(self, node: Tree[Token]) -> datetime | None:
        """Return the one bound on the last change the formula consists of, or None when there is more to it."""
        inner = [part for part in node.children if isinstance(part, Tree)]
        name = str(node.children[0]).upper() if node.data == "call" else ""
        if name == "AND":
            bounds = [self.exactly(part) for part in inner]
            known = [bound for bound in bounds if bound is not None]
            return max(known) if known and len(known) == len(bounds) else None
        if name != "IS_AFTER" or len(inner) != len(("field", "time")) or not self._is_modified(inner[0]):
            return None
        bound = self._constant(inner[1])
        if bound is None:
            return None
        with suppress(OverflowError):
            if inner[0].data == "call":
                return bound + timedelta(microseconds=1)
            return bound - timedelta(microseconds=bound.microsecond % 1000) + timedelta(milliseconds=1)
        return None

    def _is_modified(self, node: Tree[Token]) -> bool:
        if node.data == "call":
            return str(node.children[0]).upper() == _MODIFIED
        if node.data in {"field", "bare"}:
            return self._fields.get(_name(str(node.children[0]))) in self._modified_fields
        return False

    def _constant(self, node: Tree[Token]) -> datetime | None:
        for part in node.iter_subtrees():
            own = part.data == "call" and str(part.children[0]).upper() in _OF_THE_RECORD
            if own or part.data in {"field", "bare"}:
                return None
        nobody = Row(id="", created=self._now, modified=self._now, cells={})
        try:
            return instant(self.value(node)(nobody))
        except BrokenValue:
            return None

    def _field_id(self, name: str) -> str:
        id_ = self._fields.get(name)
        if id_ is None:
            raise bad_formula(f"Unknown field names: {name.lower()}")
        return id_

    def _field(self, name: str) -> Value:
        id_ = self._field_id(name)
        if self._kinds.get(id_) == "checkbox":  # an empty box is not nothing, it is unticked
            return lambda row: bool(row.cells.get(id_))
        return lambda row: _sound(row.cells.get(id_))

    def _modified(self, inner: Sequence[Tree[Token]]) -> Value:
        watched = []
        for part in inner:
            if part.data not in {"field", "bare"}:
                raise bad_formula(f"{_MODIFIED} takes fields")
            watched.append(self._field_id(_name(str(part.children[0]))))
        if not watched:
            return lambda row: _read(row.modified)

        def latest(row: Row) -> datetime:
            before = row.touched.get("")  # the last change before cells were watched one by one
            times = [row.touched.get(id_, before) for id_ in watched]
            return max(_read(row.modified if at is None else at) for at in times)

        return latest

    def _call(self, name: str, inner: Sequence[Tree[Token]], depth: int) -> Value:
        if name == _MODIFIED:
            return self._modified(inner)
        if name in _OF_THE_MOMENT | {"CREATED_TIME", "RECORD_ID"} and inner:
            raise bad_formula(f"Wrong number of arguments for {name}")
        if name in _OF_THE_MOMENT:
            day = self._now.replace(hour=0, minute=0, second=0, microsecond=0)
            moment = self._now if name == "NOW" else day
            return lambda _: moment
        if name == "CREATED_TIME":
            return lambda row: _read(row.created)
        if name == "RECORD_ID":
            return lambda row: row.id
        known = LAZY.get(name) or FUNCTIONS.get(name)
        if known is None:
            raise bad_formula(f"Unknown function: {name}")
        least, most = known[0], known[1]
        if not least <= len(inner) <= most:
            raise bad_formula(f"Wrong number of arguments for {name}")
        values = [self.value(part, depth + 1) for part in inner]
        if name in LAZY:
            lazy = LAZY[name][2]
            return lambda row: lazy([_asked(value, row) for value in values])
        eager = FUNCTIONS[name][2]

        def worked_out(row: Row) -> Any:
            try:
                return eager(*[value(row) for value in values])
            except (ValueError, ArithmeticError) as error:
                raise BrokenValue(name) from error

        return worked_out


def compiled(
    formula: str,
    *,
    fields: Mapping[str, str],
    modified_fields: frozenset[str],
    now: datetime,
    kinds: Mapping[str, str] | None = None,
) -> Formula:
    """Compile a formula; raises RefusedCall (422 INVALID_FILTER_BY_FORMULA) for what is outside the subset.

    `fields` gives the id for every name and id, `modified_fields` the ids of fields that hold the last change,
    `now` (UTC) what NOW() means, `kinds` the type of each field by its id.
    """
    tree = _parsed(formula)
    compiler = _Compiler(fields, modified_fields, now, kinds or {})
    value = compiler.value(tree)

    def test(row: Row) -> bool:
        try:
            return truth(value(row))
        except BrokenValue:
            return False

    bound = compiler.exactly(tree)
    named = frozenset(fields[name] for name in references(formula) if name in fields)
    since = compiler.since(tree) if bound is None else bound
    return Formula(test=test, value=value, since=since, exact=bound is not None, fields=named)


def references(formula: str) -> frozenset[str]:
    """Name the fields, by name or id, a formula speaks of; raises RefusedCall when it cannot be read."""
    named = (part for part in _parsed(formula).iter_subtrees() if part.data in {"field", "bare"})
    return frozenset(_name(str(part.children[0])) for part in named)


def row_of(record: Mapping[str, Any], cells: Mapping[str, Any] | None = None) -> Row:
    """Return a stored record as formulas see it, with these cells instead of its own where given."""
    created = str(record["createdTime"])
    return Row(
        id=str(record["id"]),
        created=created,
        modified=str(record.get("_modified") or created),
        cells=record["fields"] if cells is None else cells,
        touched=record.get("_touched") or {},
    )


@lru_cache(maxsize=256)
def _parsed(formula: str) -> Tree[Token]:
    try:
        return _PARSER.parse(formula)
    except (UnexpectedInput, RecursionError) as error:
        raise bad_formula("Invalid formula. Please check your formula text.") from error


def _name(reference: str) -> str:
    return reference[1:-1].replace("\\}", "}") if reference.startswith("{") else reference


def _read(at: datetime | str) -> datetime:
    return parsed(at) if isinstance(at, str) else at


def _unquoted(quoted: str) -> str:
    body = quoted[1:-1]
    if quoted[0] == "'":
        body = body.replace("\\'", "'").replace('"', '\\"')
    try:
        return str(json.loads(f'"{body}"'))
    except json.JSONDecodeError:
        return quoted[1:-1].replace("\\", "")


def _sound(value: Any) -> Any:
    """Pass a cell on; a computed cell that shows an error breaks what is built on it."""
    if isinstance(value, Mapping) and value.keys() == {"error"}:
        raise BrokenValue("a broken cell")
    return value


def _asked(value: Value, row: Row) -> Callable[[], Any]:
    return lambda: value(row)


def _comparison(op: str, left: Value, right: Value) -> Value:
    return lambda row: compared(op, left(row), right(row))


def _divided(a: float, b: float) -> float:
    if b == 0:
        raise BrokenValue(ERROR)
    return a / b


_SUMS: Mapping[str, Callable[[float, float], float]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": _divided,
}
