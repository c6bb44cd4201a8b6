"""The part of JQL the site understands, as values; anything else is refused as Jira refuses it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput, v_args

from sandbox.jira.errors import bad_jql

_GRAMMAR = r"""
query: [either] ["ORDER"i "BY"i sort ("," sort)*]
?either: both (("OR"i | "||") both)*
?both: unit (("AND"i | "&&") unit)*
?unit: ("NOT"i | "!") unit -> negated
     | "(" either ")"
     | clause
clause: name OP operand -> compare
      | name "IN"i operands -> within
      | name "NOT"i "IN"i operands -> outside
      | name "IS"i EMPTY -> empty
      | name "IS"i "NOT"i EMPTY -> filled
      | name "WAS"i operand predicate* -> was
      | name "WAS"i "NOT"i operand predicate* -> was_not
      | name "WAS"i "IN"i operands predicate* -> was_in
      | name "WAS"i "NOT"i "IN"i operands predicate* -> was_not_in
      | name "CHANGED"i predicate* -> changed
predicate: MOMENT operand -> predicate
         | "BY"i operands -> by
         | "FROM"i operands -> left
         | "TO"i operands -> reached
         | "DURING"i "(" operand "," operand ")" -> during
operands: "(" operand ("," operand)* ")"
        | operand
?operand: STRING -> text
        | EMPTY -> nothing
        | word "(" [argument ("," argument)*] ")" -> call
        | word -> bare
?argument: STRING -> text
         | word -> bare
