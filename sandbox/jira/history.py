"""Conditions about what an issue was: `WAS`, `WAS IN`, `CHANGED`, read from its changelog."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.jira.dates import Asker, instant, whole_day
from sandbox.jira.errors import bad_jql
from sandbox.jira.jql import Clause, Operand
from sandbox.stamps import parsed
from sandbox.store import Store

Issue = Mapping[str, Any]
Test = Callable[[Issue], bool]
Names = Callable[[Operand], Any]
FIELDS = frozenset({"assignee", "status", "priority", "reporter", "resolution"})
_EVER = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    at: datetime
    by: str
    old: frozenset[Any]  # id and lower-case name of the value; empty for no value
    new: frozenset[Any]


def history_test(
    clause: Clause, field: str, asker: Asker, store: Store, space: str, *, names: Names, now: Callable[[Issue], Any]
) -> Test:
    """Return whether an issue fits; raises RefusedCall (400) for fields without searchable history.

    `names` understands a value of the field, `now` reads an issue's present value in the same form.
    """
    if field not in FIELDS:
        raise bad_jql(f"History searches do not support the '{clause.field}' field.")
    window = _window(clause, asker)
    authors = {_author(value, asker) for value in _given(clause, "by")}
    values = [_matcher(value, names) for value in clause.values]

    def changes(issue: Issue) -> Iterator[_Change]:
        for entry in store.find(space, "changelog", str(issue["id"])):
            for item in entry["items"]:
                if item.get("fieldId", item.get("field")) == field:
                    yield _Change(
                        at=parsed(entry["created"]),
                        by=str(entry.get("_author") or ""),
                        old=_forms(item.get("from"), item.get("fromString")),
                        new=_forms(item.get("to"), item.get("toString")),
                    )

    if clause.op == "changed":
        left = [_matcher(value, names) for value in _given(clause, "from")]
        reached = [_matcher(value, names) for value in _given(clause, "to")]
        return lambda issue: any(
            window[0] <= change.at <= window[1]
            and (not authors or change.by in authors)
            and (not left or any(fits(change.old) for fits in left))
            and (not reached or any(fits(change.new) for fits in reached))
            for change in changes(issue)
        )
    if any(predicate.word in {"from", "to"} for predicate in clause.predicates):
        raise bad_jql(f"The predicate 'from' or 'to' is not supported by the operator '{clause.op}'.")

    def was(issue: Issue) -> bool:
        present = now(issue)
        current = frozenset() if present is None else frozenset({present})
        for value, by, start, end in _spans(list(changes(issue)), current, parsed(issue["created"]), asker.now, issue):
            if start > window[1] or end < window[0] or (authors and by not in authors):
                continue
            if any(fits(value) for fits in values):
                return True
        return False

    return was if clause.op in {"was", "was in"} else lambda issue: not was(issue)


def _spans(
    changes: Sequence[_Change], current: frozenset[Any], created: datetime, now: datetime, issue: Issue
) -> Iterator[tuple[frozenset[Any], str, datetime, datetime]]:
    """Yield every value the issue had: the value, who set it, and from when to when."""
    value = changes[0].old if changes else current
    by, start = str(issue.get("_creator") or ""), created
    for change in changes:
        yield value, by, start, change.at - _INSTANT
        value, by, start = change.new, change.by, change.at
    yield value, by, start, max(start, now)


def _window(clause: Clause, asker: Asker) -> tuple[datetime, datetime]:
    first, last = _EVER
    for predicate in clause.predicates:
        if predicate.word == "after":
            first = max(first, instant(predicate.values[0], asker) + _INSTANT)
        elif predicate.word == "before":
            last = min(last, instant(predicate.values[0], asker) - _INSTANT)
        elif predicate.word == "on":
            start, end = whole_day(predicate.values[0], asker)
            first, last = max(first, start), min(last, end)
        elif predicate.word == "during":
            first = max(first, instant(predicate.values[0], asker))
            last = min(last, whole_day(predicate.values[1], asker)[1])
    return first, last


def _given(clause: Clause, word: str) -> list[Operand]:
    return [value for predicate in clause.predicates if predicate.word == word for value in predicate.values]


def _author(value: Operand, asker: Asker) -> str:
    return asker.account if value.function.lower() == "currentuser" else value.text


def _matcher(value: Operand, names: Names) -> Callable[[frozenset[Any]], bool]:
    if value.empty:
        return lambda forms: not forms
    meant = names(value)
    spelt = value.text.lower()
    return lambda forms: meant in forms or (bool(spelt) and spelt in forms)


def _forms(id_: Any, text: Any) -> frozenset[Any]:
    told = {str(id_)} if id_ not in {None, ""} else set()
    if text not in {None, ""}:
        told.add(str(text).lower())
    return frozenset(told)
