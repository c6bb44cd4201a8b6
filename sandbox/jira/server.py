"""The site's HTTP face: versions 2, 3 and latest of the same paths."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from sandbox.calls import Answer, Call, RefusedCall, Routes, reply
from sandbox.jira.accounts import Accounts
from sandbox.jira.errors import bad_jql, dead_link, no_issue, not_signed_in, refused
from sandbox.jira.issues import Printer, Wanted, wanted
from sandbox.jira.jql import Jql, parse
from sandbox.jira.search import Asker, Searcher
from sandbox.jira.writes import Writer
from sandbox.stamps import Clock, jira, stamp
from sandbox.store import Doc, Store
from sandbox.walks import Walk, Walks

_API = r"/rest/api/(?P<v>2|3|latest)"
_ISSUE = f"{_API}/issue/{{k}}"
_REMOVED = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration "
    "guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)
_MOST_ORDERS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is needed to print further pages of a search."""

    what: Wanted
    size: int


class JiraServer:
    """A function from Call to Answer over one space of the store."""

    def __init__(self, store: Store, space: str, clock: Clock) -> None:
        """Serve one site."""
        self._store = store
        self._space = space
        self._clock = clock
        self._searcher = Searcher(store, space)
        self._writer = Writer(store, space, clock)
        self._walks: Walks[Plan] = Walks(most=200)
        accounts = Accounts(store, space, self._printer)
        self._routes = Routes(
            [
                ("GET", f"{_API}/serverInfo", self._server_info),
                ("GET", f"{_API}/myself", self._myself),
                ("GET", f"{_API}/field", self._fields),
                ("GET", f"{_API}/status", self._statuses),
                ("GET", f"{_API}/project", self._all_projects),
                ("GET", f"{_API}/project/search", self._projects),
                ("GET", f"{_API}/project/{{p}}", self._project),
                ("GET", f"{_API}/search", self._removed),
                ("POST", f"{_API}/search", self._removed),
                ("GET", f"{_API}/search/jql", self._search),
                ("POST", f"{_API}/search/jql", self._search),
                ("POST", f"{_API}/search/approximate-count", self._count),
                ("POST", f"{_API}/issue", self._create),
                ("POST", f"{_API}/issue/bulkfetch", self._bulk_fetch),
                ("POST", f"{_API}/changelog/bulkfetch", self._bulk_changelog),
                ("GET", _ISSUE, self._read),
                ("PUT", _ISSUE, self._edit),
                ("GET", f"{_ISSUE}/changelog", self._changelog),
                ("PUT", f"{_ISSUE}/assignee", self._assign),
                ("GET", f"{_ISSUE}/transitions", self._transitions),
                ("POST", f"{_ISSUE}/transitions", self._move),
                ("GET", f"{_ISSUE}/comment", self._comments),
                ("POST", f"{_ISSUE}/comment", self._comment),
                ("GET", f"{_ISSUE}/properties", self._properties),
                ("GET", f"{_ISSUE}/properties/{{name}}", self._property),
                ("PUT", f"{_ISSUE}/properties/{{name}}", self._set_property),
                ("GET", f"{_API}/user", accounts.one),
                ("GET", f"{_API}/user/search", accounts.search),
                ("GET", f"{_API}/user/bulk", accounts.bulk),
                ("GET", f"{_API}/user/assignable/search", accounts.assignable),
                ("GET", f"{_API}/users", accounts.everybody),
                ("GET", f"{_API}/users/search", accounts.everybody),
            ]
        )

    def __call__(self, call: Call) -> Answer:
        """Answer one request as the site would."""
        try:
            found = self._routes.find(call)
            if not isinstance(found, tuple):
                raise refused(405, "Method Not Allowed") if found else dead_link()
            handler, routed = found
            if not call.path.endswith("/serverInfo"):
                account = self._account(call)
                return handler(routed).plus({"X-AAccountId": account})
            return handler(routed)
        except RefusedCall as error:
            return error.answer

    def _account(self, call: Call) -> str:
        scheme, _, credentials = call.headers.get("authorization", "").partition(" ")
        email, token = "", credentials
        if scheme.lower() == "basic":
            try:
                text = base64.b64decode(credentials, validate=True).decode("utf-8", "replace")
            except binascii.Error as error:
                raise not_signed_in() from error
            email, _, token = text.partition(":")
        known = self._store.get(self._space, "_token", token) if token else None
        if known is None or (scheme.lower() == "basic" and known["email"].lower() != email.lower()):
            raise not_signed_in()
        return str(known["accountId"])

    def _printer(self, call: Call) -> Printer:
        version = "3" if call.at["v"] in {"3", "latest"} else "2"
        address = f"http://{call.headers.get('host', '127.0.0.1')}"
        return Printer(self._store, self._space, address=address, version=version)

    def _issue(self, call: Call) -> Doc:
        return self._by_name(call.at["k"])

    def _by_name(self, name: str) -> Doc:
        if name.isdigit():
            found = self._store.get(self._space, "issue", name)
        else:
            found = self._store.named(self._space, "issue", name.upper())
        if found is None:
            raise no_issue()
        return found

    # -- the site --------------------------------------------------------------------------------------------

    def _server_info(self, call: Call) -> Answer:
        return reply(
            {
                "baseUrl": f"http://{call.headers.get('host', '127.0.0.1')}",
                "version": "1001.0.0-SNAPSHOT",
                "versionNumbers": [1001, 0, 0],
                "deploymentType": "Cloud",
                "buildNumber": 100300,
                "serverTime": jira(self._clock()),
                "serverTitle": "Jira",
            }
        )

    def _myself(self, call: Call) -> Answer:
        account = self._account(call)
        told = self._printer(call).person(account) or {}
        email = self._store.get(self._space, "user", account) or {}
        return reply({**told, "emailAddress": email.get("emailAddress", ""), "locale": "en_US"})

    def _fields(self, _: Call) -> Answer:
        out = []
        for doc in self._store.scan(self._space, "field"):
            told = {key: value for key, value in doc.items() if not key.startswith("_")}
            number = str(doc["id"]).removeprefix("customfield_")
            names = [f"cf[{number}]", doc["name"]] if doc.get("custom") else [doc["id"]]
            defaults = {"key": doc["id"], "orderable": True, "navigable": True, "searchable": True}
            out.append({**defaults, "clauseNames": names, **told})
        return reply(out)

    def _statuses(self, call: Call) -> Answer:
        printer = self._printer(call)
        return reply([printer.status(doc) for doc in self._store.scan(self._space, "status")])

    def _all_projects(self, call: Call) -> Answer:
        printer = self._printer(call)
        return reply([printer.project(doc) for doc in self._store.scan(self._space, "project")])

    def _projects(self, call: Call) -> Answer:
        keys = {key.upper() for entry in call.every("keys") for key in entry.split(",")}
        text = call.one("query").lower()
        docs = [
            doc
            for doc in self._store.scan(self._space, "project")
            if (not keys or doc["key"] in keys) and text in f"{doc['key']} {doc['name']}".lower()
        ]
        printer = self._printer(call)
        start, size = paging(call, 50)
        return reply(
            {
                "self": f"http://{call.headers.get('host', '')}{call.path}",
                "maxResults": size,
                "startAt": start,
                "total": len(docs),
                "isLast": start + size >= len(docs),
                "values": [printer.project(doc) for doc in docs[start : start + size]],
            }
        )

    def _project(self, call: Call) -> Answer:
        name = call.at["p"]
        doc = self._store.get(self._space, "project", name) or self._store.named(self._space, "project", name)
        if doc is None:
            raise refused(404, f"No project could be found with key '{name}'.")
        return reply(self._printer(call).project(doc))

    # -- searching -------------------------------------------------------------------------------------------

    def _removed(self, _: Call) -> Answer:
        raise refused(410, _REMOVED)

    def _bounded(self, text: str) -> Jql:
        jql = parse(text)
        if jql.where is None:
            raise refused(
                400,
                "Unbounded JQL queries are not allowed here. Please add a search restriction to your query.",
            )
        if len(jql.order) > _MOST_ORDERS:
            raise bad_jql(f"The maximum number of fields in the ORDER BY clause is {_MOST_ORDERS}.")
        return jql

    def _asker(self, call: Call) -> Asker:
        account = self._account(call)
        user = self._store.get(self._space, "user", account) or {}
        try:
            zone = ZoneInfo(str(user.get("timeZone") or "Etc/UTC"))
        except ZoneInfoNotFoundError:
            zone = ZoneInfo("UTC")
        return Asker(account=account, zone=zone, now=self._clock())

    def _search(self, call: Call) -> Answer:
        asked = _body(call) if call.method == "POST" else _asked(call)
        if len(asked.get("reconcileIssues") or []) > 50:
            raise refused(400, "The maximum number of issues to reconcile is 50.")
        token = asked.get("nextPageToken")
        if token:
            name, _, start = str(token).partition(".")
            walk = self._walks.find(name)
            if walk is None or not start.isdigit():
                raise refused(400, "The provided next page token is invalid or has expired.")
            return self._page(call, walk, int(start))
        jql = self._bounded(str(asked.get("jql") or ""))
        what = wanted(asked.get("fields") or [], _expanded(asked.get("expand")), default="id")
        most = 5000 if not what.everything and what.fields <= {"id", "key"} else 100
        given = asked.get("maxResults")
        size = min(most, max(1, int(given if given not in {None, ""} else 50)))
        ids = self._searcher.found_ids(jql, self._asker(call))
        plan = Plan(what=what, size=size)
        if len(ids) <= size:
            return self._page(call, Walk(name="", owner="", ids=tuple(ids), plan=plan), 0)
        return self._page(call, self._walks.open(call.headers.get("authorization", ""), ids, plan), 0)

    def _page(self, call: Call, walk: Walk[Plan], start: int) -> Answer:
        end = start + walk.plan.size
        part = walk.ids[start:end]
        docs = self._store.pick(self._space, "issue", part)
        there = [docs[id_] for id_ in part if id_ in docs]
        issues = self._printer(call).issues(there, walk.plan.what, in_search=True)
        told: dict[str, Any] = {"issues": issues, "isLast": end >= len(walk.ids)}
        if not told["isLast"]:
            told["nextPageToken"] = f"{walk.name}.{end}"
        return reply(told)

    def _count(self, call: Call) -> Answer:
        jql = self._bounded(str(_body(call).get("jql") or ""))
        return reply({"count": len(self._searcher.found_ids(jql, self._asker(call)))})

    # -- issues ----------------------------------------------------------------------------------------------

    def _read(self, call: Call) -> Answer:
        what = wanted(call.every("fields"), _expanded(call.every("expand")), default="*all")
        return reply(self._printer(call).issues([self._issue(call)], what, in_search=False)[0])

    def _bulk_fetch(self, call: Call) -> Answer:
        asked = _body(call)
        names = [str(name) for name in asked.get("issueIdsOrKeys") or []]
        if not names or len(names) > 100:
            raise refused(400, "The number of issues requested must be between 1 and 100.")
        what = wanted(asked.get("fields") or [], _expanded(asked.get("expand")), default="*navigable")
        found, missing = [], []
        for name in names:
            try:
                found.append(self._by_name(name))
            except RefusedCall:
                missing.append({"issueIdOrKey": name, "errorMessage": "Issue does not exist or is not visible."})
        return reply({"issues": self._printer(call).issues(found, what, in_search=False), "issueErrors": missing})

    def _create(self, call: Call) -> Answer:
        made = self._writer.create(_body(call).get("fields") or {}, account=self._account(call))
        link = f"http://{call.headers.get('host', '')}/rest/api/{call.at['v']}/issue/{made['id']}"
        return reply({"id": made["id"], "key": made["key"], "self": link}, 201)

    def _edit(self, call: Call) -> Answer:
        issue, asked, account = self._issue(call), _body(call), self._account(call)
        fields = dict(asked.get("fields") or {})
        for name, operations in (asked.get("update") or {}).items():
            for operation in operations:
                if name == "comment" and "add" in operation:
                    self._writer.comment(issue, operation["add"].get("body"), account=account)
                elif "set" in operation:
                    fields[name] = operation["set"]
                else:
                    raise refused(400, errors={name: "Only the operations add (comment) and set are supported."})
        self._writer.edit(issue, fields, account=account)
        return Answer(status=204)

    def _assign(self, call: Call) -> Answer:
        asked = _body(call)
        if len({"accountId", "name", "key"} & {key for key in asked if asked[key] is not None}) > 1:
            raise refused(400, "Only one of accountId, name and key may be given.")
        if "accountId" not in asked and ("name" in asked or "key" in asked):
            raise refused(400, "'name' and 'key' are no longer supported in GDPR strict mode; use 'accountId'.")
        account = asked.get("accountId")
        issue = self._issue(call)
        if account == "-1":
            project = self._store.named(self._space, "project", str(issue["key"]).rpartition("-")[0]) or {}
            account = project.get("_lead")
        self._writer.assign(issue, account, by=self._account(call))
        return Answer(status=204)

    def _transitions(self, call: Call) -> Answer:
        now, printer = self._issue(call)["fields"]["status"]["id"], self._printer(call)
        offered = [
            {
                "id": str(doc["id"]),
                "name": doc["name"],
                "to": printer.status(doc),
                "hasScreen": False,
                "isGlobal": True,
                "isInitial": False,
                "isAvailable": True,
                "isConditional": False,
                "isLooped": False,
            }
            for doc in self._store.scan(self._space, "status")
            if str(doc["id"]) != str(now)
        ]
        return reply({"expand": "transitions", "transitions": offered})

    def _move(self, call: Call) -> Answer:
        issue, asked, account = self._issue(call), _body(call), self._account(call)
        id_ = str((asked.get("transition") or {}).get("id", ""))
        status = self._store.get(self._space, "status", id_)
        if status is None or id_ == str(issue["fields"]["status"]["id"]):
            raise refused(400, f"Transition id '{id_}' is not valid for this issue.")
        self._writer.move(issue, status, account=account)
        if asked.get("fields"):
            self._writer.edit(issue, asked["fields"], account=account)
        return Answer(status=204)

    # -- changelogs, comments, properties --------------------------------------------------------------------

    def _changelog(self, call: Call) -> Answer:
        issue, printer = self._issue(call), self._printer(call)
        rows = list(self._store.find(self._space, "changelog", str(issue["id"])))
        start, size = paging(call, 100)
        return reply(
            {
                "self": f"http://{call.headers.get('host', '')}{call.path}",
                "maxResults": size,
                "startAt": start,
                "total": len(rows),
                "isLast": start + size >= len(rows),
                "values": [printer.history(row) for row in rows[start : start + size]],
            }
        )

    def _bulk_changelog(self, call: Call) -> Answer:
        asked, printer = _body(call), self._printer(call)
        names = [str(name) for name in asked.get("issueIdsOrKeys") or []]
        if not names or len(names) > 1000:
            raise refused(400, "The number of issues requested must be between 1 and 1000.")
        wanted_fields = set(asked.get("fieldIds") or [])
        if len(wanted_fields) > 10:
            raise refused(400, "The number of field ids must be at most 10.")
        ids = sorted({int(issue["id"]) for name in names if (issue := self._maybe(name)) is not None})
        rows = []
        for row in self._store.find_all(self._space, "changelog", [str(id_) for id_ in ids]):
            items = [item for item in row["items"] if not wanted_fields or item.get("fieldId") in wanted_fields]
            if items:
                rows.append({**row, "items": items})
        token = str(asked.get("nextPageToken") or "0")
        if not token.isdigit():
            raise refused(400, "The provided next page token is invalid.")
        start, size = int(token), min(10_000, max(1, int(asked.get("maxResults") or 1000)))
        logs: dict[str, list[dict[str, Any]]] = {}
        for row in rows[start : start + size]:
            logs.setdefault(str(row["_parent"]), []).append(printer.history(row, epoch=True))
        told: dict[str, Any] = {
            "issueChangeLogs": [{"issueId": id_, "changeHistories": part} for id_, part in logs.items()]
        }
        if start + size < len(rows):
            told["nextPageToken"] = str(start + size)
        return reply(told)

    def _maybe(self, name: str) -> Doc | None:
        try:
            return self._by_name(name)
        except RefusedCall:
            return None

    def _comments(self, call: Call) -> Answer:
        issue, printer = self._issue(call), self._printer(call)
        rows = list(self._store.find(self._space, "comment", str(issue["id"])))
        if call.one("orderBy") == "-created":
            rows.reverse()
        start, size = paging(call, 100)
        shown = [printer.comment(row) for row in rows[start : start + size]]
        return reply({"startAt": start, "maxResults": size, "total": len(rows), "comments": shown})

    def _comment(self, call: Call) -> Answer:
        made = self._writer.comment(self._issue(call), _body(call).get("body"), account=self._account(call))
        return reply(self._printer(call).comment(made), 201)

    def _properties(self, call: Call) -> Answer:
        issue = self._issue(call)
        link = f"http://{call.headers.get('host', '')}{call.path}"
        names = [str(doc["key"]) for doc in self._store.find(self._space, "_property", str(issue["id"]))]
        return reply({"keys": [{"self": f"{link}/{name}", "key": name} for name in names]})

    def _property(self, call: Call) -> Answer:
        issue, name = self._issue(call), call.at["name"]
        doc = self._store.get(self._space, "_property", f"{issue['id']}/{name}")
        if doc is None:
            raise refused(404, f"The property with key '{name}' does not exist.")
        return reply({"key": name, "value": doc["value"]})

    def _set_property(self, call: Call) -> Answer:
        issue, name = self._issue(call), call.at["name"]
        try:
            value = call.json()
        except orjson.JSONDecodeError as error:
            raise refused(400, "The property value must be valid JSON.") from error
        id_ = f"{issue['id']}/{name}"
        known = self._store.get(self._space, "_property", id_)
        doc = {"key": name, "value": value, "_parent": str(issue["id"])}
        self._store.put(self._space, "_property", [(id_, stamp(self._clock()), doc)])
        return Answer(status=201 if known is None else 200)


def paging(call: Call, most: int) -> tuple[int, int]:
    """Return startAt and maxResults as asked for, within the ceiling."""
    try:
        start, size = int(call.one("startAt", "0") or 0), int(call.one("maxResults", str(most)) or most)
    except ValueError as error:
        raise refused(400, "startAt and maxResults must be numbers.") from error
    return max(0, start), min(most, max(1, size))


def _asked(call: Call) -> dict[str, Any]:
    asked: dict[str, Any] = {"fields": call.every("fields"), "expand": call.every("expand")}
    asked |= {name: call.one(name) for name in ("jql", "nextPageToken", "maxResults")}
    asked["reconcileIssues"] = call.every("reconcileIssues")
    return asked


def _expanded(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else ",".join(str(part) for part in value)


def _body(call: Call) -> dict[str, Any]:
    try:
        body = call.json()
    except orjson.JSONDecodeError as error:
        raise refused(400, "There was an error parsing JSON. Check that your request body is valid.") from error
    if not isinstance(body, dict):
        raise refused(400, "Request body must be a JSON object.")
    return body
