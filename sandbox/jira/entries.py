"""How a change of a field is told in a changelog."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.jira import defaults
from sandbox.store import Store


class Entries:
    """Words changes as the site's changelog does."""

    def __init__(self, store: Store, space: str) -> None:
        """Know the fields and people of one space."""
        self._store = store
        self._space = space

    def item(self, name: str, old: Any, new: Any) -> dict[str, Any]:
        """Return the item for a field that changed from one kept value to another."""
        field = self._store.get(self._space, "field", name) or {}
        custom = bool(field.get("custom"))
        label = str(field.get("name", name)) if custom else name
        return entry_item(label, name, "custom" if custom else "jira", self._side(name, old), self._side(name, new))

    def _side(self, name: str, value: Any) -> tuple[Any, Any]:
        if isinstance(value, list):
            told = [str(self._side(name, one)[1]) for one in value]
            return None, " ".join(told) if name == "labels" else ", ".join(told)
        if isinstance(value, Mapping) and "value" in value:
            return value["value"], value["value"]
        if isinstance(value, Mapping) and "name" in value:
            return str(value.get("id")), value["name"]
        if name == "priority" and value is None:
            usual = [doc for doc in defaults.priorities(self._store, self._space) if doc["id"] == defaults.MEDIUM]
            return (usual[0]["id"], usual[0]["name"]) if usual else (None, None)
        account = value.get("accountId") if isinstance(value, Mapping) else value
        if name in {"assignee", "reporter"} or isinstance(value, Mapping):
            user = self._store.get(self._space, "user", str(account)) if account else None
            return account, None if user is None else user["displayName"]
        return None, None if value is None else str(value)


def entry_item(label: str, id_: str, kind: str, old: tuple[Any, Any], new: tuple[Any, Any]) -> dict[str, Any]:
    """Return a changelog item; each side is an id and a text."""
    return {
        "field": label,
        "fieldId": id_,
        "fieldtype": kind,
        "from": old[0],
        "fromString": old[1],
        "to": new[0],
        "toString": new[1],
    }
