"""The endpoints of webhooks: made, listed, read by cursor, refreshed, switched and deleted."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from sandbox.airtable.access import Door, Visit
from sandbox.airtable.asking import object_body
from sandbox.airtable.errors import bad_path, bad_request, no_model
from sandbox.airtable.feed import KEPT, gone
from sandbox.airtable.writes import new_id
from sandbox.calls import Answer, Call, Handler, reply
from sandbox.stamps import Clock, airtable, stamp
from sandbox.store import Doc, Store

_MANAGE = "webhook:manage"
_PAGE = 50  # payloads in one answer
_MOST = 10  # hooks of one base
_DATA_TYPES = {
    "tableData": "data.records:read",
    "tableFields": "schema.bases:read",
    "tableMetadata": "schema.bases:read",
}
_CHANGES = {"add", "remove", "update"}


class Webhooks:
    """The hooks of a space's bases (vendor page: webhooks overview and the pages of each endpoint)."""

    def __init__(self, store: Store, space: str, door: Door, clock: Clock) -> None:
        """Keep hooks in one space; the clock is what they expire by."""
        self._store = store
        self._space = space
        self._door = door
        self._clock = clock

    def routes(self) -> list[tuple[str, str, Handler]]:
        """Return the endpoints."""
        one = "/v0/bases/{b}/webhooks/{w}"
        return [
            ("GET", "/v0/bases/{b}/webhooks", self._all),
            ("POST", "/v0/bases/{b}/webhooks", self._create),
            ("DELETE", one, self._delete),
            ("GET", f"{one}/payloads", self._payloads),
            ("POST", f"{one}/refresh", self._refresh),
            ("POST", f"{one}/enableNotifications", self._enable),
        ]

    def _all(self, call: Call) -> Answer:
        visit = self._door.enter(call, scope=_MANAGE)
        return reply({"webhooks": [_told(hook) for hook in self._alive(visit)]})

    def _alive(self, visit: Visit) -> list[Doc]:
        now = self._clock()
        return [hook for hook in self._store.find(self._space, "webhook", visit.base_id) if not gone(hook, now)]

    def _create(self, call: Call) -> Answer:
        visit = self._door.enter(call, scope=_MANAGE, level="create")
        body = object_body(call)
        specification = _specification(body.get("specification"))
        for kind in specification["options"]["filters"]["dataTypes"]:
            if _DATA_TYPES[kind] not in visit.caller.scopes:
                raise no_model()
        url = body.get("notificationUrl")
        if url is not None and (not isinstance(url, str) or not _address(url)):
            raise bad_request()
        if len(self._alive(visit)) >= _MOST:
            raise bad_request("this base has as many webhooks as it may have.")
        now = self._clock()
        hook: Doc = {
            "id": new_id("ach"),
            "_parent": visit.base_id,
            "_secret": base64.b64encode(secrets.token_bytes(32)).decode(),
            "areNotificationsEnabled": True,
            "cursorForNextPayload": 1,
            "isHookEnabled": True,
            "lastSuccessfulNotificationTime": None,
            "lastNotificationResult": None,
            "notificationUrl": url,
            "expirationTime": airtable(now + KEPT),
            "specification": specification,
        }
        self._keep(hook)
        told = {"id": hook["id"], "macSecretBase64": hook["_secret"], "expirationTime": hook["expirationTime"]}
        return reply(told)

    def _delete(self, call: Call) -> Answer:
        hook = self._hook(call, level="create")
        with self._store.transaction():
            for payload in list(self._store.find(self._space, "_payload", str(hook["id"]))):
                self._store.delete(self._space, "_payload", f"{hook['id']}/{payload['cursor']:010d}")
            self._store.delete(self._space, "webhook", str(hook["id"]))
        return Answer(status=200, body=b"")

    def _refresh(self, call: Call) -> Answer:
        hook = self._hook(call, level="create")
        self._extend(hook)
        return reply({"expirationTime": hook["expirationTime"]})

    def _enable(self, call: Call) -> Answer:
        hook = self._hook(call, level="create")
        enable = object_body(call).get("enable")
        if not isinstance(enable, bool):
            raise bad_request()
        hook["areNotificationsEnabled"] = enable
        self._keep(hook)
        return Answer(status=200, body=b"")

    def _payloads(self, call: Call) -> Answer:
        hook = self._hook(call, level="read")
        cursor, limit = _counted(call.one("cursor"), 1), min(_counted(call.one("limit"), _PAGE), _PAGE)
        since = stamp(self._clock() - KEPT)
        kept = [
            doc
            for doc in self._store.scan(self._space, "_payload", since=since, parent=str(hook["id"]))
            if int(doc["cursor"]) >= cursor
        ]
        kept.sort(key=lambda doc: int(doc["cursor"]))
        page = kept[:limit]
        after = int(page[-1]["cursor"]) + 1 if page else max(cursor, int(hook["cursorForNextPayload"]))
        self._extend(hook)
        told = [doc["payload"] for doc in page]
        return reply({"payloads": told, "cursor": after, "mightHaveMore": len(kept) > len(page)})

    def _hook(self, call: Call, *, level: str) -> Doc:
        visit = self._door.enter(call, scope=_MANAGE, level=level)
        hook = self._store.get(self._space, "webhook", call.at["w"])
        if hook is None or hook["_parent"] != visit.base_id or gone(hook, self._clock()):
            raise bad_path()
        return hook

    def _extend(self, hook: Doc) -> None:
        hook["expirationTime"] = airtable(self._clock() + KEPT)
        self._keep(hook)

    def _keep(self, hook: Doc) -> None:
        self._store.put(self._space, "webhook", [(str(hook["id"]), stamp(self._clock()), hook)])


def _told(hook: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in hook.items() if not key.startswith("_")}


def _specification(given: Any) -> dict[str, Any]:
    options = given.get("options") if isinstance(given, Mapping) else None
    filters = options.get("filters") if isinstance(options, Mapping) else None
    if not isinstance(options, Mapping) or not isinstance(filters, Mapping):
        raise bad_request()
    for name, allowed in (("dataTypes", _DATA_TYPES.keys()), ("changeTypes", _CHANGES)):
        values = filters.get(name)
        if name == "dataTypes" and not values:
            raise bad_request()
        if values is not None and not (isinstance(values, list) and all(value in allowed for value in values)):
            raise bad_request()
    for name in ("fromSources", "watchDataInFieldIds", "watchSchemasOfFieldIds"):
        values = filters.get(name)
        if values is not None and not (isinstance(values, list) and all(isinstance(one, str) for one in values)):
            raise bad_request()
    includes = options.get("includes")
    if includes is not None and not isinstance(includes, Mapping):
        raise bad_request()
    wanted = (includes or {}).get("includeCellValuesInFieldIds")
    if wanted not in (None, "all") and not (isinstance(wanted, list) and all(isinstance(one, str) for one in wanted)):
        raise bad_request()
    return {"options": dict(options)}


def _address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _counted(given: str, default: int) -> int:
    if not given:
        return default
    if not (given.isascii() and given.isdigit() and len(given) < 12) or int(given) < 1:
        raise bad_request()
    return int(given)
