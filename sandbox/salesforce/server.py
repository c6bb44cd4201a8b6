"""The org's HTTP face: the route table, and what every request goes through."""

from __future__ import annotations

import re

from sandbox.calls import Answer, Call, Handler, RefusedCall, Routes, reply
from sandbox.faults.hooks import Hooks
from sandbox.salesforce import limits
from sandbox.salesforce.approvals import Approvals
from sandbox.salesforce.bulk.routes import bulk_routes
from sandbox.salesforce.changes import Changes
from sandbox.salesforce.collections import Collections
from sandbox.salesforce.composite import Composite
from sandbox.salesforce.errors import not_found, refused
from sandbox.salesforce.mishaps import hooks
from sandbox.salesforce.org import DATA, Org, token_of
from sandbox.salesforce.queries import Queries
from sandbox.salesforce.records import Records
from sandbox.salesforce.soap_calls import SoapCalls
from sandbox.salesforce.tokens import Tokens, address_of
from sandbox.stamps import Clock
from sandbox.store import Store

_VERSIONS = range(31, 67)
_ACTOR = "x-sandbox-actor"  # tells the gate who asked
_RESOURCES = ("composite", "jobs", "limits", "process", "query", "queryAll", "sobjects")


class SalesforceServer:
    """A function from Call to Answer over one space of the store."""

    def __init__(self, store: Store, space: str, clock: Clock) -> None:
        """Serve one org; its schema is read now."""
        self.org = Org(store, space, clock)
        self.queries = Queries(self.org)
        self.hooks: Hooks = hooks(self.org, self.queries)
        self.table = self._table()
        self._routes = Routes(self.table)

    def __call__(self, call: Call) -> Answer:
        """Answer one request as the org would."""
        told: dict[str, str] = {}
        user = self.org.user_of(token_of(call))
        if user is not None:
            told[_ACTOR] = user
        try:
            answer = self._counted(call, user)
        except RefusedCall as error:
            answer = error.answer
        if call.path.startswith("/services/data/"):
            told |= self.org.usage()
        return answer.plus(told)

    def _counted(self, call: Call, user: str | None) -> Answer:
        if call.path.startswith("/services/data/v"):
            if user is None:
                raise refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
            self.org.count_request()
        return self._answered(call)

    def _answered(self, call: Call) -> Answer:
        if call.path.startswith("/services/data/v") and not _known_version(call.path):
            raise not_found()
        found = self._routes.find(call)
        if not isinstance(found, tuple):
            if found:
                text = f"HTTP Method '{call.method}' not allowed. Allowed are {','.join(dict.fromkeys(found))}"
                raise refused(405, "METHOD_NOT_ALLOWED", text)
            raise not_found()
        handler, routed = found
        return handler(routed)

    def _table(self) -> list[tuple[str, str, Handler]]:
        org = self.org
        records, collections, changes = Records(org), Collections(org), Changes(org)
        approvals, tokens, composite = Approvals(org), Tokens(org), Composite(org, self._answered)
        one, external = f"{DATA}/sobjects/{{o}}/{{id}}", f"{DATA}/sobjects/{{o}}/{{field}}/{{value}}"
        many = f"{DATA}/composite/sobjects"
        return [
            ("POST", r"/services/Soap/(?P<api>[uc])/(?P<v>\d+\.0)(?:/\w+)?", SoapCalls(org)),
            ("POST", "/services/oauth2/token", tokens.token),
            ("POST", "/services/oauth2/revoke", tokens.revoke),
            ("GET", "/services/oauth2/revoke", tokens.revoke),
            ("GET", "/services/oauth2/userinfo", tokens.userinfo),
            ("POST", "/services/oauth2/userinfo", tokens.userinfo),
            ("GET", "/id/{org}/{user}", tokens.identity),
            ("GET", "/services/data", self._versions),
            ("GET", DATA, self._resources),
            ("GET", f"{DATA}/limits", lambda _: reply(limits.told(org))),
            ("GET", f"{DATA}/sobjects", records.list_objects),
            ("GET", f"{DATA}/sobjects/{{o}}", records.basic),
            ("POST", f"{DATA}/sobjects/{{o}}", records.create),
            ("GET", f"{DATA}/sobjects/{{o}}/describe", records.describe),
            ("GET", f"{DATA}/sobjects/{{o}}/updated", changes.updated),
            ("GET", f"{DATA}/sobjects/{{o}}/deleted", changes.deleted),
            ("GET", one, records.read),
            ("PATCH", one, records.update),
            ("DELETE", one, records.delete),
            ("GET", external, records.read_external),
            ("PATCH", external, records.upsert),
            ("DELETE", external, records.delete_external),
            ("GET", f"{DATA}/(?P<verb>query|queryAll)", self.queries.query),
            ("GET", f"{DATA}/(?:query|queryAll)/{{locator}}", self.queries.more),
            ("POST", f"{DATA}/composite", composite.composite),
            ("POST", f"{DATA}/composite/batch", composite.batch),
            ("POST", many, collections.create),
            ("PATCH", many, collections.update),
            ("DELETE", many, collections.delete),
            ("GET", f"{many}/{{o}}", collections.read),
            ("POST", f"{many}/{{o}}", collections.read),
            ("PATCH", f"{many}/{{o}}/{{field}}", collections.upsert),
            ("GET", f"{DATA}/process/approvals", approvals.listed),
            ("POST", f"{DATA}/process/approvals", approvals.post),
            *bulk_routes(org),
        ]

    def _versions(self, _: Call) -> Answer:
        return reply([{"label": f"{n}", "url": f"/services/data/v{n}.0", "version": f"{n}.0"} for n in _VERSIONS])

    def _resources(self, call: Call) -> Answer:
        base = f"/services/data/{call.at['v']}"
        identity = f"{address_of(call)}/id/{self.org.id}/{self.org.user(call)}"
        return reply({name: f"{base}/{name}" for name in _RESOURCES} | {"identity": identity})


def _known_version(path: str) -> bool:
    match = re.match(r"/services/data/v(\d{1,3})\.0(/|$)", path)
    return match is not None and int(match[1]) in _VERSIONS
