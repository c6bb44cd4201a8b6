"""Delivery over IMAP itself: many messages to one APPEND, as fast as the server takes them."""

from __future__ import annotations

import imaplib
import re
import socket
from collections.abc import Iterable, Mapping
from itertools import groupby, islice

from imapclient import imap_utf7

from sandbox.mail.mailbox import INBOX, MailServerFailed, Message, owner_of

_AT_ONCE = 100  # messages in one MULTIAPPEND: pymap holds the whole command in memory


def append(port: int, logins: Mapping[str, str], messages: Iterable[Message]) -> int:
    """Append messages to their owners' folders, which are made when missing; gives their number.

    Order is kept within a mailbox. Raises MailServerFailed when the server refuses, OSError when it is gone.
    """
    stream = iter(messages)
    appenders: dict[str, _Appender] = {}
    delivered = 0
    try:
        while batch := list(islice(stream, _AT_ONCE)):
            for login, theirs in groupby(batch, key=lambda message: owner_of(message, logins)):
                if login not in appenders:
                    appenders[login] = _Appender(port, login, logins[login])
                for folder, these in groupby(theirs, key=lambda message: message.folder):
                    appenders[login].append(folder, list(these))
            delivered += len(batch)
    finally:
        for appender in appenders.values():
            appender.close()
    return delivered


def mailbox_name(folder: str) -> str:
    """A folder's name as IMAP 4rev1 writes it: modified UTF-7 (RFC 3501 5.1.3)."""
    written: str = imap_utf7.encode(folder).decode("ascii")
    return written


class _Appender:
    """Sends MULTIAPPEND (RFC 3502) with non-synchronising literals (RFC 7888), which imaplib cannot."""

    def __init__(self, port: int, user: str, password: str) -> None:
        # Python's own client signs in; the socket is then ours.
        self._client = imaplib.IMAP4("127.0.0.1", port, timeout=60)
        # imaplib writes a literal and its line end apart; with Nagle's algorithm each would wait 40 ms.
        self._client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._client.login(user, password)
        except imaplib.IMAP4.error as error:
            self._client.shutdown()
            raise MailServerFailed(f"the IMAP server refused the sign-in of {user}: {error}") from error
        self._made = {INBOX}
        self._tag = 0

    def close(self) -> None:
        """Sign out; a server that is gone is no failure any more."""
        try:
            self._client.logout()
        except (OSError, imaplib.IMAP4.error):
            self._client.shutdown()

    def append(self, folder: str, messages: list[Message]) -> None:
        """Append to one folder. Raises MailServerFailed."""
        quoted = '"' + mailbox_name(folder).replace("\\", "\\\\").replace('"', '\\"') + '"'
        if folder.upper() != INBOX and folder not in self._made:
            self._client.create(quoted)  # NO when it is there already
            self._made.add(folder)
        self._tag += 1
        tag = f"S{self._tag}".encode()
        parts = [tag, b" APPEND ", quoted.encode()]
        for message in messages:
            parts.append(f' "{message.at:%d-%b-%Y %H:%M:%S %z}" {{{len(message.raw)}+}}\r\n'.encode())
            parts.append(message.raw)
        parts.append(b"\r\n")
        self._client.send(b"".join(parts))
        while not (line := self._client.readline()).startswith(tag + b" "):
            if not line:
                raise MailServerFailed("the IMAP server hung up")
        if not re.match(rb"\S+ OK\b", line):
            raise MailServerFailed(f"the IMAP server refused a message: {line.decode(errors='replace').strip()}")
