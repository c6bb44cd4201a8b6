"""Signing in, in the four ways orgs allow: client credentials, JWT bearer, password by OAuth, password by SOAP.

Every way gives the same: a session, the address it is for, and the user we act as. Nothing here repeats or
remembers; `connectors.salesforce.org` decides when to sign in.
https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_flows.htm
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import jwt
import requests

from connectors.salesforce.refusals import raise_when_used_up
from connectors.wire import read_json, said
from hub.charter.secret import Secret
from hub.charter.sources import SalesforceConnection
from hub.errors import ConfigurationError, SourceBroken, SourceRefused, SourceUnavailable

_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTED_FOR = timedelta(minutes=3)  # the longest an assertion may live
_HINTS = {
    "client_credentials": "check client_id and client_secret, and that the app allows the client credentials flow",
    "jwt_bearer": "check client_id, username and private_key, and that the user is pre-authorised for the app whose "
    "certificate belongs to the key",
    "password": "check username, password and security_token, and that the org allows the username-password flow",
    "soap": "check username, password and security_token, and that the org still allows SOAP login",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session: `instance` is scheme and host for all further requests, `user` the id we act as."""

    token: str
    instance: str
    user: str


def sign_in(
    connection: SalesforceConnection,
    secret: Callable[[str], Secret],
    send: Callable[[str, bytes | dict[str, str], Mapping[str, str]], requests.Response],
    *,
    source: str,
    now: datetime,
) -> Session:
    """A new session. `send(url, body, headers)` posts; `now` is the org's clock as well as we know it.

    Raises SourceRefused when the org refuses, SourceUnavailable, SourceBroken or ConfigurationError.
    """
    host = host_of(connection)
    if connection.sign_in == "soap":
        return _by_soap(connection, secret, send, host, source)
    form = _form(connection, secret, host, now)
    response = send(f"https://{host}/services/oauth2/token", form, {})
    raise_when_used_up(response, source)
    try:
        granted = read_json(response, source)
    except SourceRefused as error:
        raise _refused(connection, source, said(response)) from error
    return _session(granted, source)


def host_of(connection: SalesforceConnection) -> str:
    """Host to sign in at: My Domain (also of a sandbox: `acme--uat.sandbox`), `login` or `test`."""
    if connection.domain is None:
        if connection.base_url is None:
            raise ConfigurationError(
                "a Salesforce source needs its domain", hint="connection.domain is your My Domain name"
            )
        return "login.salesforce.com"  # a label only: the transport sends it to base_url
    domain = connection.domain.removeprefix("https://").rstrip("/").lower()
    if domain.endswith(".salesforce.com"):
        return domain
    if domain in {"login", "test"} or domain.endswith(".my"):
        return f"{domain}.salesforce.com"
    return f"{domain}.my.salesforce.com"


def _form(
    connection: SalesforceConnection, secret: Callable[[str], Secret], host: str, now: datetime
) -> dict[str, str]:
    if connection.sign_in == "jwt_bearer":
        return {"grant_type": _JWT_GRANT, "assertion": _assertion(connection, secret, host, now)}
    form = {
        "client_id": connection.client_id,
        "client_secret": _revealed(connection.client_secret, secret),
    }
    if connection.sign_in == "password":
        return {
            **form,
            "grant_type": "password",
            "username": connection.username,
            "password": _password(connection, secret),
        }
    return {**form, "grant_type": "client_credentials"}


def _assertion(connection: SalesforceConnection, secret: Callable[[str], Secret], host: str, now: datetime) -> str:
    sandbox = host == "test.salesforce.com" or ".sandbox." in host or "--" in host
    claims = {
        "iss": connection.client_id,
        "sub": connection.username,
        "aud": f"https://{'test' if sandbox else 'login'}.salesforce.com",
        "exp": int((now + _ASSERTED_FOR).timestamp()),
    }
    key = _revealed(connection.private_key, secret)
    try:
        return jwt.encode(claims, key, algorithm="RS256")
    except (jwt.PyJWTError, ValueError, TypeError):
        # The library's own words may quote the key.
        raise ConfigurationError(
            f"{connection.private_key} holds no private RSA key",
            hint="the key in PEM form whose certificate was uploaded to the app",
        ) from None


