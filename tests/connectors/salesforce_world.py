"""A small org: three people, a queue, three cases and an opportunity with their histories."""

from __future__ import annotations

from typing import Any

from connectors.salesforce.connector import SalesforceConnector
from hub.charter.secret import Secret
from hub.charter.sources import SalesforceSource

SPACE = "acme_salesforce"
SECRET = "right-secret"
ADA, GRACE, HUB = "0050000000000A1AAA", "0050000000000G1AAA", "0050000000000H1AAA"
GONE = "0050000000000X1AAA"
QUEUE = "00G0000000000Q1AAA"
CASE_1, CASE_2, CASE_3 = "5000000000000C1AAA", "5000000000000C2AAA", "5000000000000C3AAA"
DEAL = "0060000000000D1AAA"


def at(day: int, hour: int = 9, minute: int = 0) -> str:
    return f"2026-10-{day:02d}T{hour:02d}:{minute:02d}:00.000+0000"


def _system(created: str, modified: str | None = None, by: str = ADA) -> dict[str, Any]:
    changed = modified or created
    return {
        "CreatedDate": created,
        "CreatedById": by,
        "LastModifiedDate": changed,
        "LastModifiedById": by,
        "SystemModstamp": changed,
        "IsDeleted": False,
    }


def put(store: Any, kind: str, *docs: dict[str, Any]) -> None:
    """Store documents with the stamp the org would sort them by."""
    store.put(
        SPACE,
        kind,
        [(doc["Id"], doc["SystemModstamp"][:19] + ".000000Z", doc) for doc in docs],
    )


def history(number: int, parent: str, field: str, old: Any, new: Any, by: str, when: str) -> dict[str, Any]:
    column = "CaseId" if parent.startswith("500") else "OpportunityId"
    return {
        "Id": f"0170000000{number:05d}AAA",
        column: parent,
        "Field": field,
        "OldValue": old,
        "NewValue": new,
        "_parent": parent,
        **_system(when, by=by),
    }


def case(id_: str, number: int, created: str, modified: str, **values: Any) -> dict[str, Any]:
    return {
        "Id": id_,
        "CaseNumber": f"{number:08d}",
        "Subject": "Autumn campaign",
        "Description": None,
        "Status": "New",
        "OwnerId": ADA,
        "Phase__c": "Brief",
        "Due__c": None,
        "Jira_Key__c": None,
        "External_Ref__c": None,
        "Activity__c": None,
        **_system(created, modified),
        **values,
    }


