"""One guarded way out: every request of every connector leaves through a `GuardedAdapter`.

It counts calls, bounds every wait, verifies TLS, follows no redirect and speaks only to hosts on the source's
allow-list, so that a link inside a reply cannot carry our credentials elsewhere. It never repeats a request:
repeating is `connectors.transport`'s business, for reads alone.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from hub.errors import ConfigurationError, SourceBroken, SourceRefused, SourceUnavailable

Timeout = tuple[float, float]
TIMEOUT: Timeout = (5.0, 60.0)  # seconds to connect, seconds between two bytes
_MESSAGE_LIMIT = 200  # characters of a service's own words quoted in a message


@dataclass(slots=True)
class Meter:
    """What a source has cost so far: requests sent (repeats included) and seconds spent waiting to repeat."""

    calls: int = 0
    waited: float = 0.0


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
        ca_file: private certificate authority; verification itself cannot be switched off.
    """

    def __init__(
        self,
        source: str,
        *,
        allowed_hosts: Sequence[str],
        base_url: str | None = None,
        timeout: Timeout = TIMEOUT,
        ca_file: str | None = None,
        meter: Meter | None = None,
    ) -> None:
        super().__init__(max_retries=0)
        self.source = source
        self.meter = meter or Meter()
        self._allowed = tuple(host.lower() for host in allowed_hosts)
        self._timeout = timeout
        self._ca_file = ca_file
        self._base = urlsplit(base_url) if base_url else None
        if self._base is not None and not is_loopback(self._base.hostname or ""):
            raise ConfigurationError(
                f"{source}: base_url must be an address of this machine",
                hint="leave base_url out and give the real domain",
            )

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

        Raises SourceRefused for an address outside the allow-list, SourceBroken for a redirect, and lets
        requests' own errors through: whether a failure may be repeated is the caller's knowledge.
        """
        self._aim(request)
        self.meter.calls += 1
        response = super().send(
            request,
            stream=True,
            timeout=timeout or self._timeout,
            verify=self._ca_file or verify or True,
            cert=cert,
            proxies=None if is_loopback(urlsplit(request.url or "").hostname or "") else proxies,
        )
        if response.is_redirect:
            response.close()
            raise SourceBroken(
                f"{self.source}: {request.method} {path_of(request.url)} was redirected",
                source=self.source,
                hint="check the address of the source; redirects are never followed",
                remedy="fix configuration",
            )
        if not stream:
            _ = response.content  # here, so that a cut body is seen by whoever decides about repeating
        return response

    def _aim(self, request: requests.PreparedRequest) -> None:
        """Check the address with the parser that will send it, then rewrite it to the test server if any."""
        try:
            url = parse_url(request.url or "")
        except LocationParseError:
            url = Url()
        netloc = f"{url.host}:{url.port}" if url.port else (url.host or "")
        if self._base is not None and netloc.lower() == self._base.netloc.lower():
            request.url = f"{self._base.scheme}://{self._base.netloc}{url.request_uri}"
            return
        secure = url.scheme == "https" or is_loopback(url.host or "")
        if not secure or url.auth or not self._may_reach(url):
            raise SourceRefused(
                f"{self.source}: refused to send to {url.scheme}://{netloc}",
                source=self.source,
                hint="only the configured service is spoken to; check the address of the source",
            )
        if self._base is not None:
            request.url = f"{self._base.scheme}://{self._base.netloc}{url.request_uri}"

    def _may_reach(self, url: Url) -> bool:
        host = (url.host or "").lower().rstrip(".")
        standard = url.port in (None, 443)
        for allowed in self._allowed:
            if allowed.startswith("*."):
                if standard and host.endswith(allowed[1:]):
                    return True
            elif allowed == f"{host}:{url.port}" or (allowed == host and standard):
                return True
        return False


class MeteredSession(requests.Session):
    """A requests session that goes out through one adapter only; `meter` counts what it costs."""

    def __init__(self, adapter: GuardedAdapter) -> None:
        super().__init__()
        self.meter = adapter.meter
        mount(self, adapter)


def mount(session: requests.Session, adapter: GuardedAdapter) -> Meter:
    """Make `adapter` the only way out of a client library's own session; returns its meter."""
    session.adapters.clear()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    if session.auth is None:
        session.auth = _OnlyOurHeaders()
    return adapter.meter


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    bare = host.strip("[]").lower()
    if bare == "localhost":
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def path_of(url: str | None) -> str:
    """Path of a URL for messages: queries can hold data and are left out."""
    return urlsplit(url or "").path or "/"


def read_json(response: requests.Response, source: str) -> Any:
    """The JSON of a good reply.

    Raises SourceRefused (401, 403 and other 4xx), SourceUnavailable (429, 5xx) or SourceBroken (HTML, cut or
    no JSON); no message holds a credential.
    """
    status = response.status_code
    place = f"{source}: {response.request.method} {path_of(response.request.url)}"
    if status == 401:
        raise SourceRefused(
            f"{place} answered 401: not signed in{said(response)}",
            source=source,
            hint="check the credentials the charter refers to; the token may be wrong, expired or revoked",
        )
    if status == 403:
        raise SourceRefused(
            f"{place} answered 403: not allowed{said(response)}",
            source=source,
            hint="give the hub's account permission to see this, or take it out of the charter",
        )
    if status == 429 or status >= 500:
        raise SourceUnavailable(
            f"{place} answered {status}{said(response)}", source=source, hint="the next sync tries again"
        )
    if status >= 400:
        raise SourceRefused(
            f"{place} answered {status}{said(response)}",
            source=source,
            hint="check the names of objects, projects, tables and fields in the charter",
        )
    if status >= 300:
        raise SourceBroken(
            f"{place} answered {status}",
            source=source,
            hint="check the address of the source",
            remedy="fix configuration",
        )
    kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if not kind.endswith("json"):
        raise SourceBroken(
            f"{place} answered {kind or 'something without a content type'} instead of JSON",
            source=source,
            hint="a proxy, a sign-in page or a maintenance page may stand before the service",
            remedy="wait",
        )
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError:
        raise SourceBroken(
            f"{place} answered JSON that is cut or malformed ({len(response.content)} bytes)",
            source=source,
            hint="the next sync tries again; nothing of this page was used",
            remedy="wait",
        ) from None


def said(response: requests.Response) -> str:
    """The service's own words about a failure, one short line with a leading colon, or nothing.

    Only known message fields of a JSON body are quoted; other bodies are pages meant for browsers.
    """
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return ""
    words = " ".join(" ".join(_words(body)).split())
    return f": {words[:_MESSAGE_LIMIT]}" if words else ""


def _words(body: Any) -> list[str]:
    if isinstance(body, str):
        return [body]
    if isinstance(body, list):
        return [word for part in body[:3] for word in _words(part)]
    if not isinstance(body, dict):
        return []
    found: list[str] = []
    for key in ("errorCode", "type", "error", "errors", "message", "errorMessages", "error_description"):
        value = body.get(key)
        if key == "errors" and isinstance(value, dict):
            found += [f"{name}: {text}" for name, text in value.items() if isinstance(text, str)]
        elif value:
            found += _words(value)
    return found
