"""Queries taken apart for whoever asks how the site reads them."""

from __future__ import annotations

from typing import Any

import orjson

from sandbox.calls import Answer, Call, RefusedCall, reply
from sandbox.jira.bodies import object_body, texts
from sandbox.jira.conditions import Conditions
from sandbox.jira.errors import refused
from sandbox.jira.jql import Both, Clause, Cond, Jql, Not, Operand, parse
from sandbox.jira.searching import Searching
from sandbox.jira.site import Site

_STRICT, _WARN, _NONE = "strict", "warn", "none"


class Queries:
    """Answers questions about queries."""

    def __init__(self, site: Site, searching: Searching) -> None:
        """Answer for one site."""
        self._site = site
        self._searching = searching

    def parsed(self, call: Call) -> Answer:
        """POST jql/parse: the structure of each query, or what is wrong with it."""
        queries = texts(object_body(call), "queries")
        if not queries:
            raise refused(400, "The 'queries' list must not be empty.")
        validation = call.one("validation", _STRICT)
        if validation not in {_STRICT, _WARN, _NONE}:
            raise refused(400, f"The validation '{validation}' is unknown.")
        asker = self._searching.asker(self._site.caller(call))
        conditions = Conditions(self._site.store, self._site.space, asker)
        return reply({"queries": [self._one(query, conditions, validation) for query in queries]})

    def _one(self, query: str, conditions: Conditions, validation: str) -> dict[str, Any]:
        try:
            jql = parse(query)
        except RefusedCall as error:
            return {"query": query, "errors": _messages(error)}
        told: dict[str, Any] = {"query": query, "structure": _structure(jql)}
        try:
            if jql.where is not None and validation != _NONE:
                conditions.compiled(jql.where)
            for sort in jql.order if validation != _NONE else ():
                conditions.sort_key(sort)
        except RefusedCall as error:
            if validation == _STRICT:
                return {"query": query, "errors": _messages(error)}
            told["warnings"] = _messages(error)
        return told


def _messages(error: RefusedCall) -> list[str]:
    return [str(message) for message in orjson.loads(error.answer.body)["errorMessages"]]


def _structure(jql: Jql) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if jql.where is not None:
        told["where"] = _clause(jql.where)
    if jql.order:
        told["orderBy"] = {
            "fields": [
                {"field": _field(sort.field), "direction": "desc" if sort.descending else "asc"} for sort in jql.order
            ]
        }
    return told


def _clause(cond: Cond) -> dict[str, Any]:
    if isinstance(cond, Not):
        return {"operator": "not", "clauses": [_clause(cond.cond)]}
    if not isinstance(cond, Clause):
        word = "and" if isinstance(cond, Both) else "or"
        return {"operator": word, "clauses": [_clause(part) for part in cond.conds]}
    told: dict[str, Any] = {"field": _field(cond.field), "operator": cond.op}
    if cond.op != "changed":
        many = cond.op.endswith("in")
        told["operand"] = _list(cond.values) if many else _operand(cond.values[0])
    if cond.op in {"changed", "was", "was not", "was in", "was not in"}:
        told["predicates"] = [
            {"operator": one.word, "operand": _operand(one.values[0]) if len(one.values) == 1 else _list(one.values)}
            for one in cond.predicates
        ]
    return told


def _field(name: str) -> dict[str, str]:
    return {"name": name, "encodedName": _encoded(name)}


def _list(values: tuple[Operand, ...]) -> dict[str, Any]:
    told = [_operand(value) for value in values]
    return {"values": told, "encodedOperand": f"({', '.join(_spelt(value) for value in values)})"}


def _operand(value: Operand) -> dict[str, Any]:
    if value.empty:
        return {"keyword": "empty", "encodedOperand": "empty"}
    if value.function:
        return {"function": value.function, "arguments": list(value.arguments), "encodedOperand": _spelt(value)}
    return {"value": value.text, "encodedValue": _spelt(value)}


def _spelt(value: Operand) -> str:
    if value.empty:
        return "empty"
    if value.function:
        return f"{value.function}({', '.join(_encoded(argument) for argument in value.arguments)})"
    return _encoded(value.text)


def _encoded(text: str) -> str:
    plain = text.replace("[", "").replace("]", "").replace("-", "").replace("_", "")
    return text if plain.isalnum() else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
