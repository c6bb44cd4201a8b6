"""Clients in JavaScript that nobody here wrote, each as its own program, against the simulated tools."""

from __future__ import annotations

from typing import Any

import pytest
from client_company import APP_TOKEN, CLIENT, PASSWORD, SECURITY_TOKEN, Company
from client_scripts import Scripts, Told

pytestmark = pytest.mark.xdist_group("clients")


def jira_world(company: Company) -> dict[str, Any]:
    """What a Jira script is given: an issue with a long history, people, and what to sign in with."""
    issues = company.documents("jira", "issue")
    entries = company.documents("jira", "changelog")
    most = max(issues, key=lambda issue: sum(e["_parent"] == issue["id"] for e in entries))
    users = company.documents("jira", "user")
    person = next(u for u in users if u["active"] and u["accountId"] == most["_assignee"])
    return {
        "jira": company.addresses["jira"],
        "control": company.addresses["control"],
        "email": company.hub["email"],
        "token": company.secrets["jira_token"],
        "appToken": APP_TOKEN,
        "account": company.hub["jira"],
        "project": most["_project"],
        "issue": most["key"],
        "other": next(issue["key"] for issue in issues if issue["id"] != most["id"]),
        "several": [issue["id"] for issue in issues[:40]],
        "status": most["fields"]["status"]["name"],
        "issueType": "Task",
        "person": person["accountId"],
        "personName": person["displayName"],
        "left": next(u["accountId"] for u in users if not u["active"]),
    }


@pytest.fixture(scope="module")
def jira6(company: Company, scripts: Scripts) -> Told:
    return scripts.run("jira6", jira_world(company))


def airtable_world(company: Company) -> dict[str, Any]:
    """What an Airtable script is given: the table of items, a row with an owner, and the token."""
    table = next(t for t in company.documents("airtable", "table") if t["name"] == "Items")
    fields = {field["name"]: field["id"] for field in table["fields"]}
    rows = rows_of(company, table["id"])
    owned = next(r for r in rows if r["fields"].get(fields["Owner"]) and r["fields"].get(fields["Status"]))
    base = company.documents("airtable", "base")[0]
    return {
        "airtable": company.addresses["airtable"],
        "control": company.addresses["control"],
        "token": company.secrets["airtable_token"],
        "base": base["id"],
        "table": table["id"],
        "tableName": table["name"],
        "fields": {name.lower(): fields[name] for name in ("Name", "Status", "Ref", "Due", "Updates")},
        "record": owned["id"],
        "several": [row["id"] for row in rows[:20]],
        "status": owned["fields"][fields["Status"]],
        "name": owned["fields"][fields["Name"]],
        "person": owned["fields"][fields["Owner"]][0]["id"],
        "personEmail": owned["fields"][fields["Owner"]][0]["email"],
    }


def rows_of(company: Company, table: str) -> list[dict[str, Any]]:
    """The rows of one table, straight from the store."""
    return [row for row in company.documents("airtable", "record") if row["_table"] == table]


def salesforce_world(company: Company) -> dict[str, Any]:
    """What a Salesforce script is given: a case with an owner, two people, and every way to sign in."""
    cases = [case for case in company.documents("salesforce", "Case") if not case.get("IsDeleted")]
    users = [u for u in company.documents("salesforce", "User") if u["Id"] != company.hub["salesforce"]]
    active = {u["Id"] for u in users if u["IsActive"]}
    record = next(case for case in cases if case["OwnerId"] in active)
    return {
        "salesforce": company.addresses["salesforce"],
        "control": company.addresses["control"],
        "client": CLIENT,
        "clientSecret": company.secrets["salesforce_client_secret"],
        "username": company.hub["username"],
        "password": PASSWORD,
        "securityToken": SECURITY_TOKEN,
        "user": company.hub["salesforce"],
        "record": record["Id"],
        "several": [case["Id"] for case in cases[:30]],
        "person": record["OwnerId"],
        "other": next(id_ for id_ in sorted(active) if id_ != record["OwnerId"]),
        "left": next(u["Id"] for u in users if not u["IsActive"]),
    }
