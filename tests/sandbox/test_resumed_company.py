"""A company that was stopped goes on where it was: ports, documents, delivered mail, and its own configuration."""

from __future__ import annotations

import imaplib
import os
import signal
import smtplib
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
import requests

from sandbox import launcher
from sandbox.world.people import HUB_ADDRESS


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "company"
    launcher.down(tmp_path / "company")


def host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)


def deliver(running: launcher.Running, subject: str, to: str = HUB_ADDRESS) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "ada@acme.example", to, subject
    message.set_content("Hello")
    with smtplib.SMTP(*host_and_port(running.addresses["smtp"]), timeout=10) as client:
        client.send_message(message)


def subjects(running: launcher.Running) -> list[str]:
    client = imaplib.IMAP4(*host_and_port(running.addresses["imap"]), timeout=10)
    client.login(HUB_ADDRESS, (running.directory / "secrets" / "mail_password").read_text())
    client.select("INBOX", readonly=True)
    _, found = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    client.logout()
    return sorted(part[1].decode().strip() for part in found if isinstance(part, tuple))


def envelopes(running: launcher.Running, to: str) -> list[str]:
    letters = requests.get(f"{running.addresses['control']}/mail", params={"to": to}, timeout=10).json()
    return [dict(letter["headers"])["Subject"] for letter in letters]


def test_a_resumed_company_is_the_one_that_was_stopped(directory: Path) -> None:
    first = launcher.up(directory, seed=3, items=2)
    deliver(first, "delivered before")
    deliver(first, "told to grace", to="grace@studio.example")
    before = subjects(first)
    assert "Subject: delivered before" in before
    (directory / "config" / "charter.yaml").write_text("# changed by its owner\n")
    requests.post(f"{first.addresses['control']}/clock", json={"advance": 7200}, timeout=10).raise_for_status()
    assert launcher.down(directory)

    again = launcher.resume(directory)

    assert again.addresses == first.addresses
    assert launcher.status(directory) == again
    clock = requests.get(f"{again.addresses['control']}/clock", timeout=10).json()
    assert clock["offset_seconds"] == pytest.approx(7200, abs=1)
    assert subjects(again) == before
    assert envelopes(again, "grace@studio.example") == ["told to grace"]
    assert (directory / "config" / "charter.yaml").read_text() == "# changed by its owner\n"
    deliver(again, "delivered after", to="grace@studio.example")
    assert envelopes(again, "grace@studio.example") == ["delivered after", "told to grace"]


def test_a_running_company_is_not_resumed_and_a_missing_one_is_named(directory: Path) -> None:
    with pytest.raises(launcher.UnusableInput, match="no stopped simulated company"):
        launcher.resume(directory)
    launcher.up(directory, seed=3, items=2)
    with pytest.raises(launcher.CompanyRuns, match="already runs") as caught:
        launcher.resume(directory)
    assert str(directory) in caught.value.hint


@pytest.mark.parametrize("server", ["jira", "imap", "smtp"])
def test_a_taken_port_is_named(directory: Path, server: str) -> None:
    running = launcher.up(directory, seed=3, items=2)
    launcher.down(directory)
    port = int(running.addresses[server].rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        with pytest.raises(launcher.SandboxError, match=f"port {port}, where its {server} server was, is taken"):
            launcher.resume(directory)
        assert launcher.status(directory) is None
    assert launcher.resume(directory).addresses == running.addresses


def test_a_configuration_of_somebody_else_is_never_overwritten(directory: Path) -> None:
    (directory / "config").mkdir(parents=True)
    (directory / "config" / "charter.yaml").write_text("version: 1\n")
    with pytest.raises(launcher.UnusableInput, match="not a simulated company's"):
        launcher.up(directory, seed=3, items=2)
    assert (directory / "config" / "charter.yaml").read_text() == "version: 1\n"


def test_a_company_that_does_not_start_leaves_the_earlier_one_as_it_was(directory: Path) -> None:
    first = launcher.up(directory, seed=3, items=2)
    requests.post(f"{first.addresses['control']}/clock", json={"advance": 7200}, timeout=10).raise_for_status()
    os.killpg(first.pid, signal.SIGKILL)  # not even a goodbye
    world = directory.parent / "world.yaml"
    world.write_text("spaces: nonsense\n", encoding="utf-8")
    while launcher.status(directory) is not None:
        pass
    with pytest.raises(launcher.SandboxError):
        launcher.up(directory, world=world)
    again = launcher.resume(directory)
    assert again.addresses == first.addresses
    clock = requests.get(f"{again.addresses['control']}/clock", timeout=10).json()
    assert clock["offset_seconds"] == pytest.approx(7200, abs=1)
    status = requests.get(f"{again.addresses['control']}/status", timeout=10).json()
    assert status["documents"]["jira"]["user"] > 0
