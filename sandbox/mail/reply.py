"""How people answer a mail: a proper reply in the manner of one of several mail programs, sent over SMTP.

The answer names its parent (In-Reply-To) and all ancestors (References, RFC 5322 3.6.4), goes to everybody who was
in the conversation, and repeats the parent's text the way its program does. The same seed gives the same letter.
"""

from __future__ import annotations

import hashlib
import random
import re
import smtplib
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import format_datetime, getaddresses
from html import escape
from typing import Literal, get_args

from sandbox.mail.reading import Letter, read

Style = Literal["plain", "outlook", "bottom", "signed", "phone", "bare"]
# plain: text above "On …, X wrote:" and the quote   outlook: HTML and text above a From/Sent/To/Subject block
# bottom: text below the quote   signed: as plain, with a signature   phone: "Sent from my phone", then the quote
# bare: nothing is quoted
STYLES: tuple[Style, ...] = get_args(Style)
_QUOTED_LINES = 60
_REFERENCES = 50
_PREFIX = re.compile(r"^\s*(re|aw|sv|antw)\s*:", re.IGNORECASE)
_ID = re.compile(r"<[^<>\s]+>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who answers."""

    name: str
    address: str
    title: str = ""  # second line of the signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A finished answer: its bytes, its Message-ID (without brackets), and the envelope."""

    raw: bytes
    id: str
    sender: str
    recipients: tuple[str, ...]
    style: Style


def reply(parent: bytes, *, by: Writer, text: str, at: datetime, seed: int, style: Style | None = None) -> Reply:
    """Answer a message; ``at`` is aware, ``style`` is chosen by the seed when it is not given.

    Goes to the parent's Reply-To or From, with everybody else of its To and Cc in copy, the writer left out.
    """
    answered = read(parent)
    chance = random.Random(f"{seed}|{answered.header('Message-ID')}|{by.address}|{at.isoformat()}")
    manner: Style = chance.choice(STYLES) if style is None else style
    parent_id = "".join(_ID.findall(answered.header("Message-ID"))[:1])
    known = [each for each in _ID.findall(answered.header("References")) if each != parent_id]
    ancestors = [*known[:1], *known[1:][-_REFERENCES:]]  # of a very long thread the root and the latest
    marks = f"{seed}|{parent_id}|{by.address}|{at.isoformat()}|{text}"
    id_ = f"{hashlib.sha256(marks.encode()).hexdigest()[:24]}@{by.address.rpartition('@')[2]}"
    to, copied = _audience(answered, by.address)
    subject = answered.header("Subject")

    message = EmailMessage(policy=SMTPUTF8)
    message["From"] = _address((by.name, by.address))
    message["To"] = ", ".join(_address(pair) for pair in to) or "undisclosed-recipients:;"
    if copied:
        message["Cc"] = ", ".join(_address(pair) for pair in copied)
    message["Subject"] = subject if _PREFIX.match(subject) else f"Re: {subject}"
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{id_}>"
    if parent_id:
        message["In-Reply-To"] = parent_id
        message["References"] = " ".join((*ancestors, parent_id))
    _write(message, answered, by, text.strip("\n"), manner)
    recipients = tuple(address for _, address in (*to, *copied))
    return Reply(raw=message.as_bytes(), id=id_, sender=by.address, recipients=recipients, style=manner)


def send(letter: Reply, *, host: str, port: int, timeout: float = 10) -> None:
    """Hand an answer to the company's SMTP server. Raises smtplib.SMTPException and OSError."""
    with smtplib.SMTP(host, port, timeout=timeout) as line:
        line.ehlo()
        foreign = not all(address.isascii() for address in (letter.sender, *letter.recipients))
        options = ["SMTPUTF8", "BODY=8BITMIME"] if foreign or not letter.raw.isascii() else []
        line.sendmail(letter.sender, list(letter.recipients), letter.raw, mail_options=options)


def _address(pair: tuple[str, str]) -> str:
    name, address = pair
    user, _, host = address.rpartition("@")
    try:
        return str(Address(display_name=name, username=user, domain=host))
    except ValueError:  # not what the standard allows; mail programs pass it on as it is
        return f"<{address}>"


def _audience(answered: Letter, own: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """To whom, and to whom in copy; nobody twice."""
    seen = {own.lower()}

    def fresh(*headers: str) -> list[tuple[str, str]]:
        found = []
        for name, address in getaddresses([header for header in headers if header]):
            if "@" in address and address.lower() not in seen:
                seen.add(address.lower())
                found.append((name, address))
        return found

    to = fresh(answered.header("Reply-To") or answered.header("From"))
    copied = fresh(answered.header("To"), answered.header("Cc"))
    return (to, copied) if to else (copied, [])  # whoever answers their own mail writes to the others


def _write(message: EmailMessage, answered: Letter, by: Writer, text: str, style: Style) -> None:
    before = _lines(answered)
    author = (getaddresses([answered.header("From")]) or [("", "")])[0]
    quote = "".join(f"> {line}\n" if line else ">\n" for line in before)
    on = f"On {answered.header('Date')}, " if answered.header("Date") else ""
    wrote = f"{on}{author[0] or author[1]} wrote:\n"
    signature = f"-- \n{by.name}\n" + (f"{by.title}\n" if by.title else "")
    if style == "outlook":
        block = {"From": answered.header("From"), "Sent": answered.header("Date"), "To": answered.header("To")}
        block["Subject"] = answered.header("Subject")
        head = "".join(f"{name}: {value}\n" for name, value in block.items())
        _set(message, f"{text}\n\n{by.name}\n\n________________________________\n{head}\n" + "\n".join(before) + "\n")
        message.add_alternative(_html(text, by, block, before), subtype="html", cte="quoted-printable")
        message.set_boundary(f"=_{hashlib.sha256(text.encode()).hexdigest()[:32]}")  # the library's own is random
    elif style == "bottom":
        _set(message, f"{wrote}{quote}\n{text}\n")
    elif style == "signed":
        _set(message, f"{text}\n\n{signature}\n{wrote}{quote}")
    elif style == "phone":
        _set(message, f"{text}\n\nSent from my phone\n\n{wrote}{quote}")
    elif style == "bare":
        _set(message, f"{text}\n\n{by.name}\n")
    else:
        _set(message, f"{text}\n\n{by.name}\n\n{wrote}{quote}")


def _set(message: EmailMessage, text: str) -> None:
    message.set_content(text, cte="7bit" if text.isascii() and _short(text) else "quoted-printable")


def _short(text: str) -> bool:
    return all(len(line) < 900 for line in text.splitlines())  # RFC 5322 2.1.1 allows 998


def _lines(answered: Letter) -> list[str]:
    text = re.sub(r"<[^>]*>", "", answered.text) if answered.html else answered.text
    return text.strip("\n").splitlines()[:_QUOTED_LINES]


def _html(text: str, by: Writer, block: dict[str, str], before: list[str]) -> str:
    paragraphs = "".join(
        f'<p class="MsoNormal">{escape(line) or "&nbsp;"}</p>\n' for line in (*text.splitlines(), "", by.name)
    )
    head = "<br>\n".join(f"<b>{name}:</b> {escape(value)}" for name, value in block.items())
    return (
        "<html><head><style>p.MsoNormal {margin:0cm;}</style></head><body>\n"
        f"{paragraphs}"
        '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">\n'
        f'<p class="MsoNormal">{head}</p></div>\n{_paragraphs(before)}</body></html>\n'
    )


def _paragraphs(lines: list[str]) -> str:
    return "".join(f'<p class="MsoNormal">{escape(line) or "&nbsp;"}</p>\n' for line in lines)
