"""Airtable's limit of requests per base, kept by waiting before the request rather than after the refusal."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

import requests

from connectors.wire import GuardedAdapter

# Going over the limit closes the base to everybody's requests for this long (documented); the reply does not
# say so in a Retry-After.
PENALTY = 30
_MARGIN = 0.05  # seconds: requests do not travel equally fast


class Pace:
    """At most so many requests in any window of time; waits only when the next one would be too many.

    A sliding window and not a bucket: a full bucket beside its refill would let twice the limit through.
    `clock` and `sleep` are in seconds.
    """

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._most = max(1, int(per_second))
        self._window = self._most / per_second + _MARGIN
        self._sent: deque[float] = deque(maxlen=self._most)
        self._clock = clock
        self._sleep = sleep
        self._lock = Lock()

    def wait(self) -> None:
        """Return when the next request may leave, and count it."""
        with self._lock:
            if len(self._sent) == self._most:
                left = self._sent[0] + self._window - self._clock()
                if left > 0:
                    self._sleep(left)
            self._sent.append(self._clock())


class PacedAdapter(GuardedAdapter):
    """A guarded adapter that keeps a pace and knows how long Airtable's 429 lasts."""

    pace: Pace

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Wait for the pace, then send once."""
        self.pace.wait()
        response = super().send(request, stream, timeout, verify, cert, proxies)
        if response.status_code == 429:
            response.headers.setdefault("Retry-After", str(PENALTY))
        return response
