"""The embedded engine: evaluates expressions, keeps results in memory, hands them out as Arrow."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self
from weakref import finalize

import ibis
import ibis.expr.types as ir
import pyarrow as pa


class Engine:
    """One in-memory DuckDB for one reconciliation; a context manager, gone with everything in it.

    What it keeps takes memory only as long as an expression still reads it.
    """

    def __init__(self) -> None:
        self._connection = ibis.duckdb.connect()
        # In a database of its own, because only an attached one can be kept compressed in memory.
        self._run("ATTACH ':memory:' AS work (COMPRESS)")
        self._run("USE work")
        # An empty temp_directory forbids spilling: this room writes no files.
        self._connection.raw_sql("SET temp_directory = ''")
        # Every output is sorted explicitly, so the order of rows in between is free.
        self._connection.raw_sql("SET preserve_insertion_order = false")
        # DuckDB would draw a bar over standard output, which belongs to whoever calls.
        self._connection.raw_sql("SET enable_progress_bar = false")
        self._kept = 0
        self._unread: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.disconnect()

    def keep(self, table: ir.Table) -> ir.Table:
        """The table, evaluated once, so that later steps read the result instead of repeating it."""
        return self._watched(self._connection.create_table(self._next_name(), table))

    def fill(self, schema: pa.Schema, parts: Iterable[pa.Table]) -> ir.Table:
        """One ibis table out of Arrow tables of this schema, each let go once it is copied into the engine."""
        table = self.take(schema.empty_table())
        for part in parts:
            # By DuckDB itself: what ibis registers stays registered, and its memory taken, to the end.
            self._connection.con.register("part", part)
            self._run(f"INSERT INTO {table.get_name()} SELECT * FROM part")
            self._connection.con.unregister("part")
        self._run("CHECKPOINT")  # compresses it, before the steps that read it need memory of their own
        return table

    def take(self, table: pa.Table) -> ir.Table:
        """An Arrow table as an ibis table, copied into the engine."""
        # ibis 12 cannot drop the view it makes for raw Arrow on DuckDB 2; a memtable expression works.
        return self.keep(ibis.memtable(table))

    def count(self, table: ir.Table) -> int:
        """Number of rows."""
        return int(self._connection.to_pyarrow(table.count()).as_py())

    def read(self, table: ir.Table) -> pa.Table:
        """The evaluated table as Arrow."""
        return self._connection.to_pyarrow(table)

    def _next_name(self) -> str:
        while self._unread:
            self._run(f"DROP TABLE {self._unread.pop()}")
        self._kept += 1
        return f"kept_{self._kept}"

    def _run(self, statement: str) -> None:
        # DuckDB 2 carries a statement out when its result is asked for.
        self._connection.raw_sql(statement).fetchall()

    def _watched(self, table: ir.Table) -> ir.Table:
        # Only noted here and dropped at the next step: the last reader may go in the middle of a query.
        finalize(table.op(), self._unread.append, table.get_name()).atexit = False
        return table
