"""The documented scripts, as a reader would run them: stock libraries, nothing changed but the address."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from client_company import DESK, Company

pytestmark = pytest.mark.xdist_group("clients")
STOCK = Path(__file__).parent / "stock"


def ran(name: str, company: Company) -> dict[str, Any]:
    """What each step of a script told, by its name."""
    command = [sys.executable, str(STOCK / f"{name}.py"), str(company.directory)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return {line["step"]: line["told"] for line in map(json.loads, done.stdout.splitlines())}


def alive(company: Company, kind: str) -> set[str]:
    return {doc["Id"] for doc in company.documents("salesforce", kind) if not doc.get("IsDeleted")}


def test_simple_salesforce_gets_in_each_way_and_works(company: Company) -> None:
    cases = alive(company, "Case")
    told = ran("try_simple_salesforce", company)
    ways = {"SOAP with security token", "SOAP with organisation", "OAuth password", "client credentials", "JWT bearer"}
    assert {told[way] for way in ways | {"direct session"}} == {1}
    assert told["wrong password"] == "INVALID_LOGIN"
    assert {"Case", "User"} <= set(told["objects"])
    assert "OwnerId" in told["fields"]
    assert told["first page"] == {"size": 200, "done": False}
    assert set(told["all"]) == cases
    assert told["filter"]
    assert told["read back"] == {"OwnerId": True}
    assert told["updated"] is True
    assert told["collection"] == [True]
    assert told["bulk query"] == len(cases) + 1  # one was made by then
    assert told["bulk update"] == [[1, 0]]
    assert told["approval"] == "Pending"
    assert told["limits"] is True
    assert told["usage"] is True
    assert told["deleted"] is True
    assert told["queryAll"] is True
    assert told["deleted record"] == 404
    assert told["unknown column"] == "INVALID_FIELD"
    assert told["inactive owner"] == "INACTIVE_OWNER_OR_USER"


def test_jira_at_its_defaults(company: Company) -> None:
    issues = [issue for issue in company.documents("jira", "issue") if issue["_project"] != DESK]
    told = ran("try_jira", company)
    assert told["server"] == "Cloud"
    assert sorted(told["all"]) == sorted(issue["id"] for issue in issues)
    assert told["count"] == len(issues)
    assert told["unassigned"] == [None, None, None]
    assert told["history"] > 0
    assert told["read back"] == ["Changed by jira", True]
    assert told["moved"] is True
    assert told["comments"] == ["From jira"]
    assert told["assignable"] is True
    refusals = {"deleted issue": 404, "bad query": 400, "unbounded query": 400, "wrong token": 401}
    assert {step: told[step] for step in refusals} == refusals


def test_pyairtable_at_its_defaults(company: Company) -> None:
    items = next(t["id"] for t in company.documents("airtable", "table") if t["name"] == "Items")
    rows = [row["id"] for row in company.documents("airtable", "record") if row["_table"] == items]
    told = ran("try_pyairtable", company)
    assert sorted(told["all"]) == sorted(rows)
    assert sum(told["pages"]) == len(rows)
    assert set(told["pages"][:-1]) == {100}
    assert told["by field id"] == "fld"
    assert told["long formula"] == len(rows)
    assert told["sorted"] == sorted(told["sorted"], reverse=True, key=str.casefold)
    assert told["read back"] is True
    assert told["upsert"] == [[], True]
    assert told["batches"] == [12, 12, 12]
    assert told["comments"] == ["From pyairtable"]
    assert told["webhook"] == [True]
    refusals = {
        "deleted record": 404,
        "bad formula": 422,
        "unknown field": 422,
        "unknown table": 403,
        "wrong token": 401,
    }
    assert {step: told[step] for step in refusals} == refusals


def test_imapclient_reads_the_mailbox(company: Company) -> None:
    world = len(company.documents("mail", "message"))
    told = ran("try_imapclient", company)
    assert told["selected"]["exists"] == told["all"] == told["pages"]
    assert told["all"] >= world
    assert told["from"] is True
    assert told["since"] == 1
    assert told["body"] is True
    assert told["flagged"] is True
    assert told["arrived"] == 1
    assert told["wrong password"] == "refused"


def test_imap_tools_reads_the_mailbox(company: Company) -> None:
    world = len(company.documents("mail", "message"))
    told = ran("try_imap_tools", company)
    assert "INBOX" in told["folders"]
    assert told["all"] == told["fetched"] >= world
    assert told["parsed"] is True
    assert told["from"] is True
    assert told["page"] is True
    assert told["flagged"] is True
    assert told["appended"] == 1
    assert told["deleted"] == 0
    assert told["wrong password"] == "refused"
