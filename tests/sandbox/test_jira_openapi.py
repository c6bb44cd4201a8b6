"""Every path of the Jira site, with success and with refusal, against Atlassian's published description."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jira_site
import openapi_check
import pytest
from http_world import J_ADA, J_GRACE, J_LEFT, SPACES, Running, running, small_company
from jira_site import APP, HUB, LIMITED, ask, furnish, tree
from surface import routes_of

from sandbox.jira.server import JiraServer
from sandbox.stamps import wall_clock

NOBODY = ("hub@acme.example", "wrong")
SINK = "http://127.0.0.1:9/none"


@dataclass(frozen=True, slots=True)
class Step:
    """One request of the tour and the status it must get."""

    method: str
    path: str
    status: int
    body: Any = None
    query: dict[str, Any] = field(default_factory=dict)
    auth: Any = HUB


def tour(version: str) -> Iterator[Step]:
    """Requests in an order in which each finds what it needs; `{c}` is the comment made, `{h}` the webhook."""
    text: Any = "plain words" if version == "2" else tree("plain words")
    wrong = "999"
    yield Step("GET", "serverInfo", 200, auth=None)
    for path in ("myself", "field", "status", "statuscategory", "priority", "priority/search", "issuetype",
                 "resolution", "label", "project", "project/search", "permissions", "users",
                 "users/search"):  # fmt: skip
        yield Step("GET", path, 200)
        yield Step("GET", path, 401, auth=NOBODY)
    for path in ("status/10", "priority/3", "issuetype/10001", "resolution/10000", "project/ACME", "project/10000",
                 "project/ACME/statuses"):  # fmt: skip
        yield Step("GET", path, 200)
        yield Step("GET", path.replace("ACME", wrong).replace("10000", wrong).replace("10001", wrong)
                   .replace("/10", f"/{wrong}").replace("/3", f"/{wrong}"), 404)  # fmt: skip
    yield Step("GET", "project/search", 200, query={"keys": "ACME", "expand": "lead,description", "maxResults": 1})
    yield Step("GET", "project/search", 400, query={"startAt": "x"})
    yield Step("GET", "user", 200, query={"accountId": J_LEFT})
    yield Step("GET", "user", 404, query={"accountId": wrong})
    yield Step("GET", "user/search", 200, query={"query": "a"})
    yield Step("GET", "user/search", 400, query={"username": "a"})
    yield Step("GET", "user/groups", 200, query={"accountId": J_ADA})
    yield Step("GET", "user/bulk", 200, query={"accountId": [J_ADA, J_GRACE], "maxResults": 1})
    yield Step("GET", "user/bulk", 400)
    yield Step("GET", "user/assignable/search", 200, query={"project": "ACME"})
    yield Step("GET", "user/assignable/search", 404, query={"issueKey": "ACME-99"})
    yield Step("GET", "user/assignable/multiProjectSearch", 200, query={"projectKeys": "ACME,DESK"})
    yield Step("GET", "user/assignable/multiProjectSearch", 404, query={"projectKeys": "NOPE"})
    yield Step("GET", "group/member", 200, query={"groupname": "jira-users"})
    yield Step("GET", "group/member", 404, query={"groupname": "nope"})
    yield Step("GET", "groups/picker", 200, query={"query": "jira"})
    yield Step(
        "GET", "mypermissions", 200, query={"permissions": "BROWSE_PROJECTS,ASSIGN_ISSUES", "projectKey": "ACME"}
    )
    yield Step("GET", "mypermissions", 400)
    yield Step("GET", "mypermissions", 404, query={"permissions": "BROWSE_PROJECTS", "projectKey": "NOPE"})
    yield Step("GET", "permissions", 403, auth=LIMITED)
    yield from _searches()
    yield Step("GET", "search", 410)
    yield Step("POST", "search", 410, {"jql": "project = ACME"})
    yield Step("POST", "search/approximate-count", 200, {"jql": "project = ACME"})
    yield Step("POST", "search/approximate-count", 400, {"jql": ""})
    queries = ["project = ACME AND status was Done BY currentUser() ORDER BY key DESC", "nonsense ==", "colour = red",
               "NOT (key in (ACME-1, EMPTY) OR status changed DURING (-1w, now()))"]  # fmt: skip
    yield Step("POST", "jql/parse", 200, {"queries": queries})
    yield Step("POST", "jql/parse", 400, {"queries": []})
    yield Step("GET", "issue/createmeta", 200, query={"expand": "projects.issuetypes.fields"})
    yield Step("GET", "issue/createmeta/ACME/issuetypes", 200)
    yield Step("GET", "issue/createmeta/NOPE/issuetypes", 404)
    yield Step("GET", "issue/createmeta/ACME/issuetypes/10001", 200)
    yield Step("GET", "issue/createmeta/ACME/issuetypes/999", 400)
    fields = {"project": {"key": "ACME"}, "summary": "new", "issuetype": {"name": "Task"}, "description": text,
              "priority": {"id": "2"}, "labels": ["one"], "customfield_10010": {"value": "QA"},
              "customfield_10013": {"accountId": J_ADA}}  # fmt: skip
    yield Step("POST", "issue", 201, {"fields": fields})
    yield Step("POST", "issue", 400, {"fields": {"summary": ""}})
    yield Step("POST", "issue", 401, {"fields": fields}, auth=NOBODY)
    every = "changelog,names,schema,transitions,editmeta,renderedFields"
    yield Step("GET", "issue/ACME-4", 200, query={"expand": every, "properties": "*all"})
    yield Step("GET", "issue/ACME-1", 200, query={"expand": every})
    yield Step("GET", "issue/ACME-99", 404)
    yield Step(
        "PUT", "issue/ACME-4", 204, {"fields": {"summary": "newer", "labels": []}, "update": {"labels": [{"add": "x"}]}}
    )
    yield Step("PUT", "issue/ACME-4", 200, {"fields": {"summary": "newest"}}, query={"returnIssue": "true"})
    yield Step("PUT", "issue/ACME-4", 400, {"fields": {"nothing": 1}})
    yield Step("GET", "issue/ACME-4/editmeta", 200)
    yield Step("GET", "issue/ACME-99/editmeta", 404)
    yield Step("PUT", "issue/ACME-4/assignee", 204, {"accountId": J_GRACE})
    yield Step("PUT", "issue/ACME-4/assignee", 400, {"accountId": J_LEFT})
    yield Step("PUT", "issue/ACME-99/assignee", 404, {"accountId": J_GRACE})
    yield Step("GET", "issue/ACME-4/transitions", 200)
    yield Step("POST", "issue/ACME-4/transitions", 204, {"transition": {"id": "12"}})
    yield Step("POST", "issue/ACME-4/transitions", 400, {"transition": {"id": "12"}})
    yield Step("GET", "issue/ACME-4/changelog", 200, query={"maxResults": 1})
    yield Step("GET", "issue/ACME-99/changelog", 404)
    yield Step("POST", "issue/ACME-1/changelog/list", 200, {"changelogIds": [500, 501]})
    yield Step("POST", "issue/ACME-1/changelog/list", 400, {"changelogIds": []})
    yield Step("POST", "changelog/bulkfetch", 200, {"issueIdsOrKeys": ["ACME-1", "ACME-4"], "maxResults": 2})
    yield Step("POST", "changelog/bulkfetch", 400, {"issueIdsOrKeys": []})
    yield Step("POST", "issue/bulkfetch", 200, {"issueIdsOrKeys": ["ACME-1", "ACME-99"], "fields": ["*all"]})
    yield Step("POST", "issue/bulkfetch", 400, {"issueIdsOrKeys": "x" * 3, "fields": {}})
    yield Step("POST", "issue/ACME-4/comment", 201, {"body": text})
    yield Step("POST", "issue/ACME-4/comment", 400, {"body": ""})
    yield Step("GET", "issue/ACME-4/comment", 200)
    yield Step("GET", "issue/ACME-99/comment", 404)
    yield Step("GET", "issue/ACME-4/comment/{c}", 200)
    yield Step("PUT", "issue/ACME-4/comment/{c}", 200, {"body": text})
    yield Step("DELETE", "issue/ACME-4/comment/{c}", 204)
    yield Step("GET", "issue/ACME-4/comment/{c}", 404)
    yield Step("PUT", "issue/ACME-4/properties/one", 201, {"any": "thing"})
    yield Step("PUT", "issue/ACME-4/properties/one", 200, {"any": "other"})
    yield Step("GET", "issue/ACME-4/properties", 200)
    yield Step("GET", "issue/ACME-4/properties/one", 200)
    yield Step("DELETE", "issue/ACME-4/properties/one", 204)
    yield Step("GET", "issue/ACME-4/properties/one", 404)
    yield from _hooks()
    yield Step("DELETE", "issue/ACME-4", 204)
    yield Step("DELETE", "issue/ACME-4", 404)


def _searches() -> Iterator[Step]:
    jql = "project = ACME ORDER BY key"
    yield Step("GET", "search/jql", 200, query={"jql": jql, "maxResults": 1})
    yield Step("GET", "search/jql", 200, query={"jql": jql, "fields": "*all", "expand": "changelog,names,schema"})
    yield Step("POST", "search/jql", 200, {"jql": jql, "fields": ["summary", "comment"], "properties": ["one"]})
    yield Step("POST", "search/jql", 200, {"jql": jql, "reconcileIssues": [101], "maxResults": 2, "expand": "names"})
    yield Step("GET", "search/jql", 400, query={"jql": "ORDER BY key"})
    yield Step("POST", "search/jql", 400, {"jql": "colour = red"})
    yield Step("GET", "search/jql", 401, query={"jql": jql}, auth=NOBODY)


def _hooks() -> Iterator[Step]:
    hook = {"events": ["jira:issue_updated"], "jqlFilter": "project = ACME", "fieldIdsFilter": ["status"]}
    yield Step("POST", "webhook", 200, {"url": SINK, "webhooks": [hook, {**hook, "jqlFilter": "x ="}]}, auth=APP)
    yield Step("POST", "webhook", 403, {"url": SINK, "webhooks": [hook]})
    yield Step("POST", "webhook", 400, {"url": "http://example.com/x", "webhooks": [hook]}, auth=APP)
    yield Step("GET", "webhook", 200, auth=APP)
    yield Step("GET", "webhook", 403)
    yield Step("GET", "webhook/failed", 200, auth=APP)
    yield Step("GET", "webhook/failed", 403)
    yield Step("PUT", "webhook/refresh", 200, {"webhookIds": ["{h}"]}, auth=APP)
    yield Step("PUT", "webhook/refresh", 400, {}, auth=APP)
    yield Step("DELETE", "webhook", 202, {"webhookIds": ["{h}"]}, auth=APP)
    yield Step("DELETE", "webhook", 400, {}, auth=APP)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Running]:
    store = small_company(tmp_path / "world.sqlite")
    furnish(store)
    jira_site.limit(store, admin=False)
    with running(store) as served:
        yield served
    store.close()


@pytest.mark.parametrize("version", ["2", "3", "latest"])
def test_every_reply_is_one_the_published_description_allows(site: Running, version: str) -> None:
    found: dict[str, str] = {"c": "", "h": "0"}
    wrong, answered = [], set()
    for step in tour(version):
        path = f"/rest/api/{version}/{step.path.format(**found)}"
        body = {"webhookIds": [int(found["h"])]} if step.body == {"webhookIds": ["{h}"]} else step.body
        answer = ask(site, step.method, path, auth=step.auth, params=step.query, json=body)
        told = answer.json() if answer.content and "json" in answer.headers["content-type"] else None
        where = f"{step.method} {step.path} {step.query or ''} -> {answer.status_code}"
        if answer.status_code != step.status:
            wrong.append(f"{where}, not {step.status}: {answer.text[:300]}")
        elif openapi_check.described(step.method, path):
            wrong += [f"{where}: {problem}" for problem in openapi_check.problems(step.method, path, step.status, told)]
        if answer.ok or step.status == 410:
            answered.add((step.method, path))
        if step.path.endswith("/comment") and step.method == "POST" and answer.ok:
            found["c"] = told["id"]
        if step.path == "webhook" and step.method == "POST" and answer.ok:
            found["h"] = str(told["webhookRegistrationResult"][0]["createdWebhookId"])
    assert not wrong, "\n".join(wrong)
    served = JiraServer(site.store, SPACES["jira"], wall_clock)
    below = "/rest/api/{v}/"
    routes = {(method, path.replace("{v}", version)) for method, path in routes_of(served) if path.startswith(below)}
    assert routes, "the route table could not be read"
    assert [route for route in sorted(routes) if not _met(route, answered)] == []


def test_the_description_is_not_blind() -> None:
    """A reply with an invented key, or a link that is none, is noticed."""
    page = {"issues": [{"id": "1", "invented": 1}], "isLast": True}
    assert openapi_check.problems("GET", "/rest/api/2/search/jql", 200, page)
    assert openapi_check.problems("GET", "/rest/api/3/myself", 200, {"self": "no link"})
    assert openapi_check.problems("PUT", "/rest/api/3/issue/A-1/assignee", 400, {"error": "of another service"})
    assert not openapi_check.problems("GET", "/rest/api/latest/myself", 200, {"self": "http://127.0.0.1:1/x"})


def _met(route: tuple[str, str], answered: set[tuple[str, str]]) -> bool:
    pattern = re.compile(re.sub(r"\{\w+\}", "[^/]+", route[1]))
    return any(method == route[0] and pattern.fullmatch(path) for method, path in answered)
