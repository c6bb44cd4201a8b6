"""The org's HTTP face: sign-in, describe, records, queries with locators, approvals, limits."""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import orjson

from sandbox.calls import Answer, Call, RefusedCall, Routes, reply
from sandbox.salesforce.approvals import Approvals, failed
from sandbox.salesforce.bulk.routes import bulk_routes
from sandbox.salesforce.columns import Column, Columns, Record
from sandbox.salesforce.describe import described, listed
from sandbox.salesforce.errors import malformed_query, not_found, refused
from sandbox.salesforce.ids import plausible
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.search import found_ids
from sandbox.salesforce.soql import parse
from sandbox.stamps import Clock, stamp
from sandbox.store import Doc, Store
from sandbox.walks import Walk, Walks

_VERSIONS = range(31, 67)
_DATA = r"/services/data/(?P<v>v\d+\.0)"
_MOST_CURSORS = 10  # open query cursors of one user, the oldest goes
_DAILY = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What is needed to print the rows of a query again: object, columns, address, page size."""

    sobject: SObject
    columns: tuple[Column, ...]
    related: Columns
    base: str
    size: int


class SalesforceServer:
    """A function from Call to Answer over one space of the store."""

    def __init__(self, store: Store, space: str, clock: Clock) -> None:
        """Serve one org; its schema is read now."""
        self._store = store
        self._space = space
        self._clock = clock
        self._org = Org(store, space, clock)
        self._schema = self._org.schema
        self._writer = self._org.writer
        self._approvals = Approvals(store, space, self._schema, clock)
        self._walks: Walks[Rows] = Walks(most=_MOST_CURSORS)
        self._used = 0
        self._routes = Routes(
            [
                ("POST", "/services/oauth2/token", self._token),
                ("GET", "/services/data", self._versions),
                ("GET", _DATA, self._resources),
                ("GET", f"{_DATA}/sobjects", self._list_objects),
                ("GET", f"{_DATA}/sobjects/{{o}}", self._object),
                ("POST", f"{_DATA}/sobjects/{{o}}", self._create),
                ("GET", f"{_DATA}/sobjects/{{o}}/describe", self._describe),
                ("GET", f"{_DATA}/sobjects/{{o}}/{{id}}", self._read),
                ("PATCH", f"{_DATA}/sobjects/{{o}}/{{id}}", self._update),
                ("GET", f"{_DATA}/(?P<verb>query|queryAll)", self._query),
                ("GET", f"{_DATA}/(?:query|queryAll)/{{locator}}", self._next),
                ("GET", f"{_DATA}/limits", self._limits),
                ("POST", f"{_DATA}/process/approvals", self._approve),
                ("GET", f"{_DATA}/process/approvals", lambda call: reply({"approvals": {}})),
                *bulk_routes(self._org),
            ]
        )

    def __call__(self, call: Call) -> Answer:
        """Answer one request as the org would."""
        try:
            return self._answered(call).plus(self._usage())
        except RefusedCall as error:
            return error.answer.plus(self._usage())

    def _answered(self, call: Call) -> Answer:
        path = call.path
        if path.startswith("/services/data/v"):
            self._used += 1
            self._user(call)
            if not _known_version(path):
                raise not_found()
        found = self._routes.find(call)
        if not isinstance(found, tuple):
            if found:
                text = f"HTTP Method '{call.method}' not allowed. Allowed are {','.join(found)}"
                raise refused(405, "METHOD_NOT_ALLOWED", text)
            raise not_found()
        handler, routed = found
        return handler(routed)

    def _usage(self) -> dict[str, str]:
        return {"Sforce-Limit-Info": f"api-usage={self._used}/{_DAILY}"}

    # -- signing in ------------------------------------------------------------------------------------------

    def _token(self, call: Call) -> Answer:
        form = {key: values[-1] for key, values in parse_qs(call.body.decode("utf-8", "replace")).items()}
        id_, secret = _client_of(call, form)
        client = self._store.get(self._space, "_client", id_)
        if client is None:
            return _oauth("invalid_client_id", "client identifier invalid")
        if client["secret"] != secret:
            return _oauth("invalid_client", "invalid client credentials")
        grant = form.get("grant_type", "")
        if grant == "client_credentials":
            user = str(client["user"])
        elif grant == "password":
            known = self._login(form.get("username", ""), form.get("password", ""))
            if known is None:
                return _oauth("invalid_grant", "authentication failure")
            user = known
        else:
            return _oauth("unsupported_grant_type", "grant type not supported")
        record = self._store.get(self._space, "User", user)
        if record is not None and not record.get("IsActive", True):
            return _oauth("inactive_user", "user is inactive")
        at = self._clock()
        token = f"00D000000000001!{secrets.token_urlsafe(48)}"
        self._store.put(self._space, "_token", [(token, stamp(at), {"user": user})])
        address = _address(call)
        return reply(
            {
                "access_token": token,
                "instance_url": address,
                "id": f"{address}/id/00D000000000001EAA/{user}",
                "token_type": "Bearer",
                "issued_at": str(int(at.timestamp() * 1000)),
                "scope": "api",
                "signature": "",
            }
        )

    def _login(self, username: str, password: str) -> str | None:
        """Return the user's id when the password (which may carry the security token) is right."""
        for user in self._store.scan(self._space, "User"):
            right = f"{user.get('_password', '')}{user.get('_security_token', '')}"
            if user.get("Username") == username and user.get("_password") and password == right:
                return str(user["Id"])
        return None

    def _user(self, call: Call) -> str:
        return self._org.user(call)

    # -- what there is ---------------------------------------------------------------------------------------

    def _versions(self, _: Call) -> Answer:
        return reply([{"label": f"{n}", "url": f"/services/data/v{n}.0", "version": f"{n}.0"} for n in _VERSIONS])

    def _resources(self, call: Call) -> Answer:
        names = ("sobjects", "query", "queryAll", "limits", "process")
        return reply({name: f"/services/data/{call.at['v']}/{name}" for name in names})

    def _list_objects(self, call: Call) -> Answer:
        return reply(listed(self._schema, call.at["v"]))

    def _object(self, call: Call) -> Answer:
        sobject = self._sobject(call)
        recent: list[Doc] = []
        return reply({"objectDescribe": described(sobject, call.at["v"], brief=True), "recentItems": recent})

    def _describe(self, call: Call) -> Answer:
        return reply(described(self._sobject(call), call.at["v"]))

    def _limits(self, _: Call) -> Answer:
        left = max(0, _DAILY - self._used)
        return reply({"DailyApiRequests": {"Max": _DAILY, "Remaining": left}})

    def _sobject(self, call: Call) -> SObject:
        found = self._schema.find(call.at["o"])
        if found is None:
            raise not_found()
        return found

    # -- records ---------------------------------------------------------------------------------------------

    def _read(self, call: Call) -> Answer:
        sobject = self._sobject(call)
        if not plausible(call.at["id"]):
            raise not_found()
        record = self._writer.existing(sobject, call.at["id"])
        columns = Columns(self._store, self._space, self._schema, sobject)
        named = call.one("fields")
        names = named.split(",") if named else [str(field["name"]) for field in sobject.fields.values()]
        wanted = tuple(columns.find((name.strip(),)) for name in names)
        rows = Rows(sobject=sobject, columns=wanted, related=columns, base=_base(call), size=1)
        return reply(_row(record, rows))

    def _update(self, call: Call) -> Answer:
        sobject = self._sobject(call)
        self._writer.update(
            sobject,
            call.at["id"],
            _object_body(call),
            by=self._org.author(call),
            unless=call.headers.get("if-unmodified-since", ""),
        )
        return Answer(status=204)

    def _create(self, call: Call) -> Answer:
        made = self._writer.create(self._sobject(call), _object_body(call), by=self._org.author(call))
        return reply({"id": made, "success": True, "errors": []}, 201)

    def _approve(self, call: Call) -> Answer:
        requests = _object_body(call).get("requests")
        if not isinstance(requests, list) or not requests:
            raise refused(400, "JSON_PARSER_ERROR", "requests must be a list")
        results = []
        for request in requests:
            try:
                results.append(self._approvals.act(request, user=self._user(call)))
            except RefusedCall as error:
                results.append(failed(error, request.get("contextId")))
        return reply(results, 200 if all(result["success"] for result in results) else 400)

    # -- queries ---------------------------------------------------------------------------------------------

    def _query(self, call: Call) -> Answer:
        text = call.one("q").strip()
        if not text:
            raise malformed_query("A query string has to be specified")
        query = parse(text)
        sobject = self._schema.find(query.sobject)
        if sobject is None:
            raise refused(400, "INVALID_TYPE", f"sObject type '{query.sobject}' is not supported.")
        if query.offset > 2000:
            raise refused(400, "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
        columns = Columns(self._store, self._space, self._schema, sobject)
        shown = tuple(columns.find(path) for path in query.columns)
        with_deleted = call.at["verb"] == "queryAll"
        if not shown and query.where is None and with_deleted:
            return reply({"totalSize": self._store.count(self._space, sobject.name), "done": True, "records": []})
        ids = found_ids(self._store, self._space, sobject, query, columns, with_deleted=with_deleted)
        if not shown:
            return reply({"totalSize": len(ids), "done": True, "records": []})
        rows = Rows(sobject=sobject, columns=shown, related=columns, base=_base(call), size=_batch_size(call))
        owner = call.headers.get("authorization", "")
        if len(ids) <= rows.size:
            return self._page(Walk(name="", owner=owner, ids=tuple(ids), plan=rows), 0)
        return self._page(self._walks.open(owner, ids, rows), 0)

    def _next(self, call: Call) -> Answer:
        match = re.fullmatch(r"01g(\w{15})-(\d+)", call.at["locator"])
        walk = self._walks.find(match[1]) if match else None
        # a locator belongs to the session that opened it: after signing in again it is unknown
        if match is None or walk is None or walk.owner != call.headers.get("authorization", ""):
            raise refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(walk, int(match[2]))

    def _page(self, walk: Walk[Rows], start: int) -> Answer:
        rows = walk.plan
        part = walk.ids[start : start + rows.size]
        records = self._store.pick(self._space, rows.sobject.name, part)
        end = start + rows.size
        told: dict[str, Any] = {"totalSize": len(walk.ids), "done": end >= len(walk.ids)}
        if not told["done"]:
            told["nextRecordsUrl"] = f"{rows.base}/query/01g{walk.name}-{end}"
        told["records"] = [_row(records[id_], rows) for id_ in part if id_ in records]
        return reply(told)


def _row(record: Record, rows: Rows) -> dict[str, Any]:
    name = rows.sobject.name
    row: dict[str, Any] = {"attributes": {"type": name, "url": f"{rows.base}/sobjects/{name}/{record['Id']}"}}
    for column in rows.columns:
        if len(column.path) == 1:
            row[column.path[0]] = column.read(record)
            continue
        at = row
        for step in column.path[:-1]:
            if at.get(step) is None:
                at[step] = {"attributes": {"type": step}} if _present(record, column, rows) else None
            at = at[step]
            if at is None:
                break
        if at is not None:
            at[column.path[-1]] = column.read(record)
    return row


def _present(record: Record, column: Column, rows: Rows) -> bool:
    reference = rows.sobject.column(f"{column.path[0]}Id") or rows.sobject.column(f"{column.path[0][:-3]}__c")
    id_ = None if reference is None else record.get(str(reference["name"]))
    return bool(id_) and rows.related.related(str(id_))[1] is not None


def _object_body(call: Call) -> dict[str, Any]:
    try:
        body = call.json()
    except orjson.JSONDecodeError as error:
        raise refused(400, "JSON_PARSER_ERROR", f"Unexpected character: {error}") from error
    if not isinstance(body, dict):
        raise refused(400, "JSON_PARSER_ERROR", "The HTTP entity body must be an object")
    return body


def _batch_size(call: Call) -> int:
    match = re.search(r"batchSize\s*=\s*(\d+)", call.headers.get("sforce-query-options", ""), re.IGNORECASE)
    return min(2000, max(200, int(match[1]))) if match else 2000


def _known_version(path: str) -> bool:
    match = re.match(r"/services/data/v(\d+)\.0(/|$)", path)
    return match is not None and int(match[1]) in _VERSIONS


def _base(call: Call) -> str:
    return f"/services/data/{call.at['v']}"


def _address(call: Call) -> str:
    host = call.headers.get("host", "127.0.0.1")
    name = host.partition(":")[0]
    return f"{'http' if name in {'127.0.0.1', 'localhost'} else 'https'}://{host}"


def _client_of(call: Call, form: dict[str, str]) -> tuple[str, str]:
    scheme, _, coded = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        name, _, secret = base64.b64decode(coded + "===").decode("utf-8", "replace").partition(":")
        return name, secret
    return form.get("client_id", ""), form.get("client_secret", "")


def _oauth(error: str, text: str) -> Answer:
    return reply({"error": error, "error_description": text}, 400)
