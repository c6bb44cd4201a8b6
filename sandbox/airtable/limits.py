"""The limit of requests per second, off unless the world's `_settings` ask for it."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from sandbox.calls import RefusedCall, reply
from sandbox.store import Store

_MESSAGE = "Rate limit exceeded. Please try again later"


class RateLimit:
    """So many requests in any second; whoever exceeds it is locked out for the penalty."""

    def __init__(self, store: Store, space: str) -> None:
        """Read `requests_per_second` (absent: no limit) and `penalty_seconds` (30) from `_settings`."""
        settings = next(store.scan(space, "_settings", limit=1), {})
        self._most = int(settings.get("requests_per_second") or 0)
        self._penalty = timedelta(seconds=float(settings.get("penalty_seconds", 30)))
        self._recent: deque[datetime] = deque()
        self._locked: datetime | None = None

    def passed(self, now: datetime) -> None:
        """Count a request; raises RefusedCall (429) when it is one too many."""
        if not self._most:
            return
        if self._locked is not None and now < self._locked:
            raise _too_many()
        while self._recent and now - self._recent[0] >= timedelta(seconds=1):
            self._recent.popleft()
        if len(self._recent) >= self._most:
            self._locked = now + self._penalty
            raise _too_many()
        self._recent.append(now)


def _too_many() -> RefusedCall:
    return RefusedCall(reply({"errors": [{"error": "RATE_LIMIT_REACHED", "message": _MESSAGE}]}, 429))
