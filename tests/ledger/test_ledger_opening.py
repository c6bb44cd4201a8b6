"""Opening a ledger: schema, versions, addresses that cannot work."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import hub.ledger.migrate
from hub.errors import ConfigurationError, Refused
from hub.ledger import Ledger
from hub.ledger.engine import open_database
from hub.ledger.schema import HEAD, VERSION_TABLE, metadata


def test_migrations_make_exactly_the_tables_the_code_speaks_of(ledger_url: str) -> None:
    Ledger.open(ledger_url).close()
    database = open_database(ledger_url)
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
    database.close()


def test_the_newest_revision_is_the_one_the_code_names() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(hub.ledger.migrate.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_several_processes_may_open_a_new_ledger_at_once(ledger_url: str) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        try:
            with Ledger.open(ledger_url) as opened:
                assert opened.head() == 0
        except BaseException as error:  # noqa: BLE001 (a thread's failure must reach the test)
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []


def test_two_new_ledgers_may_be_opened_at_once(tmp_path: Path) -> None:
    """Alembic's own state is one per process; two databases must not meet in it."""
    failures: list[BaseException] = []
    start = threading.Barrier(4)

    def make(name: str) -> None:
        try:
            start.wait()
            Ledger.open(f"sqlite:///{tmp_path / name}").close()
        except BaseException as error:  # noqa: BLE001 (a thread's failure must reach the test)
            failures.append(error)

    threads = [threading.Thread(target=make, args=(f"{n}.sqlite",), daemon=True) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert failures == []
    assert not any(thread.is_alive() for thread in threads)


def test_a_newer_schema_is_refused_and_left_alone(prepared_url: str, sql: Any) -> None:
    sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")

    with pytest.raises(ConfigurationError, match="newer than this hub knows") as refused:
        Ledger.open(prepared_url)

    assert "install the newer hub" in refused.value.hint
    assert sql(f"SELECT version_num FROM {VERSION_TABLE}") == [("9999",)]


def test_a_migration_that_fails_leaves_nothing(ledger_url: str) -> None:
    """Another application's table is in the way of one of ours, half way through."""
    if ledger_url.startswith("sqlite"):
        lite = sqlite3.connect(ledger_url.removeprefix("sqlite:///"))
        lite.execute("CREATE TABLE intent (theirs TEXT)")
        lite.close()
    else:
        with psycopg.connect(ledger_url, autocommit=True) as connection:
            connection.execute("CREATE TABLE intent (theirs TEXT)")

    with pytest.raises(ConfigurationError, match="cannot prepare"):
        Ledger.open(ledger_url)

    database = open_database(ledger_url)
    from sqlalchemy import inspect

    with database.read() as connection:
        assert inspect(connection).get_table_names() == ["intent"]
    database.close()


def test_the_directory_of_an_sqlite_ledger_is_made(tmp_path: Path) -> None:
    path = tmp_path / "not" / "yet" / "ledger.sqlite"
    Ledger.open(f"sqlite:///{path}").close()
    assert path.is_file()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "not a URL"),
        ("ledger.sqlite", "not a URL"),
        ("mysql://localhost/hub", "cannot live in 'mysql'"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("sqlite:///{tmp}", "is a directory"),
        ("sqlite:///{tmp}/text.txt", "not a database"),
        ("sqlite:///{tmp}/text.txt/ledger.sqlite", "directory"),
        ("postgresql://ada:secret@127.0.0.1:1/hub", "cannot open the ledger"),
    ],
)
def test_an_address_that_cannot_work_is_explained(tmp_path: Path, url: str, says: str) -> None:
    (tmp_path / "text.txt").write_text("this is a letter, not a database, however long it goes on" * 40)

    with pytest.raises(ConfigurationError, match=says) as refused:
        Ledger.open(url.format(tmp=tmp_path))

    assert refused.value.hint
    assert "secret" not in refused.value.message
    assert "\n" not in refused.value.message


def test_drivers_are_always_named(prepared_url: str) -> None:
    database = open_database(prepared_url)
    assert database.url.drivername in {"sqlite+pysqlite", "postgresql+psycopg"}
    database.close()


def test_a_database_that_is_held_by_another_is_a_refusal_not_a_crash(tmp_path: Path, scene: Any) -> None:
    """SQLite only: a lock that stays longer than the patience of the connection."""
    path = tmp_path / "ledger.sqlite"
    with Ledger.open(f"sqlite:///{path}") as ledger:
        with ledger._database.read() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout=20")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Refused, match="cannot be used right now: database is locked"):
            scene.tell(ledger, scene.said("ada", 0))
        other.close()
        assert scene.tell(ledger, scene.said("ada", 0)) == 1
