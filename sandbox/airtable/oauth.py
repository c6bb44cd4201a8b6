"""The authorisation server's token endpoint, on the base tool's own port."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from sandbox.airtable.access import SCOPES
from sandbox.calls import Answer, Call, Handler, RefusedCall, reply
from sandbox.stamps import Clock, stamp
from sandbox.store import Store

RENEWAL = "/oauth2/v1/token"
_ACCESS = timedelta(hours=1)
_REFRESH = timedelta(days=60)


class OAuth:
    """Renews tokens of one space: documents of kind `_oauth_client` (id: client id; `secret` unless the app is public)
    and `_refresh_token` (id: the token; `client`, `user`, `scopes`). A refresh token is good once."""

    def __init__(self, store: Store, space: str, clock: Clock) -> None:
        """Hand out tokens for one space."""
        self._store = store
        self._space = space
        self._clock = clock

    def routes(self) -> list[tuple[str, str, Handler]]:
        """Return the endpoint."""
        return [("POST", RENEWAL, self._token)]

    def _token(self, call: Call) -> Answer:
        form = dict(parse_qsl(call.body.decode("utf-8", "replace")))
        id_, secret = _client_of(call, form)
        client = self._store.get(self._space, "_oauth_client", id_) if id_ else None
        if client is None or str(client.get("secret") or "") != secret:
            raise _refused(401, "invalid_client", "Client authentication failed")
        if form.get("grant_type") != "refresh_token":
            raise _refused(400, "unsupported_grant_type", "Only refresh_token is served here")
        presented = form.get("refresh_token", "")
        held = self._store.get(self._space, "_refresh_token", presented) if presented else None
        now = stamp(self._clock())
        if held is None or held["client"] != id_ or str(held.get("_until") or now) < now:
            raise _refused(400, "invalid_grant", "The refresh token is invalid, expired or used already")
        return reply(self._handed_out(presented, held))

    def _handed_out(self, presented: str, held: Mapping[str, Any]) -> dict[str, Any]:
        now = self._clock()
        access, refresh = f"oaa{secrets.token_urlsafe(24)}", f"oar{secrets.token_urlsafe(24)}"
        scopes = [str(scope) for scope in held.get("scopes") or SCOPES]
        token = {"user": held["user"], "scopes": scopes, "_until": stamp(now + _ACCESS)}
        kept = {**held, "_until": stamp(now + _REFRESH)}
        with self._store.transaction():
            self._store.delete(self._space, "_refresh_token", presented)
            self._store.put(self._space, "_token", [(access, stamp(now), token)])
            self._store.put(self._space, "_refresh_token", [(refresh, stamp(now), kept)])
        return {
            "access_token": access,
            "refresh_token": refresh,
            "token_type": "Bearer",
            "scope": " ".join(scopes),
            "expires_in": int(_ACCESS.total_seconds()),
            "refresh_expires_in": int(_REFRESH.total_seconds()),
        }


def _client_of(call: Call, form: Mapping[str, str]) -> tuple[str, str]:
    """Return the client's id and secret: both by Basic authorisation, or the id alone in the form."""
    scheme, _, coded = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            id_, _, secret = base64.b64decode(coded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return "", ""
        return id_, secret
    return form.get("client_id", ""), ""


def _refused(status: int, error: str, text: str) -> RefusedCall:
    return RefusedCall(reply({"error": error, "error_description": text}, status))
