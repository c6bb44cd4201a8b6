"""Writing the assignee of an issue: the only thing in this package that changes anything in Jira.

Jira has no conditional edit. The account id is put as it is: the library's `assign_issue` looks it up by name
first and, when that finds somebody else, assigns to them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Protocol

import requests
from urllib3.exceptions import NewConnectionError

from connectors.base import OwnerReading, SendResult
from connectors.jira.timeline import account_id, by_account
from connectors.jira.values import Json, Unreadable, accounts, moment
from connectors.wire import said
from hub.domain.records import OWNER_SEPARATOR
from hub.errors import HubError, SourceBroken, SourceRefused

_PAGE = 100


class Reads(Protocol):
    """What the writer needs of a site for reading."""

    source: str
    root: str

    def get(self, path: str, params: Any = None) -> Any: ...

    def me(self) -> str: ...


class AssigneeWriter:
    """Owner writes of one Jira site; `session` sends once and never repeats."""

    def __init__(self, site: Reads, session: requests.Session) -> None:
        self._site = site
        self._session = session
        # Issues this writer has written, oldest first: search may not have noticed yet.
        self.written: dict[str, None] = {}

    def read_owner(self, record: str) -> OwnerReading:
        """Assignee, `updated`, and as witness the id of the last changelog entry ("" when there is none)."""
        body = self._site.get(f"issue/{record}", {"fields": "assignee,updated"})
        fields = body.get("fields") if isinstance(body, dict) else None
        if not isinstance(fields, dict) or "assignee" not in fields:
            raise self._broken(f"issue {record} came without its assignee")
        try:
            owner = accounts(fields["assignee"])
        except Unreadable as error:
            raise self._broken(f"issue {record}: {error}") from None
        last = ""
        for entry in self._changelog(record, newest_page_only=True):
            last = str(entry.get("id", ""))
        return OwnerReading(owner=owner, version=str(fields.get("updated", "")), witness=last)

    def may_own(self, record: str, account: str) -> str:
        """Whether the very account is active and assignable on this issue."""
        found = self._site.get("user/assignable/search", {"issueId": record, "accountId": account, "maxResults": 50})
        if not isinstance(found, list):
            raise self._broken("user/assignable/search did not answer with a list")
        # the search may match loosely; only the account itself counts
        match = next((user for user in found if account_id(user) == account), None)
        if match is None:
            return "the account is not active or may not be assigned to this issue"
        if match.get("active") is not True:
            return "the account is not active"
        return ""

    def send_owner(self, record: str, desired: str | None, reading: OwnerReading, *, marker: str) -> SendResult:
        """PUT the account id (null for nobody), once. No marker: the proof is Jira's own changelog."""
        del reading, marker
        # "-1" would be the project's default assignee, whoever that is
        if desired is not None and (desired in {"", "-1"} or OWNER_SEPARATOR in desired):
            return SendResult(kind="refused", detail="an issue has one assignee, named by account id")
        url = f"{self._site.root}/rest/api/2/issue/{record}/assignee"
        self.written.pop(record, None)
        self.written[record] = None
        try:
            response = self._session.put(url, json={"accountId": desired})
        except (requests.RequestException, HubError) as error:
            return _lost(error)
        return _outcome(response)

    def sent_by_us(self, record: str, desired: str | None, since: datetime, *, marker: str) -> bool | None:
        """Whether the changelog shows our account assigning `desired` at or after `since` (service's clock)."""
        del marker
        own = self._site.me()
        for entry in self._changelog(record):
            if account_id(entry.get("author")) != own:
                continue
            try:
                at = moment(entry.get("created"), "created of a changelog entry")
            except Unreadable as error:
                raise self._broken(f"issue {record}: {error}") from None
            if at < since:
                continue
            if any(
                (item.get("fieldId") or item.get("field")) == "assignee" and by_account(item.get("to"), None) == desired
                for item in entry.get("items") or ()
            ):
                return True
        return False

    def _changelog(self, record: str, *, newest_page_only: bool = False) -> Iterator[Json]:
        """Entries, oldest first; the pages between the first and the newest may be left out."""
        start, total = 0, 1
        while start < total:
            body = self._site.get(f"issue/{record}/changelog", {"startAt": start, "maxResults": _PAGE})
            entries = body.get("values") if isinstance(body, dict) else None
            if not isinstance(entries, list):
                raise self._broken(f"the changelog of issue {record} came without values")
            yield from entries
            total = int(body.get("total") or 0)
            if not entries:
                return
            start += len(entries)
            if newest_page_only and total - start > 1:
                start = total - 1

    def _broken(self, what: str) -> SourceBroken:
        return SourceBroken(
            f"{self._site.source}: {what}",
            source=self._site.source,
            hint="look at the issue in Jira",
            remedy="report a bug",
        )


def _lost(error: Exception) -> SendResult:
    """A request without an answer: only when no connection was made is it certain that nothing happened."""
    if isinstance(error, SourceRefused):
        return SendResult(kind="refused", detail=error.message)
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError):
        return SendResult(kind="not_processed", detail="the service cannot be reached")
    return SendResult(kind="unknown", detail=f"no answer ({type(error).__name__})")


def _outcome(response: requests.Response) -> SendResult:
    status = response.status_code
    detail = f"{status}{said(response)}"
    if status == 204:  # a 200 with a page is some proxy's answer, not Jira's
        return SendResult(kind="accepted", detail=detail)
    if status in {409, 412}:
        return SendResult(kind="precondition_failed", detail=detail)
    if status == 429:
        return SendResult(kind="not_processed", detail=detail)
    if 400 <= status < 500:
        return SendResult(kind="refused", detail=detail)
    return SendResult(kind="unknown", detail=detail)
