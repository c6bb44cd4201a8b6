"""The embedded engine: evaluates expressions, keeps results in memory, hands them out as Arrow."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import ibis
import ibis.expr.types as ir
import pyarrow as pa


class Engine:
    """One in-memory DuckDB for one reconciliation; a context manager, gone with everything in it."""

    def __init__(self) -> None:
        self._connection = ibis.duckdb.connect()
        # An empty temp_directory forbids spilling: this room writes no files.
        self._connection.raw_sql("SET temp_directory = ''")
        # Every output is sorted explicitly, so the order of rows in between is free.
        self._connection.raw_sql("SET preserve_insertion_order = false")
        self._kept = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.disconnect()

    def keep(self, table: ir.Table) -> ir.Table:
        """The table, evaluated once, so that later steps read the result instead of repeating it."""
        self._kept += 1
        return self._connection.create_table(f"kept_{self._kept}", table)

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
