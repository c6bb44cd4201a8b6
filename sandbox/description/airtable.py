"""What the simulated Airtable serves (source: Airtable's Web API reference, and what its clients send)."""

from __future__ import annotations

from sandbox.description.operations import (
    ANYTHING,
    FLAG,
    FORM,
    NUMBER,
    TEXT,
    WHOLE,
    Operation,
    Service,
    like,
    made_of,
    many,
    one_of,
    operation,
)

_TABLE = "/v0/{b}/{t}"
_RECORD = f"{_TABLE}/{{r}}"
_META = "/v0/meta/bases/{b}"
_HOOKS = "/v0/bases/{b}/webhooks"
_CELLS = {"type": "object", "additionalProperties": True}
_FIELDS = ("Name", "Status", "fldName", "Owner", "Done", "Updates")
_LIST = {
    "pageSize": {"type": "integer", "minimum": 1, "maximum": 100},
    "maxRecords": WHOLE,
    "view": TEXT,
    "filterByFormula": TEXT,
    "offset": TEXT,
    "cellFormat": one_of("json", "string"),
    "timeZone": TEXT,
    "userLocale": TEXT,
}
_LIST_QUERY = {
    **_LIST,
    "returnFieldsByFieldId": one_of("1", "0", "true"),
    "fields[]": many(one_of(*_FIELDS)),
    "sort[0][field]": one_of(*_FIELDS),
    "sort[0][direction]": one_of("asc", "desc"),
    "recordMetadata[]": one_of("commentCount"),
}
_LIST_BODY = made_of(
    **_LIST,
    returnFieldsByFieldId=FLAG,
    fields=many(one_of(*_FIELDS)),
    sort=many(made_of("field", field=one_of(*_FIELDS), direction=one_of("asc", "desc"))),
    recordMetadata=many(one_of("commentCount")),
)
_SHARED = {"typecast": FLAG, "returnFieldsByFieldId": FLAG}
_NEW = made_of(records=many(made_of("fields", fields=_CELLS), 10), fields=_CELLS, **_SHARED)
_CHANGED = made_of(
    "records",
    records=many(made_of("fields", id=like("^rec[A-Za-z0-9]+$"), fields=_CELLS), 10),
    performUpsert=made_of("fieldsToMergeOn", fieldsToMergeOn=many(one_of(*_FIELDS), 3)),
    **_SHARED,
)
_ONE = made_of("fields", fields=_CELLS, **_SHARED)
_COMMENT = made_of("text", text=TEXT, parentCommentId=TEXT)
_FIELD = made_of("name", "type", name=TEXT, type=TEXT, description=TEXT, options=ANYTHING)
_NAMED = made_of(name=TEXT, description=TEXT)
_HOOK = made_of(
    "specification",
    notificationUrl=TEXT,
    specification=made_of(
        "options",
        options=made_of(
            "filters",
            filters=made_of(
                "dataTypes",
                dataTypes=many(one_of("tableData", "tableFields", "tableMetadata")),
                recordChangeScope=TEXT,
                changeTypes=many(one_of("add", "remove", "update")),
                fromSources=many(TEXT),
                watchDataInFieldIds=many(TEXT),
            ),
            includes=made_of(
                includeCellValuesInFieldIds=ANYTHING,
                includePreviousCellValues=FLAG,
                includePreviousFieldDefinitions=FLAG,
            ),
        ),
    ),
)
_UPDATE_SAMPLE = {
    "records": [{"id": "rec1", "fields": {"Name": "Landing page", "Status": "Closed"}}],
    "typecast": False,
}
_HOOK_SAMPLE = {
    "notificationUrl": None,
    "specification": {"options": {"filters": {"dataTypes": ["tableData"]}, "includes": {}}},
}

