"""The short forms of a mail space in a world file, written out."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from email.errors import HeaderParseError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr
from typing import Any

from sandbox.stamps import parsed
from sandbox.world.schema import did_you_mean
from sandbox.world.world_file_space import Given, Space

_OWN = {"people", "_login", "message"}


def expand(space: Space) -> None:
    """Put every login and message into the space's entries, in full form."""
    for given in space.docs("people"):
        told = given.doc
        email = str(told.get("email") or "")
        if not email:
            space.wrong(given.place, "no email", "a mailbox is known by its address")
            continue
        space.knows(email, str(told["name"]), email)
        if told.get("password"):
            space.add("_login", {"_id": email, "password": told["password"]}, given.place)
    for given in space.docs("_login"):
        doc = given.doc
        if given.short:
            doc = {"_id": doc["email"], "password": doc["password"]}
        space.knows(str(doc.get("_id") or doc.get("id")), str(given.doc.get("name") or ""))
        space.add("_login", doc, given.place)
    for number, given in enumerate(space.docs("message"), start=1):
        if given.short:
            _message(space, given, number)
        else:
            space.add("message", given.doc, given.place)
    space.take_rest(tuple(_OWN))


def _message(space: Space, given: Given, number: int) -> None:
    told = given.doc
    id_ = str(told.get("id") or f"{number}.world@{space.name.replace('_', '-')}.example").strip("<>")
    at = parsed(str(told["date"]))
    try:
        raw = _written(space, told, id_, at, given.place).as_bytes(policy=SMTP)
    except (ValueError, UnicodeError, HeaderParseError, IndexError) as error:
        space.wrong(given.place, f"cannot be written as a mail: {error}", "look at the addresses and headers")
        return
    doc = {
        "id": id_,
        "mailbox": told.get("mailbox", "INBOX"),
        "raw": base64.b64encode(raw).decode(),
        "date": at.isoformat(),
    }
    if told.get("login"):
        doc["login"] = told["login"]
    space.add("message", doc, given.place)


def _written(space: Space, told: Mapping[str, Any], id_: str, at: datetime, place: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    for header in ("from", "to", "cc"):
        if told.get(header):
            people = told[header] if isinstance(told[header], list) else [told[header]]
            message[header.capitalize()] = ", ".join(_address(space, one, f"{place}.{header}") for one in people)
    message["Subject"] = told["subject"]
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{id_}>"
    if told.get("in_reply_to"):
        answered = str(told["in_reply_to"]).strip("<>")
        message["In-Reply-To"] = message["References"] = f"<{answered}>"
    for name, value in told.get("headers", {}).items():
        del message[name]
        message[name] = value
    message.set_content(told["text"])
    if told.get("html"):
        message.add_alternative(told["html"], subtype="html")
        message.set_boundary(f"=={id_.partition('@')[0]}==")
    return message


def _address(space: Space, text: str, place: str) -> str:
    name, address = parseaddr(text)
    if "@" in address:
        return formataddr((name or _named(space, address), address))
    account = space.who(text, place)
    if account is None or "@" not in account:
        space.wrong(place, f"{text!r} is no address", did_you_mean(text, []) or "write Ada <ada@acme.example>")
        return formataddr(("", "nobody@unknown.example"))
    return formataddr((_named(space, account), account))


def _named(space: Space, address: str) -> str:
    name = space.name_of(address)
    return "" if name is None or name == address else name
