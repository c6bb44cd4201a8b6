"""The import contract holds, and a planted bad import breaks it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
ROOMS = ("hub", "connectors", "reconciliation", "assets", "sandbox")


def _contract(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(directory), "COLUMNS": "200"},
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the source tree to plant imports in."""
    for room in ROOMS:
        shutil.copytree(PROJECT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contract_holds(copy: Path) -> None:
    result = _contract(copy)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("room", "bad"),
    [
        ("hub/domain/records.py", "import hub.charter.model"),
        ("reconciliation/run.py", "import hub.ledger.ledger"),
        ("reconciliation/run.py", "import random"),
        ("connectors/jira/parse.py", "import connectors.airtable.parse"),
        ("connectors/jira/parse.py", "import hub.flow.ingest"),
        ("hub/flow/ingest.py", "import connectors.registry"),
        ("hub/flow/ingest.py", "import sqlalchemy"),
        ("sandbox/store.py", "import hub.domain.records"),
        ("connectors/registry.py", "import sandbox"),
        ("connectors/jira/write.py", "import connectors.transport"),
    ],
)
def test_a_planted_import_breaks_it(copy: Path, room: str, bad: str) -> None:
    path = copy / room
    path.write_text(path.read_text(encoding="utf-8") + f"\n{bad}\n", encoding="utf-8")
    assert _contract(copy).returncode == 1
