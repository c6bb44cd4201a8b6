"""Walking an org: pages of changed records in order, a cursor after each, histories fetched along.

Order and cursor are (SystemModstamp, Id). A finished walk leaves the org's own clock as its position and the
next one begins ten minutes before it, because a record can become visible that much after its stamp; what
was already read in that window is remembered by id and stamp and skipped, so an idle org costs one call per
object. The walk follows the org's query locator; when that dies (a new session), it asks anew from its
position.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson

from connectors.salesforce import soql
from connectors.salesforce.org import Org, Rows
from hub.errors import SourceBroken, SourceRefused

OVERLAP = timedelta(minutes=10)
# A stamp younger than this may come again on a second change within the same second.
_SETTLED = timedelta(seconds=2)
_REMEMBERED = 2_000
_NEVER = datetime.min.replace(tzinfo=UTC)  # stands for a stamp that cannot be read
IDS_PER_QUERY = 200  # 200 ids are about 5,500 characters of URL; Salesforce accepts 16,000
_ROWS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a walk got. `seen` maps ids read within the overlap to their stamps."""

    at: datetime | None = None
    seen: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, stored: Any) -> Position:
        """The position stored by `written`; anything else means: from the start."""
        try:
            return cls(at=datetime.fromisoformat(stored["at"]), seen=dict(stored["seen"]))
        except (TypeError, KeyError, ValueError):
            return cls()

    def written(self) -> dict[str, Any]:
        """Plain values for a cursor."""
        return {"at": self.at.isoformat() if self.at else None, "seen": dict(self.seen)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rows that are new since the position before, and the position that covers them.

    `total` is the number of rows of the whole walk as the org counted them when it began.
    """

    rows: tuple[dict[str, Any], ...]
    position: Position
    total: int


def walk(org: Org, fields: Sequence[str], sobject: str, position: Position, *conditions: str) -> Iterator[Batch]:
    """Batches of records changed since `position`, oldest change first; the last one ends the walk.

    Raises SourceError; batches already yielded stay valid.
    """
    order = ("SystemModstamp", "Id")
    began: datetime | None = None
    total = 0
    while True:
        since = position.at - OVERLAP if position.at else None
        bounds = () if since is None else (soql.compare("SystemModstamp", ">=", since),)
        rows = org.query(soql.select(fields, sobject, *conditions, *bounds, order=order))
        began = began or rows.at
        total = total or rows.total
        before = position.at
        while True:
            fresh = tuple(row for row in rows.rows if position.seen.get(str(row.get("Id"))) != _stamp(row))
            position = _advanced(position, rows, began, end=rows.next is None)
            yield Batch(rows=fresh, position=position, total=total)
            if rows.next is None:
                return
            following = _following(org, rows)
            if following is None:
                break
            rows = following
        if position.at == before:
            raise SourceBroken(
                f"{org.source}: the org drops its query cursors before they can be read",
                source=org.source,
                hint="another program signs in as the hub's user; give the hub a user of its own",
            )


def related(
    org: Org, fields: Sequence[str], sobject: str, parent: str, ids: Sequence[str], *conditions: str
) -> dict[str, list[dict[str, Any]]]:
    """Rows that belong to the given records, by the parent's id. Raises SourceError."""
    found: dict[str, list[dict[str, Any]]] = {}
    for start in range(0, len(ids), IDS_PER_QUERY):
        belongs = soql.within(parent, ids[start : start + IDS_PER_QUERY])
        for row in by_id(org, fields, sobject, belongs, *conditions):
            found.setdefault(str(row.get(parent)), []).append(row)
    return found


def by_id(
    org: Org, fields: Sequence[str], sobject: str, *conditions: str, with_deleted: bool = False
) -> Iterator[dict[str, Any]]:
    """All rows in the order of their ids, by keyset: a locator here would push out that of an outer walk.

    `with_deleted`: those in the recycle bin too. Raises SourceError.
    """
    last: tuple[str, ...] = ()
    while True:
        text = soql.select(fields, sobject, *conditions, *last, order=("Id",), limit=_ROWS)
        rows = org.query(text, with_deleted=with_deleted)
        yield from rows.rows
        if not rows.rows or (rows.next is None and len(rows.rows) < _ROWS):
            return
        last = (soql.compare("Id", ">", str(rows.rows[-1]["Id"])),)


def _following(org: Org, rows: Rows) -> Rows | None:
    """The next page, or None when the org no longer knows the locator."""
    # Only the path is used: the address of a next page must not decide where our session is sent.
    locator = urlsplit(str(rows.next)).path.rstrip("/").rsplit("/", 1)[-1]
    try:
        return org.page(locator)
    except SourceRefused as error:
        if "INVALID_QUERY_LOCATOR" in error.message:
            return None
        raise


def _advanced(before: Position, rows: Rows, began: datetime, *, end: bool) -> Position:
    """The position after a page. Stamps at or after `began` belong to changes made during the walk, which
    appear out of order; they never move the position, and the next walk reads them."""
    at = before.at
    stamps = [(_moment(_stamp(row)), row) for row in rows.rows]
    for moment, _ in stamps:
        if moment < began and (at is None or moment > at):
            at = moment
    if end:
        at = began if at is None else max(at, began)
    edge = at - OVERLAP if at else _NEVER
    seen = {id_: stamp for id_, stamp in before.seen.items() if _moment(stamp) >= edge}
    for moment, row in stamps:
        if moment >= edge and rows.at - moment >= _SETTLED:
            seen[str(row.get("Id"))] = _stamp(row)
    if len(seen) > _REMEMBERED:
        newest = sorted(seen.items(), key=lambda each: (_moment(each[1]), each[0]), reverse=True)
        seen = dict(newest[:_REMEMBERED])
    return Position(at=at, seen=seen)


def _stamp(row: Mapping[str, Any]) -> str:
    return str(row.get("SystemModstamp"))


def _moment(stamp: str) -> datetime:
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return _NEVER
    return moment if moment.tzinfo else _NEVER


def stored(positions: Mapping[str, Position]) -> str:
    """Cursor text of one or several walks."""
    return orjson.dumps({name: position.written() for name, position in sorted(positions.items())}).decode()


def restored(cursor: str | None, name: str) -> Position:
    """Position of one walk out of a cursor; from the start when the cursor does not know it."""
    if cursor is None:
        return Position()
    try:
        return Position.read(orjson.loads(cursor).get(name))
    except (orjson.JSONDecodeError, AttributeError):
        return Position()
