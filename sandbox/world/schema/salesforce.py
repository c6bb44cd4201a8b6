"""What a Salesforce org in a world file holds."""

from __future__ import annotations

from sandbox.world.schema.kinds import Kind
from sandbox.world.schema.shapes import (
    ANY,
    FLAG,
    NAME,
    NUMBER,
    TEXT,
    TEXTS,
    THING,
    TIME,
    WHOLE,
    Either,
    Key,
    Keyed,
    ListOf,
    change_of,
    maybe,
)  # fmt: skip
from sandbox.world.schema.shared import AT, BY, COMMENTS, RIGHTS, TOKEN_ID, token

_ID = Key(name="Id", shape=NAME, text="Native id, 18 characters", needed=True)
_MINTED = Key(name="Id", shape=NAME, text="Native id; minted where left out")
_NAME = Key(name="Name", shape=NAME, text="Name", needed=True)
_SYSTEM = (
    Key(name="CreatedDate", shape=TIME, text="When it was made"),
    Key(name="CreatedById", shape=maybe(NAME), text="By whom"),
    Key(name="LastModifiedDate", shape=TIME, text="Last change"),
    Key(name="LastModifiedById", shape=maybe(NAME), text="By whom"),
    Key(name="SystemModstamp", shape=TIME, text="Last change, automatic ones included"),
    Key(name="IsDeleted", shape=FLAG, text="In the recycle bin"),
)
_PARENT = Key(name="_parent", shape=NAME, text="Id of the record it belongs to; left out: read from its columns")
_FIELD = Keyed(
    keys=(
        Key(name="name", shape=NAME, text="Column", needed=True),
        Key(name="label", shape=TEXT, text="Label"),
        Key(name="type", shape=NAME, text="Type as `describe` tells it: string, picklist, reference, date, …"),
        Key(name="updateable", shape=FLAG, text="Whether the API may change it"),
        Key(name="picklistValues", shape=ListOf(item=Either(shapes=(TEXT, THING))), text="Values, whole"),
        Key(name="values", shape=TEXTS, text="Values of a picklist, for short"),
        Key(name="referenceTo", shape=TEXTS, text="What a reference may point at"),
    ),
    more="told by `describe` as it is",
)


def _row(name: str, text: str, *keys: Key) -> Kind:
    return Kind(name=name, text=text, keys=(_ID, *keys, *_SYSTEM, _PARENT))


#: Any object that has no entry of its own; ``name`` is what the manual calls it.
RECORD = Kind(
    name="any sObject (`Case`, `Opportunity`, `Job__c`, …)",
    text="A record: its columns. The short form brings its history and comments along.",
    keys=(_ID, *_SYSTEM),
    short=(
        _MINTED,
        Key(name="OwnerId", shape=maybe(NAME), text="User or queue: id, e-mail address or name; default: the creator"),
        Key(name="CreatedDate", shape=TIME, text="When it was made; default: the first of the history"),
        Key(name="CreatedById", shape=NAME, text="User; default: whoever did the first thing"),
        Key(name="LastModifiedDate", shape=TIME, text="Last change; default: the last of the history"),
        Key(name="LastModifiedById", shape=NAME, text="As CreatedById"),
        Key(name="SystemModstamp", shape=TIME, text="Default: LastModifiedDate"),
        Key(name="IsDeleted", shape=FLAG, text="In the recycle bin"),
        Key(
            name="history",
            shape=ListOf(item=Keyed(
                keys=(AT, BY), more="column: [before, after]", more_shape=change_of(ANY)
            )),
            text="Rows of the object's history: `at`, `by`, and for each changed column `[before, after]`; a change of "
            "OwnerId makes two rows, as in Salesforce",
        ),
        COMMENTS,
    ),
    more="a column: its value",
    more_shape=ANY,
    is_short=lambda doc: "Id" not in doc or "SystemModstamp" not in doc or "history" in doc or "comments" in doc,
)  # fmt: skip

