"""Three tools with records to walk, filled for the paging histories; each page read and each edit is a real call."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from paging_histories import Page

from sandbox.calls import Answer, Call, Tool
from sandbox.stamps import airtable, salesforce, stamp
from sandbox.store import Store

FIRST = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@dataclass(slots=True)
class Moving:
    """A clock that moves a little with every look, never back."""

    rng: random.Random
    now: datetime = FIRST + timedelta(days=1)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=self.rng.choice([0, 0, 1, 400, 1500]))
        return self.now


@dataclass(slots=True)
class Service:
    """A tool asked with one of two tokens: the reader's, or that of somebody else."""

    tool: Tool
    rng: random.Random
    size: int = 5
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, *, token: str = "reader", body: Any = None, **query: str) -> Call:
        """A request with a token of the two."""
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json", **self.headers}
        data = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        return Call(method=method, path=path, query=tuple(query.items()), headers=headers, body=data)

    def told(self, call: Call) -> Answer:
        """The answer to a request that must succeed."""
        answer = self.tool(call)
        assert answer.status < 300, (call, answer)
        return answer

    def ask(self, method: str, path: str, **rest: Any) -> Answer:
        """Ask, and be answered well."""
        return self.told(self.call(method, path, **rest))

    def write(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """Change something, as somebody else."""
        answer = self.ask(method, path, token="other", body=body, **query)
        return orjson.loads(answer.body) if answer.body else None


def _filled(store: Store, space: str, people: dict[str, dict[str, Any]]) -> None:
    for token, doc in people.items():
        store.put(space, "_token", [(token, stamp(FIRST), doc)])


# -- Salesforce ----------------------------------------------------------------------------------------------

_DATA = "/services/data/v59.0"
_WHERE = "SELECT Id, Subject FROM Case WHERE Status = 'New'"


class Org(Service):
    """Cases by query locator; a page has at least two hundred."""

    order = ""

    def start(self) -> dict[str, tuple[str, bool]]:
        self.size, self.headers = 200, {"sforce-query-options": "batchSize=200"}
        self.order = self.rng.choice(
            ["", " ORDER BY CreatedDate", " ORDER BY Subject DESC", " ORDER BY SystemModstamp"]
        )
        return {f"500{n:012d}AAA": (f"v{n}", n % 9 != 0) for n in range(460)}

    def open(self) -> Page:
        return self._page(self.ask("GET", f"{_DATA}/query", q=_WHERE + self.order))

    def further(self, next_: str) -> Page:
        return self._page(self.told(self.further_call(next_)))

    def further_call(self, next_: str) -> Call:
        return self.call("GET", next_)

    def change(self, id_: str, version: str, *, fits: bool) -> None:
        self.write("PATCH", f"{_DATA}/sobjects/Case/{id_}", {"Subject": version, "Status": "New" if fits else "Closed"})

    def create(self, version: str, *, fits: bool) -> str:
        made = self.write("POST", f"{_DATA}/sobjects/Case", {"Subject": version, "Status": "New" if fits else "Closed"})
        return str(made["id"])

    def remove(self, id_: str) -> None:
        self.write("DELETE", f"{_DATA}/sobjects/Case/{id_}")

    def _page(self, answer: Answer) -> Page:
        told = orjson.loads(answer.body)
        rows = [(row["Id"], row["Subject"]) for row in told["records"]]
        return Page(rows=rows, next=str(told.get("nextRecordsUrl", "")))


class Bulk(Org):
    """Cases by a bulk query's result pages."""

    job = ""

    def start(self) -> dict[str, tuple[str, bool]]:
        told = super().start()
        self.size = self.rng.choice([60, 137])
        return told

    def open(self) -> Page:
        body = {"operation": "query", "query": _WHERE + self.order}
        self.job = orjson.loads(self.ask("POST", f"{_DATA}/jobs/query", body=body).body)["id"]
        for _ in range(5):
            if orjson.loads(self.ask("GET", f"{_DATA}/jobs/query/{self.job}").body)["state"] == "JobComplete":
                return self.further("")
        raise AssertionError("the bulk query never ends")

    def further_call(self, next_: str) -> Call:
        asked = {"maxRecords": str(self.size), **({"locator": next_} if next_ else {})}
        return self.call("GET", f"{_DATA}/jobs/query/{self.job}/results", **asked)

    def further(self, next_: str) -> Page:
        answer = self.told(self.further_call(next_))
        rows = [(row["Id"], row["Subject"]) for row in csv.DictReader(io.StringIO(answer.body.decode()))]
        headers = {name.lower(): value for name, value in answer.headers.items()}
        assert headers["sforce-numberofrecords"] == str(len(rows))
        locator = headers["sforce-locator"]
        return Page(rows=rows, next="" if locator == "null" else locator)


def fill_org(store: Store) -> None:
    users = {"reader": f"005{1:012d}AAA", "other": f"005{2:012d}AAA"}
    for name, id_ in users.items():
        store.put("org", "User", [(id_, stamp(FIRST), {"Id": id_, "Name": name, "IsActive": True})])
    _filled(store, "org", {name: {"user": id_} for name, id_ in users.items()})
    docs = []
    for n in range(460):
        at = FIRST + timedelta(minutes=n // 7)
        doc = {"Id": f"500{n:012d}AAA", "Subject": f"v{n}", "Status": "New" if n % 9 else "Closed"}
        doc |= {"CreatedDate": salesforce(at), "SystemModstamp": salesforce(at), "LastModifiedDate": salesforce(at)}
        docs.append((doc["Id"], stamp(at), {**doc, "OwnerId": users["other"], "IsDeleted": False}))
    store.put("org", "Case", docs)


# -- Jira ----------------------------------------------------------------------------------------------------

_API = "/rest/api/3"


class Site(Service):
    """Issues by page token."""

    jql = ""

    def start(self) -> dict[str, tuple[str, bool]]:
        self.size = self.rng.choice([3, 5, 8])
        order = self.rng.choice(["", " ORDER BY created", " ORDER BY updated DESC", " ORDER BY summary, key"])
        self.jql = f'project = ACME AND Phase = "QA"{order}'
        return {str(100 + n): (f"v{n}", n % 5 != 0) for n in range(30)}

    def open(self) -> Page:
        return self._page(self._asked({}))

    def further(self, next_: str) -> Page:
        return self._page(self.further_call(next_))

    def further_call(self, next_: str) -> Call:
        return self._asked({"nextPageToken": next_})

    def change(self, id_: str, version: str, *, fits: bool) -> None:
        self.write("PUT", f"{_API}/issue/{id_}", {"fields": self._fields(version, fits)})

    def create(self, version: str, *, fits: bool) -> str:
        fields = {"project": {"key": "ACME"}, "issuetype": {"name": "Task"}, **self._fields(version, fits)}
        return str(self.write("POST", f"{_API}/issue", {"fields": fields})["id"])

    def remove(self, id_: str) -> None:
        self.write("DELETE", f"{_API}/issue/{id_}")

    def _fields(self, version: str, fits: bool) -> dict[str, Any]:
        return {"summary": version, "customfield_10010": {"value": "QA" if fits else "Build"}}

    def _asked(self, more: dict[str, str]) -> Call:
        asked = {"jql": self.jql, "maxResults": str(self.size), "fields": "summary", **more}
        return self.call("GET", f"{_API}/search/jql", **asked)

    def _page(self, call: Call) -> Page:
        answer = self.told(call)
        told = orjson.loads(answer.body)
        rows = [(issue["id"], issue["fields"]["summary"]) for issue in told["issues"]]
        assert bool(told.get("nextPageToken")) is not told.get("isLast", False)
        return Page(rows=rows, next=str(told.get("nextPageToken") or ""))


def fill_site(store: Store) -> None:
    for name in ("reader", "other"):
        user = {"accountId": f"acc:{name}", "displayName": name, "active": True, "accountType": "atlassian"}
        store.put("site", "user", [(user["accountId"], stamp(FIRST), {**user, "timeZone": "Etc/UTC"})])
    _filled(store, "site", {n: {"email": f"{n}@a.example", "accountId": f"acc:{n}"} for n in ("reader", "other")})
    store.put("site", "project", [("10000", stamp(FIRST), {"id": "10000", "key": "ACME", "name": "Acme"})])
    status = {"id": "10", "name": "To Do", "statusCategory": {"id": 2, "key": "new", "name": "To Do"}}
    store.put("site", "status", [("10", stamp(FIRST), status)])
    phase = {"id": "customfield_10010", "name": "Phase", "custom": True, "schema": {"type": "option"}}
    store.put("site", "field", [("customfield_10010", stamp(FIRST), phase)])
    docs = []
    for n in range(30):
        at = FIRST + timedelta(minutes=n // 4)
        fields = {"summary": f"v{n}", "status": status, "customfield_10010": {"value": "QA" if n % 5 else "Build"}}
        doc = {"id": str(100 + n), "key": f"ACME-{n + 1}", "created": salesforce(at), "updated": salesforce(at)}
        doc |= {"_project": "ACME", "_creator": "acc:other", "_assignee": None, "fields": fields}
        docs.append((str(100 + n), stamp(at), doc))
    store.put("site", "issue", docs)


# -- Airtable ------------------------------------------------------------------------------------------------

_TABLE = "/v0/appAll/tblAll"


class Base(Service):
    """Records by offset."""

    asked: dict[str, str]

    def start(self) -> dict[str, tuple[str, bool]]:
        self.size = self.rng.choice([3, 5, 8])
        self.asked = {"filterByFormula": '{Phase} = "QA"', "pageSize": str(self.size)}
        if self.rng.random() < 0.5:
            self.asked |= {"sort[0][field]": "Name", "sort[0][direction]": self.rng.choice(["asc", "desc"])}
        return {f"rec{n:014d}": (f"v{n}", n % 5 != 0) for n in range(30)}

    def open(self) -> Page:
        return self.further("")

    def further(self, next_: str) -> Page:
        told = orjson.loads(self.told(self.further_call(next_)).body)
        rows = [(record["id"], record["fields"]["Name"]) for record in told["records"]]
        return Page(rows=rows, next=str(told.get("offset", "")))

    def further_call(self, next_: str) -> Call:
        return self.call("GET", _TABLE, **self.asked, **({"offset": next_} if next_ else {}))

    def change(self, id_: str, version: str, *, fits: bool) -> None:
        self.write("PATCH", f"{_TABLE}/{id_}", {"fields": self._fields(version, fits)})

    def create(self, version: str, *, fits: bool) -> str:
        return str(self.write("POST", _TABLE, {"fields": self._fields(version, fits)})["id"])

    def remove(self, id_: str) -> None:
        self.write("DELETE", f"{_TABLE}/{id_}")

    def _fields(self, version: str, fits: bool) -> dict[str, Any]:
        return {"Name": version, "Phase": "QA" if fits else "Build"}


def fill_base(store: Store) -> None:
    for name in ("reader", "other"):
        person = {"id": f"usr{name}", "email": f"{name}@s.example", "name": name}
        store.put("base", "collaborator", [(person["id"], stamp(FIRST), dict(person))])
    _filled(store, "base", {name: {"user": f"usr{name}"} for name in ("reader", "other")})
    store.put("base", "base", [("appAll", stamp(FIRST), {"id": "appAll", "name": "All"})])
    fields = [{"id": f"fld{name}", "name": name, "type": "singleLineText"} for name in ("Name", "Phase")]
    table = {"id": "tblAll", "name": "All", "primaryFieldId": "fldName", "fields": fields}
    store.put("base", "table", [("tblAll", stamp(FIRST), table)])
    docs = []
    for n in range(30):
        at = FIRST + timedelta(minutes=n // 4)
        doc = {"id": f"rec{n:014d}", "createdTime": airtable(at), "_table": "tblAll", "_modified": stamp(at)}
        cells = {"fldName": f"v{n}", "fldPhase": "QA" if n % 5 else "Build"}
        docs.append((f"rec{n:014d}", stamp(at), {**doc, "fields": cells}))
    store.put("base", "record", docs)
