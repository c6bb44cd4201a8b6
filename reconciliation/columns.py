"""Columns of what goes in and what comes out. Inside, times are microseconds since 1970 in UTC (int64)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import ibis.expr.types as ir
import pyarrow as pa

_TIME = pa.timestamp("us", tz="UTC")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _columns(text: str) -> pa.Schema:
    """Schema of `name` or `name:type` words; text is the default."""
    types = {"": pa.string(), "time": _TIME, "bool": pa.bool_(), "int": pa.int64(), "real": pa.float64()}
    return pa.schema([(name, types[kind]) for name, _, kind in (word.partition(":") for word in text.split())])


OBSERVATION = _columns("seq:int source entity record part field value valid_from:time origin actor evidence")
IDENTITY = _columns("source account person how score:real")
LINK = _columns("item source record how score:real evidence")
WORK_ITEM = _columns(
    "item title phase status open:bool owner_person owner_reason owner_rule due partner records:int updated_at:time url"
)
OWNER_CLAIM = _columns("item source record account person since:time actor won:bool")
HANDOFF = _columns("item from_person to_person offered_at:time due_at:time accepted_at:time how returned:bool")
FINDING = _columns(
    "key kind item title severity summary rule next_move next_who at:time from_person to_person due:time refs evidence"
)
CORRECTION = _columns("source record item title expected desired person reason findings url")


def micros(moment: datetime) -> int:
    """Microseconds since 1970 of an aware time; raises TypeError for a naive one."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def span(duration: timedelta) -> int:
    """A duration in microseconds."""
    return duration // timedelta(microseconds=1)


def moment(at: int) -> datetime:
    """The aware UTC time of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=at)


def ordered(table: ir.Table, schema: pa.Schema) -> ir.Table:
    """Exactly the columns of `schema`, sorted by all of them in their order."""
    chosen = table.select(*schema.names)
    return chosen.order_by([chosen[name].asc(nulls_first=True) for name in schema.names])


def shaped(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The Arrow table with the types of `schema`; integer times become timestamps."""
    columns = []
    for field in schema:
        column = table.column(field.name).combine_chunks()
        if pa.types.is_timestamp(field.type) and not pa.types.is_timestamp(column.type):
            column = column.cast(pa.int64())
        columns.append(column.cast(field.type))
    return pa.table(columns, schema=schema)
