"""A small base: people, items with every kind of cell the hub reads, and a table of updates."""

from __future__ import annotations

from typing import Any

from connectors.airtable.connector import AirtableConnector
from hub.charter.secret import Secret
from hub.charter.sources import AirtableSource

SPACE = "studio_airtable"
SECRET = "right-token"
BASE, ITEMS, UPDATES, PEOPLE = "appHandoffHub0001", "tblItems000000001", "tblUpdates0000001", "tblPeople00000001"
ADA, GRACE, HUB = "usrAda0000000001", "usrGrace00000001", "usrHub0000000001"
FIRST, SECOND, THIRD = "recFirst000000001", "recSecond00000001", "recThird000000001"
NEWS = "recNews0000000001"
TITLE, STATUS, PHASE, OWNER, DUE, KEY, URL, REF, APPROVAL, APPROVER, MODIFIED = (
    f"fld{name:_<14}"
    for name in ("Title", "Status", "Phase", "Owner", "Due", "Key", "Url", "Ref", "Approval", "Approver", "Modified")
)
ITEM, TEXT, BY, AT = (f"fld{name:_<14}" for name in ("Item", "Text", "By", "At"))
PERSON, ADDRESS = (f"fld{name:_<14}" for name in ("Person", "Address"))


def at(day: int, hour: int = 9, minute: int = 0, second: int = 0) -> str:
    return f"2026-10-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}.000Z"


def sortable(time: str) -> str:
    return time[:19] + ".000000Z"


def person(id_: str, name: str) -> dict[str, Any]:
    return {"id": id_, "email": f"{name.lower()}@studio.example", "name": name}


PEOPLE_DOCS = {ADA: person(ADA, "Ada"), GRACE: person(GRACE, "Grace"), HUB: person(HUB, "Hub")}


def put_item(store: Any, id_: str, modified: str, cells: dict[str, Any], *, created: str = at(1)) -> None:
    doc = {
        "id": id_,
        "createdTime": created,
        "_table": ITEMS,
        "_modified": sortable(modified),
        "fields": {**cells, MODIFIED: modified},
    }
    store.put(SPACE, "record", [(id_, sortable(modified), doc)])


def put_news(store: Any, id_: str, when: str, by: str, item: str, text: str | None) -> None:
    cells = {ITEM: [item], BY: PEOPLE_DOCS[by], AT: when, **({TEXT: text} if text else {})}
    doc = {"id": id_, "createdTime": when, "_table": UPDATES, "_modified": sortable(when), "fields": cells}
    store.put(SPACE, "record", [(id_, sortable(when), doc)])


def schema(owner: str = "multipleCollaborators") -> list[dict[str, Any]]:
    kinds = {
        TITLE: "singleLineText", STATUS: "singleSelect", PHASE: "singleSelect", OWNER: owner, DUE: "date",
        KEY: "singleLineText", URL: "url", REF: "singleLineText", APPROVAL: "singleSelect",
        APPROVER: "singleCollaborator", MODIFIED: "lastModifiedTime",
    }  # fmt: skip
    fields: list[dict[str, Any]] = [{"id": i, "name": i[3:].strip("_"), "type": t} for i, t in kinds.items()]
    for field in fields:
        if field["type"] == "singleSelect":
            words = ("Doing", "Done", "Build", "Launch", "Pending", "Approved", "Rejected")
            field["options"] = {"choices": [{"id": f"sel{w}", "name": w} for w in words]}
        if field["type"] == "multipleRecordLinks":
            field["options"] = {"linkedTableId": PEOPLE}
    news = {ITEM: "multipleRecordLinks", TEXT: "multilineText", BY: "singleCollaborator", AT: "dateTime"}
    linked = {ITEM: {"options": {"linkedTableId": ITEMS}}}
    return [
        {"id": ITEMS, "name": "Items", "primaryFieldId": TITLE, "fields": fields},
        {
            "id": UPDATES,
            "name": "Updates",
            "primaryFieldId": TEXT,
            "fields": [{"id": i, "name": i[3:].strip("_"), "type": t, **linked.get(i, {})} for i, t in news.items()],
        },
        {
            "id": PEOPLE,
            "name": "People",
            "primaryFieldId": PERSON,
            "fields": [
                {"id": PERSON, "name": "Person", "type": "singleLineText"},
                {"id": ADDRESS, "name": "Address", "type": "email"},
            ],
        },
    ]


def fill(store: Any, owner: str = "multipleCollaborators") -> None:
    """Write the base into a store."""
    stamp = "2026-01-01T00:00:00.000000Z"
    store.put(SPACE, "base", [(BASE, stamp, {"id": BASE, "name": "Studio"})])
    store.put(SPACE, "_token", [(SECRET, stamp, {"user": HUB})])
    store.put(SPACE, "collaborator", [(i, stamp, doc) for i, doc in PEOPLE_DOCS.items()])
    store.put(SPACE, "table", [(t["id"], stamp, t) for t in schema(owner)])
    many = owner == "multipleCollaborators"
    put_item(
        store, FIRST, at(5, 10),
        {
            TITLE: "Landing page", STATUS: "Doing", PHASE: "Build", DUE: "2026-12-01", KEY: "acme-1", REF: "77/a",
            OWNER: [PEOPLE_DOCS[GRACE]] if many else PEOPLE_DOCS[GRACE],
            URL: "https://acme.lightning.force.com/lightning/r/Case/5000000000000C1AAA/view",
            APPROVAL: "Pending", APPROVER: PEOPLE_DOCS[ADA],
        },
    )  # fmt: skip
    put_item(store, SECOND, at(6), {TITLE: "Banner", STATUS: "Done"})
    both = [PEOPLE_DOCS[GRACE], PEOPLE_DOCS[ADA]]
    put_item(store, THIRD, at(7), {TITLE: "Newsletter", **({OWNER: both} if many else {})})
    put_news(store, NEWS, at(5, 11), GRACE, FIRST, "Draft is with the client")


def configured(endpoint: str, **changes: Any) -> AirtableSource:
    """The source as a charter states it."""
    stated = {
        "tool": "airtable",
        "partner": "studio",
        "writable": True,
        "connection": {"endpoint_url": endpoint, "token": "env:SECRET", "requests_per_second": 5},
        "base": BASE,
        "items": {
            "table": ITEMS, "title": TITLE, "status": STATUS, "phase": PHASE, "owner": OWNER, "due": DUE,
            "approval": APPROVAL, "approver": APPROVER, "identifiers": [REF], "references": [KEY, URL],
            "modified": MODIFIED,
        },
        "updates": {"table": UPDATES, "item": ITEM, "text": TEXT, "by": BY, "at": AT},
    }  # fmt: skip
    return AirtableSource.model_validate({**stated, **changes})


class Time:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def connector_for(base: Any, secret: str = SECRET, time: Time | None = None, **changes: Any) -> AirtableConnector:
    """A connector to the running base whose waits take no time."""
    time = time or Time()
    return AirtableConnector(
        SPACE,
        configured(base.addresses["airtable"], **changes),
        lambda _: Secret(secret),
        clock=time.clock,
        sleep=time.sleep,
    )
