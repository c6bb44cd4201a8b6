"""Observations out of one record as the charter describes it. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from connectors.references import find_in_field, normalise
from connectors.rest.places import ABSENT, Json, Unreadable, at, flag, moment, people, text, words
from hub.charter.sources import RestAccounts, RestListing, RestStream
from hub.domain.records import Entity, Field, Observation, Origin


def native_id(record: Any, listing: RestListing) -> str:
    """The id of a record. Raises Unreadable."""
    found = at(record, listing.id) if isinstance(record, dict) else ABSENT
    native = None if found is ABSENT else text(found, f"the id ({listing.id})")
    if native is None:
        raise Unreadable(f"a record without an id ({listing.id})")
    return native


def modified(record: Json, place: str) -> datetime:
    """When the record last changed. Raises Unreadable."""
    return moment(_held(record, place), f"the modified time ({place})")


def places(stream: RestStream) -> tuple[str, ...]:
    """Every place in a record that the charter gives a meaning, each once."""
    named = (
        stream.title, stream.status, stream.phase, stream.owner, stream.due, *stream.identifiers, *stream.references,
        stream.updates.records if stream.updates else None, stream.modified, stream.created,
    )  # fmt: skip
    return tuple(dict.fromkeys(place for place in named if place))


def item(record: Json, stream: RestStream, *, source: str, raw: str) -> tuple[Observation, ...]:
    """What a record says now. A list keeps no history, so every value is a snapshot as of its last change.

    A place that is missing is unreadable and not empty (unless the charter says that this service leaves empty
    fields out): a renamed field must not look like work without an owner. Raises Unreadable.
    """
    native = native_id(record, stream)
    changed = modified(record, stream.modified)
    created = moment(_held(record, stream.created), f"the created time ({stream.created})") if stream.created else None
    told: list[Observation] = []
    link = stream.url.replace("{id}", native) if stream.url else ""

    def say(
        what: Field, value: str | None, part: str = "", since: datetime = changed, actor: str | None = None,
        origin: Origin = "snapshot",
    ) -> None:  # fmt: skip
        told.append(_observation(source, "item", native, what, value, since, origin, part, actor, raw, link))

    def held(place: str) -> Any:
        return _held(record, place, lenient=stream.absent_is_empty)

    say("identifier", native, part=native, since=created or changed)
    if link:
        say("url", link, since=created or changed)
    say("title", text(held(stream.title), stream.title))
    for what, place in (("status", stream.status), ("phase", stream.phase), ("due", stream.due)):
        if place:
            value = text(held(place), place)
            say(what, _day(held(place), place) if value and what == "due" else value)  # type: ignore[arg-type]  # mypy widens the literal in a tuple
    if stream.owner:
        say("owner", people(held(stream.owner), stream.owner))
    # One observation per field: what it no longer names is withdrawn with its next value.
    for place in stream.identifiers:
        tokens = dict.fromkeys(normalise(word) for word in words(held(place), place))
        say("identifier", "\n".join(tokens) or None, part=place)
    for place in stream.references:
        found = dict.fromkeys(token for word in words(held(place), place) for token in find_in_field(word))
        say("reference", "\n".join(found) or None, part=place)
    if stream.updates:
        for one in held(stream.updates.records) or ():
            news = text(_held(one, stream.updates.text), stream.updates.text)
            part = text(_held(one, stream.updates.id), stream.updates.id)
            if part is None:
                raise Unreadable(f"an update without an id ({stream.updates.id})")
            by = people(_held(one, stream.updates.by), stream.updates.by) if stream.updates.by else None
            when = moment(_held(one, stream.updates.at), f"the time of an update ({stream.updates.at})")
            if news:
                say("update", news, part, when, by, "event")
                say("activity", news, "", when, by, "event")
    return tuple(told)


def account(
    record: Json, listing: RestAccounts, *, source: str, seen: datetime, raw: str, gone: bool = False
) -> tuple[Observation, ...]:
    """What is known of a person; `seen` (the service's clock) where the listing has no modified stamp, `gone` when
    the record came from the listing of deleted ones. Raises Unreadable."""
    native = native_id(record, listing)
    if gone and listing.deleted:
        since = moment(_held(record, listing.deleted.at), f"the time of deletion ({listing.deleted.at})")
    else:
        since = modified(record, listing.modified) if listing.modified else seen
    parts = [text(_held(record, place), place) for place in listing.name]
    left = gone or (flag(_held(record, listing.inactive), listing.inactive) if listing.inactive else False)
    said: list[tuple[Field, str | None]] = [
        ("name", " ".join(part for part in parts if part) or None),
        ("email", text(_held(record, listing.email), listing.email) if listing.email else None),
        ("active", "false" if left else "true"),
        ("kind", "person"),
    ]
    return tuple(
        _observation(source, "account", native, what, value, since, "snapshot", "", None, raw, "")
        for what, value in said
        if value is not None
    )


def _held(record: Any, place: str, *, lenient: bool = False) -> Any:
    value = at(record, place)
    if value is ABSENT:
        if lenient:
            return None
        raise Unreadable(f"the record has no field {place}")
    return value


def _day(value: Any, place: str) -> str:
    written = str(value).strip()
    if len(written) >= 10 and written[4:5] == "-":
        return written[:10]
    return moment(value, place).date().isoformat()


def _observation(
    source: str, entity: Entity, record: str, what: Field, value: str | None, since: datetime, origin: Origin,
    part: str, actor: str | None, raw: str, link: str,
) -> Observation:  # fmt: skip
    return Observation(
        source=source, entity=entity, record=record, field=what, value=value, valid_from=since, origin=origin,
        part=part, actor=actor, raw=raw, evidence=link,
    )  # fmt: skip
