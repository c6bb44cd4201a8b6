"""The part of SOQL the org understands; anything else is refused as Salesforce refuses it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Literal

from lark import Lark, Token, Transformer, UnexpectedInput, v_args
from lark.exceptions import VisitError

from sandbox.salesforce.date_literals import span_of
from sandbox.salesforce.errors import malformed_query
from sandbox.stamps import salesforce

_GRAMMAR = r"""
query: _SELECT selection _FROM NAME [_WHERE cond] [group] [_ORDER _BY order ("," order)*] \
  [_LIMIT INT] [_OFFSET INT]
selection: _COUNT_ALL -> count
         | item ("," item)* -> columns
?item: path
     | FUNCTION "(" path ")" [NAME] -> aggregate
     | _FIELDS "(" WHICH ")" -> fields
group: _GROUP _BY path ("," path)*
path: NAME ("." NAME)*
?cond: unit
     | unit (_AND unit)+ -> all_of
     | unit (_OR unit)+ -> any_of
?unit: _NOT unit -> negated
     | "(" cond ")"
     | comparison
comparison: path OP value -> compare
          | path _LIKE STRING -> like
          | path _IN "(" value ("," value)* ")" -> within
          | path _NOT _IN "(" value ("," value)* ")" -> not_within
order: path [DIRECTION] [_NULLS NULLS]
?value: STRING -> text
      | DATETIME -> instant
      | DATE -> day
      | SIGNED -> number
      | _NULL -> null
      | _TRUE -> true
      | _FALSE -> false
      | SPAN -> span
