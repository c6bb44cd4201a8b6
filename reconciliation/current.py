"""What each tool says now: the latest statement about every field of every record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from reconciliation.columns import OBSERVATION
from reconciliation.engine import Engine

_SAID = pa.schema(
    [
        *(pa.field("at", pa.int64()) if field.name == "valid_from" else field for field in OBSERVATION),
        pa.field("weight", pa.int64()),
    ]
)
_WEIGHTY = pa.array(["event", "history"])
_PART = 250_000  # rows
_KEY = ("source", "entity", "record", "part", "field")


def observations(engine: Engine, batches: Iterable[pa.RecordBatch]) -> ir.Table:
    """The ledger's observations with `at` (microseconds) for `valid_from` and `weight` for `origin`.

    At one and the same moment a tool's own history outweighs an event, and an event a snapshot.
    """
    return engine.fill(_SAID, (_said(part) for part in _parts(batches)))


def _parts(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The batches in tables large enough to be worth a statement each."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        if rows >= _PART:
            yield pa.Table.from_batches(held)
            held, rows = [], 0
    if held:
        yield pa.Table.from_batches(held)


def _said(part: pa.Table) -> pa.Table:
    columns = {field.name: pc.cast(part.column(field.name), field.type) for field in OBSERVATION}
    columns["at"] = columns.pop("valid_from").cast(pa.int64())
    columns["part"] = pc.fill_null(columns["part"], "")
    columns["weight"] = pc.add(pc.fill_null(pc.index_in(columns["origin"], _WEIGHTY), -1), 1)
    return pa.table([columns[field.name].cast(field.type) for field in _SAID], schema=_SAID)


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
