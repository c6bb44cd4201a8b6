"""Everything wrong with a site, its permissions and the mapping, each named by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from connectors.jira import desk
from connectors.jira.parse import Mapping
from connectors.jira.site import Site
from hub.charter.sources import JiraSource
from hub.domain.records import Problem
from hub.errors import SourceError

_BROWSE = ("BROWSE_PROJECTS", "Browse Projects", "see issues")
_ASSIGN = ("ASSIGN_ISSUES", "Assign Issues", "assign issues")
_USERS = ("USER_PICKER", "Browse users and groups", "see people")


def problems(site: Site, source: JiraSource, mapping: Mapping) -> tuple[Problem, ...]:
    """Sign-in, Cloud, projects, permissions, fields and service desks; nothing is changed."""
    name = site.source
    try:
        info = site.get("serverInfo")
        site.me()
    except SourceError as error:
        return (Problem(where=name, what=error.message, hint=error.advice),)
    found: list[Problem] = []
    kind = info.get("deploymentType") if isinstance(info, dict) else None
    if kind != "Cloud":
        found.append(
            Problem(
                where=f"{name}.connection.server",
                what=f"is {kind or 'no Jira'}, not Jira Cloud",
                hint="only Jira Cloud is supported",
            )
        )
    looks: list[Callable[[], Iterator[Problem]]] = [partial(_people, site), partial(_fields, site, mapping)]
    looks += [partial(_project, site, source, key) for key in source.projects]
    for look in looks:
        try:
            found += look()
        except SourceError as error:
            found.append(Problem(where=name, what=error.message, hint=error.advice))
    return tuple(found)


def _project(site: Site, source: JiraSource, key: str) -> Iterator[Problem]:
    where = f"{site.source}.projects"
    told = site.find(f"project/{key}")
    if told is None:
        yield Problem(
            where=where,
            what=f"project {key} does not exist or is hidden from the hub's account",
            hint="check the key and give the account the Browse Projects permission",
        )
        return
    for right in (_BROWSE, _ASSIGN) if source.writable else (_BROWSE,):
        if not _has(site, right[0], key):
            yield Problem(
                where=where,
                what=f"the hub's account may not {right[2]} in {key}",
                hint=f"give it the {right[1]} permission" + (", or set writable: false" if right is _ASSIGN else ""),
            )
    if source.approvals and desk.is_desk(site, key):
        site.desk(f"servicedesk/{key}")  # refused without a licence or the scope for it


def _people(site: Site) -> Iterator[Problem]:
    if not _has(site, _USERS[0]):
        yield Problem(
            where=site.source,
            what=f"the hub's account may not {_USERS[2]}",
            hint=f"give it the global permission {_USERS[1]}",
        )


def _fields(site: Site, mapping: Mapping) -> Iterator[Problem]:
    known = {field.get("id") for field in site.get("field")}
    for name in mapping.custom:
        if name not in known:
            yield Problem(
                where=f"{site.source}.fields",
                what=f"field {name} does not exist in Jira",
                hint="use the field's id (customfield_10010), not its name",
            )


def _has(site: Site, permission: str, project: str = "") -> bool:
    question = {"permissions": permission} | ({"projectKey": project} if project else {})
    body = site.get("mypermissions", question)
    told = body.get("permissions", {}).get(permission) if isinstance(body, dict) else None
    return not isinstance(told, dict) or told.get("havePermission") is not False
