"""Answering JQL: what the store can narrow down is pushed to it, every issue is checked all the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sandbox.jira.conditions import Conditions, field_of
from sandbox.jira.dates import Asker, instant
from sandbox.jira.index import Index
from sandbox.jira.jql import Both, Clause, Cond, Jql
from sandbox.jira.matching import Test
from sandbox.stamps import stamp
from sandbox.store import Store

Issue = Mapping[str, Any]
_LOW, _HIGH = frozenset({">", ">=", "="}), frozenset({"<", "<=", "="})


class Searcher:
    """Finds issues of one site."""

    def __init__(self, store: Store, space: str) -> None:
        """Search one space."""
        self._store = store
        self._space = space

    def found_ids(self, jql: Jql, asker: Asker, index: Index | None = None) -> list[str]:
        """Return the ids of matching issues the asker may see, in order.

        `index` is what search knows of fresh changes; without it search knows them all. Raises RefusedCall for
        what the query gets wrong.
        """
        conditions = Conditions(self._store, self._space, asker)
        test: Test | None = None if jql.where is None else conditions.compiled(jql.where)
        keys = [(sort, conditions.sort_key(sort)) for sort in jql.order]
        hits = [
            (int(issue["id"]), [key(issue) for _, key in keys])
            for issue in self._known(jql.where, asker, index)
            if (test is None or test(issue)) and _visible(asker, issue)
        ]
        hits.sort(key=lambda hit: hit[0])
        for place in range(len(keys) - 1, -1, -1):
            hits.sort(key=lambda hit: hit[1][place], reverse=keys[place][0].descending)
        return [str(id_) for id_, _ in hits]

    def fits(self, jql: Jql, asker: Asker, issue: Issue) -> bool:
        """Whether one issue matches; raises RefusedCall for what the query gets wrong."""
        if jql.where is None:
            return bool(issue)
        test = Conditions(self._store, self._space, asker).compiled(jql.where)
        return bool(issue) and test(issue)

    # -- narrowing -------------------------------------------------------------------------------------------

    def _known(self, where: Cond | None, asker: Asker, index: Index | None) -> Iterator[Issue]:
        narrowed = self._narrowed(where, asker)
        if index is None or not index.lags:
            yield from narrowed
            return
        for issue in narrowed:
            if not index.is_fresh(issue):
                yield issue
        yield from index.fresh_as_known()

    def _narrowed(self, where: Cond | None, asker: Asker) -> Iterator[Issue]:
        clauses = _required(where)
        for clause in clauses:
            if clause.op in {"=", "in"} and field_of(clause) in {"id", "issuekey"}:
                conditions = Conditions(self._store, self._space, asker)
                found = [conditions.issue(value.text) for value in clause.values]
                return iter({issue["id"]: issue for issue in found if issue is not None}.values())
        since = until = None
        for clause in clauses:
            if field_of(clause) not in {"updated", "created"} or clause.op not in _LOW | _HIGH:
                continue
            if clause.values[0].empty:
                continue
            bound = instant(clause.values[0], asker)
            if clause.op in _LOW:
                low = stamp(bound)  # an issue is never updated before it is created
                since = low if since is None else max(since, low)
            if clause.op in _HIGH and field_of(clause) == "updated" and bound.year < 9999:
                high = stamp(bound + timedelta(milliseconds=1))
                until = high if until is None else min(until, high)
        return self._store.scan(self._space, "issue", since=since, until=until)


def _visible(asker: Asker, issue: Issue) -> bool:
    rights = asker.rights
    return rights.sees_everything or rights.reads(str(issue["key"]).rpartition("-")[0], str(issue["id"]))


def _required(where: Cond | None) -> Sequence[Clause]:
    if isinstance(where, Clause):
        return [where]
    if isinstance(where, Both):
        return [clause for part in where.conds for clause in _required(part)]
    return []
