"""OAuth 2: the authorisation server and the gateway to the site, on the site's own port."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import orjson

from sandbox.calls import Answer, Call, RefusedCall, reply
from sandbox.jira.errors import no_scope, unsigned
from sandbox.jira.site import Caller, Site, address
from sandbox.stamps import stamp

_GATEWAY = re.compile(r"/ex/jira/([^/]+)(/.*)")
_HOUR = 3600
_SCOPES = ("read:jira-work", "write:jira-work", "read:jira-user")


class OAuth:
    """Hands out tokens, renews them (a refresh token is good once), and says which sites a token opens."""

    def __init__(self, site: Site) -> None:
        """Serve the apps of one site: documents of kind `_oauth_client` (id: client id; secret, accountId, scopes)."""
        self._site = site

    def token(self, call: Call) -> Answer:
        """POST /oauth/token with grant_type refresh_token, authorization_code or client_credentials."""
        asked = _form(call)
        client = self._site.store.get(self._site.space, "_oauth_client", asked.get("client_id", ""))
        if client is None or str(client["secret"]) != asked.get("client_secret"):
            raise RefusedCall(reply({"error": "access_denied", "error_description": "Unauthorized"}, 401))
        grant, account = asked.get("grant_type", ""), client.get("accountId")
        scopes = list(client.get("scopes") or _SCOPES)
        kinds = {"refresh_token": ("_refresh_token", "refresh_token"), "authorization_code": ("_oauth_code", "code")}
        if grant in kinds:
            kind, name = kinds[grant]
            held = self._site.store.get(self._site.space, kind, asked.get(name, ""))
            if held is None or held["client"] != asked["client_id"]:
                text = f"Unknown or invalid {name.replace('_', ' ')}."
                raise RefusedCall(reply({"error": "invalid_grant", "error_description": text}, 403))
            self._site.store.delete(self._site.space, kind, asked[name])  # good once
            account, scopes = held["accountId"], list(held.get("scopes") or scopes)
        elif grant != "client_credentials" or not account:
            text = f"Grant type '{grant}' not allowed for the client."
            raise RefusedCall(reply({"error": "unauthorized_client", "error_description": text}, 403))
        return reply(self._hand_out(asked["client_id"], str(account), scopes, renewable="offline_access" in scopes))

    def resources(self, call: Call) -> Answer:
        """GET /oauth/token/accessible-resources."""
        caller = self._site.caller(call)
        scopes = sorted(caller.scopes or _SCOPES)
        here = address(call)
        site = {"id": self._site.cloud_id(), "url": here, "name": self._site.space, "scopes": scopes}
        return reply([{**site, "avatarUrl": f"{here}/avatars/site/{self._site.space}"}])

    def tenant(self, _: Call) -> Answer:
        """GET /_edge/tenant_info: the site's id, for anybody."""
        return reply({"cloudId": self._site.cloud_id()})

    def through_gateway(self, call: Call) -> Call:
        """Return the call as the site sees it; a path of the gateway loses its prefix.

        Raises RefusedCall: 404 for another site's id, 401 for anything but a bearer token.
        """
        match = _GATEWAY.fullmatch(call.path)
        if match is None:
            return call
        if match[1] != self._site.cloud_id():
            raise RefusedCall(reply({"code": 404, "message": "No tenant found for the given cloud id"}, 404))
        if not call.headers.get("authorization", "").lower().startswith("bearer "):
            raise RefusedCall(unsigned())
        return replace(call, path=match[2])

    def _hand_out(self, client: str, account: str, scopes: list[str], *, renewable: bool) -> dict[str, Any]:
        at = stamp(self._site.clock())
        access = secrets.token_urlsafe(24)
        token = {"accountId": account, "app": client, "scopes": scopes, "_made": at, "_seconds": _HOUR}
        self._site.store.put(self._site.space, "_token", [(access, at, token)])
        told = {"access_token": access, "expires_in": _HOUR, "token_type": "Bearer", "scope": " ".join(scopes)}
        if renewable:
            refresh = secrets.token_urlsafe(24)
            held = {"client": client, "accountId": account, "scopes": scopes}
            self._site.store.put(self._site.space, "_refresh_token", [(refresh, at, held)])
            told["refresh_token"] = refresh
        return told


def check_scope(call: Call, caller: Caller) -> None:
    """Refuse (401) a token whose scopes do not cover the request."""
    if caller.scopes is None and caller.rights.scopes is None:
        return
    if not caller.may(_scope_for(call)):
        raise no_scope()


def _scope_for(call: Call) -> str:
    asks = call.method == "GET" or call.path.endswith(
        ("/search/jql", "/approximate-count", "/bulkfetch", "/changelog/list", "/jql/parse")
    )
    if "/servicedeskapi/" in call.path:
        return "read:servicedesk-request" if asks else "write:servicedesk-request"
    if re.search(r"/webhook(/|$)", call.path):
        return "manage:jira-webhook"
    if re.search(r"/(users?|myself|group|groups)(/|$)", call.path):
        return "read:jira-user"
    return "read:jira-work" if asks else "write:jira-work"


def _form(call: Call) -> Mapping[str, str]:
    try:
        body = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        return dict(parse_qsl(call.body.decode("utf-8", "replace")))
    return {str(key): str(value) for key, value in body.items()} if isinstance(body, dict) else {}
