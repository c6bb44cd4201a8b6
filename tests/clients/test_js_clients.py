"""Clients in JavaScript that nobody here wrote, each as its own program, against the simulated tools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from client_company import APP_TOKEN, CLIENT, DESK, PASSWORD, REQUEST, SECURITY_TOKEN, Company
from client_scripts import Scripts, Told

pytestmark = pytest.mark.xdist_group("clients")


def jira_world(company: Company) -> dict[str, Any]:
    """What a Jira script is given: an issue with a long history, people, and what to sign in with."""
    issues = issues_of(company)
    entries = company.documents("jira", "changelog")
    most = max(issues, key=lambda issue: sum(e["_parent"] == issue["id"] for e in entries))
    several = [issue["id"] for issue in issues[:40]]
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
        "history": [e["id"] for e in entries if e["_parent"] == most["id"]],
        "several": several,
        "histories": [e["id"] for e in entries if e["_parent"] in several],
        "status": most["fields"]["status"]["name"],
        "issueType": "Task",
        "person": person["accountId"],
        "personName": person["displayName"],
        "left": next(u["accountId"] for u in users if not u["active"]),
        "facts": [[i["id"], i["_assignee"], i["fields"]["status"]["name"]] for i in issues],
        "request": REQUEST,
    }


def issues_of(company: Company) -> list[dict[str, Any]]:
    """The issues of the project of a generated world; the service desk has a project of its own."""
    return [issue for issue in company.documents("jira", "issue") if issue["_project"] != DESK]


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
        "inStatus": [r["id"] for r in rows if r["fields"].get(fields["Status"]) == owned["fields"][fields["Status"]]],
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
        "personName": next(u["Name"] for u in users if u["Id"] == record["OwnerId"]),
        "owned": sum(case["OwnerId"] == record["OwnerId"] for case in cases),
        "open": [c["Id"] for c in cases if c["OwnerId"] == record["OwnerId"] and c["Status"] != "Closed"],
        "other": next(id_ for id_ in sorted(active) if id_ != record["OwnerId"]),
        "left": next(u["Id"] for u in users if not u["IsActive"]),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a script told, what it was given, and the ids of everything in the container before it ran."""

    told: Told
    given: Mapping[str, Any]
    before: list[str]

    def __getitem__(self, step: str) -> Any:
        """What a step returned."""
        return self.told[step]

    def refusal(self, step: str) -> tuple[Any, Any]:
        """Status and error name of a step that had to be refused."""
        told = self.told[step]
        return told["status"], told["code"]


# -- jira.js 6 ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def jira6(company: Company, scripts: Scripts) -> Ran:
    given = jira_world(company)
    before = [issue["id"] for issue in issues_of(company)]
    return Ran(told=scripts.run("jira6", given), given=given, before=before)


def test_jira6_finds_every_reply_as_its_schemas_say(jira6: Ran) -> None:
    mismatched = [name for name, line in jira6.told.steps.items() if (line.get("error") or {}).get("report")]
    assert mismatched == []


def test_jira6_reads(jira6: Ran, company: Company) -> None:
    given = jira6.given
    assert jira6["server info"] == "Cloud"
    assert jira6["myself"] == jira6["myself expanded"] == given["account"]
    assert jira6["my permissions"] == {"BROWSE_PROJECTS": True, "EDIT_ISSUES": True, "ASSIGN_ISSUES": True}
    assert jira6["all permissions"] >= 3
    assert {"summary", "assignee", "status"} <= set(jira6["fields"])
    assert given["status"] in jira6["statuses"]
    assert given["issueType"] in jira6["issue types"]
    assert jira6["labels"] is True
    assert given["project"] in jira6["projects"]
    assert jira6["project"] == given["project"]
    for step in ("priorities", "project statuses", "create meta"):
        assert jira6[step] > 0, step
    assert jira6["groups of a user"] >= 0
    assert jira6["issue"] == jira6["issue expanded"]["id"]
    assert "summary" in jira6["edit meta"]
    assert sorted(jira6["users"]) == sorted(u["accountId"] for u in company.documents("jira", "user"))
    assert jira6["user"] == given["personName"]
    assert given["person"] in jira6["user search"]
    assert jira6["users by account"] == [given["person"]]
    for step in ("assignable", "assignable in projects"):
        assert given["person"] in jira6[step], step
        assert given["left"] not in jira6[step], step


