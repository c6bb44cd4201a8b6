"""Tables and fields: told, made, and renamed, which people do at any time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.airtable.access import Door, Visit
from sandbox.airtable.asking import object_body
from sandbox.airtable.errors import bad_request, no_model, refused
from sandbox.airtable.tables import COMPUTED, Table, table_of, views_of
from sandbox.airtable.values import empty
from sandbox.airtable.writes import Edit, Writer, new_id
from sandbox.calls import Answer, Call, Handler, reply
from sandbox.store import Doc

_READ, _WRITE = "schema.bases:read", "schema.bases:write"
_KINDS = frozenset({
    "singleLineText", "email", "url", "multilineText", "number", "percent", "currency", "singleSelect",
    "multipleSelects", "singleCollaborator", "multipleCollaborators", "multipleRecordLinks", "date", "dateTime",
    "phoneNumber", "multipleAttachments", "checkbox", "barcode", "rating", "richText", "duration",
})  # fmt: skip


class Schema:
    """The endpoints about tables and fields."""

    def __init__(self, door: Door, writer: Writer) -> None:
        """Tell about, and change, the tables behind the door."""
        self._door = door
        self._writer = writer

    def routes(self) -> list[tuple[str, str, Handler]]:
        """Return the endpoints."""
        every = "/v0/meta/bases/{b}/tables"
        return [
            ("GET", every, self._tables),
            ("POST", every, self._create_table),
            ("PATCH", every + "/{t}", self._change_table),
            ("POST", every + "/{t}/fields", self._create_field),
            ("PATCH", every + "/{t}/fields/{f}", self._change_field),
        ]

    def _tables(self, call: Call) -> Answer:
        visit = self._door.enter(call, scope=_READ)
        wanted = {entry for name in ("include", "include[]") for entry in call.every(name)}
        docs = [doc for doc in self._door.tables.of_base(visit.base_id) if visit.sees(str(doc["id"]))]
        return reply({"tables": [_told(visit, doc, hidden="visibleFieldIds" not in wanted) for doc in docs]})

    def _create_table(self, call: Call) -> Answer:
        visit = self._door.enter(call, scope=_WRITE, level="create")
        body = object_body(call)
        name, fields = _name(body), body.get("fields")
        if not isinstance(fields, list) or not fields:
            raise bad_request()
        if self._door.tables.named(visit.base_id, name) is not None:
            raise refused(422, "DUPLICATE_TABLE_NAME", f"Table name {name} already exists")
        with self._writer.transaction(visit) as edit:
            doc: Doc = {"id": new_id("tbl"), "_base": visit.base_id, "name": name, "primaryFieldId": "", "fields": []}
            if isinstance(body.get("description"), str):
                doc["description"] = body["description"]
            for wanted in fields:
                doc["fields"].append(self._made(visit, edit, doc, wanted))
            doc["primaryFieldId"] = doc["fields"][0]["id"]
            doc["views"] = [{"id": new_id("viw"), "name": "Grid view", "type": "grid"}]
            edit.save_table(doc)
            edit.changes.created_tables[doc["id"]] = {
                "metadata": {"name": name, "description": doc.get("description")},
                "fieldsById": {field["id"]: _definition(field) for field in doc["fields"]},
                "recordsById": {},
            }
        return reply(_told(visit, doc, hidden=True))

    def _change_table(self, call: Call) -> Answer:
        visit, table = self._found(call)
        body = object_body(call)
        doc = table.doc
        told = [key for key in ("name", "description") if key in body]
        before: Doc = {key: doc.get(key) for key in told}
        if not before:
            raise bad_request()
        if "name" in body:
            name = _name(body)
            if name != doc["name"] and self._door.tables.named(visit.base_id, name) is not None:
                raise refused(422, "DUPLICATE_TABLE_NAME", f"Table name {name} already exists")
            doc["name"] = name
        if "description" in body:
            doc["description"] = _description(body)
        with self._writer.transaction(visit) as edit:
            edit.save_table(doc)
            edit.changes.of(table.id).metadata = ({key: doc.get(key) for key in told}, before)
        return reply(_told(visit, doc, hidden=True))

    def _create_field(self, call: Call) -> Answer:
        visit, table = self._found(call)
        body = object_body(call)
        with self._writer.transaction(visit) as edit:
            made = self._made(visit, edit, table.doc, body)
            table.doc["fields"].append(made)
            edit.save_table(table.doc)
            edit.changes.of(table.id).created_fields[made["id"]] = _definition(made)
        return reply(public(made))

    def _change_field(self, call: Call) -> Answer:
        visit, table = self._found(call)
        field = next((one for one in table.doc["fields"] if one["id"] == call.at["f"]), None)
        if field is None:
            raise no_model()
        body = object_body(call)
        if not any(key in body for key in ("name", "description", "options")):
            raise bad_request()
        changed: Doc = dict(field)
        if "name" in body:
            changed["name"] = _name(body)
        if "description" in body:
            changed["description"] = _description(body)
        if isinstance(body.get("options"), Mapping) and field["type"] not in COMPUTED:
            changed["options"] = {**(field.get("options") or {}), **_options(str(field["type"]), body["options"])}
        replace_field(self._writer, visit, table, changed)
        return reply(public(changed))

    def _found(self, call: Call) -> tuple[Visit, Table]:
        visit = self._door.enter(call, scope=_WRITE, level="create")
        table = self._door.tables.named(visit.base_id, call.at["t"])
        if table is None or not visit.sees(table.id):
            raise no_model()
        return visit, table

    def _made(self, visit: Visit, edit: Edit, doc: Doc, wanted: Any) -> Doc:
        """Return a new field of a table, and give the table it links to its other end."""
        if not isinstance(wanted, Mapping):
            raise bad_request()
        name, kind = _name(wanted), wanted.get("type")
        if not isinstance(kind, str):
            raise bad_request()
        if kind not in _KINDS:
            known = kind in COMPUTED
            raise refused(422, "UNSUPPORTED_FIELD_TYPE_FOR_CREATE" if known else "INVALID_FIELD_TYPE_FOR_CREATE")
        if name in {field["name"] for field in doc["fields"]}:
            raise refused(422, "DUPLICATE_OR_EMPTY_FIELD_NAME", f"Field name {name} already exists")
        field: Doc = {"id": new_id("fld"), "name": name, "type": kind}
        if isinstance(wanted.get("description"), str):
            field["description"] = wanted["description"]
        if isinstance(wanted.get("options"), Mapping):
            field["options"] = _options(kind, wanted["options"])
        if kind == "multipleRecordLinks":
            self._give_other_end(visit, edit, doc, field)
        return field

    def _give_other_end(self, visit: Visit, edit: Edit, doc: Doc, field: Doc) -> None:
        options = field.setdefault("options", {})
        target = str(options.get("linkedTableId") or "")
        other = doc if target == doc["id"] else None
        if other is None:
            found = self._door.tables.named(visit.base_id, target)
            if found is None:
                raise bad_request()
            other = found.doc
        names = {one["name"] for one in other["fields"]}
        name = next(n for n in (doc["name"], *(f"{doc['name']} {i}" for i in range(2, 1000))) if n not in names)
        back: Doc = {"id": new_id("fld"), "name": name, "type": "multipleRecordLinks"}
        back["options"] = {"linkedTableId": doc["id"], "inverseLinkFieldId": field["id"]}
        options["inverseLinkFieldId"] = back["id"]
        if other is not doc:
            other["fields"].append(back)
            edit.save_table(other)
            edit.changes.of(str(other["id"])).created_fields[back["id"]] = _definition(back)


def replace_field(writer: Writer, visit: Visit, table: Table, changed: Doc) -> None:
    """Put another definition in a field's place."""
    with writer.transaction(visit) as edit:
        fields = table.doc["fields"]
        place = next(n for n, one in enumerate(fields) if one["id"] == changed["id"])
        before, fields[place] = fields[place], changed
        edit.save_table(table.doc)
        edit.changes.of(table.id).changed_fields[changed["id"]] = (_definition(changed), _definition(before))


