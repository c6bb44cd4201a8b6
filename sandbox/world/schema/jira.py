"""What a Jira site in a world file holds."""

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
    Key,
    Keyed,
    ListOf,
    change_of,
    choice,
    maybe,
)  # fmt: skip
from sandbox.world.schema.shared import AT, BY, COMMENTS, HISTORY_ID, RIGHTS, SCOPES, token

_ID = Key(name="id", shape=NAME, text="Native id", needed=True)
_NAME = Key(name="name", shape=NAME, text="Name", needed=True)
_MINTED = Key(name="id", shape=NAME, text="Native id; minted where left out")
_DESCRIPTION = Key(name="description", shape=TEXT, text="Description")
_CATEGORY = choice("new", "indeterminate", "done")
_FIELD_TYPES = ("string", "number", "option", "options", "user", "users", "date", "datetime", "labels")
_PERSON = maybe(NAME)
_DECISION = choice("pending", "approved", "declined")

_ISSUE_SHORT = (
    Key(name="key", shape=NAME, text="Key, like OPS-7; the project is what stands before the dash", needed=True),
    Key(name="summary", shape=TEXT, text="Summary", needed=True),
    _MINTED,
    Key(name="status", shape=NAME, text="Name of a status; default: the last of the history, or the site's first"),
    Key(name="assignee", shape=_PERSON, text="Account id, e-mail address or name; default: the last of the history"),
    Key(name="reporter", shape=_PERSON, text="As assignee; default: the creator"),
    Key(name="creator", shape=_PERSON, text="As assignee; default: whoever did the first thing"),
    Key(name="created", shape=TIME, text="When it was made", needed=True),
    Key(name="updated", shape=TIME, text="Last change; default: the last of history and comments"),
    Key(name="description", shape=maybe(TEXT), text="Plain text"),
    Key(name="duedate", shape=maybe(TEXT), text="A day"),
    Key(name="issuetype", shape=NAME, text="Name of an issue type; default Task"),
    Key(name="priority", shape=NAME, text="Name of a priority; default Medium"),
    Key(name="resolution", shape=maybe(NAME), text="Name of a resolution"),
    Key(name="labels", shape=TEXTS, text="Labels"),
    Key(
        name="history",
        shape=ListOf(item=Keyed(
            keys=(AT, BY, HISTORY_ID),
            more="field name or id: [before, after]",
            more_shape=change_of(ANY),
        )),
        text="One changelog entry for each: `at`, `by`, and for each changed field `[before, after]`",
    ),
    COMMENTS,
)  # fmt: skip

