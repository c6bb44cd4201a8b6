"""Which addresses a source may be spoken to at: a decision about text alone, nothing is resolved or sent.

Two parsers stand between a link and the socket and do not always agree on where a host ends. An address is
therefore taken apart once, refused unless every part has its plain form, and put together anew from the parts
that were looked at.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from hub.errors import ConfigurationError

_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*", re.ASCII)
# What some parser, proxy or server takes for the end of a host, and what a URL never holds unescaped.
_UNPLAIN = re.compile(r"[^\x21-\x7e]|\\")
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Scheme, host and port of an address, in their plain forms."""

    scheme: str
    host: str
    port: int

    @property
    def netloc(self) -> str:
        """`host:port` as it stands in an address; the port is left out where the scheme implies it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def origin_of(url: str) -> Origin | None:
    """Where an absolute address leads; None for one that is not http(s), names a user, or is not plain."""
    parts = _parts(url)
    if parts is None or parts.scheme not in _PORTS or "@" in parts.netloc or not parts.hostname:
        return None
    host = parts.hostname
    try:
        port = parts.port
    except ValueError:
        return None
    if parts.netloc.startswith("["):
        try:
            host = ipaddress.IPv6Address(host).compressed
        except ValueError:
            return None
        if "%" in host:
            return None
    elif not _NAME.fullmatch(host):
        return None
    return Origin(scheme=parts.scheme, host=host, port=port if port is not None else _PORTS[parts.scheme])


class AllowList:
    """Hosts a source may be spoken to at.

    Args:
        source: configured source name, for messages.
        hosts: `host`, `host:port` or `*.suffix`; the standard port unless one is named.
        base_url: loopback address that stands in for every allowed https host (test servers).

    Raises ConfigurationError when the stand-in is no address of this machine.
    """

    def __init__(self, source: str, hosts: Sequence[str], base_url: str | None = None) -> None:
        self._hosts = tuple(host.lower() for host in hosts)
        self._base = origin_of(base_url) if base_url else None
        if base_url and (self._base is None or not is_loopback(self._base.host)):
            raise ConfigurationError(
                f"{source}: base_url must be an address of this machine",
                hint="leave base_url out and give the real domain",
            )

    def aim(self, url: str) -> str | None:
        """The address to send to instead of `url`: the same place plainly written, or the stand-in. None: refused."""
        origin = origin_of(url)
        if origin is None:
            return None
        if self._base is None or (origin.host, origin.port) != (self._base.host, self._base.port):
            secure = origin.scheme == "https" or is_loopback(origin.host)
            if not secure or not self._names(origin):
                return None
        where = self._base or origin
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        return f"{where.scheme}://{where.netloc}{parts.path or '/'}{query}"

    def _names(self, origin: Origin) -> bool:
        standard = origin.port == _PORTS[origin.scheme]
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        for allowed in self._hosts:
            if allowed.startswith("*."):
                if standard and host.endswith(allowed[1:]):
                    return True
            elif allowed == f"{host}:{origin.port}" or (allowed == host and standard):
                return True
        return False


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
    try:
        return urlsplit(url or "").path or "/"
    except ValueError:
        return "/"


def _parts(url: str) -> SplitResult | None:
    # urlsplit drops line breaks and tabs without a word, so the text itself is looked at first
    if _UNPLAIN.search(url):
        return None
    try:
        return urlsplit(url)
    except ValueError:
        return None
