"""The site through the jira library as it comes, and where needed through bare HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import openapi_check
import pytest
import requests
from http_world import J_ADA, J_GRACE, J_HUB, J_LEFT, SPACES, Running, put, running, small_company
from jira import JIRA
from jira.exceptions import JIRAError

SIGNED = ("hub@acme.example", "jira-token")


@pytest.fixture
def site(small: Running) -> JIRA:
    return JIRA(server=small.addresses["jira"], basic_auth=SIGNED, max_retries=0, timeout=10)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A company many tests ask and none changes."""
    store = small_company(tmp_path_factory.mktemp("still") / "world.sqlite")
    with running(store) as served:
        yield served
    store.close()


def ask(small: Running, method: str, path: str, **rest: Any) -> requests.Response:
    url = f"{small.addresses['jira']}/rest/api/3/{path}"
    answer = requests.request(method, url, auth=SIGNED, timeout=10, **rest)
    assert not openapi_check.objections(method, f"/rest/api/3/{path}", answer), answer.text[:300]
    return answer


def keys(site: JIRA, jql: str) -> list[str]:
    return [issue.key for issue in site.search_issues(jql, maxResults=False)]


def test_the_client_signs_in_and_sees_a_cloud_site(site: JIRA) -> None:
    assert site.server_info()["deploymentType"] == "Cloud"
    assert site.myself()["accountId"] == J_HUB
    assert [project.key for project in site.projects()] == ["ACME"]
    assert {status.name for status in site.statuses()} == {"To Do", "In Progress", "Done"}
    assert site.issue("ACME-1").fields.status.statusCategory.key == "new"


@pytest.mark.parametrize("auth", [("hub@acme.example", "wrong"), ("ada@acme.example", "jira-token"), None])
def test_a_wrong_token_or_address_is_turned_away_in_plain_text(still: Running, auth: Any) -> None:
    answer = requests.get(f"{still.addresses['jira']}/rest/api/3/myself", auth=auth, timeout=10)
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_bearer_token_works_too(small: Running) -> None:
    headers = {"Authorization": "Bearer jira-token"}
    assert requests.get(f"{small.addresses['jira']}/rest/api/2/myself", headers=headers, timeout=10).ok


@pytest.mark.parametrize(
    ("jql", "found"),
    [
        ("project = ACME", [1, 2, 3]),
        ("project = acme AND updated >= 1767355200000 ORDER BY updated DESC", [3, 2]),
        # the account's profile zone is New York: noon UTC is 07:00 there
        ('project = ACME AND updated >= "2026-01-02 07:00"', [2, 3]),
        ('project = ACME AND updated >= "2026-01-02 07:01"', [3]),
        ('updated >= "2026/01/01" AND updated < "2026-01-02 07:00"', [1]),
        ("created >= -36500d AND statusCategory != Done", [1, 2]),
        (f'assignee = "{J_ADA}"', [1]),
        ("assignee is EMPTY and project = ACME", [2, 3]),
        ("assignee = currentUser()", []),
        ('status in ("to do", "Done") AND NOT key = ACME-3', [1]),
        ("id in (101, 103) ORDER BY key DESC", [3, 1]),
        ("Phase = build AND summary ~ 'landing 2'", [2]),
        ("cf[10013] is EMPTY AND (issue = ACME-1 OR issue = ACME-2)", [1, 2]),
        ("key > ACME-1 AND project = ACME", [2, 3]),
    ],
)
def test_jql(still: Running, jql: str, found: list[int]) -> None:
    site = JIRA(server=still.addresses["jira"], basic_auth=SIGNED, max_retries=0, timeout=10)
    assert keys(site, jql) == [f"ACME-{n}" for n in found]


