"""Issues: reading, creating, editing, assigning, moving, deleting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.calls import Answer, Call, RefusedCall, reply
from sandbox.jira import adf
from sandbox.jira.bodies import expanded, object_body, part, parts, text, texts
from sandbox.jira.errors import refused
from sandbox.jira.screens import Screens
from sandbox.jira.site import Caller, Site, address, edits, project_of
from sandbox.jira.wanted import wanted
from sandbox.store import Doc

_MOST_FETCHED = 100
_NO_EDIT = "You do not have permission to edit issues in this project."
_NO_TREE = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"


class Work:
    """Answers what is asked and told about issues."""

    def __init__(self, site: Site, screens: Screens) -> None:
        """Work on one site."""
        self._site = site
        self._screens = screens

    def read(self, call: Call) -> Answer:
        """GET issue/{id or key}; a former key leads to the issue, which tells its present one."""
        expand = expanded(call.every("expand"))
        what = wanted(call.every("fields"), expand, default="*all", properties=call.every("properties"))
        issue, printer = self._site.issue(call), self._site.printer(call)
        told = printer.issues([issue], what, in_search=False)[0]
        if "names" in expand:
            told["names"] = printer.field_names(what)
        if "schema" in expand:
            told["schema"] = printer.field_schemas(what)
        if "editmeta" in expand:
            told["editmeta"] = {"fields": self._screens.editable(issue, printer)}
        if "transitions" in expand:
            told["transitions"] = self._offered(call, issue)
        return reply(told)

    def bulk_fetch(self, call: Call) -> Answer:
        """POST issue/bulkfetch: current values, and the names of what is missing."""
        asked, caller = object_body(call), self._site.caller(call)
        names = texts(asked, "issueIdsOrKeys")
        if not names or len(names) > _MOST_FETCHED:
            raise refused(400, f"The number of issues requested must be between 1 and {_MOST_FETCHED}.")
        expand, properties = expanded(asked.get("expand")), texts(asked, "properties")
        what = wanted(texts(asked, "fields"), expand, default="*navigable", properties=properties)
        found: dict[str, Doc] = {}
        missing: list[dict[str, str]] = []
        for name in names:
            try:
                issue = self._site.by_name(name, caller)
                found[str(issue["id"])] = issue
            except RefusedCall:
                missing.append({"id": name, "errorMessage": "Issue does not exist or you do not have permission."})
        shown = self._site.printer(call).issues(list(found.values()), what, in_search=False)
        return reply({"issues": shown, "issueErrors": missing})

    def create(self, call: Call) -> Answer:
        """POST issue."""
        asked, caller = object_body(call), self._site.caller(call)
        fields = part(asked, "fields")
        named = fields.get("project")
        named = named if isinstance(named, Mapping) else {}
        name = str(named.get("key") or named.get("id") or "")
        if name:
            try:
                project = self._site.project(name, caller)
            except RefusedCall as error:
                raise refused(400, errors={"project": "valid project is required"}) from error
            if not caller.rights.edits(str(project["key"])):
                raise refused(400, errors={"project": "You do not have permission to create issues in this project."})
        _want_trees(call, fields)
        made = self._site.writer.create(fields, account=caller.account, hidden=caller.rights.hidden_fields)
        link = f"{address(call)}/rest/api/{call.at['v']}/issue/{made['id']}"
        return reply({"id": made["id"], "key": made["key"], "self": link}, 201)

    def edit(self, call: Call) -> Answer:
        """PUT issue/{id or key}: 204, or 200 with the issue when `returnIssue` asks for it."""
        issue, asked, caller = self._site.issue(call), object_body(call), self._site.caller(call)
        self._may_edit(caller, issue, 400)
        fields, comments = dict(part(asked, "fields")), []
        for name in part(asked, "update"):
            for operation in parts(part(asked, "update"), name):
                if name == "comment" and isinstance(operation.get("add"), dict):
                    comments.append(operation["add"].get("body"))
                elif "set" in operation:
                    fields[name] = operation["set"]
                elif name == "labels" and set(operation) <= {"add", "remove"}:
                    held = set(fields.get("labels") or issue["fields"].get("labels") or ())
                    fields["labels"] = sorted(held | _one(operation, "add") - _one(operation, "remove"))
                else:
                    raise refused(400, errors={name: "Only set, add and remove are supported."})
        _want_trees(call, fields)
        self._site.writer.edit(issue, fields, account=caller.account, hidden=caller.rights.hidden_fields)
        for body in comments:
            self._site.writer.comment(issue, body, account=caller.account)
        if call.one("returnIssue") == "true":
            what = wanted([], expanded(call.every("expand")), default="*all")
            return reply(self._site.printer(call).issues([issue], what, in_search=False)[0])
        return Answer(status=204)

    def delete(self, call: Call) -> Answer:
        """DELETE issue/{id or key}."""
        issue, caller = self._site.issue(call), self._site.caller(call)
        if not edits(caller, issue):
            raise refused(403, "You do not have permission to delete issues in this project.")
        self._site.writer.delete(issue, account=caller.account)
        return Answer(status=204)

    def assign(self, call: Call) -> Answer:
        """PUT issue/{id or key}/assignee: an account id, null for nobody, "-1" for the project's default."""
        asked = object_body(call)
        if len({"accountId", "name", "key"} & {key for key in asked if asked[key] is not None}) > 1:
            raise refused(400, "Only one of accountId, name and key may be given.")
        if "accountId" not in asked and ("name" in asked or "key" in asked):
            raise refused(400, "'name' and 'key' are no longer supported in GDPR strict mode; use 'accountId'.")
        account: str | None = text(asked, "accountId") or None
        issue, caller = self._site.issue(call), self._site.caller(call)
        if not edits(caller, issue):
            raise refused(403, "You do not have permission to assign issues in this project.")
        if account == "-1":
            project = self._site.store.named(self._site.space, "project", project_of(issue)) or {}
            account = project.get("_lead")
        self._site.writer.assign(issue, account, by=caller.account)
        return Answer(status=204)

    def transitions(self, call: Call) -> Answer:
        """GET issue/{id or key}/transitions: any other status can be reached by whoever may edit."""
        issue = self._site.issue(call)
        shown = edits(self._site.caller(call), issue)
        return reply({"expand": "transitions", "transitions": self._offered(call, issue) if shown else []})

    def move(self, call: Call) -> Answer:
        """POST issue/{id or key}/transitions."""
        issue, asked, caller = self._site.issue(call), object_body(call), self._site.caller(call)
        id_ = text(part(asked, "transition"), "id")
        status = self._site.store.get(self._site.space, "status", id_)
        if status is None or id_ == str(issue["fields"]["status"]["id"]) or not edits(caller, issue):
            raise refused(400, f"Transition id '{id_}' is not valid for this issue.")
        fields = part(asked, "fields")
        _want_trees(call, fields)
        hidden = caller.rights.hidden_fields
        with self._site.store.transaction():
            self._site.writer.move(issue, status, account=caller.account)
            self._site.writer.edit(issue, fields, account=caller.account, hidden=hidden)
        return Answer(status=204)

    def edit_screen(self, call: Call) -> Answer:
        """GET issue/{id or key}/editmeta."""
        issue = self._site.issue(call)
        if not edits(self._site.caller(call), issue):
            return reply({"fields": {}})
        return reply({"fields": self._screens.editable(issue, self._site.printer(call))})

    def _may_edit(self, caller: Caller, issue: Doc, status: int) -> None:
        if not edits(caller, issue):
            raise refused(status, _NO_EDIT)

    def _offered(self, call: Call, issue: Doc) -> list[dict[str, Any]]:
        now, printer = issue["fields"]["status"]["id"], self._site.printer(call)
        return [
            {
                "id": str(doc["id"]),
                "name": doc["name"],
                "to": printer.status(doc),
                "hasScreen": False,
                "isGlobal": True,
                "isInitial": False,
                "isAvailable": True,
                "isConditional": False,
                "isLooped": False,
            }
            for doc in self._site.store.scan(self._site.space, "status")
            if str(doc["id"]) != str(now)
        ]


def _want_trees(call: Call, fields: Mapping[str, Any]) -> None:
    """Refuse plain text where version 3 takes documents only."""
    given = fields.get("description")
    if call.at.get("v") != "2" and given is not None and not adf.is_tree(given):
        raise refused(400, errors={"description": _NO_TREE})


def _one(operation: Mapping[str, Any], word: str) -> set[str]:
    value = operation.get(word)
    return {value} if isinstance(value, str) else set()
