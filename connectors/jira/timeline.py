"""The life of one field out of a changelog: first value, every change, a check against today. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from connectors.jira.values import Json, Unreadable, account_list, day, moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One changed field: when (UTC), by which account, and both values (None: empty)."""

    at: datetime
    actor: str | None
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A value that began to hold at `at`; `known_how` is an origin of observations."""

    value: str | None
    at: datetime
    actor: str | None
    origin: str


# How the two ends of a changelog item are read: `from`/`to` hold ids, `fromString`/`toString` the words.
End = Callable[[object, object], str | None]


def by_words(_: object, words: object) -> str | None:
    """Value of a field that is text."""
    return str(words).strip() or None if words is not None else None


def by_account(native: object, _: object) -> str | None:
    """Value of a field of accounts."""
    return account_list(native)


def by_day(native: object, words: object) -> str | None:
    """Value of a date field."""
    return day(native) or day(words)


def by_field(changelog: Iterable[Json]) -> Mapping[str, list[tuple[datetime, str | None, Json]]]:
    """Changelog items by field id, oldest first. Raises Unreadable."""
    found: dict[str, list[tuple[datetime, str | None, Json]]] = {}
    entries = []
    for entry in changelog:
        at = moment(entry.get("created"), "created of a changelog entry")
        number = str(entry.get("id", ""))
        entries.append((at, len(number), number, entry))
    for at, _, _, entry in sorted(entries, key=lambda e: e[:3]):
        actor = account_id(entry.get("author"))
        items = entry.get("items")
        if not isinstance(items, list):
            raise Unreadable("a changelog entry without items")
        for item in items:
            # entries written before fields had ids carry the name alone, which for built-in fields is the id
            field = item.get("fieldId") or item.get("field")
            found.setdefault(str(field), []).append((at, actor, item))
    return found


def account_id(user: object) -> str | None:
    """The account id of a user object; None for nobody and for deleted people without an id."""
    return str(user["accountId"]) if isinstance(user, dict) and user.get("accountId") else None


def changes(items: Iterable[tuple[datetime, str | None, Json]], end: End) -> tuple[Change, ...]:
    """The changes of one field, those that change nothing left out."""
    read = (
        Change(
            at=at,
            actor=actor,
            before=end(item.get("from"), item.get("fromString")),
            after=end(item.get("to"), item.get("toString")),
        )
        for at, actor, item in items
    )
    return tuple(change for change in read if change.before != change.after)


def life(
    told: tuple[Change, ...],
    *,
    current: str | None,
    created: datetime,
    creator: str | None,
    updated: datetime,
) -> tuple[Moment, ...]:
    """Every value the field has held, oldest first.

    Creation leaves no changelog entry, so the first value is what the first change took away, or else today's.
    When the record read with the changelog holds something the changelog does not explain (a renamed status,
    an import), that value follows as a snapshot; a changelog younger than the record is simply believed.
    """
    first = told[0].before if told else current
    moments = [Moment(value=first, at=created, actor=creator, origin="history")]
    moments += [Moment(value=c.after, at=c.at, actor=c.actor, origin="history") for c in told]
    last = moments[-1]
    if last.value != current and last.at <= updated:
        moments.append(Moment(value=current, at=updated, actor=None, origin="snapshot"))
    return tuple(moments)
