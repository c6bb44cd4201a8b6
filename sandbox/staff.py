"""Who works in the simulated tools and with which token: what a program needs to act as one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.store import Store

_ACCOUNT = {"salesforce": "user", "jira": "accountId", "airtable": "user"}
_DIRECTORY = {"salesforce": "User", "jira": "user", "airtable": "collaborator"}


def staff(store: Store, spaces: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return every token a world planted: instance, token, account, name and address, in order of the token."""
    told = []
    for instance, space in spaces.items():
        tool = instance.partition(":")[0]
        if tool not in _ACCOUNT:
            continue
        for token, doc in store.items(space, "_token"):
            if doc.get("at") or not doc.get(_ACCOUNT[tool]):
                continue  # a session that somebody signed in for
            account = str(doc[_ACCOUNT[tool]])
            person = store.get(space, _DIRECTORY[tool], account) or {}
            told.append(
                {
                    "instance": instance,
                    "token": token,
                    "account": account,
                    "name": person.get("Name") or person.get("displayName") or person.get("name") or "",
                    "email": doc.get("email") or person.get("Email") or person.get("email") or "",
                }
            )
    return told
