"""The company the clients talk to: generated, in a process of its own, with every way to sign in set up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox import launcher
from sandbox.store import Doc, Store
from sandbox.world.people import HUB_ACCOUNT, HUB_ADDRESS
from sandbox.world.story import SOURCE_OF

ITEMS = 600
PASSWORD, SECURITY_TOKEN, CLIENT = "a-password", "a-token", "hub-client"
APP_TOKEN = "app-token"  # of an app on the Jira site: only apps may register webhooks
ORGANIZATION = "00D000000000001EAA"
DESK, REQUEST = "HELP", "HELP-1"
_LONG_AGO = "2000-01-01T00:00:00.000000Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A running company: where it answers, what it holds, and who may sign in."""

    directory: Path
    addresses: Mapping[str, str]
    store: Store
    secrets: Mapping[str, str]
    hub: Mapping[str, str]  # the hub's own account in each tool

    def documents(self, tool: str, kind: str) -> list[Doc]:
        """Everything of one kind a tool holds, straight from the store."""
        return list(self.store.scan(SOURCE_OF[tool], kind))

    def document(self, tool: str, kind: str, id_: str) -> Doc:
        """One document straight from the store; the test fails when there is none."""
        found = self.store.get(SOURCE_OF[tool], kind, id_)
        assert found is not None, f"{tool} has no {kind} {id_}"
        return found

    def journal(self, tool: str, method: str, path: str) -> list[dict[str, Any]]:
        """The requests a tool got so far whose path holds the text, oldest first."""
        told = self.ask("GET", "/journal", params={"tool": tool, "method": method, "limit": "100000"})
        entries: list[dict[str, Any]] = told["requests"] if isinstance(told, dict) else told
        return [e for e in entries if e["tool"] == tool and e["method"] == method and path in e["path"]]

    def ask(self, method: str, path: str, **rest: Any) -> Any:
        """Ask the control port; gives the decoded answer."""
        answer = requests.request(method, self.addresses["control"] + path, timeout=10, **rest)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def client_company(directory: Path) -> Iterator[Company]:
    """Run a generated company, furnished with every way to sign in, until the block ends."""
    launcher.up(directory, seed=11, items=ITEMS)
    launcher.down(directory)  # a server reads the fields of its objects when it starts
    store = Store(directory / "world.sqlite")
    hub = _hub(store)
    for name, secret in _sign_in(store, hub).items():
        (directory / "secrets" / name).write_text(secret)
    _service_desk(store, hub)
    running = launcher.resume(directory)
    try:
        yield Company(
            directory=directory,
            addresses=running.addresses,
            store=store,
            secrets={path.name: path.read_text() for path in (directory / "secrets").iterdir()},
            hub=hub,
        )
    finally:
        store.close()
        launcher.down(directory)


def _hub(store: Store) -> dict[str, str]:
    user = next(u for u in store.scan(SOURCE_OF["salesforce"], "User") if u["Email"] == HUB_ACCOUNT)
    account = next(u for u in store.scan(SOURCE_OF["jira"], "user") if u.get("emailAddress") == HUB_ACCOUNT)
    collaborator = next(u for u in store.scan(SOURCE_OF["airtable"], "collaborator") if u["email"] == HUB_ACCOUNT)
    return {
        "salesforce": user["Id"],
        "username": user["Username"],
        "jira": account["accountId"],
        "airtable": collaborator["id"],
        "email": HUB_ACCOUNT,
        "mailbox": HUB_ADDRESS,
    }


def _sign_in(store: Store, hub: Mapping[str, str]) -> dict[str, str]:
    """Set up what a generated world leaves out, and give the secrets of it by the name of their file.

    That is a password and its security token, the key behind JWT assertions, a field to upsert by, and an app on
    the Jira site.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    space = SOURCE_OF["salesforce"]
    user = store.get(space, "User", hub["salesforce"])
    client = store.get(space, "_client", CLIENT)
    assert user is not None
    assert client is not None
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    user |= {"_password": PASSWORD, "_security_token": SECURITY_TOKEN}
    store.put(space, "User", [(user["Id"], _LONG_AGO, user)])
    store.put(space, "_client", [(CLIENT, _LONG_AGO, client | {"public_key": public.decode()})])
    case = store.get(space, "_object", "Case")
    assert case is not None
    for field in case["fields"]:
        field["externalId"] = field["name"] == "External_Ref__c"
    store.put(space, "_object", [("Case", _LONG_AGO, case)])
    store.put(SOURCE_OF["jira"], "_token", [(APP_TOKEN, _LONG_AGO, {"accountId": hub["jira"], "app": "tried-app"})])
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "salesforce_username": hub["username"],
        "salesforce_password": PASSWORD,
        "salesforce_security_token": SECURITY_TOKEN,
        "salesforce_organization": ORGANIZATION,
        "salesforce_key.pem": private.decode(),
    }


def _service_desk(store: Store, hub: Mapping[str, str]) -> None:
    """A service desk with one request whose approval waits for the hub's account."""
    space = SOURCE_OF["jira"]
    model = next(iter(store.scan(space, "issue", limit=1)))
    project = {"id": "19999", "key": DESK, "name": "Help desk", "projectTypeKey": "service_desk"}
    request = model | {"id": "19999001", "key": REQUEST, "_project": DESK, "_assignee": None}
    approval = {
        "id": "71",
        "_parent": request["id"],
        "name": "Waiting for approval",
        "created": model["created"],
        "completed": None,
        "finalDecision": "pending",
        "approvers": [{"accountId": hub["jira"], "decision": "pending"}],
    }
    for kind, doc in (("project", project), ("issue", request), ("approval", approval)):
        store.put(space, kind, [(str(doc["id"]), _LONG_AGO, doc)])
