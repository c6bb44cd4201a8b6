"""How the Airtable base holds an item: one row now, no history; news stands in a table of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sandbox.world import calendar
from sandbox.world.identifiers import Mint
from sandbox.world.people import Company, Person

Document = tuple[str, str, str, dict[str, Any]]  # kind, id, stamp, doc
BASE = "appHandoffHub0001"
ITEMS = "tblItems000000001"
UPDATES = "tblUpdates0000001"
STATUSES = {"todo": "Planned", "doing": "Active", "blocked": "Waiting", "done": "Complete"}
_PHASES = ("Brief", "Build", "QA", "Launch", "Optimize")
# Field ids are fixed, so that a charter written by hand for one world fits the next.
FIELD = {
    name: f"fld{name:0<14}"
    for name in (
        "Name", "Status", "Phase", "Owner", "Due", "JiraKey", "SalesforceURL", "Ref", "Approval", "Approver",
        "Updates", "Modified", "Activity", "Item", "Text", "By", "At", "Promised", "Budget",
    )
}  # fmt: skip


def record_id(mint: Mint, number: int) -> str:
    """Give the id of the row made for an item."""
    return mint.airtable("rec", f"item{number}")


def link(record: str) -> str:
    """Give the address under which a person would open the row."""
    return f"https://airtable.com/{BASE}/{ITEMS}/{record}"


class Row:
    """One row of the Items table and its rows in Updates; only the present is kept, as Airtable does."""

    def __init__(
        self,
        mint: Mint,
        number: int,
        *,
        at: datetime,
        owners: Sequence[Person],
        title: str,
        status: str,
        phase: str | None = None,
        due: date | None = None,
        jira_key: str | None = None,
        salesforce_url: str | None = None,
        reference: str | None = None,
        promised: str | None = None,
        budget: str | None = None,
    ) -> None:
        """Create the row; ``promised`` and ``budget`` are a day and an amount as somebody typed them."""
        self._mint = mint
        self._number = number
        self.id = record_id(mint, number)
        self._created = at
        self._updates: list[Document] = []
        self._cells: dict[str, Any] = {}
        self.edit(at, title=title, status=status, phase=phase, owners=owners)
        self._put("Due", due.isoformat() if due else None)
        self._put("JiraKey", jira_key)
        self._put("SalesforceURL", salesforce_url)
        self._put("Ref", reference)
        self._put("Promised", promised)
        self._put("Budget", budget)

    def edit(
        self,
        at: datetime,
        *,
        title: str | None = None,
        status: str | None = None,
        phase: str | None = None,
        owners: Sequence[Person] | None = None,
        approval: str | None = None,
        approver: Person | None = None,
        due: str | None = None,
    ) -> None:
        """Change what is given; empty ``owners`` empties the cell."""
        for name, value in (
            ("Name", title),
            ("Status", status),
            ("Phase", phase),
            ("Approval", approval),
            ("Due", due),
        ):
            if value is not None:
                self._put(name, value)
        if owners is not None:
            self._put("Owner", [collaborator(person) for person in owners])
        if approver is not None:
            self._put("Approver", collaborator(approver))
        self._modified = at

    def update(self, at: datetime, by: Person, text: str) -> None:
        """Add a row to Updates; the item's own modification time does not watch that link."""
        id_ = self._mint.airtable("rec", f"update{self._number}/{len(self._updates)}")
        doc = {
            "id": id_,
            "createdTime": calendar.airtable(at),
            "_table": UPDATES,
            "_modified": calendar.stamp(at),
            "fields": {
                FIELD["Item"]: [self.id],
                FIELD["Text"]: text,
                FIELD["By"]: collaborator(by),
                FIELD["At"]: calendar.airtable(at),
            },
        }
        self._updates.append(("record", id_, calendar.stamp(at), doc))

    def documents(self) -> Iterator[Document]:
        """Give the row and its updates; empty cells are left out, and Last Modified is computed by the server."""
        self._put("Updates", [id_ for _, id_, _, _ in self._updates])
        stamp = calendar.stamp(self._modified)
        doc = {
            "id": self.id,
            "createdTime": calendar.airtable(self._created),
            "_table": ITEMS,
            "_modified": stamp,
            "fields": self._cells,
        }
        yield "record", self.id, stamp, doc
        yield from self._updates

    def _put(self, name: str, value: Any) -> None:
        if value in (None, [], ""):
            self._cells.pop(FIELD[name], None)
        else:
            self._cells[FIELD[name]] = value


