"""What the simulated Jira serves (source: Atlassian's OpenAPI document; the service desk from its own reference)."""

from __future__ import annotations

from typing import Any

from sandbox.description.jira_catalog import CATALOG
from sandbox.description.operations import (
    ANYTHING,
    FLAG,
    TEXT,
    WHOLE,
    Operation,
    Schema,
    Service,
    made_of,
    many,
    one_of,
    operation,
)

_API = "/rest/api/{v}"
_ISSUE = f"{_API}/issue/{{k}}"
_DESK = "/rest/servicedeskapi"
_JQL = one_of(
    "project = ACME",
    "project = ACME ORDER BY updated DESC",
    'assignee = "acc:ada" AND status != Done',
    "updated >= -30d OR assignee is EMPTY",
    "project = NOBODY",
    "assignee was acc:ada",
    "",
)
_FIELD_NAMES = one_of("*all", "*navigable", "summary", "assignee", "status", "updated", "customfield_10010", "-summary")
_PAGED = {"startAt": WHOLE, "maxResults": WHOLE}
_DESK_PAGED = {"start": WHOLE, "limit": WHOLE}
_SEARCH = {
    "jql": _JQL,
    "maxResults": WHOLE,
    "nextPageToken": TEXT,
    "fields": many(_FIELD_NAMES),
    "expand": one_of("changelog", "names,schema", "renderedFields", "transitions", "operations"),
    "reconcileIssues": many(WHOLE),
    "properties": many(TEXT, 5),
    "fieldsByKeys": FLAG,
    "failFast": FLAG,
}
_IDS_OR_KEYS = many(one_of("ACME-1", "101", "ACME-2", "NOBODY-1"))
_TEXT_BODY: Schema = {
    "anyOf": [
        TEXT,
        made_of(
            "type",
            "version",
            "content",
            type=one_of("doc"),
            version=WHOLE,
            content=many(made_of(type=TEXT, text=TEXT, content=many(ANYTHING))),
        ),
    ]
}
_COMMENT = made_of("body", body=_TEXT_BODY, visibility=ANYTHING, properties=many(ANYTHING))
_FIELDS = made_of(
    project=made_of(key=TEXT, id=TEXT),
    issuetype=made_of(name=TEXT, id=TEXT),
    summary=TEXT,
    description=_TEXT_BODY,
    assignee=made_of(accountId=TEXT, id=TEXT),
    duedate={"type": "string", "format": "date"},
    customfield_10010=made_of(value=TEXT),
    priority=made_of(name=TEXT, id=TEXT),
    labels=many(TEXT),
)
_EDIT = made_of(fields=_FIELDS, update={"type": "object", "additionalProperties": many(ANYTHING)})
_TRANSITION = made_of("transition", transition=made_of(id=TEXT), **_EDIT["properties"])
_WEBHOOKS = made_of(
    "webhooks",
    "url",
    url=TEXT,
    webhooks=many(made_of("events", "jqlFilter", events=many(TEXT), jqlFilter=_JQL, fieldIdsFilter=many(TEXT))),
)
_WEBHOOK_IDS = made_of("webhookIds", webhookIds=many(WHOLE))
_NEW_SAMPLE = {"fields": {"project": {"key": "ACME"}, "issuetype": {"name": "Task"}, "summary": "New page"}}
_COMMENT_SAMPLE = {
    "body": {
        "type": "doc",
        "version": 1,
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": "a"}]}],
    }
}
_HOOK_SAMPLE = {
    "url": "http://127.0.0.1:9/hook",
    "webhooks": [{"events": ["jira:issue_updated"], "jqlFilter": "project = ACME"}],
}


def _get(path: str, says: str, **query: Schema) -> Operation:
    return operation("GET", path, says, query=query)


def _post(path: str, says: str, body: Schema, sample: Any, **rest: Any) -> Operation:
    return operation("POST", path, says, body=body, sample=sample, **rest)


