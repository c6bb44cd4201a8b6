"""One database behind one URL: how it is opened, and what a transaction means on each of the two.

SQLite keeps a rollback journal with synchronous=EXTRA; WAL is used only from library 3.51.3 on, since older
ones can corrupt a WAL file that two connections write (sqlite.org/wal.html#walresetbug). Arrow is read through
Python's own sqlite3 there: a second copy of the SQLite library in the process (ADBC brings one) would drop
the first one's POSIX locks on the same file (sqlite.org/howtocorrupt.html, 2.2.1).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from hub.errors import ConfigurationError, Refused

_BUSY_SECONDS = 30
_WAL_IS_SOUND = (3, 51, 3)
_IMMEDIATE = "ledger_immediate"

Order = Literal["append", "findings", "plans", "alerts", "schema"]
#: PostgreSQL advisory locks: one number per thing that must happen one after the other.
LOCKS: dict[str, int] = {
    "append": 0x48414E44_01, "findings": 0x48414E44_02, "plans": 0x48414E44_03, "alerts": 0x48414E44_04,
    "schema": 0x48414E44_05, "apply": 0x48414E44_06,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """An open database; transactions are the only way in."""

    engine: Engine
    url: URL

    @property
    def postgresql(self) -> bool:
        """True on PostgreSQL, False on SQLite."""
        return self.engine.dialect.name == "postgresql"

    @property
    def path(self) -> Path:
        """The file of an SQLite database."""
        return Path(self.url.database or "").resolve()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads. Raises Refused when the database is busy or away."""
        with _translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, order: Order | None = None) -> Iterator[Connection]:
        """A transaction that is durable once left without an error, and leaves nothing otherwise.

        `order`: writers that name the same thing wait for each other (on SQLite all writers do). Raises
        Refused when the database is busy or away.
        """
        with _translated(), self.engine.connect() as plain:
            connection = plain.execution_options(**{_IMMEDIATE: True})
            with connection.begin():
                if self.postgresql:
                    # A server may be set up to answer before the disk has it; what we commit must be there.
                    connection.exec_driver_sql(
                        "SELECT set_config('synchronous_commit', 'on', true) "
                        "WHERE current_setting('synchronous_commit') IN ('off', 'local')"
                    )
                    if order:
                        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (LOCKS[order],))
                yield connection

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Open `url` (`sqlite:///path` or `postgresql://…`), making an SQLite file's directory when it is missing.

    Raises ConfigurationError, without any password in it, when the address cannot be used.
    """
    parsed = _parsed(url)
    engine = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)
    database = Database(engine=engine, url=parsed)
    try:
        with engine.connect() as connection:
            _probe(connection)
    except DBAPIError as error:
        engine.dispose()
        raise ConfigurationError(
            f"cannot open the ledger {shown(parsed)}: {first_line(error)}",
            hint="check `database` in hub.yaml: the path must be writable, the server reachable",
        ) from error
    except ConfigurationError:
        engine.dispose()
        raise
    return database


def shown(url: URL) -> str:
    """The URL without its password."""
    return url.render_as_string(hide_password=True)


def first_line(error: DBAPIError) -> str:
    """What the database said, on one line."""
    return (str(error.orig).strip().splitlines() or [type(error).__name__])[0]


def driver(connection: Connection) -> Any:
    """The driver's own connection (sqlite3 or psycopg), for bulk work inside the same transaction."""
    return connection.connection.driver_connection


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError(
            "the ledger's database address is not a URL",
            hint="use sqlite:///path/to/ledger.sqlite or postgresql://user@host/database",
        ) from error
    backend = parsed.get_backend_name()
    if backend in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise ConfigurationError(f"the ledger cannot live in {backend!r}", hint="use sqlite:///… or postgresql://…")
    if parsed.database in {None, "", ":memory:"} or (parsed.database or "").startswith("file:"):
        raise ConfigurationError(
            "the ledger needs a file: what it remembers must outlive the process",
            hint="use sqlite:///path/to/ledger.sqlite",
        )
    return parsed.set(drivername="sqlite+pysqlite")


def _sqlite(url: URL) -> Engine:
    path = Path(url.database or "")
    if path.is_dir():
        raise ConfigurationError(f"the ledger {path} is a directory", hint="name a file in it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"cannot make the ledger's directory {path.parent}: {error.strerror}",
            hint="choose a directory that can be written",
        ) from error
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        # None: the driver starts no transaction by itself, so that DDL and reads are inside ours too.
        connection.isolation_level = None
        journal = "WAL" if sqlite3.sqlite_version_info >= _WAL_IS_SOUND else "DELETE"
        for pragma in (
            f"journal_mode={journal}", "synchronous=EXTRA", "foreign_keys=ON", "recursive_triggers=ON",
            "temp_store=MEMORY", "cache_size=-65536",
        ):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes its lock at once: a read lock that is raised later can fail without waiting.
        immediate = connection.get_execution_options().get(_IMMEDIATE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _postgresql(url: URL) -> Engine:
    # pool_pre_ping: a server restart between two runs must not fail the second one.
    return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})


def _probe(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar()
        return
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
    if encoding != "UTF8":
        raise ConfigurationError(
            f"the ledger's PostgreSQL database is encoded in {encoding}",
            hint="create it with ENCODING 'UTF8': names and titles are in every script",
        )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise Refused(
            f"the ledger cannot be used right now: {first_line(error)}",
            hint="another process holds it, the disk is full, or the server is away; try again",
        ) from error
