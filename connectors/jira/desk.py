"""Approvals of service-desk requests."""

from __future__ import annotations

from connectors.jira.search import broken
from connectors.jira.site import Site
from connectors.jira.values import Json

_PAGE = 50


def is_desk(site: Site, project: str) -> bool:
    """Whether the project belongs to a service desk. Raises SourceError."""
    told = site.get(f"project/{project}")
    return isinstance(told, dict) and told.get("projectTypeKey") == "service_desk"


def approvals(site: Site, issue: str) -> list[Json]:
    """All approvals of an issue, as sent; none for an issue that is no request. Raises SourceError."""
    found: list[Json] = []
    while True:
        body = site.desk(f"request/{issue}/approval", {"start": len(found), "limit": _PAGE})
        if body is None:
            return found
        values = body.get("values") if isinstance(body, dict) else None
        if not isinstance(values, list):
            raise broken(site, "the approvals of a request came without values")
        found += values
        if not values or body.get("isLastPage") is not False:
            return found
