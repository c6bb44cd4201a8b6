"""The file under the store: its tables, how they are opened, and the few ways rows are read from them."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Watcher = Callable[[str, str, str, str], None]  # space, kind, id, the stamp a document had before it was changed

SCHEMA = """
CREATE TABLE IF NOT EXISTS shelf (
  n INTEGER PRIMARY KEY, space TEXT NOT NULL, kind TEXT NOT NULL, UNIQUE (space, kind));
CREATE TABLE IF NOT EXISTS doc (
  shelf INTEGER NOT NULL, id TEXT NOT NULL, stamp TEXT NOT NULL, parent TEXT, alias TEXT, body BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS doc_by_id ON doc (shelf, id);
CREATE INDEX IF NOT EXISTS doc_by_stamp ON doc (shelf, stamp, id);
CREATE INDEX IF NOT EXISTS doc_by_parent ON doc (shelf, parent, stamp, id) WHERE parent IS NOT NULL;
CREATE INDEX IF NOT EXISTS doc_by_alias ON doc (shelf, alias) WHERE alias IS NOT NULL;
"""
# How many documents changed on a day, so that counting a span costs as much as its two broken days. A deleted
# Salesforce record stays until it is purged: those few have an index of their own.
GONE = "instr(body, CAST('\"IsDeleted\":true' AS BLOB)) > 0"
SCHEMA += f"""
CREATE INDEX IF NOT EXISTS doc_gone ON doc (shelf, stamp) WHERE {GONE};
CREATE TABLE IF NOT EXISTS tally (shelf INTEGER, day TEXT, n INTEGER, PRIMARY KEY (shelf, day)) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS doc_added AFTER INSERT ON doc BEGIN
  INSERT INTO tally VALUES (new.shelf, substr(new.stamp, 1, 10), 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER IF NOT EXISTS doc_removed AFTER DELETE ON doc BEGIN
  UPDATE tally SET n = n - 1 WHERE shelf = old.shelf AND day = substr(old.stamp, 1, 10);
END;
CREATE TRIGGER IF NOT EXISTS doc_moved AFTER UPDATE OF stamp ON doc
WHEN substr(old.stamp, 1, 10) <> substr(new.stamp, 1, 10) BEGIN
  UPDATE tally SET n = n - 1 WHERE shelf = old.shelf AND day = substr(old.stamp, 1, 10);
  INSERT INTO tally VALUES (new.shelf, substr(new.stamp, 1, 10), 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
"""
_COUNTED = "INSERT INTO tally SELECT shelf, substr(stamp, 1, 10) AS day, count(*) FROM doc GROUP BY shelf, day"
TRIGGERS = ("doc_added", "doc_removed", "doc_moved")
_VERSION = 2  # of the file: 1 had no tally
INDEXES = ("doc_by_id", "doc_by_stamp", "doc_by_parent", "doc_by_alias", "doc_gone")


class StoreFile:
    """One SQLite file of documents on shelves; the lock makes it safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """Open the file, creating it when it is not there."""
        self.path = path
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")  # a world can be built again; it need not survive a power cut
        self._db.execute("PRAGMA cache_size=-65536")
        self._db.executescript(SCHEMA)
        if self._db.execute("PRAGMA user_version").fetchone()[0] < _VERSION:
            self._tallied()
        self._lock = threading.RLock()
        self._watchers: list[Watcher] = []
        self._shelves: dict[tuple[str, str], int] = {}
        self._depth = 0

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make every write inside one transaction: all of it happens, or none of it. May be nested."""
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                if outermost:
                    self._db.execute("ROLLBACK")
                    self._shelves.clear()
                raise
            else:
                if outermost:
                    self._db.execute("COMMIT")
            finally:
                self._depth -= 1

    def _tallied(self) -> None:
        self._db.execute("DELETE FROM tally")
        self._db.execute(_COUNTED)
        self._db.execute(f"PRAGMA user_version={_VERSION}")

    def _number(self, sql: str, bound: Sequence[Any]) -> int:
        return int(self._rows(sql, bound)[0][0])

    def _rows(self, sql: str, bound: Sequence[Any]) -> list[Any]:
        with self._lock:
            return self._db.execute(sql, bound).fetchall()

    def _page(
        self,
        shelf: int,
        *,
        since: str | None,
        until: str | None,
        after: tuple[str, str] | None,
        parent: str | None,
        take: int,
        backwards: bool = False,
    ) -> list[tuple[str, str, bytes]]:
        where, bound = bounds(shelf, since=since, until=until, after=after, parent=parent, backwards=backwards)
        order = "stamp DESC, id DESC" if backwards else "stamp, id"
        return self._rows(f"SELECT stamp, id, body FROM doc WHERE {where} ORDER BY {order} LIMIT {take}", bound)

    def _shelf(self, space: str, kind: str, *, create: bool = False) -> int:
        known = self._shelves.get((space, kind))
        if known is not None:
            return known
        with self._lock:
            if create:
                self._db.execute("INSERT OR IGNORE INTO shelf (space, kind) VALUES (?, ?)", (space, kind))
            rows = self._rows("SELECT n FROM shelf WHERE space = ? AND kind = ?", (space, kind))
            if not rows:
                return -1
            self._shelves[space, kind] = int(rows[0][0])
            return int(rows[0][0])


def bounds(
    shelf: int,
    *,
    since: str | None = None,
    until: str | None = None,
    after: tuple[str, str] | None = None,
    parent: str | None = None,
    backwards: bool = False,
) -> tuple[str, list[Any]]:
    """Return the condition of a query for these bounds (both included), and the values to bind."""
    where, bound = ["shelf = ?"], [shelf]  # type: list[str], list[Any]
    if parent is not None:
        where.append("parent = ?")
        bound.append(parent)
    # The plus keeps SQLite from beginning at the outer bound, and reading everything up to `after` for every page.
    if since is not None:
        where.append("stamp >= ?" if after is None or backwards else "+stamp >= ?")
        bound.append(since)
    if until is not None:
        where.append("+stamp <= ?" if after is not None and backwards else "stamp <= ?")
        bound.append(until)
    if after is not None:
        where.append(f"(stamp, id) {'<' if backwards else '>'} (?, ?)")
        bound.extend(after)
    return " AND ".join(where), bound
