"""Worlds of every shape: what is asked for is there, to the item, and the same every time."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from sandbox import configuration
from sandbox.store import Store
from sandbox.world import faults
from sandbox.world.course import Setting, tell
from sandbox.world.generate import World, generate
from sandbox.world.identifiers import Mint
from sandbox.world.options import add_world_options, shape_of
from sandbox.world.partners import OWN_INSTANCE, instances
from sandbox.world.people import found
from sandbox.world.shape import KINDS, Shape, UnusableShape, rate_of
from sandbox.world.story import Story

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
HASHED = """
import hashlib, resource, sys
from datetime import UTC, datetime
from pathlib import Path
from sandbox.store import Store
from sandbox.world.generate import generate
from sandbox.world.shape import Shape

def main():
    directory, processes, items, mess, companies = Path(sys.argv[1]), *map(int, sys.argv[2:6])
    store = Store(directory / "world.sqlite")
    shape = Shape(items=items, mess=mess, companies=companies, months=3 + mess)
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    world = generate(store, seed=7, shape=shape, now=now, directory=directory, processes=processes)
    digest = hashlib.sha256((directory / "truth.json").read_bytes())
    if items < 1000:
        for row in store._db.execute("SELECT space, kind, id, stamp, parent, alias, body FROM doc JOIN shelf "
                                     "ON shelf = n ORDER BY space, kind, id"):
            digest.update(repr(row).encode())
    # The peak that getrusage tells of this process is that of the one it was started from, if that was higher.
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else ["VmHWM: 0"]
    writer = next(line.split()[1] for line in lines if line.startswith("VmHWM"))
    workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(digest.hexdigest(), world.documents, int(writer) // 1024, workers // 1024)

if __name__ == "__main__":
    main()
"""


def generated(
    directory: Path, *, processes: int, items: int, mess: int = 0, companies: int = 2, seed: str
) -> list[str]:
    """Generate a world in a process of its own; gives its digest, documents, and peak memory (MB) of all processes."""
    directory.mkdir()
    script = directory / "generated.py"
    script.write_text(HASHED, encoding="utf-8")
    command = [sys.executable, str(script), str(directory), *map(str, (processes, items, mess, companies))]
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout.split()


def stories(shape: Shape, *, seed: int = 7) -> list[Story]:
    setting = Setting(seed=seed, now=NOW, company=found(Mint(seed), NOW, shape), shape=shape)
    planted = faults.assign(seed, shape.items, shape)
    return [tell(setting, number, planted.get(number)) for number in range(shape.items)]


def made(directory: Path, shape: Shape) -> tuple[Store, World]:
    store = Store(directory / "world.sqlite")
    return store, generate(store, seed=7, shape=shape, now=NOW, directory=directory)


def test_the_same_bytes_in_any_process_and_in_any_number_of_them(tmp_path: Path) -> None:
    first = generated(tmp_path / "a", processes=1, items=300, mess=3, companies=4, seed="1")
    second = generated(tmp_path / "b", processes=2, items=300, mess=3, companies=4, seed="2")
    assert first[:2] == second[:2]
    assert int(first[1]) > 5000


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak memory of a process is read from /proc")
def test_memory_does_not_grow_with_the_world(tmp_path: Path) -> None:
    _, documents, writer, workers = generated(tmp_path / "big", processes=2, items=20_000, seed="0")
    assert int(documents) > 300_000
    # All rows at once would be more than 350 MB; SQLite's cache alone may take 64.
    assert int(writer) < 230
    assert int(workers) < 150


@pytest.mark.parametrize("flat", [1, 7, 400])
def test_a_flat_world_has_exactly_so_many_records_in_each_tool(tmp_path: Path, flat: int) -> None:
    store, world = made(tmp_path, Shape(flat=flat))
    assert store.count("acme_salesforce", "Case") == flat
    assert store.count("acme_salesforce", "Opportunity") == 0
    assert store.count("acme_jira", "issue") == flat
    assert store.count("studio_airtable", "record") == flat
    assert world.answer_key == []
    stamps = [issue["updated"] for issue in store.scan("acme_jira", "issue")]
    assert len(set(stamps)) == flat
    assert max(stamps) < "2026-11-21T12"
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert len(truth["items"]) == flat


@pytest.mark.parametrize("companies", [2, 3, 4])
def test_every_kind_is_planted_at_each_number_of_companies(tmp_path: Path, companies: int) -> None:
    shape = Shape(companies=companies, items=400)
    store, world = made(tmp_path, shape)
    assert Counter(entry["kind"] for entry in world.answer_key) == dict.fromkeys(KINDS, 12)
    kinds = {"salesforce": ("Case", "Opportunity"), "jira": ("issue",), "airtable": ("record",), "mail": ("message",)}
    for entry in world.answer_key:
        for source, record in entry["records"]:
            assert any(store.get(source, kind, record) for kind in kinds[world.sources[source]]), (source, record)


def test_a_third_and_a_fourth_company_bring_their_own_tools(tmp_path: Path) -> None:
    store, world = made(tmp_path, Shape(companies=4, items=300))
    assert instances(world.shape) == {
        "salesforce": "acme_salesforce",
        "jira": "acme_jira",
        "airtable": "studio_airtable",
        "mail": "ops_mail",
        "jira:north_jira": "north_jira",
        "salesforce:harbor_salesforce": "harbor_salesforce",
    }
    assert store.count("north_jira", "issue") > 30
    assert store.count("harbor_salesforce", "Case") > 30
    words = {issue["fields"]["status"]["name"] for issue in store.scan("north_jira", "issue")}
    assert words <= {"Offen", "In Arbeit", "Wartet", "Erledigt"}
    fields = {doc["id"] for doc in store.scan("north_jira", "field") if doc["custom"]}
    assert not any(doc["id"] in fields for doc in store.scan("acme_jira", "field") if doc["custom"])
    assert all(key.startswith("NLP-") for key in (issue["key"] for issue in store.scan("north_jira", "issue")))
    users = {user["Id"] for user in store.scan("acme_salesforce", "User")}
    assert users.isdisjoint(user["Id"] for user in store.scan("harbor_salesforce", "User"))
    owners = {case["OwnerId"] for case in store.scan("harbor_salesforce", "Case")}
    assert owners <= {u["Id"] for u in store.scan("harbor_salesforce", "User")} | {
        g["Id"] for g in store.scan("harbor_salesforce", "Group")
    }
    charter = configuration.company_charter(Mint(7), world.company, world.shape).charter
    assert set(charter["sources"]) == set(world.sources) == set(charter["statuses"])
    assert charter["sources"]["north_jira"]["fields"]["phase"] in fields
    assert [p["name"] for p in charter["partners"].values()][2:] == ["Northlight Print", "Harbor Media"]


def test_handoffs_cross_the_companies() -> None:
    shape = Shape(companies=4, items=300)
    people = found(Mint(7), NOW, shape).people
    crossed: Counter[tuple[str | None, str | None]] = Counter()
    for story in stories(shape):
        owners = [owner for act in story.acts for name, owner in act.changes if name == "owner"]
        for before, after in pairwise(owners):
            if before in people and after in people:
                crossed[people[before].partner, people[after].partner] += 1
    assert min(crossed["acme", "north"], crossed["north", "acme"], crossed["acme", "harbor"]) > 10


@pytest.mark.parametrize("companies", [3, 4])
def test_an_item_lives_where_its_companies_work(companies: int) -> None:
    for story in stories(Shape(companies=companies, items=150)):
        assert set(story.sources) >= set(story.tools)
        for tool, source in OWN_INSTANCE.values():
            if story.sources.get(tool) == source and tool in story.tools:
                assert story.fault != "split_ownership" or tool != "jira", "Acme's Jira must say who is right"


def test_rates_are_obeyed_to_the_item() -> None:
    shape = Shape(items=400, rates={"owner_conflict": 0.05, "ghost_owner": 0, "missed_handoff": 0.1})
    told = Counter(story.fault for story in stories(shape))
    assert told["owner_conflict"] == 20
    assert told["missed_handoff"] == 40
    assert "ghost_owner" not in told
    assert told["stalled_decision"] == 12, "a kind nobody spoke of has the usual rate"


def test_no_fault_at_all_can_be_asked_for() -> None:
    assert {story.fault for story in stories(Shape(items=120, rates=dict.fromkeys(KINDS, 0.0)))} == {None}


def test_a_small_world_keeps_the_rates_that_were_asked_for() -> None:
    counts = Shape(items=10, rates={"owner_conflict": 0.3}).counts()
    assert counts["owner_conflict"] == 3
    assert sum(counts.values()) <= 10


def test_months_of_history_reach_back_and_old_work_is_closed() -> None:
    told = stories(Shape(items=300, months=9))
    begun = [story.acts[0].at for story in told]
    assert min(begun) > NOW.replace(month=2, day=1)
    assert sum((NOW - at).days > 120 for at in begun) > 100
    old = [story for story in told if (NOW - story.acts[-1].at).days > 60]
    closed = [s for s in old if [v for a in s.acts for n, v in a.changes if n == "status"][-1] == "done"]
    assert len(closed) > 0.8 * len(old)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"companies": 5}, "companies must be from 2 to 4"),
        ({"mess": 4}, "mess must be from 0 to 3"),
        ({"months": 1}, "months must be from 3"),
        ({"items": -1}, "items must be from 0"),
        ({"rates": {"slowness": 0.1}}, "there is no fault slowness"),
        ({"rates": {"owner_conflict": 1.5}}, "from 0 to 1"),
        ({"rates": dict.fromkeys(KINDS, 0.2)}, "together exceed"),
    ],
)
def test_a_shape_that_cannot_be_built_says_what_can(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(UnusableShape) as caught:
        Shape(**wrong)  # type: ignore[arg-type]
    assert told in str(caught.value)


def test_options_make_a_shape() -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_world_options(parser)
    assert shape_of(parser.parse_args([])) == Shape()
    words = "--items 50 --companies 3 --months 6 --mess 2 --rate ghost_owner=0 --rate owner_conflict=0.1 --flat 9"
    assert shape_of(parser.parse_args(words.split())) == Shape(
        items=50, companies=3, months=6, mess=2, rates={"ghost_owner": 0.0, "owner_conflict": 0.1}, flat=9
    )
    with pytest.raises(argparse.ArgumentError, match="write a rate like"):
        parser.parse_args(["--rate", "ghost_owner"])


def test_rates_are_read_from_the_command_line() -> None:
    assert rate_of("owner_conflict=0.05") == ("owner_conflict", 0.05)
    with pytest.raises(UnusableShape, match="write a rate like"):
        rate_of("owner_conflict")
