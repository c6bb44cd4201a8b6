"""The commands that steer the simulated company, on a company that runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.tmpdir import TempPathFactory

from sandbox import launcher
from tests.cli.conftest import Hub

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def company(tmp_path_factory: TempPathFactory) -> Iterator[Path]:
    """A small company, started once."""
    directory = tmp_path_factory.mktemp("steered") / "company"
    launcher.up(directory, items=30)
    yield directory
    launcher.down(directory)


def test_a_fault_is_ordered_strikes_and_is_withdrawn(hub: Hub, company: Path) -> None:
    ordered = hub(
        "sandbox", "fault", "too_many_requests", "--tool", "jira", "--times", "9", "--setting", "retry_after=1",
        "--dir", company, "--json",
    )  # fmt: skip
    assert (ordered.code, ordered.data["settings"], ordered.data["times"]) == (0, {"retry_after": 1}, 9)
    checked = hub("check", "--config", company / "config")
    assert checked.code != 0
    listed = hub("sandbox", "faults", "--dir", company, "--json").data
    assert (listed[0]["fault"], listed[0]["hit"] > 0) == ("too_many_requests", True)
    shown = hub("sandbox", "journal", "--tool", "jira", "--dir", company)
    assert "too_many_requests" in shown.out
    assert "429" in shown.out
    assert "1 withdrawn" in hub("sandbox", "faults", "--clear", "--dir", company).out
    assert "no fault is on order" in hub("sandbox", "faults", "--dir", company).out
    assert hub("check", "--config", company / "config").code == 0


def test_the_catalogue_is_a_table(hub: Hub, company: Path) -> None:
    told = hub("sandbox", "faults", "--catalogue", "--dir", company).out
    assert "late_commit" in told
    assert "base_locked" in told


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("fault", "no_such_fault"), "no_such_fault"),
        (("fault", "row_locked", "--tool", "jira"), "salesforce"),
        (("fault", "index_lag", "--setting", "minutes"), "NAME=VALUE"),
        (("fault", "index_lag", "--setting", "minutes=3"), "minutes"),
        (("clock", "--advance", "soon"), "span of time"),
        (("clock", "--to", "tomorrow"), "ISO"),
        (("work", "--only", "Juggle"), "Juggle"),
    ],
)
def test_an_order_that_cannot_be_understood_says_why_and_changes_nothing(
    hub: Hub, company: Path, command: tuple[str, ...], words: str
) -> None:
    ran = hub("sandbox", *command, "--dir", company)
    assert ran.code == 2
    assert words in ran.err
    assert "hint:" in ran.err
    assert hub("sandbox", "faults", "--dir", company, "--json").data == []


def test_the_clock_is_moved_and_stopped(hub: Hub, company: Path) -> None:
    hub("sandbox", "clock", "--advance", "2h", "--dir", company)
    told = hub("sandbox", "clock", "--to", "2030-01-01T09:00:00+01:00", "--freeze", "--dir", company, "--json").data
    assert (told["now"], told["frozen"]) == ("2030-01-01T08:00:00+00:00", True)
    assert "standing still" in hub("sandbox", "clock", "--dir", company).out
    assert not hub("sandbox", "clock", "--run", "--dir", company, "--json").data["frozen"]


def test_people_work_and_the_diary_has_it(hub: Hub, company: Path) -> None:
    told = hub("sandbox", "work", "--deeds", "6", "--only", "Reassign", "--only", "Comment", "--dir", company, "--json")
    assert told.code == 0, told.err
    assert sum(told.data["deeds"].values()) == 6
    assert set(told.data["deeds"]) <= {"Reassign", "Comment"}
    assert len(Path(told.data["diary"]).read_text(encoding="utf-8").splitlines()) == 6
    assert "company is running" in hub("sandbox", "work", "--dir", company / "elsewhere").err


def test_a_world_file_is_checked(hub: Hub, tmp_path: Path) -> None:
    good = hub("sandbox", "check", PROJECT / "docs/sandbox/examples/two-tools.yaml")
    assert (good.code, "can be used" in good.out) == (0, True)
    bad = tmp_path / "bad.yaml"
    bad.write_text("spaces:\n  site:\n    issue:\n    - {key: 3, status: 7}\n", encoding="utf-8")
    told = hub("sandbox", "check", bad)
    assert told.code == 2
    assert "spaces.site.issue[0]" in told.err