name: STRING | WORD
word: WORD
sort: name [DIRECTION]
OP: "!=" | "!~" | "<=" | ">=" | "=" | "<" | ">" | "~"
DIRECTION: "ASC"i | "DESC"i
MOMENT: "AFTER"i | "BEFORE"i | "ON"i
EMPTY.2: /(?:EMPTY|NULL)(?![^\s"'(),=!<>~&|])/i
STRING: /"(\\.|[^"\\])*"/ | /'(\\.|[^'\\])*'/
WORD: /[^\s"'(),=!<>~&|]+/i
%ignore /\s+/
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """A value as written: text (quoted or bare), a function with its arguments, or EMPTY."""

    text: str = ""
    function: str = ""
    arguments: tuple[str, ...] = ()
    empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicate:
    """What narrows down a look into history: `after`, `before`, `on`, `during`, `by`, `from` or `to`."""

    word: str
    values: tuple[Operand, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """`field operator values`; `in` and `not in` are operators as well, and the words about history."""

    field: str
    op: str
    values: tuple[Operand, ...]
    predicates: tuple[Predicate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """`NOT cond`."""

    cond: Cond


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """`cond AND cond ...`."""

    conds: tuple[Cond, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Either:
    """`cond OR cond ...`."""

    conds: tuple[Cond, ...]


Cond = Clause | Not | Both | Either


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """One sort key."""

    field: str
    descending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Jql:
    """A query as written; `where` None means unbounded."""

    where: Cond | None
    order: tuple[Sort, ...]


@v_args(inline=True)
class _Build(Transformer[Token, Jql]):
    def name(self, token: Token) -> str:
        return _plain(token)

    def word(self, token: Token) -> str:
        return str(token)

    def text(self, token: Token) -> Operand:
        return Operand(text=_plain(token))

    def bare(self, word: str) -> Operand:
        return Operand(text=word)

    def nothing(self, _: Token) -> Operand:
        return Operand(empty=True)

    def call(self, word: str, *arguments: Operand | None) -> Operand:
        given = tuple(argument.text for argument in arguments if argument is not None)
        return Operand(function=word, arguments=given)

    def operands(self, *values: Operand) -> tuple[Operand, ...]:
        return values

    def compare(self, name: str, op: Token, value: Operand) -> Cond:
        return Clause(field=name, op=str(op), values=(value,))

    def within(self, name: str, values: tuple[Operand, ...]) -> Cond:
        return Clause(field=name, op="in", values=values)

    def outside(self, name: str, values: tuple[Operand, ...]) -> Cond:
        return Clause(field=name, op="not in", values=values)

    def empty(self, name: str, _: Token) -> Cond:
        return Clause(field=name, op="=", values=(Operand(empty=True),))

    def filled(self, name: str, _: Token) -> Cond:
        return Clause(field=name, op="!=", values=(Operand(empty=True),))

    def predicate(self, word: Token, value: Operand) -> Predicate:
        return Predicate(word=str(word).lower(), values=(value,))

    def by(self, values: tuple[Operand, ...]) -> Predicate:
        return Predicate(word="by", values=values)

    def left(self, values: tuple[Operand, ...]) -> Predicate:
        return Predicate(word="from", values=values)

    def reached(self, values: tuple[Operand, ...]) -> Predicate:
        return Predicate(word="to", values=values)

    def during(self, first: Operand, last: Operand) -> Predicate:
        return Predicate(word="during", values=(first, last))

    def was(self, name: str, value: Operand, *predicates: Predicate) -> Cond:
        return Clause(field=name, op="was", values=(value,), predicates=predicates)

    def was_not(self, name: str, value: Operand, *predicates: Predicate) -> Cond:
        return Clause(field=name, op="was not", values=(value,), predicates=predicates)

    def was_in(self, name: str, values: tuple[Operand, ...], *predicates: Predicate) -> Cond:
        return Clause(field=name, op="was in", values=values, predicates=predicates)

    def was_not_in(self, name: str, values: tuple[Operand, ...], *predicates: Predicate) -> Cond:
        return Clause(field=name, op="was not in", values=values, predicates=predicates)

    def changed(self, name: str, *predicates: Predicate) -> Cond:
        return Clause(field=name, op="changed", values=(), predicates=predicates)

    def negated(self, cond: Cond) -> Cond:
        return Not(cond=cond)

    def both(self, *conds: Cond) -> Cond:
        return Both(conds=conds)

    def either(self, *conds: Cond) -> Cond:
        return Either(conds=conds)

    def sort(self, name: str, direction: Token | None) -> Sort:
        return Sort(field=name, descending=direction is not None and str(direction).lower() == "desc")

    def query(self, where: Cond | None, *sorts: Any) -> Jql:
        return Jql(where=where, order=tuple(sort for sort in sorts if sort is not None))


_DEEPEST = 150  # brackets, or negations: far beyond what people write, within what Python's stack holds
_NEGATIONS = re.compile(r"(?:(?:!(?![=~])|\bnot\b)[\s(]*)+", re.IGNORECASE)
_NEGATION = re.compile(r"!(?![=~])|\bnot\b", re.IGNORECASE)
_PARSER = Lark(_GRAMMAR, start="query", parser="lalr", maybe_placeholders=True)


@lru_cache(maxsize=256)
def parse(text: str) -> Jql:
    """Return the query; raises RefusedCall (400) for text outside the subset, or nested too deeply."""
    if _depth(text) > _DEEPEST:
        raise bad_jql("Error in the JQL Query: The query is too complex.")
    try:
        tree = _PARSER.parse(text)
    except UnexpectedInput as error:
        raise bad_jql(_words(text, error)) from error
    return _Build().transform(tree)


def _depth(text: str) -> int:
    """Return a bound of how deeply a query is nested, by its brackets and negations."""
    steps = accumulate(1 if letter == "(" else -1 for letter in text if letter in "()")
    runs = (len(_NEGATION.findall(run)) for run in _NEGATIONS.findall(text))
    return max(max(steps, default=0), max(runs, default=0))


def _words(text: str, error: UnexpectedInput) -> str:
    line, column = max(1, getattr(error, "line", 1) or 1), max(1, getattr(error, "column", 1) or 1)
    met = getattr(error, "token", None)
    seen = str(met) if met is not None and getattr(met, "type", "") != "$END" else text[error.pos_in_stream or 0 :][:20]
    what = f"Expecting something other than '{seen}'" if seen.strip() else "Unexpected end of the query"
    return f"Error in the JQL Query: {what}. (line {line}, character {column})"


def _plain(token: Token) -> str:
    text = str(token)
    if text[:1] in {'"', "'"}:
        return text[1:-1].replace('\\"', '"').replace("\\'", "'").replace("\\\\", "\\")
    return text
