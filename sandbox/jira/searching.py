"""Search: pages that stay stable while issues change, and counts."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sandbox.calls import Answer, Call, reply
from sandbox.jira.bodies import asked_of, expanded, number, object_body, text, texts
from sandbox.jira.dates import Asker
from sandbox.jira.errors import bad_jql, refused
from sandbox.jira.index import Index
from sandbox.jira.jql import Jql, parse
from sandbox.jira.large import Large, asked_again, page_of
from sandbox.jira.search import Searcher
from sandbox.jira.site import Caller, Site, sees
from sandbox.jira.struck import struck
from sandbox.jira.wanted import Wanted, wanted
from sandbox.stamps import stamp
from sandbox.store import Doc
from sandbox.walks import Page, Walk, Walks

_REMOVED = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration "
    "guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)
_MOST_ORDERS = 7
_MOST_PROPERTIES = 5
_MOST_RECONCILED = 50
_DEAD = "The provided next page token is invalid or has expired."


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is needed to print further pages of a search, and to ask again."""

    what: Wanted
    size: int
    jql: Jql
    opened: datetime
    large: Large | None = None  # None: the ids are kept


class Searching:
    """Answers searches."""

    def __init__(self, site: Site) -> None:
        """Search one site."""
        self._site = site
        self._searcher = Searcher(site.store, site.space)
        self._walks: Walks[Plan] = Walks(site.store, most=200)
        self._turn = 0

    def removed(self, _: Call) -> Answer:
        """GET and POST search: gone for good (410)."""
        raise refused(410, _REMOVED)

    def search(self, call: Call) -> Answer:
        """GET and POST search/jql."""
        asked = object_body(call) if call.method == "POST" else _asked(call)
        token = text(asked, "nextPageToken")
        if token:
            found = self.walk_of(token)
            if found is None:
                raise refused(400, _DEAD)
            return self._page(call, *found)
        jql = self.bounded(text(asked, "jql"))
        properties = texts(asked, "properties")
        if len(properties) > _MOST_PROPERTIES:
            raise refused(400, f"The maximum number of properties is {_MOST_PROPERTIES}.")
        what = wanted(texts(asked, "fields"), expanded(asked.get("expand")), default="id", properties=properties)
        most = 5000 if what.ids_and_keys else 100
        size = min(most, max(1, number(asked, "maxResults", 50)))
        index = self._index(call, texts(asked, "reconcileIssues"))
        asker = self.asker(self._site.caller(call))
        plan = Plan(what=what, size=size, jql=jql, opened=asker.now, large=self._searcher.large(jql, asker, index))
        walk = self._opened(call.headers.get("authorization", ""), plan, asker, index)
        return self._page(call, walk, 0)

    def count(self, call: Call) -> Answer:
        """POST search/approximate-count."""
        jql = self.bounded(text(object_body(call), "jql"))
        asker = self.asker(self._site.caller(call))
        return reply({"count": self._searcher.count(jql, asker, self._index(call, []))})

    def bounded(self, query: str) -> Jql:
        """Return the query; raises RefusedCall (400) for one without a restriction or with too many orders."""
        jql = parse(query)
        if jql.where is None:
            raise refused(
                400, "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
            )
        if len(jql.order) > _MOST_ORDERS:
            raise bad_jql(f"The maximum number of fields in the ORDER BY clause is {_MOST_ORDERS}.")
        return jql

    def matches(self, jql: Jql, caller: Caller, issue: Mapping[str, Any]) -> bool:
        """Whether an issue fits a query; an empty issue fits nothing and only proves the query usable.

        Raises RefusedCall (400) for what the query gets wrong.
        """
        return self._searcher.fits(jql, self.asker(caller), issue)

    def asker(self, caller: Caller) -> Asker:
        """Return who asks, in the form queries are answered for."""
        return Asker(account=caller.account, zone=caller.zone, now=self._site.clock(), rights=caller.rights)

    def walk_of(self, token: str) -> tuple[Walk[Plan], int] | None:
        """Return the result a page token belongs to and the place it points to; None when it is dead."""
        name, _, start = token.partition(".")
        walk = self._walks.find(name)
        if walk is None or not start.isascii() or not start.isdigit() or len(start) > 9:
            return None
        if self._site.clock() - walk.plan.opened >= self._site.token_life():
            return None
        return walk, int(start)

    def coming(self, walk: Walk[Plan], start: int, count: int = 1) -> list[Doc]:
        """Return the next issues of a result that are still there, whoever may see them."""
        page = self._read(walk, start, count)
        while page is not None and len(page.docs) < count and page.next is not None and walk.plan.large is None:
            start = page.next
            page = self._read(walk, start, count)
        return [] if page is None else page.docs

    def ask_again(self, walk: Walk[Plan], start: int, caller: Caller) -> None:
        """Let the rest of a result follow the issues as they are now, so that pages skip and repeat."""
        jql, old, asker = walk.plan.jql, walk.plan.large, self.asker(caller)
        new = None if old is None else self._searcher.large(jql, asker)
        self._walks.forget(walk.name)
        if old is None or new is None:
            ids = tuple(self._searcher.found_ids(jql, asker))
            self._walks.keep(replace(walk, ids=ids, span=None, plan=replace(walk.plan, large=None)))
            return
        again = replace(walk, span=new.span, opened=stamp(asker.now), plan=replace(walk.plan, large=new))
        asked_again(self._site.store, again, old, new, start)
        self._walks.keep(replace(again, displaced=[], moved=set()))

    # -- inside ----------------------------------------------------------------------------------------------

    def _opened(self, owner: str, plan: Plan, asker: Asker, index: Index | None) -> Walk[Plan]:
        """Return a result that is not kept yet."""
        if plan.large is None:
            ids = tuple(self._searcher.found_ids(plan.jql, asker, index))
            return Walk(name="", owner=owner, ids=ids, plan=plan, total=len(ids))
        return self._walks.spanning(
            owner, plan.large.span, plan, total=0, opened=stamp(asker.now), elsewhere=plan.large.elsewhere
        )

    def _read(self, walk: Walk[Plan], start: int, size: int) -> Page | None:
        if walk.plan.large is not None:
            return page_of(self._site.store, walk, walk.plan.large, start, size)
        return self._walks.read(walk, start, size, space=self._site.space, kind="issue")

    def _index(self, call: Call, reconciled: list[str]) -> Index | None:
        if len(reconciled) > _MOST_RECONCILED:
            raise refused(400, f"The maximum number of issues to reconcile is {_MOST_RECONCILED}.")
        if any(not id_.isdigit() for id_ in reconciled):
            raise refused(400, "reconcileIssues must be a list of issue ids.")
        told: Mapping[str, Any] = struck(call, "index_lag") or {}
        settings = self._site.settings()
        seconds = float(told.get("seconds", settings.get("index_lag_seconds") or 0))
        if seconds <= 0:
            return None
        self._turn += 1
        return Index(
            self._site.store,
            self._site.space,
            now=self._site.clock(),
            lag=timedelta(seconds=seconds),
            flicker=float(told.get("flicker", settings.get("index_flicker") or 0)),
            seed=int(told.get("seed", settings.get("index_seed") or 0)),
            turn=self._turn,
            reconciled=frozenset(reconciled),
        )

    def _page(self, call: Call, walk: Walk[Plan], start: int) -> Answer:
        what = walk.plan.what
        size = walk.plan.size
        fewer = struck(call, "fewer_rows")
        if fewer is not None:
            size = max(1, min(size - 1, int(fewer.get("rows") or 1)))
        empty = struck(call, "empty_page_with_token") is not None
        page = self._read(walk, start, size)
        if page is None:
            raise refused(400, _DEAD)
        end = start if empty or struck(call, "repeated_page_token") is not None else page.next
        caller, printer = self._site.caller(call), self._site.printer(call)
        there = [] if empty else page.docs
        if not caller.rights.sees_everything:
            there = [doc for doc in there if sees(caller, doc)]
        told: dict[str, Any] = {"issues": printer.issues(there, what, in_search=True), "isLast": end is None}
        if "names" in what.expand:
            told["names"] = printer.field_names(what)
        if "schema" in what.expand:
            told["schema"] = printer.field_schemas(what)
        if end is not None:
            told["nextPageToken"] = f"{self._kept(walk).name}.{end}"
        return reply(told)

    def _kept(self, walk: Walk[Plan]) -> Walk[Plan]:
        """Keep a result that goes on after its first page; most have but one."""
        known = self._walks.find(walk.name)
        return known or self._walks.keep(walk if walk.name else replace(walk, name=secrets.token_hex(8)[:15]))


def _asked(call: Call) -> dict[str, Any]:
    lists = {name: call.every(name) for name in ("fields", "expand", "properties")}
    reconciled = [id_ for entry in call.every("reconcileIssues") for id_ in entry.split(",") if id_]
    return {**asked_of(call), **lists, "reconcileIssues": reconciled}