def _by_soap(
    connection: SalesforceConnection,
    secret: Callable[[str], Secret],
    send: Callable[[str, bytes | dict[str, str], Mapping[str, str]], requests.Response],
    host: str,
    source: str,
) -> Session:
    envelope = (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:p="urn:partner.soap.sforce.com">'
        f"<e:Body><p:login><p:username>{escape(connection.username)}</p:username>"
        f"<p:password>{escape(_password(connection, secret))}</p:password></p:login></e:Body></e:Envelope>"
    )
    response = send(
        f"https://{host}/services/Soap/u/{connection.api_version}",
        envelope.encode(),
        {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": "login"},
    )
    told = _elements(response, source)
    fault = told.get("exceptionCode") or told.get("faultcode", "")
    if fault.endswith("REQUEST_LIMIT_EXCEEDED"):
        raise SourceUnavailable(
            f"{source}: the org's daily API limit is used up",
            source=source,
            hint="wait for the rolling 24 hours to free some, or ask for a higher limit",
        )
    if fault.endswith("SERVER_UNAVAILABLE"):
        raise SourceUnavailable(f"{source}: sign-in: {fault}", source=source, hint="the next sync tries again")
    if fault or response.status_code >= 400:
        raise _refused(connection, source, f": {' '.join(fault.split())[:80]}" if fault else "")
    return _session(
        {
            "access_token": told.get("sessionId"),
            "instance_url": told.get("serverUrl"),
            "id": told.get("userId"),
        },
        source,
    )


def _elements(response: requests.Response, source: str) -> dict[str, str]:
    """First text of each element by its local name."""
    body = b"" if b"<!DOCTYPE" in response.content or b"<!ENTITY" in response.content else response.content
    try:
        root = ElementTree.fromstring(body)  # noqa: S314  (nothing to expand: document types are left out above)
    except ElementTree.ParseError:
        if response.status_code >= 500:
            raise SourceUnavailable(
                f"{source}: sign-in answered {response.status_code}", source=source, hint="the next sync tries again"
            ) from None
        raise SourceBroken(
            f"{source}: sign-in answered something else than an envelope",
            source=source,
            hint="a proxy, a sign-in page or a maintenance page may stand before the service",
            remedy="wait",
        ) from None
    found: dict[str, str] = {}
    for element in root.iter():
        found.setdefault(str(element.tag).rpartition("}")[2], (element.text or "").strip())
    return found


def _session(granted: Any, source: str) -> Session:
    told = granted if isinstance(granted, dict) else {}
    token, instance, id_ = (str(told.get(key) or "") for key in ("access_token", "instance_url", "id"))
    parts = urlsplit(instance)
    if not token or not id_ or not parts.netloc:
        raise SourceBroken(f"{source}: the sign-in reply lacks a token, an instance or our id", source=source)
    return Session(
        token=token, instance=f"{parts.scheme}://{parts.netloc}", user=id_.rstrip("/").rsplit("/", maxsplit=1)[-1]
    )


def _password(connection: SalesforceConnection, secret: Callable[[str], Secret]) -> str:
    token = connection.security_token
    return _revealed(connection.password, secret) + ("" if token is None else secret(token).reveal())


def _revealed(reference: str | None, secret: Callable[[str], Secret]) -> str:
    return "" if reference is None else secret(reference).reveal()


def _refused(connection: SalesforceConnection, source: str, words: str) -> SourceRefused:
    return SourceRefused(f"{source}: sign-in refused{words}", source=source, hint=_HINTS[connection.sign_in])
