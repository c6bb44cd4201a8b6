"""An event log goes through four tools and a sync, and comes out as the log counts itself."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.real_input.independent_check import by_case, totals
from benchmarks.real_input.measure import Unfinished, company, synced_twice
from benchmarks.real_input.replay import differences, replay

MAP = "{case: ticket, time: when, actor: who, activity: what, group: team}"
COLUMNS = ("ticket", "when", "who", "what")
# T1: Ann > Bob > Ann within minutes, then Cid a day and a second later; the first two times are told in other zones.
# T2: Dora and Bob at one instant, in the tool of their team, out of the order of the alphabet; then two seconds later.
# T3: nobody else ever touches it. T4: opened and closed by Bob with an hour of Cid between, to the millisecond.
LOG = """\
ticket,when,who,what,team
T1,2024-03-01T10:00:00.250+01:00,Ann,Open,front
T1,2024-03-01T04:05:00-05:00,Bob,Assign,back
T1,2024-03-01T09:20:00.999Z,Ann,Look,front
T1,2024-03-02 09:20:02+00:00,Cid,Close,front
T2,2024-03-01T09:00:00,Ann,Open,front
T2,2024-03-05T09:00:00,Dora,Look,back
T2,2024-03-05T09:00:00,Bob,Look,back
T2,2024-03-05T09:00:02,Dora,Close,back
,2024-03-05T09:00:02,Dora,Close,back
T2,the day after,Dora,Close,back
T3,2024-03-01T09:00:00Z,Ann,Open,front
T3,2024-04-01T09:00:00Z,Ann,Close,front
T3,2024-04-01T09:00:00Z,,Close,front
T3,2024-04-02T09:00:00Z,Ann,,front
T4,2024-03-01T09:00:00.001Z,Bob,Open,back
T4,2024-03-02T09:00:00.001Z,Cid,Look,front
T4,2024-03-02T10:00:00.001Z,Bob,Close,back
"""
COUNTED = {"cases": 4, "events": 13, "handoffs": 8, "returns": 3, "late": 2}
DATA = Path(__file__).parents[3] / "shared" / "data" / "helpdesk_logs" / "helpdesk.csv.gz"


def written(place: Path, log: str = LOG, column_map: str = MAP) -> tuple[Path, Path]:
    """A gzipped log and its map."""
    paths = place / "log.csv.gz", place / "map.yaml"
    with gzip.open(paths[0], "wt", encoding="utf-8") as file:
        file.write(log)
    paths[1].write_text(column_map, encoding="utf-8")
    return paths


def hub(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-c", "from hub.cli import main; main()", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_the_check_counts_as_people_do(tmp_path: Path) -> None:
    log, _ = written(tmp_path)
    assert totals(by_case(log, *COLUMNS)) == COUNTED


def test_a_log_through_two_tools_is_counted_alike(tmp_path: Path) -> None:
    row = replay(*written(tmp_path))
    assert row.hub == COUNTED
    assert row.equal
    assert row.again.new_observations == 0
    assert 0 < row.again.calls < row.first.calls


def test_a_log_through_four_tools_is_counted_alike(tmp_path: Path) -> None:
    apart = LOG.replace("T2,2024-03-05T09:00:00,Bob", "T2,2024-03-05T09:00:01,Bob")
    row = replay(*written(tmp_path, apart, "{case: ticket, time: when, actor: who, activity: what}"))
    assert row.hub == COUNTED
    assert row.equal


def test_an_order_that_no_tool_proves_is_named(tmp_path: Path) -> None:
    # T2 and T5 differ in nothing but who of two people in two tools comes first in the file, at one instant.
    tickets = LOG[: LOG.index("T1")] + "".join(line + "\n" for line in LOG.splitlines() if line.startswith("T2,2024"))
    swapped = "T5,2024-03-05T09:00:00,Bob,Look,back\nT5,2024-03-05T09:00:00,Dora,Look,back\n"
    told = (
        tickets
        + swapped
        + "".join(line.replace("T2", "T5") + "\n" for line in tickets.splitlines()[1:] if "05T09:00:00" not in line)
    )
    row = replay(*written(tmp_path, told, "{case: ticket, time: when, actor: who, activity: what}"))
    assert row.hub["events"] == row.check["events"]
    assert not row.equal
    assert row.excused
    assert [line.partition(":")[0] in {"T2", "T5"} for line in row.explained] == [True]


def test_every_differing_case_is_named_and_only_whole_seconds_excuse() -> None:
    same = {"events": 3, "handoffs": 2, "returns": 0, "late": 1}
    close = same | {"unsure": 1}
    told = {"T1": same, "T2": same | {"late": 0}, "T3": same | {"late": 0}, "T4": same | {"events": 2}, "T6": same}
    check = {"T1": close, "T2": same | {"unsure": 0}, "T3": close, "T4": close, "T5": close}
    assert list(differences(told, check)) == [
        ("T2: late 0 against 1", False),
        ("T3: late 0 against 1", True),
        ("T4: events 2 against 3", False),
        ("T5: events 0 against 3, handoffs 0 against 2, late 0 against 1", False),
        ("T6: events 3 against 0, handoffs 2 against 0, late 1 against 0", False),
    ]


def test_the_command_line_tells_the_same(tmp_path: Path) -> None:
    log, column_map = written(tmp_path)
    place = tmp_path / "company"
    loaded = hub("sandbox", "load-log", log, "--map", column_map, "--dir", place, "--json")
    try:
        assert loaded.returncode == 0, loaded.stderr
        config = json.loads(loaded.stdout)["config"]
        synced = hub("sync", "--config", config, "--json", "--no-alerts")
        assert synced.returncode == 1, synced.stderr
        found = json.loads(synced.stdout)["findings"]
        assert (found["returned_handoff"], found["missed_handoff"]) == (COUNTED["returns"], COUNTED["late"])
        told = json.loads(hub("findings", "--kind", "missed_handoff", "--config", config, "--json").stdout)
        assert sorted((f["title"].rpartition(": ")[2], f["from"], f["to"]) for f in told) == [
            ("T1", "ann", "cid"),
            ("T2", "ann", "dora"),
        ]
        again = json.loads(hub("sync", "--config", config, "--json", "--no-alerts").stdout)
        assert again["new_observations"] == 0
    finally:
        hub("sandbox", "down", "--dir", place)


def test_numbers_of_an_unfinished_sync_are_not_shown(tmp_path: Path) -> None:
    log, column_map = written(tmp_path)
    with company(log=log, log_map=column_map) as (running, _):
        (running.directory / "secrets" / "jira_token").write_text("wrong", encoding="utf-8")
        with pytest.raises(Unfinished, match="acme_jira"):
            synced_twice(running, lambda *_: None)


def test_unusable_rows_are_named_by_line(tmp_path: Path) -> None:
    log, column_map = written(tmp_path)
    with company(log=log, log_map=column_map) as (running, _):
        loaded = json.loads((running.directory / "load_report.json").read_text(encoding="utf-8"))
    assert [(row["line"], row["reason"]) for row in loaded["unusable"]] == [
        (10, "no case"),
        (11, "unreadable time 'the day after'"),
        (14, "no actor"),
        (15, "no activity"),
    ]


def test_real_tickets_are_counted_alike(tmp_path: Path) -> None:
    if not DATA.is_file():
        # The data is not part of the project: its absence is no failure, wherever this runs.
        pytest.skip(f"no {DATA.name} in ../shared/data beside the checkout")
    with gzip.open(DATA, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = set(list(dict.fromkeys(row["case:concept:name"] for row in rows))[:300])
    log = tmp_path / "some.csv"
    with log.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(row for row in rows if row["case:concept:name"] in chosen)
    row = replay(log, Path(__file__).parents[2] / "benchmarks" / "real_input" / "helpdesk.yaml")
    assert row.hub["cases"] == 300
    assert row.hub["handoffs"] > 300
    assert row.differences == row.explained == ()
    assert row.equal