_SELECT.9: /SELECT\b/i
_FROM.9: /FROM\b/i
_WHERE.9: /WHERE\b/i
_GROUP.9: /GROUP\b/i
_ORDER.9: /ORDER\b/i
_BY.9: /BY\b/i
_LIMIT.9: /LIMIT\b/i
_OFFSET.9: /OFFSET\b/i
_AND.9: /AND\b/i
_OR.9: /OR\b/i
_NOT.9: /NOT\b/i
_LIKE.9: /LIKE\b/i
_IN.9: /IN\b/i
_NULLS.9: /NULLS\b/i
_NULL.9: /NULL\b/i
_TRUE.9: /TRUE\b/i
_FALSE.9: /FALSE\b/i
_COUNT_ALL.9: /COUNT\s*\(\s*\)/i
_FIELDS.9: /FIELDS(?=\s*\()/i
FUNCTION.8: /(COUNT_DISTINCT|COUNT|SUM|AVG|MIN|MAX)(?=\s*\()/i
WHICH: /(ALL|STANDARD|CUSTOM)\b/i
OP: "!=" | "<>" | "<=" | ">=" | "=" | "<" | ">"
DIRECTION.9: /(ASC|DESC)\b/i
NULLS.9: /(FIRST|LAST)\b/i
NAME: /[A-Za-z]\w*/
SPAN: /[A-Za-z]\w*(:\d+)?/
STRING: /'(\\.|[^'\\])*'/
DATETIME.3: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)/i
DATE.2: /\d{4}-\d\d-\d\d/
SIGNED: /[+-]?\d+(\.\d+)?/
INT.1: /\d+/
%ignore /\s+/
"""
_LONGEST, _DEEPEST = 100_000, 60  # characters of a query (the service's own limit); levels of brackets and NOT
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}

Operator = Literal["=", "!=", "<", "<=", ">", ">="]
LiteralKind = Literal["text", "instant", "day", "number", "null", "boolean", "span"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A literal; an instant is kept in the text form the records use, so that the two compare as text.

    A span is a date literal (TODAY) in upper case: what it means depends on when the query is asked.
    """

    kind: LiteralKind
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """`path op value`."""

    path: tuple[str, ...]
    op: Operator
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Like:
    """`path LIKE pattern`."""

    path: tuple[str, ...]
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """`path [NOT] IN (...)`."""

    path: tuple[str, ...]
    values: tuple[Value, ...]
    negated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """`NOT cond`."""

    cond: Cond


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    """`cond AND cond ...`."""

    conds: tuple[Cond, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """`cond OR cond ...`."""

    conds: tuple[Cond, ...]


Cond = Compare | Like | Within | Not | AllOf | AnyOf


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One sort key."""

    path: tuple[str, ...]
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """`FUNCTION(path) alias`; the alias may be empty."""

    function: str
    path: tuple[str, ...]
    alias: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """`FIELDS(which)`: ALL, STANDARD or CUSTOM."""

    which: str


Selected = tuple[str, ...] | Aggregate | Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query as written; names are as the caller spelt them. `selected` is empty for COUNT()."""

    sobject: str
    selected: tuple[Selected, ...] = ()
    group: tuple[tuple[str, ...], ...] = ()
    where: Cond | None = None
    order: tuple[Order, ...] = field(default_factory=tuple)
    limit: int | None = None
    offset: int = 0

    @property
    def columns(self) -> tuple[tuple[str, ...], ...]:
        """The plain columns asked for, without aggregates and FIELDS()."""
        return tuple(item for item in self.selected if isinstance(item, tuple))


@v_args(inline=True)
class _Build(Transformer[Token, Query]):
    def path(self, *names: Token) -> tuple[str, ...]:
        return tuple(str(name) for name in names)

    def count(self) -> tuple[Selected, ...]:
        return ()

    def columns(self, *items: Selected) -> tuple[Selected, ...]:
        return items

    def aggregate(self, function: Token, path: tuple[str, ...], alias: Token | None) -> Selected:
        return Aggregate(function=str(function).upper(), path=path, alias="" if alias is None else str(alias))

    def fields(self, which: Token) -> Selected:
        return Fields(which=str(which).upper())

    def group(self, *paths: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        return paths

    def span(self, token: Token) -> Value:
        literal = str(token).upper()
        span_of(literal, date(2000, 1, 1))  # raises for a literal nobody knows
        return Value(kind="span", value=literal)

    def text(self, token: Token) -> Value:
        return Value(kind="text", value=_unquoted(token))

    def instant(self, token: Token) -> Value:
        return Value(kind="instant", value=salesforce(datetime.fromisoformat(str(token)).astimezone(UTC)))

    def day(self, token: Token) -> Value:
        return Value(kind="day", value=date.fromisoformat(str(token)).isoformat())

    def number(self, token: Token) -> Value:
        return Value(kind="number", value=float(token))

    def null(self) -> Value:
        return Value(kind="null", value=None)

    def true(self) -> Value:
        return Value(kind="boolean", value=True)

    def false(self) -> Value:
        return Value(kind="boolean", value=False)

    def compare(self, path: tuple[str, ...], op: Token, value: Value) -> Cond:
        sign: Any = "!=" if str(op) == "<>" else str(op)
        return Compare(path=path, op=sign, value=value)

    def like(self, path: tuple[str, ...], token: Token) -> Cond:
        return Like(path=path, pattern=_unquoted(token, keep_wildcards=True))

    def within(self, path: tuple[str, ...], *values: Value) -> Cond:
        return Within(path=path, values=values, negated=False)

    def not_within(self, path: tuple[str, ...], *values: Value) -> Cond:
        return Within(path=path, values=values, negated=True)

    def negated(self, cond: Cond) -> Cond:
        return Not(cond=cond)

    def all_of(self, *conds: Cond) -> Cond:
        return AllOf(conds=conds)

    def any_of(self, *conds: Cond) -> Cond:
        return AnyOf(conds=conds)

    def order(self, path: tuple[str, ...], direction: Token | None, nulls: Token | None) -> Order:
        descending = direction is not None and str(direction).lower() == "desc"
        last = nulls is not None and str(nulls).lower() == "last"
        return Order(path=path, descending=descending, nulls_last=last)

    def query(self, selected: tuple[Selected, ...], sobject: Token, where: Cond | None, *rest: Any) -> Query:
        group, *orders, limit, offset = rest
        return Query(
            sobject=str(sobject),
            selected=selected,
            where=where,
            group=group or (),
            order=tuple(order for order in orders if order is not None),
            limit=None if limit is None else int(limit),
            offset=0 if offset is None else int(offset),
        )


_PARSER = Lark(_GRAMMAR, start="query", parser="lalr", maybe_placeholders=True)


@lru_cache(maxsize=256)
def parse(text: str) -> Query:
    """Return the query; raises RefusedCall (MALFORMED_QUERY) for text outside the subset."""
    if len(text) > _LONGEST:
        raise malformed_query(f"SOQL statements cannot be longer than {_LONGEST} characters")
    if _depth(text) > _DEEPEST:
        raise malformed_query("the condition is nested too deeply")
    try:
        tree = _PARSER.parse(text)
        return _Build().transform(tree)
    except UnexpectedInput as error:
        near = text[max(0, getattr(error, "pos_in_stream", 0) or 0) :][:20]
        raise malformed_query(f"unexpected token: '{near.split(' ')[0]}'") from error
    except VisitError as error:  # a literal of the right form that means nothing, such as month 13
        raise malformed_query(f"invalid literal: {error.orig_exc}") from error


def _depth(text: str) -> int:
    """Return how deep brackets and NOTs are nested at most (a little too much where both mix)."""
    depth = deepest = negations = 0
    for word in re.findall(r"[()]|\w+", re.sub(r"'(\\.|[^'\\])*'", "''", text)):
        if word.upper() == "NOT":
            negations += 1
        elif word not in {"(", ")"}:
            negations = 0
        depth += {"(": 1, ")": -1}.get(word, 0)
        deepest = max(deepest, depth + negations)
    return deepest


def _unquoted(token: Token, *, keep_wildcards: bool = False) -> str:
    out, text = [], iter(str(token)[1:-1])
    for char in text:
        if char != "\\":
            out.append(char)
            continue
        after = next(text, "")
        if keep_wildcards and after in "%_":
            out.append("\\" + after)
        else:
            out.append(_ESCAPES.get(after, after))
    return "".join(out)
