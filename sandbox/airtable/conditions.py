"""What a record must fulfil to be in a listing, asked record by record while its pages are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sandbox.airtable.computed import Cells
from sandbox.airtable.formula import Formula, row_of
from sandbox.airtable.tables import Table
from sandbox.store import Doc


class Condition:
    """Formulas that must hold, and who must be able to see the record."""

    def __init__(
        self,
        table: Table,
        formulas: Sequence[Formula],
        cells: Cells,
        *,
        sees: Callable[[str], bool] | None,
    ) -> None:
        """Ask the formulas of a table's records; `sees` (None: always) whether a record, by its id, is visible."""
        self._table = table
        self._tests = [formula.test for formula in formulas]
        self._sees = sees
        self._needed = frozenset[str]().union(*(formula.fields for formula in formulas))
        self._watching = frozenset(str(field["id"]) for field in table.of_type("lastModifiedTime"))
        self._stored = self._needed.isdisjoint(str(field["id"]) for field in table.derived)
        self._bound = all(formula.exact for formula in formulas)
        self.cells = cells  # of the page that is read: what they know of people and links is never older than it

    def __call__(self, record: Doc) -> bool:
        """Whether the record fits; those changed before the formulas' `since` are not asked about."""
        if self._sees is not None and not self._sees(str(record["id"])):
            return False
        if (
            self._bound
            and "_modified" in record
            and "_touched" not in record
            and self._watching.isdisjoint(record["fields"])
        ):
            return True  # all its times of change are the one it is found by
        cells = record["fields"]
        if not self._stored or not all(cells.values()):
            cells = self.cells.of(self._table, record, wanted=self._needed)
        row = row_of(record, cells)
        return all(test(row) for test in self._tests)
