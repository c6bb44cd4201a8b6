"""A small company by hand, and the servers over it in a thread: what the HTTP tests stand on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from sandbox.store import Doc, Store
from sandbox.web import serve

SPACES = {"salesforce": "acme_salesforce", "jira": "acme_jira", "airtable": "studio_airtable", "mail": "ops_mail"}
ADA, GRACE, LEFT, HUB = (f"00500000000000{n}AAA" for n in range(1, 5))
QUEUE = "00G000000000001AAA"
CASES = [f"50000000000000{n}AAA" for n in range(1, 4)]
DEAL = "006000000000001AAA"
J_ADA, J_GRACE, J_LEFT, J_HUB = "acc:ada", "acc:grace", "acc:left", "acc:hub"
BASE, ITEMS, UPDATES = "appTest", "tblItems", "tblUpdates"
U_ADA, U_GRACE = "usrAda", "usrGrace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The servers: their addresses, and the store behind them."""

    store: Store
    addresses: dict[str, str]

    def control(self, method: str, path: str, **rest: Any) -> Any:
        """Ask the control port; returns the decoded answer."""
        answer = requests.request(method, self.addresses["control"] + path, timeout=10, **rest)
        answer.raise_for_status()
        return answer.json()

    def fault(self, **order: Any) -> None:
        """Order a fault."""
        self.control("POST", "/faults", json=order)


@contextmanager
def running(store: Store) -> Iterator[Running]:
    """Serve a store until the block ends."""
    told: dict[str, str] = {}
    started, held = threading.Event(), {}

    async def main() -> None:
        held["loop"], held["stop"] = asyncio.get_running_loop(), asyncio.Event()

        def ready(addresses: dict[str, str]) -> None:
            told.update(addresses)
            started.set()

        await serve(store, SPACES, ready=ready, stop=held["stop"])

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert started.wait(10), "the servers did not start"
    try:
        yield Running(store=store, addresses=told)
    finally:
        held["loop"].call_soon_threadsafe(held["stop"].set)
        thread.join(10)
        assert not thread.is_alive(), "the servers did not stop"


def small_company(path: Path) -> Store:
    """Three cases, one deal, three issues, three rows."""
    store = Store(path)
    _org(store)
    _site(store)
    _base(store)
    return store


def put(store: Store, space: str, kind: str, doc: Doc, *, id_: str = "", day: int = 1, parent: str = "") -> None:
    """Put one document, stamped at noon of a day in January 2026."""
    if parent:
        doc = {**doc, "_parent": parent}
    key = id_ or str(doc.get("Id") or doc.get("id") or doc.get("accountId") or doc.get("name"))
    store.put(space, kind, [(key, f"2026-01-{day:02d}T12:00:00.000000Z", doc)])


def sf_time(day: int) -> str:
    """Noon of a day in January 2026 as Salesforce prints it."""
    return f"2026-01-{day:02d}T12:00:00.000+0000"


def _org(store: Store) -> None:
    space = SPACES["salesforce"]
    names = {ADA: "Ada Lovelace", GRACE: "Grace Hopper", LEFT: "Left Person", HUB: "Hub"}
    for id_, name in names.items():
        user = {"Id": id_, "Name": name, "Email": f"{name.split()[0].lower()}@acme.example", "IsActive": id_ != LEFT}
        user |= {"Username": user["Email"], "UserType": "Standard", "CreatedDate": sf_time(1)}
        if id_ == HUB:
            user |= {"_password": "pass", "_security_token": "word"}
        put(store, space, "User", user)
    put(store, space, "Group", {"Id": QUEUE, "Name": "Unassigned", "Type": "Queue", "CreatedDate": sf_time(1)})
    put(store, space, "_client", {"secret": "client-secret", "user": HUB}, id_="hub-client")
    put(store, space, "_token", {"user": HUB}, id_="sf-token")
    for name, status, history, parent, prefix in (
        ("Case", "Status", "CaseHistory", "CaseId", "500"),
        ("Opportunity", "StageName", "OpportunityFieldHistory", "OpportunityId", "006"),
    ):
        fields = [
            {"name": "Description", "type": "textarea", "label": "Description", "updateable": True},
            {"name": "Phase__c", "type": "picklist", "label": "Phase", "updateable": True, "picklistValues": ["QA"]},
            {"name": "Due__c", "type": "date", "label": "Due", "updateable": True},
        ]
        schema = {"name": name, "label": name, "keyPrefix": prefix, "history": history, "historyParent": parent}
        put(store, space, "_object", {**schema, "tracked": ["OwnerId", status, "Phase__c"], "fields": fields})
    for n, id_ in enumerate(CASES, start=1):
        case = {"Id": id_, "CaseNumber": f"0000100{n}", "Subject": f"Landing page {n}", "Status": "New"}
        case |= {"Description": "it's long", "Phase__c": "Build", "OwnerId": QUEUE if n == 3 else ADA}
        case |= {"CreatedDate": sf_time(1), "CreatedById": ADA, "LastModifiedDate": sf_time(n), "IsDeleted": n == 2}
        put(store, space, "Case", {**case, "SystemModstamp": sf_time(n), "LastModifiedById": ADA}, day=n)
    deal = {"Id": DEAL, "Name": "Autumn deal", "StageName": "Prospecting", "OwnerId": ADA, "CloseDate": "2026-03-01"}
    deal |= {"CreatedDate": sf_time(1), "CreatedById": ADA, "LastModifiedDate": sf_time(1), "IsDeleted": False}
    put(store, space, "Opportunity", {**deal, "SystemModstamp": sf_time(1), "LastModifiedById": ADA})


