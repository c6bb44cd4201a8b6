"""Webhooks of apps: registering, expiry, and what is sent when something happens to an issue."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson

from sandbox.calls import Answer, Call, RefusedCall, reply
from sandbox.jira.bodies import asked_of, number, object_body, parts, text, texts
from sandbox.jira.catalog import page_of
from sandbox.jira.deliveries import Deliveries
from sandbox.jira.errors import refused
from sandbox.jira.jql import parse
from sandbox.jira.searching import Searching
from sandbox.jira.site import Caller, Site, address
from sandbox.jira.wanted import wanted
from sandbox.jira.writes import Happening
from sandbox.rights import Rights
from sandbox.stamps import parsed, stamp
from sandbox.store import Doc

_EVENTS = frozenset(
    {
        "jira:issue_created", "jira:issue_updated", "jira:issue_deleted", "comment_created", "comment_updated",
        "comment_deleted", "issue_property_set", "issue_property_deleted",
    }
)  # fmt: skip
_LIFE = timedelta(days=30)
_MOST = 100  # webhooks of one app
_KIND, _FAILED = "_webhook", "_webhook_failed"


class Webhooks:
    """Answers apps, and sends what they asked for."""

    def __init__(self, site: Site, searching: Searching, deliveries: Deliveries) -> None:
        """Serve one site; deliveries go out in the background."""
        self._site = site
        self._searching = searching
        self._deliveries = deliveries
        site.writer.watchers.append(self._happened)

    def registered(self, call: Call) -> Answer:
        """GET webhook: the app's own that are still alive."""
        app = self._app(call)
        return reply(page_of(call, [_shown(doc) for doc in self._alive() if doc["_app"] == app], 100))

    def register(self, call: Call) -> Answer:
        """POST webhook: each is accepted or refused for itself."""
        app, asked = self._app(call), object_body(call)
        url, wished = text(asked, "url"), parts(asked, "webhooks")
        if not url or not wished:
            raise refused(400, "The url and at least one webhook must be given.")
        if not _on_this_machine(url):
            raise refused(400, "The url must point at this machine: the simulated site calls nobody else.")
        caller = self._site.caller(call)
        made: list[dict[str, Any]] = []
        held = sum(1 for doc in self._alive() if doc["_app"] == app)
        for wish in wished:
            errors = self._wrong(wish, caller)
            if not errors and held + 1 > _MOST:
                errors = [f"The app cannot have more than {_MOST} webhooks."]
            if errors:
                made.append({"errors": errors})
                continue
            held += 1
            made.append({"createdWebhookId": self._add(app, caller.account, url, wish)})
        return reply({"webhookRegistrationResult": made})

    def delete(self, call: Call) -> Answer:
        """DELETE webhook: unknown ids are passed over."""
        for doc in self._own(call):
            self._site.store.delete(self._site.space, _KIND, str(doc["id"]))
        return Answer(status=202)

    def refresh(self, call: Call) -> Answer:
        """PUT webhook/refresh: thirty days from now."""
        own = self._own(call)
        until = self._site.clock() + _LIFE
        for doc in own:
            self._put({**doc, "_until": stamp(until)})
        return reply({"expirationDate": _epoch(until)})

    def failed(self, call: Call) -> Answer:
        """GET webhook/failed: what could not be delivered, oldest first."""
        app, asked = self._app(call), asked_of(call)
        most = min(100, max(1, number(asked, "maxResults", 100)))
        after = asked.get("after") or asked.get("failedAfter") or "0"
        if not after.isdigit():
            raise refused(400, "after must be a number.")
        rows = [
            {"id": str(doc["id"]), "body": doc["body"], "url": doc["url"], "failureTime": doc["time"]}
            for doc in self._site.store.scan(self._site.space, _FAILED)
            if doc["_app"] == app and doc["time"] > int(after)
        ]
        told: dict[str, Any] = {"values": rows[:most], "maxResults": most}
        if len(rows) > most:
            told["next"] = f"{address(call)}{call.path}?after={rows[most - 1]['failureTime']}&maxResults={most}"
        return reply(told)

    def keep_failures(self) -> None:
        """Note what the background could not deliver, and send again what is due; called before each request."""
        for delivery in self._deliveries.given_up():
            at = self._site.clock()
            doc = {"id": delivery.id, "body": delivery.body.decode(), "url": delivery.url, "_app": delivery.app}
            self._site.store.put(self._site.space, _FAILED, [(delivery.id, stamp(at), {**doc, "time": _epoch(at)})])
        self._deliveries.send_due(self._site.clock())

    # -- registering -----------------------------------------------------------------------------------------

    def _app(self, call: Call) -> str:
        app = self._site.caller(call).app
        if not app:
            raise refused(403, "Only Connect and OAuth 2.0 apps can use this operation.")
        return app

    def _wrong(self, wish: Mapping[str, Any], caller: Caller) -> list[str]:
        events, query = texts(wish, "events"), text(wish, "jqlFilter")
        errors = [f"The event '{event}' is unknown." for event in events if event not in _EVENTS]
        if not events:
            errors.append("At least one event must be given.")
        if not query:
            errors.append("The jqlFilter must be given.")
            return errors
        try:
            self._searching.matches(parse(query), caller, {})
        except RefusedCall as error:
            errors += [str(message) for message in orjson.loads(error.answer.body)["errorMessages"]]
        return errors

    def _add(self, app: str, account: str, url: str, wish: Mapping[str, Any]) -> int:
        known = [int(doc["id"]) for doc in self._site.store.scan(self._site.space, _KIND)]
        doc: Doc = {
            "id": max(known, default=9_999) + 1,
            "url": url,
            "events": texts(wish, "events"),
            "jqlFilter": text(wish, "jqlFilter"),
            "_app": app,
            "_account": account,
            "_until": stamp(self._site.clock() + _LIFE),
        }
        for name in ("fieldIdsFilter", "issuePropertyKeysFilter"):
            if texts(wish, name):
                doc[name] = texts(wish, name)
        self._put(doc)
        return int(doc["id"])

    def _own(self, call: Call) -> list[Doc]:
        app = self._app(call)
        ids = set(texts(object_body(call), "webhookIds"))
        if not ids:
            raise refused(400, "The list of webhook ids is missing.")
        return [doc for doc in self._alive() if str(doc["id"]) in ids and doc["_app"] == app]

    def _alive(self) -> list[Doc]:
        now = self._site.clock()
        return [doc for doc in self._site.store.scan(self._site.space, _KIND) if parsed(doc["_until"]) > now]

    def _put(self, doc: Doc) -> None:
        self._site.store.put(self._site.space, _KIND, [(str(doc["id"]), stamp(self._site.clock()), doc)])

    # -- sending ---------------------------------------------------------------------------------------------

    def _happened(self, happening: Happening) -> None:
        by_url: dict[tuple[str, str], list[Doc]] = {}
        for doc in self._alive():
            if happening.event in doc["events"] and self._matches(doc, happening):
                by_url.setdefault((doc["url"], doc["_app"]), []).append(doc)
        for (url, app), docs in by_url.items():
            body = {**self._body(happening), "matchedWebhookIds": [int(doc["id"]) for doc in docs]}
            client = self._site.store.get(self._site.space, "_oauth_client", app)
            secret = "" if client is None else str(client["secret"])
            self._deliveries.send(url, orjson.dumps(body), app=app, secret=secret, now=self._site.clock())

    def _matches(self, doc: Doc, happening: Happening) -> bool:
        wanted_fields = doc.get("fieldIdsFilter")
        changed = None if happening.entry is None else {item.get("fieldId") for item in happening.entry["items"]}
        if wanted_fields and changed is not None and not changed & set(wanted_fields):
            return False
        if doc.get("issuePropertyKeysFilter") and happening.property_key not in doc["issuePropertyKeysFilter"]:
            return False
        caller = Caller(account=doc["_account"], rights=Rights(), zone=UTC)
        try:
            return self._searching.matches(parse(doc["jqlFilter"]), caller, happening.issue)
        except RefusedCall:
            return False  # the filter names something that is gone by now

    def _body(self, happening: Happening) -> dict[str, Any]:
        everything = Caller(account="", rights=Rights(), zone=UTC)
        printer = self._site.printer_for(everything, version="2", address=self._site.address)
        what = wanted([], frozenset(), default="*navigable")
        told: dict[str, Any] = {"timestamp": _epoch(happening.at), "webhookEvent": happening.event}
        user = printer.person(happening.account)
        if happening.comment is not None:
            told["comment"] = printer.comment(happening.comment)
        elif happening.property_key:
            told["property"] = {"key": happening.property_key}
        else:
            told["user"] = user
            told["issue_event_type_name"] = _kind_of(happening)
        told["issue"] = printer.issues([happening.issue], what, in_search=False)[0]
        if happening.entry is not None:
            told["changelog"] = {"id": str(happening.entry["id"]), "items": happening.entry["items"]}
        return told


def _kind_of(happening: Happening) -> str:
    usual = {"jira:issue_created": "issue_created", "jira:issue_deleted": "issue_deleted"}
    fields = {str(item.get("fieldId")) for item in (happening.entry or {}).get("items", ())}
    if "assignee" in fields:
        return "issue_assigned"
    return usual.get(happening.event, "issue_moved" if "project" in fields else "issue_generic")


def _shown(doc: Doc) -> dict[str, Any]:
    names = ("id", "url", "jqlFilter", "events", "fieldIdsFilter", "issuePropertyKeysFilter")
    return {**{name: doc[name] for name in names if name in doc}, "expirationDate": _epoch(parsed(doc["_until"]))}


def _epoch(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _on_this_machine(url: str) -> bool:
    try:
        parts_of = urlsplit(url)
        host = parts_of.hostname or ""
        return parts_of.scheme == "http" and parts_of.port != 0 and _is_loopback(host)
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
