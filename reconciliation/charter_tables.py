"""The charter as small tables, so that rules are joins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import ibis.expr.types as ir
import pyarrow as pa

from hub.charter.model import Charter
from reconciliation.columns import span
from reconciliation.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class CharterTables:
    """`source(source, tool, partner, writable)`, `account(source, account, person)`,
    `email(email, person)` (unshared ones, lower case), `name(person, name)`,
    `status(source, native, canonical)` (native in lower case), `phase(spelling, phase, accountable)` (spelling in
    lower case), `decider(phase, source)` and `protocol(from_phase, to_phase, accept_within, protocol,
    escalate_to)`."""

    source: ir.Table
    account: ir.Table
    email: ir.Table
    name: ir.Table
    status: ir.Table
    phase: ir.Table
    decider: ir.Table
    protocol: ir.Table


def charter_tables(engine: Engine, charter: Charter) -> CharterTables:
    """The charter's lists as engine tables."""

    def text(rows: list[tuple[str | None, ...]], *names: str) -> ir.Table:
        return engine.take(_text_table(rows, names))

    sources = pa.table(
        {
            "source": pa.array(list(charter.sources), pa.string()),
            "tool": pa.array([s.tool for s in charter.sources.values()], pa.string()),
            "partner": pa.array([s.partner for s in charter.sources.values()], pa.string()),
            "writable": pa.array([s.writable for s in charter.sources.values()], pa.bool_()),
        }
    )
    people = charter.people.items()
    protocols = charter.handoffs.protocols
    return CharterTables(
        source=engine.take(sources),
        account=text([(s, a, key) for key, p in people for s, a in p.accounts.items()], "source", "account", "person"),
        email=text(_unshared({key: p.email for key, p in people}), "email", "person"),
        name=text([(key, n) for key, p in people for n in (p.name, *p.aliases)], "person", "name"),
        status=text(_statuses(charter), "source", "native", "canonical"),
        phase=text(_phases(charter), "spelling", "phase", "accountable"),
        decider=text(list(charter.survivorship.owner.by_phase.items()), "phase", "source"),
        protocol=engine.take(
            pa.table(
                {
                    "from_phase": pa.array([p.from_ for p in protocols], pa.string()),
                    "to_phase": pa.array([p.to for p in protocols], pa.string()),
                    "accept_within": pa.array([span(p.accept_within) for p in protocols], pa.int64()),
                    "protocol": pa.array([p.name for p in protocols], pa.string()),
                    "escalate_to": pa.array([p.escalate_to for p in protocols], pa.string()),
                }
            )
        ),
    )


def _text_table(rows: list[tuple[str | None, ...]], names: tuple[str, ...]) -> pa.Table:
    return pa.table({n: pa.array([row[i] for row in rows], pa.string()) for i, n in enumerate(names)})


def _unshared(emails: Mapping[str, str | None]) -> list[tuple[str | None, ...]]:
    """(address, person) for addresses that one person alone has: a shared one proves nobody."""
    holders: dict[str, list[str]] = {}
    for person, email in emails.items():
        if email and email.strip():
            holders.setdefault(email.strip().lower(), []).append(person)
    return [(email, people[0]) for email, people in holders.items() if len(people) == 1]


def _statuses(charter: Charter) -> list[tuple[str | None, ...]]:
    known: dict[tuple[str, str], str] = {}
    for source, mapping in charter.statuses.items():
        for native, canonical in mapping.items():
            known.setdefault((source, native.strip().lower()), canonical)
    return [(source, native, canonical) for (source, native), canonical in known.items()]


def _phases(charter: Charter) -> list[tuple[str | None, ...]]:
    known: dict[str, tuple[str, str | None]] = {}
    for phase in charter.phases:
        for alias in (phase.name, *phase.aliases):
            known.setdefault(alias.strip().lower(), (phase.name, phase.accountable))
    return [(alias, name, accountable) for alias, (name, accountable) in known.items()]
