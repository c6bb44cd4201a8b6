"""The tokens the measurements sign in with; planted straight into the world's store."""

from __future__ import annotations

from pathlib import Path

import requests

from sandbox.store import Store
from sandbox.world.story import SOURCE_OF

SALESFORCE, JIRA, AIRTABLE = "measured-salesforce", "measured-jira", "measured-airtable"
JIRA_LOGIN = "measured@example.com"
_LONG_AGO = "2000-01-01T00:00:00.000000Z"


def plant(world: Path) -> None:
    """Give the first account of every tool a token that never expires."""
    store = Store(world)
    accounts = (
        ("salesforce", "User", "Id", SALESFORCE, "user"),
        ("jira", "user", "accountId", JIRA, "accountId"),
        ("airtable", "collaborator", "id", AIRTABLE, "user"),
    )
    for tool, kind, key, token, named in accounts:
        space = SOURCE_OF[tool]
        account = next(doc[key] for doc in store.scan(space, kind) if doc.get("IsActive", doc.get("active", True)))
        store.put(space, "_token", [(token, _LONG_AGO, {"_id": token, named: account, "email": JIRA_LOGIN})])
    store.close()


def base_and_table(address: str) -> tuple[str, str]:
    """The base of the world, and its table of items."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {AIRTABLE}"
    base = session.get(f"{address}/v0/meta/bases", timeout=30).json()["bases"][0]["id"]
    tables = session.get(f"{address}/v0/meta/bases/{base}/tables", timeout=30).json()["tables"]
    return base, next(table["id"] for table in tables if table["name"] in {"Items", "Work items", "Campaigns"})
