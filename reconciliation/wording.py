"""Sentences out of columns."""

from __future__ import annotations

import re

import ibis
import ibis.expr.types as ir

_HOUR = 3_600_000_000
_PLACE = re.compile(r"\{(\w+)\}")


def sentence(template: str, **parts: ir.StringValue) -> ir.StringValue:
    """The template with each {name} replaced by a text column; an empty (null) part reads as "?"."""
    text: ir.StringValue = ibis.literal("")
    end = 0
    for place in _PLACE.finditer(template):
        text = text + ibis.literal(template[end : place.start()]) + parts[place[1]].fill_null("?")
        end = place.end()
    return text + ibis.literal(template[end:])


def day(at: ir.IntegerValue) -> ir.StringValue:
    """The UTC date of microseconds since 1970, like 2026-09-01."""
    return (at // 1_000_000).cast("int64").as_timestamp("s").strftime("%Y-%m-%d")


def elapsed(micros: ir.IntegerValue) -> ir.StringValue:
    """A duration for people: hours below three days, then days."""
    hours = (micros // _HOUR).cast("int64")
    days = (micros // (24 * _HOUR)).cast("int64")
    return ibis.ifelse(hours < 72, hours.cast("string") + " hours", days.cast("string") + " days")


def named(table: ir.Table, people: ir.Table, *columns: str) -> ir.Table:
    """The table with `<column>_name` for each column that holds a person: the name, else the key itself."""
    for column in columns:
        names = people.select(**{f"_{column}": people.person, f"{column}_name": people.name})
        joined = table.left_join(names, table[column] == names[f"_{column}"])
        table = joined.drop(f"_{column}").mutate(
            **{f"{column}_name": ibis.coalesce(joined[f"{column}_name"], joined[column])}
        )
    return table
