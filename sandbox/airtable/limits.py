"""Requests per second for each base and for each account, and the lock that follows one too many."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from sandbox.calls import Answer, RefusedCall, reply
from sandbox.store import Store

_MESSAGE = "Rate limit exceeded. Please try again later"
_PER_ACCOUNT = 50


class RateLimit:
    """So many requests in any second of the company's clock; whoever exceeds it is locked out for the penalty."""

    def __init__(self, store: Store, space: str) -> None:
        """Read `_settings`: `requests_per_second` for a base (absent: no limits), `_per_account`, `penalty_seconds`.

        The service's own values are 5, 50 and 30. They are off unless a world asks for them, because a run that
        is made to finish quickly would otherwise mostly wait.
        """
        settings = next(store.scan(space, "_settings", limit=1), {})
        self._most = int(settings.get("requests_per_second") or 0)
        self._per_account = int(settings.get("requests_per_second_per_account") or _PER_ACCOUNT)
        self._penalty = timedelta(seconds=float(settings.get("penalty_seconds", 30)))
        self._recent: dict[str, deque[datetime]] = {}
        self._locked: dict[str, datetime] = {}

    def lock(self, key: str, until: datetime) -> None:
        """Lock a base (or an account) until a time."""
        self._locked[key] = until

    def passed(self, now: datetime, *, base: str, account: str) -> None:
        """Count a request; raises RefusedCall (429) when it is one too many, or the base is locked."""
        for key in filter(None, (base, account)):
            until = self._locked.get(key)
            if until is not None and now < until:
                raise RefusedCall(too_many())
            self._locked.pop(key, None)
        if not self._most:
            return
        for key, most in ((base, self._most), (account, self._per_account)):
            if not key:
                continue
            recent = self._recent.setdefault(key, deque())
            while recent and now - recent[0] >= timedelta(seconds=1):
                recent.popleft()
            if len(recent) >= most:
                self._locked[key] = now + self._penalty
                raise RefusedCall(too_many())
            recent.append(now)


def too_many() -> Answer:
    """Return what one request too many gets: an array of errors, unlike every other refusal."""
    return reply({"errors": [{"error": "RATE_LIMIT_REACHED", "message": _MESSAGE}]}, 429)
