"""Sessions for reading, the only place that repeats a request.

Repeated are GET and those POST requests that only ask (marked with `READ`), on 429, 502, 503, 504 and lost
connections; never a write. Write code cannot import this module (a test holds it to that): it uses
`connectors.write_transport`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Unpack

import requests

from connectors.replies import asked_wait
from connectors.wire import GuardedAdapter, Meter, MeteredSession, Way, mount, path_of, read_json
from hub.errors import SourceBroken, SourceRefused, SourceUnavailable

__all__ = ["READ", "Meter", "MeteredSession", "ReadingAdapter", "mount", "read_json", "session"]

# Header that marks a POST as a mere question; it is taken off before the request leaves.
_MARK = "X-Hub-Read"
READ: Mapping[str, str] = MappingProxyType({_MARK: "1"})

READ_RETRIES = 4
FIRST_WAIT = 0.5  # seconds; doubles with every repeat
TOTAL_WAIT = 300.0  # seconds one request may spend waiting, all repeats together
_COME_BACK = frozenset({429, 502, 503, 504})


class ReadingAdapter(GuardedAdapter):
    """A guarded adapter that repeats questions, within a bounded total wait.

    `Retry-After` is honoured in seconds and as a date (read against the reply's own Date header, so our clock
    does not matter). A wait that does not fit into `total_wait` ends the attempts at once: the last reply is
    returned. Failures of the connection become SourceUnavailable, a bad certificate SourceRefused, a cut body
    SourceBroken.
    """

    def __init__(
        self,
        source: str,
        *,
        read_retries: int = READ_RETRIES,
        first_wait: float = FIRST_WAIT,
        total_wait: float = TOTAL_WAIT,
        sleep: Callable[[float], None] = time.sleep,
        **way: Unpack[Way],
    ) -> None:
        super().__init__(source, **way)
        self._retries = read_retries
        self._first_wait = first_wait
        self._total_wait = total_wait
        self._sleep = sleep

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send, and send again while the service asks for patience and the request is only a question."""
        marked = request.headers.pop(_MARK, None) is not None
        repeatable = request.method in {"GET", "HEAD"} or (request.method == "POST" and marked)
        left = self._total_wait
        for attempt in range(self._retries + 1 if repeatable else 1):
            last = not repeatable or attempt == self._retries
            response: requests.Response | None = None
            try:
                response = super().send(request, stream, timeout, verify, cert, proxies)
            except requests.exceptions.SSLError:
                raise self._untrusted(request) from None
            except (
                requests.exceptions.ConnectionError,
                requests.exceptions.Timeout,
                requests.exceptions.ChunkedEncodingError,
                requests.exceptions.ContentDecodingError,
            ) as error:
                if last:
                    raise self._failure(request, error) from None
                pause: float | None = None
            else:
                if response.status_code not in _COME_BACK or last:
                    return response
                pause = asked_wait(response)
            if pause is None:
                pause = self._first_wait * 2**attempt
            if pause > left:
                if response is not None:
                    return response
                raise SourceUnavailable(
                    f"{self.source}: no answer to {request.method} {path_of(request.url)}",
                    source=self.source,
                    hint="the next sync tries again",
                )
            left -= pause
            self.meter.waited += pause
            self._sleep(pause)
        raise AssertionError("the last attempt returns or raises")  # pragma: no cover

    def _untrusted(self, request: requests.PreparedRequest) -> SourceRefused:
        return SourceRefused(
            f"{self.source}: the certificate of the service is not trusted ({path_of(request.url)})",
            source=self.source,
            hint="if a private certificate authority is in use, name its file; verification stays on",
        )

    def _failure(self, request: requests.PreparedRequest, error: Exception) -> Exception:
        place = f"{request.method} {path_of(request.url)}"
        if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
            return SourceBroken(
                f"{self.source}: the reply to {place} was cut",
                source=self.source,
                hint="the next sync tries again; nothing of this page was used",
                remedy="wait",
            )
        if isinstance(error, requests.exceptions.ConnectTimeout):
            what = "cannot be reached (timed out)"
        elif isinstance(error, requests.exceptions.Timeout):
            what = f"did not answer {place} in time"
        else:
            what = f"cannot be reached or hung up ({place})"
        return SourceUnavailable(
            f"{self.source}: the service {what}",
            source=self.source,
            hint="check the address and the network; the next sync tries again",
        )


class ReadingWay(Way, total=False):
    """How a source is reached for reading; see `ReadingAdapter`."""

    read_retries: int
    first_wait: float
    total_wait: float
    sleep: Callable[[float], None]


def session(source: str, **way: Unpack[ReadingWay]) -> MeteredSession:
    """A session for reading; see `ReadingAdapter`. Pass one `meter` to several sessions to add them up."""
    return MeteredSession(ReadingAdapter(source, **way))
