"""The three tools with people at work in them, told in one vocabulary, and what the store says is true of them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import airtable_world as airtable
import jira_world as jira
import requests
import salesforce_world as salesforce

from connectors.airtable.connector import AirtableConnector
from connectors.base import Connector
from connectors.jira.connector import JiraConnector
from connectors.salesforce.connector import SalesforceConnector
from hub.charter.secret import Secret
from hub.domain.records import Observation, Page
from sandbox.clock import VirtualClock

MORNING = datetime(2026, 11, 2, 9, tzinfo=UTC)
OTHER = "token-of-somebody-else"
_STAMP = "2026-01-01T00:00:00.000000Z"
Truth = dict[str, tuple[str, str, str]]  # record -> title, status, owner


def standing_clock() -> VirtualClock:
    """A clock that moves only when it is told to."""
    clock = VirtualClock()
    clock.set(MORNING)
    clock.freeze()
    clock.set(MORNING)
    return clock


@dataclass
class Lively:
    """One tool; `address` is where it answers, `size` how many items it begins with."""

    store: Any
    address: str
    clock: VirtualClock
    size: int = 30
    made: int = 0
    mended: bool = False  # the charter no longer asks for fields that may be gone

    name = ""
    space = ""
    items = ""  # the stream of items

    def connector(self) -> Connector:
        """A fresh connector, as after a restart; its waits move the company's clock."""
        raise NotImplementedError

    def fill(self) -> None:
        raise NotImplementedError

    def create(self, title: str) -> None:
        raise NotImplementedError

    def rename(self, record: str, title: str) -> None:
        raise NotImplementedError

    def reassign(self, record: str, who: int) -> None:
        raise NotImplementedError

    def delete(self, record: str) -> None:
        raise NotImplementedError

    def truth(self) -> Truth:
        """What the tool holds, read from its store."""
        raise NotImplementedError

    def act(self, rng: random.Random) -> str:
        """Somebody does something; the clock moves a little. Says what was done."""
        # never at the very instant of a change before: a read lies between them, and reading takes time
        self.clock.advance(rng.choice([0.002, 0.002, 0.4, 1, 7, 70]))
        there = sorted(self.truth())
        what = rng.choice(["create", "rename", "rename", "reassign", "delete"]) if len(there) > 5 else "create"
        self.made += 1
        record = rng.choice(there)
        if what == "create":
            self.create(f"new {self.made}")
        elif what == "rename":
            self.rename(record, f"renamed {self.made}")
        elif what == "reassign":
            self.reassign(record, rng.randrange(2))
        else:
            self.delete(record)
        return f"{self.clock():%H:%M:%S} {what} {record if what != 'create' else self.made}"

    def sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def call(self, method: str, path: str, body: Any = None) -> None:
        requests.request(
            method, self.address + path, json=body, headers={"Authorization": f"Bearer {OTHER}"}, timeout=5
        ).raise_for_status()


