"""A second, richer base beside the small company's one: computed fields, views, further people and tokens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from http_world import SPACES, U_ADA, U_GRACE, Running, put, running, small_company
from pyairtable import Api

from sandbox.store import Doc

SPACE = SPACES["airtable"]
RICH, PROJECTS, TASKS = "appRich", "tblProjects", "tblTasks"
U_OUTSIDER, U_READER = "usrOutsider", "usrReader"


def rich_company(path: Path) -> Any:
    """Return the small company's store with the base Rich: projects with tasks, everything computed from them."""
    store = small_company(path)
    put(store, SPACE, "base", {"id": RICH, "name": "Rich"}, day=2)
    people: dict[str, Doc] = {
        U_OUTSIDER: {"name": "Oscar Outsider", "_bases": []},
        U_READER: {"name": "Rita Reader", "permissionLevel": "read"},
    }
    for id_, more in people.items():
        put(store, SPACE, "collaborator", {"id": id_, "email": f"{id_.lower()}@s.example", **more}, day=3)
    put(store, SPACE, "_token", {"user": U_READER}, id_="reader-token")
    put(store, SPACE, "_token", {"user": U_ADA}, id_="ada-token")
    put(store, SPACE, "table", _projects(), day=2)
    put(store, SPACE, "table", _tasks(), day=2)
    ada = {"id": U_ADA, "email": "ada@s.example", "name": "Ada Lovelace"}
    rows: list[tuple[str, str, Doc]] = [
        ("recP1", PROJECTS, {"fldPName": "Spring", "fldPTasks": ["recT1", "recT2"], "fldPDone": True}),
        ("recP2", PROJECTS, {"fldPName": "Autumn", "fldPLead": ada, "fldPState": "Late", "fldPDue": "2026-03-09"}),
        ("recT1", TASKS, {"fldTName": "Copy", "fldTHours": 3, "fldTProject": ["recP1"], "fldTNumber": 1}),
        ("recT2", TASKS, {"fldTName": "Art", "fldTHours": 5, "fldTProject": ["recP1"], "fldTNumber": 2}),
    ]
    for day, (id_, table, cells) in enumerate(rows, start=1):
        at = f"2026-01-{day:02d}T12:00:00.000"
        doc = {"id": id_, "createdTime": f"{at}Z", "_modified": f"{at}000Z", "_table": table, "fields": cells}
        put(store, SPACE, "record", {**doc, "_createdBy": U_GRACE}, day=day)
    return store


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A served company that every test of a file finds as it was in the beginning."""

    running: Running
    documents: dict[str, list[tuple[str, Doc]]]  # of the base tool's space, by kind, oldest first

    def set_up(self) -> Running:
        """Undo what was written, ordered and moved; returns the servers."""
        store = self.running.store
        for kind in store.kinds(SPACE):
            for id_, _ in list(store.items(SPACE, kind)):
                store.delete(SPACE, kind, id_)
        for kind, documents in self.documents.items():
            rows = [
                (id_, str(doc.get("_modified") or f"2026-01-01T00:00:00.{n:06d}Z"), doc)
                for n, (id_, doc) in enumerate(documents)
            ]
            store.put(SPACE, kind, rows)
        self.running.control("DELETE", "/faults")
        self.running.control("DELETE", "/journal")
        self.running.control("POST", "/clock", json={"frozen": False})
        self.running.control("POST", "/clock", json={"set": datetime.now(UTC).isoformat()})
        return self.running


@contextmanager
def rich_stage(folder: Path) -> Iterator[Stage]:
    """Serve the rich company until the block ends."""
    store = rich_company(folder / "rich.sqlite")
    documents = {}
    for kind in store.kinds(SPACE):
        oldest_first = list(store.scan(SPACE, kind))
        documents[kind] = sorted(store.items(SPACE, kind), key=lambda pair, order=oldest_first: order.index(pair[1]))
    with running(store) as served:
        yield Stage(running=served, documents=documents)
    store.close()


def client(served: Running, token: str = "at-token") -> Api:
    """Return the stock client with nothing changed but the address."""
    return Api(token, endpoint_url=served.addresses["airtable"], retry_strategy=None, timeout=(5, 10))


def ask(served: Running, method: str, path: str, token: str = "at-token", **rest: Any) -> requests.Response:
    """Ask over bare HTTP."""
    headers = {"Authorization": f"Bearer {token}"}
    return requests.request(method, f"{served.addresses['airtable']}{path}", headers=headers, timeout=10, **rest)


def refusal(answer: requests.Response) -> tuple[int, str]:
    """Return status and error type of a refusal."""
    return answer.status_code, answer.json()["error"]["type"]


def _field(id_: str, name: str, kind: str, **options: Any) -> Doc:
    return {"id": id_, "name": name, "type": kind, **({"options": options} if options else {})}


def _projects() -> Doc:
    states = [{"id": f"sel{name}", "name": name} for name in ("Open", "Late", "Done")]
    tasks = {"recordLinkFieldId": "fldPTasks"}
    fields = [
        _field("fldPName", "Name", "singleLineText"),
        _field("fldPState", "State", "singleSelect", choices=states),
        _field("fldPLead", "Lead", "singleCollaborator"),
        _field("fldPDue", "Due", "date"),
        _field("fldPDone", "Done", "checkbox"),
        _field("fldPTasks", "Tasks", "multipleRecordLinks", linkedTableId=TASKS, inverseLinkFieldId="fldTProject"),
        _field("fldPCount", "Task count", "count", **tasks),
        _field("fldPNames", "Task names", "multipleLookupValues", **tasks, fieldIdInLinkedTable="fldTName"),
        {**_field("fldPHours", "Hours", "rollup", **tasks, fieldIdInLinkedTable="fldTHours"), "_aggregate": "SUM"},
        _field("fldPDays", "Days", "formula", formula="{fldPHours} / 8"),
        _field("fldPLabel", "Label", "formula", formula="{Name} & ' (' & {Days} & ')'"),
        _field("fldPBroken", "Broken", "formula", formula="1 / {Task count}"),
        _field("fldPTouched", "Touched", "lastModifiedTime", referencedFieldIds=["fldPState"]),
        _field("fldPToucher", "Touched by", "lastModifiedBy"),
        _field("fldPMaker", "Made by", "createdBy"),
    ]
    views = [
        {"id": "viwGrid", "name": "Everything", "type": "grid"},
        {"id": "viwLate", "name": "Late ones", "type": "grid", "_filter": "{State} = 'Late'"},
        {"id": "viwZ", "name": "Backwards", "type": "grid", "_sort": [{"field": "Name", "direction": "desc"}]},
    ]
    table = {"id": PROJECTS, "name": "Projects", "_base": RICH, "primaryFieldId": "fldPName"}
    return {**table, "fields": fields, "views": views}


def _tasks() -> Doc:
    fields = [
        _field("fldTName", "Name", "singleLineText"),
        _field("fldTHours", "Hours", "number", precision=0),
        _field("fldTProject", "Project", "multipleRecordLinks", linkedTableId=PROJECTS, inverseLinkFieldId="fldPTasks"),
        _field("fldTNumber", "Number", "autoNumber"),
        _field("fldTTags", "Tags", "multipleSelects", choices=[{"id": "selA", "name": "a"}]),
        _field("fldTAt", "At", "dateTime"),
    ]
    return {"id": TASKS, "name": "Tasks", "_base": RICH, "primaryFieldId": "fldTName", "fields": fields}
