"""Signing in to a Jira site: API token, bearer token, or OAuth 2.0 (3LO) with a refresh token that is good once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from connectors.kept_token import replace_kept
from connectors.transport import Meter, read_json, session
from hub.charter.secret import Secret
from hub.charter.sources import JiraConnection
from hub.errors import ConfigurationError, SourceBroken, SourceRefused

# Renewed this many seconds before the token ends, so that none dies on its way.
_EARLY = 60.0


class SignIn(Protocol):
    """What signs requests."""

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest: ...

    def renewed(self, response: requests.Response) -> bool:
        """Whether a request refused with 401 may be sent again, once, with a newer token."""
        ...


class ApiToken(HTTPBasicAuth):
    """E-mail and API token."""

    def renewed(self, response: requests.Response) -> bool:
        """Never: a token a person made stays what it is."""
        del response
        return False


class Bearer(AuthBase):
    """A token sent as it is."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """The request, signed."""
        r.headers["Authorization"] = f"Bearer {self._token}"
        return r

    def renewed(self, response: requests.Response) -> bool:
        """Never: a token a person made stays what it is."""
        del response
        return False


class Renewing(AuthBase):
    """Access tokens of an OAuth app, renewed by whichever thread comes first while the others wait.

    `place` holds the refresh token; each renewal replaces it (see `connectors.kept_token`). Access tokens stay in
    memory. `clock` counts seconds.
    """

    def __init__(
        self,
        source: str,
        connection: JiraConnection,
        client_secret: str,
        place: Path,
        *,
        meter: Meter,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._client_id, self._client_secret = str(connection.client_id), client_secret
        self._url = f"{connection.sign_in}/oauth/token"
        self._place = place
        self._clock = clock
        # A question that is good once is not repeated: after a lost reply nobody knows which token holds.
        self._session = session(
            source,
            allowed_hosts=[urlsplit(connection.sign_in).netloc],
            ca_file=connection.ca_file,
            read_retries=0,
            meter=meter,
        )
        self._lock = threading.Lock()
        self._token = ""
        self._ends = 0.0

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """The request, signed with a token that is still good. Raises SourceError, ConfigurationError."""
        with self._lock:
            if not self._token or self._clock() >= self._ends:
                self._renew()
            r.headers["Authorization"] = f"Bearer {self._token}"
        return r

    def renewed(self, response: requests.Response) -> bool:
        """True when the refused token is not, or is no longer, the newest one. Raises SourceError."""
        used = response.request.headers.get("Authorization")
        with self._lock:
            if used == f"Bearer {self._token}":
                self._renew()
        return True

    def _renew(self) -> None:
        replace_kept(self._place, self._traded)

    def _traded(self, refresh_token: str) -> str:
        asked = {
            "grant_type": "refresh_token",
            "client_id": self._client_id,
            "client_secret": self._client_secret,
            "refresh_token": refresh_token,
        }
        response = self._session.post(self._url, json=asked)
        if response.status_code in {400, 401, 403}:
            raise SourceRefused(
                f"{self._source}: the OAuth app or its refresh token was refused ({response.status_code})",
                source=self._source,
                hint="authorise the app again and put the new refresh token in its file; check client id and secret",
            )
        told = read_json(response, self._source)
        token = told.get("access_token") if isinstance(told, dict) else None
        if not token:
            raise SourceBroken(
                f"{self._source}: the sign-in answered without an access token",
                source=self._source,
                hint="check connection.sign_in",
                remedy="fix configuration",
            )
        seconds = told.get("expires_in")
        self._token = str(token)
        self._ends = self._clock() + max(0.0, (seconds if isinstance(seconds, int | float) else 3600) - _EARLY)
        # without a new one (the app is set to keep its token) the old one stays good
        return str(told.get("refresh_token") or refresh_token)


def sign_in(name: str, connection: JiraConnection, secret: Callable[[str], Secret], *, meter: Meter) -> SignIn:
    """The way to sign in that the charter describes; nothing is sent. Raises ConfigurationError."""
    if connection.token is not None:
        token = secret(connection.token).reveal()
        return ApiToken(connection.email, token) if connection.email else Bearer(token)
    place = secret(connection.refresh_token or "").place
    if place is None:
        raise ConfigurationError(
            f"{name}: the refresh token does not come from a file", hint="use a file: reference the hub may write"
        )
    return Renewing(name, connection, secret(connection.client_secret or "").reveal(), place, meter=meter)
