"""A bulk job as a value: what it was asked to do, how far it got, and which states may follow which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sandbox.salesforce.bulk.table import Form
from sandbox.stamps import parsed, salesforce, stamp
from sandbox.store import Doc

QUERIES = frozenset({"query", "queryAll"})
LOADS = frozenset({"insert", "update", "upsert", "delete", "hardDelete"})
ENDED = frozenset({"JobComplete", "Failed", "Aborted"})
KEPT = timedelta(days=7)
_INSTANTS = ("created", "changed", "closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job; instants are aware UTC, `closed` is when its data was complete and the work could begin."""

    id: str
    operation: str
    sobject: str
    user: str
    version: str
    state: str
    created: datetime
    changed: datetime
    closed: datetime | None = None
    delimiter: str = "COMMA"
    line_ending: str = "LF"
    query: str = ""
    header: tuple[str, ...] = ()  # of a query's result
    external_id: str = ""
    assignment_rule: str = ""
    uploaded: bool = False
    parts: int = 0
    chunks: int = 0
    processed: int = 0
    failed: int = 0
    milliseconds: int = 0
    error: str = ""
    faults: Mapping[str, Any] = field(default_factory=dict)  # name -> settings of the faults that struck its calls

    @property
    def is_query(self) -> bool:
        """Whether it reads; otherwise it writes."""
        return self.operation in QUERIES

    @property
    def form(self) -> Form:
        """How its CSV is written."""
        return Form(delimiter=self.delimiter, line_ending=self.line_ending)

    @property
    def working(self) -> bool:
        """Whether the service still has work to do for it."""
        return self.state in {"UploadComplete", "InProgress"}

    def expired(self, now: datetime) -> bool:
        """Whether the service has thrown it away by now: seven days after it was made."""
        return now - self.created >= KEPT

    def due(self, now: datetime, seconds: float) -> bool:
        """Whether its work is done by now, when the work takes that many seconds after the data was complete."""
        return self.closed is not None and now - self.closed >= timedelta(seconds=seconds)

    def at(self, state: str, now: datetime, **changes: Any) -> Job:
        """Return the job in another state; SystemModstamp moves along."""
        return replace(self, state=state, changed=now, **changes)

    def document(self) -> Doc:
        """Return it as the store keeps it."""
        doc = asdict(self)
        for name in _INSTANTS:
            doc[name] = None if doc[name] is None else stamp(doc[name])
        return doc

    def told(self, *, full: bool) -> dict[str, Any]:
        """Return it as the API shows it: the short form answers a change, the full one a question."""
        shown: dict[str, Any] = {
            "id": self.id,
            "operation": self.operation,
            "object": self.sobject,
            "createdById": self.user,
            "createdDate": salesforce(self.created.replace(microsecond=0)),
            "systemModstamp": salesforce(self.changed.replace(microsecond=0)),
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
        }
        if self.external_id:
            shown["externalIdFieldName"] = self.external_id
        if self.assignment_rule:
            shown["assignmentRuleId"] = self.assignment_rule
        if full:
            shown["jobType"] = "V2Query" if self.is_query else "V2Ingest"
        if not self.is_query and self.state == "Open":
            shown["contentUrl"] = f"services/data/v{self.version}/jobs/ingest/{self.id}/batches"
        shown |= {"lineEnding": self.line_ending, "columnDelimiter": self.delimiter}
        if full:
            shown |= {"retries": 0, "totalProcessingTime": self.milliseconds, "numberRecordsProcessed": self.processed}
            if self.is_query:
                shown["isPkChunkingSupported"] = True
            else:
                shown |= {"apiActiveProcessingTime": self.milliseconds, "apexProcessingTime": 0}
                shown["numberRecordsFailed"] = self.failed
        if self.error:
            shown["errorMessage"] = self.error
        return shown


def job_of(doc: Mapping[str, Any]) -> Job:
    """Return the job that a document of the store holds."""
    instants = {name: None if doc[name] is None else parsed(str(doc[name])) for name in _INSTANTS}
    given = {name: value for name, value in doc.items() if not name.startswith("_")}
    return Job(**given | instants | {"header": tuple(doc["header"])})
