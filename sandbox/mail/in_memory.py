"""The demo's mail server: pymap in a process of its own, its mailboxes in memory, nothing to install."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Self

from sandbox.mail.appending import append
from sandbox.mail.mailbox import MailServerFailed, Message


class InMemory:
    """A running pymap (see `sandbox.mail.mailbox.Mailbox`). Forgets everything when it stops."""

    def __init__(self, logins: Mapping[str, str], *, port: int = 0) -> None:
        """Start the server on a loopback port (0: any); returns when it is known. Raises MailServerFailed."""
        self.logins = dict(logins)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.mail.imap_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise MailServerFailed("the IMAP server has no pipes")
        try:
            self._process.stdin.write(json.dumps({"logins": self.logins, "port": port}) + "\n")
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

    def load(self, messages: Iterable[Message]) -> int:
        """Deliver a world's messages; gives their number. Raises MailServerFailed."""
        return append(self.port, self.logins, messages)

    def append(self, messages: Iterable[Message]) -> int:
        """Deliver messages in the order given; gives their number. Raises MailServerFailed or OSError."""
        return append(self.port, self.logins, messages)

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