@pytest.mark.parametrize(
    "jql",
    ["", "ORDER BY key", "project = NOPE", "colour = red", "project =", "key = ACME-99", "id = 99",
     "summary was x", "updated >= soon", "assignee = nobody"],
)  # fmt: skip
def test_queries_that_are_refused(still: Running, jql: str) -> None:
    answer = ask(still, "GET", "search/jql", params={"jql": jql})
    assert answer.status_code == 400
    assert answer.json()["errorMessages"]


def test_the_old_search_is_gone(small: Running) -> None:
    assert ask(small, "GET", "search", params={"jql": "project = ACME"}).status_code == 410


def test_a_search_gives_ids_only_unless_fields_are_named(small: Running) -> None:
    bare = ask(small, "GET", "search/jql", params={"jql": "project = ACME"}).json()
    assert bare == {"issues": [{"id": "101"}, {"id": "102"}, {"id": "103"}], "isLast": True}
    body = {"jql": "key = ACME-1", "fields": ["assignee", "comment", "project", "created", "reporter"]}
    fields = ask(small, "POST", "search/jql", json=body).json()["issues"][0]["fields"]
    assert set(fields) == {"assignee", "comment", "project", "created", "reporter"}
    assert fields["assignee"]["accountId"] == J_ADA
    assert "emailAddress" not in fields["assignee"]  # Ada hides hers
    assert fields["comment"] == {**fields["comment"], "comments": [], "total": 0}


def test_a_page_walk_is_not_disturbed_by_edits(small: Running, site: JIRA) -> None:
    status = {"id": "10", "name": "To Do", "statusCategory": {"key": "new"}}
    for n in range(200, 450):
        issue = {"id": str(n), "key": f"ACME-{n}", "created": "2026-01-05T12:00:00.000+0000", "fields": {}}
        issue |= {"updated": "2026-01-05T12:00:00.000+0000", "fields": {"summary": "x", "status": status}}
        put(small.store, SPACES["jira"], "issue", issue, day=5)
    asked = {"jql": "project = ACME ORDER BY updated ASC", "fields": "summary", "maxResults": 100}
    page = ask(small, "GET", "search/jql", params=asked).json()
    seen = [issue["key"] for issue in page["issues"]]
    assert site.issue("ACME-1").update(summary="edited in the middle of the walk") is None
    while not page["isLast"]:
        page = ask(small, "GET", "search/jql", params={**asked, "nextPageToken": page["nextPageToken"]}).json()
        seen += [issue["key"] for issue in page["issues"]]
    assert len(seen) == len(set(seen)) == 253
    assert ask(small, "GET", "search/jql", params={**asked, "nextPageToken": "gone.100"}).status_code == 400
    assert ask(small, "POST", "search/approximate-count", json={"jql": "project = ACME"}).json() == {"count": 253}


def test_an_assignment_is_one_changelog_entry(small: Running, site: JIRA) -> None:
    before = datetime.now(UTC)
    assert ask(small, "PUT", "issue/ACME-1/assignee", json={"accountId": J_GRACE}).status_code == 204
    issue = site.issue("ACME-1")
    assert issue.fields.assignee.accountId == J_GRACE
    assert datetime.fromisoformat(issue.fields.updated) >= before.replace(microsecond=0)
    last = ask(small, "GET", "issue/ACME-1/changelog").json()["values"][-1]
    assert last["author"]["accountId"] == J_HUB
    item = last["items"][0]
    assert (item["from"], item["to"], item["fromString"]) == (J_ADA, J_GRACE, "Ada Lovelace")
    ask(small, "PUT", "issue/ACME-1/assignee", json={"accountId": J_GRACE})
    assert ask(small, "GET", "issue/ACME-1/changelog").json()["total"] == 4  # nothing changed, nothing told
    ask(small, "PUT", "issue/ACME-1/assignee", json={"accountId": None})
    assert ask(small, "GET", "issue/ACME-1").json()["fields"]["assignee"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [({"accountId": J_LEFT}, 400), ({"accountId": "nobody"}, 400), ({"name": "ada"}, 400),
     ({"accountId": J_GRACE, "name": "ada"}, 400)],
)  # fmt: skip
def test_assignments_that_are_refused(small: Running, body: dict[str, Any], status: int) -> None:
    answer = ask(small, "PUT", "issue/ACME-1/assignee", json=body)
    assert answer.status_code == status
    assert ask(small, "GET", "issue/ACME-1").json()["fields"]["assignee"]["accountId"] == J_ADA
    assert ask(small, "PUT", "issue/ACME-99/assignee", json={"accountId": J_GRACE}).status_code == 404


