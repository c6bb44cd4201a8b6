"""Every fault is documented as it is, and proven by name on every tool it strikes."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from sandbox.faults.catalogue import CATALOGUE

PROJECT = Path(__file__).parents[2]
TESTS = PROJECT / "tests" / "sandbox"
PROVEN_IN = {
    "salesforce": ("test_mishaps_salesforce.py",),
    "jira": ("test_mishaps_jira.py",),
    "airtable": ("test_mishaps_airtable.py",),
}
ON_WIRE = ("test_faults_on_order.py", "test_faults_http.py")


def _tests_in(name: str) -> list[str]:
    tree = ast.parse((TESTS / name).read_text(encoding="utf-8"))
    return [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def test_every_fault_is_in_the_table_with_its_number_tools_and_settings() -> None:
    text = (PROJECT / "docs/sandbox/faults.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| \S+ \| `(\w+)` \| (.*) \|$", text, re.MULTILINE))
    assert list(rows) == list(CATALOGUE)
    for name, known in CATALOGUE.items():
        assert rows[name].startswith(f"{', '.join(known.tools)} | {known.says}")
        for setting in known.settings:
            assert f"`{setting}=" in rows[name]


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_fault_has_a_test_of_its_name_for_every_tool_it_strikes(name: str) -> None:
    known = CATALOGUE[name]
    files = [ON_WIRE] if known.on_wire else [PROVEN_IN[tool] for tool in known.tools]
    words = {"status": "refusal", "down": "down", "truncate": "truncated", "html": "html"}
    for group in files:
        names = [test for file in group for test in _tests_in(file)]
        assert any(words.get(name, name) in test for test in names), f"{name} has no test in {' or '.join(group)}"
