"""Salesforce's composite resources (source: REST API Developer Guide, "Composite Resources")."""

from __future__ import annotations

from sandbox.description.operations import ANYTHING, FLAG, TEXT, Operation, made_of, many, one_of, operation

_DATA = "/services/data/{v}"
_ROWS = f"{_DATA}/composite/sobjects"
_ROW = {
    "type": "object",
    "properties": {"attributes": made_of("type", type=one_of("Case", "Opportunity", "Nothing")), "id": dict(TEXT)},
    "additionalProperties": True,
}
_RECORDS = made_of("records", allOrNone=FLAG, records=many(_ROW, 5))
_METHOD = one_of("GET", "POST", "PATCH", "DELETE", "PUT")
_COMPOSITE = made_of(
    "compositeRequest",
    allOrNone=FLAG,
    compositeRequest=many(
        made_of("method", "url", "referenceId", method=_METHOD, url=TEXT, referenceId=TEXT, body=ANYTHING), 5
    ),
)
_BATCH = made_of(
    "batchRequests",
    haltOnError=FLAG,
    batchRequests=many(made_of("method", "url", method=_METHOD, url=TEXT, richInput=ANYTHING), 5),
)
_CASE = "500000000000001AAA"
_CHANGE = {"allOrNone": False, "records": [{"attributes": {"type": "Case"}, "id": _CASE, "Subject": "Changed"}]}
_MAKE = {"allOrNone": True, "records": [{"attributes": {"type": "Case"}, "Subject": "New"}]}
_CHAIN = {
    "compositeRequest": [
        {"method": "POST", "url": "/services/data/v59.0/sobjects/Case", "referenceId": "a", "body": {"Subject": "New"}},
        {"method": "GET", "url": "/services/data/v59.0/sobjects/Case/@{a.id}", "referenceId": "b"},
    ]
}
_GROUP = {"batchRequests": [{"method": "GET", "url": "v59.0/sobjects/Case/" + _CASE}]}

MANY: tuple[Operation, ...] = (
    operation("POST", f"{_DATA}/composite", "Requests that use one another's answers", body=_COMPOSITE, sample=_CHAIN),
    operation("POST", f"{_DATA}/composite/batch", "Independent requests", body=_BATCH, sample=_GROUP),
    operation("POST", _ROWS, "Make up to 200 records", body=_RECORDS, sample=_MAKE),
    operation("PATCH", _ROWS, "Change up to 200 records", body=_RECORDS, sample=_CHANGE),
    operation("DELETE", _ROWS, "Delete up to 200 records", query={"ids": TEXT, "allOrNone": one_of("true", "false")}),
    operation("GET", f"{_ROWS}/{{o}}", "Records by id", query={"ids": TEXT, "fields": TEXT}),
    operation(
        "POST",
        f"{_ROWS}/{{o}}",
        "Records by id, asked by body",
        body=made_of("ids", "fields", ids=many(TEXT), fields=many(TEXT)),
        sample={"ids": [_CASE], "fields": ["Id", "Subject"]},
    ),
    operation("PATCH", f"{_ROWS}/{{o}}/{{field}}", "Upsert by external id", body=_RECORDS, sample=_MAKE),
)