def fill(store: Any) -> None:
    """Write the org into a store."""
    store.put(SPACE, "_client", [("hub-client", "2026-01-01T00:00:00Z", {"secret": SECRET, "user": HUB})])
    for name, tracked, fields in (
        (
            "Case",
            ["OwnerId", "Status", "Phase__c"],
            ["Phase__c", "Due__c", "Jira_Key__c", "External_Ref__c", "Activity__c"],
        ),
        ("Opportunity", ["OwnerId", "StageName"], ["Phase__c", "Jira_Key__c"]),
    ):
        prefix, rows = ("500", "CaseHistory") if name == "Case" else ("006", "OpportunityFieldHistory")
        schema = {
            "name": name,
            "label": name,
            "keyPrefix": prefix,
            "history": rows,
            "historyParent": f"{name}Id",
            "tracked": tracked,
            "fields": [{"name": f, "type": "date" if f == "Due__c" else "string", "updateable": True} for f in fields],
        }
        store.put(SPACE, "_object", [(name, "2026-01-01T00:00:00Z", schema)])
    for id_, name, active in ((ADA, "Ada", True), (GRACE, "Grace", True), (HUB, "Hub", True), (GONE, "Gone", False)):
        user = {"Id": id_, "Name": name, "Email": f"{name.lower()}@acme.example", "Username": name}
        put(store, "User", {**user, "IsActive": active, "UserType": "Standard", **_system(at(1))})
    put(store, "Group", {"Id": QUEUE, "Name": "Unassigned", "Type": "Queue", **_system(at(1))})
    put(store, "Group", {"Id": "00G0000000000R1AAA", "Name": "Everyone", "Type": "Regular", **_system(at(1))})
    put(
        store,
        "Case",
        case(
            CASE_1, 1001, at(2), at(5, 10), OwnerId=GRACE, Status="Working", Due__c="2026-12-01",
            Jira_Key__c="acme-12", External_Ref__c="case-77", Activity__c="2. Draft sent",
            Description="see https://airtable.com/appX/tblY/recAAAAAAAAAAAAAA",
        ),
        case(CASE_2, 1002, at(3), at(3), OwnerId=QUEUE),
        case(CASE_3, 1003, at(4), at(4), Subject="Phase moved by a job", Phase__c="Build"),
    )  # fmt: skip
    put(
        store,
        "CaseHistory",
        history(1, CASE_1, "created", None, None, ADA, at(2)),
        history(2, CASE_1, "Owner", "Ada", "Grace", ADA, at(5)),
        history(3, CASE_1, "Owner", ADA, GRACE, ADA, at(5)),
        history(4, CASE_1, "Status", "New", "Working", GRACE, at(5, 10)),
    )
    put(
        store,
        "CaseComment",
        {
            "Id": "00a0000000000N1AAA",
            "ParentId": CASE_1,
            "CommentBody": "FYI: draft sent to ACME-99 folks",
            "_parent": CASE_1,
            **_system(at(5, 11), by=GRACE),
        },
    )
    deal = {
        "Id": DEAL,
        "Name": "Autumn retainer",
        "Description": None,
        "StageName": "Proposal",
        "OwnerId": ADA,
        "Phase__c": "Launch",
        "CloseDate": "2026-12-24",
        "Jira_Key__c": None,
    }
    put(store, "Opportunity", {**deal, **_system(at(6), at(7))})
    put(
        store,
        "ProcessInstance",
        _approval("04g0000000000P1AAA", CASE_1, "Approved", at(4), at(5)),
        _approval("04g0000000000P2AAA", CASE_2, "Pending", at(6), None),
        _approval("04g0000000000P3AAA", CASE_3, "Removed", at(6), at(7)),
        _approval("04g0000000000P4AAA", DEAL, "Rejected", at(6), at(8)),
    )
    put(
        store,
        "ProcessInstanceStep",
        _step("04h0000000000S1AAA", "04g0000000000P1AAA", "Started", ADA, at(4)),
        _step("04h0000000000S2AAA", "04g0000000000P1AAA", "Approved", GRACE, at(5)),
        _step("04h0000000000S3AAA", "04g0000000000P4AAA", "Rejected", GRACE, at(8)),
    )
    put(
        store,
        "ProcessInstanceWorkitem",
        {
            "Id": "04i0000000000W1AAA",
            "ProcessInstanceId": "04g0000000000P2AAA",
            "ActorId": GRACE,
            "_parent": "04g0000000000P2AAA",
            **_system(at(6)),
        },
    )


def _approval(id_: str, about: str, status: str, asked: str, ended: str | None) -> dict[str, Any]:
    return {
        "Id": id_,
        "TargetObjectId": about,
        "Status": status,
        "SubmittedById": ADA,
        "CompletedDate": ended,
        "_parent": about,
        **_system(asked, ended),
    }


def _step(id_: str, approval: str, status: str, by: str, when: str) -> dict[str, Any]:
    return {
        "Id": id_,
        "ProcessInstanceId": approval,
        "StepStatus": status,
        "ActorId": by,
        "Comments": None,
        "_parent": approval,
        **_system(when, by=by),
    }


def configured(base_url: str, **changes: Any) -> SalesforceSource:
    """The source as a charter states it."""
    case_map = {
        "title": "Subject",
        "status": "Status",
        "phase": "Phase__c",
        "due": "Due__c",
        "activity": "Activity__c",
        "identifiers": ["External_Ref__c"],
        "references": ["Jira_Key__c", "Description"],
        "tracked": ["OwnerId", "Status", "Phase__c"],
        "comments": True,
        "approvals": True,
    }
    deal_map = {
        "title": "Name",
        "status": "StageName",
        "phase": "Phase__c",
        "due": "CloseDate",
        "tracked": ["OwnerId", "StageName"],
        "approvals": True,
    }
    stated = {
        "tool": "salesforce",
        "partner": "acme",
        "writable": True,
        "connection": {"base_url": base_url, "client_id": "hub-client", "client_secret": "env:SECRET"},
        "objects": {"Case": case_map, "Opportunity": deal_map},
    }
    return SalesforceSource.model_validate({**stated, **changes})


def connector_for(org: Any, secret: str = SECRET, **changes: Any) -> SalesforceConnector:
    """A connector to the running org that does not sleep between repeats."""
    return SalesforceConnector(
        SPACE, configured(org.addresses["salesforce"], **changes), lambda _: Secret(secret), sleep=lambda _: None
    )
