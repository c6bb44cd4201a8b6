"""Which fields can be set, and to what: create and edit metadata."""

from __future__ import annotations

from typing import Any

from sandbox.calls import Answer, Call, reply
from sandbox.jira import defaults
from sandbox.jira.bodies import paging
from sandbox.jira.errors import refused
from sandbox.jira.printing import Printer
from sandbox.jira.site import Site, project_of
from sandbox.store import Doc

_SETTABLE = ("summary", "description", "assignee", "reporter", "priority", "labels", "duedate", "issuetype")


class Screens:
    """Answers what can be filled in."""

    def __init__(self, site: Site) -> None:
        """Answer for one site."""
        self._site = site

    def editable(self, issue: Doc, printer: Printer) -> dict[str, Any]:
        """Return the fields of an issue that can be set, by id."""
        return {field["key"]: field for field in self._fields(project_of(issue), printer)}

    def projects(self, call: Call) -> Answer:
        """GET issue/createmeta: projects with their issue types (fields when expanded)."""
        caller, printer = self._site.caller(call), self._site.printer(call)
        keys = {key for entry in call.every("projectKeys") for key in entry.upper().split(",") if key}
        with_fields = "projects.issuetypes.fields" in call.one("expand")
        told = []
        for doc in self._site.store.scan(self._site.space, "project"):
            key = str(doc["key"])
            if not caller.rights.edits(key) or (keys and key not in keys):
                continue
            shown = printer.project(doc)
            types = self._types(printer)
            if with_fields:
                fields = {field["key"]: field for field in self._fields(key, printer)}
                types = [{**one, "expand": "fields", "fields": fields} for one in types]
            names = ("self", "id", "key", "name", "avatarUrls")
            told.append({**{name: shown[name] for name in names}, "issuetypes": types})
        return reply({"expand": "projects", "projects": told})

    def types(self, call: Call) -> Answer:
        """GET issue/createmeta/{project}/issuetypes."""
        self._site.project(call.at["p"], self._site.caller(call))
        types = self._types(self._site.printer(call))
        start, size = paging(call, 200, 50)
        page = types[start : start + size]
        return reply({"maxResults": size, "startAt": start, "total": len(types), "issueTypes": page})

    def fields(self, call: Call) -> Answer:
        """GET issue/createmeta/{project}/issuetypes/{type}."""
        project = self._site.project(call.at["p"], self._site.caller(call))
        printer = self._site.printer(call)
        if call.at["t"] not in {one["id"] for one in self._types(printer)}:
            raise refused(400, "The issue type selected is invalid.")
        fields = [{**field, "fieldId": field["key"]} for field in self._fields(str(project["key"]), printer)]
        start, size = paging(call, 200, 50)
        page = fields[start : start + size]
        return reply({"maxResults": size, "startAt": start, "total": len(fields), "fields": page})

    def _types(self, printer: Printer) -> list[dict[str, Any]]:
        return [printer.issue_type(doc) for doc in defaults.issue_types(self._site.store, self._site.space)]

    def _fields(self, project: str, printer: Printer) -> list[dict[str, Any]]:
        told = []
        for id_, doc in printer.visible_fields().items():
            if not doc.get("schema") or not (doc.get("custom") or id_ in _SETTABLE):
                continue
            field: dict[str, Any] = {
                "required": id_ in {"summary", "issuetype"},
                "schema": defaults.schema_of(dict(doc)),
                "name": doc["name"],
                "key": id_,
                "hasDefaultValue": id_ == "priority",
                "operations": ["add", "set", "remove"] if doc["schema"].get("type") == "array" else ["set"],
            }
            allowed = self._allowed(id_, dict(doc), printer)
            if allowed is not None:
                field["allowedValues"] = allowed
            if doc["schema"].get("type") == "user":
                link = f"{printer.rest}/user/assignable/search?project={project}&query="
                field["autoCompleteUrl"] = link
            told.append(field)
        return told

    def _allowed(self, id_: str, doc: Doc, printer: Printer) -> list[Any] | None:
        store, space = self._site.store, self._site.space
        if id_ == "priority":
            return [printer.priority(one) for one in defaults.priorities(store, space)]
        if id_ == "issuetype":
            return self._types(printer)
        if doc.get("_options") is not None:
            return [printer.option(id_, str(option)) for option in doc["_options"]]
        return None
