"""What each tool says now: the latest statement about every field of every record."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from reconciliation.columns import OBSERVATION
from reconciliation.engine import Engine

_KEY = ("source", "entity", "record", "part", "field")


def observations(engine: Engine, table: pa.Table) -> ir.Table:
    """The ledger's observations with `at` (microseconds) for `valid_from` and `weight` for `origin`.

    At one and the same moment a tool's own history outweighs an event, and an event a snapshot.
    """
    columns = {}
    for field in OBSERVATION:
        column = table.column(field.name)
        if pa.types.is_timestamp(field.type):
            columns["at"] = pc.cast(column, field.type).cast(pa.int64())
        else:
            columns[field.name] = pc.cast(column, field.type)
    said = ibis.memtable(pa.table(columns))
    weight = said.origin.cases(("history", 2), ("event", 1), else_=0).cast("int64")
    return engine.keep(said.mutate(weight=weight, part=said.part.fill_null("")))


def current(said: ir.Table) -> ir.Table:
    """One row per source, entity, record, part and field: the value in force, since when, by whom."""
    # The largest structure, compared field by field: cheaper than a window, and any engine can do it.
    latest = ibis.struct(
        {
            "at": said.at,
            "weight": said.weight,
            "seq": said.seq,
            "value": said.value,
            "actor": said.actor,
            "origin": said.origin,
            "evidence": said.evidence,
        }
    ).max()
    return said.group_by(*_KEY).aggregate(latest=latest).unpack("latest")
