"""What a mail space in a world file holds."""

from __future__ import annotations

from sandbox.world.schema.kinds import Kind
from sandbox.world.schema.shapes import (
    FLAG,
    NAME,
    TEXT,
    TEXTS,
    TIME,
    WHOLE,
    Either,
    Key,
    Keyed,
    ListOf,
    maybe,
)  # fmt: skip

_PLACE = (
    Key(name="mailbox", shape=NAME, text="Folder; default INBOX"),
    Key(name="login", shape=TEXT, text="Whose mailbox; default: the company's shared one"),
)
_PEOPLE = Either(shapes=(NAME, TEXTS))

KINDS: tuple[Kind, ...] = (
    Kind(
        name="message",
        text="A mail.",
        keys=(
            Key(name="id", shape=NAME, text="Message-ID without angle brackets", needed=True),
            Key(name="raw", shape=TEXT, text="The whole message, base64", needed=True),
            Key(name="date", shape=TIME, text="When it arrived", needed=True),
            *_PLACE,
        ),
        short=(
            Key(
                name="from",
                shape=NAME,
                text="Sender: `Ada <ada@acme.example>`, address, or name of a login",
                needed=True,
            ),
            Key(name="to", shape=_PEOPLE, text="Recipient or recipients", needed=True),
            Key(name="cc", shape=_PEOPLE, text="Copies"),
            Key(name="subject", shape=TEXT, text="Subject", needed=True),
            Key(name="text", shape=TEXT, text="Plain text", needed=True),
            Key(name="html", shape=TEXT, text="The same in HTML"),
            Key(name="date", shape=TIME, text="When it was written and arrived", needed=True),
            Key(name="id", shape=NAME, text="Message-ID without angle brackets; minted where left out"),
            Key(name="in_reply_to", shape=maybe(NAME), text="Message-ID of the message it answers"),
            Key(name="headers", shape=Keyed(keys=(), more="header: text", more_shape=TEXT), text="Further headers"),
            *_PLACE,
        ),
        is_short=lambda doc: "raw" not in doc,
    ),
    Kind(
        name="_login",
        text="A mailbox of its own; `{_id: address, password}`.",
        keys=(
            Key(name="_id", shape=NAME, text="Address"),
            Key(name="password", shape=NAME, text="Password", needed=True),
        ),
        short=(
            Key(name="email", shape=NAME, text="Address", needed=True),
            Key(name="password", shape=NAME, text="Password", needed=True),
            Key(name="name", shape=NAME, text="Name, for messages"),
        ),
        is_short=lambda doc: "email" in doc,
    ),
    Kind(
        name="_settings",
        text="What the SMTP server is like.",
        keys=(
            Key(name="bounces", shape=TEXTS, text="Addresses or patterns like `*@old.example` that bounce"),
            Key(name="size_limit", shape=WHOLE, text="Largest message in bytes"),
            Key(name="starttls", shape=FLAG, text="Whether it offers STARTTLS"),
        ),
    ),
)
__all__ = ["KINDS", "ListOf"]