def _site(store: Store) -> None:
    space = SPACES["jira"]
    people = {J_ADA: "Ada Lovelace", J_GRACE: "Grace Hopper", J_LEFT: "Left Person", J_HUB: "Hub"}
    for account, name in people.items():
        user = {"accountId": account, "displayName": name, "active": account != J_LEFT, "accountType": "atlassian"}
        user["timeZone"] = "America/New_York" if account == J_HUB else "Etc/UTC"
        if account != J_ADA:
            user["emailAddress"] = f"{name.split()[0].lower()}@acme.example"
        put(store, space, "user", user)
    put(store, space, "_token", {"email": "hub@acme.example", "accountId": J_HUB}, id_="jira-token")
    put(store, space, "project", {"id": "10000", "key": "ACME", "name": "Acme"})
    statuses = []
    for n, (name, key) in enumerate((("To Do", "new"), ("In Progress", "indeterminate"), ("Done", "done"))):
        statuses.append({"id": str(10 + n), "name": name, "statusCategory": {"id": n + 2, "key": key, "name": name}})
        put(store, space, "status", statuses[-1])
    for id_, name, kind in (
        ("customfield_10010", "Phase", "option"),
        ("customfield_10011", "External reference", "string"),
        ("customfield_10013", "Approver", "user"),
    ):
        put(store, space, "field", {"id": id_, "name": name, "custom": True, "schema": {"type": kind}})
    put(store, space, "field", {"id": "summary", "name": "Summary", "custom": False, "schema": {"type": "string"}})
    for n in range(1, 4):
        updated = f"2026-01-{n:02d}T12:00:00.000+0000"
        fields = {"summary": f"Landing page {n}", "description": "see 500\n\nmore", "status": statuses[n - 1]}
        fields |= {"duedate": None, "customfield_10010": {"value": "Build"}, "customfield_10013": None}
        issue = {"id": str(100 + n), "key": f"ACME-{n}", "created": "2026-01-01T12:00:00.000+0000", "fields": fields}
        issue |= {"updated": updated, "_project": "ACME", "_creator": J_ADA, "_assignee": J_ADA if n == 1 else None}
        put(store, space, "issue", issue, day=n)
    for n in range(3):
        item = {"field": "assignee", "fieldId": "assignee", "fieldtype": "jira", "from": None, "fromString": None}
        item |= {"to": J_ADA, "toString": "Ada Lovelace"}
        entry = {"id": str(500 + n), "created": "2026-01-01T13:00:00.000+0000", "items": [item], "_author": J_GRACE}
        put(store, space, "changelog", entry, day=n + 1, parent="101")


def _base(store: Store) -> None:
    space = SPACES["airtable"]
    for id_, name in ((U_ADA, "Ada Lovelace"), (U_GRACE, "Grace Hopper")):
        put(store, space, "collaborator", {"id": id_, "email": f"{name.split()[0].lower()}@s.example", "name": name})
    put(store, space, "_token", {"user": U_GRACE}, id_="at-token")
    put(store, space, "base", {"id": BASE, "name": "Planning"})
    kinds = {"fldName": ("Name", "singleLineText"), "fldOwner": ("Owner", "multipleCollaborators")}
    kinds |= {"fldDone": ("Done", "checkbox"), "fldTouched": ("Touched", "lastModifiedTime")}
    fields: list[Doc] = [{"id": id_, "name": name, "type": kind} for id_, (name, kind) in kinds.items()]
    fields[-1]["options"] = {"referencedFieldIds": ["fldName", "fldOwner"]}
    choices = [{"id": "sel1", "name": "Open"}, {"id": "sel2", "name": "Closed"}]
    fields.append({"id": "fldStatus", "name": "Status", "type": "singleSelect", "options": {"choices": choices}})
    link = {"linkedTableId": UPDATES, "inverseLinkFieldId": "fldItem"}
    fields.append({"id": "fldUpdates", "name": "Updates", "type": "multipleRecordLinks", "options": link})
    put(store, space, "table", {"id": ITEMS, "name": "Items", "primaryFieldId": "fldName", "fields": fields})
    other = {"linkedTableId": ITEMS, "inverseLinkFieldId": "fldUpdates"}
    rows: list[Doc] = [{"id": "fldText", "name": "Text", "type": "multilineText"}]
    rows.append({"id": "fldItem", "name": "Item", "type": "multipleRecordLinks", "options": other})
    put(store, space, "table", {"id": UPDATES, "name": "Updates", "primaryFieldId": "fldText", "fields": rows})
    for n in range(1, 4):
        at = f"2026-01-{n:02d}T12:00:00.000"
        cells = {"fldName": f"Landing page {n}", "fldDone": False, "fldStatus": "Open", "fldTouched": f"{at}Z"}
        if n < 3:
            cells["fldOwner"] = [{"id": U_ADA, "email": "ada@s.example", "name": "Ada Lovelace"}]
        record = {"id": f"rec{n}", "createdTime": "2026-01-01T12:00:00.000Z", "_table": ITEMS, "fields": cells}
        put(store, space, "record", {**record, "_modified": f"{at}000Z"}, day=n)
