"""Search: pages that stay stable while issues change, and counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.calls import Answer, Call, reply
from sandbox.jira.errors import bad_jql, refused
from sandbox.jira.issues import Wanted, wanted
from sandbox.jira.jql import Jql, parse
from sandbox.jira.search import Asker, Searcher
from sandbox.jira.site import Site, expanded, object_body
from sandbox.walks import Walk, Walks

_REMOVED = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration "
    "guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)
_MOST_ORDERS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is needed to print further pages of a search."""

    what: Wanted
    size: int


class Searching:
    """Answers searches."""

    def __init__(self, site: Site) -> None:
        """Search one site."""
        self._site = site
        self._searcher = Searcher(site.store, site.space)
        self._walks: Walks[Plan] = Walks(most=200)

    def removed(self, _: Call) -> Answer:
        """GET and POST search: gone for good (410)."""
        raise refused(410, _REMOVED)

    def search(self, call: Call) -> Answer:
        """GET and POST search/jql."""
        asked = object_body(call) if call.method == "POST" else _asked(call)
        if len(asked.get("reconcileIssues") or []) > 50:
            raise refused(400, "The maximum number of issues to reconcile is 50.")
        token = asked.get("nextPageToken")
        if token:
            name, _, start = str(token).partition(".")
            walk = self._walks.find(name)
            if walk is None or not start.isdigit():
                raise refused(400, "The provided next page token is invalid or has expired.")
            return self._page(call, walk, int(start))
        jql = self._bounded(str(asked.get("jql") or ""))
        what = wanted(asked.get("fields") or [], expanded(asked.get("expand")), default="id")
        most = 5000 if not what.everything and what.fields <= {"id", "key"} else 100
        given = asked.get("maxResults")
        try:
            size = min(most, max(1, int(given if given not in {None, ""} else 50)))
        except (TypeError, ValueError) as error:
            raise refused(400, "maxResults must be a number.") from error
        ids = self._searcher.found_ids(jql, self._asker(call))
        plan = Plan(what=what, size=size)
        if len(ids) <= size:
            return self._page(call, Walk(name="", owner="", ids=tuple(ids), plan=plan), 0)
        return self._page(call, self._walks.open(call.headers.get("authorization", ""), ids, plan), 0)

    def count(self, call: Call) -> Answer:
        """POST search/approximate-count."""
        jql = self._bounded(str(object_body(call).get("jql") or ""))
        return reply({"count": len(self._searcher.found_ids(jql, self._asker(call)))})

    def _bounded(self, text: str) -> Jql:
        jql = parse(text)
        if jql.where is None:
            raise refused(
                400,
                "Unbounded JQL queries are not allowed here. Please add a search restriction to your query.",
            )
        if len(jql.order) > _MOST_ORDERS:
            raise bad_jql(f"The maximum number of fields in the ORDER BY clause is {_MOST_ORDERS}.")
        return jql

    def _asker(self, call: Call) -> Asker:
        account = self._site.account(call)
        user = self._site.store.get(self._site.space, "user", account) or {}
        try:
            zone = ZoneInfo(str(user.get("timeZone") or "Etc/UTC"))
        except ZoneInfoNotFoundError:
            zone = ZoneInfo("UTC")
        return Asker(account=account, zone=zone, now=self._site.clock())

    def _page(self, call: Call, walk: Walk[Plan], start: int) -> Answer:
        end = start + walk.plan.size
        part = walk.ids[start:end]
        docs = self._site.store.pick(self._site.space, "issue", part)
        there = [docs[id_] for id_ in part if id_ in docs]
        issues = self._site.printer(call).issues(there, walk.plan.what, in_search=True)
        told: dict[str, Any] = {"issues": issues, "isLast": end >= len(walk.ids)}
        if not told["isLast"]:
            told["nextPageToken"] = f"{walk.name}.{end}"
        return reply(told)


def _asked(call: Call) -> dict[str, Any]:
    asked: dict[str, Any] = {"fields": call.every("fields"), "expand": call.every("expand")}
    asked |= {name: call.one(name) for name in ("jql", "nextPageToken", "maxResults")}
    asked["reconcileIssues"] = call.every("reconcileIssues")
    return asked
