"""What an Airtable space in a world file holds."""

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
    choice,
    maybe,
)  # fmt: skip
from sandbox.world.schema.shared import AT, BY, HISTORY_ID, RIGHTS, SCOPES, token

_LEVEL = choice("none", "read", "comment", "edit", "create", "owner")
_ID = Key(name="id", shape=NAME, text="Native id", needed=True)
_MINTED = Key(name="id", shape=NAME, text="Native id; minted where left out")
_NAME = Key(name="name", shape=NAME, text="Name", needed=True)
_TYPE = Key(
    name="type",
    shape=NAME,
    text="Type as the metadata API tells it: singleLineText, multipleRecordLinks, …",
    needed=True,
)
_CHOICE = Keyed(keys=(Key(name="id", shape=NAME, text="Native id"), _NAME), more="kept")
_OPTIONS = Key(
    name="options",
    shape=Keyed(
        keys=(
            Key(name="choices", shape=ListOf(item=_CHOICE), text="Choices of a select field"),
            Key(name="linkedTableId", shape=NAME, text="Table that links lead to"),
            Key(name="inverseLinkFieldId", shape=NAME, text="Field there that links back"),
        ),
        more="kept",
    ),
    text="Options as the metadata API tells them",
)
_VIEWS = Key(name="views", shape=ListOf(item=THING), text="Views: `id`, `name`, `type`, `_filter` (formula), `_sort`")

KINDS: tuple[Kind, ...] = (
    Kind(
        name="base",
        text="A base.",
        keys=(_ID, _NAME, Key(name="permissionLevel", shape=_LEVEL, text="What everybody may do; default create")),
        short=(_MINTED, _NAME, Key(name="permissionLevel", shape=_LEVEL, text="What everybody may do; default create")),
        plain=NAME,
        is_short=lambda doc: "id" not in doc,
    ),
    Kind(
        name="table",
        text="A table and its fields.",
        keys=(
            _ID,
            _NAME,
            Key(name="_base", shape=NAME, text="Id of its base; left out: the only one"),
            Key(name="primaryFieldId", shape=NAME, text="Field that names the records", needed=True),
            Key(name="fields", shape=ListOf(item=Keyed(keys=(_ID, _NAME, _TYPE, _OPTIONS), more="kept")),
                text="Fields: `id`, `name`, `type`, `options`; `_aggregate` for rollups", needed=True),
            _VIEWS,
        ),
        short=(
            _MINTED,
            _NAME,
            Key(name="base", shape=NAME, text="Id or name of its base; left out: the only one"),
            Key(name="primary", shape=NAME, text="Name or id of the field that names the records; default: the first"),
            Key(name="fields", shape=ListOf(item=Keyed(
                keys=(
                    _MINTED, _NAME, _TYPE, _OPTIONS,
                    Key(name="choices", shape=TEXTS, text="Choices of a select field, for short"),
                    Key(name="table", shape=NAME, text="Name or id of the linked table, for short"),
                    Key(name="inverse", shape=NAME, text="Name or id of the field there that links back, for short"),
                ),
                more="kept",
            )), text="Fields: `name`, `type`; `id`, `options`; for short `choices`, `table`, `inverse`", needed=True),
            _VIEWS,
        ),
        is_short=lambda doc: "primaryFieldId" not in doc,
    ),
    Kind(
        name="record",
        text="A record. Airtable keeps no history, and neither does a world file.",
        keys=(
            _ID,
            Key(name="_table", shape=NAME, text="Id of its table", needed=True),
            Key(name="createdTime", shape=TIME, text="When it was made", needed=True),
            Key(name="fields", shape=THING, text="Values by field id; empty cells left out", needed=True),
            Key(name="_modified", shape=TIME, text="Last change"),
            Key(name="_createdBy", shape=NAME, text="Id of the collaborator who made it"),
            Key(name="_modifiedBy", shape=NAME, text="Id of the collaborator who changed it last"),
        ),
        short=(
            _MINTED,
            Key(name="table", shape=NAME, text="Name or id of its table", needed=True),
            Key(name="created", shape=TIME, text="When it was made", needed=True),
            Key(name="modified", shape=TIME, text="Last change; default: created"),
            Key(name="created_by", shape=NAME, text="Who made it: id, e-mail address or name"),
            Key(name="fields", shape=THING, text="Values by field name or id; collaborators by e-mail address or name, "
                "links by record id or by what the primary field says", needed=True),
            Key(name="comments", shape=ListOf(item=Keyed(
                keys=(AT, BY, Key(name="text", shape=TEXT, text="What", needed=True), HISTORY_ID)
            )), text="Comments: `at`, `by`, `text`"),
        ),
        advice=(("history", "Airtable keeps no history: give the record as it is now"),),
        is_short=lambda doc: "_table" not in doc,
    ),
    Kind(
        name="collaborator",
        text="An account.",
        keys=(
            _ID,
            Key(name="email", shape=TEXT, text="E-mail address", needed=True),
            Key(name="name", shape=NAME, text="Name", needed=True),
            Key(name="permissionLevel", shape=_LEVEL, text="What it may do in every base"),
            Key(name="_levels", shape=THING, text="What it may do, by base id"),
            Key(name="_bases", shape=TEXTS, text="The only bases shared with it"),
        ),
    ),
    Kind(
        name="comment",
        text="A comment on a record.",
        keys=(
            _ID,
            Key(name="_parent", shape=NAME, text="Id of the record", needed=True),
            Key(name="author", shape=THING, text="Who: `id`, `email`, `name`", needed=True),
            Key(name="text", shape=TEXT, text="Text", needed=True),
            Key(name="createdTime", shape=TIME, text="When", needed=True),
            Key(name="lastUpdatedTime", shape=maybe(TIME), text="Last change"),
        ),
    ),
    Kind(
        name="webhook",
        text="A webhook of a base.",
        keys=(
            _ID,
            Key(name="_parent", shape=NAME, text="Id of the base", needed=True),
            Key(name="_secret", shape=NAME, text="MAC secret, base64"),
            Key(name="notificationUrl", shape=maybe(TEXT), text="Where it is told; null: it is only asked"),
            Key(name="expirationTime", shape=TIME, text="When it ends", needed=True),
            Key(name="specification", shape=THING, text="What it watches, as Airtable tells it", needed=True),
            Key(name="areNotificationsEnabled", shape=FLAG, text="Whether it tells"),
            Key(name="isHookEnabled", shape=FLAG, text="Whether it watches"),
            Key(name="cursorForNextPayload", shape=WHOLE, text="Number of the next payload"),
        ),
    ),
    token("user", SCOPES, Key(name="source", shape=NAME, text="What webhooks call it; default publicApi")),
    RIGHTS,
    Kind(
        name="_settings",
        text="What the service is like.",
        keys=(
            Key(name="requests_per_second", shape=WHOLE, text="Most requests a second to one base; default: no limit"),
            Key(name="requests_per_second_per_account", shape=WHOLE, text="Most requests a second of one account"),
            Key(name="penalty_seconds", shape=NUMBER, text="How long a base stays locked after too many; default 30"),
            Key(name="offset_seconds", shape=NUMBER, text="How long a list's offset can be used; default 300"),
            Key(name="bases_page_size", shape=WHOLE, text="Bases in one answer; default 1000"),
        ),
    ),
)  # fmt: skip
__all__ = ["ANY", "KINDS"]