class LivelyOrg(Lively):
    name, space, items = "salesforce", salesforce.SPACE, "Case"
    people = (salesforce.ADA, salesforce.GRACE)
    _path = "/services/data/v59.0/sobjects/Case"

    def connector(self) -> Connector:
        source = salesforce.configured(self.address)
        if self.mended:
            stated = source.objects["Case"].model_dump() | {"phase": None, "tracked": ["OwnerId", "Status"]}
            source = salesforce.configured(self.address, objects={"Case": stated})
        return SalesforceConnector(self.space, source, lambda _: Secret(salesforce.SECRET), sleep=self.sleep)

    def fill(self) -> None:
        salesforce.fill(self.store)
        self.store.put(self.space, "_token", [(OTHER, _STAMP, {"user": salesforce.ADA})])
        docs = []
        for n in range(self.size):
            when = salesforce.at(7 + n // 7, 9, n % 3)
            docs.append(salesforce.case(f"500000000B{n:05d}AAA", 5000 + n, when, when, Subject=f"old {n}"))
        salesforce.put(self.store, "Case", *docs)

    def create(self, title: str) -> None:
        self.call("POST", self._path, {"Subject": title, "Status": "New"})

    def rename(self, record: str, title: str) -> None:
        self.call("PATCH", f"{self._path}/{record}", {"Subject": title})

    def reassign(self, record: str, who: int) -> None:
        self.call("PATCH", f"{self._path}/{record}", {"OwnerId": self.people[who]})

    def delete(self, record: str) -> None:
        self.call("DELETE", f"{self._path}/{record}")

    def truth(self) -> Truth:
        docs = self.store.scan(self.space, "Case")
        return {d["Id"]: (d["Subject"], d["Status"], d["OwnerId"]) for d in docs if not d.get("IsDeleted")}


class LivelySite(Lively):
    name, space, items = "jira", jira.SPACE, "issues:ACME"
    people = (jira.ADA, jira.GRACE)
    _path = "/rest/api/3/issue"

    def connector(self) -> Connector:
        source = jira.configured(self.address)
        return JiraConnector(self.space, source, lambda _: Secret(jira.SECRET), sleep=self.sleep)

    def fill(self) -> None:
        jira.fill(self.store)
        self.store.put(self.space, "_token", [(OTHER, _STAMP, {"email": "ada@acme.example", "accountId": jira.ADA})])
        for n in range(self.size):
            when = jira.at(7 + n // 21, 9)  # more of one moment than a page holds: there page tokens lead on
            made = jira.issue(str(20000 + n), when, when, key=f"ACME-{n + 100}", fields={"summary": f"old {n}"})
            jira.put_issue(self.store, made)

    def create(self, title: str) -> None:
        fields = {"project": {"key": "ACME"}, "issuetype": {"name": "Task"}, "summary": title}
        self.call("POST", self._path, {"fields": fields})

    def rename(self, record: str, title: str) -> None:
        self.call("PUT", f"{self._path}/{record}", {"fields": {"summary": title}})

    def reassign(self, record: str, who: int) -> None:
        self.call("PUT", f"{self._path}/{record}/assignee", {"accountId": self.people[who]})

    def delete(self, record: str) -> None:
        self.call("DELETE", f"{self._path}/{record}")

    def truth(self) -> Truth:
        docs = [d for d in self.store.scan(self.space, "issue") if d["_project"] == "ACME"]
        return {d["id"]: (d["fields"]["summary"], d["fields"]["status"]["name"], d["_assignee"] or "") for d in docs}


class LivelyBase(Lively):
    name, space, items = "airtable", airtable.SPACE, "items"
    people = (airtable.ADA, airtable.GRACE)
    _path = f"/v0/{airtable.BASE}/{airtable.ITEMS}"

    def connector(self) -> Connector:
        return AirtableConnector(
            self.space,
            airtable.configured(self.address),
            lambda _: Secret(airtable.SECRET),
            clock=lambda: self.clock().timestamp(),
            sleep=self.sleep,
        )

    def fill(self) -> None:
        airtable.fill(self.store)
        self.store.put(self.space, "_token", [(OTHER, _STAMP, {"user": airtable.ADA})])
        for n in range(self.size):
            cells = {airtable.TITLE: f"old {n}"}
            airtable.put_item(self.store, f"recItem{n:010d}", airtable.at(7 + n // 7, 9, n % 3), cells)

    def create(self, title: str) -> None:
        self.call("POST", self._path, {"fields": {airtable.TITLE: title}})

    def rename(self, record: str, title: str) -> None:
        self.call("PATCH", f"{self._path}/{record}", {"fields": {airtable.TITLE: title}})

    def reassign(self, record: str, who: int) -> None:
        self.call("PATCH", f"{self._path}/{record}", {"fields": {airtable.OWNER: [{"id": self.people[who]}]}})

    def delete(self, record: str) -> None:
        self.call("DELETE", f"{self._path}/{record}")

    def truth(self) -> Truth:
        found: Truth = {}
        for doc in self.store.scan(self.space, "record"):
            if doc["_table"] == airtable.ITEMS:
                cells = doc["fields"]
                owners = ",".join(sorted(one["id"] for one in cells.get(airtable.OWNER) or ()))
                found[doc["id"]] = (cells.get(airtable.TITLE) or "", cells.get(airtable.STATUS) or "", owners)
        return found


TOOLS: Mapping[str, type[Lively]] = {each.name: each for each in (LivelyOrg, LivelySite, LivelyBase)}


@dataclass
class Book:
    """What was committed: observations by key in the order of their commit, and a cursor for each stream."""

    kept: dict[str, Observation] = field(default_factory=dict)
    cursors: dict[str, str] = field(default_factory=dict)

    def append(self, stream: str, page: Page) -> None:
        """Commit a page with its cursor."""
        assert not page.quarantined, page.quarantined[0].reason
        for said in page.observations:
            self.kept.setdefault(said.key, said)
        if page.cursor is not None:
            self.cursors[stream] = page.cursor

    def present(self) -> Truth:
        """Title, status and owner of each item, the last thing said of each."""
        return present(list(self.kept.values()))

    def doubles(self) -> list[tuple[Any, ...]]:
        """Statements that are kept twice: one value of one field at one moment."""
        met: dict[tuple[Any, ...], int] = {}
        for o in self.kept.values():
            told = (o.entity, o.record, o.part, o.field, o.value, o.valid_from, o.actor)
            met[told] = met.get(told, 0) + 1
        return [told for told, count in met.items() if count > 1]


def present(said: list[Observation]) -> Truth:
    """The last thing said of each item; at one moment history outranks a snapshot, and the later said the earlier."""
    last: dict[tuple[str, str], tuple[tuple[datetime, bool, int], str]] = {}
    for number, o in enumerate(said):
        if o.entity == "item" and not o.part and o.field in {"title", "status", "owner"}:
            rank = (o.valid_from, o.origin != "snapshot", number)
            if (o.record, o.field) not in last or rank >= last[o.record, o.field][0]:
                value = o.value or ""
                last[o.record, o.field] = (rank, ",".join(sorted(value.split(","))) if o.field == "owner" else value)
    return {
        record: tuple(last.get((record, name), (None, ""))[1] for name in ("title", "status", "owner"))  # type: ignore[misc]  # three names, three values
        for record, _ in last
    }


def missed(truth: Truth, held: Truth) -> dict[str, tuple[Any, Any]]:
    """Items the tool holds of which something else, or nothing, is kept: (in the tool, kept)."""
    return {record: (values, held.get(record)) for record, values in truth.items() if held.get(record) != values}
