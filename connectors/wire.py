"""One guarded way out: every request of every connector leaves through a `GuardedAdapter`.

It counts calls, bounds every wait and the size of every reply, verifies TLS, follows no redirect and speaks only
to hosts on the source's allow-list, so that a link inside a reply cannot carry our credentials elsewhere. It
never repeats a request: repeating is `connectors.transport`'s business, for reads alone.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any, Required, TypedDict
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from connectors.addresses import AllowList, is_loopback, origin_of, path_of
from connectors.replies import read_json, said
from hub.errors import ConfigurationError, SourceBroken, SourceRefused

__all__ = [
    "MAX_REPLY",
    "TIMEOUT",
    "GuardedAdapter",
    "Meter",
    "MeteredSession",
    "Timeout",
    "Way",
    "is_loopback",
    "mount",
    "path_of",
    "read_json",
    "said",
]

Timeout = tuple[float, float]
TIMEOUT: Timeout = (5.0, 60.0)  # seconds to connect, seconds between two bytes
MAX_REPLY = 200_000_000  # bytes of one reply, unpacked
_UNREADABLE = "an address that is not plainly written"
_PIECE = 65_536  # bytes read at a time


@dataclass(slots=True)
class Meter:
    """What a source has cost so far: requests sent (repeats included) and seconds spent waiting to repeat."""

    calls: int = 0
    waited: float = 0.0


class Way(TypedDict, total=False):
    """How a source is reached, the same for reading and writing; see `GuardedAdapter`."""

    allowed_hosts: Required[Sequence[str]]
    base_url: str | None
    timeout: Timeout
    ca_file: str | PathLike[str] | None
    max_reply: int
    meter: Meter | None


class _OnlyOurHeaders(AuthBase):
    """Keeps requests from replacing our Authorization header by an entry of the user's .netrc file."""

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        return r


class GuardedAdapter(HTTPAdapter):
    """Sends each request at most once, and only where it may go.

    Args:
        source: configured source name, for messages.
        allowed_hosts: `host`, `host:port` or `*.suffix`; everything else is refused.
        base_url: loopback address that stands in for every allowed https host (test servers).
        timeout: seconds to connect, and seconds between two bytes.
        ca_file: PEM file of a private certificate authority, trusted instead of the public ones; verification
            itself cannot be switched off.
        max_reply: most bytes of one reply, unpacked. A reply asked for with `stream=True` is read by the caller,
            piece by piece, and is not bounded here.
        meter: where calls are counted; several sessions may share one.

    Raises ConfigurationError for a `base_url` elsewhere and a `ca_file` without certificates.
    """

    def __init__(
        self,
        source: str,
        *,
        allowed_hosts: Sequence[str],
        base_url: str | None = None,
        timeout: Timeout = TIMEOUT,
        ca_file: str | PathLike[str] | None = None,
        max_reply: int = MAX_REPLY,
        meter: Meter | None = None,
    ) -> None:
        super().__init__(max_retries=0)
        self.source = source
        self.meter = meter or Meter()
        self._allowed = AllowList(source, allowed_hosts, base_url)
        self._timeout = timeout
        self._ca_file = _authority(source, ca_file)
        self._max_reply = max_reply

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send once and read the whole reply.

        Raises SourceRefused for an address outside the allow-list and a credential that no header can hold,
        SourceBroken for a redirect and a reply that is too large, and lets requests' own errors through: whether
        a failure may be repeated is the caller's knowledge.
        """
        self._aim(request)
        self.meter.calls += 1
        try:
            response = super().send(
                request,
                stream=True,
                timeout=timeout or self._timeout,
                verify=self._ca_file or verify or True,
                cert=cert,
                proxies=None if is_loopback(urlsplit(request.url or "").hostname or "") else proxies,
            )
        except UnicodeError:
            raise _unsendable(self.source) from None
        if response.is_redirect:
            response.close()
            raise SourceBroken(
                f"{self.source}: {request.method} {path_of(request.url)} was redirected",
                source=self.source,
                hint="check the address of the source; redirects are never followed",
                remedy="fix configuration",
            )
        if not stream:
            self._read(request, response)  # here, so that a cut body is seen by whoever decides about repeating
        return response

    def _read(self, request: requests.PreparedRequest, response: requests.Response) -> None:
        pieces: list[bytes] = []
        size = 0
        for piece in response.iter_content(_PIECE):
            size += len(piece)
            if size > self._max_reply:
                response.close()
                raise SourceBroken(
                    f"{self.source}: the reply to {request.method} {path_of(request.url)} is larger than "
                    f"{self._max_reply / 1e6:,.0f} MB",
                    source=self.source,
                    hint="nothing of it was used; ask the source for smaller pages",
                    remedy="fix configuration",
                )
            pieces.append(piece)
        response._content = b"".join(pieces)

    def _aim(self, request: requests.PreparedRequest) -> None:
        url = self._allowed.aim(request.url or "")
        if url is None:
            origin = origin_of(request.url or "")
            where = f"{origin.scheme}://{origin.netloc}" if origin else _UNREADABLE
            raise _nowhere(self.source, where)
        request.url = url


class MeteredSession(requests.Session):
    """A requests session that goes out through one adapter only; `meter` counts what it costs."""

    def __init__(self, adapter: GuardedAdapter) -> None:
        super().__init__()
        self.meter = adapter.meter
        mount(self, adapter)


def mount(session: requests.Session, adapter: GuardedAdapter) -> Meter:
    """Make `adapter` the only way out of a client library's own session; returns its meter.

    A header that cannot be sent then raises SourceRefused, where requests' own error would quote it.
    """
    session.adapters.clear()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.mount("", adapter)  # so that every other kind of address is refused there too
    if session.auth is None:
        session.auth = _OnlyOurHeaders()
    prepare = session.prepare_request

    def careful(request: requests.Request) -> requests.PreparedRequest:
        try:
            return prepare(request)
        except (requests.exceptions.InvalidHeader, UnicodeError):
            raise _unsendable(adapter.source) from None
        except requests.exceptions.RequestException:
            raise _nowhere(adapter.source, _UNREADABLE) from None

    session.prepare_request = careful  # type: ignore[method-assign]  # the session may be a library's own
    return adapter.meter


def _authority(source: str, ca_file: str | PathLike[str] | None) -> str | None:
    if ca_file is None:
        return None
    path = fspath(ca_file)
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:  # ssl.SSLError is one
        reason = "holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror or "cannot be read"
        raise ConfigurationError(
            f"{source}: ca_file {path}: {reason}",
            hint="name the absolute path of a PEM file with the certificate of the authority",
        ) from None
    return path


def _nowhere(source: str, where: str) -> SourceRefused:
    return SourceRefused(
        f"{source}: refused to send to {where}",
        source=source,
        hint="only the configured service is spoken to; check the address of the source",
    )


def _unsendable(source: str) -> SourceRefused:
    return SourceRefused(
        f"{source}: a credential holds characters that cannot be sent",
        source=source,
        hint="look for line breaks, leading blanks and letters beyond Latin-1 in the secrets the charter refers to",
    )
