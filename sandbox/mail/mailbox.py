"""Starts the IMAP server and fills it: messages arrive over IMAP itself, many to one APPEND."""

from __future__ import annotations

import base64
import imaplib
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from types import TracebackType
from typing import Any, Self

_AT_ONCE = 100  # messages in one MULTIAPPEND: pymap holds the whole command in memory


class MailServerFailed(RuntimeError):
    """The IMAP server did not start or refused a message."""


class Mailbox:
    """A running IMAP server with one user; use as a context manager, or call ``close``."""

    def __init__(self, user: str, password: str, *, port: int = 0) -> None:
        """Start the server on a loopback port (0: any); returns when it is known. Raises MailServerFailed."""
        self.user = user
        self._password = password
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.mail.imap_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise MailServerFailed("the IMAP server has no pipes")
        try:
            self._process.stdin.write(json.dumps({"user": user, "password": password, "port": port}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise MailServerFailed("the IMAP server ended at once") from error
        told = self._process.stdout.readline()
        if not told.strip().isdigit():
            self.close()
            raise MailServerFailed(told.strip() or "the IMAP server did not start")
        self.port = int(told)

    def __enter__(self) -> Self:
        """Give the running server."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        self.close()

    def alive(self) -> bool:
        """Tell whether the server still runs."""
        return self._process.poll() is None

    def append(self, messages: Iterable[Message]) -> int:
        """Deliver messages in the order given; gives their number. Raises MailServerFailed."""
        stream = iter(messages)
        delivered = 0
        if (batch := list(islice(stream, _AT_ONCE))) == []:
            return 0
        with _Appender(self.port, self.user, self._password) as appender:
            while batch:
                appender.append(batch)
                delivered += len(batch)
                batch = list(islice(stream, _AT_ONCE))
        return delivered

    def close(self) -> None:
        """Stop the server; its mails are gone."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as it arrives: its bytes, the folder, and the time of arrival (UTC)."""

    raw: bytes
    at: datetime
    folder: str = "INBOX"


def stored(docs: Iterable[dict[str, Any]]) -> Iterator[Message]:
    """Read the store's message documents."""
    for doc in docs:
        at = datetime.fromisoformat(doc["date"])
        yield Message(
            raw=base64.b64decode(doc["raw"]),
            at=at if at.tzinfo else at.replace(tzinfo=UTC),
            folder=doc.get("mailbox", "INBOX"),
        )


class _Appender:
    """Sends MULTIAPPEND (RFC 3502) with non-synchronising literals (RFC 7888), which imaplib cannot."""

    def __init__(self, port: int, user: str, password: str) -> None:
        # Python's own client signs in; the socket is then ours.
        self._client = imaplib.IMAP4("127.0.0.1", port, timeout=60)
        # imaplib writes a literal and its line end apart; with Nagle's algorithm each would wait 40 ms.
        self._client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client.login(user, password)
        self._tag = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.logout()

    def append(self, messages: list[Message]) -> None:
        for folder in sorted({m.folder for m in messages}):
            if folder.upper() != "INBOX":
                self._client.create(folder)
            self._append(folder, [m for m in messages if m.folder == folder])

    def _append(self, folder: str, messages: list[Message]) -> None:
        self._tag += 1
        tag = f"S{self._tag}".encode()
        parts = [tag, b" APPEND ", f'"{folder}"'.encode()]
        for message in messages:
            parts.append(f' "{message.at:%d-%b-%Y %H:%M:%S +0000}" {{{len(message.raw)}+}}\r\n'.encode())
            parts.append(message.raw)
        parts.append(b"\r\n")
        self._client.send(b"".join(parts))
        while not (line := self._client.readline()).startswith(tag + b" "):
            if not line:
                raise MailServerFailed("the IMAP server hung up")
        if not re.match(rb"\S+ OK\b", line):
            raise MailServerFailed(f"the IMAP server refused a message: {line.decode(errors='replace').strip()}")
