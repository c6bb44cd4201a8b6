"""The user directory of a site."""

from __future__ import annotations

from typing import Any

from sandbox.calls import Answer, Call, RefusedCall, reply
from sandbox.jira.bodies import expanded, paging
from sandbox.jira.catalog import page_of
from sandbox.jira.errors import refused
from sandbox.jira.site import Site, project_of
from sandbox.jira.values import may_be_assigned
from sandbox.store import Doc

_MOST = 1000
_OLD = ("username", "userKey", "key")
_GROUP = {"name": "jira-users", "groupId": "276f955c-63d7-42c8-9520-92d01dca0625"}


class Accounts:
    """Answers everything asked about users."""

    def __init__(self, site: Site) -> None:
        """Answer for one site."""
        self._site = site

    def myself(self, call: Call) -> Answer:
        """GET myself: the caller, with the time zone JQL dates are read in; one's own address is always shown."""
        account = self._site.account(call)
        told = self._site.printer(call).person(account) or {}
        known = self._site.store.get(self._site.space, "user", account) or {}
        told = {**told, "emailAddress": str(known.get("emailAddress") or ""), "locale": "en_US"}
        told.setdefault("timeZone", "Etc/UTC")
        told |= {"groups": _list(expanded(call.every("expand")), "groups", [_GROUP])}
        told |= {"applicationRoles": _list(expanded(call.every("expand")), "applicationRoles", [])}
        return reply({**told, "expand": "groups,applicationRoles"})

    def one(self, call: Call) -> Answer:
        """GET user?accountId=; a deleted account is not found."""
        _refuse_old_names(call)
        account = call.one("accountId")
        if not account:
            raise refused(400, "The query parameter 'accountId' must be given.")
        user = self._site.store.get(self._site.space, "user", account)
        if user is None or user.get("_deleted"):
            raise refused(404, f"The user with the account ID '{account}' does not exist.")
        return reply(self._site.printer(call).user(user))

    def search(self, call: Call) -> Answer:
        """GET user/search: active users whose name or shown address begins with the query."""
        _refuse_old_names(call)
        query, account = call.one("query").lower(), call.one("accountId")
        if "query" not in dict(call.query) and not account and not call.one("property"):
            raise refused(400, "Either query, accountId or property must be given.")
        if query and account:
            raise refused(400, "Only one of query and accountId may be given.")
        return reply(self._told(call, [user for user in self._active() if _fits(user, query, account)]))

    def assignable(self, call: Call) -> Answer:
        """GET user/assignable/search: people an issue of the project could be given to."""
        _refuse_old_names(call)
        caller, name = self._site.caller(call), call.one("issueKey") or call.one("issueId")
        if not name and not call.one("project"):
            raise refused(400, "Either project, issueKey or issueId must be given.")
        if name:
            key = project_of(self._site.by_name(name, caller))
        else:
            key = str(self._site.project(call.one("project"), caller)["key"])
        return reply(self._told(call, self._fitting(call, [key])))

    def assignable_everywhere(self, call: Call) -> Answer:
        """GET user/assignable/multiProjectSearch: people issues of all these projects could be given to."""
        _refuse_old_names(call)
        names = [name for name in call.one("projectKeys").split(",") if name]
        if not names:
            raise refused(400, "The query parameter 'projectKeys' must be given.")
        caller = self._site.caller(call)
        try:
            keys = [str(self._site.project(name, caller)["key"]) for name in names]
        except RefusedCall as error:
            raise refused(404, "One of the projects does not exist or you do not have permission to see it.") from error
        return reply(self._told(call, self._fitting(call, keys)))

    def everybody(self, call: Call) -> Answer:
        """GET users/search: all users, inactive ones, apps and customers too."""
        users = self._site.store.scan(self._site.space, "user")
        return reply(self._told(call, [user for user in users if not user.get("_deleted")]))

    def bulk(self, call: Call) -> Answer:
        """GET user/bulk?accountId=&accountId=."""
        asked = call.every("accountId")
        if not asked:
            raise refused(400, "At least one accountId must be given.")
        found = self._site.store.pick(self._site.space, "user", asked)
        printer = self._site.printer(call)
        users = [found[account] for account in dict.fromkeys(asked) if account in found]
        shown = [printer.user(user) for user in users if not user.get("_deleted")]
        return reply(page_of(call, shown, 200 if call.one("maxResults") else 10))

    # -- groups ----------------------------------------------------------------------------------------------

    def group_members(self, call: Call) -> Answer:
        """GET group/member: the site has one group, everybody with a seat is in it."""
        if not call.one("groupname") and not call.one("groupId"):
            raise refused(400, "Either groupname or groupId must be given.")
        if not self._site.caller(call).rights.admin:
            raise refused(403, "You do not have permission to see the members of groups.")
        if call.one("groupname", _GROUP["name"]) != _GROUP["name"] or call.one("groupId") not in {
            "",
            _GROUP["groupId"],
        }:
            raise refused(404, f"The group named '{call.one('groupname') or call.one('groupId')}' does not exist.")
        inactive, printer = call.one("includeInactiveUsers") == "true", self._site.printer(call)
        users = [user for user in self._site.store.scan(self._site.space, "user") if not user.get("_deleted")]
        seated = [user for user in users if user.get("accountType") != "customer" and (inactive or _is_active(user))]
        return reply(page_of(call, [printer.user(user) for user in seated], 50))

    def groups_of(self, call: Call) -> Answer:
        """GET user/groups?accountId=."""
        _refuse_old_names(call)
        user = self._site.store.get(self._site.space, "user", call.one("accountId"))
        if user is None or user.get("_deleted"):
            raise refused(404, "The user does not exist.")
        seated = user.get("accountType") != "customer"
        link = f"{self._site.printer(call).rest}/group?groupId={_GROUP['groupId']}"
        return reply([{**_GROUP, "self": link}] if seated else [])

    def groups(self, call: Call) -> Answer:
        """GET groups/picker."""
        fits = call.one("query").lower() in _GROUP["name"]
        found = [{**_GROUP, "html": _GROUP["name"], "labels": []}] if fits else []
        return reply(
            {"header": f"Showing {len(found)} of {len(found)} matching groups", "total": len(found), "groups": found}
        )

    # -- inside ----------------------------------------------------------------------------------------------

    def _active(self) -> list[Doc]:
        return [user for user in self._site.store.scan(self._site.space, "user") if _is_active(user)]

    def _fitting(self, call: Call, projects: list[str]) -> list[Doc]:
        query, account = call.one("query").lower(), call.one("accountId")
        store, space = self._site.store, self._site.space
        return [
            user
            for user in self._active()
            if _fits(user, query, account) and all(may_be_assigned(store, space, user, key) for key in projects)
        ]

    def _told(self, call: Call, users: list[Doc]) -> list[dict[str, Any]]:
        start, size = paging(call, _MOST, 50)
        printer = self._site.printer(call)
        return [printer.user(user) for user in users[start : start + size]]


def _is_active(user: Doc) -> bool:
    return bool(user.get("active", True)) and not user.get("_deleted")


def _fits(user: Doc, query: str, account: str) -> bool:
    if account:
        return bool(user["accountId"] == account)
    name, email = str(user.get("displayName", "")).lower(), str(user.get("emailAddress", "")).lower()
    words = [name, *name.split(), "" if user.get("_email_hidden") else email]
    return any(word.startswith(query) for word in words)


def _list(expand: frozenset[str], name: str, items: list[Any]) -> dict[str, Any]:
    return {"size": len(items), "items": items if name in expand else []}


def _refuse_old_names(call: Call) -> None:
    for name in _OLD:
        if call.one(name):
            raise refused(400, f"The query parameter '{name}' is not supported in GDPR strict mode.")
