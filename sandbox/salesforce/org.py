"""One org as its request handlers see it: schema, writes, sessions, rights, and the allowance of requests."""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.calls import Call
from sandbox.rights import Rights, rights_of
from sandbox.salesforce.author import Author
from sandbox.salesforce.columns import Columns, Moment
from sandbox.salesforce.describe import targets
from sandbox.salesforce.errors import not_found, refused
from sandbox.salesforce.schema import Schema, SObject
from sandbox.salesforce.writes import Writer
from sandbox.stamps import Clock, parsed, stamp
from sandbox.store import Doc, Store

DATA = r"/services/data/(?P<v>v\d+\.0)"  # what the paths of the data API begin with, as a route pattern
_DAILY = 100_000
_SESSION_SECONDS = 7200
_DAY = timedelta(hours=24)


class Org:
    """One org; `space` names its shelves in the store, `clock` gives aware UTC datetimes."""

    def __init__(self, store: Store, space: str, clock: Clock) -> None:
        """Read the schema; settings, sessions and rights are looked up anew for every request."""
        self.store = store
        self.space = space
        self.clock = clock
        self.schema = Schema(store, space)
        self.writer = Writer(self)
        self._asked: OrderedDict[datetime, int] = OrderedDict()

    def reload(self) -> None:
        """Read the schema again, after somebody changed the objects or fields of the org."""
        self.schema = Schema(self.store, self.space)

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the `_settings` documents of the space say, together."""
        told: dict[str, Any] = {}
        for doc in self.store.scan(self.space, "_settings"):
            told |= doc
        return told

    @property
    def id(self) -> str:
        """The organization's own id, 18 characters."""
        return next((str(doc["Id"]) for doc in self.store.scan(self.space, "Organization", limit=1)), _ORG)

    @property
    def name(self) -> str:
        """The organization's name."""
        told = next(self.store.scan(self.space, "Organization", limit=1), {})
        return str(told.get("Name") or self.space)

    @property
    def session_seconds(self) -> int:
        """How long a session may be idle."""
        return int(self.settings.get("session_seconds", _SESSION_SECONDS))

    def get(self, kind: str, id_: str) -> Doc | None:
        """Return one document of the org's space, or None."""
        return self.store.get(self.space, kind, id_)

    # -- sessions --------------------------------------------------------------------------------------------

    def sign_in(self, user: str, *, client: str = "") -> str:
        """Open a session for a user and return its id; it ends when it was idle for too long."""
        token = f"{self.id[:15]}!AQ{secrets.token_urlsafe(64)}"
        at = stamp(self.clock())
        self.store.put(self.space, "_token", [(token, at, {"user": user, "client": client, "at": at})])
        return token

    def sign_out(self, token: str) -> bool:
        """End a session; tells whether there was one."""
        known = self.get("_token", token) is not None
        self.store.delete(self.space, "_token", token)
        return known

    def user_of(self, token: str) -> str | None:
        """Return the user of a live session, or None; using a session in its second half prolongs it."""
        known = self.get("_token", token) if token else None
        if known is None:
            return None
        user = str(known["user"])
        record = self.get("User", user)
        if record is not None and not record.get("IsActive", True):
            return None
        if known.get("at"):  # a session planted by a world has no beginning, and so no end
            lasts = self.session_seconds
            now = self.clock()
            idle = (now - parsed(str(known["at"]))).total_seconds()
            if idle >= lasts:
                self.store.delete(self.space, "_token", token)
                return None
            if idle >= lasts / 2:
                self.store.put(self.space, "_token", [(token, stamp(now), {**known, "at": stamp(now)})])
        return user

    def user_named(self, username: str) -> Doc | None:
        """Return the user with this Username (case does not matter), or None."""
        wanted = username.lower()
        users = self.store.scan(self.space, "User")
        return next((user for user in users if wanted and str(user.get("Username", "")).lower() == wanted), None)

    def known_login(self, username: str, password: str, *, trusted: bool = False) -> str | None:
        """Return the user's id when the password, with the security token behind it, is right.

        From a trusted network (`_settings.trusted_network`, or `trusted`) the password alone is enough too.
        """
        user = self.user_named(username)
        if user is None or not user.get("_password"):
            return None
        right = [f"{user['_password']}{user.get('_security_token', '')}"]
        if trusted or self.settings.get("trusted_network"):
            right.append(str(user["_password"]))
        return str(user["Id"]) if password in right else None

    def user(self, call: Call) -> str:
        """Return the id of the calling user; raises RefusedCall (401 INVALID_SESSION_ID) without a live session."""
        user = self.user_of(token_of(call))
        if user is None:
            raise refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
        return user

    def author(self, call: Call) -> Author:
        """Return the calling user with rights and header options; raises RefusedCall as `user` does."""
        user = self.user(call)
        duplicates = call.headers.get("sforce-duplicate-rule-header", "")
        return Author(
            user=user,
            rights=self.rights(user),
            allow_duplicates=re.search(r"allowSave\s*=\s*true", duplicates, re.IGNORECASE) is not None,
            auto_assign=call.headers.get("sforce-auto-assign", "true").lower() != "false",
            row_locked="row_locked" in call.faults,
        )

    def zone_of(self, user: str) -> ZoneInfo:
        """Return the time zone in which a user's days begin (UTC when the user has none)."""
        record = self.get("User", user) or {}
        try:
            return ZoneInfo(str(record.get("TimeZoneSidKey") or "UTC"))
        except (KeyError, ValueError):  # a profile may name a zone that this machine does not know
            return ZoneInfo("UTC")

    # -- rights ----------------------------------------------------------------------------------------------

    def rights(self, user: str) -> Rights:
        """Return a user's rights; what hangs on an object (histories, comments) goes with it, the directory is open."""
        told = rights_of(self.store, self.space, user)
        read, edit = told.read, told.edit
        if "*" not in read:
            read |= _OPEN | self._hanging_on(read)
        if "*" not in edit:
            edit |= self._hanging_on(edit)
        return replace(told, read=read, edit=edit)

    def _hanging_on(self, containers: frozenset[str]) -> frozenset[str]:
        return frozenset(
            made.name
            for made in self.schema.objects.values()
            if made.parent is not None and containers & set(targets(made, made.parent))
        )

    def sobject(self, name: str, author: Author) -> SObject:
        """Return an object by its name; raises RefusedCall (404) when it is unknown or hidden from the author."""
        found = self.schema.find(name)
        if found is None or not author.rights.reads(found.name):
            raise not_found()
        return found

    def columns(self, sobject: SObject, author: Author) -> Columns:
        """Return the columns of an object as the author's queries see them, now and in the author's zone."""
        return Columns(
            self.store,
            self.space,
            self.schema,
            sobject,
            moment=Moment(now=self.clock(), zone=self.zone_of(author.user)),
            rights=author.rights,
        )

    def visible(self, sobject: SObject, record: Mapping[str, Any], rights: Rights) -> bool:
        """Whether a record may be seen: it, its object, and the record that it belongs to (histories, comments)."""
        return Columns(self.store, self.space, self.schema, sobject, rights=rights).visible(record)

    # -- requests --------------------------------------------------------------------------------------------

    @property
    def daily_requests(self) -> int:
        """How many requests the org may make within 24 hours."""
        return int(self.settings.get("daily_requests", _DAILY))

    @property
    def requests_used(self) -> int:
        """How many requests were made within the last 24 hours of the clock."""
        since = self.clock() - _DAY
        while self._asked and next(iter(self._asked)) <= since:
            self._asked.popitem(last=False)
        return sum(self._asked.values())

    def refuse_when_used_up(self) -> None:
        """Raise RefusedCall (403 REQUEST_LIMIT_EXCEEDED) when the requests of 24 hours are used up."""
        if self.requests_used >= self.daily_requests:
            raise refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")

    def count_request(self) -> None:
        """Count one request; raises RefusedCall as `refuse_when_used_up` does."""
        self.refuse_when_used_up()
        minute = self.clock().replace(second=0, microsecond=0)
        self._asked[minute] = self._asked.get(minute, 0) + 1

    def usage(self) -> dict[str, str]:
        """Return the header that tells how many requests were used."""
        return {"Sforce-Limit-Info": f"api-usage={self.requests_used}/{self.daily_requests}"}


# what every user sees of an org, as long as single records are not hidden
_OPEN = frozenset(
    {
        "Group",
        "GroupMember",
        "Organization",
        "ProcessDefinition",
        "ProcessInstance",
        "ProcessInstanceStep",
        "ProcessInstanceWorkitem",
        "Profile",
        "QueueSobject",
        "User",
        "UserRole",
    }
)
_ORG = "00D000000000001EAA"


def token_of(call: Call) -> str:
    """Return the session id that a request carries, or an empty text."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in {"bearer", "oauth"} else ""
