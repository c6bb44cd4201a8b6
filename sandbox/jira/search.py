"""Answering JQL: what the store can narrow down is pushed to it, every issue is checked all the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from sandbox.jira.errors import bad_jql
from sandbox.jira.jql import Both, Clause, Cond, Either, Jql, Not, Operand, Sort
from sandbox.stamps import parsed, stamp
from sandbox.store import Store

Issue = Mapping[str, Any]
Test = Callable[[Issue], bool]
_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
_ALIASES = {
    "key": "issuekey",
    "issue": "issuekey",
    "due": "duedate",
    "createddate": "created",
    "updateddate": "updated",
}
_ORDERED = {"<", "<=", ">", ">="}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, and when: JQL dates without an offset are read in the asker's own time zone."""

    account: str
    zone: tzinfo
    now: datetime


class Searcher:
    """Finds issues of one site."""

    def __init__(self, store: Store, space: str) -> None:
        """Search one space."""
        self._store = store
        self._space = space

    def found_ids(self, jql: Jql, asker: Asker) -> list[str]:
        """Return the ids of matching issues in order; raises RefusedCall for what the query gets wrong."""
        test = None if jql.where is None else self._compiled(jql.where, asker)
        keys = [(sort, self._sort_key(sort)) for sort in jql.order]
        hits = [
            (int(issue["id"]), [key(issue) for _, key in keys])
            for issue in self._narrowed(jql.where, asker)
            if test is None or test(issue)
        ]
        hits.sort(key=lambda hit: hit[0])
        for place in range(len(keys) - 1, -1, -1):
            hits.sort(key=lambda hit: hit[1][place], reverse=keys[place][0].descending)
        return [str(id_) for id_, _ in hits]

    # -- narrowing -------------------------------------------------------------------------------------------

    def _narrowed(self, where: Cond | None, asker: Asker) -> Iterator[Issue]:
        clauses = _required(where)
        for clause in clauses:
            if clause.op in {"=", "in"} and _field(clause) in {"id", "issuekey"}:
                found = [self._issue(value.text) for value in clause.values]
                return iter({issue["id"]: issue for issue in found if issue is not None}.values())
        since = until = None
        for clause in clauses:
            if _field(clause) not in {"updated", "created"} or clause.op not in {*_ORDERED, "="}:
                continue
            bound = _instant(clause.values[0], asker)
            if clause.op in {">", ">=", "="}:
                low = stamp(bound)  # an issue is never updated before it is created
                since = low if since is None else max(since, low)
            if clause.op in {"<", "<=", "="} and _field(clause) == "updated":
                high = stamp(bound + timedelta(milliseconds=1))
                until = high if until is None else min(until, high)
        return self._store.scan(self._space, "issue", since=since, until=until)

    def _issue(self, id_or_key: str) -> Issue | None:
        if id_or_key.isdigit():
            return self._store.get(self._space, "issue", id_or_key)
        return self._store.named(self._space, "issue", id_or_key.upper())

    # -- conditions ------------------------------------------------------------------------------------------

    def _compiled(self, cond: Cond, asker: Asker) -> Test:
        if isinstance(cond, Not):
            inner = self._compiled(cond.cond, asker)
            return lambda issue: not inner(issue)
        if isinstance(cond, Both):
            tests = [self._compiled(part, asker) for part in cond.conds]
            return lambda issue: all(test(issue) for test in tests)
        if isinstance(cond, Either):
            tests = [self._compiled(part, asker) for part in cond.conds]
            return lambda issue: any(test(issue) for test in tests)
        return self._clause(cond, asker)

    def _clause(self, clause: Clause, asker: Asker) -> Test:
        field = self.canonical(clause.field)
        if field in {"updated", "created"}:
            return _dated(clause, lambda issue: parsed(issue[field]), lambda value: _instant(value, asker))
        if field == "duedate":
            read = _reader("duedate")
            return _dated(clause, read, lambda value: _instant(value, asker).astimezone(asker.zone).date().isoformat())
        if field in {"summary", "description", "text", "comment"}:
            return self._texts(clause, field)
        if field in {"issuekey", "id"}:
            return self._identity(clause)
        names = self._names(field, clause, asker)
        wanted = {None if value.empty else names(value) for value in clause.values}
        read = self._readers(field)
        if clause.op in {"=", "in"}:
            return lambda issue: read(issue) in wanted
        if clause.op in {"!=", "not in"}:
            # as in Jira, an empty field is neither in nor outside a list of values
            return lambda issue: (value := read(issue)) not in wanted and (value is not None or None in wanted)
        if clause.op in {"~", "!~"} and field.startswith("customfield_"):
            return self._texts(clause, field)
        raise bad_jql(f"The operator '{clause.op}' is not supported by the '{clause.field}' field.")

    def _identity(self, clause: Clause) -> Test:
        wanted = set()
        for value in clause.values:
            issue = self._issue(value.text)
            if issue is None and value.text.isdigit():
                raise bad_jql(f"A value with ID '{value.text}' does not exist for the field '{clause.field}'.")
            if issue is None:
                raise bad_jql(f"An issue with key '{value.text}' does not exist for field '{clause.field}'.")
            wanted.add(int(issue["id"]))
        if clause.op in {"=", "in"}:
            return lambda issue: int(issue["id"]) in wanted
        if clause.op in {"!=", "not in"}:
            return lambda issue: int(issue["id"]) not in wanted
        if clause.op in _ORDERED and len(wanted) == 1:
            return _ordered(clause.op, lambda issue: int(issue["id"]), wanted.pop())
        raise bad_jql(f"The operator '{clause.op}' is not supported by the '{clause.field}' field.")

    def _texts(self, clause: Clause, field: str) -> Test:
        if clause.values[0].empty and clause.op in {"=", "!="}:
            read, filled = self._readers(field), clause.op == "!="
            return lambda issue: bool(read(issue)) is filled
        if clause.op not in {"~", "!~"}:
            raise bad_jql(f"The operator '{clause.op}' is not supported by the '{clause.field}' field.")
        words = [word.strip("*").lower() for word in clause.values[0].text.strip('"').split()]
        names = ("summary", "description") if field == "text" else (field,)
        readers = [self._readers(name) for name in names]

        def told(issue: Issue) -> bool:
            whole = " ".join(str(read(issue) or "") for read in readers).lower()
            return all(word in whole for word in words)

        return told if clause.op == "~" else lambda issue: not told(issue)

    def _readers(self, field: str) -> Callable[[Issue], Any]:
        if field == "project":
            return lambda issue: str(issue["key"]).rpartition("-")[0]
        if field in {"assignee", "creator", "reporter"}:
            own = "_creator" if field == "reporter" else f"_{field}"
            return lambda issue: issue.get(f"_{field}", issue.get(own)) or None
        if field == "status":
            return lambda issue: str(issue["fields"]["status"]["id"])
        if field == "statuscategory":
            return lambda issue: issue["fields"]["status"].get("statusCategory", {}).get("key")
        if field == "issuetype":
            return lambda issue: str((issue["fields"].get("issuetype") or {}).get("name", "Task")).lower()
        read = _reader(field)

        def plain(issue: Issue) -> Any:
            value = read(issue)
            if isinstance(value, Mapping):
                return value.get("accountId") or str(value.get("value", "")).lower()
            return value.lower() if isinstance(value, str) else value

        return plain

    def _names(self, field: str, clause: Clause, asker: Asker) -> Callable[[Operand], Any]:
        """Return how a value of this field is understood; unknown fields and values are refused."""
        if field == "project":
            return self._known("project", clause, lambda doc: str(doc["key"]))
        if field in {"assignee", "creator", "reporter"}:
            return lambda value: self._account(value, clause, asker)
        if field == "status":
            return self._known("status", clause, lambda doc: str(doc["id"]))
        if field == "statuscategory":
            keys = {"to do": "new", "in progress": "indeterminate", "done": "done"}
            return lambda value: keys.get(value.text.lower(), value.text.lower())
        if field == "issuetype":
            return lambda value: value.text.lower()
        return lambda value: value.text.lower()

    def _known(self, kind: str, clause: Clause, give: Callable[[Mapping[str, Any]], str]) -> Callable[[Operand], str]:
        by_name: dict[str, str] = {}
        for doc in self._store.scan(self._space, kind):
            by_name |= {str(doc.get(word)).lower(): give(doc) for word in ("id", "key", "name") if doc.get(word)}

        def known(value: Operand) -> str:
            found = by_name.get(value.text.lower())
            if found is None:
                raise bad_jql(f"The value '{value.text}' does not exist for the field '{clause.field}'.")
            return found

        return known

    def _account(self, value: Operand, clause: Clause, asker: Asker) -> str:
        if value.function == "currentuser":
            return asker.account
        if self._store.get(self._space, "user", value.text) is None:
            raise bad_jql(f"The value '{value.text}' does not exist for the field '{clause.field}'.")
        return value.text

    # -- fields and order ------------------------------------------------------------------------------------

    def _sort_key(self, sort: Sort) -> Callable[[Issue], Any]:
        field = self.canonical(sort.field)
        if field in {"issuekey", "id"}:
            return lambda issue: int(issue["id"])
        if field in {"updated", "created"}:
            return lambda issue: str(issue[field])
        read = self._readers(field)
        return lambda issue: str(read(issue) or "~")

    def canonical(self, name: str) -> str:
        """Return a field's own id for any of its names; raises RefusedCall for an unknown field."""
        low = name.lower()
        low = _ALIASES.get(low, low)
        if low in _BUILT_IN:
            return low
        match = re.fullmatch(r"cf\[(\d+)\]", low)
        for doc in self._store.scan(self._space, "field"):
            if match and doc["id"] == f"customfield_{match[1]}":
                return str(doc["id"])
            if str(doc["name"]).lower() == low and doc.get("custom"):
                return str(doc["id"])
        raise bad_jql(f"Field '{name}' does not exist or you do not have permission to view it.")