KINDS: tuple[Kind, ...] = (
    Kind(
        name="user",
        text="An account.",
        keys=(
            Key(name="accountId", shape=NAME, text="Native account id", needed=True),
            Key(name="displayName", shape=NAME, text="Name", needed=True),
            Key(name="emailAddress", shape=TEXT, text="E-mail address; left out: hidden by the profile"),
            Key(name="active", shape=FLAG, text="Whether the account is open"),
            Key(name="accountType", shape=choice("atlassian", "app", "customer"), text="Kind of account"),
            Key(name="timeZone", shape=NAME, text="Time zone of the profile: times are told in it"),
            Key(name="_email_hidden", shape=FLAG, text="The address is known to the site, but told to nobody"),
            Key(name="_deleted", shape=FLAG, text="The account is gone: a former user"),
        ),
    ),
    Kind(
        name="project",
        text="A project.",
        keys=(
            _ID,
            Key(name="key", shape=NAME, text="Key, like OPS", needed=True),
            _NAME,
            Key(name="projectTypeKey", shape=choice("software", "business", "service_desk"), text="Kind of project"),
            Key(name="_lead", shape=NAME, text="Account id of the lead"),
        ),
        short=(
            _MINTED,
            Key(name="key", shape=NAME, text="Key, like OPS", needed=True),
            Key(name="name", shape=NAME, text="Name; default: the key"),
            Key(name="type", shape=choice("software", "business", "service_desk"), text="Kind of project"),
            Key(name="lead", shape=NAME, text="Account id, e-mail address or name of the lead"),
        ),
        is_short=lambda doc: "id" not in doc or "name" not in doc,
    ),
    Kind(
        name="status",
        text="A status.",
        keys=(
            _ID,
            _NAME,
            Key(
                name="statusCategory",
                shape=Keyed(
                    keys=(
                        Key(name="key", shape=_CATEGORY, text="Which of the three", needed=True),
                        Key(name="id", shape=WHOLE, text="2, 4 or 3"),
                        Key(name="name", shape=TEXT, text="Name of the category"),
                    ),
                    more="kept",
                ),
                text="Category",
                needed=True,
            ),
        ),
        short=(
            _MINTED,
            _NAME,
            Key(name="category", shape=_CATEGORY, text="Category; default: guessed from the name"),
            _DESCRIPTION,
        ),
        plain=NAME,
        is_short=lambda doc: "statusCategory" not in doc,
    ),
    *(
        Kind(
            name=name,
            text=text,
            keys=(_ID, _NAME, *more),
            short=(_MINTED, _NAME, _DESCRIPTION, *more),
            plain=NAME,
            is_short=lambda doc: "id" not in doc,
        )
        for name, text, more in (
            ("issuetype", "An issue type; a site without any has Task.", (
                Key(name="subtask", shape=FLAG, text="Whether it is a sub-task"),
                Key(name="hierarchyLevel", shape=NUMBER, text="Level in the hierarchy"),
            )),
            ("priority", "A priority; a site without any has the usual five.", ()),
            ("resolution", "A resolution; a site without any has three.", ()),
        )
    ),
    Kind(
        name="field",
        text="A field; system fields need not be told.",
        keys=(
            Key(name="id", shape=NAME, text="Native id, like customfield_10010", needed=True),
            _NAME,
            Key(name="custom", shape=FLAG, text="Whether it is a custom field"),
            Key(name="schema", shape=THING, text="Type as Jira tells it: `type`, `items`, `custom`, `customId`"),
            Key(name="_options", shape=TEXTS, text="The only options of a select field"),
        ),
        short=(
            _MINTED,
            _NAME,
            Key(name="type", shape=choice(*_FIELD_TYPES), text="Type", needed=True),
            Key(name="options", shape=TEXTS, text="The only options of a select field"),
        ),
        is_short=lambda doc: "type" in doc,
    ),
    Kind(
        name="issue",
        text="An issue; the short form brings its changelog and comments along.",
        keys=(
            _ID,
            Key(name="key", shape=NAME, text="Key, like OPS-7", needed=True),
            Key(name="created", shape=TIME, text="When it was made", needed=True),
            Key(name="updated", shape=TIME, text="Last change", needed=True),
            Key(name="fields", shape=THING, text="Values by field id; `status` as a whole document", needed=True),
            Key(name="_project", shape=NAME, text="Key of its project"),
            Key(name="_assignee", shape=_PERSON, text="Account id"),
            Key(name="_creator", shape=_PERSON, text="Account id"),
            Key(name="_reporter", shape=_PERSON, text="Account id; left out: the creator"),
        ),
        short=_ISSUE_SHORT,
        more="id or name of a field: its value",
        more_shape=ANY,
        is_short=lambda doc: "fields" not in doc,
    ),
    Kind(
        name="changelog",
        text="An entry in an issue's history.",
        keys=(
            _ID,
            Key(name="_parent", shape=NAME, text="Id of the issue", needed=True),
            Key(name="_author", shape=_PERSON, text="Account id; left out: an automatic change"),
            Key(name="created", shape=TIME, text="When", needed=True),
            Key(
                name="items",
                shape=ListOf(item=Keyed(
                    keys=(
                        Key(name="field", shape=NAME, text="Shown name of the field", needed=True),
                        Key(name="fieldId", shape=NAME, text="Id of the field"),
                        Key(name="fieldtype", shape=TEXT, text="jira or custom"),
                        Key(name="from", shape=maybe(TEXT), text="Id before"),
                        Key(name="fromString", shape=maybe(TEXT), text="Text before"),
                        Key(name="to", shape=maybe(TEXT), text="Id after"),
                        Key(name="toString", shape=maybe(TEXT), text="Text after"),
                    ),
                    more="kept",
                )),
                text="What changed, as Jira tells it",
                needed=True,
            ),
        ),
    ),
    Kind(
        name="comment",
        text="A comment.",
        keys=(
            _ID,
            Key(name="_parent", shape=NAME, text="Id of the issue", needed=True),
            Key(name="_author", shape=_PERSON, text="Account id"),
            Key(name="body", shape=TEXT, text="Plain text", needed=True),
            Key(name="created", shape=TIME, text="When", needed=True),
            Key(name="updated", shape=TIME, text="Last change"),
        ),
    ),
    Kind(
        name="approval",
        text="A service-desk approval of an issue.",
        keys=(
            _ID,
            Key(name="_parent", shape=NAME, text="Id of the issue", needed=True),
            _NAME,
            Key(name="created", shape=TIME, text="When it was asked for", needed=True),
            Key(name="completed", shape=TIME, text="When it was decided"),
            Key(name="finalDecision", shape=choice("pending", "approved", "declined"), text="Outcome", needed=True),
            Key(
                name="approvers",
                shape=ListOf(item=Keyed(
                    keys=(
                        Key(name="accountId", shape=NAME, text="Account id", needed=True),
                        Key(name="decision", shape=_DECISION, text="Answer", needed=True),
                    ),
                    more="kept",
                )),
                text="Who is asked: `accountId` and `decision`",
                needed=True,
            ),
            Key(name="_needed", shape=WHOLE, text="How many must approve; left out: all"),
            Key(name="_then", shape=THING, text="By final decision: `status` (id) and `fields` it brings"),
        ),
    ),
    token("accountId", Key(name="email", shape=TEXT, text="The address that belongs to the token (Basic)"),
          Key(name="app", shape=NAME, text="The app behind it: apps may register webhooks"), SCOPES),
    RIGHTS,
    Kind(
        name="_settings",
        text="What the site is like.",
        keys=(
            Key(name="cloud_id", shape=NAME, text="Id under which the gateway knows the site"),
            Key(name="token_seconds", shape=NUMBER, text="How long a page token of a search can be used"),
            Key(name="index_lag_seconds", shape=NUMBER, text="How late the search sees changes"),
            Key(name="index_flicker", shape=NUMBER, text="How often a late change shows already: 0 to 1"),
            Key(name="index_seed", shape=WHOLE, text="Which ones"),
            Key(name="burst_per_minute", shape=WHOLE, text="Most requests for each token, endpoint and method"),
            Key(name="issue_writes", shape=WHOLE, text="Most writes to one issue in `issue_write_seconds`"),
            Key(name="issue_write_seconds", shape=NUMBER, text="Window of `issue_writes`; default 2"),
            Key(name="points_per_hour", shape=WHOLE, text="Points an app may spend in an hour"),
        ),
    ),
)  # fmt: skip
