"""The short forms of an Airtable space in a world file, written out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.stamps import airtable, parsed, stamp
from sandbox.world.schema import did_you_mean
from sandbox.world.world_file_space import Given, Space

_OWN = {"people", "collaborator", "base", "table", "record", "_token", "_rights"}
_PERSONAL = {"singleCollaborator": False, "multipleCollaborators": True}
_SELECTS = ("singleSelect", "multipleSelects")


def expand(space: Space) -> None:
    """Put every document of the space into its entries, in full form."""
    _people(space)
    for given in space.docs("_token"):
        doc = given.doc
        if given.short:
            rest = {key: value for key, value in doc.items() if key != "token"}
            doc = {"_id": doc["token"], **rest, "user": space.who(doc["user"], f"{given.place}.user")}
        space.add("_token", doc, given.place)
    for given in space.docs("_rights"):
        space.add("_rights", {**given.doc, "user": space.who(given.doc["user"], f"{given.place}.user")}, given.place)
    bases: dict[str, str] = {}
    for given in space.docs("base"):
        doc = {"name": given.doc} if isinstance(given.doc, str) else dict(given.doc)
        doc = {"id": space.mint.airtable("app", f"base/{doc['name']}"), **doc} if given.short else doc
        bases |= {str(doc["name"]): str(doc["id"]), str(doc["id"]): str(doc["id"])}
        space.add("base", doc, given.place)
    tables = _Tables(space, bases)
    records = _Records(space, tables)
    for given in space.docs("record"):
        records.add(given)
    space.take_rest(tuple(_OWN))


def _people(space: Space) -> None:
    for given in space.docs("collaborator"):
        doc = given.doc
        space.knows(str(doc["id"]), str(doc["name"]), str(doc["email"]))
        space.add("collaborator", doc, given.place)
    for given in space.docs("people"):
        told = given.doc
        name, email = str(told["name"]), str(told.get("email") or "")
        email = email or f"{name.lower().replace(' ', '.')}@{space.name.replace('_', '-')}.example"
        doc = {"id": told.get("id") or space.mint.airtable("usr", email), "email": email, "name": name}
        for key, own in (("level", "permissionLevel"), ("bases", "_bases")):
            if key in told:
                doc[own] = told[key]
        space.knows(str(doc["id"]), name, email)
        space.add("collaborator", doc, given.place)
        if told.get("token"):
            space.add("_token", {"_id": told["token"], "user": doc["id"]}, f"{given.place}.token")


class _Tables:
    """The tables of a space, by id and name."""

    def __init__(self, space: Space, bases: Mapping[str, str]) -> None:
        """Take every table; links between them are found by name, in whichever order they stand."""
        self._space = space
        self._bases = bases
        self.by_id: dict[str, dict[str, Any]] = {}
        self._of_name: dict[str, str] = {}
        made = [(given, self._named(given)) for given in space.docs("table")]
        for given, doc in made:
            if given.short:
                self._linked(doc, given.place)
            space.add("table", doc, given.place)

    def find(self, word: str, place: str) -> dict[str, Any] | None:
        """Give a table by id or name; an unknown one is a problem."""
        found = self.by_id.get(word) or self.by_id.get(self._of_name.get(word, ""))
        if found is None and "table" not in self._space.broken:
            what = "several tables have the name" if word in self._of_name else "there is no table"
            self._space.wrong(place, f"{what} {word!r}", did_you_mean(word, list(self._of_name)))
        return found

    def field(self, table: Mapping[str, Any], word: str, place: str) -> dict[str, Any] | None:
        """Give a field by id or name; an unknown one is a problem."""
        fields: list[dict[str, Any]] = table["fields"]
        found = next((one for one in fields if word in {one["id"], one["name"]}), None)
        if found is None:
            names = [str(one["name"]) for one in fields]
            self._space.wrong(place, f"the table {table['name']!r} has no field {word!r}", did_you_mean(word, names))
        return found

    def _named(self, given: Given) -> dict[str, Any]:
        """Give the table with all its ids."""
        space, doc = self._space, dict(given.doc)
        if given.short:
            name, base = str(doc["name"]), doc.pop("base", None)
            home = self._bases.get(str(base)) if base is not None else next(iter(self._bases.values()), None)
            if home is None and "base" not in space.broken:
                known = did_you_mean(str(base), list(self._bases)) if base else "give the space `base`: a list of names"
                space.wrong(f"{given.place}.base", f"there is no base {base!r}" if base else "there is no base", known)
            doc = {"id": space.mint.airtable("tbl", f"{home}/{name}"), **doc, "_base": home}
            doc["fields"] = [
                {"id": space.mint.airtable("fld", f"{home}/{name}/{field['name']}"), **field} for field in doc["fields"]
            ]
            primary = doc.pop("primary", None)
            if doc["fields"]:
                doc["primaryFieldId"] = doc["fields"][0]["id"]
            if primary is not None:
                field = self.field(doc, primary, f"{given.place}.primary")
                doc["primaryFieldId"] = field["id"] if field else doc["primaryFieldId"]
        self.by_id[str(doc["id"])] = doc
        same = self._of_name.get(str(doc["name"]))
        self._of_name[str(doc["name"])] = str(doc["id"]) if same is None else ""
        return doc

    def _linked(self, doc: dict[str, Any], place: str) -> None:
        """Write out what a field says for short."""
        for number, field in enumerate(doc["fields"]):
            where = f"{place}.fields[{number}]"
            options = dict(field.get("options") or {})
            if "choices" in field:
                names = field.pop("choices")
                mint = self._space.mint
                options["choices"] = [
                    {"id": mint.airtable("sel", f"{field['id']}/{name}"), "name": name} for name in names
                ]
            if "table" in field:
                other = self.find(field.pop("table"), f"{where}.table")
                if other is not None:
                    options["linkedTableId"] = other["id"]
                    if "inverse" in field:
                        back = self.field(other, field["inverse"], f"{where}.inverse")
                        options |= {"inverseLinkFieldId": back["id"]} if back else {}
            field.pop("inverse", None)
            if options:
                field["options"] = options


class _Records:
    """The records of a space; links may point forward."""

    def __init__(self, space: Space, tables: _Tables) -> None:
        """Find out which records there are, by what their primary fields say."""
        self._space = space
        self._tables = tables
        self._ids: dict[str, str] = {}  # place -> id
        self._primary: dict[tuple[str, str], str] = {}
        for number, given in enumerate(space.docs("record")):
            if not given.short:
                self._name(given, str(given.doc["_table"]), str(given.doc["id"]))
                continue
            id_ = str(given.doc.get("id") or space.mint.airtable("rec", f"{given.doc['table']}/{number}"))
            self._ids[given.place] = id_
            held = len(space.problems)
            table = tables.find(str(given.doc["table"]), "")
            del space.problems[held:]
            if table is not None:
                self._name(given, str(table["id"]), id_)

    def _name(self, given: Given, table: str, id_: str) -> None:
        doc = self._tables.by_id.get(table)
        if doc is None:
            return
        primary = str(doc.get("primaryFieldId"))
        name = next((str(one["name"]) for one in doc["fields"] if one["id"] == primary), "")
        cells = given.doc["fields"]
        text = cells.get(primary, cells.get(name))
        if text is not None:
            # Two records of one name can be told apart by their ids only.
            self._primary[table, str(text)] = "" if (table, str(text)) in self._primary else id_

    def add(self, given: Given) -> None:
        """Take one record."""
        if not given.short:
            self._space.add("record", given.doc, given.place)
            return
        told = given.doc
        table = self._tables.find(str(told["table"]), f"{given.place}.table")
        if table is None:
            return
        cells: dict[str, Any] = {}
        for name, value in told["fields"].items():
            where = f"{given.place}.fields.{name}"
            field = self._tables.field(table, name, where)
            if field is not None and value is not None:
                cells[str(field["id"])] = self._cell(field, value, where)
        modified = parsed(str(told.get("modified") or told["created"]))
        doc = {
            "id": self._ids[given.place],
            "createdTime": airtable(parsed(str(told["created"]))),
            "_table": table["id"],
            "_modified": stamp(modified),
            "fields": cells,
        }
        if told.get("created_by"):
            doc["_createdBy"] = self._space.who(told["created_by"], f"{given.place}.created_by")
        self._space.add("record", doc, given.place)
        for number, comment in enumerate(told.get("comments", [])):
            self._comment(comment, doc, f"{given.place}.comments[{number}]")

    def _cell(self, field: Mapping[str, Any], value: Any, place: str) -> Any:
        kind = str(field["type"])
        if kind in _PERSONAL:
            values = value if isinstance(value, list) else [value]
            cells = [self._collaborator(one, place) for one in values]
            return cells if _PERSONAL[kind] else cells[0]
        if kind in _SELECTS:
            choices = [str(one["name"]) for one in (field.get("options") or {}).get("choices", [])]
            for one in value if isinstance(value, list) else [value]:
                if one not in choices:
                    hint = did_you_mean(str(one), choices) or "add it to the field's choices"
                    self._space.wrong(place, f"{field['name']} has no choice {one!r}", hint)
        if kind == "multipleRecordLinks":
            other = str((field.get("options") or {}).get("linkedTableId", ""))
            return [self._link(other, str(one), place) for one in (value if isinstance(value, list) else [value])]
        return value

    def _collaborator(self, value: Any, place: str) -> Any:
        if isinstance(value, Mapping):
            return value
        account = self._space.who(value, place)
        return next(
            (
                {key: one.doc[key] for key in ("id", "email", "name")}
                for one in self._space.entries
                if one.kind == "collaborator" and one.id == account
            ),
            {"id": account},
        )

    def _link(self, table: str, word: str, place: str) -> str:
        if word.startswith("rec") and (word in self._ids.values() or (table, word) not in self._primary):
            return word
        found = self._primary.get((table, word))
        if not found:
            what = "is the name of several records" if found == "" else "is no record of the linked table"
            names = [name for where, name in self._primary if where == table]
            self._space.wrong(place, f"{word!r} {what}", "give the id" if found == "" else did_you_mean(word, names))
        return found or word

    def _comment(self, told: Mapping[str, Any], record: Mapping[str, Any], place: str) -> None:
        id_ = told.get("id") or self._space.mint.airtable("com", place)
        doc = {
            "id": id_,
            "_parent": record["id"],
            "author": self._collaborator(told["by"], f"{place}.by"),
            "text": told["text"],
            "createdTime": airtable(parsed(str(told["at"]))),
            "lastUpdatedTime": None,
        }
        self._space.add("comment", doc, place)
