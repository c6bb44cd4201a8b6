"""What the service does behind the bulk jobs: moves them along as the clock goes, a bounded amount at every look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from sandbox.calls import RefusedCall
from sandbox.salesforce.author import Author
from sandbox.salesforce.bulk.extracting import extract, lines_of
from sandbox.salesforce.bulk.jobs import Job
from sandbox.salesforce.bulk.loading import Loader, RefusedBatch, told_error
from sandbox.salesforce.bulk.shelf import CHUNK, Shelf
from sandbox.salesforce.bulk.table import UnreadableTable
from sandbox.salesforce.org import Org
from sandbox.walks import Walks

_OPEN = 100_000  # results of query jobs being written: as many as there are jobs
_TURN = 25  # chunks worked off at one look: other requests wait meanwhile, so a look must stay short


class Engine:
    """Works on the bulk jobs of one org."""

    def __init__(self, org: Org, shelf: Shelf) -> None:
        """Take up the jobs that were left unfinished when the server last stopped."""
        self._org = org
        self._shelf = shelf
        self._walks: Walks[str] = Walks(org.store, most=_OPEN)
        self._at_work: dict[str, Iterator[Job]] = {}
        self._waiting = {job.id for job in shelf.jobs() if job.working}

    def started(self, job: Job) -> None:
        """Note that a job's data is complete."""
        self._waiting.add(job.id)

    def stopped(self, job: Job) -> None:
        """Note that nothing more shall be done for a job."""
        self._waiting.discard(job.id)
        self._at_work.pop(job.id, None)

    def catch_up(self) -> None:
        """Move every unfinished job along as far as the clock allows; cheap when there is none."""
        for id_ in sorted(self._waiting):
            job = self._shelf.find(id_)
            if job is not None and job.working:
                job = self._moved(job)
            if job is None or not job.working:
                self._waiting.discard(id_)
                self._at_work.pop(id_, None)

    def _moved(self, job: Job) -> Job:
        now = self._org.clock()
        seconds = float(self._org.settings.get("bulk_seconds", 0))
        if not job.due(now, seconds):
            return job if job.state == "InProgress" else self._shelf.keep(job.at("InProgress", now))
        work = self._at_work.get(job.id)
        if work is None:
            work = self._at_work[job.id] = self._extracted(job) if job.is_query else self._loaded(job)
        reached = job
        for reached in islice(work, _TURN):
            if not reached.working:
                return self._shelf.keep(reached.at(reached.state, now, milliseconds=int(seconds * 1000)))
        return self._shelf.keep(reached.at("InProgress", now))

    def _extracted(self, job: Job) -> Iterator[Job]:
        self._shelf.drop_results(job)  # begun before the server was stopped: from the start again
        job = replace(job, processed=0, chunks=0)
        by = self._author(job)
        try:
            made = extract(self._org, job.query, by)
            found = lines_of(self._org, self._walks, made, job.form, with_deleted=job.operation == "queryAll")
            while lines := list(islice(found, CHUNK)):
                self._shelf.add(job, job.chunks, {"rows": lines})
                job = replace(job, processed=job.processed + len(lines), chunks=job.chunks + 1)
                yield job
        except RefusedCall as error:  # a field or right went away since the job was accepted
            yield replace(job, state="Failed", error=f"InvalidBatch : Failed to process query: {told_error(error)}")
            return
        yield replace(job, state="JobComplete")

    def _loaded(self, job: Job) -> Iterator[Job]:
        try:
            yield from self._worked_off(job)
        except (RefusedBatch, UnreadableTable) as error:
            left = self._shelf.find(job.id) or job
            yield replace(left, state="Failed", error=str(error))

    def _worked_off(self, job: Job) -> Iterator[Job]:
        sobject = self._org.schema.find(job.sobject)
        if sobject is None:
            raise RefusedBatch(f"InvalidBatch : Unable to find object: {job.sobject}")
        rows = job.form.rows(self._shelf.uploaded(job))
        header = next(rows, None)
        if header is not None:
            loader = Loader(self._org, job, sobject, header, self._author(job))
            rows = islice(rows, job.processed, None)  # those before were worked off before the server was stopped
            while block := list(islice(rows, CHUNK * _TURN)):
                loader.prepare(block)
                for start in range(0, len(block), CHUNK):
                    job = self._shelf.keep(self._chunk_loaded(job, loader, block[start : start + CHUNK]))
                    yield job
        yield replace(job, state="JobComplete")

    def _chunk_loaded(self, job: Job, loader: Loader, rows: list[list[str]]) -> Job:
        line = job.form.line
        lines: dict[str, list[str]] = {"successful": [], "failed": []}
        for number, cells in enumerate(rows, start=job.processed + 1):
            loader.check(number, cells)  # before any row of the chunk is written: it fails as a whole
        for number, cells in enumerate(rows, start=job.processed + 1):
            outcome = loader.load(number, cells)
            if outcome.error:
                lines["failed"].append(line([outcome.id, outcome.error, *cells]))
            else:
                lines["successful"].append(line([outcome.id, str(outcome.created).lower(), *cells]))
        self._shelf.add(job, job.chunks, lines)
        return replace(
            job,
            processed=job.processed + len(rows),
            failed=job.failed + len(lines["failed"]),
            chunks=job.chunks + 1,
        )

    def _author(self, job: Job) -> Author:
        rights = self._org.rights(job.user)
        return Author(user=job.user, rights=rights, auto_assign=bool(job.assignment_rule))
