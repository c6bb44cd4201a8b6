"""Bring a database to the schema this code works with, in one transaction, and refuse a newer one."""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from hub.errors import ConfigurationError
from hub.ledger.engine import Database, first_line, shown
from hub.ledger.schema import HEAD, VERSION_TABLE

# Alembic keeps the migration at work in module globals: two threads must not be in it with two databases.
_one_at_a_time = threading.Lock()


def migrate(database: Database) -> None:
    """Upgrade to `HEAD`: all of it or nothing, also when the process is killed or two start at once.

    Raises ConfigurationError when the schema is newer than this code, or the database holds something else.
    """
    with database.read() as connection:
        if _version(connection) == HEAD:
            return
    with database.write("schema") as connection:
        found = _version(connection)
        if found == HEAD:
            return
        try:
            _upgrade(connection, found)
        except DBAPIError as error:
            raise ConfigurationError(
                f"cannot prepare the ledger {shown(database.url)}: {first_line(error)}",
                hint="the ledger needs a database of its own and the right to create tables in it",
            ) from error


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    return None if found is None else str(found)


def _upgrade(connection: Connection, found: str | None) -> None:
    # Imported here: most starts find the schema in place, and Alembic takes a tenth of a second to load.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    known = {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise ConfigurationError(
            f"the ledger's schema {found!r} is newer than this hub knows ({HEAD!r})",
            hint="install the newer hub that made it; nothing was changed",
        )
    config.attributes["connection"] = connection
    with _one_at_a_time:
        command.upgrade(config, HEAD)
