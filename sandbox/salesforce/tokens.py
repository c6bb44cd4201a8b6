"""The OAuth endpoints of the org: token, revoke, userinfo and the identity address."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from sandbox.calls import Answer, Call, RefusedCall, reply
from sandbox.salesforce.assertions import asserted_claims
from sandbox.salesforce.org import Org, token_of
from sandbox.stamps import stamp
from sandbox.store import Doc

_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Tokens:
    """Signing in by OAuth, over the `_client`, `_token` and `_refresh_token` documents of one org."""

    def __init__(self, org: Org) -> None:
        """Sign people in to one org."""
        self._org = org

    def token(self, call: Call) -> Answer:
        """POST /services/oauth2/token: four grants; errors are `{"error", "error_description"}` with status 400."""
        form = _form(call)
        self._org.refuse_when_used_up()
        if form.get("grant_type") == _JWT:
            return self._by_assertion(call, form)
        id_, secret = _client_of(call, form)
        client = self._org.get("_client", id_)
        if client is None:
            raise _oauth("invalid_client_id", "client identifier invalid")
        if client.get("secret") != secret:
            raise _oauth("invalid_client", "invalid client credentials")
        grant = form.get("grant_type", "")
        if grant == "client_credentials":
            if not client.get("user"):
                raise _oauth("invalid_grant", "no client credentials user enabled")
            return self._signed_in(call, str(client["user"]), id_)
        if grant == "password":
            user = self._org.known_login(form.get("username", ""), form.get("password", ""))
            if user is None:
                raise _oauth("invalid_grant", "authentication failure")
            return self._signed_in(call, user, id_)
        if grant == "refresh_token":
            return self._refreshed(call, form.get("refresh_token", ""), id_, client)
        raise _oauth("unsupported_grant_type", "grant type not supported")

    def revoke(self, call: Call) -> Answer:
        """POST or GET /services/oauth2/revoke: ends a session, or a refresh token with all it signed in."""
        token = _form(call).get("token") or call.one("token")
        refresh = self._org.get("_refresh_token", token) if token else None
        if refresh is not None:
            self._org.store.delete(self._org.space, "_refresh_token", token)
            return Answer(kind="text/html")
        if not token or not self._org.sign_out(token):
            raise _oauth("unsupported_token_type", "this token type is not supported")
        return Answer(kind="text/html")

    def userinfo(self, call: Call) -> Answer:
        """GET or POST /services/oauth2/userinfo: who the session belongs to, in OpenID's words."""
        user = self._asking(call)
        address = address_of(call)
        name = str(user.get("Name") or "")
        first, _, last = name.rpartition(" ")
        return reply(
            {
                "sub": f"{address}/id/{self._org.id}/{user['Id']}",
                "user_id": user["Id"],
                "organization_id": self._org.id,
                "preferred_username": user.get("Username"),
                "nickname": user.get("Alias") or user.get("Username"),
                "name": name,
                "given_name": user.get("FirstName") or first,
                "family_name": user.get("LastName") or last,
                "email": user.get("Email"),
                "email_verified": True,
                "zoneinfo": user.get("TimeZoneSidKey") or "UTC",
                "active": bool(user.get("IsActive", True)),
                "user_type": "STANDARD",
                "language": "en_US",
                "locale": "en_US",
                "urls": _urls(address),
                "updated_at": user.get("LastModifiedDate") or user.get("CreatedDate"),
            }
        )

    def identity(self, call: Call) -> Answer:
        """GET /id/{org}/{user}: the same about a user of this org."""
        self._asking(call)
        user = self._org.get("User", call.at["user"])
        if call.at["org"][:15] != self._org.id[:15] or user is None:
            raise RefusedCall(Answer(status=404, body=b"Bad_Id", kind="text/plain"))
        address = address_of(call)
        return reply(
            {
                "id": f"{address}/id/{self._org.id}/{user['Id']}",
                "asserted_user": True,
                "user_id": user["Id"],
                "organization_id": self._org.id,
                "username": user.get("Username"),
                "nick_name": user.get("Alias") or user.get("Username"),
                "display_name": user.get("Name"),
                "email": user.get("Email"),
                "email_verified": True,
                "timezone": user.get("TimeZoneSidKey") or "UTC",
                "active": bool(user.get("IsActive", True)),
                "user_type": "STANDARD",
                "language": "en_US",
                "locale": "en_US",
                "urls": _urls(address),
                "last_modified_date": user.get("LastModifiedDate") or user.get("CreatedDate"),
            }
        )

    def _by_assertion(self, call: Call, form: Mapping[str, str]) -> Answer:
        def client(id_: str) -> Doc | None:
            return self._org.get("_client", id_)

        try:
            claims = asserted_claims(form.get("assertion", ""), client, now=self._org.clock(), host=address_of(call))
        except ValueError as error:
            name, _, text = str(error).partition(": ")
            raise _oauth(name, text) from error
        user = self._org.user_named(str(claims.get("sub", "")))
        if user is None:
            raise _oauth("invalid_grant", "user hasn't approved this consumer")
        return self._signed_in(call, str(user["Id"]), str(claims["iss"]))

    def _refreshed(self, call: Call, token: str, id_: str, client: Mapping[str, Any]) -> Answer:
        known = self._org.get("_refresh_token", token) if token else None
        if known is None or known.get("client", id_) != id_:
            raise _oauth("invalid_grant", "expired access/refresh token")
        further: dict[str, str] = {}
        if client.get("rotates"):
            further["refresh_token"] = new = secrets.token_urlsafe(64)
            store, space = self._org.store, self._org.space
            with store.transaction():
                store.delete(space, "_refresh_token", token)
                store.put(space, "_refresh_token", [(new, stamp(self._org.clock()), known)])
        return self._signed_in(call, str(known["user"]), id_, further=further)

    def _signed_in(self, call: Call, user: str, client: str, *, further: Mapping[str, str] | None = None) -> Answer:
        record = self._org.get("User", user)
        if record is not None and not record.get("IsActive", True):
            raise _oauth("inactive_user", "user is inactive")
        address = address_of(call)
        return reply(
            {
                "access_token": self._org.sign_in(user, client=client),
                "instance_url": address,
                "id": f"{address}/id/{self._org.id}/{user}",
                "token_type": "Bearer",
                "issued_at": str(int(self._org.clock().timestamp() * 1000)),
                "scope": "api",
                "signature": "",
                **(further or {}),
            }
        )

    def _asking(self, call: Call) -> Doc:
        user = self._org.user_of(token_of(call) or call.one("access_token") or call.one("oauth_token"))
        if user is None:
            raise RefusedCall(Answer(status=403, body=b"Bad_OAuth_Token", kind="text/plain"))
        return self._org.get("User", user) or {"Id": user}


