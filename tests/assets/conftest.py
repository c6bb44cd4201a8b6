"""A configuration directory whose tools are all down: enough to load, and to see what failing looks like."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

CHARTER = """\
version: 1
partners: {{acme: {{name: Acme}}}}
sources:
  acme_jira:
    tool: jira
    partner: acme
    writable: true
    connection: {{server: "http://127.0.0.1:{port}", email: hub@acme.example, token: "file:token"}}
    projects: [ACME]
    fields: {{phase: customfield_10010}}
  studio_jira:
    tool: jira
    partner: acme
    pool: jira_site
    connection: {{server: "http://127.0.0.1:{port}", email: hub@acme.example, token: "file:token"}}
    projects: [STUDIO]
people:
  ada: {{name: Ada Lovelace, email: ada@acme.example, partner: acme}}
decision_rights:
  owner_change: {{approvers: [ada]}}
"""


@pytest.fixture
def dead_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def config(tmp_path: Path, dead_port: int) -> Path:
    """A valid configuration with two sources that do not answer."""
    directory = tmp_path / "config"
    directory.mkdir()
    (directory / "hub.yaml").write_text("database: sqlite:///ledger.sqlite\n", encoding="utf-8")
    (directory / "charter.yaml").write_text(CHARTER.format(port=dead_port), encoding="utf-8")
    (directory / "token").write_text("secret-token\n", encoding="utf-8")
    return directory
