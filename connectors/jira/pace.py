"""Waiting before a limit bites: what Jira's rate headers say about the next request to the same endpoint."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

# The windows of the documented limiter are minutes, and a reply does not always say when the next one begins.
WINDOW = 60.0
LONGEST = 120.0  # seconds; a reset further away is left to the refusal and its Retry-After
_NAME = re.compile(r"\d")


class Pace:
    """Limits as the service tells them, each for one method and endpoint. `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until: dict[tuple[str, str], float] = {}

    def told(self, method: str, path: str, headers: Mapping[str, str], date: datetime | None) -> None:
        """Take note of a good reply; `date` is the service's own clock, which `X-RateLimit-Reset` goes by."""
        endpoint = _endpoint(method, path)
        self._until.pop(endpoint, None)
        if headers.get("X-RateLimit-Remaining", "").strip() != "0":
            return
        pause = _until_reset(headers.get("X-RateLimit-Reset", ""), date)
        if pause <= LONGEST:
            self._until[endpoint] = self._clock() + pause

    def pause(self, method: str, path: str) -> float:
        """Seconds to wait before the next request, 0 where nothing was said."""
        return max(0.0, self._until.pop(_endpoint(method, path), 0.0) - self._clock())


def _endpoint(method: str, path: str) -> tuple[str, str]:
    """The path without the names of single things."""
    return method, "/".join(part for part in path.split("/") if not _NAME.search(part))


def _until_reset(written: str, date: datetime | None) -> float:
    try:
        reset = datetime.fromisoformat(written.strip())
    except ValueError:
        return WINDOW
    if date is None or reset.tzinfo is None:
        return WINDOW
    return max(0.0, (reset.astimezone(UTC) - date).total_seconds())
