"""Real mail servers: pymap, and Debian's Dovecot where it is installed; SMTP by aiosmtpd."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from imapclient import IMAPClient

from connectors.mail.connector import MailConnector, connect
from hub.charter.secret import Secret
from hub.charter.sources import MailSource
from sandbox.mail.dovecot import Dovecot, DovecotMissing

USER, PASSWORD = "handoffs@hub.example", "correct-horse"
HUB = "Handoff Hub <handoffs@hub.example>"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def mail(
    text: str,
    *,
    sender: str = "Ada Lovelace <ada@acme.example>",
    to: str = "Grace Hopper <grace@acme.example>",
    subject: str = "Autumn campaign: landing page",
    id: str = "root@acme.example",  # noqa: A002  the header's own name
    date: datetime | None = NOON,
    reply_to: str = "",
    references: str = "",
    headers: str = "",
) -> bytes:
    """A plain mail as bytes; `headers` are added as they are."""
    lines = [f"From: {sender}", f"To: {to}", f"Subject: {subject}"]
    lines += [f"Message-ID: <{id}>"] if id else []
    lines += [f"Date: {date:%a, %d %b %Y %H:%M:%S +0000}"] if date else []
    lines += [f"In-Reply-To: <{reply_to}>"] if reply_to else []
    lines += [f"References: {references}"] if references else []
    lines += ["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8"]
    head = "\r\n".join(lines) + "\r\n" + (headers + "\r\n" if headers else "")
    return head.encode() + b"\r\n" + text.replace("\n", "\r\n").encode()


@dataclass(frozen=True, slots=True)
class Server:
    """A running IMAP server; folders are made per test."""

    kind: str
    port: int
    user: str

    def client(self) -> IMAPClient:
        """A connection of the test's own, as a person's mail program would have."""
        client = IMAPClient("127.0.0.1", port=self.port, ssl=False, timeout=10)
        # literal and line end go out in two writes, which delayed acknowledgements would hold back
        client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.normalise_times = False
        client.login(self.user, PASSWORD)
        return client


@dataclass(slots=True)
class Folder:
    """One folder of the test, with the test's own connection to it."""

    server: Server
    name: str
    client: IMAPClient

    def add(self, raw: bytes, at: datetime = NOON) -> None:
        """Deliver a message with this receipt time."""
        self.client.append(self.name, raw, (), at)

    def recreate(self) -> None:
        """Delete the folder and make it anew: its UIDVALIDITY changes."""
        self.client.delete_folder(self.name)
        self.client.create_folder(self.name)

    def source(self, **connection: object) -> MailSource:
        """The charter's entry for this folder."""
        values: dict[str, object] = {
            "host": "127.0.0.1",
            "port": self.server.port,
            "tls": False,
            "user": self.server.user,
            "password": "env:MAIL_PASSWORD",
            "folder": self.name,
            "sender": HUB,
        }
        return MailSource.model_validate(
            {"tool": "mail", "partner": "studio", "writable": True, "connection": values | connection}
        )

    def connector(self, **connection: object) -> MailConnector:
        """A connector on this folder."""
        made = connect("ops_mail", self.source(**connection), lambda _: Secret(PASSWORD))
        assert isinstance(made, MailConnector)
        return made


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(400):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    pytest.fail(f"the mail server did not start (exit {process.poll()})")


def _pymap(directory: Path) -> tuple[subprocess.Popen[bytes], int]:
    port = _free_port()
    command = [sys.executable, "-c", "from pymap.main import main; main()", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--no-tls", "dict", "--demo-user", USER, "--demo-password", PASSWORD]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=directory), port


@pytest.fixture(scope="session", params=["pymap", pytest.param("dovecot", marks=pytest.mark.dovecot)])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A real IMAP server: each test runs on pymap, and on Dovecot where it is installed."""
    # pytest's own directories are closed to the user that Dovecot changes to
    with tempfile.TemporaryDirectory(prefix="mail-") as directory:
        yield from _running(request.param, Path(directory))


def _running(kind: str, directory: Path) -> Iterator[Server]:
    if kind == "dovecot":
        directory.chmod(0o755)
        try:
            dovecot = Dovecot({USER: PASSWORD}, directory=directory / "mail")
        except DovecotMissing as missing:
            if os.environ.get("HUB_REQUIRE_ALL") == "1":
                pytest.fail(str(missing))
            pytest.skip(str(missing))
        with dovecot:
            yield Server(kind, dovecot.port, USER)
        return
    process, port = _pymap(directory)
    try:
        _wait_for(port, process)
        yield Server(kind, port, USER)
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def folder(server: Server) -> Iterator[Folder]:
    """A fresh, empty folder."""
    client = server.client()
    name = f"test-{uuid.uuid4().hex[:12]}"
    client.create_folder(name)
    yield Folder(server, name, client)
    client.logout()


class Line:
    """A relay in front of a server: keeps what the client `said`, can be cut, can answer as a web server."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.html = False
        self.said = bytearray()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self.html:
                    near.sendall(b"<html><body>Welcome</body></html>\r\n")
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._to))
                self._open += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._relay, args=(one, other), daemon=True).start()

    def _relay(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65_536):
                if one.getsockname()[1] == self.port:
                    self.said += data
                other.sendall(data)

    def cut(self) -> None:
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@pytest.fixture
def line(server: Server) -> Iterator[Line]:
    """A relay in front of the IMAP server."""
    made = Line(server.port)
    yield made
    made.cut()


class AnyPort(Controller):
    """A controller on a port that the system picks."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@dataclass(slots=True)
class Post:
    """An SMTP server that delivers mail for the hub into the folder and remembers every envelope.

    `refused` answers RCPT per address, `data_answers` the next DATA commands in turn ("drop": take the mail and
    cut the line); `deliver` False holds mail back.
    """

    port: int
    envelopes: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    data_answers: list[str] = field(default_factory=list)
    deliver: bool = True


@pytest.fixture
def post(folder: Folder) -> Iterator[Post]:
    """A real SMTP server that hands mail for the hub to the folder."""

    class Handler:
        async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802  aiosmtpd's hook
            if address in state.refused:
                return state.refused[address]
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server, session, envelope):  # noqa: N802  aiosmtpd's hook
            answer = state.data_answers.pop(0) if state.data_answers else "250 OK"
            if answer.startswith("250") or answer == "drop":
                state.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
                if state.deliver and USER in envelope.rcpt_tos:
                    folder.add(envelope.content, datetime.now(UTC))
            if answer == "drop":
                server.transport.abort()
            return answer

    controller = AnyPort(Handler(), hostname="127.0.0.1", port=0)
    controller.start()
    state = Post(controller.port)
    yield state
    controller.stop()


@pytest.fixture(name="mail")
def _mail() -> Callable[..., bytes]:
    """The builder of plain mails."""
    return mail
