"""A small Jira site: people (one with a hidden address, one an app), two projects, issues with histories."""

from __future__ import annotations

from typing import Any

from connectors.jira.connector import JiraConnector
from hub.charter.secret import Secret
from hub.charter.sources import JiraSource

SPACE = "acme_jira"
SECRET = "right-token"
EMAIL = "hub@acme.example"
ADA, GRACE, HUB, GONE, APP = "acc:ada", "acc:grace", "acc:hub", "acc:gone", "acc:app"
FIRST, SECOND, THIRD = "10001", "10002", "10003"
PHASE, REF, APPROVAL, APPROVER, ACTIVITY = (f"customfield_1001{n}" for n in range(5))
TODO = {"id": "1", "name": "To Do", "statusCategory": {"key": "new"}}
DOING = {"id": "2", "name": "In Progress", "statusCategory": {"key": "indeterminate"}}


def at(day: int, hour: int = 9, minute: int = 0) -> str:
    return f"2026-10-{day:02d}T{hour:02d}:{minute:02d}:00.000+0000"


def sortable(time: str) -> str:
    return time[:19] + ".000000Z"


def user(account: str, name: str, *, email: str | None = None, **more: Any) -> dict[str, Any]:
    shown = {"emailAddress": email} if email else {}
    stated = {"accountId": account, "displayName": name, "active": True, "accountType": "atlassian"}
    return {**stated, "timeZone": "Asia/Kolkata", **shown, **more}


def issue(native: str, created: str, updated: str, **more: Any) -> dict[str, Any]:
    fields = {"summary": f"Issue {native}", "description": None, "status": TODO, "duedate": None}
    doc = {
        "id": native,
        "key": f"ACME-{native[-2:].lstrip('0')}",
        "created": created,
        "updated": updated,
        "_project": "ACME",
        "_assignee": ADA,
        "_creator": ADA,
    }
    return {**doc, **{k: v for k, v in more.items() if k in doc}, "fields": {**fields, **more.get("fields", {})}}


def put_issue(store: Any, doc: dict[str, Any]) -> None:
    store.put(SPACE, "issue", [(doc["id"], sortable(doc["updated"]), doc)])


def item(field: str, old: str | None, new: str | None, *, ids: tuple[Any, Any] = (None, None)) -> dict[str, Any]:
    return {
        "field": field,
        "fieldId": field,
        "fieldtype": "custom" if field.startswith("custom") else "jira",
        "from": ids[0],
        "fromString": old,
        "to": ids[1],
        "toString": new,
    }


def put_change(store: Any, number: int, parent: str, by: str, when: str, *items: dict[str, Any]) -> None:
    doc = {"id": str(number), "created": when, "items": list(items), "_author": by, "_parent": parent}
    store.put(SPACE, "changelog", [(doc["id"], sortable(when), doc)])


def put_comment(store: Any, number: int, parent: str, by: str, when: str, body: str) -> None:
    doc = {"id": str(number), "body": body, "created": when, "updated": when, "_author": by, "_parent": parent}
    store.put(SPACE, "comment", [(doc["id"], sortable(when), doc)])


def fill(store: Any) -> None:
    """Write the site into a store."""
    stamp = "2026-01-01T00:00:00.000000Z"
    people = (
        user(ADA, "Ada Lovelace", email="ada@acme.example"),
        user(GRACE, "Grace Hopper"),
        user(HUB, "Handoff Hub", email=EMAIL),
        user(GONE, "Gone Person", active=False),
        user(APP, "Automation", accountType="app"),
    )
    store.put(SPACE, "user", [(p["accountId"], stamp, p) for p in people])
    store.put(SPACE, "_token", [(SECRET, stamp, {"email": EMAIL, "accountId": HUB})])
    store.put(SPACE, "project", [(k, stamp, {"id": k, "key": n, "name": n}) for k, n in (("1", "ACME"), ("2", "OPS"))])
    store.put(SPACE, "status", [(s["id"], stamp, s) for s in (TODO, DOING)])
    built_in = ("summary", "status", "assignee", "duedate", "description")
    custom = ((PHASE, "option"), (REF, "string"), (APPROVAL, "option"), (APPROVER, "user"), (ACTIVITY, "string"))
    fields = [{"id": f, "name": f, "custom": False, "schema": {"type": "string"}} for f in built_in]
    fields += [{"id": f, "name": f, "custom": True, "schema": {"type": kind}} for f, kind in custom]
    store.put(SPACE, "field", [(str(f["id"]), stamp, f) for f in fields])

    put_issue(
        store,
        issue(
            FIRST, at(1), at(4, 12), _assignee=GRACE,
            fields={
                "summary": "Landing page", "status": DOING, "duedate": "2026-12-01",
                "description": "For https://acme.lightning.force.com/lightning/r/Case/5000000000000C1AAA/view",
                PHASE: {"value": "Build"}, REF: "case-77", APPROVAL: {"value": "Approved"},
                APPROVER: {"accountId": ADA}, ACTIVITY: "2. Draft sent",
            },
        ),
    )  # fmt: skip
    put_change(store, 1, FIRST, ADA, at(2), item("assignee", "Ada Lovelace", "Grace Hopper", ids=(ADA, GRACE)))
    put_change(
        store, 2, FIRST, GRACE, at(3),
        item("status", "To Do", "In Progress", ids=("1", "2")), item(PHASE, "Brief", "Build", ids=("7", "8")),
    )  # fmt: skip
    put_change(
        store, 3, FIRST, GRACE, at(3, 10), item(APPROVAL, None, "Pending"), item(APPROVER, None, "Ada", ids=(None, ADA))
    )
    put_change(store, 4, FIRST, ADA, at(4), item(APPROVAL, "Pending", "Approved"))
    put_change(store, 5, FIRST, APP, at(4, 11), item(ACTIVITY, "1. Asked", "2. Draft sent"))
    put_comment(store, 900, FIRST, GRACE, at(4, 12), "Draft is with the client")

    put_issue(store, issue(SECOND, at(5), at(6), _assignee=None))
    put_change(store, 6, SECOND, ADA, at(6), item("assignee", "Ada Lovelace", None, ids=(ADA, None)))
    put_issue(store, issue(THIRD, at(7), at(7)))


def configured(server: str, **changes: Any) -> JiraSource:
    """The source as a charter states it."""
    stated = {
        "tool": "jira",
        "partner": "acme",
        "writable": True,
        "connection": {"server": server, "email": EMAIL, "token": "env:SECRET"},
        "projects": ["ACME"],
        "fields": {
            "phase": PHASE, "approval": APPROVAL, "approver": APPROVER, "activity": ACTIVITY,
            "identifiers": [REF], "references": ["description"],
        },
    }  # fmt: skip
    return JiraSource.model_validate({**stated, **changes})


def connector_for(site: Any, secret: str = SECRET, **changes: Any) -> JiraConnector:
    """A connector to the running site that does not sleep between repeats."""
    source = configured(site.addresses["jira"], **changes)
    return JiraConnector(SPACE, source, lambda _: Secret(secret), sleep=lambda _: None)
