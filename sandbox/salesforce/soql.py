"""The part of SOQL the org understands; anything else is refused as Salesforce refuses it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Literal

from lark import Lark, Token, Transformer, UnexpectedInput, v_args
from lark.exceptions import VisitError

from sandbox.salesforce.errors import malformed_query
from sandbox.stamps import salesforce

_GRAMMAR = r"""
query: "SELECT"i selection "FROM"i NAME ["WHERE"i cond] ["ORDER"i "BY"i order ("," order)*] \
  ["LIMIT"i INT] ["OFFSET"i INT]
selection: "COUNT"i "(" ")" -> count
         | path ("," path)* -> columns
path: NAME ("." NAME)*
?cond: unit
     | unit ("AND"i unit)+ -> all_of
     | unit ("OR"i unit)+ -> any_of
?unit: "NOT"i unit -> negated
     | "(" cond ")"
     | comparison
comparison: path OP value -> compare
          | path "LIKE"i STRING -> like
          | path "IN"i "(" value ("," value)* ")" -> within
          | path "NOT"i "IN"i "(" value ("," value)* ")" -> not_within
order: path [DIRECTION] ["NULLS"i NULLS]
?value: STRING -> text
      | DATETIME -> instant
      | DATE -> day
      | SIGNED -> number
      | "NULL"i -> null
      | "TRUE"i -> true
      | "FALSE"i -> false
OP: "!=" | "<>" | "<=" | ">=" | "=" | "<" | ">"
DIRECTION: "ASC"i | "DESC"i
NULLS: "FIRST"i | "LAST"i
NAME: /[A-Za-z]\w*/i
STRING: /'(\\.|[^'\\])*'/
DATETIME.3: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)/i
DATE.2: /\d{4}-\d\d-\d\d/
SIGNED: /[+-]?\d+(\.\d+)?/
INT.1: /\d+/
%ignore /\s+/
"""
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}

Operator = Literal["=", "!=", "<", "<=", ">", ">="]
LiteralKind = Literal["text", "instant", "day", "number", "null", "boolean"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A literal; an instant is kept in the text form the records use, so that the two compare as text."""

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
class Query:
    """A query as written; names are as the caller spelt them. `columns` is empty for COUNT()."""

    sobject: str
    columns: tuple[tuple[str, ...], ...] = ()
    where: Cond | None = None
    order: tuple[Order, ...] = field(default_factory=tuple)
    limit: int | None = None
    offset: int = 0


@v_args(inline=True)
class _Build(Transformer[Token, Query]):
    def path(self, *names: Token) -> tuple[str, ...]:
        return tuple(str(name) for name in names)

    def count(self) -> tuple[tuple[str, ...], ...]:
        return ()

    def columns(self, *paths: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        return paths

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

    def query(self, columns: tuple[tuple[str, ...], ...], sobject: Token, where: Cond | None, *rest: Any) -> Query:
        *orders, limit, offset = rest
        return Query(
            sobject=str(sobject),
            columns=columns,
            where=where,
            order=tuple(order for order in orders if order is not None),
            limit=None if limit is None else int(limit),
            offset=0 if offset is None else int(offset),
        )


_PARSER = Lark(_GRAMMAR, start="query", parser="lalr", maybe_placeholders=True)


@lru_cache(maxsize=256)
def parse(text: str) -> Query:
    """Return the query; raises RefusedCall (MALFORMED_QUERY) for text outside the subset."""
    try:
        tree = _PARSER.parse(text)
        return _Build().transform(tree)
    except UnexpectedInput as error:
        near = text[max(0, getattr(error, "pos_in_stream", 0) or 0) :][:20]
        raise malformed_query(f"unexpected token: '{near.split(' ')[0]}'") from error
    except VisitError as error:  # a literal of the right form that means nothing, such as month 13
        raise malformed_query(f"invalid literal: {error.orig_exc}") from error


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
