"""What the store can narrow down by itself of a query's condition: a span of change, ids, parents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sandbox.salesforce.ids import eighteen
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.soql import AllOf, AnyOf, Compare, Cond, Within
from sandbox.stamps import parsed, stamp

_STAMPED = {"systemmodstamp", "lastmodifieddate", "createddate"}  # none of them is later than the stamp
_HISTORY = "017"  # rows of a history are never changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Every bound may let too much through, never too little; stamps are included, the id `above` is not.

    `whole` says that the bounds are all the condition demands but in the seconds of `edges`: a column shows
    its second as the stamp has it, and may differ in what follows.
    """

    since: str | None = None
    until: str | None = None
    ids: tuple[str, ...] | None = None
    parents: tuple[str, ...] | None = None
    above: str | None = None
    whole: bool = False
    edges: frozenset[str] = frozenset()


def stamp_column(sobject: SObject) -> str | None:
    """Return the column in whose order the store keeps the records of an object, or None where no column says it."""
    if sobject.prefix == _HISTORY:
        return "CreatedDate"
    if sobject.name.startswith("ProcessInstance") or sobject.column("SystemModstamp") is None:
        return None
    return "SystemModstamp"


def bounds_of(cond: Cond | None, sobject: SObject) -> Bounds:
    """Return what a condition (None: no condition) demands that an index can answer."""
    if cond is None:
        return Bounds(whole=True)
    if isinstance(cond, AllOf):
        return _both([bounds_of(part, sobject) for part in cond.conds])
    if isinstance(cond, AnyOf):
        since = [bounds_of(part, sobject).since for part in cond.conds]
        lowest = [bound for bound in since if bound is not None]
        return Bounds(since=min(lowest) if len(lowest) == len(since) else None)
    if isinstance(cond, Compare) and len(cond.path) == 1:
        if cond.value.kind == "instant" and cond.path[0].lower() in _STAMPED:
            return _stamp_bounds(cond, sobject)
        if cond.op == "=" and cond.value.kind == "text":
            return _key_bounds(cond.path[0], [cond.value.value], sobject)
        if cond.op in {">", ">="} and cond.value.kind == "text" and cond.path[0].lower() == "id":
            key = eighteen(cond.value.value)
            return Bounds(above=key if cond.op == ">" else key[:-1])
    if isinstance(cond, Within) and not cond.negated and len(cond.path) == 1:
        return _key_bounds(cond.path[0], [value.value for value in cond.values], sobject)
    return Bounds()


def _both(parts: Sequence[Bounds]) -> Bounds:
    return Bounds(
        since=max((part.since for part in parts if part.since), default=None),
        until=min((part.until for part in parts if part.until), default=None),
        ids=next((part.ids for part in parts if part.ids is not None), None),
        parents=next((part.parents for part in parts if part.parents is not None), None),
        above=max((part.above for part in parts if part.above), default=None),
        whole=all(part.whole for part in parts),
        edges=frozenset().union(*(part.edges for part in parts)),
    )


def _stamp_bounds(cond: Compare, sobject: SObject) -> Bounds:
    text = str(cond.value.value)
    second = text[:19]
    exact = cond.path[0].lower() == (stamp_column(sobject) or "").lower()
    begins = text[19:23] == ".000"  # the instant is the first of its second: the second is not broken
    if cond.op == "<" and begins and (until := _just_before(text)):
        return Bounds(until=until if exact else None, whole=exact)
    lower = f"{second}.000000Z" if cond.op in {">", ">=", "="} else None
    upper = f"{second}.999999Z" if exact and cond.op in {"<", "<=", "="} else None
    broken = frozenset() if cond.op == ">=" and begins else frozenset({second})
    return Bounds(since=lower, until=upper, whole=exact and cond.op != "!=", edges=broken if exact else frozenset())


def _just_before(text: str) -> str | None:
    try:
        return stamp(parsed(text) - timedelta(microseconds=1))
    except (ValueError, OverflowError):  # long before there were records
        return None


def _key_bounds(column: str, values: list[Any], sobject: SObject) -> Bounds:
    if not all(isinstance(value, str) for value in values):
        return Bounds()
    keys = tuple(dict.fromkeys(eighteen(value) for value in values))
    if column.lower() == "id":
        return Bounds(ids=keys)
    if sobject.parent is not None and column.lower() == sobject.parent.lower():
        return Bounds(parents=keys)
    return Bounds()
