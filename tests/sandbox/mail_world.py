"""A small post office inside the test process: real IMAP and SMTP servers, and the control port."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import smtplib
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import requests
from imapclient import IMAPClient

from sandbox.clock import VirtualClock
from sandbox.mail import open_mailbox, smtp
from sandbox.mail.mailbox import Mailbox, logins_of, stored
from sandbox.store import Store
from sandbox.web import Simulation, serve, simulation

SPACE = "ops_mail"
HUB, ADA, BOB = "handoffs@hub.example", "ada@acme.example", "bob@northwind.example"
SECRET = "correct horse: staple"  # with what a careless file format would stumble over
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@contextmanager
def open_directory() -> Iterator[Path]:
    """A directory that other accounts may enter, as pytest's own are not: Dovecot does not run as root."""
    with tempfile.TemporaryDirectory(prefix="post-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        yield directory


def letter(subject: str, text: str = "Hello\n", *, sender: str = ADA, to: str = HUB, **headers: str) -> EmailMessage:
    """A plain mail."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"] = f"<{subject.replace(' ', '-')}@acme.example>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def document(number: int, raw: bytes, **extra: str) -> tuple[str, str, dict[str, Any]]:
    """A message of the world as the store keeps it, an hour later for each number."""
    at = NOON + timedelta(hours=number, seconds=number)
    doc = {"id": f"m{number}@acme.example", "raw": base64.b64encode(raw).decode(), "date": at.isoformat(), **extra}
    return doc["id"], at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), doc


def fill(store: Store, **settings: Any) -> None:
    """Three logins, mails in several folders, one of them large and one in another character set."""
    logins = [(who, {"_id": who, "password": SECRET}) for who in (HUB, ADA, BOB)]
    store.put(SPACE, "_login", [(who, "2026-01-01", doc) for who, doc in logins])
    if settings:
        store.put(SPACE, "_settings", [("mail", "2026-01-01", settings)])
    raws = [letter(f"news {n}", f"line {n}\n" * (1 + 3000 * (n == 4))).as_bytes(policy=EOL) for n in range(6)]
    raws[2] = "Subject: Grüße\r\nFrom: zoë@acme.example\r\n\r\nschön\r\n".encode()
    where = [{}, {}, {}, {"mailbox": "Archive.2026"}, {"mailbox": "Entwürfe"}, {"login": ADA}]
    store.put(SPACE, "message", [document(n, raw, **where[n]) for n, raw in enumerate(raws)])


EOL = EmailMessage().policy.clone(linesep="\r\n")


@dataclass(frozen=True, slots=True)
class PostOffice:
    """A running post office."""

    store: Store
    mailbox: Mailbox
    shared: Simulation
    smtp_port: int
    control: str

    def imap(self, user: str = HUB) -> IMAPClient:
        """A signed-in client."""
        return signed_in(self.mailbox, user)

    def smtp(self) -> smtplib.SMTP:
        """A fresh SMTP conversation."""
        return smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=10)

    def order(self, fault: str, **order: Any) -> None:
        """Order a fault of the SMTP server."""
        answer = requests.post(f"{self.control}/faults", json={"tool": "smtp", "fault": fault, **order}, timeout=10)
        assert answer.status_code == 201, answer.text

    def journal(self) -> list[dict[str, Any]]:
        """What the SMTP server was asked."""
        entries: list[dict[str, Any]] = requests.get(f"{self.control}/journal?tool=smtp", timeout=10).json()
        return entries

    def kept(self, to: str = "") -> list[dict[str, Any]]:
        """The envelopes, newest first."""
        envelopes: list[dict[str, Any]] = requests.get(f"{self.control}/mail", params={"to": to}, timeout=10).json()
        return envelopes

    def subjects(self, user: str = HUB, folder: str = "INBOX") -> list[str]:
        """The subjects in a folder, oldest first."""
        client = self.imap(user)
        client.select_folder(folder, readonly=True)
        uids = client.search()
        found = client.fetch(uids, ["ENVELOPE"]) if uids else {}
        client.logout()
        return [(found[uid][b"ENVELOPE"].subject or b"").decode() for uid in sorted(found)]


def signed_in(mailbox: Mailbox, user: str = HUB) -> IMAPClient:
    """A client of a mailbox."""
    client = IMAPClient("127.0.0.1", port=mailbox.port, ssl=False, timeout=10)
    client.normalise_times = False
    client.login(user, SECRET)
    return client


@contextmanager
def mail_server(kind: str, directory: Path, store: Store, **options: Any) -> Iterator[Mailbox]:
    """An IMAP server loaded with a store's messages."""
    logins = logins_of(store, SPACE, user=HUB, password=SECRET)
    with open_mailbox(kind, logins, directory=directory, **options) as mailbox:
        mailbox.load(stored(store.scan(SPACE, "message")))
        yield mailbox


@contextmanager
def post_office(kind: str = "pymap", **settings: Any) -> Iterator[PostOffice]:
    """Everything together, on a clock that stands at noon."""
    clock = VirtualClock()
    clock.freeze()
    clock.set(NOON + timedelta(days=30))
    shared = simulation(clock)
    with open_directory() as directory:
        store = Store(directory / "world.sqlite")
        fill(store, **settings)
        with mail_server(kind, directory, store) as mailbox, _serving(store, mailbox, shared) as (port, control):
            yield PostOffice(store, mailbox, shared, port, control)
        store.close()


@contextmanager
def _serving(store: Store, mailbox: Mailbox, shared: Simulation) -> Iterator[tuple[int, str]]:
    loop, stop, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    told: dict[str, Any] = {}
    post = smtp.Post(store, SPACE, mailbox, clock=shared.clock, journal=shared.journal, faults=shared.faults)

    async def run() -> None:
        listening = await smtp.serve(post)
        told["smtp"] = listening.sockets[0].getsockname()[1]

        def announce(addresses: Mapping[str, str]) -> None:
            told.update(addresses)
            ready.set()

        await serve(store, {"mail": SPACE}, shared=shared, ready=announce, stop=stop)
        listening.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    assert ready.wait(20), "the servers did not start"
    yield told["smtp"], told["control"]
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    loop.close()


def require_dovecot(kind: str = "dovecot") -> None:
    """Skip, or fail where everything is required, when the server of that kind is not installed."""
    if kind != "dovecot" or shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin:/usr/bin"):
        return
    if os.environ.get("HUB_REQUIRE_ALL") == "1":
        pytest.fail("dovecot is not installed")
    pytest.skip("dovecot is not installed")
