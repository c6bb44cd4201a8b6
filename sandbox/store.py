"""What the simulated tools hold: native documents, each as its tool would keep it, in one SQLite file.

A document lives on a shelf (space, kind) under its native id and carries a *stamp*: sortable ISO text of its
last modification (UTC, microseconds, ``...Z``). Keys that begin with ``_`` are the sandbox's own and never
served. Two of them are indexed: ``_parent`` (failing that, ``_table`` or ``_project``) and ``_alias``
(failing that, the document's ``key``), so that a history is found by its record and an issue by its key.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from operator import itemgetter
from typing import Any

import orjson

from sandbox.store_file import GONE, INDEXES, SCHEMA, TRIGGERS, StoreFile, Watcher, bounds

Doc = dict[str, Any]
Row = tuple[str, str, str, str, str | None, str | None, bytes]  # space, kind, id, stamp, parent, alias, body

# The later of two rows with one id stands, as it does where documents are put one by one.
_ONLY_THE_LAST = "DELETE FROM doc WHERE rowid NOT IN (SELECT max(rowid) FROM doc GROUP BY shelf, id)"
_CHUNK = 1000  # rows read at a time: a walk never holds a read transaction open over other people's writes
_SIDE_BY_SIDE = 20_000  # rows sorted by their shelf before they are loaded
_IN = 500  # ids in one IN list


class Store(StoreFile):
    """Native documents of every simulated tool; safe to use from several threads and processes."""

    # -- writing ---------------------------------------------------------------------------------------------

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
            for name in INDEXES:
                self._db.execute(f"DROP INDEX IF EXISTS {name}")
            for name in TRIGGERS:
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
            where, held = bounds(shelf, since=since, until=until, parent=parent)
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
        return total - self._number(f"SELECT count(*) FROM doc WHERE {where} AND {GONE}", bound)

    def exceeds(self, space: str, kind: str, most: int, *, since: str | None = None, parent: str | None = None) -> bool:
        """Whether there are more documents than this; counts no further."""
        where, bound = bounds(self._shelf(space, kind), since=since, parent=parent)
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
        where, bound = bounds(self._shelf(space, kind), parent=parent)
        rows = self._rows(f"SELECT stamp FROM doc WHERE {where} ORDER BY stamp DESC LIMIT 1", bound)
        return str(rows[0][0]) if rows else None

    def ids(self, space: str, kind: str, *, since: str | None = None, parent: str | None = None) -> list[str]:
        """Return the ids of documents by (stamp, id), without reading them."""
        where, bound = bounds(self._shelf(space, kind), since=since, parent=parent)
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
            self._db.executescript(SCHEMA)
        except sqlite3.IntegrityError:
            self._db.execute(_ONLY_THE_LAST)
            self._db.executescript(SCHEMA)
        self._tallied()
        with suppress(sqlite3.OperationalError):
            self._db.execute("PRAGMA journal_mode=WAL")


def row_of(space: str, kind: str, id: str, stamp: str, doc: Doc) -> Row:  # noqa: A002  (the native word for it)
    """Give a document as a row for ``Store.loading``."""
    return space, kind, id, stamp, _parent_of(doc), doc.get("_alias") or doc.get("key"), orjson.dumps(doc)


def _parent_of(doc: Doc) -> str | None:
    parent = doc.get("_parent") or doc.get("_table") or doc.get("_project")
    return None if parent is None else str(parent)
