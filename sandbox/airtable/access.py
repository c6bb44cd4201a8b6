"""Who calls, with which scopes, and what they may see and do in a base."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.airtable.errors import bad_path, forbidden, no_model, no_record, not_authenticated
from sandbox.airtable.tables import Table, Tables, seen_by
from sandbox.calls import Call
from sandbox.rights import Rights, rights_of
from sandbox.stamps import Clock, stamp
from sandbox.store import Doc, Store

_MOST = 1000  # callers and visits kept while nothing changes
LEVELS = ("none", "read", "comment", "edit", "create", "owner")
SCOPES = (
    "data.records:read", "data.records:write", "data.recordComments:read", "data.recordComments:write",
    "schema.bases:read", "schema.bases:write", "webhook:manage", "user.email:read", "workspacesAndBases:read",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The account behind a token; `source` is what webhooks say about its changes (`publicApi`, `client`), `until`
    the stamp at which the token expires (empty: never)."""

    user: str
    name: str
    email: str
    rights: Rights
    scopes: frozenset[str]
    source: str = "publicApi"
    until: str = ""

    @property
    def told(self) -> dict[str, Any]:
        """The account as cells and comments show it."""
        return {"id": self.user, "email": self.email, "name": self.name}


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A caller in a base, with the level of permission they have there."""

    caller: Caller
    base: Doc
    level: str

    @property
    def base_id(self) -> str:
        """The base's id."""
        return str(self.base["id"])

    def reaches(self, level: str) -> bool:
        """Whether the caller has at least this level."""
        return LEVELS.index(self.level) >= LEVELS.index(level)

    def sees(self, table: str, record: str = "") -> bool:
        """Whether a table of the base, and this record of it, are visible."""
        rights = self.caller.rights
        return rights.reads(table, record) or rights.reads(self.base_id, record)

    def edits(self, table: str, record: str = "") -> bool:
        """Whether records of the table, and this one, may be changed."""
        rights = self.caller.rights
        allowed = not {"*", table, self.base_id}.isdisjoint(rights.edit)
        return self.reaches("edit") and allowed and record not in rights.read_only and self.sees(table, record)


class Door:
    """Lets callers into the bases of a space."""

    def __init__(self, store: Store, space: str, clock: Clock) -> None:
        """Know the tokens, people and tables of one space."""
        self._store = store
        self._space = space
        self._clock = clock
        self.tables = Tables(store, space)
        self._version: object = None  # of the store, when these were looked up
        self._callers: dict[str, Caller] = {}
        self._visits: dict[tuple[str, ...], tuple[Visit, Table]] = {}

    def caller(self, call: Call) -> Caller:
        """Return who calls; raises RefusedCall (401) for a token nobody has, or that has expired."""
        named = call.headers.get("authorization", "")
        caller = self._callers.get(named) if self._unchanged() else None
        if caller is None:
            caller = self._callers[named] = self._caller(named)
        if caller.until and caller.until <= stamp(self._clock()):
            raise not_authenticated()
        return caller

    def _unchanged(self) -> bool:
        """Whether everything is as it was when it was last looked up; otherwise that is forgotten."""
        version = self._store.version()
        if version is None or version != self._version or len(self._callers) > _MOST or len(self._visits) > _MOST:
            self._callers.clear()
            self._visits.clear()
        self._version = version
        return version is not None

    def _caller(self, named: str) -> Caller:
        scheme, _, token = named.partition(" ")
        known = self._store.get(self._space, "_token", token) if scheme.lower() == "bearer" else None
        if known is None:
            raise not_authenticated()
        user = str(known["user"])
        person = self._store.get(self._space, "collaborator", user) or {}
        rights = rights_of(self._store, self._space, user)
        scopes = frozenset(known["scopes"]) if known.get("scopes") is not None else frozenset(SCOPES)
        return Caller(
            user=user,
            name=str(person.get("name") or known.get("name") or ""),
            email=str(person.get("email") or known.get("email") or ""),
            rights=rights,
            scopes=scopes if rights.scopes is None else scopes & rights.scopes,
            source=str(known.get("source") or "publicApi"),
            until=str(known.get("_until") or ""),
        )

    def level(self, caller: Caller, base: Mapping[str, Any]) -> str:
        """Return the caller's level of permission in a base; `none` hides the base."""
        person = self._store.get(self._space, "collaborator", caller.user) or {}
        if not belongs(person, str(base["id"])):
            return "none"
        levels = person.get("_levels") or {}
        level = str(levels.get(base["id"]) or person.get("permissionLevel") or base.get("permissionLevel") or "create")
        rights = caller.rights
        if not rights.admin and LEVELS.index(level) > LEVELS.index("edit"):
            level = "edit"
        if not rights.edit and LEVELS.index(level) > LEVELS.index("comment"):
            level = "comment"
        if not rights.read.isdisjoint(("*", str(base["id"]))):
            return level
        seen = any(rights.reads(str(doc["id"])) for doc in self.tables.of_base(str(base["id"])))
        return level if seen else "none"

    def enter(self, call: Call, *, scope: str, level: str = "read") -> Visit:
        """Return the visit to the base of the path.

        Raises RefusedCall: 404 for a badly formed id, 403 for a base out of reach or a scope the token lacks
        (the two look the same), 403 INVALID_PERMISSIONS when the level does not suffice.
        """
        if not re.fullmatch(r"app\w+", call.at["b"]):
            raise bad_path()
        base = self._store.get(self._space, "base", call.at["b"])
        caller = self.caller(call)
        if base is None or scope not in caller.scopes:
            raise no_model()
        visit = Visit(caller=caller, base=base, level=self.level(caller, base))
        if visit.level == "none":
            raise no_model()
        if not visit.reaches(level):
            raise forbidden()
        return visit

    def reading(self, call: Call, *, scope: str) -> tuple[Visit, Table]:
        """Return the visit to the base and the table of the path, both only to be looked at; raises like the two."""
        key = (call.headers.get("authorization", ""), call.at["b"], call.at["t"], scope)
        if self._unchanged() and key in self._visits:
            return self._visits[key]
        visit = self.enter(call, scope=scope)
        found = self._visits[key] = visit, self.table(visit, call)
        return found

    def table(self, visit: Visit, call: Call) -> Table:
        """Return the table of the path as the visitor knows it; raises RefusedCall (403) when there is none."""
        table = self.tables.named(visit.base_id, call.at["t"])
        if table is None or not visit.sees(table.id):
            raise no_model()
        return seen_by(table, visit.caller.rights)

    def record(self, visit: Visit, table: Table, id_: str) -> Doc:
        """Return a record the visitor sees; raises RefusedCall (404) when there is none."""
        record = self._store.get(self._space, "record", id_)
        if record is None or record.get("_table") != table.id or not visit.sees(table.id, id_):
            raise no_record()
        return record

    def changeable(self, visit: Visit, table: Table, id_: str = "") -> None:
        """Check that the visitor may change the table, or this record; raises RefusedCall (403)."""
        if not visit.edits(table.id, id_):
            raise forbidden()


def belongs(person: Mapping[str, Any], base: str) -> bool:
    """Whether a person has access to a base: `_bases` lists them; without it they have access to all."""
    bases = person.get("_bases")
    return bases is None or base in bases


def record_id(text: str) -> str:
    """Return a record id; raises RefusedCall (404) for one that is badly formed."""
    if not re.fullmatch(r"rec\w+", text):
        raise bad_path()
    return text
