"""A simulated company, the Dagster UI on it, and a real browser in front of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from sandbox import launcher
from sandbox.launcher import Running

PROJECT = Path(__file__).parents[2]
PICTURES = Path(os.environ.get("HUB_ARTIFACTS", PROJECT / "artifacts")) / "ui"
_RUNS = """query Runs($job: String!) {
  runsOrError(filter: {pipelineName: $job}) { ... on Runs { results { runId status } } } }"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """The running UI."""

    address: str
    home: Path
    process: subprocess.Popen[str]

    def runs(self, job: str) -> list[dict[str, str]]:
        """Runs of a job, newest first, as {runId, status}."""
        body = json.dumps({"query": _RUNS, "variables": {"job": job}}).encode()
        request = urllib.request.Request(
            f"{self.address}/graphql", data=body, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=20) as reply:
            answer: dict[str, Any] = json.load(reply)
        found: list[dict[str, str]] = answer["data"]["runsOrError"]["results"]
        return found

    def succeeded(self, job: str, count: int = 1, seconds: float = 120) -> None:
        """Wait until `count` runs of the job have ended well; a failed one fails the test."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            states = [run["status"] for run in self.runs(job)]
            assert "FAILURE" not in states, f"a run of {job} failed"
            if states.count("SUCCESS") >= count:
                return
            time.sleep(0.1)
        pytest.fail(f"{job} did not end within {seconds:.0f} s: {self.runs(job)}")


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Running]:
    running = launcher.up(tmp_path / "company", items=60)
    yield running
    launcher.down(running.directory)


@pytest.fixture
def served(company: Running, tmp_path: Path) -> Iterator[Served]:
    """The UI as `hub ui` serves it, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = tmp_path / "dagster"
    program = (
        "import sys; from pathlib import Path; from hub.ui import serve;"
        "sys.exit(serve(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))"
    )
    with (tmp_path / "ui.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(company.config), str(home), str(port)],
            cwd=PROJECT, stdout=log, stderr=log, text=True,
        )  # fmt: skip
    try:
        yield Served(address=_answering(f"http://127.0.0.1:{port}", process), home=home, process=process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(40)


def _answering(address: str, process: subprocess.Popen[str], seconds: float = 120) -> str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, "the UI ended by itself"
        try:
            with urllib.request.urlopen(f"{address}/server_info", timeout=5):
                return address
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the UI did not answer within {seconds:.0f} s")


@pytest.fixture
def page() -> Iterator[Page]:
    """A tab of a real browser."""
    chromium = shutil.which("chromium")
    if chromium is None:
        message = "chromium is not installed (Debian has it)"
        if os.environ.get("HUB_REQUIRE_ALL") == "1":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        # no sandbox of its own: build machines run as root, and only our own pages are opened
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_context(viewport={"width": 1500, "height": 1000}).new_page()
        tab.set_default_timeout(30_000)
        yield tab
        PICTURES.mkdir(parents=True, exist_ok=True)
        tab.screenshot(path=str(PICTURES / "last-page.png"))
        browser.close()
