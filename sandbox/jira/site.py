"""What every handler of the site needs: who calls, which issue is meant, how replies are printed."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo
from typing import Any

from sandbox.calls import Call
from sandbox.clock import expired
from sandbox.jira.errors import no_issue, no_project, not_signed_in
from sandbox.jira.printing import Printer
from sandbox.jira.writes import Writer
from sandbox.jira.zones import zone_named
from sandbox.rights import Rights, rights_of
from sandbox.stamps import Clock
from sandbox.store import Doc, Store

_STRANGER = Rights(admin=False, read=frozenset(), edit=frozenset())
TOKEN_DAYS = 7
_MOST_PRINTERS, _MOST_CALLERS = 50, 1000  # remembered at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls: an account (empty for a stranger), what it may do, and the time zone of its profile."""

    account: str
    rights: Rights
    zone: tzinfo
    app: str = ""  # the OAuth 2 or Connect app behind the token; only apps may register webhooks
    scopes: frozenset[str] | None = None

    def may(self, scope: str) -> bool:
        """Whether the token carries an OAuth 2 scope; other tokens carry them all."""
        return (self.scopes is None or scope in self.scopes) and self.rights.has(scope)


NOBODY = Caller(account="", rights=_STRANGER, zone=UTC)


class Site:
    """One site over one space of the store."""

    def __init__(self, store: Store, space: str, clock: Clock) -> None:
        """Serve one space, stamping with the clock."""
        self.store = store
        self.space = space
        self.clock = clock
        self.writer = Writer(store, space, clock)
        self.address = "http://127.0.0.1"  # where it was last called: what it sends by itself points there
        self._last: tuple[Mapping[str, str], Caller] | None = None
        self._as_of: tuple[int, int] | None = None  # the store's version all of the following are true of
        self._settings: dict[str, Any] | None = None
        self._callers: dict[str, Caller] = {}
        self._printers: dict[tuple[str, str, tzinfo, Rights], Printer] = {}

    def forget_caller(self) -> None:
        """Look again who calls: a new request begins, or rights have changed under it."""
        self._last = None
        self._renew()

    def _renew(self) -> bool:
        """Forget what was remembered if anything in the store has changed; gives whether anything may be remembered."""
        now = self.store.version()
        if now is None or now != self._as_of:
            self._as_of, self._settings, self._callers, self._printers = now, None, {}, {}
        return now is not None

    def caller(self, call: Call) -> Caller:
        """Return who calls; raises RefusedCall (401) for a wrong or missing token."""
        if self._last is None or self._last[0] is not call.headers:
            self._last = (call.headers, self._known_caller(call.headers.get("authorization", "")))
        return self._last[1]

    def caller_or_stranger(self, call: Call) -> Caller:
        """Return who calls; somebody who sends no credentials at all is a stranger, who sees no project."""
        return self.caller(call) if call.headers.get("authorization") else NOBODY

    def account(self, call: Call) -> str:
        """Return the caller's account id; raises RefusedCall (401) for a wrong or missing token."""
        return self.caller(call).account

    def settings(self) -> Mapping[str, Any]:
        """Return what the world fixes about the service itself (documents of kind `_settings`)."""
        if self._settings is None or self._as_of is None:
            self._settings = {}
            for doc in self.store.scan(self.space, "_settings"):
                self._settings |= doc
        return self._settings

    def cloud_id(self) -> str:
        """Return the id under which the gateway (`/ex/jira/{id}`) knows this site."""
        told = self.settings().get("cloud_id")
        return str(told) if told else str(uuid.uuid5(uuid.NAMESPACE_DNS, self.space))

    def printer(self, call: Call) -> Printer:
        """Return a printer for the caller, in the API version used."""
        version = "2" if call.at.get("v") == "2" else "3"
        caller = self.caller_or_stranger(call)
        key = (version, address(call), caller.zone, caller.rights)
        remembers = self._renew()
        printer = self._printers.get(key) if remembers else None
        if printer is None:
            printer = self.printer_for(caller, version=version, address=address(call))
            if remembers and len(self._printers) < _MOST_PRINTERS:
                self._printers[key] = printer
        return printer

    def printer_for(self, caller: Caller, *, version: str, address: str) -> Printer:
        """Return a printer of what this account sees."""
        return Printer(self.store, self.space, address=address, version=version, zone=caller.zone, rights=caller.rights)

    def issue(self, call: Call) -> Doc:
        """Return the issue named in the path; raises RefusedCall (404) when there is none, or none to be seen."""
        return self.by_name(call.at["k"], self.caller(call))

    def by_name(self, name: str, caller: Caller) -> Doc:
        """Return an issue by id, key or former key; raises RefusedCall (404) when there is none to be seen."""
        found = self.find_issue(name)
        if found is None or not sees(caller, found):
            raise no_issue()
        return found

    def find_issue(self, name: str) -> Doc | None:
        """Return an issue by id, key or former key, whoever may see it."""
        if name.isdigit():
            return self.store.get(self.space, "issue", name)
        found = self.store.named(self.space, "issue", name.upper())
        if found is None:
            moved = self.store.get(self.space, "_former_key", name.upper())
            found = None if moved is None else self.store.get(self.space, "issue", str(moved["issue"]))
        return found

    def project(self, name: str, caller: Caller) -> Doc:
        """Return a project by id or key; raises RefusedCall (404) when there is none to be seen."""
        doc = self.store.get(self.space, "project", name) or self.store.named(self.space, "project", name.upper())
        if doc is None or not caller.rights.reads(str(doc["key"])):
            raise no_project(name)
        return doc

    def _known_caller(self, authorization: str) -> Caller:
        remembers = self._renew()
        known = self._callers.get(authorization) if remembers else None
        return known or self._caller(authorization)

    def _caller(self, authorization: str) -> Caller:
        scheme, _, credentials = authorization.partition(" ")
        basic = scheme.lower() == "basic"
        email, token = "", credentials.strip()
        if basic:
            try:
                plain = base64.b64decode(credentials, validate=True).decode("utf-8", "replace")
            except (binascii.Error, ValueError) as error:
                raise not_signed_in() from error
            email, _, token = plain.partition(":")
        known = self.store.get(self.space, "_token", token) if token else None
        if known is None or (basic and str(known.get("email", "")).lower() != email.lower()):
            raise not_signed_in()
        if known.get("_seconds") and expired(str(known["_made"]), self.clock(), seconds=float(known["_seconds"])):
            raise not_signed_in()
        account = str(known["accountId"])
        user = self.store.get(self.space, "user", account)
        if user is not None and not user.get("active", True):
            raise not_signed_in()
        scopes = known.get("scopes")
        caller = Caller(
            account=account,
            rights=rights_of(self.store, self.space, account),
            zone=zone_named(str((user or {}).get("timeZone") or "")),
            app=str(known.get("app") or ""),
            scopes=None if scopes is None else frozenset(scopes),
        )
        if not known.get("_seconds") and len(self._callers) < _MOST_CALLERS:
            self._callers[authorization] = caller
        return caller

    def token_life(self) -> timedelta:
        """Return how long a page token of a search can be used."""
        return timedelta(seconds=float(self.settings().get("token_seconds", TOKEN_DAYS * 86400)))


def address(call: Call) -> str:
    """Return the address the caller used, without a path."""
    return f"http://{call.headers.get('host', '127.0.0.1')}"


def project_of(issue: Mapping[str, Any]) -> str:
    """Return the key of an issue's project."""
    return str(issue["key"]).rpartition("-")[0]


def sees(caller: Caller, issue: Mapping[str, Any]) -> bool:
    """Whether the caller may browse an issue."""
    return caller.rights.reads(project_of(issue), str(issue["id"]))


def edits(caller: Caller, issue: Mapping[str, Any]) -> bool:
    """Whether the caller may change an issue."""
    return caller.rights.edits(project_of(issue), str(issue["id"]))
