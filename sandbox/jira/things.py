"""How the site prints people, projects, statuses and the other things issues point at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any
from urllib.parse import quote

from sandbox.jira import defaults
from sandbox.jira.zones import retelling
from sandbox.rights import Rights
from sandbox.store import Store

_SIZES = (("48x48", 48), ("24x24", 24), ("16x16", 16), ("32x32", 32))
_COLOURS = {"new": "blue-gray", "indeterminate": "yellow", "done": "green"}
_CATEGORIES = {"new": (2, "To Do"), "indeterminate": (4, "In Progress"), "done": (3, "Done")}
_USER = ("accountId", "accountType", "displayName", "active", "timeZone", "appType")
_MOST_PEOPLE = 10_000  # remembered at a time
FORMER = {"displayName": "Former user", "active": False, "accountType": "unknown"}


class Things:
    """Prints while nothing changes: links below one address, times in the reader's zone; people are read once."""

    def __init__(self, store: Store, space: str, *, address: str, version: str, zone: tzinfo, rights: Rights) -> None:
        """Print in API version 2 (plain text) or 3 (document trees) what these rights let through."""
        self._store = store
        self._space = space
        self._address = address
        self._rest = f"{address}/rest/api/{version}"
        self._trees = version == "3"
        self.time = retelling(zone)  # prints a kept time as this reader is told it
        self._rights = rights
        self._people: dict[str, dict[str, Any]] = {}
        self._projects: dict[str, dict[str, Any] | None] = {}

    @property
    def rest(self) -> str:
        """Return the address all links of this reply begin with."""
        return self._rest

    def person(self, account: str | None) -> dict[str, Any] | None:
        """Return a user as embedded elsewhere; a deleted account is a former user."""
        if not account:
            return None
        if account not in self._people:
            if len(self._people) >= _MOST_PEOPLE:
                self._people.clear()
            known = self._store.get(self._space, "user", account)
            if known is None or known.get("_deleted"):
                known = {"accountId": account, **FORMER}
            self._people[account] = self.user(known)
        return self._people[account]

    def user(self, doc: Mapping[str, Any]) -> dict[str, Any]:
        """Return a user; the e-mail address only where the person shows it."""
        account = str(doc["accountId"])
        told: dict[str, Any] = {"self": f"{self._rest}/user?accountId={quote(account, safe=':-')}"}
        told |= {key: doc[key] for key in _USER if doc.get(key) is not None}
        told.setdefault("accountType", "atlassian")
        told.setdefault("active", True)
        if doc.get("emailAddress") and not doc.get("_email_hidden"):
            told["emailAddress"] = doc["emailAddress"]
        told["avatarUrls"] = self._pictures(f"avatar/{quote(account, safe='')}")
        return told

    def status(self, doc: Mapping[str, Any]) -> dict[str, Any]:
        """Return a status with its category."""
        return {
            "self": f"{self._rest}/status/{doc['id']}",
            "description": str(doc.get("description") or ""),
            "iconUrl": f"{self._address}/images/icons/statuses/generic.png",
            "name": doc["name"],
            "id": str(doc["id"]),
            "statusCategory": self.category(doc.get("statusCategory") or {}),
        }

    def category(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Return a status category; one of the three the service has."""
        key = str(told.get("key") or "indeterminate")
        id_, name = _CATEGORIES.get(key, _CATEGORIES["indeterminate"])
        id_ = int(told.get("id") or id_)
        return {
            "self": f"{self._rest}/statuscategory/{id_}",
            "id": id_,
            "key": key,
            "colorName": _COLOURS.get(key, "yellow"),
            "name": str(told.get("name") or name),
        }

    def categories(self) -> list[dict[str, Any]]:
        """Return the categories a status can have."""
        return [self.category({"key": key}) for key in _CATEGORIES]

    def project(self, doc: Mapping[str, Any]) -> dict[str, Any]:
        """Return a project as embedded in an issue."""
        return {
            "self": f"{self._rest}/project/{doc['id']}",
            "id": str(doc["id"]),
            "key": doc["key"],
            "name": doc["name"],
            "projectTypeKey": doc.get("projectTypeKey", "software"),
            "simplified": False,
            "avatarUrls": self._pictures(f"project/{doc['id']}"),
        }

    def whole_project(self, doc: Mapping[str, Any], *, details: bool = False) -> dict[str, Any]:
        """Return a project as listed; with `details` as it is asked for alone."""
        told = {
            **self.project(doc),
            "expand": "description,lead,issueTypes,url,projectKeys,permissions,insight",
            "style": "classic",
            "isPrivate": False,
            "properties": {},
        }
        if details:
            told["description"] = str(doc.get("description") or "")
            told["assigneeType"] = "PROJECT_LEAD" if doc.get("_lead") else "UNASSIGNED"
            told["components"], told["versions"], told["roles"] = [], [], {}
            told["issueTypes"] = [self.issue_type(one) for one in defaults.issue_types(self._store, self._space)]
            lead = self.person(doc.get("_lead"))
            if lead is not None:
                told["lead"] = lead
        return told

    def project_keyed(self, key: str) -> dict[str, Any] | None:
        """Return the project with this key, None when there is none."""
        if key not in self._projects:
            known = self._store.named(self._space, "project", key)
            self._projects[key] = None if known is None else self.project(known)
        return self._projects[key]

    def issue_type(self, doc: Mapping[str, Any]) -> dict[str, Any]:
        """Return an issue type."""
        id_ = str(doc.get("id", defaults.TASK["id"]))
        return {
            "self": f"{self._rest}/issuetype/{id_}",
            "id": id_,
            "description": str(doc.get("description") or ""),
            "iconUrl": f"{self._address}/images/icons/issuetypes/task.svg",
            "name": doc.get("name", defaults.TASK["name"]),
            "subtask": bool(doc.get("subtask", False)),
            "avatarId": int(doc.get("avatarId") or 10318),
            "hierarchyLevel": int(doc.get("hierarchyLevel") or 0),
        }

    def priority(self, doc: Mapping[str, Any], *, whole: bool = False) -> dict[str, Any]:
        """Return a priority; `whole` as the list of priorities tells it."""
        told = {
            "self": f"{self._rest}/priority/{doc['id']}",
            "iconUrl": f"{self._address}/images/icons/priorities/{str(doc['name']).lower()}.svg",
            "name": doc["name"],
            "id": str(doc["id"]),
        }
        if whole:
            told["statusColor"] = str(doc.get("statusColor") or "#707070")
            told["description"] = str(doc.get("description") or "")
            told["isDefault"] = bool(doc.get("isDefault", False))
        return told

    def resolution(self, doc: Mapping[str, Any]) -> dict[str, Any]:
        """Return a resolution."""
        return {
            "self": f"{self._rest}/resolution/{doc['id']}",
            "id": str(doc["id"]),
            "description": str(doc.get("description") or ""),
            "name": doc["name"],
        }

    def _pictures(self, what: str) -> dict[str, str]:
        return {name: f"{self._address}/avatars/{what}?size={size}" for name, size in _SIZES}
