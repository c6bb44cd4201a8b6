"""JQL about what was and when: history, periods of the calendar, zones; page tokens; fields beyond the small site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from http_world import J_ADA, J_GRACE, SPACES, Running, put, running, small_company
from jira_site import GRACE, ask, furnish

SPACE = SPACES["jira"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Running]:
    """A company of the test's own, to change."""
    yield from _running(tmp_path)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A company many tests ask and none changes."""
    yield from _running(tmp_path_factory.mktemp("still"))


def _running(directory: Path) -> Iterator[Running]:
    """ACME-1: To Do until the 2nd, In Progress until the 4th, Done since; Ada, then Grace, then Ada."""
    store = small_company(directory / "world.sqlite")
    furnish(store)
    for doc in list(store.find(SPACE, "changelog", "101")):
        store.delete(SPACE, "changelog", doc["id"])
    for n, day, by, field, old, new in (
        (1, 2, J_ADA, "status", ("10", "To Do"), ("11", "In Progress")),
        (2, 3, J_ADA, "assignee", (J_ADA, "Ada Lovelace"), (J_GRACE, "Grace Hopper")),
        (3, 4, J_GRACE, "status", ("11", "In Progress"), ("12", "Done")),
        (4, 5, J_GRACE, "assignee", (J_GRACE, "Grace Hopper"), (J_ADA, "Ada Lovelace")),
    ):
        item = {"field": field, "fieldId": field, "fieldtype": "jira", "from": old[0], "fromString": old[1]}
        item |= {"to": new[0], "toString": new[1]}
        entry = {"id": str(n), "created": f"2026-01-{day:02d}T12:00:00.000+0000", "items": [item], "_author": by}
        put(store, SPACE, "changelog", entry, day=day, parent="101")
    with running(store) as served:
        served.control("POST", "/clock", json={"set": "2026-01-07T12:00:00+00:00", "frozen": True})  # a Wednesday
        yield served
    store.close()


def found(site: Running, jql: str, auth: Any = GRACE) -> list[int]:
    answer = ask(site, "GET", "search/jql", params={"jql": jql, "fields": "key"}, auth=auth)
    assert answer.status_code == 200, answer.text
    return [int(issue["key"].rpartition("-")[2]) for issue in answer.json()["issues"]]


@pytest.mark.parametrize(
    ("jql", "issues"),
    [
        ("status was 'In Progress'", [1, 2]),  # ACME-2 is now
        ("status was 'In Progress' BEFORE 2026-01-02", [2]),
        ("status was 'In Progress' AFTER 2026-01-05", [2]),
        ("status was 'In Progress' DURING (2026-01-03, 2026-01-03)", [1, 2]),
        ("status was 'In Progress' ON 2026-01-03 AND key = ACME-1", [1]),
        ("status was in ('In Progress', Done) BY acc:grace", [1]),
        ("status was not 'In Progress' AND project = ACME", [3]),
        ("status was not in ('To Do', Done) AND project = ACME", [2]),
        ("NOT status was 'In Progress' AND project = ACME", [3]),
        ("assignee was acc:grace", [1]),
        ("assignee was currentUser() BEFORE '2026-01-03 11:00'", []),
        ("assignee was EMPTY", [2, 3]),
        ("status changed", [1]),
        ("status changed FROM 'To Do' TO 'In Progress'", [1]),
        ("status changed FROM 'To Do' TO Done", []),
        ("status changed TO Done BY currentUser() AFTER -4d", [1]),
        ("status changed TO Done BY currentUser() AFTER -2d", []),
        ("assignee changed DURING ('2026-01-05', '2026-01-06') OR key = ACME-3", [1, 3]),
        ("NOT status changed AND project = ACME", [2, 3]),
    ],
)
def test_what_issues_were(still: Running, jql: str, issues: list[int]) -> None:
    assert found(still, jql + " ORDER BY key") == issues


@pytest.mark.parametrize(
    ("jql", "issues"),
    [
        ("updated >= startOfWeek()", []),  # weeks begin on Sunday the 4th
        ("updated >= startOfWeek(-1)", [1, 2, 3]),
        ("updated < endOfWeek(-1w) AND updated > startOfDay(-5d)", [2, 3]),
        ("updated >= startOfDay(-4) AND updated <= endOfDay('-4d')", [3]),
        ("updated >= startOfMonth() AND updated <= endOfMonth()", [1, 2, 3]),
        ("updated >= startOfMonth(+1)", []),
        ("updated >= startOfYear() AND updated < now()", [1, 2, 3]),
        ("updated >= endOfYear(-1y)", [1, 2, 3]),
        ("updated >= '-5d 1h'", [2, 3]),
        ("updatedDate >= -5d AND createdDate <= -1w", []),
        ("updated > 1767355200000", [3]),
    ],
)
def test_periods_of_the_calendar(still: Running, jql: str, issues: list[int]) -> None:
    assert found(still, f"project = ACME AND {jql} ORDER BY key") == issues


def test_a_day_begins_at_midnight_of_the_profile(site: Running) -> None:
    """Noon of the 7th in Greenwich is 07:00 in New York: the day there began at 05:00 in Greenwich."""
    status = {"id": "10", "name": "To Do", "statusCategory": {"key": "new"}}
    issue = {"id": "200", "key": "ACME-200", "created": "2026-01-07T04:30:00.000+0000", "fields": {"status": status}}
    put(site.store, SPACE, "issue", {**issue, "updated": issue["created"]}, day=7)
    assert found(site, "created >= startOfDay()") == [200]
    assert found(site, "created >= startOfDay()", ("hub@acme.example", "jira-token")) == []
    assert found(site, "created >= startOfDay(-1)", ("hub@acme.example", "jira-token")) == [200]


@pytest.mark.parametrize(
    "jql",
    ["summary was x", "status was Done FROM 'To Do'", "created was EMPTY", "status changed BEFORE soon",
     "updated >= now('-1d')", "updated >= startOfWeek(x)", "updated >= nextWeek()", "assignee in membersOf(x)",
     "updated >= -99999999999999d", "updated >= 99999999999999999999", "key = EMPTY", "status > Done",
     "project = ACME ORDER BY comment", "updated >= startOfYear(99999)"],
)  # fmt: skip
def test_questions_without_an_answer_are_refused(still: Running, jql: str) -> None:
    answer = ask(still, "GET", "search/jql", params={"jql": jql})
    assert answer.status_code == 400
    assert answer.json()["errorMessages"]


def test_labels_priorities_and_comments(site: Running) -> None:
    expected: dict[str, list[int]] = {
        "labels = red": [1, 2],
        "labels in (blue) AND labels = red": [2],
        "labels is EMPTY AND project = ACME": [3],
        "labels != red AND project = ACME": [],
        "priority = Highest": [3],
        "priority = Medium ORDER BY key": [1, 2],
        "project = ACME ORDER BY priority DESC, key DESC": [3, 2, 1],
        "type = Task AND resolution = Unresolved ORDER BY assignee DESC, key": [2, 3, 1],
        "comment ~ hel*": [3],
        "text ~ 'hello' OR summary ~ '\"page 1\"'": [1, 3],
    }
    ask(site, "PUT", "issue/ACME-1", json={"fields": {"labels": ["red"]}})
    ask(site, "PUT", "issue/ACME-2", json={"update": {"labels": [{"add": "red"}, {"add": "blue"}]}})
    ask(site, "PUT", "issue/ACME-3", json={"fields": {"priority": {"name": "Highest"}}})
    ask(site, "POST", "/rest/api/2/issue/ACME-3/comment", json={"body": "hello world"})
    assert {jql: found(site, jql) for jql in expected} == expected
    assert ask(site, "GET", "label").json()["values"] == ["blue", "red"]


def test_a_page_token_dies_after_a_week(site: Running) -> None:
    asked = {"jql": "project = ACME", "maxResults": 1}
    token = ask(site, "GET", "search/jql", params=asked).json()["nextPageToken"]
    site.control("POST", "/clock", json={"advance": 7 * 86400 - 1})
    assert ask(site, "GET", "search/jql", params={"nextPageToken": token}).status_code == 200
    site.control("POST", "/clock", json={"advance": 2})
    assert ask(site, "GET", "search/jql", params={"nextPageToken": token}).status_code == 400


def test_the_last_page_has_no_token(site: Running) -> None:
    asked = {"jql": "project = ACME", "maxResults": 3}
    told = ask(site, "GET", "search/jql", params=asked).json()
    assert (told["isLast"], "nextPageToken" in told, "total" in told) == (True, False, False)


def test_a_long_query_is_fine_and_a_deep_one_is_refused(site: Running) -> None:
    wide = " OR ".join(["(key = ACME-1 AND NOT status in (Done, 'In Progress'))"] * 200)
    deep = "(" * 200 + "key = ACME-1" + ")" * 200
    negated = "NOT " * 200 + "key = ACME-1"
    asked = [ask(site, "POST", "search/jql", json={"jql": jql}) for jql in (wide, deep, negated)]
    assert [answer.status_code for answer in asked] == [200, 400, 400]


def test_short_searches_do_not_push_out_a_long_walk(site: Running) -> None:
    token = ask(site, "GET", "search/jql", params={"jql": "project = ACME", "maxResults": 1}).json()["nextPageToken"]
    for _ in range(210):
        assert ask(site, "GET", "search/jql", params={"jql": "key = ACME-1"}).json()["isLast"] is True
    assert ask(site, "GET", "search/jql", params={"nextPageToken": token}).status_code == 200


@pytest.mark.parametrize("text", ["*page", "?age", "", " "])
def test_a_text_search_begins_with_a_letter(still: Running, text: str) -> None:
    answer = ask(still, "GET", "search/jql", params={"jql": f'project = ACME AND summary ~ "{text}"'})
    assert answer.status_code == 400
    assert "summary" in answer.json()["errorMessages"][0]
