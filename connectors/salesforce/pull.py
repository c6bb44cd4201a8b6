"""Walking an org: pages of changed records in order, a cursor after each, histories fetched along.

Order and cursor are (SystemModstamp, Id). A finished walk leaves the org's own clock at its beginning as its
position and the next one begins ten minutes before it, because a record can become visible that much after its
stamp; what was already read in that window is remembered by id and stamp and skipped, so an idle org costs one
call per object. The walk follows the org's query locator; when that dies (a new session), or the hub was stopped,
it asks anew behind the last record it gave out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
_ORDER = ("SystemModstamp", "Id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far the walks of an object got.

    A finished walk leaves `at`, the org's clock when it began; `seen` maps ids read within the overlap to their
    stamps. An unfinished one adds when it `began` and the `key` (stamp, id) of the last record it gave out, or
    the `job` (id, locator of the next page) of a first load in bulk.
    """

    at: datetime | None = None
    seen: Mapping[str, str] = field(default_factory=dict)
    began: datetime | None = None
    key: tuple[datetime, str] | None = None
    job: tuple[str, str] | None = None

    @classmethod
    def read(cls, stored: Any) -> Position:
        """The position stored by `written`; anything else means: from the start."""
        try:
            at, key, began, job = (stored.get(name) for name in ("at", "key", "began", "job"))
            return cls(
                at=datetime.fromisoformat(at) if at else None,
                seen=dict(stored["seen"]),
                began=datetime.fromisoformat(began) if began else None,
                key=(datetime.fromisoformat(key[0]), str(key[1])) if key else None,
                job=(str(job[0]), str(job[1])) if job else None,
            )
        except (TypeError, KeyError, ValueError, AttributeError, IndexError):
            return cls()

    def written(self) -> dict[str, Any]:
        """Plain values for a cursor."""
        written: dict[str, Any] = {"at": self.at.isoformat() if self.at else None, "seen": dict(self.seen)}
        if self.began:
            written["began"] = self.began.isoformat()
        if self.key:
            written["key"] = [self.key[0].isoformat(), self.key[1]]
        if self.job:
            written["job"] = list(self.job)
        return written

    @property
    def untouched(self) -> bool:
        """Whether nothing was read yet."""
        return self.at is None and self.began is None


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
    total = 0
    while True:
        rows = org.query(soql.select(fields, sobject, *conditions, *_bounds(position), order=_ORDER))
        opened = rows.at
        if position.began is None:
            position = replace(position, began=opened)
        total = total or rows.total
        before = position.key
        while True:
            fresh = tuple(row for row in rows.rows if position.seen.get(str(row.get("Id"))) != _stamp(row))
            position = _advanced(position, rows, opened, end=rows.next is None)
            yield Batch(rows=fresh, position=position, total=total)
            if rows.next is None:
                return
            following = _following(org, rows)
            if following is None:
                break
            rows = following
        if position.key == before:
            raise SourceBroken(
                f"{org.source}: the org drops its query cursors before they can be read",
                source=org.source,
                hint="another program signs in as the hub's user; give the hub a user of its own",
                remedy="fix configuration",
            )


def _bounds(position: Position) -> tuple[str, ...]:
    """Where a query begins: behind the last record of an unfinished walk, or before the end of a finished one."""
    if position.key is not None:
        return soql.behind(*position.key)
    if position.at is None:
        return ()
    return (soql.compare("SystemModstamp", ">=", position.at - OVERLAP),)


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


def _advanced(before: Position, rows: Rows, opened: datetime, *, end: bool) -> Position:
    """The position after a page. Stamps at or after the opening of the query belong to changes made during the
    walk, which appear out of order; they never move the key, and the next walk reads them. It begins before the
    beginning of this one, so whatever became visible behind our back meanwhile lies within it."""
    stamps = [(_moment(_stamp(row)), row) for row in rows.rows]
    passed = [(moment, str(row.get("Id"))) for moment, row in stamps if _NEVER < moment < opened]
    key = max([*passed, *([before.key] if before.key else [])], default=None)
    began = before.began or opened
    edge = began - OVERLAP
    seen = {id_: stamp for id_, stamp in before.seen.items() if _moment(stamp) >= edge}
    for moment, row in stamps:
        if moment >= edge and rows.at - moment >= _SETTLED:
            seen[str(row.get("Id"))] = _stamp(row)
    if len(seen) > _REMEMBERED:
        newest = sorted(seen.items(), key=lambda each: (_moment(each[1]), each[0]), reverse=True)
        seen = dict(newest[:_REMEMBERED])
    if end:
        return Position(at=began if before.at is None else max(before.at, began), seen=seen)
    return replace(before, seen=seen, began=began, key=key)


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
