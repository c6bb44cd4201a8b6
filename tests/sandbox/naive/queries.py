"""Random queries of the three languages over the worlds, as trees that the naive evaluators understand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st
from naive import formula as af
from naive import jql, soql, worlds

moments = st.builds(
    lambda hours, seconds: worlds.FIRST + timedelta(hours=hours, seconds=seconds),
    st.integers(0, 130),
    st.sampled_from([0, 0, 1, 1800]),
)
days = st.sampled_from([date(2026, 1, 5), date(2026, 1, 6), date(2026, 12, 31)])

# -- SOQL ----------------------------------------------------------------------------------------------------


def _soql_values(column: str) -> st.SearchStrategy[Any]:
    return {
        "Subject": st.sampled_from([*worlds.SUBJECTS[:-1], "AMBER", "b", "ÉLAN", None]),
        "Phase__c": st.sampled_from([*worlds.PHASES, "qa"]),
        "Owner.Name": st.sampled_from([*worlds.PEOPLE, "GRACE HOPPER"]),
        "Due__c": st.none() | days,
        "Effort__c": st.sampled_from([None, -1.5, 0, 0.25, 1, 3]),
        "Urgent__c": st.booleans(),
        "CreatedDate": moments,
        "SystemModstamp": moments,
        "OwnerId": st.sampled_from(worlds.USERS).flatmap(lambda id_: st.sampled_from([id_, soql.Reference(id_[:15])])),
        "Id": st.integers(0, 60).map(lambda n: soql.Reference(f"500{n:012d}AAA")),
    }[column]


_ORDERED_COLUMNS = ["Subject", "Phase__c", "Due__c", "Effort__c", "CreatedDate", "SystemModstamp", "Owner.Name"]
_COLUMNS = [*_ORDERED_COLUMNS, "Urgent__c", "OwnerId", "Id"]


@st.composite
def _soql_compared(draw: st.DrawFn) -> soql.Cond:
    column = draw(st.sampled_from(_COLUMNS))
    value = draw(_soql_values(column))
    equal = value is None or column in {"OwnerId", "Id", "Urgent__c"}
    op = draw(st.sampled_from(["=", "!="] if equal else ["=", "!=", "<", "<=", ">", ">="]))
    return soql.Is(column, op, value, draw(st.sampled_from([0, 0, 2, -5])))


@st.composite
def _soql_among(draw: st.DrawFn) -> soql.Cond:
    column = draw(st.sampled_from([column for column in _COLUMNS if column != "Urgent__c"]))
    found = draw(st.lists(_soql_values(column), min_size=1, max_size=3))
    return soql.Among(column, tuple(found), draw(st.booleans()))


def _before(days: int) -> date:
    return worlds.NOW.date() - timedelta(days=days)


_literals = st.one_of(
    st.sampled_from(  # as they stand on Sunday, the first of February 2026
        [
            ("TODAY", _before(0), _before(-1)),
            ("YESTERDAY", _before(1), _before(0)),
            ("LAST_WEEK", _before(7), _before(0)),
            ("LAST_MONTH", date(2026, 1, 1), date(2026, 2, 1)),
            ("THIS_MONTH", date(2026, 2, 1), date(2026, 3, 1)),
            ("THIS_YEAR", date(2026, 1, 1), date(2027, 1, 1)),
            ("NEXT_YEAR", date(2027, 1, 1), date(2028, 1, 1)),
            ("LAST_90_DAYS", _before(90), _before(-1)),
        ]
    ),
    st.integers(20, 33).map(lambda n: (f"LAST_N_DAYS:{n}", _before(n), _before(-1))),
    st.integers(20, 33).map(lambda n: (f"N_DAYS_AGO:{n}", _before(n), _before(n - 1))),
)
_soql_spans = st.builds(
    lambda column, op, literal: soql.Within(column, op, *literal),
    st.sampled_from(["Due__c", "CreatedDate", "SystemModstamp"]),
    st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
    _literals,
)
_pattern = st.lists(
    st.sampled_from([("%", True), ("_", True)]) | st.sampled_from("amB%_").map(lambda char: (char, False)),
    max_size=5,
).map(tuple)
_soql_likes = st.builds(soql.Like, st.sampled_from(["Subject", "Phase__c", "Owner.Name"]), _pattern)
soql_conds: st.SearchStrategy[soql.Cond] = st.recursive(
    st.one_of(_soql_compared(), _soql_compared(), _soql_among(), _soql_likes, _soql_spans),
    lambda inner: (
        st.builds(soql.Not, inner)
        | st.builds(soql.Joined, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=6,
)
soql_keys = st.lists(
    st.builds(soql.Key, st.sampled_from(_ORDERED_COLUMNS), st.booleans(), st.sampled_from(["", "FIRST", "LAST"])),
    max_size=2,
)

# -- JQL -----------------------------------------------------------------------------------------------------

_JQL_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "project": st.sampled_from(["ACME", "beta"]),
    "key": st.integers(1, 16).flatmap(lambda n: st.sampled_from([f"ACME-{n}", f"beta-{n}"])),
    "assignee": st.sampled_from([*worlds.ACCOUNTS, None]),
    "status": st.sampled_from([*worlds.STATUSES, "to do"]),
    "statusCategory": st.sampled_from(["To Do", "In Progress", "Done", "done"]),
    "Phase": st.sampled_from([*worlds.PHASES, "qa"]),
    "duedate": st.none() | days,
}


@st.composite
def _jql_named(draw: st.DrawFn) -> jql.Cond:
    field = draw(st.sampled_from(list(_JQL_VALUES)))
    if draw(st.booleans()):
        found = draw(st.lists(_JQL_VALUES[field], min_size=1, max_size=3))
        return jql.Clause(field, draw(st.sampled_from(["in", "not in"])), tuple(found))
    value = draw(_JQL_VALUES[field])
    return jql.Clause(
        field, draw(st.sampled_from(["is", "is not", "=", "!="] if value is None else ["=", "!="])), (value,)
    )


_jql_dates = st.builds(
    lambda field, op, at: jql.Clause(field, op, (at,)),
    st.sampled_from(["created", "updated"]),
    st.sampled_from(["<", "<=", ">", ">="]),
    moments,
)
_jql_dues = st.builds(lambda op, day: jql.Clause("duedate", op, (day,)), st.sampled_from(["<", "<=", ">", ">="]), days)
_jql_texts = st.builds(
    lambda op, words: jql.Clause("summary", op, (" ".join(words),)),
    st.sampled_from(["~", "!~"]),
    st.lists(st.sampled_from([*worlds.WORDS, "AMBER", "amb*", "cop*", "amb", "opper"]), min_size=1, max_size=2),
)
_whens = st.none() | moments
_jql_was = st.sampled_from(["status", "assignee"]).flatmap(
    lambda field: st.builds(
        jql.Was,
        st.just(field),
        st.lists(_JQL_VALUES[field], min_size=1, max_size=2).map(tuple),
        _whens,
        _whens,
        st.booleans(),
    )
)
_jql_changed = st.sampled_from(["status", "assignee"]).flatmap(
    lambda field: st.builds(
        jql.Changed,
        st.just(field),
        st.just("") | _JQL_VALUES[field],
        st.just("") | _JQL_VALUES[field],
        st.sampled_from(["", *worlds.ACCOUNTS]),
        _whens,
        _whens,
    )
)
past_conds = _jql_was | _jql_was.map(jql.Not) | _jql_changed
jql_conds: st.SearchStrategy[jql.Cond] = st.recursive(
    st.one_of(_jql_named(), _jql_named(), _jql_dates, _jql_dues, _jql_texts),
    lambda inner: (
        st.builds(jql.Not, inner)
        | st.builds(jql.Joined, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=6,
)

# -- formulas ------------------------------------------------------------------------------------------------

_texts = st.sampled_from(["Name", "Status", "Owner"]).map(af.cell) | st.sampled_from(
    ["Amber", "amber", "QA", "qa", "a", "it's", 'say "hi"', "back\\slash", "Ada Lovelace"]
).map(af.literal)
_numbers = st.sampled_from(["Rank", "Count"]).map(af.cell) | st.sampled_from([-3, 0, 1, 2.5, 500]).map(af.literal)
_moments = st.one_of(
    st.just(af.cell("Due")),
    st.sampled_from(["CREATED_TIME", "LAST_MODIFIED_TIME"]).map(af.own_time),
    moments.map(af.moment),
)
_needles = st.sampled_from(["a", "A", "de", "zz", "\\"]).map(af.literal)


def _deeper_texts(inner: st.SearchStrategy[af.Node]) -> st.SearchStrategy[af.Node]:
    return st.one_of(
        st.builds(af.cased, st.sampled_from(["LOWER", "UPPER", "TRIM"]), inner),
        st.builds(af.glued, inner, inner),
        st.builds(af.glued, st.builds(af.searched, _needles, inner), inner),
    )


def _deeper_numbers(inner: st.SearchStrategy[af.Node]) -> st.SearchStrategy[af.Node]:
    return st.one_of(
        st.builds(af.sum_of, inner, st.sampled_from("+-*"), inner),
        st.builds(af.length, texts),
        st.builds(af.found, _needles, texts, st.sampled_from([None, None, 2, 4])),
    )


texts = st.recursive(_texts, _deeper_texts, max_leaves=3)
numbers = st.recursive(_numbers, _deeper_numbers, max_leaves=3)
times = _moments | st.builds(
    af.moved, _moments, st.integers(-40, 40), st.sampled_from(["minutes", "hours", "days", "weeks"])
)
_truths = st.one_of(
    st.builds(lambda a, sign, b: af.compared(a, sign, b, texts=True), texts, st.sampled_from(["=", "!="]), texts),
    st.builds(
        lambda a, sign, b: af.compared(a, sign, b, texts=False),
        numbers,
        st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
        numbers,
    ),
    st.builds(lambda node, equal: af.blank(node, equal=equal), texts, st.booleans()),
    st.just(af.cell("Done")),
    st.builds(af.dated, st.sampled_from(["IS_AFTER", "IS_BEFORE", "IS_SAME"]), times, times),
    st.builds(af.dated, st.just("IS_SAME"), times, times, st.sampled_from(["day", "hour", "month", "year"])),
    st.builds(af.searched, _needles, texts),
    st.builds(lambda node, id_: af.compared(node, "=", af.literal(f"rec{id_:014d}"), texts=True),
              st.just(af.record_id()), st.integers(0, 50)),
)  # fmt: skip
truths: st.SearchStrategy[af.Node] = st.recursive(
    _truths,
    lambda inner: st.one_of(
        st.builds(af.logic, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda cond: af.logic("NOT", [cond]), inner),
        st.builds(af.chosen, inner, inner, st.none() | inner),
        st.builds(
            lambda cond, yes, no, other: af.compared(af.chosen(cond, yes, no), "=", other, texts=True),
            inner, texts, st.none() | texts, texts,
        ),
    ),
    max_leaves=5,
)  # fmt: skip
