"""What of a condition the store itself can look up: bounds of the time of change, and a project."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.jira.conditions import Conditions, field_of
from sandbox.jira.dates import Asker, instant
from sandbox.jira.jql import Both, Clause, Cond
from sandbox.stamps import stamp

_LOW, _HIGH = frozenset({">", ">=", "="}), frozenset({"<", "<=", "="})
_BIT, _TICK = timedelta(milliseconds=1), timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """Bounds of the stamp (both included) and the project's key; `whole` when the condition says nothing else."""

    since: str | None = None
    until: str | None = None
    parent: str | None = None
    whole: bool = False


def narrowed(where: Cond | None, conditions: Conditions, asker: Asker, *, by_project: bool) -> Narrowed:
    """Return the part of the store the condition concerns; with `by_project` one project's issues by their parent.

    Raises RefusedCall for what the condition gets wrong.
    """
    clauses, whole = required(where)
    since = until = parent = None
    for clause in clauses:
        field = field_of(clause)
        if by_project and field == "project" and clause.op in {"=", "in"} and parent is None:
            keys = conditions.project_keys(clause)
            parent = keys[0] if len(keys) == 1 else None
            whole = whole and parent is not None
            continue
        found = _bounds(field, clause, asker)
        if found is None:
            whole = False
            continue
        low, high = found
        whole = whole and field == "updated"
        if low is not None:
            since = low if since is None else max(since, low)
        if high is not None:
            until = high if until is None else min(until, high)
    return Narrowed(since=since, until=until, parent=parent, whole=whole)


def required(where: Cond | None) -> tuple[list[Clause], bool]:
    """Return the clauses an issue must fulfil, and whether that is all it must fulfil."""
    if where is None:
        return [], True
    if isinstance(where, Clause):
        return [where], True
    if not isinstance(where, Both):
        return [], False
    parts = [required(cond) for cond in where.conds]
    return [clause for clauses, _ in parts for clause in clauses], all(whole for _, whole in parts)


def _bounds(field: str, clause: Clause, asker: Asker) -> tuple[str | None, str | None] | None:
    """Return the stamps between which a clause of a time can be fulfilled; None for any other clause.

    Stamps have microseconds, what is compared has milliseconds.
    """
    if field not in {"updated", "created"} or clause.op not in _LOW | _HIGH or clause.values[0].empty:
        return None
    bound = instant(clause.values[0], asker)
    if not 1000 <= bound.year < 9999:  # such a year is not written in four digits, or has none after it
        return None
    floor = bound - timedelta(microseconds=bound.microsecond % 1000)
    ceiling = floor if floor == bound else floor + _BIT
    low = high = None
    if clause.op in _LOW:
        low = floor + _BIT if clause.op == ">" else ceiling
    if clause.op in _HIGH and field == "updated":  # an issue is never updated before it is created
        high = (ceiling if clause.op == "<" else floor + _BIT) - _TICK
    return _written(low), _written(high)


def _written(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)
