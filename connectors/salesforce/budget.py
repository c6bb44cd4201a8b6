"""The requests an org allows within 24 hours, and the share of them that is not ours to take.

Every reply says how many are used (`Sforce-Limit-Info: api-usage=18/5000`). The hub stops asking before the
last share is touched, so that other programs of the org go on working.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from hub.errors import SourceUnavailable

_USAGE = re.compile(r"(?<![\w-])api-usage=(\d+)/(\d+)")
_BELIEVED = timedelta(minutes=5)  # what was said longer ago may have changed: ask again


class Budget:
    """What the org last said about its requests; `keep` is the share (0 to 1) left to others."""

    def __init__(self, source: str, keep: float) -> None:
        self._source = source
        self._keep = keep
        self._said: tuple[int, int, datetime] | None = None

    def hear(self, headers: Mapping[str, str], now: datetime) -> None:
        """Take note of a reply's headers; one without the figures changes nothing."""
        told = _USAGE.search(headers.get("Sforce-Limit-Info", ""))
        if told:
            self._said = int(told.group(1)), int(told.group(2)), now

    def spend(self, now: datetime) -> None:
        """Raise SourceUnavailable when one more request would touch the share kept for others."""
        if self._said is None:
            return
        used, most, at = self._said
        if now - at > _BELIEVED or used < most * (1 - self._keep):
            return
        raise SourceUnavailable(
            f"{self._source}: {used} of the org's {most} daily requests are used; the rest is kept for others",
            source=self._source,
            hint="wait for the rolling 24 hours to free some, ask for a higher limit, or lower "
            "connection.keep_requests",
        )
