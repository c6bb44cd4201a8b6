"""What the simulated Salesforce serves (source: REST API Developer Guide, and what its clients send)."""

from __future__ import annotations

from sandbox.description.operations import (
    ANYTHING,
    FLAG,
    FORM,
    TEXT,
    Operation,
    Service,
    like,
    made_of,
    many,
    one_of,
    operation,
)
from sandbox.description.salesforce_bulk import BULK
from sandbox.description.salesforce_many import MANY

_DATA = "/services/data/{v}"
_OBJECT = f"{_DATA}/sobjects/{{o}}"
_RECORD = {"type": "object", "additionalProperties": True}
_SOQL = one_of(
    "SELECT Id, Subject, Owner.Name FROM Case",
    "SELECT COUNT() FROM Case WHERE Status = 'New'",
    "SELECT Id FROM Case WHERE SystemModstamp > 2026-01-01T00:00:00Z ORDER BY SystemModstamp, Id",
    "SELECT Id FROM Case WHERE CreatedDate = LAST_N_DAYS:30",
    "SELECT FIELDS(ALL) FROM Case LIMIT 200",
    "SELECT Nothing FROM Case",
    "SELECT Id FROM Nothing",
    "SELECT",
)
_SPAN = {"start": TEXT, "end": TEXT}
_CHECKED = {"If-Modified-Since": TEXT, "If-Unmodified-Since": TEXT}
_DUPLICATES = {"Sforce-Duplicate-Rule-Header": one_of("allowSave=true", "allowSave=false")}
_GRANT = made_of(
    "grant_type",
    grant_type=one_of("client_credentials", "password", "refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
    client_id=TEXT,
    client_secret=TEXT,
    username=TEXT,
    password=TEXT,
    assertion=TEXT,
    refresh_token=TEXT,
)
_APPROVALS = made_of(
    "requests",
    requests=many(
        made_of(
            "actionType",
            actionType=one_of("Submit", "Approve", "Reject"),
            contextId=TEXT,
            contextActorId=TEXT,
            comments=TEXT,
            nextApproverIds=many(TEXT),
            processDefinitionNameOrId=TEXT,
            skipEntryCriteria=FLAG,
        )
    ),
)
_XML = "text/xml"
_LOGIN = (
    '<?xml version="1.0" encoding="utf-8"?><env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/">'
    '<env:Body><n1:login xmlns:n1="urn:partner.soap.sforce.com"><n1:username>hub@acme.example</n1:username>'
    "<n1:password>password</n1:password></n1:login></env:Body></env:Envelope>"
)
_CASE = {"Subject": "New page", "OwnerId": "005000000000001AAA"}
_APPROVAL_SAMPLE = {"requests": [{"actionType": "Submit", "contextId": "006000000000001AAA", "comments": "please"}]}


_SIGN_IN: tuple[Operation, ...] = (
    operation(
        "POST",
        "/services/Soap/{api}/{n}",
        "login, undelete and merge",
        body=TEXT,
        body_kind=_XML,
        sample=_LOGIN,
        kind=_XML,
        headers={"SOAPAction": TEXT},
        signed=False,
    ),
    operation(
        "POST",
        "/services/oauth2/token",
        "Sign in",
        body=_GRANT,
        body_kind=FORM,
        sample={"grant_type": "client_credentials", "client_id": "hub-client", "client_secret": "client-secret"},
        signed=False,
    ),
    operation(
        "POST",
        "/services/oauth2/revoke",
        "Sign out",
        body=made_of("token", token=TEXT),
        body_kind=FORM,
        sample={"token": "nobody's"},
        signed=False,
    ),
    operation("GET", "/services/oauth2/revoke", "Sign out", query={"token": TEXT}, signed=False),
    operation("GET", "/services/oauth2/userinfo", "Who the session belongs to"),
    operation("POST", "/services/oauth2/userinfo", "Who the session belongs to"),
    operation("GET", "/id/{org}/{user}", "Who a user is", query={"format": one_of("json")}),
)
_RECORDS: tuple[Operation, ...] = (
    operation("GET", "/services/data", "Versions", signed=False),
    operation("GET", _DATA, "Resources"),
    operation("GET", f"{_DATA}/limits", "Limits and what is left of them"),
    operation("GET", f"{_DATA}/sobjects", "Objects"),
    operation("GET", _OBJECT, "One object in short"),
    operation("GET", f"{_OBJECT}/describe", "One object in full", headers={"If-Modified-Since": TEXT}),
    operation("GET", f"{_OBJECT}/updated", "Ids changed in a span", query=_SPAN),
    operation("GET", f"{_OBJECT}/deleted", "Ids deleted in a span", query=_SPAN),
    operation("POST", _OBJECT, "Make a record", body=_RECORD, sample=_CASE, headers=_DUPLICATES, statuses=(201,)),
    operation("GET", f"{_OBJECT}/{{id}}", "One record", query={"fields": TEXT}, headers=_CHECKED, statuses=(200, 304)),
    operation(
        "PATCH",
        f"{_OBJECT}/{{id}}",
        "Change a record",
        body=_RECORD,
        sample={"Subject": "Changed"},
        headers={**_CHECKED, **_DUPLICATES},
        statuses=(204,),
    ),
    operation("DELETE", f"{_OBJECT}/{{id}}", "Delete a record", statuses=(204,)),
    operation("GET", f"{_OBJECT}/{{field}}/{{value}}", "A record by external id", query={"fields": TEXT}),
    operation(
        "PATCH",
        f"{_OBJECT}/{{field}}/{{value}}",
        "Upsert by external id",
        body=_RECORD,
        sample={"Subject": "Upserted"},
        statuses=(200, 201, 204),
    ),
    operation("DELETE", f"{_OBJECT}/{{field}}/{{value}}", "Delete by external id", statuses=(204,)),
    operation("GET", f"{_DATA}/query", "Query", query={"q": _SOQL}, headers={"Sforce-Query-Options": TEXT}),
    operation("GET", f"{_DATA}/queryAll", "Query, deleted records too", query={"q": _SOQL}),
    operation("GET", f"{_DATA}/query/{{locator}}", "A further page"),
    operation("GET", f"{_DATA}/queryAll/{{locator}}", "A further page"),
    operation("GET", f"{_DATA}/process/approvals", "Approval processes"),
    operation(
        "POST", f"{_DATA}/process/approvals", "Submit, approve or reject", body=_APPROVALS, sample=_APPROVAL_SAMPLE
    ),
)

SALESFORCE = Service(
    name="salesforce",
    title="Salesforce as the sandbox serves it",
    says="Sessions as bearer tokens. Errors are arrays of objects, but for OAuth and SOAP.",
    error={
        "anyOf": [
            many(made_of("errorCode", "message", errorCode=TEXT, message=TEXT, fields=many(ANYTHING))),
            made_of("error", error=TEXT, error_description=TEXT),
        ]
    },
    path_values={
        "v": one_of("v59.0", "v65.0", "v1.0"),
        "n": one_of("59.0"),
        "api": one_of("u", "c"),
        "o": one_of("Case", "Opportunity", "User", "CaseHistory", "Nothing"),
        "id": one_of("500000000000001AAA", "500000000000001", "006000000000001AAA", "500000000000009AAA", "nonsense"),
        "org": one_of("00D000000000001EAA"),
        "user": one_of("005000000000001AAA", "005000000000009AAA"),
        "field": one_of("Id", "CaseNumber", "External_Ref__c"),
        "value": TEXT,
        "locator": like("^01g[0-9a-f]{15}-[0-9]{1,4}$"),
    },
    operations=(*_SIGN_IN, *_RECORDS, *MANY, *BULK),
)
