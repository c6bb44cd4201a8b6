"""One line per tool, and nothing loaded before it is used."""

import subprocess
import sys
from pathlib import Path

import pytest

from connectors.base import Connector
from connectors.registry import connect, pool
from hub.charter.secret import Secret
from hub.charter.sources import Source, Strict

ROOT = Path(__file__).parents[2]


class Holder(Strict):
    source: Source


STATED = {
    "salesforce": {
        "connection": {"domain": "acme", "client_id": "c", "client_secret": "env:S"},
        "objects": {"Case": {"title": "Subject"}},
    },
    "jira": {
        "connection": {"server": "https://acme.atlassian.net", "email": "hub@acme.example", "token": "env:S"},
        "projects": ["ACME"],
    },
    "airtable": {
        "connection": {"token": "env:S"},
        "base": "appHandoffHub0001",
        "items": {"table": "tblItems0000000001", "title": "fldTitle000000001", "owner": "fldOwner000000001"},
    },
    "rest": {
        "connection": {"base_url": "https://crm.acme.example", "secret": "env:S"},
        "streams": {"deals": {"path": "/deals", "modified": "updatedAt", "title": "name"}},
    },
    "mail": {
        "connection": {"host": "mail.acme.example", "user": "hub", "password": "env:S", "sender": "hub@acme.example"}
    },
}


@pytest.mark.parametrize("tool", STATED)
def test_every_tool_of_the_charter_has_a_connector_and_connecting_sends_nothing(tool):
    source = Holder.model_validate({"source": {"tool": tool, "partner": "acme", **STATED[tool]}}).source
    connector = connect(f"acme_{tool}", source, secret=lambda _: Secret("s"))
    assert isinstance(connector, Connector)
    assert connector.streams()
    assert (connector.calls, connector.writer) == (0, None)


def test_client_libraries_load_when_a_source_is_used():
    look = "import connectors.registry, sys; sys.exit(any(m in sys.modules for m in ('simple_salesforce', 'jira')))"
    assert subprocess.run([sys.executable, "-c", look], check=False, cwd=ROOT, timeout=60).returncode == 0


def test_pulls_of_one_source_take_turns():
    assert pool("acme_jira") == pool("acme_jira") != pool("acme_salesforce")
