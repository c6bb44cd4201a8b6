"""How the shared mailbox holds an item: one thread of messages, each an RFC 5322 text with its date of arrival."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from email.header import Header
from email.utils import formataddr
from functools import lru_cache
from typing import Any

from sandbox.world import calendar
from sandbox.world.identifiers import Mint
from sandbox.world.people import HUB_ADDRESS, Person

Document = tuple[str, str, str, dict[str, Any]]  # kind, id, stamp, doc
STATUSES = {"todo": "To do", "doing": "In progress", "blocked": "Blocked", "done": "Done"}
INBOX = "INBOX"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_PROMPTLY = timedelta(seconds=2)
_HEADER_ROOM = 900  # a line may have 998 bytes (RFC 5322 2.1.1)


class Thread:
    """One conversation; every message answers the one before and names all earlier ones."""

    def __init__(self, mint: Mint, number: int, *, subject: str, audience: Sequence[Person] = ()) -> None:
        """Begin without a message; the first one becomes the root, whose id is the record's id."""
        self._mint = mint
        self._number = number
        self._subject = subject
        self._audience = list(audience)
        self._absent: set[str] = set()  # who has answered automatically: once a thread
        self._said: list[tuple[str, Person, str]] = []
        self._messages: list[Document] = []
        self.id = mint.message(number, 0)

    def say(
        self, at: datetime, by: Person, lines: Sequence[str], *, signed: bool = True, quoting: bool = False
    ) -> None:
        """Send one message; ``quoting`` repeats the message it answers below, as many mail programs do."""
        id_ = self._next_id()
        if all(p.key != by.key for p in self._audience):
            self._audience.append(by)
        others = [_address(p) for p in self._audience if p.key != by.key]
        headers = [("From", _address(by)), ("To", HUB_ADDRESS)]
        if others:
            headers.append(("Cc", ",\r\n ".join(others[-4:])))
        headers.append(("Subject", _words(f"Re: {self._subject}" if self._said else self._subject)))
        headers += [("Date", _date(at)), ("Message-ID", f"<{id_}>")]
        if self._said:
            headers.append(("In-Reply-To", f"<{self._said[-1][0]}>"))
            headers.append(("References", "\r\n ".join(f"<{earlier}>" for earlier, _, _ in self._said)))
        text = "\n".join(lines) + "\n"
        quote = ""
        if quoting and self._said:
            _, author, before = self._said[-1]
            quoted = "".join(f"> {line}\n" for line in before.splitlines())
            quote = f"\nOn {at:%a, %d %b %Y at %H:%M}, {author.name} wrote:\n{quoted}"
        raw = _rfc5322(headers, text + (f"\n{by.name}\n" if signed else "") + quote)
        self._said.append((id_, by, text))
        self._arrives(id_, at, raw)
        for person in self._audience:
            if person.key != by.key and person.key not in self._absent and person.away(at):
                self._answer_for(person, at + _PROMPTLY)

    def copy_to(self, person: Person) -> None:
        """Write to this person as well from the next message on."""
        if all(p.key != person.key for p in self._audience):
            self._audience.append(person)

    def _answer_for(self, person: Person, at: datetime) -> None:
        """Let the mail program of somebody on leave answer the last message, as RFC 3834 has it."""
        leave = person.away(at)
        if leave is None:
            return
        self._absent.add(person.key)
        id_, (answered, _, _) = self._next_id(), self._said[-1]
        headers = [
            ("From", _address(person)),
            ("To", HUB_ADDRESS),
            ("Subject", _words(f"Automatic reply: {self._subject}")),
            ("Date", _date(at)),
            ("Message-ID", f"<{id_}>"),
            ("In-Reply-To", f"<{answered}>"),
            ("References", f"<{answered}>"),
            ("Auto-Submitted", "auto-replied"),
            ("Precedence", "bulk"),
        ]
        text = f"I am out of the office until {leave.last.isoformat()} and will answer when I am back.\n"
        self._arrives(id_, at, _rfc5322(headers, text + f"\n{person.name}\n"))

    def _next_id(self) -> str:
        return self._mint.message(self._number, len(self._messages))

    def _arrives(self, id_: str, at: datetime, raw: bytes) -> None:
        doc = {
            "id": id_,
            "mailbox": INBOX,
            "raw": base64.b64encode(raw).decode(),
            "date": at.isoformat(),
        }
        self._messages.append(("message", id_, calendar.stamp(at), doc))

    def documents(self) -> Iterator[Document]:
        """Give the messages, oldest first."""
        yield from self._messages


def _rfc5322(headers: Sequence[tuple[str, str]], text: str) -> bytes:
    """Write a plain-text message; by hand, since the library's message object takes fifty times as long."""
    coding = "7bit" if text.isascii() else "8bit"
    lines = [f"{name}: {value}" for name, value in headers]
    lines += ["MIME-Version: 1.0", 'Content-Type: text/plain; charset="utf-8"']
    lines += [f"Content-Transfer-Encoding: {coding}", "", *text.splitlines(), ""]
    return "\r\n".join(lines).encode()


def _date(at: datetime) -> str:
    """Write an instant in UTC as RFC 5322 3.3 does; the library takes five times as long."""
    return f"{_DAYS[at.weekday()]}, {at.day:02d} {_MONTHS[at.month - 1]} {at.year} {at.isoformat()[11:19]} +0000"


def _words(text: str) -> str:
    """Write header text: one line, encoded where it is not ASCII."""
    line = " ".join(text.split())
    return line if line.isascii() and len(line) < _HEADER_ROOM else Header(line, "utf-8").encode(linesep="\r\n")


def _address(person: Person) -> str:
    return _named(person.name, person.email)


@lru_cache(maxsize=1024)
def _named(name: str, address: str) -> str:
    return formataddr((name, address))


def owner_line(person: Person) -> str:
    """State who owns the item."""
    return f"Owner: {person.name} <{person.email}>"


def mailbox(password: str, at: datetime) -> Iterator[Document]:
    """Give what the mail server holds before any mail: the one login."""
    yield "_login", HUB_ADDRESS, calendar.stamp(at), {"_id": HUB_ADDRESS, "password": password}
