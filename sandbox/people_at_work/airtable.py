"""How people work in an Airtable base: the table that has an owner and a status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.people_at_work import deeds
from sandbox.people_at_work.hands import NOBODY, Outcome, Seen, joined
from sandbox.people_at_work.talk import Line, Reply
from sandbox.people_at_work.view import GONE, Field, Record, State

_WRITABLE = {
    "singleLineText",
    "multilineText",
    "singleSelect",
    "date",
    "url",
    "checkbox",
    "number",
    "singleCollaborator",
    "multipleCollaborators",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    base: str
    id: str
    title: str
    owner: str
    several: bool  # the owner's cell takes more than one person
    status: str
    approval: str
    approver: str
    writable: frozenset[str]

    @property
    def path(self) -> str:
        return f"/v0/{self.base}/{self.id}"


class AirtableHand:
    """The bases of one instance, with the token of each person."""

    def __init__(self, instance: str, address: str, tokens: Mapping[str, str]) -> None:
        """Work in the bases at an address; ``tokens`` by person."""
        self._instance = instance
        self._line = Line(address)
        self._auth = {key: {"Authorization": f"Bearer {token}"} for key, token in tokens.items()}
        self._first = next(iter(self._auth.values()))
        self._tables: dict[str, _Table] = {}

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def look(self, most: int) -> Seen:
        """Read the tables that have an owner and a status."""
        records: list[Record] = []
        statuses: dict[str, tuple[str, ...]] = {}
        fields: list[Field] = []
        for base in self._line.look("GET", "/v0/meta/bases", auth=self._first)["bases"]:
            tables = self._line.look("GET", f"/v0/meta/bases/{base['id']}/tables", auth=self._first)["tables"]
            for table in tables:
                known = _known(base["id"], table)
                if known is None:
                    continue
                self._tables[known.id] = known
                status = next(field for field in table["fields"] if field["id"] == known.status)
                statuses[known.id] = tuple(choice["name"] for choice in status["options"]["choices"])
                records += self._rows(known, most)
                where = f"{known.base}/{known.id}"
                fields += [
                    Field(instance=self._instance, where=where, id=field["id"], name=field["name"])
                    for field in table["fields"]
                ]
        return Seen(records=tuple(records), statuses=statuses, fields=tuple(fields))

    def state(self, record: Record, *, by: str) -> tuple[State | None, Reply]:
        """Read owner and status."""
        table = self._tables[record.kind]
        query = {"returnFieldsByFieldId": "true"}
        reply = self._line.ask("GET", f"{table.path}/{record.id}", auth=self._auth[by], query=query)
        if reply.status == 404:
            return GONE, reply
        return (_state(table, reply.body["fields"]) if reply.ok else None), reply

    def act(self, deed: deeds.Deed, record: Record | None, *, at: str) -> Outcome:
        """Carry out a deed."""
        auth = self._auth[deed.by]
        if isinstance(deed, deeds.CreateItem):
            table = self._tables[deed.kind]
            cells = {table.title: deed.title, table.status: deed.status, table.owner: table_owner(table, deed.owner)}
            return self._create(table, cells, auth)
        if isinstance(deed, deeds.RenameField):
            base, _, id_ = deed.where.partition("/")
            path = f"/v0/meta/bases/{base}/tables/{id_}/fields/{deed.record}"
            return Outcome(reply=self._line.ask("PATCH", path, auth=auth, json={"name": deed.to}))
        if record is None:
            return Outcome(reply=NOBODY)
        table = self._tables[record.kind]
        path = f"{table.path}/{record.id}"
        match deed:
            case deeds.Comment():
                return Outcome(reply=self._line.ask("POST", f"{path}/comments", auth=auth, json={"text": deed.text}))
            case deeds.Delete():
                before = self._line.ask("GET", path, auth=auth, query={"returnFieldsByFieldId": "true"})
                cells = before.body["fields"] if before.ok else {}
                kept = {name: value for name, value in cells.items() if name in table.writable}
                return Outcome(reply=self._line.ask("DELETE", path, auth=auth), kept=kept)
            case deeds.Restore():
                return self._create(table, dict(record.kept), auth)
        change = _change(table, deed)
        if not change or "" in change:
            return Outcome(reply=NOBODY)
        return Outcome(reply=self._line.ask("PATCH", path, auth=auth, json={"fields": change}))

    def _rows(self, table: _Table, most: int) -> list[Record]:
        query: dict[str, Any] = {"returnFieldsByFieldId": "true", "pageSize": 100, "maxRecords": most}
        rows: list[Record] = []
        while True:
            page = self._line.look("GET", table.path, auth=self._first, query=query)
            rows += [self._record(table, row) for row in page["records"]]
            if not page.get("offset"):
                return rows
            query["offset"] = page["offset"]

    def _record(self, table: _Table, row: Mapping[str, Any]) -> Record:
        cells = row["fields"]
        state = _state(table, cells)
        waits = cells.get(table.approval) == "Pending"
        return Record(
            instance=self._instance,
            id=row["id"],
            kind=table.id,
            title=str(cells.get(table.title) or ""),
            approver=(cells.get(table.approver) or {}).get("id") if waits else None,
            owner=state["owner"],
            status=state["status"],
        )

    def _create(self, table: _Table, cells: Mapping[str, Any], auth: Mapping[str, str]) -> Outcome:
        def found() -> Reply | None:
            title = str(cells.get(table.title) or "").replace('"', '\\"')
            query = {"filterByFormula": f'{{{table.title}}} = "{title}"', "maxRecords": 1}
            page = self._line.ask("GET", table.path, auth=auth, query=query)
            known = page.body["records"] if page.ok else []
            return Reply(status=200, body=known[0], tries=2) if known else None

        reply = self._line.ask("POST", table.path, auth=auth, json={"fields": dict(cells)}, done=found)
        return Outcome(reply=reply, made=str(reply.body["id"]) if reply.ok else "")


def table_owner(table: _Table, account: str) -> Any:
    """Give an owner as the table's cell takes one."""
    return [{"id": account}] if table.several else {"id": account}


