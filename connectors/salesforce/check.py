"""What `hub check` finds wrong with an org: each object, field and right that is missing, one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.salesforce import parse, soql
from connectors.salesforce.org import Org
from hub.charter.sources import SalesforceObject, SalesforceSource
from hub.domain.records import Problem
from hub.errors import HubError, SourceRefused

_APPROVALS = (
    ("ProcessInstance", parse.APPROVAL_FIELDS),
    ("ProcessInstanceStep", parse.STEP_FIELDS),
    ("ProcessInstanceWorkitem", parse.WORKITEM_FIELDS),
)


def problems(name: str, source: SalesforceSource, org: Org) -> tuple[Problem, ...]:
    """Everything wrong with sign-in, objects, fields, histories, and the right to change owners. Raises nothing."""
    try:
        _ = org.user
    except HubError as error:
        return (Problem(where=name, what=error.message, hint=error.hint),)
    looks = _Looks(org)
    found = looks.at(f"{name}.users", "User", parse.USER_FIELDS)
    found += looks.at(f"{name}.users", "Group", parse.QUEUE_FIELDS)
    for sobject, mapping in source.objects.items():
        where = f"{name}.objects.{sobject}"
        found += looks.at(where, sobject, parse.record_fields(sobject, mapping))
        found += looks.owner(where, sobject, mapping) if source.writable else []
        found += looks.history(where, sobject, mapping)
        if mapping.comments:
            found += looks.comments(where, sobject)
        if mapping.approvals:
            for related, fields in _APPROVALS:
                found += looks.at(f"{where}.approvals", related, fields)
    return tuple(dict.fromkeys(found))


class _Looks:
    """Looks at one org; each object is described once."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._known: dict[str, Mapping[str, Any] | Problem] = {}

    def at(self, where: str, sobject: str, fields: Sequence[str]) -> list[Problem]:
        described = self._described(where, sobject)
        if isinstance(described, Problem):
            return [described]
        if not described.get("queryable", True):
            hint = f"give the hub's user 'Read' on {sobject}"
            return [Problem(where=where, what=f"object {sobject!r} cannot be queried", hint=hint)]
        there = _fields(described)
        hint = "use the API name, and let the hub's user see the field"
        return [
            Problem(where=where, what=f"field {api!r} does not exist", hint=hint)
            for api in fields
            if "." not in api and api not in there
        ]

    def owner(self, where: str, sobject: str, mapping: SalesforceObject) -> list[Problem]:
        described = self._described(where, sobject)
        if isinstance(described, Problem):
            return []
        if not described.get("updateable", True):
            hint = f"give the hub's user 'Edit' on {sobject}, or set `writable: false`"
            return [Problem(where=where, what=f"records of {sobject} cannot be changed", hint=hint)]
        owner = _fields(described).get(mapping.owner, {})
        if not owner or owner.get("updateable", False):
            return []
        hint = "give the hub's user the right to change it, or set `writable: false`"
        return [Problem(where=where, what=f"{mapping.owner} cannot be changed", hint=hint)]

    def history(self, where: str, sobject: str, mapping: SalesforceObject) -> list[Problem]:
        if not mapping.tracked:
            return []
        history, _ = parse.history_of(sobject)
        try:
            self._org.query(soql.select(("Id",), history, limit=1))
        except SourceRefused as error:
            hint = "switch on field history tracking and let the hub's user read it, or empty `tracked`"
            return [Problem(where=where, what=f"{history}: {error.message}", hint=hint)]
        except HubError as error:
            return [Problem(where=where, what=error.message, hint=error.hint)]
        return []

    def comments(self, where: str, sobject: str) -> list[Problem]:
        if sobject != "Case":
            return [Problem(where=where, what="comments are read for Case only", hint="take `comments` out")]
        return self.at(f"{where}.comments", "CaseComment", parse.COMMENT_FIELDS)

    def _described(self, where: str, sobject: str) -> Mapping[str, Any] | Problem:
        if sobject not in self._known:
            self._known[sobject] = self._look(where, sobject)
        return self._known[sobject]

    def _look(self, where: str, sobject: str) -> Mapping[str, Any] | Problem:
        try:
            body = self._org.get(f"sobjects/{soql.name(sobject)}/describe").body
        except SourceRefused:
            hint = f"use the API name, and give the hub's user 'Read' on {sobject}"
            return Problem(where=where, what=f"object {sobject!r} does not exist or is hidden", hint=hint)
        except HubError as error:
            return Problem(where=where, what=error.message, hint=error.hint)
        return body if isinstance(body, dict) else {}


def _fields(described: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {str(each["name"]): each for each in described.get("fields", [])}
