"""The simulated company: the same seed tells the same story, planted faults show, and nothing else looks like one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from sandbox.store import Store
from sandbox.world import faults, shape
from sandbox.world.course import Setting, tell
from sandbox.world.generate import furniture, generate
from sandbox.world.identifiers import Mint, with_check
from sandbox.world.people import Company, found
from sandbox.world.projection import Document, project, records_of
from sandbox.world.story import Act, Story

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ITEMS = 400


@pytest.fixture(scope="module")
def company() -> Company:
    return found(Mint(7), NOW)


@pytest.fixture(scope="module")
def stories(company: Company) -> list[Story]:
    return told(seed=7, items=ITEMS, company=company)


def told(*, seed: int, items: int, company: Company, mail_every: int = 1) -> list[Story]:
    setting = Setting(seed=seed, now=NOW, company=company, mail_every=mail_every)
    planted = faults.assign(seed, items)
    return [tell(setting, number, planted.get(number)) for number in range(items)]


def owners(story: Story, tool: str | None = None) -> list[tuple[datetime, str]]:
    """Who owned it from when on: in one tool, or by the first tool that says so."""
    found = []
    for act in story.acts:
        late = min((s for where, s in act.told if tool in (None, where)), default=None)
        owner = dict(act.changes).get("owner")
        if owner is not None and late is not None:
            found.append((act.at + timedelta(seconds=late), owner))
    return found


def handoffs(story: Story) -> Iterator[tuple[datetime, str, str, Act | None]]:
    """When, from whom, to whom, and the receiver's first deed afterwards."""
    for (_, before), (at, after) in pairwise(owners(story)):
        if before and after and before != after:
            taken = next((a for a in story.acts if a.actor == after and a.at >= at and a.kind != "created"), None)
            yield at, before, after, taken


def words_of(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower())) - {"fyi"}


def alike(one: str, two: str) -> float:
    a, b = words_of(one), words_of(two)
    return len(a & b) / len(a | b)


def documents(seed: int, company: Company, items: int) -> list[Document]:
    mint = Mint(seed)
    made = list(furniture(mint, company, NOW - timedelta(days=400)))
    for story in told(seed=seed, items=items, company=company):
        made += project(mint, company, story)
    return made


def test_same_seed_and_time_give_the_same_documents(company: Company) -> None:
    first = documents(3, found(Mint(3), NOW), 60)
    assert first == documents(3, found(Mint(3), NOW), 60)
    other = documents(4, found(Mint(4), NOW), 60)
    assert {d[2] for d in first if d[1] == "Case"}.isdisjoint({d[2] for d in other if d[1] == "Case"})


def test_every_id_is_used_once(company: Company) -> None:
    seen = Counter((space, kind, id_) for space, kind, id_, _, _ in documents(7, company, ITEMS))
    assert [key for key, times in seen.items() if times > 1] == []


def test_salesforce_ids_carry_their_check_characters() -> None:
    # Salesforce's own published pair of a 15- and an 18-character id form.
    assert with_check("001A0000006Vm9r") == "001A0000006Vm9rIAC"


@pytest.mark.parametrize(("items", "each"), [(40, 2), (200, 6), (1000, 30)])
def test_each_fault_is_planted_as_often_as_promised(items: int, each: int) -> None:
    planted = Counter(kind.partition(":")[0] for kind in faults.assign(7, items).values())
    assert planted == dict.fromkeys(shape.KINDS, each)