def remove_field(writer: Writer, visit: Visit, table: Table, id_: str) -> None:
    """Take a field and its cells away, as a person in the product can."""
    with writer.transaction(visit) as edit:
        table.doc["fields"] = [one for one in table.doc["fields"] if one["id"] != id_]
        edit.save_table(table.doc)
        edit.changes.of(table.id).destroyed_fields.append(id_)


def public(doc: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document without what only the sandbox knows."""
    return {key: value for key, value in doc.items() if not key.startswith("_")}


def _told(visit: Visit, doc: Doc, *, hidden: bool) -> dict[str, Any]:
    rights = visit.caller.rights
    fields = [public(field) for field in table_of(doc).by_id.values() if rights.sees_field(str(doc["id"]), field["id"])]
    views = [public(view) for view in views_of(doc)]
    for view in views:
        if hidden or view.get("type") != "grid":
            view.pop("visibleFieldIds", None)
        else:
            view.setdefault("visibleFieldIds", [field["id"] for field in fields])
    return {**public(doc), "fields": fields, "views": views}


def _definition(field: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": field["name"], "type": field["type"]}


def _name(body: Mapping[str, Any]) -> str:
    name = body.get("name")
    if not isinstance(name, str) or empty(name.strip()) or not re.fullmatch(r"[^\x00-\x1f]{1,255}", name):
        raise bad_request()
    return name


def _description(body: Mapping[str, Any]) -> str | None:
    given = body.get("description")
    if given is not None and not isinstance(given, str):
        raise bad_request()
    return given


def _options(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    options = dict(given)
    if kind in {"singleSelect", "multipleSelects"}:
        choices = options.get("choices") or []
        if not isinstance(choices, list) or not all(isinstance(one, Mapping) and one.get("name") for one in choices):
            raise bad_request()
        options["choices"] = [{"id": new_id("sel"), **one, "name": str(one["name"])} for one in choices]
    return options
