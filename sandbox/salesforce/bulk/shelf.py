"""Where bulk jobs live: the jobs, the text uploaded to them, and their result lines, all in pieces of modest size."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from sandbox.salesforce.bulk.jobs import Job, job_of
from sandbox.stamps import stamp
from sandbox.store import Store

JOBS, DATA, RESULTS = "_bulk_job", "_bulk_data", "_bulk_result"
CHUNK = 200  # rows of one result document, and of one turn of an ingest job
_PART = 1 << 20  # bytes of one document of uploaded text


class Shelf:
    """The bulk jobs of one org."""

    def __init__(self, store: Store, space: str) -> None:
        """Keep jobs in one space of the store."""
        self._store = store
        self._space = space

    def find(self, id_: str) -> Job | None:
        """Return a job by its id, or None."""
        doc = self._store.get(self._space, JOBS, id_)
        return None if doc is None else job_of(doc)

    def jobs(self, *, most: int | None = None) -> Iterator[Job]:
        """Yield the jobs, the oldest first, at most so many."""
        return (job_of(doc) for doc in self._store.scan(self._space, JOBS, limit=most))

    def keep(self, job: Job) -> Job:
        """Keep a job as it now is, and return it."""
        self._store.put(self._space, JOBS, [(job.id, stamp(job.created), job.document())])
        return job

    def drop(self, job: Job) -> None:
        """Forget a job with everything that belongs to it."""
        with self._store.transaction():
            for kind, count in ((DATA, job.parts), (RESULTS, job.chunks)):
                for n in range(count):
                    self._store.delete(self._space, kind, _piece(job, n))
            self._store.delete(self._space, JOBS, job.id)

    def drop_results(self, job: Job) -> None:
        """Forget the result lines of a job whose work has to begin again."""
        with self._store.transaction():
            for n in range(job.chunks):
                self._store.delete(self._space, RESULTS, _piece(job, n))

    def upload(self, job: Job, body: bytes) -> int:
        """Keep uploaded text; returns into how many pieces it was cut."""
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        at = stamp(job.created)
        cuts = range(0, len(body), _PART)
        with self._store.transaction():
            for n, start in enumerate(cuts):
                part = body[start : start + _PART]
                text = decoder.decode(part, final=start + _PART >= len(body))
                self._store.put(self._space, DATA, [(_piece(job, n), at, {"text": text, "_parent": job.id})])
        return len(cuts)

    def uploaded(self, job: Job) -> Iterator[str]:
        """Yield the uploaded text piece by piece."""
        for n in range(job.parts):
            doc = self._store.get(self._space, DATA, _piece(job, n))
            if doc is not None:
                yield str(doc["text"])

    def add(self, job: Job, chunk: int, lines: dict[str, list[str]]) -> None:
        """Keep the result lines of one chunk, sorted by what they are (`rows`, or `successful` and `failed`)."""
        doc = {**lines, "_parent": job.id}
        self._store.put(self._space, RESULTS, [(_piece(job, chunk), stamp(job.created), doc)])

    def lines(self, job: Job, sort: str) -> Iterator[Sequence[str]]:
        """Yield the result lines of one sort, chunk by chunk."""
        for n in range(job.chunks):
            doc: dict[str, Any] = self._store.get(self._space, RESULTS, _piece(job, n)) or {}
            if doc.get(sort):
                yield doc[sort]

    def page(self, job: Job, start: int, size: int) -> Iterator[str]:
        """Yield up to `size` result rows of a query job from a row number on."""
        first, skip = divmod(start, CHUNK)
        return islice(self._rows(job, first), skip, skip + size)

    def _rows(self, job: Job, first: int) -> Iterator[str]:
        for n in range(first, job.chunks):
            yield from (self._store.get(self._space, RESULTS, _piece(job, n)) or {}).get("rows", ())

    def expire(self, now: datetime) -> None:
        """Forget the jobs whose time is over."""
        while (oldest := next(self.jobs(most=1), None)) is not None and oldest.expired(now):
            self.drop(oldest)


def _piece(job: Job, n: int) -> str:
    return f"{job.id}-{n:06d}"