_PLATFORM: tuple[Operation, ...] = (
    operation("GET", f"{_API}/search", "Removed: 410", query={"jql": _JQL}, statuses=(410,)),
    _post(f"{_API}/search", "Removed: 410", made_of(jql=_JQL), {"jql": "project = ACME"}, statuses=(410,)),
    _get(f"{_API}/search/jql", "Search", **_SEARCH),
    _post(f"{_API}/search/jql", "Search", made_of(**_SEARCH), {"jql": "project = ACME", "maxResults": 2}),
    _post(f"{_API}/search/approximate-count", "Count", made_of("jql", jql=_JQL), {"jql": "project = ACME"}),
    _post(
        f"{_API}/jql/parse", "Parse queries", made_of("queries", queries=many(_JQL)), {"queries": ["project = ACME"]}
    ),
    _post(f"{_API}/issue", "Make an issue", _EDIT, _NEW_SAMPLE, statuses=(201,)),
    _post(
        f"{_API}/issue/bulkfetch",
        "Issues by id or key, as they are now",
        made_of("issueIdsOrKeys", issueIdsOrKeys=_IDS_OR_KEYS, fields=many(_FIELD_NAMES), expand=many(TEXT)),
        {"issueIdsOrKeys": ["ACME-1", "102"], "fields": ["summary"]},
    ),
    _post(
        f"{_API}/changelog/bulkfetch",
        "Histories of many issues",
        made_of(
            "issueIdsOrKeys",
            issueIdsOrKeys=_IDS_OR_KEYS,
            fieldIds=many(TEXT, 10),
            maxResults=WHOLE,
            nextPageToken=TEXT,
        ),
        {"issueIdsOrKeys": ["ACME-1"], "maxResults": 2},
    ),
    _get(_ISSUE, "One issue", fields=many(_FIELD_NAMES), expand=TEXT, properties=many(TEXT)),
    operation(
        "PUT",
        _ISSUE,
        "Edit",
        body=_EDIT,
        sample={"fields": {"summary": "B"}},
        query={"notifyUsers": TEXT},
        statuses=(204,),
    ),
    operation("DELETE", _ISSUE, "Delete", query={"deleteSubtasks": TEXT}, statuses=(204,)),
    _get(f"{_ISSUE}/editmeta", "What may be edited"),
    _get(f"{_ISSUE}/changelog", "History", **_PAGED),
    _post(
        f"{_ISSUE}/changelog/list",
        "History by ids",
        made_of("changelogIds", changelogIds=many(WHOLE)),
        {"changelogIds": [500]},
    ),
    operation(
        "PUT",
        f"{_ISSUE}/assignee",
        "Assign",
        body=made_of(accountId={"type": "string", "nullable": True}),
        sample={"accountId": "acc:grace"},
        statuses=(204,),
    ),
    _get(f"{_ISSUE}/transitions", "Where it may move", expand=TEXT, transitionId=TEXT),
    _post(f"{_ISSUE}/transitions", "Move", _TRANSITION, {"transition": {"id": "11"}}, statuses=(204,)),
    _get(f"{_ISSUE}/comment", "Comments", orderBy=TEXT, expand=TEXT, **_PAGED),
    _post(f"{_ISSUE}/comment", "Comment", _COMMENT, _COMMENT_SAMPLE, statuses=(201,)),
    _get(f"{_ISSUE}/comment/{{c}}", "One comment", expand=TEXT),
    operation("PUT", f"{_ISSUE}/comment/{{c}}", "Edit a comment", body=_COMMENT, sample=_COMMENT_SAMPLE),
    operation("DELETE", f"{_ISSUE}/comment/{{c}}", "Delete a comment", statuses=(204,)),
    _get(f"{_ISSUE}/properties", "Names of the issue's properties"),
    _get(f"{_ISSUE}/properties/{{name}}", "One property"),
    operation(
        "PUT", f"{_ISSUE}/properties/{{name}}", "Keep a property", body=ANYTHING, sample={"a": 1}, statuses=(200, 201)
    ),
    operation("DELETE", f"{_ISSUE}/properties/{{name}}", "Forget a property", statuses=(204,)),
    _get(f"{_API}/webhook", "The app's webhooks", **_PAGED),
    _post(f"{_API}/webhook", "Make webhooks", _WEBHOOKS, _HOOK_SAMPLE),
    operation(
        "DELETE", f"{_API}/webhook", "Delete webhooks", body=_WEBHOOK_IDS, sample={"webhookIds": [1]}, statuses=(202,)
    ),
    operation("PUT", f"{_API}/webhook/refresh", "Extend webhooks", body=_WEBHOOK_IDS, sample={"webhookIds": [1]}),
    _get(f"{_API}/webhook/failed", "Deliveries that failed", maxResults=WHOLE, after=WHOLE),
)
_DESKS: tuple[Operation, ...] = (
    operation("GET", f"{_DESK}/info", "What the service desk is", signed=False),
    _get(f"{_DESK}/servicedesk", "Service desks", **_DESK_PAGED),
    _get(f"{_DESK}/servicedesk/{{d}}", "One service desk"),
    _get(f"{_DESK}/request/{{k}}", "One request", expand=TEXT),
    _get(f"{_DESK}/request/{{k}}/approval", "Approvals of a request", **_DESK_PAGED),
    _get(f"{_DESK}/request/{{k}}/approval/{{a}}", "One approval"),
    _post(
        f"{_DESK}/request/{{k}}/approval/{{a}}",
        "Approve or decline",
        made_of("decision", decision=one_of("approve", "decline")),
        {"decision": "approve"},
    ),
)
_GRANT = made_of(
    "grant_type",
    grant_type=one_of("refresh_token", "authorization_code", "client_credentials"),
    client_id=TEXT,
    client_secret=TEXT,
    refresh_token=TEXT,
    code=TEXT,
)
_GATEWAY: tuple[Operation, ...] = (
    operation("GET", "/_edge/tenant_info", "The cloud id of the site", signed=False),
    _get("/oauth/token/accessible-resources", "The sites a token sees"),
    _post(
        "/oauth/token",
        "A new token for a refresh token",
        _GRANT,
        {"grant_type": "refresh_token", "client_id": "app", "client_secret": "secret", "refresh_token": "used-up"},
        signed=False,
    ),
)

JIRA = Service(
    name="jira",
    title="Jira Cloud as the sandbox serves it",
    says="Basic or bearer tokens. A wrong token gets plain text, an unknown path a web page, as the real site does.",
    error={
        "anyOf": [
            made_of("errorMessages", errorMessages=many(TEXT), errors={"type": "object"}, warningMessages=many(TEXT)),
            made_of("errorMessage", errorMessage=TEXT),
            made_of("error", error=TEXT),
        ]
    },
    path_values={
        "v": one_of("2", "3", "latest"),
        "k": one_of("ACME-1", "ACME-2", "103", "ACME-999", "nonsense"),
        "p": one_of("ACME", "10000", "NOBODY"),
        "id": one_of("1", "3", "10", "10000", "99999"),
        "name": TEXT,
        "c": TEXT,
        "d": one_of("1", "99"),
        "a": TEXT,
    },
    operations=(*CATALOG, *_PLATFORM, *_DESKS, *_GATEWAY),
)
