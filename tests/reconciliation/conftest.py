"""Scenarios: a small table of statements in, what the hub thinks of them out."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from reconciliation.columns import OBSERVATION
from reconciliation.run import Reconciled, reconcile

from hub.charter.model import Charter

NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)

_ACCOUNT_FIELDS = {"name", "email", "active", "kind"}
_EVENTS = {"update", "approval", "approver"}

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

    `-` is an empty value. With an actor the statement comes from the tool's history (updates and approvals
    are events), without one it is a snapshot.
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
                "entity": "account" if name in _ACCOUNT_FIELDS else "item",
                "record": record,
                "part": value if name in {"identifier", "reference"} else part or (str(seq) * (name == "update")),
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


def think(text: str, *, as_of: datetime = NOW, **changes: Any) -> Reconciled:
    return reconcile(observed(text), charter(**changes), as_of=as_of)


def found(result: Reconciled) -> list[str]:
    """Findings as `kind from>to`, sorted."""
    rows = result.finding.to_pylist()
    return sorted(f"{r['kind']} {r['from_person'] or '-'}>{r['to_person'] or '-'}" for r in rows)


def corrected(result: Reconciled) -> list[str]:
    """Corrections as `source record expected>desired`."""
    return [f"{r['source']} {r['record']} {r['expected'] or '-'}>{r['desired']}" for r in result.correction.to_pylist()]
