"""What the caller may do here, as the site tells it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.calls import Answer, Call, reply
from sandbox.jira.errors import refused
from sandbox.jira.site import Caller, Site, project_of

_EDITING = "edit"
_READING = "read"
_ADMIN = "admin"
# key, id, name, what it takes
_KNOWN = (
    ("ADMINISTER", "0", "Administer Jira", "GLOBAL", _ADMIN),
    ("USER_PICKER", "27", "Browse users and groups", "GLOBAL", _READING),
    ("BULK_CHANGE", "33", "Make bulk changes", "GLOBAL", _READING),
    ("BROWSE_PROJECTS", "10", "Browse Projects", "PROJECT", _READING),
    ("CREATE_ISSUES", "11", "Create Issues", "PROJECT", _EDITING),
    ("EDIT_ISSUES", "12", "Edit Issues", "PROJECT", _EDITING),
    ("ASSIGN_ISSUES", "13", "Assign Issues", "PROJECT", _EDITING),
    ("RESOLVE_ISSUES", "14", "Resolve Issues", "PROJECT", _EDITING),
    ("ADD_COMMENTS", "15", "Add Comments", "PROJECT", _READING),
    ("DELETE_ISSUES", "16", "Delete Issues", "PROJECT", _EDITING),
    ("ASSIGNABLE_USER", "17", "Assignable User", "PROJECT", _READING),
    ("CLOSE_ISSUES", "18", "Close Issues", "PROJECT", _EDITING),
    ("ADMINISTER_PROJECTS", "23", "Administer Projects", "PROJECT", _ADMIN),
    ("MOVE_ISSUES", "25", "Move Issues", "PROJECT", _EDITING),
    ("SCHEDULE_ISSUES", "28", "Schedule Issues", "PROJECT", _EDITING),
    ("MODIFY_REPORTER", "30", "Modify Reporter", "PROJECT", _EDITING),
    ("TRANSITION_ISSUES", "46", "Transition Issues", "PROJECT", _EDITING),
)


class Permissions:
    """Answers what may be done."""

    def __init__(self, site: Site) -> None:
        """Answer for one site."""
        self._site = site

    def mine(self, call: Call) -> Answer:
        """GET mypermissions: those asked for, in the context of a project or an issue, or anywhere."""
        asked = [key.strip() for key in call.one("permissions").split(",") if key.strip()]
        if not asked:
            raise refused(400, "The 'permissions' query parameter is required.")
        unknown = [key for key in asked if key not in {known[0] for known in _KNOWN}]
        if unknown:
            raise refused(400, f"Unrecognized permission: {unknown[0]}")
        caller = self._site.caller(call)
        has = self._context(call, caller)
        told = {known[0]: _told(known) | {"havePermission": has[known[4]]()} for known in _KNOWN if known[0] in asked}
        return reply({"permissions": told})

    def everything(self, call: Call) -> Answer:
        """GET permissions: every permission there is."""
        if not self._site.caller(call).rights.admin:
            raise refused(403, "You do not have permission to view permissions.")
        return reply({"permissions": {known[0]: _told(known) for known in _KNOWN}})

    def _context(self, call: Call, caller: Caller) -> dict[str, Callable[[], bool]]:
        """Return how to answer for each of what a permission takes; raises RefusedCall (404) for hidden contexts."""
        issue_name = call.one("issueKey") or call.one("issueId")
        project_name = call.one("projectKey") or call.one("projectId")
        rights = caller.rights
        if issue_name:
            issue = self._site.by_name(issue_name, caller)
            key, id_ = project_of(issue), str(issue["id"])
            may_read, may_edit = (lambda: rights.reads(key, id_)), (lambda: rights.edits(key, id_))
        elif project_name:
            key = str(self._site.project(project_name, caller)["key"])
            may_read, may_edit = (lambda: rights.reads(key)), (lambda: rights.edits(key))
        else:
            keys = [str(doc["key"]) for doc in self._site.store.scan(self._site.space, "project")]
            may_read, may_edit = (lambda: any(map(rights.reads, keys))), (lambda: any(map(rights.edits, keys)))
        return {_READING: may_read, _EDITING: may_edit, _ADMIN: lambda: rights.admin}


def _told(known: tuple[str, str, str, str, str]) -> dict[str, Any]:
    key, id_, name, kind, _ = known
    return {"id": id_, "key": key, "name": name, "type": kind, "description": f"Ability to: {name.lower()}."}
