"""Each fault a Jira site plays itself, by name, as a client meets it on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from http_world import J_ADA, J_GRACE, J_HUB, SPACES, Running, put, running, small_company
from jira_site import ask, furnish

from sandbox.faults.catalogue import CATALOGUE

SPACE = SPACES["jira"]
ALL = {"jql": "project = ACME ORDER BY key", "fields": "summary", "maxResults": 2}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Running]:
    store = small_company(tmp_path / "world.sqlite")
    furnish(store)
    for n in range(4, 9):
        status = {"id": "10", "name": "To Do", "statusCategory": {"key": "new"}}
        issue = {"id": str(100 + n), "key": f"ACME-{n}", "created": "2026-01-01T12:00:00.000+0000"}
        issue |= {"updated": f"2026-01-{n:02d}T12:00:00.000+0000", "_assignee": J_GRACE, "_creator": J_ADA}
        put(store, SPACE, "issue", {**issue, "fields": {"summary": f"Page {n}", "status": status}}, day=n)
    with running(store) as served:
        yield served
    store.close()


def order(site: Running, name: str, **rest: Any) -> None:
    site.fault(fault=name, tool="jira", **rest)


def page(site: Running, token: str = "", **more: Any) -> dict[str, Any]:
    asked = {**ALL, **more} | ({"nextPageToken": token} if token else {})
    answer = ask(site, "GET", "search/jql", params=asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def walk(site: Running, **more: Any) -> list[str]:
    """Ids of a whole walk, at most 20 pages of it."""
    seen, told = [], page(site, **more)
    for _ in range(20):
        seen += [issue["id"] for issue in told["issues"]]
        if told["isLast"]:
            break
        told = page(site, told["nextPageToken"], **more)
    return seen


def fields(site: Running, key: str) -> dict[str, Any]:
    told: dict[str, Any] = ask(site, "GET", f"issue/{key}").json()["fields"]
    return told


EIGHT = [str(100 + n) for n in range(1, 9)]


def test_unauthorized_for_ever(site: Running) -> None:
    order(site, "unauthorized_for_ever", times=None)
    for _ in range(3):
        answer = ask(site, "GET", "myself")
        assert (answer.status_code, answer.headers["content-type"][:10]) == (401, "text/plain")


def test_changed_before_write(site: Running) -> None:
    order(site, "changed_before_write", method="PUT")
    assert ask(site, "PUT", "issue/ACME-1/assignee", json={"accountId": J_GRACE}).status_code == 204  # no 412 exists
    last, own = ask(site, "GET", "issue/ACME-1/changelog").json()["values"][-2:]
    assert last["author"]["accountId"] != J_HUB
    assert last["items"][0]["from"] == J_ADA
    assert own["items"][0]["from"] == last["items"][0]["to"] != J_ADA  # what was read before is not what was replaced


JIRAS = [name for name, known in CATALOGUE.items() if "jira" in known.tools and not known.on_wire]


@pytest.mark.parametrize("name", JIRAS)
def test_every_fault_finds_something_to_strike_without_settings(site: Running, name: str) -> None:
    token = page(site)["nextPageToken"]
    order(site, name)
    asked = [
        ask(site, "GET", "search/jql", params={**ALL, "nextPageToken": token}),
        ask(site, "PUT", "issue/ACME-1/assignee", json={"accountId": J_GRACE}),
        ask(site, "GET", "search/jql", params=ALL),
    ]
    assert max(answer.status_code for answer in asked) < 500
    assert [one["hit"] for one in site.control("GET", "/faults")] == [1]


def test_late_commit(site: Running) -> None:
    before = page(site, jql="project = ACME AND updated >= -1m")
    assert before["issues"] == []
    order(site, "late_commit", settings={"seconds": 300})
    assert page(site, jql="project = ACME AND updated >= -1m")["issues"] == []
    late = page(site, jql="project = ACME AND updated >= -6m", fields="updated,creator")["issues"]
    assert len(late) == 1
    assert late[0]["fields"]["creator"]["accountId"] != J_HUB


def test_equal_stamps(site: Running) -> None:
    order(site, "equal_stamps", settings={"count": 6})
    told = page(site, fields="updated", maxResults=50)["issues"]
    stamps = [issue["fields"]["updated"] for issue in told]
    assert max(stamps.count(stamp) for stamp in stamps) == 6
    assert sorted(walk(site, jql="project = ACME ORDER BY updated")) == EIGHT  # over page borders


def test_deleted_between_pages(site: Running) -> None:
    order(site, "deleted_between_pages")
    seen = walk(site)
    assert seen == [*EIGHT[:2], *EIGHT[3:]]
    assert ask(site, "GET", "issue/103").status_code == 404


def test_index_lag(site: Running) -> None:
    ask(site, "PUT", "issue/ACME-1/assignee", json={"accountId": J_GRACE})
    order(site, "index_lag", times=None, settings={"seconds": 60, "flicker": 0})
    made = ask(site, "POST", "issue", json={"fields": {"project": {"key": "ACME"}, "summary": "fresh"}}).json()
    assert walk(site, jql=f"assignee = '{J_ADA}'") == ["101"]  # the index still has the old owner
    assert made["id"] not in walk(site)
    fetched = ask(site, "POST", "issue/bulkfetch", json={"issueIdsOrKeys": [made["key"]]}).json()
    assert [issue["id"] for issue in fetched["issues"]] == [made["id"]]
    asked = {"jql": "project = ACME", "maxResults": 50, "reconcileIssues": [int(made["id"])]}
    reconciled = ask(site, "POST", "search/jql", json=asked).json()
    assert made["id"] in [issue["id"] for issue in reconciled["issues"]]
    site.control("POST", "/clock", json={"advance": 61})
    assert made["id"] in walk(site)
    assert "101" in walk(site, jql=f"assignee = '{J_GRACE}'")


def test_index_lag_is_not_monotonic(site: Running) -> None:
    made = ask(site, "POST", "issue", json={"fields": {"project": {"key": "ACME"}, "summary": "fresh"}}).json()
    order(site, "index_lag", times=None, settings={"seconds": 60, "flicker": 0.5, "seed": 3})
    found = [made["id"] in walk(site, maxResults=50) for _ in range(20)]
    assert {True, False} == set(found)
    assert "10" in "".join(str(int(one)) for one in found)  # seen, and then not seen again


def test_repeated_page_token(site: Running) -> None:
    first = page(site)
    order(site, "repeated_page_token")
    again = page(site, first["nextPageToken"])
    assert again["nextPageToken"] == first["nextPageToken"]
    assert [issue["id"] for issue in page(site, again["nextPageToken"])["issues"]] == EIGHT[2:4]


def test_empty_page_with_token(site: Running) -> None:
    order(site, "empty_page_with_token", nth=2)
    first = page(site)
    empty = page(site, first["nextPageToken"])
    assert (empty["issues"], empty["isLast"]) == ([], False)
    assert [issue["id"] for issue in page(site, empty["nextPageToken"])["issues"]] == EIGHT[2:4]


def test_fewer_rows(site: Running) -> None:
    order(site, "fewer_rows", settings={"rows": 1})
    first = page(site, maxResults=5)
    assert len(first["issues"]) == 1
    order(site, "fewer_rows", times=None, settings={"rows": 3})
    assert walk(site, maxResults=5) == EIGHT


@pytest.mark.parametrize("wanted", [1, 120, "date", None])
def test_too_many_requests(site: Running, wanted: Any) -> None:
    order(site, "too_many_requests", settings={"retry_after": wanted})
    answer = ask(site, "GET", "myself")
    assert answer.status_code == 429
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    assert answer.headers["RateLimit-Reason"] == "jira-burst-based"
    told = answer.headers.get("Retry-After")
    if wanted == "date":
        assert parsedate_to_datetime(str(told)) > parsedate_to_datetime(answer.headers["Date"])
    else:
        assert told == (None if wanted is None else str(wanted))
    assert ask(site, "GET", "myself").status_code == 200


@pytest.mark.parametrize(
    ("zone", "offset", "noon"),
    [("America/Los_Angeles", "-0800", "04:00"), ("Asia/Kolkata", "+0530", "17:30")],
)
def test_profile_zone(site: Running, zone: str, offset: str, noon: str) -> None:
    order(site, "profile_zone", settings={"zone": zone})
    assert ask(site, "GET", "myself").json()["timeZone"] == zone
    assert fields(site, "ACME-2")["updated"] == f"2026-01-02T{noon}:00.000{offset}"
    assert walk(site, jql=f'updated >= "2026-01-02 {noon}" AND updated < "2026-01-03 {noon}"') == ["102"]


def test_email_hidden(site: Running) -> None:
    order(site, "email_hidden", settings={"account": J_GRACE})
    told = ask(site, "GET", "user", params={"accountId": J_GRACE}).json()
    assert "emailAddress" not in told
    assert ask(site, "GET", "user/search", params={"query": "grace@"}).json() == []


def test_user_deleted(site: Running) -> None:
    order(site, "user_deleted", settings={"account": J_GRACE})
    assert ask(site, "GET", "user", params={"accountId": J_GRACE}).status_code == 404
    former = fields(site, "ACME-4")["assignee"]
    assert (former["displayName"], former["active"], former["accountType"]) == ("Former user", False, "unknown")


def test_issue_moved(site: Running) -> None:
    order(site, "issue_moved", settings={"issue": "ACME-2", "project": "DESK"})
    moved = ask(site, "GET", "issue/ACME-2").json()
    assert (moved["id"], moved["key"]) == ("102", "DESK-1")
    assert "102" not in walk(site)
    assert walk(site, jql="project = DESK") == ["102"]
    items = ask(site, "GET", "issue/102/changelog").json()["values"][-1]["items"]
    assert [(item["field"], item["fromString"], item["toString"]) for item in items] == [
        ("Key", "ACME-2", "DESK-1"),
        ("project", "Acme", "Desk"),
    ]


def test_edited_mid_walk(site: Running) -> None:
    order(site, "edited_mid_walk")
    seen = walk(site, jql="project = ACME ORDER BY updated ASC")
    assert len(seen) == 8
    assert len(set(seen)) < 8  # the edited one that was served already comes again ...
    assert set(EIGHT) - set(seen)  # ... and another is passed over
    assert fields(site, "ACME-1")["summary"].endswith("(edited)")


def test_field_renamed(site: Running) -> None:
    order(site, "field_renamed", settings={"field": "customfield_10010", "name": "Stage"})
    names = {field["id"]: field["name"] for field in ask(site, "GET", "field").json()}
    assert names["customfield_10010"] == "Stage"
    assert ask(site, "GET", "search/jql", params={"jql": "Phase = Build"}).status_code == 400
    assert walk(site, jql="Stage = Build AND project = ACME") == EIGHT[:3]


def test_field_deleted(site: Running) -> None:
    order(site, "field_deleted", settings={"field": "customfield_10010"})
    assert "customfield_10010" not in {field["id"] for field in ask(site, "GET", "field").json()}
    assert "customfield_10010" not in fields(site, "ACME-1")
    assert ask(site, "GET", "search/jql", params={"jql": "Phase = Build"}).status_code == 400


def test_field_retyped(site: Running) -> None:
    assert fields(site, "ACME-1")["customfield_10010"]["value"] == "Build"
    order(site, "field_retyped", settings={"field": "customfield_10010"})
    schema = {field["id"]: field.get("schema") for field in ask(site, "GET", "field").json()}
    assert schema["customfield_10010"]["type"] == "string"
    assert fields(site, "ACME-1")["customfield_10010"] == "Build"


def test_owner_deactivated(site: Running) -> None:
    order(site, "owner_deactivated")
    refused = ask(site, "PUT", "issue/ACME-1/assignee", json={"accountId": J_GRACE})
    assert refused.status_code == 400
    assert refused.json()["errors"] == {"assignee": f"User '{J_GRACE}' cannot be assigned issues."}
    assert ask(site, "GET", "user", params={"accountId": J_GRACE}).json()["active"] is False
    assert fields(site, "ACME-4")["assignee"]["active"] is False  # what was theirs stays theirs


def test_permission_lost_on_issues(site: Running) -> None:
    order(site, "permission_lost", settings={"records": ["ACME-2", "103"]})
    assert walk(site) == ["101", *EIGHT[3:]]
    assert ask(site, "GET", "issue/ACME-2").status_code == 404
    assert ask(site, "PUT", "issue/103/assignee", json={"accountId": J_GRACE}).status_code == 404


def test_permission_lost_on_a_project(site: Running) -> None:
    order(site, "permission_lost", settings={"container": "ACME"})
    assert ask(site, "GET", "search/jql", params={"jql": "project = ACME"}).status_code == 400
    assert ask(site, "GET", "project/ACME").status_code == 404
    assert ask(site, "GET", "issue/ACME-1").status_code == 404
    assert {project["key"] for project in ask(site, "GET", "project").json()} == {"DESK"}
