"""Answering JQL: what the store can narrow down is pushed to it, every issue is checked all the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.jira.conditions import Conditions, field_of
from sandbox.jira.dates import Asker
from sandbox.jira.index import Index, stamp_of
from sandbox.jira.jql import Jql
from sandbox.jira.large import Large, Order
from sandbox.jira.matching import Test
from sandbox.jira.narrowing import Narrowed, narrowed, required
from sandbox.store import Store
from sandbox.walks import Span

Issue = Mapping[str, Any]
LARGE = 2000  # issues a query may concern at most for its result to be found, and kept, as a whole


class Searcher:
    """Finds issues of one site."""

    def __init__(self, store: Store, space: str) -> None:
        """Search one space."""
        self._store = store
        self._space = space
        self._filed: bool | None = None
        if store.exceeds(space, "issue", LARGE):
            self._is_filed()  # takes its time where there are a million: not at somebody's first query

    def found_ids(self, jql: Jql, asker: Asker, index: Index | None = None) -> list[str]:
        """Return the ids of matching issues the asker may see, in order.

        `index` is what search knows of fresh changes; without it search knows them all. Raises RefusedCall for
        what the query gets wrong.
        """
        conditions = Conditions(self._store, self._space, asker)
        test = _test(jql, conditions)
        keys = [(sort, conditions.sort_key(sort)) for sort in jql.order]
        hits = [
            (int(issue["id"]), [key(issue) for _, key in keys])
            for issue in self._known(jql, conditions, asker, index)
            if (test is None or test(issue)) and _visible(asker, issue)
        ]
        hits.sort(key=lambda hit: hit[0])
        for place in range(len(keys) - 1, -1, -1):
            hits.sort(key=lambda hit: hit[1][place], reverse=keys[place][0].descending)
        return [str(id_) for id_, _ in hits]

    def large(self, jql: Jql, asker: Asker, index: Index | None = None) -> Large | None:
        """Return where the result lies and how it is ordered, if it may be large and its order is one of change.

        Everything else is to be found by `found_ids`. A large result without ORDER BY comes by time of change.
        Raises RefusedCall for what the query gets wrong.
        """
        conditions = Conditions(self._store, self._space, asker)
        test = _test(jql, conditions)
        order = _order(jql, conditions)
        if order is None or self._is_named(jql):
            return None
        part = self._part(jql, conditions, asker)
        if not self._exceeds(part) or (index is not None and self._exceeds(Narrowed(since=index.horizon))):
            return None
        everything = asker.rights.sees_everything

        def passes(issue: Issue) -> bool:
            return (test is None or test(issue)) and (everything or _visible(asker, issue))

        lags = index is not None and index.lags
        until = part.until if not lags or index is None else min(part.until or index.horizon, index.horizon)
        known = index.fresh_as_known() if lags and index is not None else iter(())
        return Large(
            span=Span(
                space=self._space, kind="issue", since=part.since, until=until, parent=part.parent,
                test=None if part.whole and everything else passes,
            ),
            order=order,
            elsewhere=tuple((stamp_of(state), str(state["id"])) for state in known if passes(state)),
        )  # fmt: skip

    def count(self, jql: Jql, asker: Asker, index: Index | None = None) -> int:
        """Count what `found_ids` finds; quickly where nothing but the time of change and the project is asked for."""
        conditions = Conditions(self._store, self._space, asker)
        _test(jql, conditions)
        part = self._part(jql, conditions, asker)
        lags = index is not None and index.lags
        if lags or self._is_named(jql) or not part.whole or not asker.rights.sees_everything or not self._exceeds(part):
            return len(self.found_ids(jql, asker, index))
        return self._store.span(self._space, "issue", since=part.since, until=part.until, parent=part.parent)

    def fits(self, jql: Jql, asker: Asker, issue: Issue) -> bool:
        """Whether one issue matches; raises RefusedCall for what the query gets wrong."""
        if jql.where is None:
            return bool(issue)
        test = Conditions(self._store, self._space, asker).compiled(jql.where)
        return bool(issue) and test(issue)

    # -- narrowing -------------------------------------------------------------------------------------------

    def _known(self, jql: Jql, conditions: Conditions, asker: Asker, index: Index | None) -> Iterator[Issue]:
        issues = self._candidates(jql, conditions, asker)
        if index is None or not index.lags:
            yield from issues
            return
        for issue in issues:
            if not index.is_fresh(issue):
                yield issue
        yield from index.fresh_as_known()

    def _candidates(self, jql: Jql, conditions: Conditions, asker: Asker) -> Iterator[Issue]:
        for clause in required(jql.where)[0]:
            if clause.op in {"=", "in"} and field_of(clause) in {"id", "issuekey"}:
                found = [conditions.issue(value.text) for value in clause.values]
                return iter({issue["id"]: issue for issue in found if issue is not None}.values())
        part = self._part(jql, conditions, asker)
        return self._store.scan(self._space, "issue", since=part.since, until=part.until, parent=part.parent)

    def _is_named(self, jql: Jql) -> bool:
        """Whether the query names the issues it wants."""
        clauses = required(jql.where)[0]
        return any(clause.op in {"=", "in"} and field_of(clause) in {"id", "issuekey"} for clause in clauses)

    def _part(self, jql: Jql, conditions: Conditions, asker: Asker) -> Narrowed:
        filed = self._exceeds(Narrowed()) and self._is_filed()
        part = narrowed(jql.where, conditions, asker, by_project=filed)
        if part.parent is not None and self._store.is_alone(self._space, "issue", part.parent):
            return Narrowed(since=part.since, until=part.until, whole=part.whole)
        return part

    def _exceeds(self, part: Narrowed) -> bool:
        return self._store.exceeds(self._space, "issue", LARGE, since=part.since, parent=part.parent)

    def _is_filed(self) -> bool:
        """Whether every issue is filed under its project; a world may leave that out, and servers never do."""
        if self._filed is None:
            keys = [str(doc["key"]) for doc in self._store.scan(self._space, "project")]
            held = sum(self._store.count(self._space, "issue", parent=key) for key in keys)
            self._filed = held == self._store.count(self._space, "issue")
        return self._filed


def _test(jql: Jql, conditions: Conditions) -> Test | None:
    return None if jql.where is None else conditions.compiled(jql.where)


def _order(jql: Jql, conditions: Conditions) -> Order | None:
    """Return the order if it is by time of change and then by key or id at most; None for any other."""
    keys = [(conditions.canonical(sort.field), sort.descending, conditions.sort_key(sort)) for sort in jql.order]
    if keys and keys[0][0] != "updated":
        return None
    descending = bool(keys) and keys[0][1]
    rest = [key for key in keys if key[0] != "updated"]
    if not rest:
        return Order(descending=descending, rank=lambda issue: int(issue["id"]), rank_descending=False)
    field, rank_descending, rank = rest[0]
    if field not in {"issuekey", "id"}:
        return None
    return Order(descending=descending, rank=rank, rank_descending=rank_descending)


def _visible(asker: Asker, issue: Issue) -> bool:
    rights = asker.rights
    return rights.sees_everything or rights.reads(str(issue["key"]).rpartition("-")[0], str(issue["id"]))
