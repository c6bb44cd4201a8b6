"""What a field of an issue takes: the value as the store keeps it, or the site's own words against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sandbox.jira import adf, defaults
from sandbox.rights import rights_of
from sandbox.store import Doc, Store

_TEXTS = frozenset({"summary", "description"})
_SETTABLE = _TEXTS | {"duedate", "assignee", "reporter", "priority", "resolution", "labels", "issuetype"}
_MOST_SUMMARY = 255


class UnusableValue(Exception):
    """A field does not take the value; the text is Jira's own."""


class Values:
    """Checks what callers want to write."""

    def __init__(self, store: Store, space: str) -> None:
        """Know the fields, people and options of one space."""
        self._store = store
        self._space = space

    def accepted(self, name: str, value: Any, *, project: str, hidden: frozenset[str] = frozenset()) -> Any:
        """Return the value as it is kept; raises UnusableValue with the site's words for the field."""
        field = self._store.get(self._space, "field", name)
        custom = bool(field and field.get("custom"))
        if name in hidden or (name not in _SETTABLE and not custom):
            raise UnusableValue(f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown.")
        schema = (field or {}).get("schema") or {} if custom else {}
        kind = str(schema.get("type", ""))
        if name in {"assignee", "reporter"}:
            return self.assignable(value, project)
        if name == "labels":
            return _labels(value)
        if name in {"priority", "resolution", "issuetype"}:
            return self._thing(name, value)
        if value is None:
            if name == "summary":
                raise UnusableValue("You must specify a summary of the issue.")
            return None
        if kind == "array":
            return self._list(name, value, str(schema.get("items", "")), project)
        if name == "duedate" or kind == "date":
            return _day(value)
        return self._single(name, value, kind, project)

    def assignable(self, value: Any, project: str) -> str | None:
        """Return the account of a user value; only active people with access to the project can be assigned."""
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise UnusableValue("data was not an object")
        if "accountId" not in value and "id" not in value:
            raise UnusableValue("expected Object containing an 'accountId' property")
        account = value.get("accountId", value.get("id"))
        if account is None:
            return None
        user = self._store.get(self._space, "user", str(account))
        if user is None or not may_be_assigned(self._store, self._space, user, project):
            raise UnusableValue(f"User '{account}' cannot be assigned issues.")
        return str(account)

    # -- inside ----------------------------------------------------------------------------------------------

    def _single(self, name: str, value: Any, kind: str, project: str) -> Any:
        if kind == "option":
            return self._option(name, value)
        if kind == "user":
            account = self.assignable(value, project)
            return None if account is None else {"accountId": account}
        if kind == "number":
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise UnusableValue("Operation value must be a number")
            return value
        text = _text(value)
        if name == "summary":
            if not text.strip():
                raise UnusableValue("You must specify a summary of the issue.")
            if "\n" in text or "\r" in text:
                raise UnusableValue("The summary is invalid because it contains newline characters.")
            if len(text) > _MOST_SUMMARY:
                raise UnusableValue("Summary must be less than 255 characters.")
        return text

    def _list(self, name: str, value: Any, items: str, project: str) -> list[Any]:
        if not isinstance(value, list):
            raise UnusableValue("data was not an array")
        return [self._single(name, one, items, project) for one in value]

    def _option(self, name: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping) or not (value.get("value") or value.get("id")):
            raise UnusableValue("Specify a valid 'id' or 'name' for the option")
        field = self._store.get(self._space, "field", name) or {}
        options = field.get("_options")
        if options is not None and value.get("value") not in options:
            raise UnusableValue(f"Option value '{value.get('value')}' is not valid")
        return {"value": str(value.get("value") or value.get("id"))}

    def _thing(self, name: str, value: Any) -> dict[str, Any] | None:
        if value is None and name == "resolution":
            return None
        known: Iterable[Doc] = {
            "priority": defaults.priorities,
            "resolution": defaults.resolutions,
            "issuetype": defaults.issue_types,
        }[name](self._store, self._space)
        if isinstance(value, Mapping):
            asked = {key: str(value[key]) for key in ("id", "name") if value.get(key) is not None}
            for doc in known:
                if asked and all(str(doc[key]) == told for key, told in asked.items()):
                    return {"id": str(doc["id"]), "name": doc["name"]}
        words = {"priority": "The priority selected is invalid.", "resolution": "The resolution selected is invalid."}
        raise UnusableValue(words.get(name, "Specify a valid issue type"))


def may_be_assigned(store: Store, space: str, user: Doc, project: str) -> bool:
    """Whether issues of a project can be given to a user: active, no portal customer, with access to the project."""
    if not user.get("active", True) or user.get("_deleted") or user.get("accountType") == "customer":
        return False
    return rights_of(store, space, str(user["accountId"])).reads(project)


def _labels(value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise UnusableValue("data was not an array")
    if any(" " in one for one in value):
        raise UnusableValue("The label cannot contain spaces.")
    return sorted(set(value))


def _text(value: Any) -> str:
    text = adf.to_text(value) if isinstance(value, Mapping) else value
    if not isinstance(text, str):
        raise UnusableValue("Operation value must be a string")
    return text


def _day(value: Any) -> str:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError as error:
        raise UnusableValue("Error parsing date string: use yyyy-MM-dd") from error