def collaborator(person: Person) -> dict[str, str]:
    """Give a person as a collaborator cell holds them."""
    return {"id": person.airtable, "email": person.airtable_email, "name": person.name}


def base(
    mint: Mint, company: Company, at: datetime, statuses: Sequence[str], *, typed: bool = False
) -> Iterator[Document]:
    """Give what the base holds before any work: tables, collaborators, the hub's token.

    ``typed`` adds the two columns into which people type days and amounts as they like.
    """
    stamp = calendar.stamp(at)
    yield "base", BASE, stamp, {"id": BASE, "name": "Studio planning", "permissionLevel": "create"}
    yield "table", ITEMS, stamp, _items_table(statuses, typed=typed)
    yield "table", UPDATES, stamp, _updates_table()
    for person in company.people.values():
        yield "collaborator", person.airtable, stamp, collaborator(person)
        if person.works:
            token = mint.secret(f"airtable/{person.key}")
            about = {"user": person.airtable, "email": person.email, "source": "client"}
            yield "_token", token, stamp, {"_id": token, **about}
    hub = next((p for p in company.people.values() if p.kind == "hub"), None)
    if hub is not None:
        token = mint.secret("airtable")
        yield "_token", token, stamp, {"_id": token, "user": hub.airtable}


def _select(names: Sequence[str]) -> dict[str, Any]:
    return {"choices": [{"id": f"sel{name.replace(' ', ''):0<14.14}", "name": name} for name in names]}


def _items_table(statuses: Sequence[str], *, typed: bool) -> dict[str, Any]:
    watched = [FIELD[n] for n in ("Name", "Status", "Phase", "Owner", "Due", "Approval", "Approver")]
    date_time = {
        "dateFormat": {"name": "iso", "format": "YYYY-MM-DD"},
        "timeFormat": {"name": "24hour", "format": "HH:mm"},
        "timeZone": "utc",
    }
    free = [_field(name, name, "singleLineText") for name in ("Promised", "Budget")] if typed else []
    return {
        "id": ITEMS,
        "name": "Items",
        "primaryFieldId": FIELD["Name"],
        "fields": [
            _field("Name", "Name", "singleLineText"),
            _field("Status", "Status", "singleSelect", _select(statuses)),
            _field("Phase", "Phase", "singleSelect", _select(_PHASES)),
            _field("Owner", "Owner", "multipleCollaborators", {}),
            _field("Due", "Due", "date", {"dateFormat": date_time["dateFormat"]}),
            _field("JiraKey", "Jira Key", "singleLineText"),
            _field("SalesforceURL", "Salesforce URL", "url"),
            _field("Ref", "Ref", "singleLineText"),
            _field("Approval", "Approval", "singleSelect", _select(("Pending", "Approved", "Rejected"))),
            _field("Approver", "Approver", "singleCollaborator", {}),
            _field(
                "Updates",
                "Updates",
                "multipleRecordLinks",
                {
                    "linkedTableId": UPDATES,
                    "inverseLinkFieldId": FIELD["Item"],
                    "prefersSingleRecordLink": False,
                },
            ),
            _field(
                "Modified",
                "Last Modified",
                "lastModifiedTime",
                {
                    "isValid": True,
                    "referencedFieldIds": watched,
                    "result": {"type": "dateTime", "options": date_time},
                },
            ),
            *free,
        ],
    }


def _updates_table() -> dict[str, Any]:
    return {
        "id": UPDATES,
        "name": "Updates",
        "primaryFieldId": FIELD["Text"],
        "fields": [
            _field("Text", "Text", "multilineText"),
            _field(
                "Item",
                "Item",
                "multipleRecordLinks",
                {
                    "linkedTableId": ITEMS,
                    "inverseLinkFieldId": FIELD["Updates"],
                    "prefersSingleRecordLink": True,
                },
            ),
            _field("By", "By", "singleCollaborator", {}),
            _field(
                "At",
                "At",
                "dateTime",
                {
                    "dateFormat": {"name": "iso", "format": "YYYY-MM-DD"},
                    "timeFormat": {"name": "24hour", "format": "HH:mm"},
                    "timeZone": "utc",
                },
            ),
        ],
    }


def _field(key: str, name: str, kind: str, options: dict[str, Any] | None = None) -> dict[str, Any]:
    doc: dict[str, Any] = {"id": FIELD[key], "name": name, "type": kind}
    if options is not None:
        doc["options"] = options
    return doc
