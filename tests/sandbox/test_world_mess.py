"""How untidy records are, by degree, and that the truth about them stays known."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sandbox.store import Store
from sandbox.world import airtable, faults, jira, mess
from sandbox.world.course import Setting, tell
from sandbox.world.generate import World, generate
from sandbox.world.identifiers import Mint
from sandbox.world.people import found
from sandbox.world.shape import Shape
from sandbox.world.story import Story

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MESSY = Shape(companies=4, items=500, mess=3, months=6)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, World, dict[str, Any]]:
    directory = tmp_path_factory.mktemp("mess")
    store = Store(directory / "world.sqlite")
    world = generate(store, seed=7, shape=MESSY, now=NOW, directory=directory)
    return store, world, json.loads((directory / "truth.json").read_text(encoding="utf-8"))


def stories(level: int, items: int = 300) -> list[Story]:
    shape = Shape(items=items, mess=level)
    setting = Setting(seed=7, now=NOW, company=found(Mint(7), NOW, shape), shape=shape)
    planted = faults.assign(7, items, shape)
    return [tell(setting, number, planted.get(number)) for number in range(items)]


def test_the_share_of_changed_titles_grows_with_the_mess() -> None:
    shares = []
    for level in range(4):
        several = [story for story in stories(level) if len(story.tools) > 1]
        shares.append(sum(len(set(story.titles.values())) > 1 for story in several) / len(several))
    assert shares == sorted(shares)
    assert shares[0] < 0.15
    assert all(later - earlier > 0.1 for earlier, later in pairwise(shares))


@pytest.mark.parametrize(
    ("level", "mark"),
    [(1, str.isupper), (2, lambda t: not t.isascii()), (3, lambda t: "<b>" in t or "&amp;" in t)],
)
def test_each_degree_adds_its_own_kind_of_mess(level: int, mark: Any) -> None:
    title = "Velta & Marri spring campaign: landing page"
    typed = [mess.title(title, level, random.Random(n)) for n in range(200)]
    assert any(mark(text) for text in typed)
    tidier = [mess.title(title, level - 1, random.Random(n)) for n in range(200)] if level > 1 else [title]
    assert not any(mark(text) for text in tidier)


def test_every_record_is_in_exactly_one_item(made: tuple[Store, World, dict[str, Any]]) -> None:
    store, world, truth = made
    named = Counter((source, record) for item in truth["items"] for source, record in item)
    assert set(named.values()) == {1}
    held: set[tuple[str, str]] = set()
    for source, tool in world.sources.items():
        if tool == "salesforce":
            held |= {(source, doc["Id"]) for kind in ("Case", "Opportunity") for doc in store.scan(source, kind)}
        elif tool == "jira":
            held |= {(source, doc["id"]) for doc in store.scan(source, "issue")}
        elif tool == "airtable":
            rows = store.scan(source, "record")
            held |= {(source, doc["id"]) for doc in rows if doc["_table"] == airtable.ITEMS}
        else:
            roots = (doc["id"] for doc in store.scan(source, "message"))
            held |= {(source, id_) for id_ in roots if id_.split(".")[1] == "0"}
    assert set(named) == held
    assert len(truth["items"]) == MESSY.items


def test_every_account_is_in_exactly_one_person(made: tuple[Store, World, dict[str, Any]]) -> None:
    store, world, truth = made
    named = Counter((source, account) for person in truth["people"] for source, account in person)
    assert set(named.values()) == {1}
    for source in ("acme_salesforce", "harbor_salesforce"):
        assert {(source, user["Id"]) for user in store.scan(source, "User")} <= set(named)
    for source in ("acme_jira", "north_jira"):
        assert {(source, user["accountId"]) for user in store.scan(source, "user")} <= set(named)
    assert len(truth["people"]) == len(world.company.people)


def test_the_truth_tells_the_faults_and_the_leave(made: tuple[Store, World, dict[str, Any]]) -> None:
    _, world, truth = made
    assert sorted(truth["faults"], key=lambda e: (e["kind"], e["records"])) == world.answer_key
    assert {away["person"] for away in truth["leave"]} > {"ada", "grace"}
    assert all(away["from"] <= away["to"] for away in truth["leave"])


def test_some_records_were_entered_twice_and_the_truth_knows(made: tuple[Store, World, dict[str, Any]]) -> None:
    store, _, truth = made
    twice = [item for item in truth["items"] if max(Counter(source for source, _ in item).values()) > 1]
    assert 3 < len(twice) < 0.1 * MESSY.items
    kinds = {"jira": ("issue",), "airtable": ("record",), "salesforce": ("Case", "Opportunity")}
    for item in twice:
        for source, record in item:
            if source != "ops_mail":
                assert any(store.get(source, kind, record) for kind in kinds[source.rpartition("_")[2]])


def test_references_are_missing_and_rarely_wrong(made: tuple[Store, World, dict[str, Any]]) -> None:
    store, _, truth = made
    item_of = {(source, record): at for at, item in enumerate(truth["items"]) for source, record in item}
    right = wrong = 0
    for row in store.scan("studio_airtable", "record"):
        key = row["fields"].get(airtable.FIELD["JiraKey"]) if row["_table"] == airtable.ITEMS else None
        source = "north_jira" if key and key.startswith(jira.NORTH.project["key"]) else "acme_jira"
        issue = store.named(source, "issue", key) if key else None
        if issue is not None:
            same = item_of[source, issue["id"]] == item_of["studio_airtable", row["id"]]
            right, wrong = right + same, wrong + (not same)
    assert right > 100
    assert wrong < 0.03 * right


def test_days_and_amounts_are_typed_as_text_and_currencies_differ(made: tuple[Store, World, dict[str, Any]]) -> None:
    store, _, _ = made
    rows = [row["fields"] for row in store.scan("studio_airtable", "record") if row["_table"] == airtable.ITEMS]
    promised = {row[airtable.FIELD["Promised"]] for row in rows if airtable.FIELD["Promised"] in row}
    assert any("/" in text for text in promised)
    assert any("end of week" in text for text in promised)
    assert any("€" in row[airtable.FIELD["Budget"]] for row in rows)
    assert len({deal["CurrencyIsoCode"] for deal in store.scan("acme_salesforce", "Opportunity")}) == 3


def test_a_tidy_base_has_no_columns_of_typed_text(tmp_path: Path) -> None:
    store = Store(tmp_path / "world.sqlite")
    generate(store, seed=7, items=20, now=NOW)
    table = store.get("studio_airtable", "table", airtable.ITEMS) or {}
    assert not {"Promised", "Budget"} & {field["name"] for field in table["fields"]}


def test_work_is_reopened_and_some_items_are_talked_about_at_length() -> None:
    told = stories(2, items=500)
    reopened = [
        story
        for story in told
        if [value for act in story.acts for name, value in act.changes if name == "status"][-2:] == ["done", "doing"]
    ]
    assert reopened
    assert max(sum(act.kind == "update" for act in story.acts) for story in told) > 14
    tidy = stories(0, items=500)
    assert max(sum(act.kind == "update" for act in story.acts) for story in tidy) < 10
