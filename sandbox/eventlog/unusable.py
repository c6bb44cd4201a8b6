"""The rows of a log that became no event: all of them in a table for people, counted, the first ones at hand."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.eventlog.reading import UnusableRow

FILE = "unusable_rows.csv"
HELD = 1000
# What makes a spreadsheet take a cell for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Unusable:
    """Collects unusable rows as they come."""

    def __init__(self, directory: Path | None) -> None:
        """Write to a directory; None: keep the first ones only."""
        self.first: list[UnusableRow] = []
        self.reasons: Counter[str] = Counter()
        self._directory = directory
        self._write: Callable[[UnusableRow], object] = lambda _: None

    @property
    def total(self) -> int:
        """How many there were."""
        return self.reasons.total()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Have the table open; a log without unusable rows has one with a header only."""
        if self._directory is None:
            yield
            return
        with (self._directory / FILE).open("w", encoding="utf-8-sig", newline="") as file:
            table = csv.writer(file)
            table.writerow(("line", "column", "value", "reason"))
            self._write = lambda row: table.writerow((row.line, _safe(row.column), _safe(row.value), row.kind))
            yield

    def add(self, row: UnusableRow) -> None:
        """Note one row."""
        self.reasons[row.kind] += 1
        if len(self.first) < HELD:
            self.first.append(row)
        self._write(row)


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
