"""Records on their way into a page: read, or put aside with the reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson

from connectors.airtable.cells import Unreadable
from connectors.airtable.parse import Parsed
from hub.domain.records import Observation, Page, Quarantined, RawRecord


class Batch:
    """What becomes a page; `last` is the digest of the record taken last."""

    def __init__(self, source: str, stream: str, now: datetime) -> None:
        self._source = source
        self._stream = stream
        self._now = now
        self._records: list[RawRecord] = []
        self._quarantined: list[Quarantined] = []
        self.observations: list[Observation] = []
        self.last = ""

    def take(self, native: str, version: str, value: Any, read: Callable[[Any, str], Parsed]) -> Parsed | None:
        """Take a record with what it says, or put it aside with the reason and return None."""
        raw = RawRecord(
            source=self._source,
            stream=self._stream,
            native_id=native,
            version=version,
            payload=orjson.dumps(value, option=orjson.OPT_SORT_KEYS),
            fetched_at=self._now,
        )
        self.last = raw.digest
        try:
            parsed = read(value, self.last)
        except (Unreadable, LookupError, TypeError, AttributeError, ValueError) as error:
            self._quarantined.append(
                Quarantined(
                    source=self._source,
                    stream=self._stream,
                    native_id=native,
                    reason=str(error) if isinstance(error, Unreadable) else f"of an unexpected shape ({error})",
                    payload=raw.payload,
                )
            )
            return None
        self._records.append(raw)
        self.observations += parsed.observations
        return parsed

    def page(self, cursor: str | None) -> Page:
        """What was taken, with the position behind it (None: none)."""
        return Page(
            records=tuple(self._records),
            observations=tuple(self.observations),
            quarantined=tuple(self._quarantined),
            cursor=cursor,
        )
