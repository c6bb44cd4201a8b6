"""What is in a list, what is said to be deleted, and what a direct read says about single records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.base import Absence
from connectors.rest import parse
from connectors.rest.places import ABSENT, Unreadable, at, moment
from connectors.rest.web import Web
from hub.charter.sources import RestDeleted, RestStream
from hub.errors import SourceBroken

# Deletions are read again for this long: they may be listed later than their time says.
_OVERLAP = timedelta(minutes=10)


def ids(web: Web, stream: RestStream) -> Iterator[str] | None:
    """Ids of everything in the list, page by page; None where the list is paged by position, which may step over
    a record. Raises SourceError, also for a record whose id cannot be read: such a list is not complete."""
    if stream.paging.kind in {"offset", "page"}:
        return None
    return _ids(web, stream)


def _ids(web: Web, stream: RestStream) -> Iterator[str]:
    for records, _ in web.walk(stream, {}):
        for record in records:
            try:
                yield parse.native_id(record, stream)
            except Unreadable as error:
                raise SourceBroken(
                    f"{web.source}: {stream.path} lists {error}",
                    source=web.source,
                    hint="check `id` in the charter",
                    remedy="fix configuration",
                ) from None


def prove(web: Web, stream: RestStream, ids: Sequence[str], *, now: datetime) -> tuple[Absence, ...]:
    """By direct read: 404 and 410 are deleted, 403 is unreachable, a good reply with the same id is present.

    Raises SourceError for every other answer.
    """
    told: list[Absence] = []
    for native in ids if stream.record else ():
        response = web.single(stream.record or "", native)
        seen = web.date or now
        how = f"direct read answered {response.status_code}"
        if response.status_code in {404, 410}:
            told.append(Absence(record=native, kind="deleted", at=seen, evidence=how))
        elif response.status_code == 403:
            told.append(Absence(record=native, kind="unreachable", at=seen, evidence=how))
        elif _is(web.json(response), native, stream):
            told.append(Absence(record=native, kind="present", at=seen, evidence=how))
    return tuple(told)


def deletions(web: Web, stream: RestStream, cursor: str | None) -> tuple[tuple[Absence, ...], str | None]:
    """What the list of deleted records holds since the cursor (the time of the latest one told), with an overlap.

    An entry without a readable id or time tells nothing and does not move the cursor.
    """
    if stream.deleted is None:
        return (), None
    since = datetime.fromisoformat(cursor) if cursor else None
    told: list[Absence] = []
    bound: datetime | None = None
    for records, _ in web.walk(stream, stream.deleted.params):
        bound = bound or web.date
        for record in records:
            gone = _gone(record, stream, stream.deleted)
            if gone is not None and (since is None or gone.at > since - _OVERLAP):
                told.append(gone)
    latest = max((each.at for each in told), default=since)
    if latest is not None and bound is not None:
        latest = min(latest, bound)
    return tuple(told), latest.astimezone(UTC).isoformat() if latest else None


def _gone(record: Any, stream: RestStream, deleted: RestDeleted) -> Absence | None:
    try:
        native = parse.native_id(record, stream)
        when = moment(at(record, deleted.at), deleted.at)
    except Unreadable:
        return None
    return Absence(record=native, kind="deleted", at=when, evidence=f"in the list of deleted records, {deleted.at}")


def _is(record: Any, native: str, stream: RestStream) -> bool:
    found = at(record, stream.id)
    return found is not ABSENT and str(found) == native
