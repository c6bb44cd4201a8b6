"""What the simulated tools hold: native documents, each as its tool would keep it, in one SQLite file.

A document lives on a shelf (space, kind) under its native id and carries a *stamp*: sortable ISO text of its
last modification (UTC, microseconds, ``...Z``). Keys that begin with ``_`` are the sandbox's own and never
served. Two of them are indexed: ``_parent`` (failing that, ``_table`` or ``_project``) and ``_alias``
(failing that, the document's ``key``), so that a history is found by its record and an issue by its key.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson

Doc = dict[str, Any]
Watcher = Callable[[str, str, str, str], None]  # space, kind, id, the stamp a document had before it was changed
Row = tuple[str, str, str, str, str | None, str | None, bytes]  # space, kind, id, stamp, parent, alias, body

_SCHEMA = """
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
_GONE = "instr(body, CAST('\"IsDeleted\":true' AS BLOB)) > 0"
_SCHEMA += f"""
CREATE INDEX IF NOT EXISTS doc_gone ON doc (shelf, stamp) WHERE {_GONE};
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
_TRIGGERS = ("doc_added", "doc_removed", "doc_moved")
_VERSION = 2  # of the file: 1 had no tally
_INDEXES = ("doc_by_id", "doc_by_stamp", "doc_by_parent", "doc_by_alias", "doc_gone")
# The later of two rows with one id stands, as it does where documents are put one by one.
_ONLY_THE_LAST = "DELETE FROM doc WHERE rowid NOT IN (SELECT max(rowid) FROM doc GROUP BY shelf, id)"
_CHUNK = 1000  # rows read at a time: a walk never holds a read transaction open over other people's writes
_SIDE_BY_SIDE = 20_000  # rows sorted by their shelf before they are loaded
_IN = 500  # ids in one IN list


class Store:
    """Native documents of every simulated tool; safe to use from several threads and processes."""

    def __init__(self, path: Path) -> None:
        """Open the file, creating it when it is not there."""
        self.path = path
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")  # a world can be built again; it need not survive a power cut
        self._db.execute("PRAGMA cache_size=-65536")
        self._db.executescript(_SCHEMA)
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

    # -- writing ---------------------------------------------------------------------------------------------

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

    def put(self, space: str, kind: str, docs: Iterable[tuple[str, str, Doc]]) -> None:
        """Insert or replace documents given as (id, stamp, doc), in one transaction."""
        with self.transaction():
            shelf = self._shelf(space, kind, create=True)
            if self._watchers:
                docs = list(docs)
                self._tell_watchers(space, kind, shelf, [id_ for id_, _, _ in docs])
            self._db.executemany(
                "INSERT INTO doc (shelf, id, stamp, parent, alias, body) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (shelf, id) DO UPDATE SET stamp = excluded.stamp, parent = excluded.parent, "
                "alias = excluded.alias, body = excluded.body",
                (
                    (
                        shelf,
                        id_,
                        stamp,
                        _parent_of(doc),
                        doc.get("_alias") or doc.get("key"),
                        orjson.dumps(doc),
                    )
                    for id_, stamp, doc in docs
                ),
            )

    @contextmanager
    def loading(self) -> Iterator[Callable[[Iterable[Row]], None]]:
        """Load very many documents at once: gives a function that takes rows, bodies written by ``orjson``.

        Indexes are dropped until the end, and nothing is journalled: reading is slow meanwhile, and a load that
        fails leaves a file to be thrown away. Among rows with one id the last one stands. ``row_of`` makes a row.
        """
        with self._lock:
            for name in _INDEXES:
                self._db.execute(f"DROP INDEX IF EXISTS {name}")
            for name in _TRIGGERS:
                self._db.execute(f"DROP TRIGGER IF EXISTS {name}")
            # Another connection that has the file open keeps it in its journal mode; loading is then just slower.
            with suppress(sqlite3.OperationalError):
                self._db.execute("PRAGMA journal_mode=OFF")
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._load
                self._db.execute("COMMIT")
            finally:
                self._indexed()

    def watch(self, watcher: Watcher) -> None:
        """Have a function called just before this object changes or deletes a document."""
        self._watchers.append(watcher)

    def _tell_watchers(self, space: str, kind: str, shelf: int, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), _IN):
            part = ids[start : start + _IN]
            marks = ",".join("?" * len(part))
            sql = f"SELECT id, stamp FROM doc WHERE shelf = ? AND id IN ({marks})"
            for id_, stamp in self._rows(sql, (shelf, *part)):
                for watcher in self._watchers:
                    watcher(space, kind, id_, stamp)

    def delete(self, space: str, kind: str, id: str) -> None:  # noqa: A002  (the native word for it)
        """Remove a document for good; nothing happens when it is not there."""
        with self.transaction():
            shelf = self._shelf(space, kind)
            if self._watchers:
                self._tell_watchers(space, kind, shelf, [id])
            self._db.execute("DELETE FROM doc WHERE shelf = ? AND id = ?", (shelf, id))

    # -- reading ---------------------------------------------------------------------------------------------

    def version(self) -> tuple[int, int] | None:
        """Return a value that stays the same while nobody, in any process, changes anything.

        None inside a transaction: what is read there may be taken back.
        """
        with self._lock:
            if self._depth:
                return None
            return self._db.total_changes, int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def get(self, space: str, kind: str, id: str) -> Doc | None:  # noqa: A002  (the native word for it)
        """Return the document with this id, or None."""
        rows = self._rows("SELECT body FROM doc WHERE shelf = ? AND id = ?", (self._shelf(space, kind), id))
        return orjson.loads(rows[0][0]) if rows else None

    def named(self, space: str, kind: str, alias: str) -> Doc | None:
        """Return the document whose ``_alias`` (or ``key``) is this text, or None."""
        rows = self._rows(
            "SELECT body FROM doc WHERE shelf = ? AND alias = ? ORDER BY id LIMIT 1",
            (self._shelf(space, kind), alias),
        )
        return orjson.loads(rows[0][0]) if rows else None

    def pick(self, space: str, kind: str, ids: Sequence[str]) -> dict[str, Doc]:
        """Return those of the named documents that exist, by id."""
        found: dict[str, Doc] = {}
        shelf = self._shelf(space, kind)
        for start in range(0, len(ids), _IN):
            part = ids[start : start + _IN]
            marks = ",".join("?" * len(part))
            sql = f"SELECT id, body FROM doc WHERE shelf = ? AND id IN ({marks})"
            found.update((id_, orjson.loads(body)) for id_, body in self._rows(sql, (shelf, *part)))
        return found

    def scan(
        self,
        space: str,
        kind: str,
        *,
        since: str | None = None,
        until: str | None = None,
        after: tuple[str, str] | None = None,
        limit: int | None = None,
        parent: str | None = None,
    ) -> Iterator[Doc]:
        """Yield documents in order of (stamp, id).

        ``since`` and ``until`` bound the stamp (both included); ``after`` starts strictly behind a
        (stamp, id); ``parent`` keeps one parent's documents only. Documents changed during the walk may move
        behind its head and be seen again, never torn.
        """
        shelf = self._shelf(space, kind)
        left = limit
        while left is None or left > 0:
            take = _CHUNK if left is None else min(_CHUNK, left)
            rows = self._page(shelf, since=since, until=until, after=after, parent=parent, take=take)
            for _, _, body in rows:
                yield orjson.loads(body)
            if len(rows) < take:
                return
            after = (rows[-1][0], rows[-1][1])
            if left is not None:
                left -= take

    def page(
        self,
        space: str,
        kind: str,
        *,
        size: int,
        since: str | None = None,
        until: str | None = None,
        after: tuple[str, str] | None = None,
        parent: str | None = None,
        by_id: bool = False,
        backwards: bool = False,
    ) -> list[tuple[str, str, bytes]]:
        """Return at most `size` documents as (stamp, id, JSON) behind `after`, in order of (stamp, id).

        With `by_id` in order of the id instead (``after`` is then ("", id); bounds and parent are not looked at).
        With `backwards` the last ones first, and those before `after`.
        """
        shelf = self._shelf(space, kind)
        if by_id:
            sql = f"SELECT stamp, id, body FROM doc WHERE shelf = ? AND id > ? ORDER BY id LIMIT {size}"
            return self._rows(sql, (shelf, "" if after is None else after[1]))
        return self._page(shelf, since=since, until=until, after=after, parent=parent, take=size, backwards=backwards)

    def span(
        self,
        space: str,
        kind: str,
        *,
        since: str | None = None,
        until: str | None = None,
        with_gone: bool = True,
        parent: str | None = None,
    ) -> int:
        """Count the documents changed between two stamps (both included), quickly however many there are.

        Without `with_gone` Salesforce records that are deleted but not purged are left out. One parent's documents
        are counted one by one, in the index.
        """
        shelf = self._shelf(space, kind)
        if parent is not None:
            where, held = _bounds(shelf, since=since, until=until, parent=parent)
            return self._number(f"SELECT count(*) FROM doc WHERE {where}", held)
        low, high = since or "", until or "~"
        whole = (low[:10] + "~" if since else "", high[:10])  # the days strictly between the two ends
        where, bound = "shelf = ? AND stamp >= ? AND stamp <= ?", (shelf, low, high)
        if low[:10] == high[:10]:
            total = self._number(f"SELECT count(*) FROM doc WHERE {where}", bound)
        else:
            total = self._number(
                "SELECT coalesce(sum(n), 0) FROM tally WHERE shelf = ? AND day > ? AND day < ?", (shelf, *whole)
            )
            if since is not None:
                total += self._number(f"SELECT count(*) FROM doc WHERE {where}", (shelf, low, whole[0]))
            if until is not None:
                total += self._number(f"SELECT count(*) FROM doc WHERE {where}", (shelf, whole[1], high))
        if with_gone:
            return total
        return total - self._number(f"SELECT count(*) FROM doc WHERE {where} AND {_GONE}", bound)

    def exceeds(self, space: str, kind: str, most: int, *, since: str | None = None, parent: str | None = None) -> bool:
        """Whether there are more documents than this; counts no further."""
        where, bound = _bounds(self._shelf(space, kind), since=since, parent=parent)
        return bool(self._rows(f"SELECT 1 FROM doc WHERE {where} LIMIT 1 OFFSET {most}", bound))

    def is_alone(self, space: str, kind: str, parent: str) -> bool:
        """Whether no document on the shelf has another parent."""
        shelf = self._shelf(space, kind)
        sides = ("parent < ?", "parent > ?")
        return not any(
            self._rows(f"SELECT 1 FROM doc WHERE shelf = ? AND {side} LIMIT 1", (shelf, parent)) for side in sides
        )

    def newest(self, space: str, kind: str, *, parent: str | None = None) -> str | None:
        """Return the stamp of what was changed last, or None where there is nothing."""
        where, bound = _bounds(self._shelf(space, kind), parent=parent)
        rows = self._rows(f"SELECT stamp FROM doc WHERE {where} ORDER BY stamp DESC LIMIT 1", bound)
        return str(rows[0][0]) if rows else None

    def ids(self, space: str, kind: str, *, since: str | None = None, parent: str | None = None) -> list[str]:
        """Return the ids of documents by (stamp, id), without reading them."""
        where, bound = _bounds(self._shelf(space, kind), since=since, parent=parent)
        return [id_ for (id_,) in self._rows(f"SELECT id FROM doc WHERE {where} ORDER BY stamp, id", bound)]

    def aliased(self, space: str, kind: str, alias: str) -> list[tuple[str, Doc]]:
        """Return every document whose ``_alias`` (or ``key``) is this text, each with its stamp."""
        sql = "SELECT stamp, body FROM doc WHERE shelf = ? AND alias = ?"
        return [(at, orjson.loads(body)) for at, body in self._rows(sql, (self._shelf(space, kind), alias))]

    def last_number(self, space: str, kind: str, prefix: str) -> int:
        """Return the highest number behind a prefix among the aliases (``_alias`` or ``key``); 0 if there is none."""
        sql = "SELECT max(CAST(substr(alias, ?) AS INTEGER)) FROM doc WHERE shelf = ? AND alias >= ? AND alias < ?"
        bound = (len(prefix) + 1, self._shelf(space, kind), f"{prefix}0", f"{prefix}:")  # the letter behind 9
        return int(self._rows(sql, bound)[0][0] or 0)

    def find(self, space: str, kind: str, parent: str) -> Iterator[Doc]:
        """Yield one parent's documents (the history of a record, the records of a table) by (stamp, id)."""
        return self.scan(space, kind, parent=parent)

    def find_all(self, space: str, kind: str, parents: Sequence[str]) -> Iterator[Doc]:
        """Yield the documents of several parents, grouped by parent, each group by (stamp, id)."""
        shelf = self._shelf(space, kind)
        for start in range(0, len(parents), _IN):
            part = parents[start : start + _IN]
            marks = ",".join("?" * len(part))
            sql = f"SELECT body FROM doc WHERE shelf = ? AND parent IN ({marks}) ORDER BY parent, stamp, id"
            for (body,) in self._rows(sql, (shelf, *part)):
                yield orjson.loads(body)

    def items(self, space: str, kind: str) -> Iterator[tuple[str, Doc]]:
        """Yield every document of a (small) shelf with its id, by id."""
        for id_, body in self._rows(
            "SELECT id, body FROM doc WHERE shelf = ? ORDER BY id", (self._shelf(space, kind),)
        ):
            yield id_, orjson.loads(body)

    def count(self, space: str, kind: str, *, parent: str | None = None) -> int:
        """Count the documents on a shelf, or those of one parent."""
        shelf = self._shelf(space, kind)
        if parent is None:
            return self._number("SELECT coalesce(sum(n), 0) FROM tally WHERE shelf = ?", (shelf,))
        return self._number("SELECT count(*) FROM doc WHERE shelf = ? AND parent = ?", (shelf, parent))

    def kinds(self, space: str) -> list[str]:
        """Name the kinds of documents a space holds, sorted."""
        return [str(kind) for (kind,) in self._rows("SELECT kind FROM shelf WHERE space = ? ORDER BY kind", (space,))]

    def spaces(self) -> list[str]:
        """Name every space, sorted."""
        return [str(space) for (space,) in self._rows("SELECT DISTINCT space FROM shelf ORDER BY space", ())]

    # -- inside ----------------------------------------------------------------------------------------------

    def _load(self, rows: Iterable[Row]) -> None:
        more = iter(rows)
        # Those of one shelf side by side: a page of them then lies on few pages of the file.
        while part := sorted(islice(more, _SIDE_BY_SIDE), key=itemgetter(0, 1)):
            self._db.executemany(
                "INSERT INTO doc (shelf, id, stamp, parent, alias, body) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (self._shelf(space, kind, create=True), id_, stamp, parent, alias, body)
                    for space, kind, id_, stamp, parent, alias, body in part
                ),
            )

    def _indexed(self) -> None:
        if self._db.in_transaction:
            self._db.execute("COMMIT")
        try:
            self._db.executescript(_SCHEMA)
        except sqlite3.IntegrityError:
            self._db.execute(_ONLY_THE_LAST)
            self._db.executescript(_SCHEMA)
        self._tallied()
        with suppress(sqlite3.OperationalError):
            self._db.execute("PRAGMA journal_mode=WAL")

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
        where, bound = _bounds(shelf, since=since, until=until, after=after, parent=parent, backwards=backwards)
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


def row_of(space: str, kind: str, id: str, stamp: str, doc: Doc) -> Row:  # noqa: A002  (the native word for it)
    """Give a document as a row for ``Store.loading``."""
    return space, kind, id, stamp, _parent_of(doc), doc.get("_alias") or doc.get("key"), orjson.dumps(doc)


def _bounds(
    shelf: int,
    *,
    since: str | None = None,
    until: str | None = None,
    after: tuple[str, str] | None = None,
    parent: str | None = None,
    backwards: bool = False,
) -> tuple[str, list[Any]]:
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


def _parent_of(doc: Doc) -> str | None:
    parent = doc.get("_parent") or doc.get("_table") or doc.get("_project")
    return None if parent is None else str(parent)
