"""What `hub ui` prepares, what its report server gives away, and how it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.ui import commands, prepare_home, serve_reports, start, stop_all

PROJECT = Path(__file__).parents[2]


def test_a_new_home_gets_the_settings_of_the_project_once(tmp_path: Path) -> None:
    home = tmp_path / "dagster"
    assert prepare_home(home)
    settings = (home / "dagster.yaml").read_text(encoding="utf-8")
    assert "telemetry:\n  enabled: false" in settings
    (home / "dagster.yaml").write_text("# changed by the operator\n", encoding="utf-8")
    assert not prepare_home(home)
    assert (home / "dagster.yaml").read_text(encoding="utf-8") == "# changed by the operator\n"


def test_the_servers_listen_on_this_machine_only() -> None:
    webserver = commands(3000)[0]
    assert webserver[webserver.index("-h") + 1] == "127.0.0.1"


@pytest.fixture
def reports(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "artifacts"
    (folder / "inner").mkdir(parents=True)
    (folder / "report-1.html").write_text("<p>report", encoding="utf-8")
    (folder / "inner" / "other.html").write_text("<p>other", encoding="utf-8")
    (folder / ".hidden.html").write_text("hidden", encoding="utf-8")
    (folder / "hub.sqlite").write_text("secret", encoding="utf-8")
    (tmp_path / "charter.html").write_text("secret", encoding="utf-8")
    server = serve_reports(folder)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_report_is_served_without_being_kept_or_guessed_at(reports: str) -> None:
    with urllib.request.urlopen(f"{reports}/report-1.html", timeout=10) as reply:
        assert reply.read() == b"<p>report"
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    ["/", "/hub.sqlite", "/inner/", "/inner/other.html", "/.hidden.html", "/../charter.html", "/%2e%2e/charter.html"],
)
def test_nothing_but_reports_is_served(reports: str, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(reports + path, timeout=10)
    assert refused.value.code == 404


def test_a_child_that_does_not_want_to_stop_is_stopped_with_its_children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.ui.PATIENCE", 0.2)
    stubborn = (
        "import signal, subprocess, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print('ready', flush=True)\n"
        "child.wait()\n"
    )
    child = start([sys.executable, "-c", stubborn], {}, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    stop_all([child])
    assert child.returncode == -signal.SIGKILL
    assert child.stdout.read() == b""  # ends only when the grandchild, which holds the pipe too, is gone


def test_a_server_that_cannot_start_ends_the_command(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "hub.yaml").write_text("charter: charter.yaml\n", encoding="utf-8")
    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text("no_such_setting: 1\n", encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = "import sys; from pathlib import Path; from hub.ui import serve; sys.exit(serve(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))"  # noqa: E501  one program
    done = subprocess.run(
        [sys.executable, "-c", program, str(config), str(home), str(port)],
        cwd=PROJECT, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 4