def _change(table: _Table, deed: deeds.Deed) -> dict[str, Any]:
    match deed:
        case deeds.Reassign():
            return {table.owner: table_owner(table, deed.to)}
        case deeds.MoveStatus():
            return {table.status: deed.to}
        case deeds.AskApproval():
            return {table.approval: "Pending", table.approver: {"id": deed.of}}
        case deeds.Approve():
            return {table.approval: "Approved"}
        case deeds.Reject():
            return {table.approval: "Rejected"}
    return {}


def _known(base: str, table: Mapping[str, Any]) -> _Table | None:
    def named(word: str, *types: str) -> dict[str, Any]:
        fitting = (f for f in table["fields"] if f["name"].startswith(word) and f["type"] in types)
        return next(fitting, {})

    owner = named("Owner", "singleCollaborator", "multipleCollaborators")
    status = named("Status", "singleSelect")
    if not owner or not status:
        return None
    return _Table(
        base=base,
        id=table["id"],
        title=table["primaryFieldId"],
        owner=owner["id"],
        several=owner["type"] == "multipleCollaborators",
        status=status["id"],
        approval=str(named("Approval", "singleSelect").get("id", "")),
        approver=str(named("Approver", "singleCollaborator").get("id", "")),
        writable=frozenset(field["id"] for field in table["fields"] if field["type"] in _WRITABLE),
    )


def _state(table: _Table, cells: Mapping[str, Any]) -> dict[str, str | None]:
    owners = cells.get(table.owner) or []
    owners = owners if isinstance(owners, list) else [owners]
    return {"owner": joined(owner["id"] for owner in owners), "status": cells.get(table.status)}