_BUILT_IN = {
    "project", "issuekey", "id", "assignee", "creator", "reporter", "status", "statuscategory", "updated",
    "created", "duedate", "summary", "description", "text", "issuetype",
}  # fmt: skip


def _field(clause: Clause) -> str:
    low = clause.field.lower()
    return _ALIASES.get(low, low)


def _required(where: Cond | None) -> Sequence[Clause]:
    if isinstance(where, Clause):
        return [where]
    if isinstance(where, Both):
        return [clause for part in where.conds for clause in _required(part)]
    return []


def _reader(field: str) -> Callable[[Issue], Any]:
    return lambda issue: issue["fields"].get(field)


def _dated(clause: Clause, read: Callable[[Issue], Any], bound: Callable[[Operand], Any]) -> Test:
    if clause.op in {*_ORDERED}:
        return _ordered(clause.op, read, bound(clause.values[0]))
    wanted = {None if value.empty else bound(value) for value in clause.values}
    if clause.op in {"=", "in"}:
        return lambda issue: read(issue) in wanted
    if clause.op in {"!=", "not in"}:
        return lambda issue: read(issue) not in wanted
    raise bad_jql(f"The operator '{clause.op}' is not supported by the '{clause.field}' field.")


def _ordered(op: str, read: Callable[[Issue], Any], bound: Any) -> Test:
    tests: dict[str, Callable[[Any], bool]] = {
        "<": lambda value: value < bound,
        "<=": lambda value: value <= bound,
        ">": lambda value: value > bound,
        ">=": lambda value: value >= bound,
    }
    passes = tests[op]
    return lambda issue: (value := read(issue)) is not None and passes(value)


def _instant(value: Operand, asker: Asker) -> datetime:
    """Return the instant meant: epoch milliseconds, a date in the asker's zone, `-5m`, `now()`, `startOfDay()`."""
    text = value.text.strip()
    if value.function in {"now", "startofday"}:
        base = asker.now
        if value.function == "startofday":
            local = asker.now.astimezone(asker.zone)
            base = local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
        return base + (_span(text) if text else timedelta())
    if re.fullmatch(r"\d{9,}", text):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    if re.fullmatch(r"[+-]?\d+[mhdw]", text):
        return asker.now + _span(text)
    for form in ("%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y/%m/%d %H:%M", "%Y/%m/%d"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=asker.zone).astimezone(UTC)
        except ValueError:
            continue
    raise bad_jql(
        f"Date value '{text}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', "
        "'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'."
    )


def _span(text: str) -> timedelta:
    return timedelta(seconds=int(text[:-1]) * _UNITS[text[-1].lower()])