def test_one_edit_of_several_fields_is_one_entry_and_a_bad_field_changes_nothing(small: Running) -> None:
    fields = {"summary": "new", "customfield_10010": {"value": "QA"}, "customfield_10013": {"accountId": J_ADA}}
    assert ask(small, "PUT", "issue/ACME-2", json={"fields": {**fields, "nothing": 1}}).status_code == 400
    assert ask(small, "GET", "issue/ACME-2/changelog").json()["total"] == 0
    assert ask(small, "PUT", "issue/ACME-2", json={"fields": {**fields, "duedate": "2026-02-01"}}).status_code == 204
    entries = ask(small, "GET", "issue/ACME-2/changelog").json()["values"]
    assert {item["field"] for item in entries[0]["items"]} == {"summary", "Phase", "Approver", "duedate"}
    told = ask(small, "GET", "issue/ACME-2").json()["fields"]
    assert told["customfield_10013"]["displayName"] == "Ada Lovelace"


def test_transitions_move_the_status(site: JIRA) -> None:
    offered = {transition["name"]: transition["id"] for transition in site.transitions("ACME-1")}
    assert set(offered) == {"In Progress", "Done"}
    site.transition_issue("ACME-1", "Done")
    assert site.issue("ACME-1").fields.status.name == "Done"
    with pytest.raises(JIRAError) as caught:
        site.transition_issue("ACME-1", offered["Done"])
    assert caught.value.status_code == 400


def test_comments_are_plain_text_in_version_2_and_trees_in_version_3(small: Running, site: JIRA) -> None:
    site.add_comment("ACME-1", "first line\nsecond line\n\nnext paragraph")
    assert site.comments("ACME-1")[0].body == "first line\nsecond line\n\nnext paragraph"
    body = ask(small, "GET", "issue/ACME-1/comment").json()["comments"][0]["body"]
    assert [part["type"] for part in body["content"]] == ["paragraph", "paragraph"]
    assert ask(small, "POST", "issue/ACME-1/comment", json={"body": body}).status_code == 201
    assert site.comments("ACME-1")[1].body == site.comments("ACME-1")[0].body
    embedded = site.search_issues("key = ACME-1", fields="comment", json_result=True)["issues"][0]["fields"]
    assert embedded["comment"]["total"] == 2
    assert site.issue("ACME-1").fields.description == "see 500\n\nmore"


def test_changelogs_in_bulk_come_in_pages_with_epoch_times(small: Running) -> None:
    asked: dict[str, Any] = {"issueIdsOrKeys": ["ACME-1", "102"], "maxResults": 2, "fieldIds": ["assignee"]}
    first = ask(small, "POST", "changelog/bulkfetch", json=asked).json()
    rest = ask(small, "POST", "changelog/bulkfetch", json={**asked, "nextPageToken": first["nextPageToken"]}).json()
    assert "nextPageToken" not in rest
    logs = first["issueChangeLogs"] + rest["issueChangeLogs"]
    assert [log["issueId"] for log in logs] == ["101", "101"]
    histories = [entry for log in logs for entry in log["changeHistories"]]
    assert [entry["id"] for entry in histories] == ["500", "501", "502"]
    assert histories[0]["created"] == 1767272400000
    expanded = ask(small, "GET", "issue/ACME-1", params={"expand": "changelog"}).json()["changelog"]
    assert [entry["id"] for entry in expanded["histories"]] == ["502", "501", "500"]
    assert expanded["histories"][0]["created"] == "2026-01-01T08:00:00.000-0500"  # the caller lives in New York
    refused = ask(small, "POST", "changelog/bulkfetch", json={"issueIdsOrKeys": []})
    assert refused.status_code == 400


