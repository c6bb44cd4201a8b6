"""What an account with fewer rights sees of a Jira site and may do there, and how its profile shows times."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from http_world import J_ADA, J_GRACE, J_HUB, Running, running, small_company
from jira_site import GRACE, J_BOT, J_LIMITED, J_PORTAL, LIMITED, ask, furnish, limit

PHASE = "customfield_10010"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Running]:
    store = small_company(tmp_path / "world.sqlite")
    furnish(store)
    with running(store) as served:
        yield served
    store.close()


def found(site: Running, jql: str, auth: Any = LIMITED) -> list[str]:
    answer = ask(site, "GET", "search/jql", params={"jql": jql}, auth=auth)
    assert answer.status_code == 200, answer.text
    return [issue["id"] for issue in answer.json()["issues"]]


def test_a_project_out_of_reach_looks_as_if_it_were_not_there(site: Running) -> None:
    limit(site.store, read=["DESK"], edit=["DESK"])
    assert [project["key"] for project in ask(site, "GET", "project", auth=LIMITED).json()] == ["DESK"]
    gone = [
        ask(site, "GET", "project/ACME", auth=LIMITED),
        ask(site, "GET", "project/10000/statuses", auth=LIMITED),
        ask(site, "GET", "issue/ACME-1", auth=LIMITED),
        ask(site, "GET", "issue/101/changelog", auth=LIMITED),
        ask(site, "GET", "issue/101/comment", auth=LIMITED),
        ask(site, "PUT", "issue/101/assignee", json={"accountId": J_ADA}, auth=LIMITED),
        ask(site, "DELETE", "issue/101", auth=LIMITED),
        ask(site, "GET", "user/assignable/search", params={"project": "ACME"}, auth=LIMITED),
        ask(site, "GET", "/rest/servicedeskapi/request/101/approval", auth=LIMITED),
    ]
    assert [answer.status_code for answer in gone] == [404] * len(gone)
    assert found(site, "created >= 2020-01-01") == []
    assert ask(site, "GET", "search/jql", params={"jql": "project = ACME"}, auth=LIMITED).status_code == 400
    assert ask(site, "GET", "search/jql", params={"jql": "key = ACME-1"}, auth=LIMITED).status_code == 400
    count = ask(site, "POST", "search/approximate-count", json={"jql": "created >= 2020-01-01"}, auth=LIMITED)
    assert count.json() == {"count": 0}
    fetched = ask(site, "POST", "issue/bulkfetch", json={"issueIdsOrKeys": ["101"]}, auth=LIMITED).json()
    assert (fetched["issues"], [error["id"] for error in fetched["issueErrors"]]) == ([], ["101"])
    logs = ask(site, "POST", "changelog/bulkfetch", json={"issueIdsOrKeys": ["101"]}, auth=LIMITED).json()
    assert logs == {"issueChangeLogs": []}


def test_a_single_hidden_issue_is_missing_everywhere(site: Running) -> None:
    limit(site.store, hidden=["102"])
    assert found(site, "project = ACME") == ["101", "103"]
    assert ask(site, "GET", "issue/ACME-2", auth=LIMITED).status_code == 404
    assert found(site, "project = ACME", GRACE) == ["101", "102", "103"]


def test_who_may_only_read_is_refused_to_write(site: Running) -> None:
    limit(site.store, edit=[], read_only=["101"])
    assert ask(site, "GET", "issue/ACME-1", auth=LIMITED).status_code == 200
    refused = [
        ask(site, "PUT", "issue/ACME-1/assignee", json={"accountId": J_ADA}, auth=LIMITED),
        ask(site, "PUT", "issue/ACME-1", json={"fields": {"summary": "x"}}, auth=LIMITED),
        ask(site, "POST", "issue/ACME-1/transitions", json={"transition": {"id": "12"}}, auth=LIMITED),
        ask(site, "DELETE", "issue/ACME-1", auth=LIMITED),
        ask(site, "PUT", "issue/ACME-1/properties/x", json=1, auth=LIMITED),
        ask(site, "POST", "issue", json={"fields": {"project": {"key": "ACME"}, "summary": "x"}}, auth=LIMITED),
    ]
    assert [answer.status_code for answer in refused] == [403, 400, 400, 403, 403, 400]
    assert ask(site, "GET", "issue/ACME-1/changelog").json()["total"] == 3
    assert ask(site, "GET", "issue/ACME-1/transitions", auth=LIMITED).json()["transitions"] == []
    asked = {"projectKey": "ACME", "permissions": "BROWSE_PROJECTS,ASSIGN_ISSUES,EDIT_ISSUES"}
    told = ask(site, "GET", "mypermissions", params=asked, auth=LIMITED).json()["permissions"]
    assert {key: entry["havePermission"] for key, entry in told.items()} == {
        "BROWSE_PROJECTS": True,
        "ASSIGN_ISSUES": False,
        "EDIT_ISSUES": False,
    }
    assert all(
        e["havePermission"] for e in ask(site, "GET", "mypermissions", params=asked).json()["permissions"].values()
    )


def test_a_hidden_field_is_nowhere(site: Running) -> None:
    ask(site, "PUT", "issue/ACME-1", json={"fields": {PHASE: {"value": "QA"}}})
    limit(site.store, hidden_fields=[PHASE])
    assert PHASE not in {field["id"] for field in ask(site, "GET", "field", auth=LIMITED).json()}
    assert PHASE not in ask(site, "GET", "issue/ACME-1", auth=LIMITED).json()["fields"]
    assert ask(site, "GET", "search/jql", params={"jql": "Phase = QA"}, auth=LIMITED).status_code == 400
    entries = ask(site, "GET", "issue/ACME-1/changelog", auth=LIMITED).json()["values"]
    assert {item["fieldId"] for entry in entries for item in entry["items"]} == {"assignee"}
    set_it = ask(site, "PUT", "issue/ACME-1", json={"fields": {PHASE: {"value": "Build"}}}, auth=LIMITED)
    assert set_it.json()["errors"][PHASE].startswith(f"Field '{PHASE}' cannot be set")
    assert PHASE in ask(site, "GET", "issue/ACME-1").json()["fields"]


def test_only_people_with_access_to_the_project_can_be_given_work(site: Running) -> None:
    limit(site.store, read=["DESK"])
    people = {
        user["accountId"] for user in ask(site, "GET", "user/assignable/search", params={"project": "ACME"}).json()
    }
    assert people == {J_ADA, J_GRACE, J_HUB, J_BOT}  # no customer, nobody who left, nobody without access
    both = ask(site, "GET", "user/assignable/multiProjectSearch", params={"projectKeys": "ACME,DESK"}).json()
    assert {user["accountId"] for user in both} == people
    for account in (J_LIMITED, J_PORTAL):
        refused = ask(site, "PUT", "issue/ACME-1/assignee", json={"accountId": account})
        assert refused.json()["errors"] == {"assignee": f"User '{account}' cannot be assigned issues."}
    types = {user["accountId"]: user["accountType"] for user in ask(site, "GET", "users/search").json()}
    assert (types[J_BOT], types[J_PORTAL]) == ("app", "customer")


def test_strangers_see_what_is_public_and_no_project(site: Running) -> None:
    assert ask(site, "GET", "serverInfo", auth=None).status_code == 200
    assert ask(site, "GET", "project/search", auth=None).json()["total"] == 0
    assert ask(site, "GET", "project", auth=None).json() == []
    assert ask(site, "GET", "field", auth=None).status_code == 200
    for path in ("myself", "issue/ACME-1", "search/jql?jql=project=ACME", "users/search"):
        assert ask(site, "GET", path, auth=None).status_code == 401
    assert ask(site, "GET", "project", auth=("hub@acme.example", "wrong")).status_code == 401


def test_times_are_told_in_the_zone_of_the_reader(site: Running) -> None:
    ask(site, "POST", "/rest/api/2/issue/ACME-2/comment", json={"body": "word"})

    def told(auth: Any) -> list[str]:
        issue = ask(site, "GET", "issue/ACME-2", auth=auth).json()
        log = ask(site, "GET", "issue/101/changelog", auth=auth).json()["values"][0]
        return [issue["fields"]["created"], log["created"], issue["fields"]["comment"]["comments"][0]["created"][-5:]]

    utc, york = ["2026-01-01T12:00:00.000+0000", "2026-01-01T13:00:00.000+0000"], "2026-01-01T0"
    assert told(GRACE) == [*utc, "+0000"]
    assert told(("hub@acme.example", "jira-token"))[:2] == [f"{york}7:00:00.000-0500", f"{york}8:00:00.000-0500"]


def test_replies_name_the_account_and_the_limit(site: Running) -> None:
    headers = ask(site, "GET", "myself").headers
    assert headers["X-AAccountId"] == J_HUB
    assert (headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]) == ("350", "349")
    assert "x-sandbox-actor" not in headers
    assert site.control("GET", "/journal")[-1]["actor"] == J_HUB
