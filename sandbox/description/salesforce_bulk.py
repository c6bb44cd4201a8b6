"""Salesforce's Bulk API 2.0 (source: Bulk API 2.0 Developer Guide)."""

from __future__ import annotations

from sandbox.description.operations import TEXT, WHOLE, Operation, Schema, made_of, one_of, operation

_JOBS = "/services/data/{v}/jobs"
_DELIMITERS = one_of("COMMA", "TAB", "SEMICOLON", "PIPE", "CARET", "BACKQUOTE")
_SHARED: dict[str, Schema] = {
    "contentType": one_of("CSV"),
    "columnDelimiter": _DELIMITERS,
    "lineEnding": one_of("LF", "CRLF"),
}
_QUERY = made_of("operation", "query", operation=one_of("query", "queryAll"), query=TEXT, **_SHARED)
_INGEST = made_of(
    "operation",
    "object",
    operation=one_of("insert", "update", "upsert", "delete", "hardDelete"),
    object=one_of("Case", "Opportunity", "Nothing"),
    externalIdFieldName=TEXT,
    **_SHARED,
)
_STATE = made_of("state", state=one_of("UploadComplete", "Aborted", "Open"))
_CSV = "text/csv"


def _jobs(kind: str, body: Schema, sample: dict[str, str]) -> tuple[Operation, ...]:
    one = f"{_JOBS}/{kind}/{{job}}"
    return (
        operation("POST", f"{_JOBS}/{kind}", "Make a job", body=body, sample=sample),
        operation("GET", f"{_JOBS}/{kind}", "Jobs", query={"jobType": TEXT, "queryLocator": TEXT}),
        operation("GET", one, "One job"),
        operation("PATCH", one, "Close or abort a job", body=_STATE, sample={"state": "Aborted"}),
        operation("DELETE", one, "Delete a job", statuses=(204,)),
    )


BULK: tuple[Operation, ...] = (
    *_jobs("query", _QUERY, {"operation": "query", "query": "SELECT Id FROM Case"}),
    operation("GET", f"{_JOBS}/query/{{job}}/results", "Rows", query={"maxRecords": WHOLE, "locator": TEXT}, kind=_CSV),
    *_jobs("ingest", _INGEST, {"operation": "update", "object": "Case"}),
    operation(
        "PUT",
        f"{_JOBS}/ingest/{{job}}/batches",
        "Upload rows",
        body=TEXT,
        body_kind=_CSV,
        statuses=(201,),
        sample="Id\n",
    ),
    operation("GET", f"{_JOBS}/ingest/{{job}}/{{rows}}", "Rows done, failed or not begun", kind=_CSV),
)
