"""`hub demo`: the same story for people and machines, and no server left however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import Hub


def demo(directory: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from hub.cli import main; main()", "demo", "--dir", str(directory), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def servers(directory: Path) -> list[str]:
    """Processes that serve this directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = process.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if f"sandbox\0--dir\0{directory}" in command:
            found.append(command)
    return found


def test_the_demo_tells_machines_what_it_tells_people(hub: Hub, tmp_path: Path) -> None:
    ran = hub("demo", "--items", "40", "--dir", tmp_path / "demo", "--json")
    assert ran.code == 0, ran.err
    assert ran.err == ""
    told = ran.data
    assert {
        "planted",
        "found",
        "precision",
        "recall",
        "plan",
        "applied",
        "verified",
        "second_plan_changes",
        "people",
        "seconds",
    } <= set(told)
    assert told["planted"] == told["found"]
    assert set(told["precision"].values()) == set(told["recall"].values()) == {1.0}
    assert told["plan"]["changes"] == told["applied"] == told["verified"] > 0
    assert told["second_plan_changes"] == 0
    # what people did meanwhile came in, and hardly anything else was asked for
    assert told["people"]["deeds"] > 15
    assert 0 < told["people"]["records"] <= told["people"]["deeds"]
    assert told["people"]["calls"] < told["calls"]
    assert told["seconds"]["total"] < 60
    assert Path(told["report"]).is_file()
    assert servers(tmp_path / "demo") == []

    again = demo(tmp_path / "demo", "--items", "40")
    assert again.stderr is not None
    for row in again.stderr:
        if "acme_jira" in row:
            break
    assert len(servers(tmp_path / "demo")) == 1
    again.send_signal(signal.SIGINT)
    _, said = again.communicate(timeout=20)
    assert again.returncode == 130
    assert "Traceback" not in said
    assert servers(tmp_path / "demo") == []


def test_a_demo_that_is_asked_to_end_while_it_starts_leaves_no_server(tmp_path: Path) -> None:
    process = demo(tmp_path / "demo", "--items", "2000")
    assert process.stderr is not None
    assert "starting the simulated company" in process.stderr.readline()
    os.kill(process.pid, signal.SIGTERM)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert servers(tmp_path / "demo") == []


def test_the_demo_empties_nothing_but_its_own(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "sandbox.log").write_text("")
    (tmp_path / "letters.txt").write_text("dear to me")
    ran = hub("demo", "--dir", tmp_path)
    assert ran.code == 2
    assert "holds something else: letters.txt" in ran.err
    assert (tmp_path / "letters.txt").read_text() == "dear to me"
