"""Findings and their lives: opened, resolved, reopened; each step also a row that stays.

A run hands over everything that is wrong now. What is new opens, what is gone resolves, what comes back
reopens; the rest is counted once more.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Select, bindparam, case, func, insert, select, update

from hub.domain.findings import FINDING_KINDS, Finding
from hub.ledger.engine import Database
from hub.ledger.schema import finding, finding_event, trend
from hub.ledger.upsert import upsert
from hub.ledger.values import micros, moment, optional_moment, optional_storable, storable, to_json

OPEN = ("open", "reopened")

_TEXTS = ("key", "kind", "item", "title", "severity", "summary", "rule", "next_move", "next_who", "refs",
          "evidence")  # fmt: skip
_OPTIONAL_TEXTS = ("from_person", "to_person")
_TIMES = ("at", "due")
_TREND = pa.schema(
    [("run", pa.string()), ("at", pa.timestamp("us", tz="UTC")), ("kind", pa.string()), ("open", pa.int64())]
)
# Names in one IN list; SQLite before 3.32 takes 999 values in a statement.
_SOME = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingChanges:
    """Keys of the findings that changed their state in one run, each sorted."""

    opened: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()
    reopened: tuple[str, ...] = ()


def record(database: Database, run: str, findings: pa.Table, now: datetime) -> FindingChanges:
    """Take over what is wrong now (columns as reconciliation gives them); says what changed.

    The same findings recorded again under the same run change no state.
    """
    at = micros(now)
    fresh = {row["key"]: row for row in _rows(findings)}
    with database.write("findings") as connection:
        held = {
            key: (state, content)
            for key, state, content in connection.execute(select(finding.c.key, finding.c.state, finding.c.content))
        }
        opened = sorted(fresh.keys() - held.keys())
        reopened = sorted(key for key in fresh.keys() & held.keys() if held[key][0] == "resolved")
        resolved = sorted(key for key, (state, _) in held.items() if state != "resolved" and key not in fresh)
        changed = [key for key in fresh.keys() & held.keys() if fresh[key]["content"] != held[key][1]]
        _note(connection, run, at, "opened", [fresh[key] for key in opened])
        _note(connection, run, at, "reopened", [fresh[key] for key in reopened])
        _note(connection, run, at, "resolved", list(_held_rows(connection, resolved)))
        if opened:
            first = {"state": "open", "first_seen": at, "last_seen": at, "resolved_at": None, "seen": 0}
            connection.execute(insert(finding), [fresh[key] | first for key in opened])
        if changed:
            _rewrite(connection, [fresh[key] for key in sorted(changed)])
        _set_state(connection, resolved, state="resolved", resolved_at=at)
        _set_state(connection, reopened, state="reopened", resolved_at=None)
        connection.execute(
            update(finding).where(finding.c.state.in_(OPEN)).values(last_seen=at, seen=finding.c.seen + 1)
        )
        _draw_trend(connection, run, at)
    return FindingChanges(opened=tuple(opened), resolved=tuple(resolved), reopened=tuple(reopened))


def listing(
    database: Database, kind: str | None, states: tuple[str, ...], keys: Collection[str] | None
) -> tuple[Finding, ...]:
    """Findings in these states, gravest first, then oldest; of one kind and among `keys` when given."""
    gravest = case({"high": 0, "medium": 1}, value=finding.c.severity, else_=2)
    query = select(finding).where(finding.c.state.in_(states))
    if kind is not None:
        query = query.where(finding.c.kind == kind)
    query = query.order_by(gravest, finding.c.at, finding.c.key)
    with database.read() as connection:
        if keys is None:
            return tuple(_finding(row) for row in connection.execute(query).mappings())
        found = [row for some in _in_parts(sorted(keys)) for row in _among(connection, query, some)]
    order = {"high": 0, "medium": 1}
    found.sort(key=lambda row: (order.get(row["severity"], 2), row["at"], row["key"]))
    return tuple(_finding(row) for row in found)


def counts(database: Database) -> dict[str, int]:
    """How many findings are open or reopened, per kind that has any."""
    with database.read() as connection:
        return _open_counts(connection)


def trend_table(database: Database, limit: int) -> pa.Table:
    """Open findings per kind after each of the last `limit` runs, oldest first: run, at, kind, open."""
    runs = (select(trend.c.run).group_by(trend.c.run).order_by(func.max(trend.c.at).desc(), trend.c.run.desc())).limit(
        limit
    )
    with database.read() as connection:
        rows = connection.execute(
            select(trend.c.run, trend.c.at, trend.c.kind, trend.c.open)
            .where(trend.c.run.in_(runs.scalar_subquery()))
            .order_by(trend.c.at, trend.c.run, trend.c.kind)
        ).all()
    return pa.Table.from_pylist(
        [{"run": run, "at": moment(at), "kind": kind, "open": count} for run, at, kind, count in rows], _TREND
    )


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    columns = {name: table.column(name) for name in (*_TEXTS, *_OPTIONAL_TEXTS, *_TIMES)}
    for name in _TIMES:
        columns[name] = columns[name].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
    lists = [column.to_pylist() for column in columns.values()]
    for values in zip(*lists, strict=True):
        row: dict[str, Any] = dict(zip(columns, values, strict=True))
        row |= {name: storable(row[name] or "") for name in _TEXTS}
        row |= {name: optional_storable(row[name]) for name in _OPTIONAL_TEXTS}
        row["content"] = blake2b(to_json(row).encode(), digest_size=16).hexdigest()
        yield row


def _note(
    connection: Connection, run: str, at: int, transition: str, rows: list[Mapping[str, Any]] | list[dict[str, Any]]
) -> None:
    if rows:
        connection.execute(
            insert(finding_event),
            [
                {
                    "key": row["key"],
                    "run": run,
                    "kind": row["kind"],
                    "item": row["item"],
                    "transition": transition,
                    "severity": row["severity"],
                    "summary": row["summary"],
                    "at": at,
                }
                for row in rows
            ],
        )


def _held_rows(connection: Connection, keys: list[str]) -> Iterator[Mapping[str, Any]]:
    for some in _in_parts(keys):
        yield from _among(connection, select(finding).order_by(finding.c.key), some)


def _among(connection: Connection, query: Select[Any], keys: list[str]) -> list[Mapping[str, Any]]:
    return [dict(row) for row in connection.execute(query.where(finding.c.key.in_(keys))).mappings()]


def _in_parts(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), _SOME):
        yield keys[start : start + _SOME]


def _set_state(connection: Connection, keys: list[str], **values: Any) -> None:
    for some in _in_parts(keys):
        connection.execute(update(finding).where(finding.c.key.in_(some)).values(**values))


def _rewrite(connection: Connection, rows: list[dict[str, Any]]) -> None:
    names = [name for name in rows[0] if name != "key"]
    connection.execute(
        update(finding)
        .where(finding.c.key == bindparam("the_key"))
        .values({name: bindparam(f"new_{name}") for name in names}),
        [{"the_key": row["key"]} | {f"new_{name}": row[name] for name in names} for row in rows],
    )


def _open_counts(connection: Connection) -> dict[str, int]:
    query = (
        select(finding.c.kind, func.count())
        .where(finding.c.state.in_(OPEN))
        .group_by(finding.c.kind)
        .order_by(finding.c.kind)
    )
    return {kind: int(count) for kind, count in connection.execute(query)}


def _draw_trend(connection: Connection, run: str, at: int) -> None:
    # Every kind has a row, also with nothing open: a line in a plot must come down to zero.
    counted = dict.fromkeys(FINDING_KINDS, 0) | _open_counts(connection)
    upsert(
        connection,
        trend,
        [{"run": run, "kind": kind, "open": count, "at": at} for kind, count in counted.items()],
    )


def _finding(row: Mapping[Any, Any]) -> Finding:
    return Finding(
        key=row["key"], kind=row["kind"], item=row["item"], title=row["title"], severity=row["severity"],
        summary=row["summary"], rule=row["rule"], next_move=row["next_move"], next_who=row["next_who"],
        at=moment(row["at"]), from_person=row["from_person"], to_person=row["to_person"],
        due=optional_moment(row["due"]),
        refs=tuple((source, native) for source, native in json.loads(row["refs"] or "[]")),
        evidence=tuple(json.loads(row["evidence"] or "[]")), state=row["state"],
        first_seen=moment(row["first_seen"]), last_seen=moment(row["last_seen"]), seen=row["seen"],
    )  # fmt: skip
