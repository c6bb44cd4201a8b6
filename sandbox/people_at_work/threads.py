"""What the mails of a thread state about the work: who has it, how it stands, whose word is awaited. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import getaddresses

from sandbox.mail.reading import Letter

_ID = re.compile(r"<([^<>\s]+)>")
_STATED = re.compile(r"(Owner|Status|Approval requested from)\b:? *(.+)")
_ANSWERED = {"approved", "rejected"}
_QUOTED_FROM = "________________________________"  # what stands below is the earlier mail


@dataclass(slots=True)
class Thread:
    """A conversation as far as it was read: ``uid`` and ``last`` are those of the last mail that a person wrote."""

    subject: str
    uid: int = 0
    last: str = ""
    people: set[str] = field(default_factory=set)
    owner: str | None = None
    status: str | None = None
    approver: str | None = None

    def add(self, uid: int, id_: str, letter: Letter) -> None:
        """Read on: the next mail."""
        if self.last and letter.header("Auto-Submitted").lower() not in {"", "no"}:
            return  # nobody answers a machine (RFC 3834), nor does it state anything
        self.uid, self.last = uid, id_
        named = [letter.header(name) for name in ("From", "To", "Cc")]
        self.people |= {address.lower() for _, address in getaddresses([each for each in named if each])}
        lines = list(_fresh(letter.text))
        sender = next((address.lower() for _, address in getaddresses([letter.header("From")])), "")
        if lines and lines[0].lower() in _ANSWERED and sender == self.approver:
            self.approver = None
        for line in lines:
            stated = _STATED.fullmatch(line)
            address = next((each for _, each in getaddresses([stated[2]])), "").lower() if stated else ""
            if stated is None:
                continue
            if stated[1] == "Status":
                self.status = stated[2]
            elif "@" in address and stated[1] == "Owner":
                self.owner = address
            elif "@" in address:
                self.approver = address


def ids_of(letter: Letter) -> tuple[str, list[str]]:
    """Give a mail's own id and those it answers, oldest first; no own id where it has none."""
    own = _ID.findall(letter.header("Message-ID"))
    before = _ID.findall(f"{letter.header('References')} {letter.header('In-Reply-To')}")
    return (own[0] if own else ""), before


def _fresh(text: str) -> Iterator[str]:
    """Give the lines that were written for this mail, without empty ones."""
    for line in text.splitlines():
        if line.strip() == _QUOTED_FROM:
            return
        if line.strip() and not line.startswith(">"):
            yield line.strip()
