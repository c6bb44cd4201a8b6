"""The Dagster UI on one configuration: webserver, daemon and the reports, in the foreground on 127.0.0.1."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from typing import Any

from hub.errors import ConfigurationError
from hub.settings import Settings

HOST = "127.0.0.1"
PROJECT = Path(__file__).resolve().parent.parent
#: Makes the tables of a new home, by one process alone: servers that do it at the same time damage its SQLite files.
_TABLES = (
    "from dagster import DagsterInstance as D; i = D.get(); i.run_storage, i.event_log_storage, i.schedule_storage"
)
TABLES = [sys.executable, "-c", _TABLES]
#: Shows in a new home what the ledger holds already. A process of its own: it loads what the servers load.
_LOOK = "from assets.first_look import look_at; from hub.definitions import defs; look_at(defs)"
FIRST_LOOK = [sys.executable, "-c", _LOOK]
#: The servers take this long to stop in the worst case; after that they are killed.
PATIENCE = 20.0


def serve(config: Path, home: Path, port: int) -> int:
    """Serve the UI of a configuration directory until Ctrl-C or SIGTERM, then stop everything that was started.

    `home` holds Dagster's own state and gets `deploy/dagster.yaml` when it has no settings yet. Returns 0 when
    asked to stop, 4 when a server ended by itself. Raises ConfigurationError before anything is started.
    """
    settings = Settings.load(config)
    fresh = prepare_home(home)
    stop = threading.Event()
    previous = {s: signal.signal(s, partial(_ask_to_stop, stop)) for s in (signal.SIGINT, signal.SIGTERM)}
    reports = serve_reports(settings.artifacts)
    environment = {
        **os.environ,
        "HUB_CONFIG": str(settings.directory),
        "DAGSTER_HOME": str(home.resolve()),
        "HUB_REPORT_URL": settings.report_url or f"http://{HOST}:{reports.server_port}",
    }
    children: list[subprocess.Popen[bytes]] = []
    look: subprocess.Popen[bytes] | None = None
    try:
        if fresh:
            subprocess.run(TABLES, env=environment, cwd=PROJECT, check=True)  # noqa: S603  our own constants
        children += [start(command, environment) for command in commands(port)]
        look = start(FIRST_LOOK, environment) if fresh else None
        print(f"Dagster UI: http://{HOST}:{port}/assets (ready in half a minute); stop with Ctrl-C", flush=True)  # noqa: T201  the address is this command's output
        while not stop.wait(0.5):
            if any(child.poll() is not None for child in children):
                return 4
        return 0
    finally:
        stop_all([*children, *([look] if look is not None else [])])
        reports.shutdown()
        reports.server_close()
        for number, handler in previous.items():
            signal.signal(number, handler)


def prepare_home(home: Path) -> bool:
    """Creates Dagster's home with the project's settings, and says whether it did; an existing one is kept."""
    template = PROJECT / "deploy" / "dagster.yaml"
    if not template.is_file():
        raise ConfigurationError(
            f"{template} is missing", hint="run the UI from a checkout of the project, or deploy as in docs/guides"
        )
    home.mkdir(parents=True, exist_ok=True)
    if (home / "dagster.yaml").exists():
        return False
    shutil.copyfile(template, home / "dagster.yaml")
    return True


def commands(port: int) -> list[list[str]]:
    """Command lines of the two servers."""
    workspace = ["-w", str(PROJECT / "workspace.yaml")]
    return [
        [sys.executable, "-m", "dagster_webserver", "-h", HOST, "-p", str(port), *workspace, "--log-level", "warning"],
        [sys.executable, "-m", "dagster._daemon", "run", *workspace, "--log-level", "warning"],
    ]


def start(command: list[str], environment: dict[str, str], stdout: int | None = None) -> subprocess.Popen[bytes]:
    """A child in a session of its own, so that Ctrl-C reaches this process first and servers stop in order."""
    return subprocess.Popen(command, env=environment, cwd=PROJECT, stdout=stdout, start_new_session=True)  # noqa: S603  our own constants


def stop_all(children: list[subprocess.Popen[bytes]]) -> None:
    """Ask every child to stop, wait, and kill the process groups that do not."""
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        try:
            child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def serve_reports(folder: Path) -> ThreadingHTTPServer:
    """Serves report files of `folder` read-only on an ephemeral port of 127.0.0.1, in a thread."""
    server = ThreadingHTTPServer((HOST, 0), partial(_Reports, directory=str(folder)))
    threading.Thread(target=server.serve_forever, name="reports", daemon=True).start()
    return server


class _Reports(SimpleHTTPRequestHandler):
    """Reports only: no listing, no other files, no log on the console."""

    def send_head(self) -> Any:
        """The file, when it is a report or table directly in the folder."""
        name = self.path.split("?", 1)[0].removeprefix("/")
        if "/" in name or name.startswith(".") or not name.endswith((".html", ".csv")):
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        return super().send_head()

    def end_headers(self) -> None:
        """Adds what keeps a browser from guessing types and from using old copies."""
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name is the base class's
        """Nothing: requests for reports are not news."""


def _ask_to_stop(stop: threading.Event, number: int, frame: FrameType | None) -> None:
    stop.set()
