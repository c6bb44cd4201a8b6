"""Where a walk over a table has got to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import orjson

# Records become visible to formulas after their stamp says so. Nobody documents how long after; ten minutes of
# changes fit one page nearly everywhere, so that generosity costs nothing.
OVERLAP = timedelta(minutes=10)
TICK = timedelta(seconds=1)  # IS_AFTER is strict, and formulas may see whole seconds only


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Cursor of a table: the highest stamp that is stored (None: nothing yet), whether the walk that brought us
    here was disturbed, so that this one repeats it, and what was read (`role=field`; nothing: not known)."""

    stamp: datetime | None = None
    again: bool = False
    read: tuple[str, ...] = ()

    @classmethod
    def parse(cls, cursor: str | None) -> Position:
        """The position a cursor describes (None: the beginning)."""
        held = orjson.loads(cursor) if cursor else {}
        stamp = held.get("stamp")
        return cls(
            stamp=datetime.fromisoformat(stamp) if stamp else None,
            again=bool(held.get("again")),
            read=tuple(held.get("read") or ()),
        )

    def text(self) -> str:
        """The cursor."""
        stamp = self.stamp.astimezone(UTC).isoformat() if self.stamp else None
        return orjson.dumps({"stamp": stamp, "again": self.again, "read": self.read}).decode()

    def reading(self, read: tuple[str, ...]) -> Position:
        """Where to begin with these fields: at the beginning when there is one among them that was not read."""
        return Position(read=read) if self.read and set(read) - set(self.read) else replace(self, read=read)

    def formula(self, stamp_field: str | None) -> str | None:
        """Filter for what has changed since, with the overlap."""
        if self.stamp is None:
            return None
        since = (self.stamp - OVERLAP - TICK).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        changed = f"{{{stamp_field}}}" if stamp_field else "LAST_MODIFIED_TIME()"
        return f'IS_AFTER({changed}, DATETIME_PARSE("{since}"))'