@pytest.mark.parametrize("items", [1, 5, 17, 18, 39])
def test_small_worlds_have_fewer_faults_and_never_more_than_half(items: int) -> None:
    planted = faults.assign(7, items)
    assert len(planted) == min(items // 2, len(shape.KINDS))


def test_one_orphan_lives_in_the_mailbox_only(stories: list[Story]) -> None:
    threads = [s for s in stories if s.fault == "orphan_item" and s.tools == ("mail",)]
    assert len(threads) == 1
    assert owners(threads[0]) == [(threads[0].acts[0].at, "")]


def test_nothing_happens_in_the_future_and_tools_follow_within_twenty_minutes(stories: list[Story]) -> None:
    for story in stories:
        for act in story.acts:
            latest = max(late for _, late in act.told)
            assert latest <= 20 * 60
            assert act.at + timedelta(seconds=latest) < NOW
        assert [a.at for a in story.acts] == sorted(a.at for a in story.acts)
        assert story.acts[0].at > NOW - timedelta(days=100)


@pytest.mark.parametrize("seed", [7, 11])
def test_items_without_a_fault_are_clean(seed: int, company: Company) -> None:
    staff = {p.key for p in company.charted() if p.left is None}
    for story in told(seed=seed, items=ITEMS, company=company):
        if story.fault is not None:
            continue
        assert {act.actor for act in story.acts} <= {*staff, "bot"}
        for at, before, after, taken in handoffs(story):
            assert {before, after} <= staff
            if taken is None:
                assert NOW - at < 11 * HOUR, "an offer nobody took up must be young"
            else:
                assert taken.at - at < 20 * HOUR
        names = [owner for _, owner in owners(story)]
        assert all(name and "," not in name for name in names)
        assert all(a != c for a, c in zip(names, names[2:], strict=False)), "nothing goes back"
        for tool in story.tools:
            assert [name for _, name in owners(story, tool)] == names, "every tool was told"
        asked = [a for a in story.acts if a.kind == "asked"]
        if len(asked) > sum(a.kind == "answered" for a in story.acts):
            assert NOW - asked[-1].at < 48 * HOUR
        assert_nothing_said_twice(story)


def assert_nothing_said_twice(story: Story) -> None:
    said = [a.text for a in story.acts if a.kind == "update" and a.actor != "bot"]
    assert all(alike(one, two) < 0.6 for one, two in combinations(said, 2))


def test_ordinary_news_is_told_in_one_tool_only(stories: list[Story]) -> None:
    for story in stories:
        assert all(len(act.told) == 1 for act in story.acts if act.kind == "update")


def test_a_robot_speaks_where_nobody_took_the_work_up_yet(stories: list[Story]) -> None:
    spoken = [s.fault for s in stories for a in s.acts if a.actor == "bot"]
    assert len(spoken) > 10
    assert "missed_handoff" in spoken, "a robot's comment is nobody's acceptance"


def of_kind(stories: list[Story], kind: str) -> list[Story]:
    chosen = [s for s in stories if s.fault == kind]
    assert len(chosen) == round(shape.RATE * ITEMS)
    return chosen


def test_owner_conflict_leaves_one_tool_behind(stories: list[Story]) -> None:
    for story in of_kind(stories, "owner_conflict"):
        last = {tool: owners(story, tool)[-1] for tool in story.tools}
        behind = {tool for tool, (_, owner) in last.items() if owner == story.detail["stale_owner"]}
        assert len(behind) == 1
        assert {last[t][1] for t in story.tools if t not in behind} == {story.detail["owner"]}
        assert NOW - max(at for at, _ in last.values()) > 6 * HOUR
        phase = [dict(a.changes)["phase"] for a in story.acts if "phase" in dict(a.changes)][-1]
        assert faults.RECORD_SYSTEM[phase] not in behind, "the tool that counts must be right"
        assert story.acts[-1].actor == story.detail["owner"]
        for tool in behind:
            moved = [a for a in story.acts for where, _ in a.told if where == tool and a.changes]
            assert moved[-1].at < max(at for at, _ in last.values()), "the forgotten tool was not touched since"


def test_missed_handoff_has_no_deed_of_the_receiver(stories: list[Story]) -> None:
    for story in of_kind(stories, "missed_handoff"):
        *_, (at, _, after, taken) = handoffs(story)
        assert after == story.detail["to"]
        assert taken is None
        assert NOW - at > 30 * HOUR
        assert {tool: owners(story, tool)[-1][1] for tool in story.tools} == dict.fromkeys(story.tools, after)


def test_returned_handoff_goes_back_within_a_day_and_is_taken_up_again(stories: list[Story]) -> None:
    for story in of_kind(stories, "returned_handoff"):
        (t1, a, b, _), (t2, b2, a2, taken) = list(handoffs(story))[-2:]
        assert (a, b) == (a2, b2) == (story.detail["from"], story.detail["to"])
        assert HOUR < t2 - t1 < 24 * HOUR
        assert taken is story.acts[-1]
        giver = next(act for act in story.acts if act.at == t2)
        assert giver.actor == b


def test_duplicate_update_is_the_same_person_telling_two_tools_the_same(stories: list[Story]) -> None:
    for story in of_kind(stories, "duplicate_update"):
        said = [a for a in story.acts if a.kind == "update"]
        same = [a for a in said if alike(a.text, said[-1].text) >= 0.85]
        assert 2 <= len(same) <= 3
        assert len({a.actor for a in same}) == 1
        assert len({tool for a in same for tool, _ in a.told}) == len(same)
        assert same[-1].at - same[0].at <= 12 * HOUR


def test_stalled_decision_waits_for_days(stories: list[Story]) -> None:
    for story in of_kind(stories, "stalled_decision"):
        assert story.acts[-1].kind == "asked"
        assert timedelta(days=5) < NOW - story.acts[-1].at < timedelta(days=20)


def test_ghosts_took_the_work_and_then_left(stories: list[Story], company: Company) -> None:
    for story in of_kind(stories, "ghost_owner"):
        *_, (at, _, after, taken) = handoffs(story)
        left = company.people[after].left
        assert left is not None
        assert taken is not None
        assert taken.at - at < 20 * HOUR
        assert story.acts[-1].at.date() < left


def test_orphans_were_put_down_by_a_person_everywhere_long_ago(stories: list[Story]) -> None:
    for story in of_kind(stories, "orphan_item"):
        assert {owners(story, tool)[-1][1] for tool in story.tools} == {""}
        assert NOW - owners(story)[-1][0] > 24 * HOUR
        assert "salesforce" not in story.tools or story.sobject == "Case"


def test_split_ownership_is_two_names_in_one_cell(stories: list[Story]) -> None:
    for story in of_kind(stories, "split_ownership"):
        assert owners(story, "airtable")[-1][1] == f"{story.detail['owner']},{story.detail['second']}"
        assert owners(story, "jira")[-1][1] == story.detail["owner"]


def test_unmapped_people_own_the_item_in_every_tool(stories: list[Story], company: Company) -> None:
    known = {p.email for p in company.charted()}
    for story in of_kind(stories, "unmapped_person"):
        names = {owners(story, tool)[-1][1] for tool in story.tools}
        assert names <= set(company.contractors())
        assert story.detail["account_email"] not in known


def test_titles_differ_and_unlinked_items_carry_no_reference(stories: list[Story]) -> None:
    titles = [next(iter(story.titles.values())) for story in stories]
    assert len(set(titles)) == len(titles)
    unlinked = [s for s in stories if not s.linked]
    assert 0.04 * ITEMS < len(unlinked) < 0.18 * ITEMS
    assert all(s.reference == "" for s in unlinked)
    assert any(len(set(s.titles.values())) > 1 for s in unlinked)


def test_big_worlds_keep_the_mailbox_small(company: Company) -> None:
    many = told(seed=7, items=600, company=company, mail_every=10)
    threads = [s for s in many if "mail" in s.tools]
    assert len(threads) <= 61
    assert any(s.fault is None for s in threads)


def test_the_answer_key_names_records_that_exist(tmp_path: Path) -> None:
    store = Store(tmp_path / "world.sqlite")
    world = generate(store, seed=7, items=120, now=NOW)
    kinds = {
        "acme_salesforce": ("Case", "Opportunity"),
        "acme_jira": ("issue",),
        "studio_airtable": ("record",),
        "ops_mail": ("message",),
    }
    named = [tuple(record) for entry in world.answer_key for record in entry["records"]]
    assert len(named) == len(set(named)), "one fault on an item at most"
    for source, record in named:
        assert any(store.get(source, kind, record) for kind in kinds[source])
    assert Counter(e["kind"] for e in world.answer_key) == dict.fromkeys(shape.KINDS, 4)
    assert world.documents == sum(store.count(space, kind) for space in store.spaces() for kind in store.kinds(space))


def test_records_of_an_item_are_named_tool_by_tool(stories: list[Story]) -> None:
    story = next(s for s in stories if s.tools == ("salesforce", "jira", "airtable"))
    records = records_of(Mint(7), story)
    assert [source for source, _ in records] == ["acme_salesforce", "acme_jira", "studio_airtable"]
    assert len(records[0][1]) == 18
    assert records[1][1].isdigit()
    assert re.fullmatch(r"rec[0-9A-Za-z]{14}", records[2][1])
