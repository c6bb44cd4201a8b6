"""How the shared mailbox holds an item: one thread of messages, each an RFC 5322 text with its date of arrival."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from typing import Any

from sandbox.world import calendar
from sandbox.world.identifiers import Mint
from sandbox.world.people import HUB_ADDRESS, Person

Document = tuple[str, str, str, dict[str, Any]]  # kind, id, stamp, doc
STATUSES = {"todo": "To do", "doing": "In progress", "blocked": "Blocked", "done": "Done"}
INBOX = "INBOX"


class Thread:
    """One conversation; every message answers the one before and names all earlier ones."""

    def __init__(self, mint: Mint, number: int, *, subject: str, audience: Sequence[Person] = ()) -> None:
        """Begin without a message; the first one becomes the root, whose id is the record's id."""
        self._mint = mint
        self._number = number
        self._subject = subject
        self._audience = list(audience)
        self._said: list[tuple[str, Person, str]] = []
        self._messages: list[Document] = []
        self.id = mint.message(number, 0)

    def say(
        self, at: datetime, by: Person, lines: Sequence[str], *, signed: bool = True, quoting: bool = False
    ) -> None:
        """Send one message; ``quoting`` repeats the message it answers below, as many mail programs do."""
        id_ = self._mint.message(self._number, len(self._messages))
        message = EmailMessage(policy=SMTP)
        message["From"] = formataddr((by.name, by.email))
        message["To"] = HUB_ADDRESS
        if by not in self._audience:
            self._audience.append(by)
        others = [formataddr((p.name, p.email)) for p in self._audience if p is not by]
        if others:
            message["Cc"] = ", ".join(others[-4:])
        message["Subject"] = f"Re: {self._subject}" if self._said else self._subject
        message["Date"] = format_datetime(at)
        message["Message-ID"] = f"<{id_}>"
        if self._said:
            message["In-Reply-To"] = f"<{self._said[-1][0]}>"
            message["References"] = " ".join(f"<{earlier}>" for earlier, _, _ in self._said)
        text = "\n".join(lines) + "\n"
        quote = ""
        if quoting and self._said:
            _, author, before = self._said[-1]
            quoted = "".join(f"> {line}\n" for line in before.splitlines())
            quote = f"\nOn {at:%a, %d %b %Y at %H:%M}, {author.name} wrote:\n{quoted}"
        message.set_content(text + (f"\n{by.name}\n" if signed else "") + quote)
        self._said.append((id_, by, text))
        doc = {
            "id": id_,
            "mailbox": INBOX,
            "raw": base64.b64encode(message.as_bytes()).decode(),
            "date": at.isoformat(),
        }
        self._messages.append(("message", id_, calendar.stamp(at), doc))

    def documents(self) -> Iterator[Document]:
        """Give the messages, oldest first."""
        yield from self._messages


def owner_line(person: Person) -> str:
    """State who owns the item."""
    return f"Owner: {person.name} <{person.email}>"


def mailbox(password: str, at: datetime) -> Iterator[Document]:
    """Give what the mail server holds before any mail: the one login."""
    yield "_login", HUB_ADDRESS, calendar.stamp(at), {"password": password}
