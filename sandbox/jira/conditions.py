"""A condition of a query as a test of an issue, with the fields and values the site knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sandbox.jira import defaults
from sandbox.jira.dates import Asker, instant
from sandbox.jira.errors import bad_jql
from sandbox.jira.history import history_test
from sandbox.jira.jql import Both, Clause, Cond, Either, Not, Operand, Sort
from sandbox.jira.matching import (
    ORDERED,
    Issue,
    Read,
    Test,
    among_many,
    dated,
    id_or_none,
    last_if_empty,
    number,
    ordered,
    plain,
    sortable,
    unknown_value,
    unsupported,
    word,
    words_match,
)
from sandbox.stamps import parsed
from sandbox.store import Store

_ALIASES = {
    "key": "issuekey",
    "issue": "issuekey",
    "due": "duedate",
    "createddate": "created",
    "updateddate": "updated",
    "type": "issuetype",
}
_HISTORY = frozenset({"was", "was not", "was in", "was not in", "changed"})
_PEOPLE = frozenset({"assignee", "creator", "reporter"})
_BUILT_IN = frozenset(
    {
        "project", "issuekey", "id", "assignee", "creator", "reporter", "status", "statuscategory", "updated",
        "created", "duedate", "summary", "description", "text", "comment", "issuetype", "priority", "resolution",
        "labels",
    }
)  # fmt: skip
_CATEGORIES = {
    "new": "new", "to do": "new", "todo": "new", "2": "new",
    "indeterminate": "indeterminate", "in progress": "indeterminate", "4": "indeterminate",
    "done": "done", "complete": "done", "3": "done",
}  # fmt: skip
_OPPOSITES = (("=", "!="), ("in", "not in"), ("<", ">="), (">", "<="), ("~", "!~"), ("was", "was not"),
              ("was in", "was not in"))  # fmt: skip
_TURNED = {one: other for pair in _OPPOSITES for one, other in (pair, pair[::-1])}
_NOTHING: frozenset[Any] = frozenset()


class Conditions:
    """Compiles conditions for one asker."""

    def __init__(self, store: Store, space: str, asker: Asker) -> None:
        """Look names up in one space."""
        self._store = store
        self._space = space
        self._asker = asker

    def compiled(self, cond: Cond) -> Test:
        """Return the test; raises RefusedCall (400) for unknown fields, values, functions and operators."""
        if isinstance(cond, Not):
            return self._negated(cond.cond)
        if isinstance(cond, Both):
            tests = [self.compiled(part) for part in cond.conds]
            return lambda issue: all(test(issue) for test in tests)
        if isinstance(cond, Either):
            tests = [self.compiled(part) for part in cond.conds]
            return lambda issue: any(test(issue) for test in tests)
        return self._clause(cond)

    def issue(self, id_or_key: str) -> Issue | None:
        """Return the issue the asker may see under this id, key or former key."""
        if id_or_key.isdigit():
            found = self._store.get(self._space, "issue", id_or_key)
        else:
            found = self._store.named(self._space, "issue", id_or_key.upper())
            moved = None if found else self._store.get(self._space, "_former_key", id_or_key.upper())
            found = found if moved is None else self._store.get(self._space, "issue", str(moved["issue"]))
        if found is None or not self._asker.rights.reads(str(found["key"]).rpartition("-")[0], str(found["id"])):
            return None
        return found

    def canonical(self, name: str) -> str:
        """Return a field's own id for any of its names; raises RefusedCall for an unknown or hidden field."""
        low = name.lower()
        low = _ALIASES.get(low, low)
        if low in _BUILT_IN and self._asker.rights.sees_field("", low):
            return low
        match = re.fullmatch(r"cf\[(\d+)\]", low)
        for doc in self._store.scan(self._space, "field"):
            id_ = str(doc["id"])
            if not doc.get("custom") or not self._asker.rights.sees_field("", id_):
                continue
            if (match and id_ == f"customfield_{match[1]}") or str(doc["name"]).lower() == low:
                return id_
        raise bad_jql(f"Field '{name}' does not exist or you do not have permission to view it.")

    def project_keys(self, clause: Clause) -> list[str]:
        """Return the keys of the projects a clause names; raises RefusedCall for one the asker does not see."""
        names = self._names("project", clause)
        return [names(value) for value in clause.values if not value.empty]

    def sort_key(self, sort: Sort) -> Read:
        """Return what issues are ordered by for one sort key; empty values come last in ascending order."""
        field = self.canonical(sort.field)
        if field == "issuekey":
            return lambda issue: (str(issue["key"]).rpartition("-")[0], int(str(issue["key"]).rpartition("-")[2]))
        if field == "id":
            return lambda issue: int(issue["id"])
        if field in {"updated", "created"}:
            return lambda issue: sortable(str(issue[field]))
        if field in {"text", "comment"}:
            raise bad_jql(f"Not able to sort using field '{sort.field}'.")
        read = self._reader(field)
        if field == "priority":  # the most urgent has the lowest id, and comes first in descending order
            return lambda issue: -int(read(issue)) if str(read(issue)).isdigit() else 0
        if field in _PEOPLE:
            names = {str(doc["accountId"]): str(doc.get("displayName", "")) for doc in self._people()}
            return lambda issue: last_if_empty(names.get(str(read(issue)), read(issue)))
        return lambda issue: last_if_empty(read(issue))

    # -- inside ----------------------------------------------------------------------------------------------

    def _negated(self, cond: Cond) -> Test:
        """NOT turns the operators below it round, as in Jira: `NOT a = b` is `a != b` and leaves empty fields out."""
        if isinstance(cond, Not):
            return self.compiled(cond.cond)
        if isinstance(cond, Both):
            return self.compiled(Either(conds=tuple(Not(cond=part) for part in cond.conds)))
        if isinstance(cond, Either):
            return self.compiled(Both(conds=tuple(Not(cond=part) for part in cond.conds)))
        turned = _TURNED.get(cond.op)
        if turned is not None:
            return self._clause(replace(cond, op=turned))
        inner = self._clause(cond)
        return lambda issue: not inner(issue)

    def _clause(self, clause: Clause) -> Test:
        field = self.canonical(clause.field)
        if clause.op in _HISTORY:
            names = self._names(field, clause)
            return history_test(
                clause, field, self._asker, self._store, self._space, names=names, now=self._reader(field)
            )
        if field in {"updated", "created"}:
            return dated(clause, lambda issue: parsed(issue[field]), lambda value: instant(value, self._asker))
        if field == "duedate" or self._kind(field) == "date":
            zone = self._asker.zone
            return dated(
                clause,
                lambda issue: issue["fields"].get(field),
                lambda value: instant(value, self._asker).astimezone(zone).date().isoformat(),
            )
        if field in {"summary", "description", "text", "comment"}:
            return self._texts(clause, field)
        if field in {"issuekey", "id"}:
            return self._identity(clause)
        if clause.op in {"~", "!~"} and self._kind(field) in {"string", "any"}:
            return self._texts(clause, field)
        if clause.op in ORDERED and self._kind(field) == "number":
            return self._numbers(clause, field)
        if clause.op not in {"=", "!=", "in", "not in"}:
            raise unsupported(clause)
        return self._among(clause, field)

    def _among(self, clause: Clause, field: str) -> Test:
        names = self._names(field, clause)
        wanted = {None if value.empty else names(value) for value in clause.values}
        read = self._reader(field)
        if field == "labels" or self._kind(field) == "array":
            return among_many(clause, lambda issue: read(issue) or _NOTHING, wanted)
        if clause.op in {"=", "in"}:
            return lambda issue: read(issue) in wanted
        # as in Jira, an empty field is neither in nor outside a list of values
        return lambda issue: (value := read(issue)) not in wanted and (value is not None or None in wanted)

    def _identity(self, clause: Clause) -> Test:
        wanted = set()
        for value in clause.values:
            if value.empty or value.function:
                raise unsupported(clause)
            issue = self.issue(value.text)
            if issue is None and value.text.isdigit():
                raise bad_jql(f"A value with ID '{value.text}' does not exist for the field '{clause.field}'.")
            if issue is None:
                raise bad_jql(f"An issue with key '{value.text}' does not exist for field '{clause.field}'.")
            wanted.add(int(issue["id"]))
        if clause.op in {"=", "in"}:
            return lambda issue: int(issue["id"]) in wanted
        if clause.op in {"!=", "not in"}:
            return lambda issue: int(issue["id"]) not in wanted
        if clause.op in ORDERED and len(wanted) == 1:
            return ordered(clause.op, lambda issue: int(issue["id"]), wanted.pop())
        raise unsupported(clause)

    def _texts(self, clause: Clause, field: str) -> Test:
        value = clause.values[0]
        if value.empty and clause.op in {"=", "!="} and field not in {"text", "comment"}:
            filled = clause.op == "!="
            return lambda issue: bool(issue["fields"].get(field)) is filled
        if clause.op not in {"~", "!~"} or value.empty:
            raise unsupported(clause)
        if value.function:
            raise bad_jql(f"Unable to find JQL function '{value.function}({', '.join(value.arguments)})'.")
        if not value.text.strip():
            raise bad_jql(f"The field '{clause.field}' does not support searching for an empty string.")
        if value.text.lstrip()[0] in "*?":
            raise bad_jql(
                f"The text query '{value.text}' for field '{clause.field}' is not allowed to start with character "
                f"'{value.text.lstrip()[0]}'."
            )
        names = ("summary", "description") if field == "text" else (field,)
        matches = words_match(value.text)

        def told(issue: Issue) -> bool:
            own = [str(issue["fields"].get(name) or "") for name in names if name != "comment"]
            if field in {"comment", "text"}:
                own += [str(doc["body"]) for doc in self._store.find(self._space, "comment", str(issue["id"]))]
            return any(matches(text) for text in own)

        return told if clause.op == "~" else lambda issue: not told(issue)

    def _numbers(self, clause: Clause, field: str) -> Test:
        if clause.values[0].empty:
            raise unsupported(clause)
        bound = number(clause.values[0], clause)
        return ordered(clause.op, lambda issue: issue["fields"].get(field), bound)

    def _reader(self, field: str) -> Read:
        if field == "project":
            return lambda issue: str(issue["key"]).rpartition("-")[0]
        if field in _PEOPLE:
            own = "_creator" if field == "reporter" else f"_{field}"
            return lambda issue: issue.get(f"_{field}", issue.get(own)) or None
        if field == "status":
            return lambda issue: str(issue["fields"]["status"]["id"])
        if field == "statuscategory":
            return lambda issue: issue["fields"]["status"].get("statusCategory", {}).get("key")
        if field == "issuetype":
            return lambda issue: str((issue["fields"].get("issuetype") or defaults.TASK).get("id"))
        if field == "priority":
            return lambda issue: str((issue["fields"].get("priority") or {}).get("id", defaults.MEDIUM))
        if field == "resolution":
            return lambda issue: id_or_none(issue["fields"].get("resolution"))
        if field == "labels" or self._kind(field) == "array":
            return lambda issue: frozenset(plain(one) for one in issue["fields"].get(field) or ())
        if self._kind(field) == "number":
            return lambda issue: issue["fields"].get(field)
        return lambda issue: plain(issue["fields"].get(field))

    def _names(self, field: str, clause: Clause) -> Callable[[Operand], Any]:
        """Return how a value of this field is understood; unknown values and functions are refused."""
        if field in _PEOPLE or self._kind(field) == "user":
            return lambda value: self._account(value, clause)
        kinds: Mapping[str, tuple[Callable[[], list[Mapping[str, Any]]], str]] = {
            "project": (self._projects, "key"),
            "status": (lambda: list(self._store.scan(self._space, "status")), "id"),
            "issuetype": (lambda: list(defaults.issue_types(self._store, self._space)), "id"),
            "priority": (lambda: list(defaults.priorities(self._store, self._space)), "id"),
            "resolution": (lambda: list(defaults.resolutions(self._store, self._space)), "id"),
        }
        if field in kinds:
            docs, give = kinds[field]
            return _known(docs(), give, clause)
        if field == "statuscategory":
            return lambda value: self._category(value, clause)
        if self._kind(field) == "number":
            return lambda value: number(value, clause)
        return lambda value: word(value, clause)

    def _account(self, value: Operand, clause: Clause) -> str:
        if value.function.lower() == "currentuser" and not value.arguments:
            return self._asker.account
        account = word(value, clause, lower=False)
        if self._store.get(self._space, "user", account) is None:
            raise unknown_value(clause, value)
        return account

    def _category(self, value: Operand, clause: Clause) -> str:
        found = _CATEGORIES.get(word(value, clause))
        if found is None:
            raise unknown_value(clause, value)
        return found

    def _projects(self) -> list[Mapping[str, Any]]:
        shown = self._asker.rights
        return [doc for doc in self._store.scan(self._space, "project") if shown.reads(str(doc["key"]))]

    def _people(self) -> list[Mapping[str, Any]]:
        return list(self._store.scan(self._space, "user"))

    def _kind(self, field: str) -> str:
        if not field.startswith("customfield_"):
            return ""
        doc = self._store.get(self._space, "field", field) or {}
        return str((doc.get("schema") or {}).get("type", "any"))


def field_of(clause: Clause) -> str:
    """Return the field a clause names, aliases resolved, without asking the site whether it exists."""
    low = clause.field.lower()
    return _ALIASES.get(low, low)


def _known(docs: list[Mapping[str, Any]], give: str, clause: Clause) -> Callable[[Operand], str]:
    by_name: dict[str, str] = {}
    for doc in docs:
        by_name |= {str(doc.get(word)).lower(): str(doc[give]) for word in ("id", "key", "name") if doc.get(word)}

    def known(value: Operand) -> str:
        if field_of(clause) == "resolution" and value.text.lower() == "unresolved":
            return None  # type: ignore[return-value]  # no resolution is what the word means
        found = by_name.get(word(value, clause))
        if found is None:
            raise unknown_value(clause, value)
        return found

    return known
