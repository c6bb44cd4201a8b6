"""The bulk resources: what each request to /jobs/query and /jobs/ingest does and answers."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from sandbox.calls import Answer, Call, Handler, reply
from sandbox.salesforce.author import Author
from sandbox.salesforce.bulk.asking import locator_of, wanted_form, wanted_job, wanted_page, wanted_state
from sandbox.salesforce.bulk.engine import Engine
from sandbox.salesforce.bulk.extracting import extract
from sandbox.salesforce.bulk.jobs import ENDED, Job
from sandbox.salesforce.bulk.loading import refuse_without_external_id
from sandbox.salesforce.bulk.shelf import Shelf
from sandbox.salesforce.errors import not_found, refused
from sandbox.salesforce.ids import eighteen, new_id
from sandbox.salesforce.org import Org
from sandbox.stamps import stamp

CSV = "text/csv;charset=UTF-8"
_LISTED = 1000
_LARGEST_UPLOAD = 150_000_000  # bytes
_HEADS = {"successful": ("sf__Id", "sf__Created"), "failed": ("sf__Id", "sf__Error")}


class Bulk:
    """The bulk resources of one org."""

    def __init__(self, org: Org) -> None:
        """Serve the jobs kept in the org's space."""
        self._org = org
        self._shelf = Shelf(org.store, org.space)
        self.engine = Engine(org, self._shelf)

    # -- jobs of both kinds ------------------------------------------------------------------------------------

    def create_query(self, call: Call) -> Answer:
        """Open a query job; its work begins at once."""
        by = self._looked(call)
        body = wanted_job(call, is_query=True)
        form = wanted_form(body)
        made = extract(self._org, body["query"], by)
        now = self._org.clock()
        job = self._job(call, by, str(body["operation"]), made.sobject.name)
        job = replace(job, state="UploadComplete", closed=now, query=body["query"], header=tuple(made.header))
        job = self._shelf.keep(replace(job, delimiter=form.delimiter, line_ending=form.line_ending))
        self.engine.started(job)
        return reply(job.told(full=False))

    def create_ingest(self, call: Call) -> Answer:
        """Open an ingest job that waits for its data."""
        by = self._looked(call)
        body = wanted_job(call, is_query=False)
        form = wanted_form(body)
        operation = str(body["operation"])
        sobject = self._org.schema.find(body["object"])
        if sobject is None or not by.rights.reads(sobject.name):
            raise refused(400, "INVALIDJOB", f"Unable to find object: {body['object']}")
        if not {"insert": sobject.createable, "update": sobject.updateable}.get(operation, sobject.deletable):
            raise refused(400, "INVALIDENTITY", f"Entity '{sobject.name}' is not supported by the Bulk API.")
        if operation == "hardDelete" and not by.rights.admin:
            text = "hardDelete operation requires special user profile permission, please contact your administrator"
            raise refused(400, "FEATURENOTENABLED", text)
        external_id = str(body.get("externalIdFieldName") or "") if operation == "upsert" else ""
        refuse_without_external_id(operation, sobject, external_id)
        job = self._job(call, by, operation, sobject.name)
        job = replace(job, delimiter=form.delimiter, line_ending=form.line_ending, external_id=external_id)
        job = self._shelf.keep(replace(job, assignment_rule=str(body.get("assignmentRuleId") or "")))
        return reply(job.told(full=False))

    def listed(self, *, is_query: bool) -> Handler:
        """Return the handler that lists the caller's jobs of one kind, the newest first."""

        def answer(call: Call) -> Answer:
            by = self._looked(call)
            before = call.one("queryLocator")
            known = [job for job in self._shelf.jobs() if job.is_query is is_query and _may_see(by, job)]
            found = (job for job in reversed(known) if not before or _place(job) < before)
            page = list(islice(found, _LISTED + 1))
            told: dict[str, object] = {"done": len(page) <= _LISTED, "records": [], "nextRecordsUrl": None}
            told["records"] = [job.told(full=True) for job in page[:_LISTED]]
            if not told["done"]:
                kind = "query" if is_query else "ingest"
                path = f"/services/data/{call.at['v']}/jobs/{kind}"
                told["nextRecordsUrl"] = f"{path}?queryLocator={_place(page[_LISTED - 1])}"
            return reply(told)

        return answer

    def shown(self, *, is_query: bool) -> Handler:
        """Return the handler that shows one job."""
        return lambda call: reply(self._found(call, is_query=is_query)[0].told(full=True))

    def changed(self, *, is_query: bool) -> Handler:
        """Return the handler that closes or aborts a job."""

        def answer(call: Call) -> Answer:
            job, _ = self._found(call, is_query=is_query)
            state = wanted_state(call)
            now = self._org.clock()
            if state == "Aborted":
                if job.state in ENDED:
                    raise refused(400, "INVALIDJOBSTATE", f"Aborting already {job.state} Job not allowed")
                self.engine.stopped(job)
                return reply(self._shelf.keep(job.at("Aborted", now)).told(full=False))
            if is_query or state != "UploadComplete":
                raise refused(400, "INVALIDJOBSTATE", f"A job cannot be set to state {state}")
            if job.state != "Open":
                raise refused(400, "INVALIDJOBSTATE", f"Closing already {job.state} Job not allowed")
            faults = {**job.faults, **call.faults}
            job = self._shelf.keep(job.at("UploadComplete", now, closed=now, faults=faults))
            self.engine.started(job)
            return reply(job.told(full=False))

        return answer

    def deleted(self, *, is_query: bool) -> Handler:
        """Return the handler that throws a job away."""

        def answer(call: Call) -> Answer:
            job, _ = self._found(call, is_query=is_query)
            if job.state not in ENDED:
                raise refused(400, "INVALIDJOBSTATE", f"Deleting a Job in state {job.state} not allowed")
            self.engine.stopped(job)
            self._shelf.drop(job)
            return Answer(status=204)

        return answer

    # -- data and results ----------------------------------------------------------------------------------------

    def upload(self, call: Call) -> Answer:
        """Take the rows of an ingest job, all at once."""
        job, _ = self._found(call, is_query=False)
        if job.state != "Open":
            raise refused(400, "INVALIDJOBSTATE", f"Data can be uploaded to an Open Job only, not in {job.state}")
        if job.uploaded:
            text = f"Found multiple contents for job: <{job.id[:15]}>, only one upload is allowed for a Job"
            raise refused(400, "INVALIDJOBSTATE", text)
        if len(call.body) > int(self._org.settings.get("bulk_upload_bytes", _LARGEST_UPLOAD)):
            raise refused(413, "REQUEST_ENTITY_TOO_LARGE", "The uploaded data is larger than 150 MB")
        parts = self._shelf.upload(job, call.body)
        faults = {**job.faults, **call.faults}
        self._shelf.keep(job.at("Open", self._org.clock(), uploaded=True, parts=parts, faults=faults))
        return Answer(status=201)

    def rows(self, call: Call) -> Answer:
        """Give one page of what a query found."""
        job, _ = self._found(call, is_query=True)
        if job.state != "JobComplete":
            raise refused(400, "INVALIDJOBSTATE", f"No results: the Job is {job.state}")
        start, size = wanted_page(call)
        if start and start >= job.processed:
            raise refused(400, "INVALID_QUERY_LOCATOR", f"invalid locator: {call.one('locator')}")
        header = job.form.line(job.header)
        body = bytearray(header.encode())
        count = 0
        for line in self._shelf.page(job, start, size):
            body += line.encode()
            count += 1
        end = start + count
        told = {"Sforce-NumberOfRecords": str(count), "Sforce-Locator": locator_of(end)}
        if end >= job.processed:
            told["Sforce-Locator"] = "null"
        return Answer(body=bytes(body), kind=CSV, headers=told)

    def outcome(self, call: Call) -> Answer:
        """Give the rows of an ingest job that were written, that failed, or that nobody came to."""
        job, _ = self._found(call, is_query=False)
        sort = call.at["sort"].lower().removesuffix("results").removesuffix("records")
        if sort not in {*_HEADS, "unprocessed"}:
            raise not_found()
        if job.state not in ENDED:
            raise refused(400, "INVALIDJOBSTATE", f"No results: the Job is {job.state}")
        rows = job.form.rows(self._shelf.uploaded(job), lenient=True)
        header = next(rows, [])
        if sort == "unprocessed":
            body = bytearray(job.form.line(header).encode()) if header else bytearray()
            for cells in islice(rows, job.processed, None):
                body += job.form.line(cells).encode()
            return Answer(body=bytes(body), kind=CSV)
        body = bytearray(job.form.line([*_HEADS[sort], *header]).encode())
        for lines in self._shelf.lines(job, sort):
            body += "".join(lines).encode()
        return Answer(body=bytes(body), kind=CSV)

    # -- inside --------------------------------------------------------------------------------------------------

    def _looked(self, call: Call) -> Author:
        by = self._org.author(call)
        self._shelf.expire(self._org.clock())
        self.engine.catch_up()
        return by

    def _found(self, call: Call, *, is_query: bool) -> tuple[Job, Author]:
        by = self._looked(call)
        job = self._shelf.find(eighteen(call.at["id"]))
        if job is None or job.is_query is not is_query or not _may_see(by, job):
            raise not_found()
        return job, by

    def _job(self, call: Call, by: Author, operation: str, sobject: str) -> Job:
        now = self._org.clock()
        return Job(
            id=new_id("750", now),
            operation=operation,
            sobject=sobject,
            user=by.user,
            version=call.at["v"].removeprefix("v"),
            state="Open",
            created=now,
            changed=now,
            faults=dict(call.faults),
        )


def _may_see(by: Author, job: Job) -> bool:
    return by.rights.admin or by.user == job.user


def _place(job: Job) -> str:
    """Return what a job is sorted by in lists: when it was made, then its id."""
    return f"{stamp(job.created)}_{job.id}"