def address_of(call: Call) -> str:
    """Return the address under which the caller reached the org: plain http on the loopback, https elsewhere."""
    host = call.headers.get("host", "127.0.0.1")
    name = host.partition(":")[0]
    return f"{'http' if name in {'127.0.0.1', 'localhost'} else 'https'}://{host}"


def _urls(address: str) -> dict[str, str]:
    data = f"{address}/services/data/v{{version}}/"
    return {
        "enterprise": f"{address}/services/Soap/c/{{version}}",
        "partner": f"{address}/services/Soap/u/{{version}}",
        "rest": data,
        "sobjects": f"{data}sobjects/",
        "query": f"{data}query/",
    }


def _form(call: Call) -> dict[str, str]:
    sent = parse_qs(call.body.decode("utf-8", "replace"), keep_blank_values=True)
    return dict(call.query) | {key: values[-1] for key, values in sent.items()}


def _client_of(call: Call, form: Mapping[str, str]) -> tuple[str, str]:
    scheme, _, coded = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(coded + "===").decode("utf-8", "replace").partition(":")
        except (binascii.Error, ValueError):
            return "", ""
        return name, secret
    return form.get("client_id", ""), form.get("client_secret", "")


def _oauth(error: str, text: str) -> RefusedCall:
    return RefusedCall(reply({"error": error, "error_description": text}, 400))
