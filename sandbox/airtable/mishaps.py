"""The faults only the tool itself can play: what happens in the base just before a struck request."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime
from urllib.parse import unquote

import orjson

from sandbox.airtable.access import Caller, Door, Visit, belongs
from sandbox.airtable.errors import not_authenticated
from sandbox.airtable.iterators import Iterators, OpenListing
from sandbox.airtable.limits import RateLimit, too_many
from sandbox.airtable.strokes import Strokes
from sandbox.airtable.tables import Table
from sandbox.airtable.writes import Writer
from sandbox.calls import Answer, Call, RefusedCall
from sandbox.faults.hooks import Hook, Hooks, Settings
from sandbox.rights import Rights
from sandbox.stamps import Clock
from sandbox.store import Store

_PATH = re.compile(r"/v0/(?:meta/bases/|bases/)?(?P<b>app\w+)(?:/(?P<t>[^/]+))?(?:/(?P<r>rec\w+))?")
_LOCK_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where a struck request goes: the visit it makes, and the table and record of its path, where it has any."""

    call: Call
    visit: Visit
    table: Table | None
    record: str


class Mishaps:
    """The hooks of one server."""

    def __init__(
        self,
        store: Store,
        space: str,
        clock: Clock,
        *,
        door: Door,
        writer: Writer,
        iterators: Iterators,
        limit: RateLimit,
    ) -> None:
        """Reach into the parts of the server that a fault changes."""
        self._store = store
        self._space = space
        self._clock = clock
        self._door = door
        self._iterators = iterators
        self._limit = limit
        self._strokes = Strokes(store, space, clock, door.tables, writer)

    def hooks(self) -> Hooks:
        """Return the hook of every fault this tool plays."""
        strokes = self._strokes
        return {
            "unauthorized_for_ever": Hook(before=lambda call, settings: not_authenticated().answer),
            "too_many_requests": Hook(before=self._too_many),
            "base_locked": Hook(before=self._base_locked),
            "offset_expired": self._on_walk(lambda scene, walk, place: self._iterators.forget(walk.name)),
            "deleted_between_pages": self._on_walk(self._deleted),
            "edited_mid_walk": self._on_walk(self._edited),
            "late_commit": self._in_table(
                lambda scene, table, settings: strokes.added_late(
                    self._somebody(scene.visit), table, timedelta(seconds=float(settings.get("seconds", 300)))
                )
            ),
            "equal_stamps": self._in_table(
                lambda scene, table, settings: strokes.made_equal(table, int(settings.get("count", 1000)))
            ),
            "changed_before_write": self._in_table(self._changed),
            "field_renamed": self._of_field(strokes.renamed),
            "field_deleted": self._of_field(strokes.deleted_field),
            "field_retyped": self._of_field(strokes.retyped),
            "collaborator_without_access": Hook(before=self._shut_out),
            "owner_deactivated": Hook(before=self._deactivated),
            "webhook_gap": Hook(before=self._gap),
            "permission_lost": Hook(before=self._permission_lost),
        }

    # -- answering instead of the tool ------------------------------------------------------------------------

    def _too_many(self, _: Call, settings: Settings) -> Answer:
        wait = settings.get("retry_after")
        if wait is None:
            return too_many()
        told = format_datetime(self._clock() + timedelta(seconds=_LOCK_SECONDS), usegmt=True)
        return too_many().plus({"retry-after": told if wait == "date" else str(wait)})

    def _base_locked(self, call: Call, settings: Settings) -> None:
        place = _PATH.match(call.path)
        if place is not None:
            seconds = float(settings.get("seconds") or _LOCK_SECONDS)
            self._limit.lock(place["b"], self._clock() + timedelta(seconds=seconds))

    # -- changing the world before the tool sees the request --------------------------------------------------

    def _scene(self, call: Call) -> Scene | None:
        """Return where the request goes; one that names no base stands for the oldest."""
        place = _PATH.match(call.path)
        with suppress(RefusedCall):
            caller = self._door.caller(call)
            bases = self._door.tables.bases()
            base = next((one for one in bases if place is None or one["id"] == place["b"]), None)
            if base is not None:
                visit = Visit(caller=caller, base=base, level=self._door.level(caller, base))
                named = unquote(place["t"]) if place is not None and place["t"] else ""
                table = self._door.tables.named(visit.base_id, named) if named else None
                record = place["r"] or "" if place is not None else ""
                return Scene(call=call, visit=visit, table=table, record=record)
        return None

    def _somebody(self, visit: Visit, *not_these: str) -> Visit:
        """Return the visit of a person who is not the caller."""
        everybody = self._store.scan(self._space, "collaborator")
        others = [one for one in everybody if one["id"] != visit.caller.user and belongs(one, visit.base_id)]
        person = next((one for one in others if one["id"] not in not_these), others[0] if others else {"id": "usrAnon"})
        caller = Caller(
            user=str(person["id"]),
            name=str(person.get("name") or ""),
            email=str(person.get("email") or ""),
            rights=Rights(),
            scopes=frozenset(),
            source="client",
        )
        return replace(visit, caller=caller, level="create")

    def _in_table(self, stroke: Callable[[Scene, Table, Settings], None]) -> Hook:
        def before(call: Call, settings: Settings) -> None:
            scene = self._scene(call)
            if scene is not None and scene.table is not None:
                stroke(scene, scene.table, settings)

        return Hook(before=before)

    def _on_walk(self, stroke: Callable[[Scene, OpenListing, int], None]) -> Hook:
        def before(call: Call, _: Settings) -> None:
            scene, offset = self._scene(call), call.one("offset") or str(_body(call).get("offset") or "")
            found = self._iterators.find(offset, self._clock()) if offset else None
            if scene is not None and scene.table is not None and found is not None:
                stroke(scene, found[0], found[1])

        return Hook(before=before)

    def _of_field(self, stroke: Callable[[Visit, Table, str, Settings], None]) -> Hook:
        def before(call: Call, settings: Settings) -> None:
            scene = self._scene(call)
            if scene is None:
                return
            wanted = str(settings.get("field") or "")
            base = scene.visit.base_id
            every = [self._door.tables.named(base, str(doc["id"])) for doc in self._door.tables.of_base(base)]
            tables = [scene.table] if scene.table is not None else [table for table in every if table is not None]
            for table in tables:
                field = self._strokes.chosen_field(table, wanted)
                if field:
                    stroke(self._somebody(scene.visit), table, field, settings)
                    return

        return Hook(before=before)

    def _deleted(self, scene: Scene, walk: OpenListing, place: int) -> None:
        coming = self._iterators.coming(walk, place)
        if scene.table is not None and coming:
            self._strokes.deleted(self._somebody(scene.visit), scene.table, coming[-1])

    def _edited(self, scene: Scene, walk: OpenListing, place: int) -> None:
        """Edit a record that was served, which then comes again, and one still to come, which is passed over."""
        served, coming = self._iterators.coming(walk, 0), self._iterators.coming(walk, place)
        if scene.table is None or not served or not coming:
            return
        again, missed = served[0], coming[min(1, len(coming) - 1)]
        for id_ in (again, missed):
            self._strokes.edited(self._somebody(scene.visit), scene.table, id_)
        self._iterators.disturb(walk, missed=missed, again=again)

    def _changed(self, scene: Scene, table: Table, _: Settings) -> None:
        if scene.call.method not in {"PATCH", "PUT"}:
            return
        body = _body(scene.call)
        wanted = [{"id": scene.record, "fields": body.get("fields")}] if scene.record else body.get("records")
        for entry in wanted if isinstance(wanted, list) else []:
            if isinstance(entry, dict) and isinstance(entry.get("fields"), dict) and entry.get("id"):
                self._strokes.overtaken(self._somebody(scene.visit), table, str(entry["id"]), entry["fields"])

    def _shut_out(self, call: Call, settings: Settings) -> None:
        scene = self._scene(call)
        if scene is None:
            return
        for user in self._meant(scene, settings):
            self._strokes.shut_out(user, scene.visit.base_id)

    def _deactivated(self, call: Call, settings: Settings) -> None:
        scene = self._scene(call)
        for user in self._meant(scene, settings) if scene is not None else ():
            self._strokes.shut_out(user, None)

    def _meant(self, scene: Scene, settings: Settings) -> list[str]:
        """Name the people a fault is about: the one in its settings, those in the request, or anybody."""
        if settings.get("user"):
            return [str(settings["user"])]
        written = scene.call.body.decode("utf-8", "replace")
        everybody = [
            one for one in self._store.scan(self._space, "collaborator") if one["id"] != scene.visit.caller.user
        ]
        named = [
            str(one["id"])
            for one in everybody
            if f'"{one["id"]}"' in written or (one.get("email") and f'"{one["email"]}"' in written)
        ]
        return named or [str(one["id"]) for one in everybody[:1]]

    def _gap(self, call: Call, _: Settings) -> None:
        found = re.search(r"/webhooks/(ach\w+)", call.path)
        if found is not None:
            self._strokes.silenced(found[1])

    def _permission_lost(self, call: Call, settings: Settings) -> None:
        scene = self._scene(call)
        if scene is None:
            return
        records = [str(id_) for id_ in settings.get("records") or ()]
        container = str(settings.get("container") or "")
        if not records and not container:
            records = [scene.record] if scene.record else []
            container = scene.table.id if scene.table is not None and not records else ""
        self._strokes.hidden(scene.visit, records, container)


def _body(call: Call) -> dict[str, object]:
    try:
        body = call.json()
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}