_OPERATIONS: tuple[Operation, ...] = (
    operation(
        "POST",
        "/oauth2/v1/token",
        "New tokens for a refresh token",
        body=made_of("grant_type", grant_type=one_of("refresh_token"), refresh_token=TEXT, client_id=TEXT, scope=TEXT),
        body_kind=FORM,
        sample={"grant_type": "refresh_token", "client_id": "app", "refresh_token": "used-up"},
        signed=False,
    ),
    operation("GET", "/v0/meta/whoami", "Who the token belongs to, and its scopes"),
    operation("GET", "/v0/meta/bases", "The bases the token sees", query={"offset": TEXT}),
    operation(
        "GET",
        _META,
        "One base with its collaborators",
        query={"include": many(one_of("collaborators", "inviteLinks", "interfaces"))},
    ),
    operation("GET", f"{_META}/tables", "Tables, fields and views", query={"include": many(one_of("visibleFieldIds"))}),
    operation(
        "POST",
        f"{_META}/tables",
        "Make a table",
        body=made_of("name", "fields", name=TEXT, description=TEXT, fields=many(_FIELD)),
        sample={"name": "Extra", "fields": [{"name": "Title", "type": "singleLineText"}]},
    ),
    operation("PATCH", f"{_META}/tables/{{t}}", "Rename a table", body=_NAMED, sample={"name": "Things"}),
    operation(
        "POST",
        f"{_META}/tables/{{t}}/fields",
        "Make a field",
        body=_FIELD,
        sample={"name": "Note", "type": "singleLineText"},
    ),
    operation("PATCH", f"{_META}/tables/{{t}}/fields/{{f}}", "Rename a field", body=_NAMED, sample={"name": "Title"}),
    operation("GET", _TABLE, "List records", query=_LIST_QUERY),
    operation("POST", f"{_TABLE}/listRecords", "List records, asked by body", body=_LIST_BODY, sample={"pageSize": 2}),
    operation("POST", _TABLE, "Make records", body=_NEW, sample={"records": [{"fields": {"Name": "New"}}]}),
    operation("PATCH", _TABLE, "Change cells of records, or upsert", body=_CHANGED, sample=_UPDATE_SAMPLE),
    operation("PUT", _TABLE, "Replace records, or upsert", body=_CHANGED, sample=_UPDATE_SAMPLE),
    operation("DELETE", _TABLE, "Delete records", query={"records[]": many(like("^rec[A-Za-z0-9]+$"), 10)}),
    operation("GET", _RECORD, "One record", query={"returnFieldsByFieldId": TEXT, "cellFormat": TEXT}),
    operation("PATCH", _RECORD, "Change cells of one record", body=_ONE, sample={"fields": {"Name": "Changed"}}),
    operation("PUT", _RECORD, "Replace one record", body=_ONE, sample={"fields": {"Name": "Replaced"}}),
    operation("DELETE", _RECORD, "Delete one record"),
    operation("GET", f"{_RECORD}/comments", "Comments", query={"pageSize": NUMBER, "offset": TEXT}),
    operation("POST", f"{_RECORD}/comments", "Comment", body=_COMMENT, sample={"text": "Who has it? @[usrAda]"}),
    operation("PATCH", f"{_RECORD}/comments/{{c}}", "Edit a comment", body=_COMMENT, sample={"text": "Better"}),
    operation("DELETE", f"{_RECORD}/comments/{{c}}", "Delete a comment"),
    operation("GET", _HOOKS, "Webhooks"),
    operation("POST", _HOOKS, "Make a webhook", body=_HOOK, sample=_HOOK_SAMPLE),
    operation("DELETE", f"{_HOOKS}/{{w}}", "Delete a webhook", statuses=(204,)),
    operation(
        "GET", f"{_HOOKS}/{{w}}/payloads", "What happened, from a cursor on", query={"cursor": WHOLE, "limit": WHOLE}
    ),
    operation("POST", f"{_HOOKS}/{{w}}/refresh", "Extend a webhook"),
    operation(
        "POST",
        f"{_HOOKS}/{{w}}/enableNotifications",
        "Switch the pings of a webhook on or off",
        body=made_of("enable", enable=FLAG),
        sample={"enable": True},
        statuses=(204,),
    ),
)

AIRTABLE = Service(
    name="airtable",
    title="Airtable as the sandbox serves it",
    says="Every path below /v0 takes a personal access token, or one that the token path gave. Text, never HTML.",
    error={
        "anyOf": [
            made_of("error", error={"anyOf": [TEXT, made_of("type", type=TEXT, message=TEXT)]}),
            made_of("errors", errors=many(made_of(error=TEXT, message=TEXT))),
        ]
    },
    path_values={
        "b": like("^app[A-Za-z0-9]+$"),
        "t": TEXT,
        "r": like("^rec[A-Za-z0-9]+$"),
        "c": like("^com[A-Za-z0-9]+$"),
        "w": like("^ach[A-Za-z0-9]+$"),
        "f": like("^fld[A-Za-z0-9]+$"),
    },
    operations=_OPERATIONS,
)