def test_jira6_pages(jira6: Ran) -> None:
    every = jira6.before
    assert sorted(jira6["pages of ids"]["ids"]) == sorted(every)
    assert jira6["pages of ids"]["pages"] == -(-len(every) // 100)
    assert sorted(jira6["pages of everything"]["ids"]) == sorted(every)
    assert jira6["pages of everything"]["pages"] == -(-len(every) // 75)
    assert jira6["search by GET"] == 10
    assert jira6["count"] == len(every)
    assert sorted(jira6["fetch in bulk"]) == sorted([jira6.given["issue"], jira6.given["other"]])
    own = jira6.given["history"]
    assert sorted(jira6["changelog of one"]["ids"]) == sorted(own)
    assert jira6["changelog of one"]["total"] == len(own) == jira6["issue expanded"]["histories"]
    assert jira6["changelog by ids"] == 1
    assert sorted(jira6["changelogs in bulk"]) == sorted(jira6.given["histories"])


def test_jira6_asked_for_each_page_once(jira6: Ran, company: Company) -> None:
    pages = jira6["pages of ids"]["pages"] + jira6["pages of everything"]["pages"]
    asked = company.journal("jira", "POST", "/rest/api/3/search/jql")
    with_token = [entry for entry in asked if "nextPageToken" in entry["body"]]
    assert len(with_token) >= pages - 2  # every page but the two first ones


def test_jira6_filters(jira6: Ran) -> None:
    unassigned = {issue_id for issue_id, owner, _ in jira6.given["facts"] if owner is None}
    chosen = {
        issue_id
        for issue_id, owner, status in jira6.given["facts"]
        if owner == jira6.given["person"] and status == jira6.given["status"]
    }
    assert set(jira6["unassigned"]) == unassigned
    assert set(jira6["in a status"]) == chosen
    assert jira6["jql parsed"] == [False, True]


def test_jira6_writes_and_reads_back(jira6: Ran) -> None:
    assert jira6["create"].startswith(f"{jira6.given['project']}-")
    assert jira6["edit"] == "Edited by jira.js 6"
    assert jira6["assign"] == jira6.given["person"]
    assert jira6["unassign"] is None
    assert jira6["transition"]["status"] == jira6["transition"]["wanted"]
    assert jira6["comment"] == {"same": True, "total": 1}
    assert jira6["comment edited"] == {"text": "Changed by jira.js 6", "left": 0}
    assert jira6["own changelog"] == ["summary", "assignee", "assignee", "status"]
    assert jira6["delete"] == jira6["create"]
    assert jira6.refusal("deleted issue")[0] == 404


def test_jira6_answers_an_approval_once(jira6: Ran) -> None:
    assert jira6["desk info"] == "string"
    assert jira6["desks"] > 0
    assert jira6["request"] == jira6.given["request"]
    assert [decision for _, decision in jira6["approvals"]] == ["pending"]
    assert jira6["approval"] == "pending"
    assert jira6["approve"] == "approved"
    assert jira6.refusal("approve twice")[0] in {400, 403, 409}


def test_jira6_registers_webhooks_as_an_app_only(jira6: Ran) -> None:
    assert jira6["webhook registered"] == "number"
    assert jira6["webhooks"] == [True]
    assert jira6["webhook refreshed"] in {"string", "number"}
    assert jira6["webhook deleted"] == 0
    assert jira6.refusal("webhook with basic")[0] == 403


def test_jira6_meets_refusals(jira6: Ran) -> None:
    refusals = {"bad token": 401, "unknown issue": 404, "bad query": 400, "unbounded query": 400}
    refusals |= {"refused owner": 400, "unknown owner": 400, "too many requests": 429}
    assert {step: jira6.refusal(step)[0] for step in refusals} == refusals
    assert jira6["too many requests"]["retryAfterMs"] == 7000
    assert jira6["after the limit"] == jira6["issue"]


def test_jira6_meets_trouble_on_the_way(jira6: Ran) -> None:
    assert jira6.refusal("an HTML page")[0] == 502
    assert jira6["half a reply"]["message"] == "terminated"
    assert jira6["a lost reply"]["code"] == "ECONNRESET"
    assert jira6["it was done all the same"] == jira6.given["person"]
    # neither an empty page nor a short one is the end while there is a token
    assert set(jira6["an empty page in the middle"]) == set(jira6["pages with fewer rows"]) == set(jira6.before)


# -- jira.js 5 ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def jira5(company: Company, scripts: Scripts) -> Ran:
    given = jira_world(company)
    before = [issue["id"] for issue in issues_of(company)]
    return Ran(told=scripts.run("jira5", given), given=given, before=before)


def test_jira5_reads_pages_and_filters(jira5: Ran) -> None:
    assert jira5["server info"] == "Cloud"
    assert jira5["myself"] == jira5.given["account"]
    assert jira5["issue"]["description"] in {"doc", None}
    assert jira5["issue in version 2"]["description"] in {"string", "object"}
    assert jira5["fields"] > 5
    assert sorted(jira5["pages"]["ids"]) == sorted(jira5.before)
    assert jira5["pages"]["pages"] == -(-len(jira5.before) // 90)
    assert set(jira5["filter"]) == {jira5.given["person"]}
    assert jira5["changelog"] > 0


def test_jira5_writes_and_reads_back(jira5: Ran) -> None:
    assert jira5["create"] == "Made by jira.js 5"
    assert jira5["edit"] == "plain *words*"
    assert jira5["assign"] == jira5.given["person"]
    assert jira5["comment"] == "From jira.js 5"
    assert jira5["delete"]


def test_jira5_meets_refusals(jira5: Ran) -> None:
    refusals = {"deleted issue": 404, "bad token": 401, "unknown issue": 404, "bad query": 400}
    refusals |= {"removed search": 410, "refused owner": 400, "too many requests": 429}
    assert {step: jira5.refusal(step)[0] for step in refusals} == refusals


# -- airtable.js, airtable-ts, asyncairtable ------------------------------------------------------------------------


def airtable_run(company: Company, scripts: Scripts, name: str) -> Ran:
    given = airtable_world(company)
    before = [row["id"] for row in rows_of(company, given["table"])]
    return Ran(told=scripts.run(name, given), given=given, before=before)


@pytest.fixture(scope="module")
def airtable(company: Company, scripts: Scripts) -> Ran:
    return airtable_run(company, scripts, "airtable")


@pytest.fixture(scope="module")
def asyncairtable(company: Company, scripts: Scripts) -> Ran:
    return airtable_run(company, scripts, "asyncairtable")


def test_airtable_reads_pages_and_filters(airtable: Ran) -> None:
    given = airtable.given
    assert airtable["find"]["id"] == airtable["find by table name"] == given["record"]
    assert airtable["first page"] == 20
    assert all(name.startswith("fld") for name in airtable["fields by id"])
    assert airtable["only some fields"] == ["Name", "Status"]
    every = sorted(airtable.before)
    sizes = airtable["each page"]["sizes"]
    assert sorted(airtable["each page"]["ids"]) == sorted(airtable["all"]) == every
    assert sizes == [50] * (len(every) // 50) + ([len(every) % 50] if len(every) % 50 else [])
    assert airtable["at most"] == 120
    assert sorted(airtable["formula"]) == sorted(given["inStatus"])
    assert airtable["long formula"] == sorted(given["several"])
    assert airtable["sorted"] == sorted(airtable["sorted"], key=str.casefold, reverse=True)


def test_airtable_asked_for_each_page_once(airtable: Ran, company: Company) -> None:
    sizes = airtable["each page"]["sizes"]
    further = [e for e in company.journal("airtable", "GET", f"/{airtable.given['table']}") if "offset=" in e["query"]]
    assert sum("pageSize=50" in e["query"] for e in further) >= len(sizes) - 1
    assert company.journal("airtable", "POST", "/listRecords")


def test_airtable_writes_and_reads_back(airtable: Ran) -> None:
    assert airtable["create"] == "Made by airtable.js"
    assert airtable["create several"] == {"made": 3, "gone": 3}
    update = airtable["update"]
    assert [cell["id"] for cell in update["read"]] == [airtable.given["person"]]
    assert update["name"] == "Made by airtable.js"
    assert airtable["update several"] == ["Updated by airtable.js"]
    assert airtable["typecast"] == airtable.given["status"]
    assert "Status" not in airtable["replace"]
    assert airtable["destroy"] is True


def test_airtable_meets_refusals(airtable: Ran) -> None:
    refusals = {
        # the client has its own words for 401 and 404, and drops the type of a plain 403
        "bad token": (401, "AUTHENTICATION_REQUIRED"),
        "destroyed record": (404, "NOT_FOUND"),
        "unknown record": (404, "NOT_FOUND"),
        "save a whole record": (422, "INVALID_VALUE_FOR_COLUMN"),
        "bad formula": (422, "INVALID_FILTER_BY_FORMULA"),
        "unknown field": (422, "UNKNOWN_FIELD_NAME"),
        "unknown option": (422, "INVALID_MULTIPLE_CHOICE_OPTIONS"),
        "refused owner": (422, "INVALID_VALUE_FOR_COLUMN"),
    }
    assert {step: airtable.refusal(step) for step in refusals} == refusals
    statuses = {"unknown base": 403, "unknown table": 403, "too many in one call": 422, "too many requests": 429}
    assert {step: airtable.refusal(step)[0] for step in statuses} == statuses
    assert airtable["after the limit"] == airtable["own retry"] == airtable.given["record"]


def test_airtable_meets_trouble_on_the_way(airtable: Ran) -> None:
    assert airtable.refusal("an expired offset") == (422, "LIST_RECORDS_ITERATOR_NOT_AVAILABLE")
    assert airtable.refusal("an HTML page")[0] == 502
    assert airtable["a lost reply"]["code"] == "ECONNRESET"
    assert airtable["it was done all the same"] == "Written, but nobody told"


def test_airtable_ts_agrees_with_the_schema(company: Company, scripts: Scripts) -> None:
    ran = airtable_run(company, scripts, "airtable-ts")
    assert sorted(ran["scan"]) == sorted(ran.before)
    assert ran["get"]["name"] == ran.given["name"]
    assert sorted(ran["filter"]) == sorted(ran.given["inStatus"])
    written = ran["insert, update, remove"]
    assert (written["made"], written["read"]) == ("Made by airtable-ts", "Changed by airtable-ts")
    assert "does not exist" in ran["a missing column"]["message"]
    assert ran["a column of another type"]["name"] == "AirtableTsError"
    assert ran.refusal("unknown record")[0] == 404
    assert "does not exist" in ran["unknown table"]["message"]
    assert ran.refusal("bad token")[0] == 401


def test_asyncairtable_reads_pages_and_filters(asyncairtable: Ran, company: Company) -> None:
    every = sorted(asyncairtable.before)
    assert asyncairtable["find"] == asyncairtable.given["record"]
    assert sorted(asyncairtable["select"]) == sorted(asyncairtable["small pages"]) == every
    assert asyncairtable["third page"] == asyncairtable["small pages"][80:120]
    assert asyncairtable["sorted"] == sorted(asyncairtable["sorted"], key=str.casefold, reverse=True)
    assert sorted(asyncairtable["where"]) == sorted(asyncairtable.given["inStatus"])
    assert sorted([*asyncairtable["where"], *asyncairtable["where not"]]) == every
    assert asyncairtable["where either"] >= len(asyncairtable["where"])


def test_asyncairtable_writes_and_reads_back(asyncairtable: Ran) -> None:
    assert asyncairtable["create"] == "Made by asyncairtable"
    assert asyncairtable["update"] == asyncairtable.given["person"]
    assert asyncairtable["replace"] is False
    assert asyncairtable["upsert"] is True
    assert asyncairtable["delete"]["deleted"] is True
    assert asyncairtable["several"] == {"changed": ["Same", "Same"], "gone": [True, True]}


def test_asyncairtable_meets_refusals(asyncairtable: Ran) -> None:
    # it wraps the whole body of a refusal into the message
    said = {
        "bad token": "AUTHENTICATION_REQUIRED",
        "unknown record": "NOT_FOUND",
        "unknown table": "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND",
        "bad formula": "INVALID_FILTER_BY_FORMULA",
        "unknown field": "UNKNOWN_FIELD_NAME",
        "refused owner": "INVALID_VALUE_FOR_COLUMN",
    }
    for step, word in said.items():
        assert word in asyncairtable[step]["message"], step
    assert asyncairtable["waits out the limit"] == asyncairtable.given["record"]


# -- jsforce --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def jsforce(company: Company, scripts: Scripts) -> Ran:
    given = salesforce_world(company)
    before = [case["Id"] for case in company.documents("salesforce", "Case") if not case.get("IsDeleted")]
    return Ran(told=scripts.run("jsforce", given), given=given, before=before)


def test_jsforce_signs_in(jsforce: Ran) -> None:
    user = jsforce.given["user"]
    assert jsforce["SOAP login"] == {"user": user, "totalSize": 1}
    assert jsforce["OAuth password"] == jsforce["client credentials"] == jsforce["identity"] == user
    assert jsforce["session"] == 1
    assert jsforce["session refreshed"] == {"found": 1, "renewed": True}
    assert "INVALID_LOGIN" in jsforce["bad password"]["message"]
    assert jsforce["bad client secret"]["name"].startswith("invalid_client")


def test_jsforce_reads(jsforce: Ran) -> None:
    assert {"Case", "CaseHistory", "User", "Group"} <= set(jsforce["describe global"])
    assert jsforce["describe"]["keyPrefix"] == "500"
    assert set(jsforce["describe"]["owner"]) == {"Group", "User"}
    assert jsforce["retrieve"] == jsforce.given["record"]
    assert jsforce["retrieve several"] == jsforce.given["several"]
    assert jsforce["limits"] is True
    assert jsforce["limit info"] is True


def test_jsforce_pages(jsforce: Ran, company: Company) -> None:
    every = sorted(jsforce.before)
    assert len(every) > 200
    walk = jsforce["query more"]
    assert sorted(walk["ids"]) == sorted(jsforce["auto fetch"]) == sorted(jsforce["bulk query"]) == every
    assert (walk["pages"], walk["totalSize"]) == (-(-len(every) // 200), len(every))
    assert jsforce["every deleted too"] >= len(every)
    further = company.journal("salesforce", "GET", "/query/01g")
    assert len(further) >= 2 * (walk["pages"] - 1)


def test_jsforce_filters(jsforce: Ran, company: Company) -> None:
    assert sorted(jsforce["find"]) == sorted(jsforce.given["open"])
    assert jsforce["count"] == jsforce.given["owned"]
    assert jsforce["parents"][0] == jsforce.given["personName"]
    fields = [
        row["Field"] for row in company.documents("salesforce", "CaseHistory") if row["CaseId"] == jsforce["retrieve"]
    ]
    assert sorted(jsforce["history"]) == sorted(fields)


def test_jsforce_writes_and_reads_back(jsforce: Ran) -> None:
    assert jsforce["create"] == {"success": True, "subject": "Made by jsforce"}
    assert jsforce["update"] == {"success": True, "owner": jsforce.given["other"]}
    assert jsforce["owner history"] == 2  # one row with names, one with ids
    assert jsforce["update several"] == [True, False]
    assert jsforce["create several"] == [[True, True], [True, True]]
    assert jsforce["updated ids"] == {"has": True, "covered": "string"}
    assert jsforce["deleted ids"] == {"has": True, "earliest": "string"}
    assert jsforce.refusal("deleted record")[1] == "ENTITY_IS_DELETED"
    assert jsforce["upsert by external id"] == {"success": True, "found": 1, "again": "Upserted again"}
    assert jsforce["composite"] == [201, 200, 204]
    assert jsforce["approvals"] == "object"
    assert jsforce["submit and approve"] == ["Pending", "Approved"]


def test_jsforce_loads_in_bulk(jsforce: Ran) -> None:
    told = jsforce["bulk ingest"]
    failed = told.pop("failed")
    assert told == {"inserted": 3, "updated": 3, "left": "Bulk changed", "deleted": 3}
    assert len(failed) == 1


def test_jsforce_meets_refusals(jsforce: Ran) -> None:
    refusals = {
        "bad session": "INVALID_SESSION_ID",
        "unknown record": "NOT_FOUND",
        "unknown column": "INVALID_FIELD",
        "bad query": "MALFORMED_QUERY",
        "unknown object": "INVALID_TYPE",
        "bad locator": "INVALID_QUERY_LOCATOR",
        "refused owner": "INACTIVE_OWNER_OR_USER",
        "too many requests": "REQUEST_LIMIT_EXCEEDED",
    }
    assert {step: jsforce.refusal(step)[1] for step in refusals} == refusals
    assert jsforce["guarded write"]["code"]  # 412: its body is not known for certain
    assert jsforce["after the limit"] == 1


def test_jsforce_meets_trouble_on_the_way(jsforce: Ran) -> None:
    assert jsforce["the session dies in the middle of a walk"]["code"] == "INVALID_QUERY_LOCATOR"
    assert jsforce["a locked row"]["code"] == "UNABLE_TO_LOCK_ROW"
    assert jsforce["a collection that fails in part"] == [True, False, True]
    assert jsforce["an HTML page"] == jsforce.given["record"]
