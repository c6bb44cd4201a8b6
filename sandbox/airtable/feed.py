"""The payloads of webhooks: written with every change, by what each hook's specification asks for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sandbox.airtable.access import Visit
from sandbox.airtable.changes import Changes, RecordChange, TableChanges, Values
from sandbox.airtable.tables import Tables
from sandbox.airtable.values import empty
from sandbox.stamps import airtable, parsed, stamp
from sandbox.store import Doc, Store

KEPT = timedelta(days=7)  # payloads and, unless refreshed, the hooks themselves
_DATA, _FIELDS, _METADATA = "tableData", "tableFields", "tableMetadata"


class Feed:
    """Writes payloads for the hooks of a space, and knows which hooks have news."""

    def __init__(self, store: Store, space: str, tables: Tables) -> None:
        """Write into one space."""
        self._store = store
        self._space = space
        self._tables = tables
        self.due: list[tuple[str, datetime]] = []  # hooks to be notified, with the time of the change

    def told(self, visit: Visit, changes: Changes, at: datetime) -> None:
        """Number the transaction and write the payload of every hook it concerns."""
        base = visit.base_id
        known = self._store.get(self._space, "_counter", base) or {"last": 0}
        number = int(known["last"]) + 1
        self._store.put(self._space, "_counter", [(base, stamp(at), {"last": number})])
        for hook in self._store.find(self._space, "webhook", base):
            if not hook.get("isHookEnabled") or gone(hook, at):
                continue
            told = matched(hook, changes, visit.caller.source, self._scope(hook))
            if told is None:
                continue
            payload = {
                "timestamp": airtable(at),
                "baseTransactionNumber": number,
                "actionMetadata": _action(visit),
                "payloadFormat": "v0",
                **told,
            }
            self._keep(hook, payload, at)
            if hook.get("areNotificationsEnabled") and hook.get("notificationUrl"):
                self.due.append((str(hook["id"]), at))

    def _keep(self, hook: Doc, payload: dict[str, Any], at: datetime) -> None:
        cursor = int(hook["cursorForNextPayload"])
        id_ = f"{hook['id']}/{cursor:010d}"
        self._store.put(
            self._space, "_payload", [(id_, stamp(at), {"_parent": hook["id"], "cursor": cursor, "payload": payload})]
        )
        hook["cursorForNextPayload"] = cursor + 1
        self._store.put(self._space, "webhook", [(str(hook["id"]), stamp(at), hook)])

    def _scope(self, hook: Mapping[str, Any]) -> str:
        """Return the table a hook is limited to; a view stands for its table."""
        scope = str(_filters(hook).get("recordChangeScope") or "")
        if not scope.startswith("viw"):
            return scope
        for doc in self._tables.of_base(str(hook["_parent"])):
            if scope in {view.get("id") for view in doc.get("views") or []}:
                return str(doc["id"])
        return scope


def gone(hook: Mapping[str, Any], now: datetime) -> bool:
    """Whether a hook has expired."""
    until = hook.get("expirationTime")
    return until is not None and now >= parsed(str(until))


def matched(hook: Mapping[str, Any], changes: Changes, source: str, scope: str) -> dict[str, Any] | None:
    """Return what a hook is told about the changes, None when they do not concern it.

    `source` says where the change came from, `scope` the only table the hook watches (empty: all).
    """
    filters, includes = _filters(hook), _includes(hook)
    kinds = set(filters.get("dataTypes") or ())
    sources = filters.get("fromSources")
    if sources and source not in sources:
        return None
    told: dict[str, Any] = {}
    tables = {}
    for id_, table in changes.tables.items():
        if scope in {"", id_}:
            part = _table(table, kinds, filters, includes)
            if part:
                tables[id_] = part
    if tables:
        told["changedTablesById"] = tables
    if changes.created_tables and scope == "" and _METADATA in kinds and _allows(filters, "add"):
        told["createdTablesById"] = {id_: dict(doc) for id_, doc in changes.created_tables.items()}
    return told or None


def _table(table: TableChanges, kinds: set[str], filters: Values, includes: Values) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if _DATA in kinds:
        told |= _records(table, filters, includes)
    if _FIELDS in kinds:
        told |= _schema(table, filters, includes)
    if _METADATA in kinds and table.metadata is not None and _allows(filters, "update"):
        current, previous = table.metadata
        told["changedMetadata"] = {"current": dict(current), "previous": dict(previous)}
    return told


def _records(table: TableChanges, filters: Values, includes: Values) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if table.created_records and _allows(filters, "add"):
        told["createdRecordsById"] = {
            id_: {"createdTime": at, "cellValuesByFieldId": dict(cells)}
            for id_, (at, cells) in table.created_records.items()
        }
    if _allows(filters, "update"):
        parts = {id_: _change(change, filters, includes) for id_, change in table.changed_records.items()}
        changed = {id_: part for id_, part in parts.items() if part is not None}
        if changed:
            told["changedRecordsById"] = changed
    if table.destroyed_records and _allows(filters, "remove"):
        told["destroyedRecordIds"] = list(table.destroyed_records)
    return told


def _change(change: RecordChange, filters: Values, includes: Values) -> dict[str, Any] | None:
    watched = filters.get("watchDataInFieldIds")
    fields = [id_ for id_ in change.current if not watched or id_ in watched]
    if not fields:
        return None
    told: dict[str, Any] = {"current": {"cellValuesByFieldId": {id_: change.current[id_] for id_ in fields}}}
    if includes.get("includePreviousCellValues"):
        told["previous"] = {"cellValuesByFieldId": {id_: change.previous[id_] for id_ in fields}}
    wanted = includes.get("includeCellValuesInFieldIds")
    if wanted:
        rest = change.cells if wanted == "all" else {id_: change.cells.get(id_) for id_ in wanted}
        unchanged = {id_: value for id_, value in rest.items() if id_ not in fields and not empty(value)}
        told["unchanged"] = {"cellValuesByFieldId": unchanged}
    return told


def _schema(table: TableChanges, filters: Values, includes: Values) -> dict[str, Any]:
    watched = filters.get("watchSchemasOfFieldIds")
    told: dict[str, Any] = {}
    if table.created_fields and _allows(filters, "add"):
        told["createdFieldsById"] = {id_: dict(field) for id_, field in table.created_fields.items()}
    changed = {id_: pair for id_, pair in table.changed_fields.items() if not watched or id_ in watched}
    if changed and _allows(filters, "update"):
        told["changedFieldsById"] = {
            id_: {"current": dict(current)}
            | ({"previous": dict(previous)} if includes.get("includePreviousFieldDefinitions") else {})
            for id_, (current, previous) in changed.items()
        }
    if table.destroyed_fields and _allows(filters, "remove"):
        told["destroyedFieldIds"] = list(table.destroyed_fields)
    return told


def _filters(hook: Mapping[str, Any]) -> Mapping[str, Any]:
    return hook["specification"]["options"]["filters"] or {}


def _includes(hook: Mapping[str, Any]) -> Mapping[str, Any]:
    return hook["specification"]["options"].get("includes") or {}


def _allows(filters: Values, change: str) -> bool:
    types = filters.get("changeTypes")
    return not types or change in types


def _action(visit: Visit) -> dict[str, Any]:
    user = {**visit.caller.told, "permissionLevel": visit.level}
    return {"source": visit.caller.source, "sourceMetadata": {"user": user}}
