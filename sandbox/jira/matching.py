"""How a read value is compared with what a query says, and the refusals of what cannot be compared."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from sandbox.jira.errors import bad_jql
from sandbox.jira.jql import Clause, Operand
from sandbox.stamps import jira, parsed

Issue = Mapping[str, Any]
Test = Callable[[Issue], bool]
Read = Callable[[Issue], Any]
ORDERED = frozenset({"<", "<=", ">", ">="})


def sortable(time: str) -> str:
    """Return a kept time in a form whose order is that of the instants."""
    return time if time.endswith("+0000") else jira(parsed(time))


def word(value: Operand, clause: Clause, *, lower: bool = True) -> str:
    """Return what a value says; raises RefusedCall (400) for a function nobody knows."""
    if value.function:
        raise bad_jql(f"Unable to find JQL function '{value.function}({', '.join(value.arguments)})'.")
    return value.text.lower() if lower else value.text


def number(value: Operand, clause: Clause) -> float:
    """Return a number; raises RefusedCall (400) for what is none."""
    try:
        return float(word(value, clause))
    except ValueError as error:
        raise unknown_value(clause, value) from error


def dated(clause: Clause, read: Read, bound: Callable[[Operand], Any]) -> Test:
    """Return a test of a date field; `bound` understands a value. Raises RefusedCall (400) for other operators."""
    if clause.op in ORDERED:
        if clause.values[0].empty:
            raise unsupported(clause)
        return ordered(clause.op, read, bound(clause.values[0]))
    wanted = {None if value.empty else bound(value) for value in clause.values}
    if clause.op in {"=", "in"}:
        return lambda issue: read(issue) in wanted
    if clause.op in {"!=", "not in"}:
        return lambda issue: (value := read(issue)) not in wanted and (value is not None or None in wanted)
    raise unsupported(clause)


def ordered(op: str, read: Read, bound: Any) -> Test:
    """Return a test that compares what is read with a bound; an empty field passes none."""
    tests: dict[str, Callable[[Any], bool]] = {
        "<": lambda value: value < bound,
        "<=": lambda value: value <= bound,
        ">": lambda value: value > bound,
        ">=": lambda value: value >= bound,
    }
    passes = tests[op]
    return lambda issue: (value := read(issue)) is not None and passes(value)


def among_many(clause: Clause, read: Callable[[Issue], frozenset[Any]], wanted: set[Any]) -> Test:
    """Return a test of a field that holds several values."""
    empty, named = None in wanted, frozenset(wanted - {None})
    if clause.op in {"=", "in"}:
        return lambda issue: bool(read(issue) & named) or (empty and not read(issue))
    return lambda issue: not read(issue) & named and bool(read(issue))


def words_match(query: str) -> Callable[[str], bool]:
    """Return a test of a text: every word of the query occurs, `*` and `?` stand for letters, "..." is a phrase."""
    phrases = [phrase.lower().split() for phrase in re.findall(r'"([^"]*)"', query)]
    words = [word.lower() for word in re.sub(r'"[^"]*"', " ", query).split() if re.search(r"\w", word)]

    def matches(text: str) -> bool:
        held = re.findall(r"\w+", text.lower())
        spelt = set(text.lower().split()) | set(held)
        if not all(any(fnmatchcase(one, word.replace("[", "[[]")) for one in spelt) for word in words):
            return False
        return all(_has_phrase(held, phrase) for phrase in phrases)

    return matches


def _has_phrase(held: list[str], phrase: list[str]) -> bool:
    return any(held[place : place + len(phrase)] == phrase for place in range(len(held) - len(phrase) + 1))


def plain(value: Any) -> Any:
    """Return a kept value as queries compare it: an account id, or a text in small letters."""
    if isinstance(value, Mapping):
        return value.get("accountId") or str(value.get("value", value.get("name", ""))).lower()
    if isinstance(value, bool) or value is None:
        return value
    return str(value).lower() or None


def id_or_none(value: Any) -> str | None:
    """Return the id of a kept thing, None where there is none."""
    return str(value["id"]) if isinstance(value, Mapping) and value.get("id") else None


def last_if_empty(value: Any) -> tuple[bool, Any]:
    """Return what a value is ordered by; an empty one comes last."""
    if isinstance(value, frozenset):
        return (not value, " ".join(sorted(map(str, value))))
    if isinstance(value, (int, float)):
        return (False, value)
    return (value is None or value == "", "" if value is None else str(value).lower())


def unsupported(clause: Clause) -> Exception:
    """Return the refusal of an operator the field does not have."""
    return bad_jql(f"The operator '{clause.op}' is not supported by the '{clause.field}' field.")


def unknown_value(clause: Clause, value: Operand) -> Exception:
    """Return the refusal of a value the field does not know."""
    return bad_jql(f"The value '{value.text}' does not exist for the field '{clause.field}'.")
