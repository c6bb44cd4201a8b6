"""What one call changed in a base, as webhooks will tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordChange:
    """A changed record: all its cells now, and the changed ones before and after, by field id (None: empty)."""

    cells: Values
    current: Values
    previous: Values


@dataclass(slots=True, kw_only=True)
class TableChanges:
    """What changed in one table."""

    created_records: dict[str, tuple[str, Values]] = field(default_factory=dict)  # id -> (created time, cells)
    changed_records: dict[str, RecordChange] = field(default_factory=dict)
    destroyed_records: list[str] = field(default_factory=list)
    created_fields: dict[str, Values] = field(default_factory=dict)
    changed_fields: dict[str, tuple[Values, Values]] = field(default_factory=dict)  # id -> (current, previous)
    destroyed_fields: list[str] = field(default_factory=list)
    metadata: tuple[Values, Values] | None = None  # (current, previous)


@dataclass(slots=True, kw_only=True)
class Changes:
    """Everything one call changed in a base, by table id."""

    tables: dict[str, TableChanges] = field(default_factory=dict)
    created_tables: dict[str, Values] = field(default_factory=dict)

    def of(self, table: str) -> TableChanges:
        """Return the changes of a table, to be added to."""
        return self.tables.setdefault(table, TableChanges())

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.tables or self.created_tables)
