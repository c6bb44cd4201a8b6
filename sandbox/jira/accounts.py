"""The user directory of a site."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.calls import Answer, Call, reply
from sandbox.jira.errors import refused
from sandbox.jira.issues import Printer
from sandbox.store import Doc, Store


class Accounts:
    """Answers everything asked about users."""

    def __init__(self, store: Store, space: str, printer: Callable[[Call], Printer]) -> None:
        """Read users of one space."""
        self._store = store
        self._space = space
        self._printer = printer

    def one(self, call: Call) -> Answer:
        """GET user?accountId=."""
        _refuse_old_names(call)
        account = call.one("accountId")
        user = self._store.get(self._space, "user", account)
        if user is None:
            raise refused(404, f"The user with the account ID '{account}' does not exist.")
        return reply(self._printer(call).user(user))

    def search(self, call: Call) -> Answer:
        """GET user/search: active users whose name or shown address begins with the query."""
        _refuse_old_names(call)
        text, account = call.one("query").lower(), call.one("accountId")
        if not text and not account and not call.one("property"):
            raise refused(400, "Either query, accountId or property must be given.")
        return reply(self._told(call, [user for user in self._active() if _fits(user, text, account)]))

    def assignable(self, call: Call) -> Answer:
        """GET user/assignable/search: active people (not apps) that an issue could be given to."""
        _refuse_old_names(call)
        if not call.one("project") and not call.one("issueKey") and not call.one("issueId"):
            raise refused(400, "Either project, issueKey or issueId must be given.")
        text, account = call.one("query").lower(), call.one("accountId")
        fitting = [user for user in self._active() if _fits(user, text, account)]
        return reply(self._told(call, [user for user in fitting if user.get("accountType") != "customer"]))

    def everybody(self, call: Call) -> Answer:
        """GET users/search: all users, inactive ones too."""
        return reply(self._told(call, list(self._store.scan(self._space, "user"))))

    def bulk(self, call: Call) -> Answer:
        """GET user/bulk?accountId=&accountId=."""
        asked = call.every("accountId")
        if not asked:
            raise refused(400, "At least one accountId must be given.")
        found = self._store.pick(self._space, "user", asked)
        start, size = _window(call, 10)
        users = [found[account] for account in asked if account in found]
        shown = [self._printer(call).user(user) for user in users[start : start + size]]
        return reply(
            {
                "self": f"http://{call.headers.get('host', '')}{call.path}",
                "maxResults": size,
                "startAt": start,
                "total": len(users),
                "isLast": start + size >= len(users),
                "values": shown,
            }
        )

    def _active(self) -> list[Doc]:
        return [user for user in self._store.scan(self._space, "user") if user.get("active", True)]

    def _told(self, call: Call, users: list[Doc]) -> list[dict[str, Any]]:
        start, size = _window(call, 50)
        printer = self._printer(call)
        return [printer.user(user) for user in users[start : start + size]]


def _fits(user: Doc, text: str, account: str) -> bool:
    if account:
        return bool(user["accountId"] == account)
    name, email = str(user.get("displayName", "")).lower(), str(user.get("emailAddress", "")).lower()
    return any(word.startswith(text) for word in (name, email, *name.split()))


def _window(call: Call, default: int) -> tuple[int, int]:
    try:
        start, size = int(call.one("startAt", "0") or 0), int(call.one("maxResults", str(default)) or default)
    except ValueError as error:
        raise refused(400, "startAt and maxResults must be numbers.") from error
    return max(0, start), min(1000, max(1, size))


def _refuse_old_names(call: Call) -> None:
    if call.one("username") or call.one("userKey"):
        raise refused(400, "The query parameter 'username' is not supported in GDPR strict mode.")
