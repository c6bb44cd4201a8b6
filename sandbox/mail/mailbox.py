"""What a mail server of the simulated company can do, whichever program it is, and the messages it is given."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Protocol, Self

from sandbox.store import Store

INBOX = "INBOX"
LOGINS = "_login"


class MailServerFailed(RuntimeError):
    """The IMAP server did not start or refused a message; the text says why, and what to do where that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as it arrives: its bytes, the time of arrival (aware), the folder, and whose mailbox it is for.

    ``login`` is empty for the company's shared mailbox, the first login. ``id`` is the store's id of the message,
    by which a server that keeps its mail knows what it holds already.
    """

    raw: bytes
    at: datetime
    folder: str = INBOX
    login: str = ""
    id: str = ""


class Mailbox(Protocol):
    """A running IMAP server on loopback; use as a context manager, or call ``close``."""

    @property
    def port(self) -> int:
        """The port on 127.0.0.1, without TLS."""

    @property
    def logins(self) -> Mapping[str, str]:
        """Password by address; the first is the shared mailbox."""

    def load(self, messages: Iterable[Message]) -> int:
        """Fill it with a world, keeping the order; what it kept from an earlier life is left alone.

        Gives the number of messages added. Raises MailServerFailed.
        """

    def append(self, messages: Iterable[Message]) -> int:
        """Deliver messages in the order given, seen at once by clients that wait; gives their number.

        Raises MailServerFailed, or OSError when the server is gone.
        """

    def alive(self) -> bool:
        """Tell whether the server still runs."""

    def close(self) -> None:
        """Stop the server."""

    def __enter__(self) -> Self:
        """Give the running server."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""


def stored(docs: Iterable[dict[str, Any]]) -> Iterator[Message]:
    """Read the store's message documents: ``raw`` (base64), ``date``, and perhaps ``mailbox`` and ``login``."""
    for doc in docs:
        at = datetime.fromisoformat(doc["date"])
        yield Message(
            raw=base64.b64decode(doc["raw"]),
            at=at if at.tzinfo else at.replace(tzinfo=UTC),
            folder=doc.get("mailbox") or INBOX,
            login=doc.get("login", ""),
            id=str(doc.get("id", "")),
        )


def logins_of(store: Store, space: str, *, user: str, password: str) -> dict[str, str]:
    """Password by address of everybody with a mailbox: the given one first, then the world's ``_login`` documents."""
    logins = {user.lower(): password}
    for doc in store.scan(space, LOGINS):
        address = str(doc.get("_id") or doc.get("id") or "").lower()
        if address and doc.get("password"):
            logins.setdefault(address, str(doc["password"]))
    return logins


def owner_of(message: Message, logins: Mapping[str, str]) -> str:
    """Whose mailbox a message is for. Raises MailServerFailed when it names nobody who has one."""
    login = message.login.lower() or next(iter(logins))
    if login not in logins:
        raise MailServerFailed(f"a message is for {login}, who has no mailbox; add a `_login` document for it")
    return login
