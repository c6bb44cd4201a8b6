"""More of a Jira site than the small company has: an app, a stranger to the project, a second project, approvals."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import openapi_check
import requests
from http_world import J_ADA, J_GRACE, J_HUB, SPACES, Running, put

from sandbox.store import Store

SPACE = SPACES["jira"]
HUB = ("hub@acme.example", "jira-token")
GRACE = ("grace@acme.example", "grace-token")
LIMITED = ("limited@acme.example", "limited-token")
APP = "app-token"
J_LIMITED, J_PORTAL, J_BOT = "acc:limited", "acc:portal", "acc:bot"
CLIENT, CLIENT_SECRET = "app-one", "app-secret"


def furnish(store: Store) -> None:
    """Add people with fewer rights, an app, a service desk project, an approval and an option field."""
    for account, name, kind in (
        (J_LIMITED, "Lim Ited", "atlassian"),
        (J_PORTAL, "Portal Customer", "customer"),
        (J_BOT, "Build Bot", "app"),
    ):
        user = {"accountId": account, "displayName": name, "active": True, "accountType": kind, "timeZone": "Etc/UTC"}
        put(store, SPACE, "user", user)
    put(store, SPACE, "_token", {"email": GRACE[0], "accountId": J_GRACE}, id_=GRACE[1])
    put(store, SPACE, "_token", {"email": LIMITED[0], "accountId": J_LIMITED}, id_=LIMITED[1])
    put(store, SPACE, "_token", {"accountId": J_HUB, "app": CLIENT, "email": "app@acme.example"}, id_=APP)
    client = {"id": CLIENT, "secret": CLIENT_SECRET, "accountId": J_HUB, "scopes": ["read:jira-work", "offline_access"]}
    put(store, SPACE, "_oauth_client", client, id_=CLIENT)
    put(store, SPACE, "project", {"id": "10001", "key": "DESK", "name": "Desk", "projectTypeKey": "service_desk"})
    then = {"approved": {"status": "12"}, "declined": {"status": "10"}}
    approvers = [{"accountId": account, "decision": "pending"} for account in (J_ADA, J_GRACE)]
    approval = {"id": "1", "name": "Launch", "created": "2026-01-05T12:00:00.000+0000", "finalDecision": "pending"}
    put(store, SPACE, "approval", {**approval, "approvers": approvers, "_needed": 1, "_then": then}, parent="101")


def limit(store: Store, **rights: Any) -> None:
    """Give the limited person these rights and no others."""
    put(store, SPACE, "_rights", {"user": J_LIMITED, **rights}, id_=J_LIMITED)


def ask(small: Running, method: str, path: str, *, auth: Any = HUB, **rest: Any) -> requests.Response:
    """Send one request; a path without a leading slash lies below version 3 of the interface.

    Whatever comes back must be what the published description allows.
    """
    url = small.addresses["jira"] + (path if path.startswith("/") else f"/rest/api/3/{path}")
    if isinstance(auth, str):
        auth, rest["headers"] = None, {"Authorization": f"Bearer {auth}", **rest.get("headers", {})}
    answer = requests.request(method, url, auth=auth, timeout=10, **rest)
    assert not openapi_check.objections(method, urlsplit(url).path, answer), f"{method} {path}: {answer.text[:300]}"
    return answer


def tree(text: str) -> dict[str, Any]:
    """A document of version 3 with one paragraph."""
    return {
        "type": "doc",
        "version": 1,
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": text}]}],
    }
