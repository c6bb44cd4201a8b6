"""The one clock of a simulated company: every stamp, expiry, rate window and ``Date`` header follows it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.stamps import Clock, parsed, wall_clock

_MOST = timedelta(days=36_500)


class UnusableTime(ValueError):
    """A move of the clock that cannot be understood; the text says why."""


class VirtualClock:
    """Runs as fast as the clock under it, at any distance from it, or stands still."""

    def __init__(self, under: Clock = wall_clock) -> None:
        """Begin together with the clock under it."""
        self._under = under
        self._lock = threading.Lock()
        self._offset = timedelta()
        self._watcher: Callable[[], None] | None = None
        self._stands_at: datetime | None = None

    def __call__(self) -> datetime:
        """Return the company's present in UTC."""
        with self._lock:
            return self._now()

    def advance(self, seconds: float) -> datetime:
        """Move on (or, below zero, back) by so many seconds; returns the new present. Raises UnusableTime."""
        with self._lock:
            self._move(self._now() + _span(seconds))
            return self._now()

    def set(self, at: datetime) -> datetime:
        """Make this the present; returns it. Raises UnusableTime for a time without an offset."""
        if at.tzinfo is None:
            raise UnusableTime("give the offset too, like 2026-01-01T09:00:00+00:00")
        with self._lock:
            self._move(at.astimezone(UTC))
            return self._now()

    def freeze(self) -> None:
        """Stand still; time can still be moved."""
        with self._lock:
            self._stands_at = self._now()

    def resume(self) -> None:
        """Run on from where the clock stands."""
        with self._lock:
            if self._stands_at is not None:
                self._offset = self._stands_at - self._under()
                self._stands_at = None

    def obey(self, wanted: Mapping[str, Any]) -> None:
        """Carry out ``advance`` (seconds), ``set`` (ISO time with offset), ``frozen`` (flag). Raises UnusableTime."""
        unknown = sorted(set(wanted) - {"advance", "set", "frozen"})
        if unknown or not wanted:
            raise UnusableTime(f"say advance, set or frozen, not {', '.join(unknown) or 'nothing'}")
        if not isinstance(wanted.get("frozen", True), bool):
            raise UnusableTime("frozen is true or false")
        if wanted.get("frozen", False):  # first, so that the time that is set is the very time it stands at
            self.freeze()
        if "set" in wanted:
            try:
                at = datetime.fromisoformat(str(wanted["set"]))
            except ValueError as error:
                raise UnusableTime(f"set is no ISO time: {error}") from error
            self.set(at)
        if "advance" in wanted:
            self.advance(wanted["advance"])
        if not wanted.get("frozen", True):
            self.resume()
        if self._watcher is not None:
            self._watcher()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Have a function called after every move that ``obey`` makes."""
        self._watcher = watcher

    def told(self) -> dict[str, Any]:
        """Return the present, the distance from the clock under it in seconds, and whether time stands still."""
        with self._lock:
            now = self._now()
            away = (now - self._under()).total_seconds()
            return {"now": now.isoformat(), "offset_seconds": round(away, 3), "frozen": self._stands_at is not None}

    def _now(self) -> datetime:
        return self._under() + self._offset if self._stands_at is None else self._stands_at

    def _move(self, at: datetime) -> None:
        if abs(at - self._under()) > _MOST:
            raise UnusableTime("the clock can be moved by a hundred years at most")
        if self._stands_at is None:
            self._offset = at - self._under()
        else:
            self._stands_at = at


def expired(since: str, now: datetime, *, seconds: float) -> bool:
    """Whether so many seconds have passed since a stamp (ISO text)."""
    return now - parsed(since) >= timedelta(seconds=seconds)


def _span(seconds: Any) -> timedelta:
    if isinstance(seconds, (bool, str)):
        raise UnusableTime(f"advance is a number of seconds, not {seconds!r}")
    try:
        return timedelta(seconds=float(seconds))
    except (TypeError, ValueError, OverflowError) as error:
        raise UnusableTime(f"advance is a number of seconds, not {seconds!r}") from error