def test_bulk_fetch_reads_current_values_and_names_what_is_missing(small: Running) -> None:
    body = {"issueIdsOrKeys": ["ACME-2", "ACME-99"], "fields": ["assignee"]}
    answer = ask(small, "POST", "issue/bulkfetch", json=body).json()
    assert [issue["key"] for issue in answer["issues"]] == ["ACME-2"]
    assert answer["issueErrors"][0]["id"] == "ACME-99"


def test_issue_properties(small: Running) -> None:
    path = "issue/ACME-1/properties/hub.intent"
    assert ask(small, "GET", path).status_code == 404
    assert ask(small, "PUT", path, json={"id": "1"}).status_code == 201
    assert ask(small, "PUT", path, json={"id": "2"}).status_code == 200
    assert ask(small, "GET", path).json() == {"key": "hub.intent", "value": {"id": "2"}}
    assert [key["key"] for key in ask(small, "GET", "issue/ACME-1/properties").json()["keys"]] == ["hub.intent"]


def test_people(small: Running, site: JIRA) -> None:
    assert [user.accountId for user in site.search_users(query="grace")] == [J_GRACE]
    assert site.search_users(query="left") == []
    everybody = ask(small, "GET", "users/search").json()
    assert {user["accountId"]: user["active"] for user in everybody}[J_LEFT] is False
    assert ask(small, "GET", "user", params={"accountId": J_LEFT}).json()["active"] is False
    assert ask(small, "GET", "user", params={"accountId": "x"}).status_code == 404
    assert ask(small, "GET", "user/search", params={"username": "ada"}).status_code == 400
    bulk = ask(small, "GET", "user/bulk", params=[("accountId", J_ADA), ("accountId", "x")]).json()
    assert [user["accountId"] for user in bulk["values"]] == [J_ADA]
    found = ask(small, "GET", "user/assignable/search", params={"project": "ACME", "query": "ada"}).json()
    assert [user["accountId"] for user in found] == [J_ADA]


def test_issues_are_created_with_the_next_key(small: Running, site: JIRA) -> None:
    made = site.create_issue(project="ACME", summary="fresh", issuetype={"name": "Task"})
    assert (made.key, made.fields.creator.accountId) == ("ACME-4", J_HUB)
    assert keys(site, "key = ACME-4") == ["ACME-4"]
    assert ask(small, "POST", "issue", json={"fields": {"summary": "no project"}}).status_code == 400


def test_an_unknown_path_is_a_web_page(small: Running) -> None:
    answer = ask(small, "GET", "nowhere")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


def test_requests_beyond_the_ceilings_are_refused(small: Running) -> None:
    many = [f"ACME-{n}" for n in range(101)]
    orders = ", ".join(["key", "created", "updated", "status", "assignee", "summary", "duedate", "id"])
    refused = [
        ask(small, "POST", "issue/bulkfetch", json={"issueIdsOrKeys": many}),
        ask(small, "POST", "changelog/bulkfetch", json={"issueIdsOrKeys": many * 10}),
        ask(small, "POST", "changelog/bulkfetch", json={"issueIdsOrKeys": ["1"], "fieldIds": many[:11]}),
        ask(small, "POST", "search/jql", json={"jql": "project = ACME", "reconcileIssues": list(range(51))}),
        ask(small, "POST", "search/jql", json={"jql": f"project = ACME ORDER BY {orders}"}),
        ask(small, "GET", "search/jql", params={"jql": "project = ACME", "maxResults": "many"}),
    ]
    assert [answer.status_code for answer in refused] == [400] * 6
