"""One applier at a time, over threads, processes and (on PostgreSQL) machines.

Both locks belong to something the operating system or the server takes back when the holder dies: an open
file, an open connection. A pooler in transaction mode between hub and PostgreSQL would break the latter.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from hub.errors import ConfigurationError, Refused
from hub.ledger.engine import LOCKS, Database


@contextmanager
def sole_applier(database: Database) -> Iterator[None]:
    """Hold the right to write to tools. Raises Refused when somebody else holds it."""
    if database.postgresql:
        with _by_connection(database):
            yield
    else:
        with _by_file(database.path):
            yield


@contextmanager
def _by_file(ledger: Path) -> Iterator[None]:
    path = ledger.with_name(ledger.name + ".apply.lock")
    try:
        # Not inheritable, so that a program started meanwhile does not keep the lock alive.
        held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationError(
            f"cannot make the lock file {path}: {error.strerror}", hint="the ledger's directory must be writable"
        ) from error
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _busy() from error
        yield
    finally:
        # The file stays: deleting it would let a third process lock another file of the same name.
        os.close(held)


@contextmanager
def _by_connection(database: Database) -> Iterator[None]:
    with database.engine.connect() as pooled:
        connection = pooled.execution_options(isolation_level="AUTOCOMMIT")
        # Detached from the pool: closing it ends the session, and with it the lock.
        connection.detach()
        if not connection.exec_driver_sql("SELECT pg_try_advisory_lock(%s)", (LOCKS["apply"],)).scalar():
            raise _busy()
        connection.exec_driver_sql(
            "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'"
        )
        try:
            yield
        finally:
            # The server notices a closed session a moment later; whoever comes next must not be refused for that.
            with suppress(SQLAlchemyError):
                connection.exec_driver_sql("SELECT pg_advisory_unlock(%s)", (LOCKS["apply"],))


def _busy() -> Refused:
    return Refused("another apply is running", hint="wait until it ends, then run the command again")
