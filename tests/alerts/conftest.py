"""Real receivers: an SMTP server that keeps envelopes, a web hook that keeps requests, a fresh ledger."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from hub.charter.model import Charter
from hub.charter.secret import Secret
from hub.domain.findings import Finding
from hub.ledger.ledger import Ledger

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class AnyPort(Controller):
    """A controller on a port that the system picks."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@dataclass(slots=True)
class Post:
    """What the SMTP server got. `refused` answers RCPT per address, `answers` the next DATA commands in turn."""

    port: int
    envelopes: list[tuple[list[str], bytes]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)

    @property
    def letters(self) -> list[EmailMessage]:
        """The mails, parsed."""
        return [message_from_bytes(raw, policy=policy.default) for _, raw in self.envelopes]  # type: ignore[misc]

    def to(self, address: str) -> list[EmailMessage]:
        """The mails to one address."""
        return [letter for letter in self.letters if letter["To"] == address]


@pytest.fixture
def post() -> Iterator[Post]:
    """A real SMTP server."""

    class Handler:
        async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802  aiosmtpd's hook
            if address in state.refused:
                return state.refused[address]
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server, session, envelope):  # noqa: N802  aiosmtpd's hook
            answer = state.answers.pop(0) if state.answers else "250 OK"
            if answer.startswith("250"):
                state.envelopes.append((list(envelope.rcpt_tos), envelope.content))
            if answer == "drop":
                server.transport.abort()
            return answer

    controller = AnyPort(Handler(), hostname="127.0.0.1", port=0)
    controller.start()
    state = Post(controller.port)
    yield state
    controller.stop()


@dataclass(slots=True)
class Hook:
    """What the web hook got; `statuses` answer the next requests in turn, then 200."""

    url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A real web hook for Apprise."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = state.statuses.pop(0) if state.statuses else 200
            if status == 200:
                state.requests.append(json.loads(body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
            """Nothing: the test looks at the requests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    state = Hook(f"json://127.0.0.1:{server.server_address[1]}/hook")
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """A fresh ledger, once on each database."""
    with Ledger.open(ledger_url) as opened:
        yield opened


def charter_with(port: int, **alerts: object) -> Charter:
    """A charter whose mailbox sends through the SMTP server on `port`."""
    source = {
        "tool": "mail",
        "partner": "acme",
        "connection": {
            "host": "127.0.0.1",
            "tls": False,
            "user": "hub",
            "password": "env:MAIL",
            "smtp_host": "127.0.0.1",
            "smtp_port": port,
            "sender": "Handoff Hub <hub@hub.example>",
        },
    }
    return Charter.model_validate(
        {
            "version": 1,
            "partners": {"acme": {"name": "Acme"}},
            "sources": {"ops_mail": source},
            "people": {
                "ada": {"name": "Ada Lovelace", "email": "ada@acme.example"},
                "grace": {"name": "Grace Hopper", "email": "grace@acme.example"},
                "bob": {"name": "Bob", "email": "bob@acme.example", "left": "2026-01-01"},
                "carol": {"name": "Carol"},
            },
            "decision_rights": {"owner_change": {"approvers": ["ada", "grace", "bob", "carol"]}},
            "alerts": {"mail_to": ["ada"], "via": "ops_mail", **alerts},
        }
    )


def finding(key: str, kind: str = "missed_handoff", **facts: Any) -> Finding:
    """A finding with the facts that matter to a message."""
    values: dict[str, Any] = {
        "key": key,
        "kind": kind,
        "item": f"item-{key}",
        "title": f"Banner {key}",
        "severity": "high",
        "summary": "Grace never accepted it",
        "rule": "handoffs.accept_within",
        "next_move": "Ask Grace to accept it",
        "next_who": "grace",
        "at": NOW,
    }
    return Finding(**(values | facts))


@pytest.fixture(name="charter_with")
def _charter_with() -> object:
    """The builder of charters."""
    return charter_with


@pytest.fixture(name="finding")
def _finding() -> object:
    """The builder of findings."""
    return finding


@pytest.fixture
def secrets(hook: Hook) -> object:
    """Resolves every reference: chat to the web hook, the rest to a password."""

    def resolve(reference: str) -> Secret:
        return Secret(hook.url if "CHAT" in reference else "secret")

    return resolve
