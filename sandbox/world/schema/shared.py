"""Kinds that every tool has: people, rights, and what the text forms of histories and comments share."""

from __future__ import annotations

from sandbox.world.schema.kinds import Kind
from sandbox.world.schema.shapes import (
    ANY,
    FLAG,
    NAME,
    TEXT,
    TEXTS,
    TIME,
    Key,
    Keyed,
    ListOf,
    choice,
    maybe,
)  # fmt: skip

AT = Key(name="at", shape=TIME, text="When", needed=True)
BY = Key(name="by", shape=NAME, text="Who: account id, e-mail address or name", needed=True)
HISTORY_ID = Key(name="id", shape=NAME, text="Native id; minted where left out")
COMMENTS = Key(
    name="comments",
    shape=ListOf(item=Keyed(keys=(AT, BY, Key(name="text", shape=TEXT, text="What", needed=True), HISTORY_ID))),
    text="Comments: `at`, `by`, `text`, and `id` where it matters",
)

PERSON = Kind(
    name="people",
    text="Short form of an account in the space's tool, and of its token.",
    keys=(
        Key(name="name", shape=NAME, text="Full name", needed=True),
        Key(name="email", shape=TEXT, text="E-mail address (mail: the address of the mailbox)"),
        Key(name="id", shape=NAME, text="Native account id; minted where left out"),
        Key(name="active", shape=FLAG, text="False: the account was closed"),
        Key(name="zone", shape=NAME, text="Time zone of the profile, like Europe/Rome"),
        Key(name="kind", shape=choice("person", "bot", "customer"), text="Bots are app users or automated processes"),
        Key(name="token", shape=NAME, text="A token (Salesforce: session) that acts as this account"),
        Key(name="password", shape=NAME, text="Password (Salesforce, mail)"),
        Key(name="security_token", shape=TEXT, text="Salesforce's security token, appended to the password"),
        Key(name="email_hidden", shape=FLAG, text="Jira: nobody else sees the address"),
        Key(name="bases", shape=TEXTS, text="Airtable: the only bases shared with this account"),
        Key(
            name="level",
            shape=choice("none", "read", "comment", "edit", "create", "owner"),
            text="Airtable: permission level",
        ),
    ),
)
PEOPLE = Keyed(keys=PERSON.keys)
_TARGETS = "Salesforce: sObject names; Jira: project keys; Airtable: table or base ids"
RIGHTS = Kind(
    name="_rights",
    text="What one account may see and change; an account without such a document may do everything.",
    keys=(
        Key(
            name="user", shape=NAME, text="The account: native id (short form: or e-mail address, or name)", needed=True
        ),
        Key(name="admin", shape=FLAG, text="Whether it may administer; default false"),
        Key(name="read", shape=TEXTS, text=f"What it may read; default `['*']`. {_TARGETS}"),
        Key(name="edit", shape=TEXTS, text="What it may change; default `['*']`"),
        Key(name="hidden", shape=TEXTS, text="Records it does not see, by id"),
        Key(name="read_only", shape=TEXTS, text="Records it may not change, by id"),
        Key(
            name="hidden_fields", shape=TEXTS, text="Fields it does not see: `Case.Amount__c`, `customfield_1`, `fldX`"
        ),
        Key(name="scopes", shape=maybe(TEXTS), text="Scopes of its tokens; default all"),
    ),
)
TOKEN_ID = Key(name="_id", shape=NAME, text="The token itself")


def token(account: str, *more: Key) -> Kind:
    """Give the kind of a tool's tokens, which name their account by this key."""
    return Kind(
        name="_token",
        text="A token that is known from the start, and never expires.",
        keys=(TOKEN_ID, Key(name=account, shape=NAME, text="The account it acts as: native id", needed=True), *more),
        short=(
            Key(name="token", shape=NAME, text="The token itself", needed=True),
            Key(name="user", shape=NAME, text="Account id, e-mail address or name", needed=True),
            *more,
        ),
        is_short=lambda doc: "token" in doc,
    )


SCOPES = Key(name="scopes", shape=maybe(TEXTS), text="The only scopes it carries")
OTHER = Kind(
    name="any other kind that begins with `_`",
    text="What the sandbox keeps for itself; a saved company has them, there is no need to write them.",
    keys=(),
)
__all__ = ["ANY", "AT", "BY", "COMMENTS", "HISTORY_ID", "OTHER", "PEOPLE", "PERSON", "RIGHTS", "SCOPES", "TOKEN_ID"]
