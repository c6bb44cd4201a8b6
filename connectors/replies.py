"""What a reply says: its JSON, or one clear error without a credential in it."""

from __future__ import annotations

import math
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl

import orjson
import requests

from connectors.addresses import path_of
from hub.errors import SourceBroken, SourceRefused, SourceUnavailable

_MESSAGE_LIMIT = 200  # characters of a service's own words quoted in a message
_SHORTEST = 6  # characters; taking out anything shorter would only garble the message
# Every header but these may be what a service knows us by: some take their key in a header of their own name.
_PLAIN_HEADERS = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent", "x-prettyprint"}
)
_SIGN_IN_FIELDS = frozenset(
    {"access_token", "assertion", "client_assertion", "client_secret", "code", "password", "refresh_token", "token"}
)
_FORM = "application/x-www-form-urlencoded"


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
        asked, hint = _patience(response)
        raise SourceUnavailable(f"{place} answered {status}{said(response)}{asked}", source=source, hint=hint)
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
    words = without_credentials(" ".join(" ".join(_words(body)).split()), response.request)
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


def asked_wait(response: requests.Response) -> float | None:
    """Seconds the service asks us to wait, or None when it does not say (or says it unreadably).

    A date in `Retry-After` is read against the reply's own Date header, so our clock does not matter.
    """
    asked = response.headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked)
    try:
        until = parsedate_to_datetime(asked)
        return max(0.0, (until - parsedate_to_datetime(response.headers["Date"])).total_seconds())
    except (ValueError, TypeError, KeyError, OverflowError, IndexError):
        return None


def _patience(response: requests.Response) -> tuple[str, str]:
    """What a service that turned us away asks for, for the message; and until when, for the hint."""
    again = "the next sync tries again"
    wait = asked_wait(response)
    if wait is None:
        return "", again
    if not math.isfinite(wait) or wait > timedelta.max.total_seconds():
        return "; it asks us to stay away for good", again
    asked = f"; it asks us to wait {math.ceil(wait)} s"
    try:
        until = parsedate_to_datetime(response.headers["Date"]).astimezone(UTC) + timedelta(seconds=wait)
    except (ValueError, TypeError, KeyError, OverflowError, IndexError):
        return asked, again
    return asked, f"{again}; before {_minute(until)} the service would refuse it too"


def _minute(at: datetime) -> str:
    whole = at.replace(second=0, microsecond=0)
    return f"{whole if whole == at else whole + timedelta(minutes=1):%Y-%m-%d %H:%M} UTC"


def without_credentials(text: str, request: requests.PreparedRequest) -> str:
    """`text` with every credential that `request` carried taken out; services quote what they were sent."""
    for secret in sorted(_credentials(request), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _credentials(request: requests.PreparedRequest) -> set[str]:
    found: set[str] = set()
    for name, value in request.headers.items():
        held = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        if name.lower() in _PLAIN_HEADERS:
            continue
        found.add(held)
        scheme, _, rest = held.partition(" ")
        found.add(rest)
        if scheme.lower() == "basic":
            found.update(_basic(rest))
    if request.body and _FORM in str(request.headers.get("Content-Type", "")):
        body = request.body.decode("utf-8", "replace") if isinstance(request.body, bytes) else str(request.body)
        found.update(value for name, value in parse_qsl(body) if name in _SIGN_IN_FIELDS)
        found.update(part.partition("=")[2] for part in body.split("&") if part.partition("=")[0] in _SIGN_IN_FIELDS)
    return {" ".join(each.split()) for each in found if len(each) >= _SHORTEST}


def _basic(encoded: str) -> set[str]:
    try:
        name_and_password = b64decode(encoded, validate=True).decode("latin-1")
    except ValueError:
        return set()
    return {name_and_password, name_and_password.partition(":")[2]}
