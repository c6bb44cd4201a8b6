"""Checking the signed assertion of the JWT bearer grant (RFC 7523) against the certificate of a connected app."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.x509 import load_pem_x509_certificate


def asserted_claims(
    assertion: str, client: Callable[[str], Mapping[str, Any] | None], *, now: datetime, host: str
) -> dict[str, Any]:
    """Return the claims of a good assertion.

    `client` gives the connected app of an id; `host` is the org's own address, accepted as audience. Raises
    ValueError with "error: description" as the token endpoint tells it.
    """
    try:
        told = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise ValueError("invalid_grant: invalid assertion") from error
    app = client(str(told.get("iss", "")))
    if app is None:
        raise ValueError("invalid_client_id: client identifier invalid")
    key = _public_key(app)
    if key is None:
        raise ValueError("invalid_grant: no certificate was uploaded for this connected app")
    try:
        # Expiry is checked below: it follows the company's clock, and some clients send it as text.
        options: Any = {"verify_exp": False, "verify_aud": False, "verify_iat": False, "verify_nbf": False}
        claims: dict[str, Any] = jwt.decode(assertion, key, algorithms=["RS256"], options=options)
    except (jwt.PyJWTError, ValueError) as error:
        raise ValueError("invalid_grant: invalid assertion") from error
    if not _good_audience(str(claims.get("aud", "")), host):
        raise ValueError("invalid_grant: audience is invalid")
    try:
        expires = float(claims["exp"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("invalid_grant: expiry is missing or invalid") from error
    if expires <= now.timestamp():
        raise ValueError("invalid_grant: assertion has expired")
    return claims


def _public_key(app: Mapping[str, Any]) -> Any:
    if app.get("public_key"):
        return str(app["public_key"])
    if app.get("certificate"):
        return load_pem_x509_certificate(str(app["certificate"]).encode()).public_key()
    return None


def _good_audience(audience: str, host: str) -> bool:
    name = urlsplit(audience).hostname or ""
    return name == "salesforce.com" or name.endswith(".salesforce.com") or audience.rstrip("/") == host
