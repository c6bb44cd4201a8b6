"""What is told about bases, their people and the caller: whoami, bases, collaborators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.airtable.access import LEVELS, Door, belongs
from sandbox.airtable.errors import refused
from sandbox.calls import Answer, Call, Handler, reply
from sandbox.store import Store

_PAGE = 1000  # bases in one answer
_MADE = "2026-01-01T00:00:00.000Z"


class Meta:
    """The endpoints about bases and people."""

    def __init__(self, store: Store, space: str, door: Door) -> None:
        """Tell about one space; `_settings.bases_page_size` makes pages of bases smaller than the service's."""
        self._store = store
        self._space = space
        self._door = door
        settings = next(store.scan(space, "_settings", limit=1), {})
        self._page = int(settings.get("bases_page_size") or _PAGE)

    def routes(self) -> list[tuple[str, str, Handler]]:
        """Return the endpoints."""
        return [
            ("GET", "/v0/meta/whoami", self._whoami),
            ("GET", "/v0/meta/bases", self._bases),
            ("GET", "/v0/meta/bases/{b}", self._collaborators),
        ]

    def _whoami(self, call: Call) -> Answer:
        caller = self._door.caller(call)
        told: dict[str, Any] = {"id": caller.user, "scopes": sorted(caller.scopes)}
        if caller.email and "user.email:read" in caller.scopes:
            told["email"] = caller.email
        return reply(told)

    def _bases(self, call: Call) -> Answer:
        caller = self._door.caller(call)
        seen = []
        for base in self._door.tables.bases() if "schema.bases:read" in caller.scopes else []:
            level = self._door.level(caller, base)
            if level != "none":
                seen.append({"id": base["id"], "name": base["name"], "permissionLevel": level})
        start, offset = 0, call.one("offset")
        if offset:
            start = next((place for place, base in enumerate(seen) if f"itr{base['id']}" == offset), -1)
            if start < 0:
                raise refused(422, "INVALID_OFFSET_VALUE", f"The value of offset {offset} is invalid")
        page, rest = seen[start : start + self._page], seen[start + self._page :]
        return reply({"bases": page} | ({"offset": f"itr{rest[0]['id']}"} if rest else {}))

    def _collaborators(self, call: Call) -> Answer:
        visit = self._door.enter(call, scope="workspacesAndBases:read")
        base = visit.base
        told: dict[str, Any] = {
            "id": base["id"],
            "name": base["name"],
            "createdTime": base.get("createdTime", _MADE),
            "permissionLevel": visit.level,
            "workspaceId": base.get("workspaceId", "wsp00000000000001"),
            "interfaces": {},
        }
        asked = {entry for name in ("include", "include[]") for entry in call.every(name)}
        if "collaborators" in asked:
            everybody = self._store.scan(self._space, "collaborator")
            people = [_collaborator(one, base) for one in everybody if belongs(one, str(base["id"]))]
            told["individualCollaborators"] = {"baseCollaborators": people, "workspaceCollaborators": []}
            told["groupCollaborators"] = {"baseCollaborators": [], "workspaceCollaborators": []}
        if "inviteLinks" in asked:
            told["inviteLinks"] = {"baseInviteLinks": [], "workspaceInviteLinks": []}
        return reply(told)


def _collaborator(person: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    level = (person.get("_levels") or {}).get(base["id"]) or person.get("permissionLevel") or "edit"
    return {
        "userId": person["id"],
        "email": person.get("email", ""),
        "name": person.get("name", ""),
        "permissionLevel": level if level in LEVELS else "edit",
        "createdTime": base.get("createdTime", _MADE),
        "grantedByUserId": person["id"],
    }