KINDS: tuple[Kind, ...] = (
    Kind(
        name="_object",
        text="What the org says about an object: its fields, and where its history goes.",
        keys=(
            Key(name="name", shape=NAME, text="API name, like Case or Job__c", needed=True),
            Key(name="label", shape=TEXT, text="Label"),
            Key(name="keyPrefix", shape=NAME, text="First three characters of its ids"),
            Key(name="history", shape=Either(shapes=(NAME, FLAG)), text="Object of its history, true: the usual one"),
            Key(name="historyParent", shape=NAME, text="Column of the history that names the record"),
            Key(name="tracked", shape=TEXTS, text="Columns whose changes are noted"),
            Key(name="fields", shape=ListOf(item=_FIELD), text="Fields; every column that is not standard"),
        ),
    ),
    Kind(
        name="User",
        text="A user.",
        keys=(
            _ID,
            _NAME,
            Key(name="Email", shape=maybe(TEXT), text="E-mail address"),
            Key(name="Username", shape=TEXT, text="Name to sign in with"),
            Key(name="IsActive", shape=FLAG, text="False: cannot sign in, and may not be given records"),
            Key(name="UserType", shape=NAME, text="Standard, AutomatedProcess, …"),
            Key(name="_password", shape=NAME, text="Password"),
            Key(name="_security_token", shape=TEXT, text="Security token, appended to the password"),
            *_SYSTEM,
        ),
    ),
    Kind(
        name="Group",
        text="A public group or queue.",
        keys=(_ID, _NAME, Key(name="Type", shape=NAME, text="Queue, Regular, …"), *_SYSTEM),
        short=(_MINTED, _NAME, Key(name="Type", shape=NAME, text="Queue, Regular, …; default Queue"),
               Key(name="DeveloperName", shape=NAME, text="API name"),
               Key(name="Email", shape=TEXT, text="E-mail address")),
        is_short=lambda doc: "Id" not in doc,
    ),
    _row("GroupMember", "Who is in a group.",
         Key(name="GroupId", shape=NAME, text="Group", needed=True),
         Key(name="UserOrGroupId", shape=NAME, text="Member", needed=True)),
    _row("QueueSobject", "What a queue may own.",
         Key(name="QueueId", shape=NAME, text="Queue", needed=True),
         Key(name="SobjectType", shape=NAME, text="Object", needed=True)),
    Kind(
        name="any history (`CaseHistory`, `Job__History`, …)",
        text="A row of an object's history.",
        keys=(
            _ID,
            Key(name="Field", shape=NAME, text="Column; Owner for OwnerId; created", needed=True),
            Key(name="OldValue", shape=ANY, text="Before"),
            Key(name="NewValue", shape=ANY, text="After"),
            Key(name="DataType", shape=maybe(TEXT), text="Kind of value"),
            Key(name="CreatedDate", shape=TIME, text="When", needed=True),
            Key(name="CreatedById", shape=maybe(NAME), text="By whom"),
            _PARENT,
        ),
    ),
    _row("CaseComment", "A comment on a case.",
         Key(name="ParentId", shape=NAME, text="Case", needed=True),
         Key(name="CommentBody", shape=maybe(TEXT), text="Text")),
    _row("ProcessInstance", "A submission for approval.",
         Key(name="TargetObjectId", shape=NAME, text="Record", needed=True),
         Key(name="Status", shape=NAME, text="Pending, Approved, Rejected, Removed", needed=True),
         Key(name="CompletedDate", shape=maybe(TIME), text="When it was decided")),
    _row("ProcessInstanceStep", "A step of an approval.",
         Key(name="ProcessInstanceId", shape=NAME, text="Submission", needed=True),
         Key(name="StepStatus", shape=NAME, text="Started, Approved, Rejected, …", needed=True),
         Key(name="ActorId", shape=maybe(NAME), text="Who")),
    _row("ProcessInstanceWorkitem", "A question that waits for an answer.",
         Key(name="ProcessInstanceId", shape=NAME, text="Submission", needed=True),
         Key(name="ActorId", shape=NAME, text="Who is asked: user or queue", needed=True)),
    Kind(
        name="_client",
        text="A connected app.",
        keys=(
            Key(name="_id", shape=NAME, text="Consumer key"),
            Key(name="user", shape=maybe(NAME), text="Whom it acts as: user id"),
            Key(name="secret", shape=NAME, text="Consumer secret"),
            Key(name="public_key", shape=NAME, text="Public key or certificate (PEM), for the JWT bearer flow"),
        ),
        short=(
            Key(name="client", shape=NAME, text="Consumer key", needed=True),
            Key(name="user", shape=NAME, text="Whom it acts as: id, e-mail address or name"),
            Key(name="secret", shape=NAME, text="Consumer secret"),
            Key(name="public_key", shape=NAME, text="Public key or certificate (PEM), for the JWT bearer flow"),
        ),
        is_short=lambda doc: "client" in doc,
    ),
    token("user"),
    RIGHTS,
    Kind(
        name="_settings",
        text="What the org is like.",
        keys=(
            Key(name="session_seconds", shape=NUMBER, text="How long a session may be idle; default 7200"),
            Key(name="daily_requests", shape=WHOLE, text="Requests a day; default 100000"),
            Key(name="trusted_network", shape=FLAG, text="The password alone is enough, without security token"),
            Key(name="deleted_log_days", shape=NUMBER, text="How far back getDeleted looks; default 15"),
            Key(name="approvals_lock", shape=FLAG, text="A record that waits for approval is locked"),
            Key(name="case_assignment_owner", shape=NAME, text="Whom the assignment rule gives cases to"),
            Key(name="duplicate_rules", shape=ListOf(item=THING), text="Duplicate rules"),
            Key(name="bulk_seconds", shape=NUMBER, text="How long a bulk job takes; default 0"),
            Key(name="bulk_upload_bytes", shape=WHOLE, text="Largest upload of a bulk job"),
        ),
    ),
)  # fmt: skip
__all__ = ["KINDS", "RECORD", "TOKEN_ID"]
