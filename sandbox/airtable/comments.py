"""The comments of records: listed newest first, written by the caller, with the people they mention."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.airtable.access import Door, Visit, record_id
from sandbox.airtable.asking import object_body
from sandbox.airtable.errors import bad_request, forbidden, no_record, refused
from sandbox.airtable.writes import new_id
from sandbox.calls import Answer, Call, Handler, reply
from sandbox.stamps import Clock, airtable, stamp
from sandbox.store import Doc, Store

_READ, _WRITE = "data.recordComments:read", "data.recordComments:write"
_MOST = 100  # comments on a page
_MENTION = re.compile(r"@\[(usr\w+)\]")


class Comments:
    """The comments of a space's records; a comment is no change of its record."""

    def __init__(self, store: Store, space: str, door: Door, clock: Clock) -> None:
        """Keep comments in one space."""
        self._store = store
        self._space = space
        self._door = door
        self._clock = clock

    def routes(self) -> list[tuple[str, str, Handler]]:
        """Return the endpoints."""
        every = "/v0/{b}/{t}/{r}/comments"
        return [
            ("GET", every, self._list),
            ("POST", every, self._create),
            ("PATCH", every + "/{c}", self._edit),
            ("DELETE", every + "/{c}", self._delete),
        ]

    def _list(self, call: Call) -> Answer:
        _, record = self._record(call, scope=_READ, level="read")
        size = call.one("pageSize") or str(_MOST)
        if not (size.isascii() and size.isdigit() and len(size) < 9) or not 0 < int(size) <= _MOST:
            raise bad_request()
        comments = list(self._store.find(self._space, "comment", str(record["id"])))
        comments.sort(key=lambda one: (one["createdTime"], one["id"]), reverse=True)
        start, offset = 0, call.one("offset")
        if offset:
            start = next((place for place, one in enumerate(comments) if one["id"] == offset), -1)
            if start < 0:
                raise refused(422, "INVALID_OFFSET_VALUE", f"The value of offset {offset} is invalid")
        page, rest = comments[start : start + int(size)], comments[start + int(size) :]
        return reply({"comments": [self._told(one) for one in page], "offset": rest[0]["id"] if rest else None})

    def _create(self, call: Call) -> Answer:
        visit, record = self._record(call, scope=_WRITE, level="comment")
        body = object_body(call)
        parent = body.get("parentCommentId")
        if parent is not None and self._found(record, str(parent)) is None:
            raise bad_request()
        comment: Doc = {
            "id": new_id("com"),
            "_parent": record["id"],
            "author": visit.caller.told,
            "text": _text(body),
            "createdTime": airtable(self._clock()),
            "lastUpdatedTime": None,
        }
        if parent is not None:
            comment["parentCommentId"] = parent
        self._keep(comment)
        return reply(self._told(comment))

    def _edit(self, call: Call) -> Answer:
        visit, record = self._record(call, scope=_WRITE, level="comment")
        comment = self._own(visit, record, call.at["c"])
        comment["text"] = _text(object_body(call))
        comment["lastUpdatedTime"] = airtable(self._clock())
        self._keep(comment)
        return reply(self._told(comment))

    def _delete(self, call: Call) -> Answer:
        visit, record = self._record(call, scope=_WRITE, level="comment")
        comment = self._own(visit, record, call.at["c"])
        self._store.delete(self._space, "comment", str(comment["id"]))
        return reply({"id": comment["id"], "deleted": True})

    def _record(self, call: Call, *, scope: str, level: str) -> tuple[Visit, Doc]:
        visit = self._door.enter(call, scope=scope, level=level)
        table = self._door.table(visit, call)
        return visit, self._door.record(visit, table, record_id(call.at["r"]))

    def _found(self, record: Doc, id_: str) -> Doc | None:
        comment = self._store.get(self._space, "comment", id_)
        return comment if comment is not None and comment["_parent"] == record["id"] else None

    def _own(self, visit: Visit, record: Doc, id_: str) -> Doc:
        comment = self._found(record, id_)
        if comment is None:
            raise no_record()
        if comment["author"].get("id") != visit.caller.user:
            raise forbidden()
        return comment

    def _told(self, comment: Mapping[str, Any]) -> dict[str, Any]:
        told = {key: value for key, value in comment.items() if not key.startswith("_")}
        people = self._store.pick(self._space, "collaborator", list(set(_MENTION.findall(str(comment["text"])))))
        if people and "mentioned" not in told:
            told["mentioned"] = {
                id_: {"type": "user", "id": id_, "displayName": one.get("name", ""), "email": one.get("email")}
                for id_, one in people.items()
            }
        return told

    def _keep(self, comment: Doc) -> None:
        self._store.put(self._space, "comment", [(str(comment["id"]), stamp(self._clock()), comment)])


def _text(body: Mapping[str, Any]) -> str:
    text = body.get("text")
    if not isinstance(text, str) or not text:
        raise bad_request()
    return text
