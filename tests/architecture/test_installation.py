"""The lock is complete, names no download address, and every locked package is bound to hashes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")


def test_what_is_installed_fits_together() -> None:
    result = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_binds_every_package_to_hashes_and_names_no_address(lock: str) -> None:
    text = (PROJECT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    entries = re.split(r"\n(?=\S)", text.strip())
    loose = [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry or "==" not in entry]
    assert loose == []


def test_every_declared_dependency_is_locked() -> None:
    declared = set(re.findall(r'^\s*"([A-Za-z0-9._-]+)[\[>=<]', (PROJECT / "pyproject.toml").read_text(), re.MULTILINE))
    locked = {
        name.lower() for name in re.findall(r"^([A-Za-z0-9._-]+)==", (PROJECT / LOCKS[1]).read_text(), re.MULTILINE)
    }
    runtime = {
        "dagster",
        "simple-salesforce",
        "jira",
        "pyairtable",
        "imapclient",
        "sqlalchemy",
        "duckdb",
        "ibis-framework",
    }
    assert runtime <= {name.lower() for name in declared}
    assert {name.lower().replace("_", "-").replace(".", "-") for name in declared} - {"handoff-hub"} <= locked
