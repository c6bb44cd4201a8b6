"""Scenarios: a small table of statements in, what the hub thinks of them out."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from hub.charter.model import Charter
from reconciliation.columns import OBSERVATION
from reconciliation.run import Reconciled, reconcile

NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)

_ACCOUNT_FIELDS = {"name", "email", "active", "kind"}
_TOKENS = {"identifier", "reference"}
_EVENTS = {"update", "approval", "approver", "presence"}

_CHARTER: dict[str, Any] = {
    "version": 1,
    "partners": {"acme": {"name": "Acme"}, "studio": {"name": "Studio"}},
    "sources": {
        "sf": {
            "tool": "salesforce",
            "partner": "acme",
            "writable": True,
            "connection": {"base_url": "http://127.0.0.1:1", "client_id": "x", "client_secret": "env:X"},
            "objects": {"Case": {"title": "Subject"}},
        },
        "jira": {
            "tool": "jira",
            "partner": "acme",
            "writable": True,
            "connection": {"server": "http://127.0.0.1:1", "email": "h@acme.example", "token": "env:X"},
            "projects": ["ACME"],
        },
        "air": {
            "tool": "airtable",
            "partner": "studio",
            "writable": True,
            "connection": {"token": "env:X"},
            "base": "app1",
            "items": {"table": "tbl1", "title": "fld1", "owner": "fld2"},
        },
        "mail": {
            "tool": "mail",
            "partner": "studio",
            "writable": True,
            "connection": {"host": "127.0.0.1", "user": "h", "password": "env:X", "sender": "h@acme.example"},
        },
    },
    "teams": {"build": {"name": "Build", "partner": "acme", "lead": "grace"}},
    "people": {
        key: {
            "name": name,
            "email": f"{key}@acme.example",
            "accounts": {"sf": key, "jira": key, "air": key},
            "partner": "acme",
            "team": "build",
        }
        for key, name in {
            "ada": "Ada Lovelace",
            "bob": "Bob Kahn",
            "grace": "Grace Hopper",
            "eve": "Eve Gone",
        }.items()
    },
    "statuses": {s: {"Open": "doing", "Closed": "done"} for s in ("sf", "jira", "air", "mail")},
    "phases": [
        {"name": "Brief", "accountable": "ada", "aliases": ["Discovery"]},
        {"name": "Build", "accountable": "grace"},
        {"name": "QA", "accountable": "bob"},
    ],
    "survivorship": {"owner": {"by_phase": {"Build": "jira"}}},
    "decision_rights": {"owner_change": {"approvers": ["grace"]}},
}
_CHARTER["people"]["eve"]["left"] = "2026-09-01"


def observed(text: str) -> pa.Table:
    """Statements, one a line: `month-day time source record field[#part] value [actor] [origin]`.

    `-` is an empty value; where presence is told, records that begin with a small letter are accounts. With an
    actor the statement comes from the tool's history (updates and approvals are events), without one it is a
    snapshot. Tokens and updates have their part by themselves.
    """
    rows = []
    for seq, line in enumerate(filter(None, (part.strip() for part in text.splitlines()))):
        day, time, source, record, field, value, *rest = shlex.split(line)
        name, _, part = field.partition("#")
        actor = rest[0] if rest else None
        origin = "event" if name in _EVENTS else "history" if actor else "snapshot"
        rows.append(
            {
                "seq": seq,
                "source": source,
                "entity": "account"
                if name in _ACCOUNT_FIELDS or (name == "presence" and record[0].islower())
                else "item",
                "record": record,
                "part": part or (value if name in _TOKENS else str(seq) if name == "update" else ""),
                "field": name,
                "value": None if value == "-" else value,
                "valid_from": datetime.fromisoformat(f"2026-{day}T{time}:00+00:00"),
                "origin": rest[1] if len(rest) > 1 else origin,
                "actor": actor,
                "evidence": f"https://{source}.example/{record}",
            }
        )
    return pa.Table.from_pylist(rows, schema=OBSERVATION)


def charter(**changes: Any) -> Charter:
    """The agreement of the scenarios, with parts of it replaced."""
    return Charter.model_validate(_CHARTER | changes)


#: Every person has a working account in every tool; the hub has its own in Jira.
_ACCOUNTS = """
01-01 00:00 jira hub kind hub
01-01 00:00 jira robot kind bot
01-01 00:00 sf queue kind queue
""" + "".join(
    f"01-01 00:00 {tool} {person} active true\n" for tool in ("sf", "jira", "air") for person in _CHARTER["people"]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thought:
    """What came out, in words short enough to compare."""

    result: Reconciled

    @property
    def findings(self) -> list[str]:
        """`kind "title" from>to`, sorted."""
        rows = self.result.finding.to_pylist()
        return sorted(f"{r['kind']} {r['title']} {r['from_person'] or '-'}>{r['to_person'] or '-'}" for r in rows)

    @property
    def corrections(self) -> list[str]:
        """`source record expected>desired`, in order."""
        rows = self.result.correction.to_pylist()
        return [f"{r['source']} {r['record']} {r['expected'] or '-'}>{r['desired']}" for r in rows]

    @property
    def items(self) -> dict[str, str]:
        """Each item's records by its title."""
        titles = {row["item"]: row["title"] for row in self.result.work_item.to_pylist()}
        records: dict[str, list[str]] = {}
        for row in self.result.link.to_pylist():
            records.setdefault(titles[row["item"]], []).append(f"{row['source']}:{row['record']}")
        return {title: " ".join(sorted(names)) for title, names in sorted(records.items())}

    @property
    def handoffs(self) -> list[str]:
        """`title from>to offered..accepted` with ` returned`, in the order of time."""
        titles = {row["item"]: row["title"] for row in self.result.work_item.to_pylist()}
        rows = sorted(self.result.handoff.to_pylist(), key=lambda r: (r["offered_at"], r["item"]))
        return [
            f"{titles[r['item']]} {r['from_person']}>{r['to_person']} {r['offered_at']:%d %H:%M}.."
            + (f"{r['accepted_at']:%d %H:%M}" if r["accepted_at"] else "")
            + (" returned" if r["returned"] else "")
            for r in rows
        ]

    def item(self, title: str) -> dict[str, Any]:
        return next(row for row in self.result.work_item.to_pylist() if row["title"] == title)

    def finding(self, kind: str) -> dict[str, Any]:
        return next(row for row in self.result.finding.to_pylist() if row["kind"] == kind)


Think = Callable[..., Thought]


@pytest.fixture(scope="session")
def think() -> Think:
    """Reconciles statements under the scenarios' charter (parts of it replaced by keyword)."""

    def run(text: str, *, as_of: datetime = NOW, **changes: Any) -> Thought:
        return Thought(result=reconcile(observed(_ACCOUNTS + text), charter(**changes), as_of=as_of))

    return run


@pytest.fixture(scope="session")
def statements() -> Callable[[str], pa.Table]:
    """The observations of a scenario, accounts included."""
    return lambda text: observed(_ACCOUNTS + text)


@pytest.fixture(scope="session")
def agreed() -> Callable[..., Charter]:
    """The scenarios' charter, parts of it replaced by keyword."""
    return charter
