"""Ledgers to try things on: the schema is made once per database kind and copied for every test."""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from hub.domain.findings import FindingKind
from hub.domain.plans import OwnerChange, Plan
from hub.domain.records import Field, Observation, Origin, Page, Quarantined, RawRecord
from hub.ledger import Ledger

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def _sibling(server: str, name: str) -> str:
    base, _, query = server.partition("?")
    return base.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "ledger.sqlite"
    Ledger.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> str:
    name = f"template_{uuid.uuid4().hex}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    Ledger.open(_sibling(postgresql_server, name)).close()
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def prepared_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a fresh ledger that needs no migration; every test runs on both databases."""
    if request.param == "sqlite":
        path = tmp_path / "ledger.sqlite"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: str = request.getfixturevalue("postgresql_server")
    template: str = request.getfixturevalue("postgresql_template")
    name = f"ledger_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield _sibling(server, name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def ledger(prepared_url: str) -> Iterator[Ledger]:
    with Ledger.open(prepared_url) as opened:
        yield opened


@pytest.fixture
def sql(prepared_url: str) -> Callable[[str], list[tuple[Any, ...]]]:
    """Runs one statement as somebody who goes past the hub, with the database's plain driver."""
    return raw_sql(prepared_url)


def raw_sql(url: str) -> Callable[[str], list[tuple[Any, ...]]]:
    def run(statement: str) -> list[tuple[Any, ...]]:
        if url.startswith("sqlite"):
            lite = sqlite3.connect(url.removeprefix("sqlite:///"))
            try:
                with lite:
                    return lite.execute(statement).fetchall()
            finally:
                lite.close()
        with psycopg.connect(url) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    return run


@dataclass(frozen=True)
class Scene:
    """Short ways to say what a connector would deliver. Hours count from a Monday, 09:00 UTC."""

    def at(self, hours: float = 0) -> datetime:
        return MONDAY + timedelta(hours=hours)

    def raw(
        self, native_id: str = "1", *, stream: str = "issues", version: str = "1", payload: bytes = b"{}"
    ) -> RawRecord:
        return RawRecord(
            source="jira", stream=stream, native_id=native_id, version=version, payload=payload, fetched_at=MONDAY
        )

    def said(
        self,
        value: str | None,
        hours: float,
        origin: Origin = "snapshot",
        *,
        record: str = "1",
        field: Field = "owner",
        actor: str | None = None,
        part: str = "",
    ) -> Observation:
        return Observation(
            source="jira", entity="item", record=record, field=field, value=value, valid_from=self.at(hours),
            origin=origin, actor=actor, part=part,
        )  # fmt: skip

    def page(
        self,
        *observations: Observation,
        records: tuple[RawRecord, ...] = (),
        quarantined: tuple[Quarantined, ...] = (),
        cursor: str | None = None,
    ) -> Page:
        return Page(records=records, observations=observations, quarantined=quarantined, cursor=cursor)

    def tell(self, ledger: Ledger, *observations: Observation, learned: float = 0) -> int:
        """Append one page with these; how many were new."""
        page = self.page(*observations)
        return ledger.append("run", "issues", "jira", page, self.at(learned)).new_observations

    def values(self, ledger: Ledger) -> list[str | None]:
        column: list[str | None] = ledger.observations().column("value").to_pylist()
        return column

    def change(self, record: str = "10001", *, desired: str = "bob") -> OwnerChange:
        return OwnerChange(
            source="jira", record=record, item="item-1", title="Landing page ✨ \0", expected="ada",
            desired=desired, person="Bob", reason="acme decides", findings=("f1", "f2"),
        )  # fmt: skip

    def plan(self, *, base: int = 7, hours: float = 24, changes: tuple[OwnerChange, ...] | None = None) -> Plan:
        return Plan(
            created_at=MONDAY, expires_at=self.at(hours), base_seq=base, charter_digest="c" * 64,
            changes=(self.change(),) if changes is None else changes,
        )  # fmt: skip

    def wrong(
        self, *keys: str, kind: FindingKind = "owner_conflict", severity: str = "high", summary: str = "two say two"
    ) -> pa.Table:
        """Findings as reconciliation hands them over."""
        time = pa.timestamp("us", tz="UTC")
        text = pa.string()
        columns: dict[str, tuple[list[Any], pa.DataType]] = {
            "key": (list(keys), text),
            "kind": ([kind for _ in keys], text),
            "item": (["item-1" for _ in keys], text),
            "title": ([f"Title {key}" for key in keys], text),
            "severity": ([severity for _ in keys], text),
            "summary": ([summary for _ in keys], text),
            "rule": (["survivorship.owner" for _ in keys], text),
            "next_move": (["Ask Bob" for _ in keys], text),
            "next_who": (["bob" for _ in keys], text),
            "at": ([MONDAY for _ in keys], time),
            "from_person": (["ada" for _ in keys], text),
            "to_person": ([None for _ in keys], text),
            "due": ([None for _ in keys], time),
            "refs": (['[["jira", "1"]]' for _ in keys], text),
            "evidence": (['[{"source": "jira", "value": "\\ud800 \\u0000"}]' for _ in keys], text),
        }
        return pa.table({name: pa.array(values, kind) for name, (values, kind) in columns.items()})


@pytest.fixture
def scene() -> Scene:
    return Scene()
