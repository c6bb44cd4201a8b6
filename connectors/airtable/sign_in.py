"""Signing requests: with a personal access token, or with an app's access token that is renewed when it ends.

A refresh token is good once: whoever uses it must keep the next one, or somebody has to sign in by hand. It
lives in a file of the hub's own, which is replaced as a whole and changed under a lock, so that threads and
processes that share it renew once.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import orjson
import requests
from requests.auth import AuthBase, _basic_auth_str

from connectors.wire import GuardedAdapter, Meter, MeteredSession, read_json, said
from hub.charter.secret import Secret
from hub.charter.sources import AirtableOAuth
from hub.errors import ConfigurationError, SourceBroken, SourceRefused, SourceUnavailable

_EARLY = timedelta(minutes=1)  # renewed before it ends, so that no request travels with a token that ends on the way


class Keys(Protocol):
    """Where the token of the next request comes from."""

    def current(self) -> str:
        """The token to sign with. Raises SourceError when it had to be renewed and could not."""
        ...

    def renew(self, refused: str) -> bool:
        """Whether there is another token now than the one the service has `refused`. Raises SourceError."""
        ...


class Signature(AuthBase):
    """Signs every request of a session with the token that is good at that moment."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """The request with its Authorization header. Raises SourceError."""
        r.headers["Authorization"] = f"Bearer {self._keys.current()}"
        return r


class PersonalToken:
    """A token that never changes."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def current(self) -> str:
        """The token."""
        return self._secret.reveal()

    def renew(self, refused: str) -> bool:
        """Never: what is refused stays refused."""
        del refused
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What the file holds; `until` None: there is no access token yet."""

    refresh: str
    access: str = ""
    until: datetime | None = None


class RenewedToken:
    """An app's access token, renewed once for everybody who shares its file.

    Args:
        source: configured source name, for messages.
        oauth: client, address and file from the charter.
        secret: the client secret, None for an app without one.
        ca_file: see `connectors.wire.GuardedAdapter`.
        meter: counts the renewals among the calls of the source.
        now: our clock (UTC).
    """

    def __init__(
        self,
        source: str,
        oauth: AirtableOAuth,
        secret: Secret | None,
        *,
        ca_file: str | None = None,
        meter: Meter | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._source = source
        self._oauth = oauth
        self._secret = secret
        self._now = now
        self._path = Path(oauth.token_file.removeprefix("file:"))
        # sends once: a renewal that is repeated would present a token that is used up
        adapter = GuardedAdapter(
            source, allowed_hosts=[urlsplit(oauth.renewal_url).netloc], ca_file=ca_file, meter=meter
        )
        self._session = MeteredSession(adapter)
        self._held: _Kept | None = None

    def current(self) -> str:
        """The access token; renewed when it has ended or is about to. Raises SourceError, ConfigurationError."""
        held = self._held
        if held is None or not self._good(held):
            held = self._settled(refused="")
        return held.access

    def renew(self, refused: str) -> bool:
        """Renew, unless another thread or process has done so already. Raises SourceError, ConfigurationError."""
        return self._settled(refused=refused).access != refused

    def _good(self, held: _Kept) -> bool:
        return held.until is not None and self._now() < held.until - _EARLY

    def _settled(self, *, refused: str) -> _Kept:
        with self._locked():
            held = self._read()
            if not self._good(held) or held.access == refused:
                held = self._renewed(held)
        self._held = held
        return held

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            with open(f"{self._path}.lock", "a", opener=_private) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise self._unusable(error) from None

    def _read(self) -> _Kept:
        text = self._path.read_text(encoding="utf-8", errors="replace").strip()
        if not text.startswith("{"):
            return _Kept(refresh=text)  # as somebody has put it there
        try:
            told = orjson.loads(text)
            return _Kept(
                refresh=str(told["refresh_token"]),
                access=str(told["access_token"]),
                until=datetime.fromisoformat(told["until"]),
            )
        except (orjson.JSONDecodeError, LookupError, TypeError, ValueError):
            raise ConfigurationError(
                f"{self._oauth.token_file} cannot be read as tokens",
                hint="sign the app in again and put its refresh token alone into the file",
            ) from None

    def _renewed(self, held: _Kept) -> _Kept:
        # opened before the token is used up: a disk that cannot keep the next one must not cost us this one
        fresh = self._path.with_name(f"{self._path.name}.new")
        with open(fresh, "wb", opener=_private) as file:
            kept = self._asked(held.refresh)
            told = {
                "refresh_token": kept.refresh,
                "access_token": kept.access,
                "until": kept.until.isoformat() if kept.until else "",
            }
            file.write(orjson.dumps(told))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        return kept

    def _asked(self, refresh: str) -> _Kept:
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        headers = {}
        if self._secret is None:
            form["client_id"] = self._oauth.client_id
        else:
            headers["Authorization"] = _basic_auth_str(self._oauth.client_id, self._secret.reveal())
        try:
            response = self._session.post(self._oauth.renewal_url, data=form, headers=headers)
        except requests.RequestException:
            raise SourceUnavailable(
                f"{self._source}: the token could not be renewed: no answer",
                source=self._source,
                hint="the next sync tries again; if it is refused then, sign the app in again",
            ) from None
        if response.status_code in {400, 401}:
            raise SourceRefused(
                f"{self._source}: the token was not renewed ({response.status_code}{said(response)})",
                source=self._source,
                hint=f"check client_id and client_secret; sign the app in again and put its refresh token alone into "
                f"{self._oauth.token_file}",
            )
        told = read_json(response, self._source)
        try:
            seconds = float(told["expires_in"])
            return _Kept(
                refresh=str(told["refresh_token"]),
                access=str(told["access_token"]),
                until=self._now() + timedelta(seconds=seconds),
            )
        except (LookupError, TypeError, ValueError):
            raise SourceBroken(
                f"{self._source}: the renewed token came in an unknown form",
                source=self._source,
                hint="check renewal_url; sign the app in again",
                remedy="fix configuration",
            ) from None

    def _unusable(self, error: OSError) -> ConfigurationError:
        return ConfigurationError(
            f"{self._oauth.token_file} cannot be used: {error.strerror}",
            hint="the file holds the app's refresh token; the hub must be able to read and replace it",
        )


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
