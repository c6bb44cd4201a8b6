"""What an account may see and change: one document of kind ``_rights`` for each account that is not all-powerful."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.store import Store

KIND = "_rights"
_ALL = frozenset({"*"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """The rights of one account. A container is an sObject name, a Jira project key or an Airtable table id."""

    admin: bool = True
    read: frozenset[str] = _ALL
    edit: frozenset[str] = _ALL
    hidden: frozenset[str] = frozenset()
    read_only: frozenset[str] = frozenset()
    hidden_fields: frozenset[str] = frozenset()
    scopes: frozenset[str] | None = None  # None: every scope

    def reads(self, container: str, record: str = "") -> bool:
        """Whether records of the container, and this one, are visible."""
        return ("*" in self.read or container in self.read) and record not in self.hidden

    def edits(self, container: str, record: str = "") -> bool:
        """Whether records of the container, and this one, may be changed; what is not visible never is."""
        allowed = "*" in self.edit or container in self.edit
        return allowed and record not in self.read_only and self.reads(container, record)

    def sees_field(self, container: str, field: str) -> bool:
        """Whether a field is visible; a hidden one is named ``Container.Field`` or by its own id."""
        return field not in self.hidden_fields and f"{container}.{field}" not in self.hidden_fields

    def has(self, scope: str) -> bool:
        """Whether the account's token carries a scope."""
        return self.scopes is None or scope in self.scopes

    @property
    def sees_everything(self) -> bool:
        """Whether no record is hidden from the account, so that nothing needs to be filtered."""
        return "*" in self.read and not self.hidden


_EVERYTHING = Rights()


def rights_of(store: Store, space: str, user: str) -> Rights:
    """Return an account's rights; an account without such a document may do everything."""
    doc = store.get(space, KIND, user)
    if doc is None:
        return _EVERYTHING
    return Rights(
        admin=bool(doc.get("admin", False)),
        read=frozenset(doc.get("read", ["*"])),
        edit=frozenset(doc.get("edit", ["*"])),
        hidden=frozenset(doc.get("hidden", ())),
        read_only=frozenset(doc.get("read_only", ())),
        hidden_fields=frozenset(doc.get("hidden_fields", ())),
        scopes=None if doc.get("scopes") is None else frozenset(doc["scopes"]),
    )
