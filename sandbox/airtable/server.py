"""The base's HTTP face: records, schema, collaborators."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from sandbox.airtable.cells import Table, table_of
from sandbox.airtable.errors import bad_path, bad_request, no_model, refused
from sandbox.airtable.limits import RateLimit
from sandbox.airtable.listing import Listing, Plan, flag, object_body, printed
from sandbox.airtable.writes import Writer
from sandbox.calls import Answer, Call, RefusedCall, Routes, reply
from sandbox.stamps import Clock
from sandbox.store import Doc, Store

_BATCH = 10  # records in one write
_RECORDS = (
    'You must provide an array of up to 10 record objects, each with an "id" ID field and a "fields" object '
    "for cell values."
)


class AirtableServer:
    """A function from Call to Answer over one space of the store."""

    def __init__(self, store: Store, space: str, clock: Clock) -> None:
        """Serve the one base of a space."""
        self._store = store
        self._space = space
        self._clock = clock
        self._writer = Writer(store, space, clock)
        self._limit = RateLimit(store, space)
        self._listing = Listing(store, space, clock)
        self._routes = Routes(
            [
                ("GET", "/v0/meta/whoami", self._whoami),
                ("GET", "/v0/meta/bases", self._bases),
                ("GET", "/v0/meta/bases/{b}", self._collaborators),
                ("GET", "/v0/meta/bases/{b}/tables", self._tables),
                ("GET", "/v0/{b}/{t}", self._list),
                ("POST", "/v0/{b}/{t}", self._create),
                ("PATCH", "/v0/{b}/{t}", self._update),
                ("PUT", "/v0/{b}/{t}", self._update),
                ("DELETE", "/v0/{b}/{t}", self._delete),
                ("POST", "/v0/{b}/{t}/listRecords", self._list),
                ("GET", "/v0/{b}/{t}/{r}", self._read),
                ("PATCH", "/v0/{b}/{t}/{r}", self._update_one),
                ("PUT", "/v0/{b}/{t}/{r}", self._update_one),
                ("DELETE", "/v0/{b}/{t}/{r}", self._delete_one),
            ]
        )

    def __call__(self, call: Call) -> Answer:
        """Answer one request as the service would."""
        try:
            if not call.path.startswith("/v0/"):
                raise bad_path()
            self._user(call)
            self._limit.passed(self._clock())
            found = self._routes.find(call)
            if not isinstance(found, tuple):
                raise bad_path()
            handler, routed = found
            return handler(routed)
        except RefusedCall as error:
            return error.answer

    def _user(self, call: Call) -> str:
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        known = self._store.get(self._space, "_token", token) if scheme.lower() == "bearer" else None
        if known is None:
            raise refused(401, "AUTHENTICATION_REQUIRED", "Authentication required")
        return str(known["user"])

    def _base(self, call: Call) -> Doc:
        if not re.fullmatch(r"app\w+", call.at["b"]):
            raise bad_path()
        base = self._store.get(self._space, "base", call.at["b"])
        if base is None:
            raise no_model()
        return base

    def _table(self, call: Call) -> Table:
        self._base(call)
        name = unquote(call.at["t"])
        for doc in self._store.scan(self._space, "table"):
            if name in {doc["id"], doc["name"]}:
                return table_of(doc)
        raise no_model()

    # -- schema ----------------------------------------------------------------------------------------------

    def _whoami(self, call: Call) -> Answer:
        user = self._user(call)
        known = self._store.get(self._space, "collaborator", user) or {}
        scopes = ["data.records:read", "data.records:write", "schema.bases:read", "user.email:read"]
        told: dict[str, Any] = {"id": user, "scopes": scopes}
        if known.get("email"):
            told["email"] = known["email"]
        return reply(told)

    def _bases(self, _: Call) -> Answer:
        bases = [
            {"id": doc["id"], "name": doc["name"], "permissionLevel": doc.get("permissionLevel", "create")}
            for doc in self._store.scan(self._space, "base")
        ]
        return reply({"bases": bases})

    def _tables(self, call: Call) -> Answer:
        self._base(call)
        tables = []
        for doc in self._store.scan(self._space, "table"):
            told = {key: value for key, value in doc.items() if not key.startswith("_")}
            tables.append({"views": [], **told})
        return reply({"tables": tables})

    def _collaborators(self, call: Call) -> Answer:
        base = self._base(call)
        told: dict[str, Any] = {
            "id": base["id"],
            "name": base["name"],
            "createdTime": base.get("createdTime", "2026-01-01T00:00:00.000Z"),
            "permissionLevel": base.get("permissionLevel", "create"),
            "workspaceId": base.get("workspaceId", "wsp00000000000001"),
            "interfaces": {},
        }
        asked = {entry for name in ("include", "include[]") for entry in call.every(name)}
        if "collaborators" in asked:
            people = [
                {
                    "userId": one["id"],
                    "email": one["email"],
                    "name": one.get("name", ""),
                    "permissionLevel": one.get("permissionLevel", "edit"),
                    "createdTime": told["createdTime"],
                    "grantedByUserId": one["id"],
                }
                for one in self._store.scan(self._space, "collaborator")
            ]
            told["individualCollaborators"] = {"baseCollaborators": people, "workspaceCollaborators": []}
            told["groupCollaborators"] = {"baseCollaborators": [], "workspaceCollaborators": []}
        if "inviteLinks" in asked:
            told["inviteLinks"] = {"baseInviteLinks": [], "workspaceInviteLinks": []}
        return reply(told)

    # -- reading ---------------------------------------------------------------------------------------------

    def _list(self, call: Call) -> Answer:
        return self._listing.page(call, self._table(call))

    def _read(self, call: Call) -> Answer:
        table = self._table(call)
        record = self._writer.existing(table, _record_id(call.at["r"]))
        return reply(printed(table, record, _plan(table, flag(call.one("returnFieldsByFieldId")))))

    # -- writing ---------------------------------------------------------------------------------------------

    def _create(self, call: Call) -> Answer:
        table, body = self._table(call), object_body(call)
        one = "fields" in body
        wanted = [{"fields": body["fields"]}] if one else body.get("records")
        if not isinstance(wanted, list) or not 0 < len(wanted) <= _BATCH:
            raise refused(422, "INVALID_RECORDS", _RECORDS)
        cells = [self._cells(table, entry, body) for entry in wanted]
        with self._store.transaction():
            made = [self._writer.create(table, entry) for entry in cells]
        plan = _plan(table, flag(body.get("returnFieldsByFieldId")))
        told = [printed(table, record, plan) for record in made]
        return reply(told[0] if one else {"records": told})

    def _update(self, call: Call) -> Answer:
        table, body = self._table(call), object_body(call)
        wanted = body.get("records")
        if not isinstance(wanted, list) or not 0 < len(wanted) <= _BATCH:
            raise refused(422, "INVALID_RECORDS", _RECORDS)
        if body.get("performUpsert"):
            raise bad_request("performUpsert is not supported here.")
        changed = self._changed(table, wanted, body, replace=call.method == "PUT")
        plan = _plan(table, flag(body.get("returnFieldsByFieldId")))
        return reply({"records": [printed(table, record, plan) for record in changed]})

    def _update_one(self, call: Call) -> Answer:
        table, body = self._table(call), object_body(call)
        wanted = [{"id": _record_id(call.at["r"]), "fields": body.get("fields")}]
        record = self._changed(table, wanted, body, replace=call.method == "PUT")[0]
        return reply(printed(table, record, _plan(table, flag(body.get("returnFieldsByFieldId")))))

    def _changed(self, table: Table, wanted: list[Any], body: Mapping[str, Any], *, replace: bool) -> list[Doc]:
        """Apply the writes of one call: all of them are checked before the first is made."""
        checked = []
        for entry in wanted:
            if not isinstance(entry, Mapping) or not isinstance(entry.get("id"), str):
                raise refused(422, "INVALID_RECORDS", _RECORDS)
            cells = self._cells(table, entry, body)
            self._writer.existing(table, entry["id"])
            checked.append((entry["id"], cells))
        with self._store.transaction():
            return [
                self._writer.update(table, self._writer.existing(table, id_), cells, replace=replace)
                for id_, cells in checked
            ]

    def _cells(self, table: Table, entry: Any, body: Mapping[str, Any]) -> dict[str, Any]:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("fields"), Mapping):
            raise refused(422, "INVALID_RECORDS", _RECORDS)
        return self._writer.checked(table, entry["fields"], typecast=flag(body.get("typecast")))

    def _delete(self, call: Call) -> Answer:
        ids = call.every("records[]") + call.every("records")
        if not 0 < len(ids) <= _BATCH:
            raise refused(422, "INVALID_RECORDS", _RECORDS)
        table = self._table(call)
        records = [self._writer.existing(table, id_) for id_ in ids]
        with self._store.transaction():
            for record in records:
                self._writer.delete(table, record)
        return reply({"records": [{"id": id_, "deleted": True} for id_ in ids]})

    def _delete_one(self, call: Call) -> Answer:
        table = self._table(call)
        record = self._writer.existing(table, _record_id(call.at["r"]))
        self._writer.delete(table, record)
        return reply({"id": record["id"], "deleted": True})


def _plan(table: Table, by_id: bool) -> Plan:
    return Plan(table=table.id, fields=None, by_id=by_id, counts=False, size=1)


def _record_id(text: str) -> str:
    if not re.fullmatch(r"rec\w+", text):
        raise bad_path()
    return text
