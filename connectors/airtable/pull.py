"""Pulling collaborators, items and updates, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import orjson

from connectors.airtable import drift, parse, presence
from connectors.airtable.batch import Batch
from connectors.airtable.cells import Json, moment
from connectors.airtable.position import TICK, Position
from connectors.airtable.web import FieldUnknown, Web
from connectors.base import Absence
from hub.charter.sources import AirtableItems, AirtableSource, AirtableUpdates
from hub.domain.records import Observation, Page
from hub.errors import SourceRefused

COLLABORATORS = "collaborators"
ITEMS = "items"
UPDATES = "updates"


class Puller:
    """The pulls of one base. Accounts already told about are not told again by this puller."""

    def __init__(self, web: Web, source: AirtableSource) -> None:
        self._web = web
        self._base = source.base
        self._items = source.items
        self._updates = source.updates
        self._known: set[str] = set()

    def collaborators(self, cursor: str | None, *, now: datetime) -> Iterator[Page]:
        """One page of everybody who has access to the base, and of the table of people when owners are linked
        records. The cursor names them, so that one who is gone is told as no longer active.

        Where the plan does not let us list collaborators, they are met in the items alone.
        """
        own = self._web.me()
        owner = owner_field(self._web, self._items, fresh=True)
        listed = [{**one, "id": one.get("userId") or one.get("id")} for one in self._web.collaborators() or ()]
        if owner.get("type") == "multipleRecordLinks":
            listed += self._people_table(str((owner.get("options") or {}).get("linkedTableId")))
        held = Batch(self._web.source, COLLABORATORS, now)

        def read(user: Json, raw: str) -> parse.Parsed:
            return parse.Parsed(observations=self._account(user, own, raw, now, active=True), users=())

        for native, user in {str(one["id"]): one for one in listed}.items():
            held.take(native, "", user, read)
        if listed:
            before = set(orjson.loads(cursor)["present"]) if cursor else set()
            present = {str(one["id"]) for one in listed}
            for gone in sorted(before - present):
                held.observations += self._account({"id": gone}, own, "", now, active=False)
            self._known |= present
            cursor = orjson.dumps({"present": sorted(present)}).decode()
        yield held.page(cursor or '{"present":[]}')

    def ids(self, stream: str) -> Iterator[str] | None:
        """Ids of all records of a table; None for people, whose pull tells by itself who is gone."""
        if stream == ITEMS:
            items, _ = self._still(self._items)
            return presence.listed(self._web, items.table, items.modified or items.title or self._primary(items.table))
        if stream == UPDATES and self._updates is not None:
            updates, _ = self._still(self._updates)
            return presence.listed(self._web, updates.table, updates.at or self._primary(updates.table))
        return None

    def _primary(self, table: str) -> str:
        return str(self._web.tables().get(table, {}).get("primaryFieldId") or "")

    def prove(self, stream: str, ids: Sequence[str], *, now: datetime) -> tuple[Absence, ...]:
        """See `connectors.airtable.presence.proven`; nothing for people."""
        if stream == ITEMS:
            return presence.proven(self._web, self._items.table, ids, now=now)
        if stream == UPDATES and self._updates is not None:
            return presence.proven(self._web, self._updates.table, ids, now=now)
        return ()

    def fetch(self, stream: str, ids: Sequence[str], *, now: datetime) -> Iterator[Page]:
        """These records as they are now, without a cursor; who is gone does not come. People come all at once:
        the service has no other way to ask for them."""
        if stream == COLLABORATORS:
            for page in self.collaborators(None, now=now) if ids else ():
                yield replace(page, cursor=None)
        if stream == ITEMS:
            items, _ = self._still(self._items)
            table, stamp_field, read = items.table, items.modified or None, self._item(items, now)
            fields = parse.asked(items)
        elif stream == UPDATES and self._updates is not None:
            updates, _ = self._still(self._updates)
            table, stamp_field, read = updates.table, None, self._update(updates)
            fields = update_fields(updates)
        else:
            return
        for formula in presence.filters(ids):
            for records, _ in self._web.walk(table, fields, since=partial(str, formula)):
                held = Batch(self._web.source, stream, now)
                for record in records:
                    self._take(held, record, stamp_field, read, now)
                yield held.page(None)

    def items(self, cursor: str | None, *, now: datetime) -> Iterator[Page]:
        """Items changed since the cursor, oldest change first where the base keeps a modified stamp; see
        `_in_spite_of_drift`."""

        def walked(fresh: bool) -> Iterator[Page]:
            items, gone = self._still(self._items, fresh=fresh)
            yield from self._table(
                ITEMS,
                items,
                parse.asked(items),
                cursor,
                now,
                stamp_field=items.modified or None,
                sort=items.modified or None,
                read=self._item(items, now),
            )
            self._complain(items.table, gone)

        yield from self._in_spite_of_drift(walked)

    def updates(self, cursor: str | None, *, now: datetime) -> Iterator[Page]:
        """Rows of the table of updates that changed since the cursor; see `_in_spite_of_drift`."""
        configured = self._updates
        if configured is None:
            return

        def walked(fresh: bool) -> Iterator[Page]:
            updates, gone = self._still(configured, fresh=fresh)
            if not (updates.item and updates.text):
                self._complain(updates.table, gone)
            yield from self._table(
                UPDATES,
                updates,
                update_fields(updates),
                cursor,
                now,
                stamp_field=None,
                sort=updates.at or None,
                read=self._update(updates),
            )
            self._complain(updates.table, gone)

        yield from self._in_spite_of_drift(walked)

    def _in_spite_of_drift(self, walked: Callable[[bool], Iterator[Page]]) -> Iterator[Page]:
        """The pages without the fields that are gone, and then the complaint about those, as SourceRefused.

        When a field goes between the look at the schema and the walk, the walk begins again without it.
        """
        try:
            yield from walked(False)
        except FieldUnknown:
            yield from walked(True)

    def _still(self, mapping: drift.Mapped, *, fresh: bool = False) -> tuple[drift.Mapped, dict[str, str]]:
        """The mapping as far as the table still has its fields, and why the others are left out."""
        self._web.me()  # a token that is no good is told here, not taken for one without the right to see schemas
        try:
            schema = self._web.tables(fresh=fresh).get(mapping.table, {})
        except SourceRefused:
            return mapping, {}  # the token may not read schemas
        fields = schema.get("fields")
        gone = drift.lost(fields, drift.roles(mapping)) if fields else {}
        return drift.without(mapping, gone), gone

    def _complain(self, table: str, gone: dict[str, str]) -> None:
        if gone:
            raise SourceRefused(
                f"{self._web.source}: table {table} was read without what it no longer has: {'; '.join(gone.values())}",
                source=self._web.source,
                hint="name the field (fld...) that took its place, or take it out of the charter; all records are "
                "then read again",
            )

    def reparse(self, stream: str, payload: bytes, *, now: datetime) -> Page | None:
        """The page of one record out of a payload that was kept, without a cursor; None where it may lack what
        the charter asks for now: an empty cell is left out like one that was not asked for. Raises SourceError.
        """
        if stream == COLLABORATORS:
            return None  # read anew with every pull
        record = orjson.loads(payload)
        cells = record.get("fields") if isinstance(record, dict) else None
        if stream == ITEMS:
            items, _ = self._still(self._items)
            asked, stamp_field, read = parse.asked(items), items.modified or None, self._item(items, now)
        elif self._updates is not None:
            updates, _ = self._still(self._updates)
            asked, stamp_field, read = update_fields(updates), None, self._update(updates)
        else:
            return None
        if isinstance(cells, dict) and not all(name in cells for name in asked):
            return None
        held = Batch(self._web.source, stream, now)
        self._take(held, record, stamp_field, read, now)
        return held.page(None)

    def _update(self, updates: AirtableUpdates) -> Callable[[Json, str], parse.Parsed]:
        def read(record: Json, raw: str) -> parse.Parsed:
            return parse.update(record, updates, source=self._web.source, base=self._base, raw=raw)

        return read

    def _table(
        self, stream: str, mapping: AirtableItems | AirtableUpdates, fields: tuple[str, ...], cursor: str | None,
        now: datetime, *, stamp_field: str | None, sort: str | None, read: Callable[[Json, str], parse.Parsed],
    ) -> Iterator[Page]:  # fmt: skip
        self._web.me()
        began = position = Position.parse(cursor).reading(
            tuple(sorted(f"{role}={field}" for field, meant in drift.roles(mapping).items() if field for role in meant))
        )
        bound: datetime | None = None
        beside: datetime | None = None
        met: dict[str, str] = {}
        disturbed = False

        def since() -> str | None:
            return position.formula(stamp_field)  # where this walk has got to

        for records, last in self._web.walk(mapping.table, fields, since=since, sort=sort):
            bound = bound or self._clock(now) + TICK
            held = Batch(self._web.source, stream, now)
            highest = position.stamp
            for record in records:
                stamp = _stamp(record, stamp_field)
                disturbed = disturbed or met.setdefault(_native(record), stamp) != stamp
                if self._take(held, record, stamp_field, read, now) and stamp:
                    at = moment(stamp, "the modified time")
                    if at >= bound - 2 * TICK:
                        # Edited while we walk, and served in its old place: older ones are still to come.
                        beside = max(beside or at, at)
                    else:
                        highest = max(highest or at, at)
            if last and beside:
                highest = max(highest or beside, beside)
            # never beyond the service's own clock: one stamp from the future would hide what changes till then
            position = Position(stamp=min(highest, bound) if highest else None, read=began.read)
            if last and stamp_field is None:
                position = Position(stamp=bound - TICK, read=began.read)
            if last and disturbed and not began.again:
                # A record came twice: it was edited after we had read it, and a walk by position may have
                # stepped over another one just then. Walk the same way once more.
                position = replace(began, again=True)
            yield held.page(position.text())

    def _take(
        self, held: Batch, record: Json, stamp_field: str | None, read: Callable[[Json, str], parse.Parsed],
        now: datetime,
    ) -> bool:  # fmt: skip
        """Whether the record could be read; people met in it are told about once."""
        parsed = held.take(_native(record), _stamp(record, stamp_field), record, read)
        for user in parsed.users if parsed is not None else ():
            if str(user["id"]) not in self._known:
                self._known.add(str(user["id"]))
                held.observations += self._account(user, self._web.me(), held.last, now)
        return parsed is not None

    def _clock(self, now: datetime) -> datetime:
        return self._web.date or now

    def _item(self, items: AirtableItems, now: datetime) -> Callable[[Json, str], parse.Parsed]:
        def read(record: Json, raw: str) -> parse.Parsed:
            return parse.item(record, items, source=self._web.source, base=self._base, seen=self._clock(now), raw=raw)

        return read

    # Collaborators carry no stamp: they are told as of the full hour, so that reading one twice says the same
    # thing twice.
    def _account(
        self, user: Json, own: str, raw: str, now: datetime, *, active: bool | None = None
    ) -> tuple[Observation, ...]:
        at = self._clock(now).replace(minute=0, second=0, microsecond=0)
        return parse.account(user, source=self._web.source, base=self._base, own=own, at=at, raw=raw, active=active)

    def _people_table(self, table: str) -> list[Json]:
        schema = self._web.tables().get(table, {})
        name = schema.get("primaryFieldId")
        email = next((f["id"] for f in schema.get("fields") or () if f.get("type") == "email"), None)
        asked = tuple(str(field) for field in (name, email) if field)
        people: list[Json] = []
        for records, _ in self._web.walk(table, asked):
            for record in records:
                cells = record.get("fields") or {}
                people.append({"id": record.get("id"), "name": cells.get(name), "email": cells.get(email)})
        return people


def update_fields(updates: AirtableUpdates | None) -> tuple[str, ...]:
    """Field ids to ask of the table of updates."""
    named = (updates.item, updates.text, updates.by, updates.at) if updates else ()
    return tuple(dict.fromkeys(name for name in named if name))


def owner_field(web: Web, items: AirtableItems, *, fresh: bool = False) -> Json:
    """Schema of the owner field, or {} where the token may not read the schema. Raises SourceError."""
    try:
        fields = web.tables(fresh=fresh).get(items.table, {}).get("fields") or ()
    except SourceRefused:
        return {}
    return next((field for field in fields if field.get("id") == items.owner), {})


def _native(record: Any) -> str:
    return str(record.get("id") or "") if isinstance(record, dict) else ""


def _stamp(record: Any, stamp_field: str | None) -> str:
    cells = record.get("fields") if isinstance(record, dict) else None
    if not stamp_field or not isinstance(cells, dict):
        return ""
    return str(cells.get(stamp_field) or record.get("createdTime") or "")
