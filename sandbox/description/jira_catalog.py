"""Jira's lists of what there is: fields, statuses, projects, people (source: Atlassian's OpenAPI document)."""

from __future__ import annotations

from sandbox.description.operations import TEXT, WHOLE, Operation, Schema, many, operation

_API = "/rest/api/{v}"
_PAGED = {"startAt": WHOLE, "maxResults": WHOLE}
_PEOPLE = {"query": TEXT, "accountId": TEXT, **_PAGED}
_PROJECTS = {"query": TEXT, "keys": many(TEXT), "orderBy": TEXT, "expand": TEXT, **_PAGED}
_GROUPS = {"query": TEXT, "exclude": TEXT, "maxResults": WHOLE}
_META = {"projectIds": many(TEXT), "projectKeys": many(TEXT), "issuetypeNames": many(TEXT), "expand": TEXT}


def _get(path: str, says: str, **query: Schema) -> Operation:
    return operation("GET", f"{_API}/{path}", says, query=query)


CATALOG: tuple[Operation, ...] = (
    operation("GET", f"{_API}/serverInfo", "What the site is", signed=False),
    _get("myself", "Who the token belongs to", expand=TEXT),
    _get("mypermissions", "What the token may do", permissions=TEXT, projectKey=TEXT, issueKey=TEXT),
    _get("permissions", "Every permission there is"),
    _get("field", "Fields"),
    _get("label", "Labels", **_PAGED),
    _get("status", "Statuses"),
    _get("status/{id}", "One status"),
    _get("statuscategory", "Categories of status"),
    _get("priority", "Priorities"),
    _get("priority/search", "Priorities by page", **_PAGED),
    _get("priority/{id}", "One priority"),
    _get("issuetype", "Kinds of issue"),
    _get("issuetype/{id}", "One kind of issue"),
    _get("resolution", "Resolutions"),
    _get("resolution/{id}", "One resolution"),
    _get("project", "Projects"),
    _get("project/search", "Projects by page", **_PROJECTS),
    _get("project/{p}", "One project", expand=TEXT),
    _get("project/{p}/statuses", "Statuses of a project by kind of issue"),
    _get("issue/createmeta", "What a new issue may hold", **_META),
    _get("issue/createmeta/{p}/issuetypes", "Kinds of issue a project takes", **_PAGED),
    _get("issue/createmeta/{p}/issuetypes/{id}", "What a new issue of one kind may hold", **_PAGED),
    _get("user", "One account", accountId=TEXT, expand=TEXT),
    _get("user/groups", "Groups of an account", accountId=TEXT),
    _get("user/search", "Accounts by name or e-mail", property=TEXT, **_PEOPLE),
    _get("user/bulk", "Accounts by id", accountId=many(TEXT), **_PAGED),
    _get("user/assignable/search", "Who may be assigned", project=TEXT, issueKey=TEXT, **_PEOPLE),
    _get("user/assignable/multiProjectSearch", "Who may be assigned everywhere", projectKeys=TEXT, **_PEOPLE),
    _get("users", "Everybody", **_PAGED),
    _get("users/search", "Everybody", **_PAGED),
    _get("group/member", "Members of a group", groupname=TEXT, groupId=TEXT, **_PAGED),
    _get("groups/picker", "Groups by name", **_GROUPS),
)
