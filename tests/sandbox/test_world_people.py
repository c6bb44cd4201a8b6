"""People in an untidy world: zones, hours, holidays, leave, new desks, one name for two, robots at night."""

from __future__ import annotations

import base64
import email
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sandbox.store import Store
from sandbox.world import faults
from sandbox.world.course import Setting, tell
from sandbox.world.generate import World, generate
from sandbox.world.hours import Hours, Leave, holidays
from sandbox.world.identifiers import Mint
from sandbox.world.people import IMPORTER, Company, found
from sandbox.world.shape import Shape
from sandbox.world.story import Story
from sandbox.world.untidy import imports

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SHAPE = Shape(companies=4, items=400, mess=2, months=5)
BERLIN = Hours(zone="Europe/Berlin", country="DE", leave=(Leave(first=date(2026, 11, 9), last=date(2026, 11, 10)),))


@pytest.fixture(scope="module")
def company() -> Company:
    return found(Mint(7), NOW, SHAPE)


@pytest.fixture(scope="module")
def stories(company: Company) -> list[Story]:
    setting = Setting(seed=7, now=NOW, company=company, shape=SHAPE)
    planted = faults.assign(7, SHAPE.items, SHAPE)
    return [tell(setting, number, planted.get(number)) for number in range(SHAPE.items)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, World, Path]:
    directory = tmp_path_factory.mktemp("people")
    store = Store(directory / "world.sqlite")
    return store, generate(store, seed=7, shape=SHAPE, now=NOW, directory=directory), directory


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("2026-11-12T10:00+01:00", "2026-11-12T10:00+01:00"),  # at work
        ("2026-11-12T07:00+01:00", "2026-11-12T09:00+01:00"),  # before the day begins
        ("2026-11-12T17:20+01:00", "2026-11-13T09:00+01:00"),  # just before going home
        ("2026-11-13T20:00+01:00", "2026-11-16T09:00+01:00"),  # over the weekend
        ("2026-11-06T20:00+01:00", "2026-11-11T09:00+01:00"),  # a weekend, then leave
        ("2026-12-24T20:00+01:00", "2026-12-28T09:00+01:00"),  # Christmas, then a weekend
        ("2026-10-23T20:00+02:00", "2026-10-26T09:00+01:00"),  # the clocks went back meanwhile
    ],
)
def test_work_begins_when_somebody_is_there(wanted: str, given: str) -> None:
    assert BERLIN.next(at(wanted)) == at(given)


def test_the_holiday_that_moves_is_the_fourth_thursday() -> None:
    assert date(2026, 11, 26) in holidays("US", 2026)
    assert date(2027, 11, 25) in holidays("US", 2027)
    assert holidays("??", 2026) == frozenset()


def test_people_act_in_their_hours_and_never_on_leave(stories: list[Story], company: Company) -> None:
    acted = 0
    for story in stories:
        for act in story.acts:
            hours = company.people[act.actor].hours
            if hours is not None:
                acted += 1
                assert hours.works(act.at), (act, hours)
                assert hours.away(act.at) is None
    assert acted > 2000


def test_they_sit_in_four_zones(stories: list[Story], company: Company) -> None:
    mornings: dict[str, set[int]] = defaultdict(set)
    for story in stories:
        for act in story.acts:
            person = company.people[act.actor]
            if person.zone:
                mornings[person.zone].add(act.at.astimezone(ZoneInfo(person.zone)).hour)
    assert set(mornings) == {"America/New_York", "Europe/Berlin", "Asia/Kolkata", "America/Los_Angeles"}
    for hours in mornings.values():
        assert hours <= set(range(8, 18))


def test_clean_handoffs_are_in_time_although_people_sleep(stories: list[Story]) -> None:
    for story in stories:
        if story.fault is not None:
            continue
        given: tuple[datetime, str] | None = None
        for act in story.acts:
            if given is not None and act.actor == given[1]:
                assert act.at - given[0] < timedelta(hours=22)
                given = None
            owner = dict(act.changes).get("owner")
            if owner and act.kind == "edit":
                given = act.at, owner
        assert given is None or NOW - given[0] < timedelta(hours=22)


def test_a_tidy_world_knows_no_hours() -> None:
    assert all(person.hours is None for person in found(Mint(7), NOW).people.values())


def test_who_joined_or_moved_is_where_she_was_on_that_day(stories: list[Story], company: Company) -> None:
    lise, rosalind = company.people["lise"], company.people["rosalind"]
    assert lise.joined is not None
    assert rosalind.moved is not None
    before, after = NOW - timedelta(days=60), NOW - timedelta(days=2)
    assert "rosalind" in company.members("build", before)
    assert "rosalind" not in company.members("launch", before)
    assert "lise" not in company.members("qa", before)
    assert {"lise"} & {*company.members("qa"), *company.members("qa", after)}
    first = min((act.at for story in stories for act in story.acts if act.actor == "lise"), default=NOW)
    assert first.date() >= lise.joined


def test_two_people_share_a_name_and_nothing_else(company: Company) -> None:
    by_name = Counter(person.name for person in company.people.values())
    assert {name for name, count in by_name.items() if count > 1} == {"Annie Easley", "Joan Clarke"}
    for name in ("Annie Easley", "Joan Clarke"):
        one, two = (person for person in company.people.values() if person.name == name)
        assert one.partner != two.partner
        assert {one.email, one.jira, one.salesforce, one.airtable}.isdisjoint(
            {two.email, two.jira, two.salesforce, two.airtable}
        )


def test_mail_programs_answer_for_people_on_leave(made: tuple[Store, World, Path]) -> None:
    store, world, _ = made
    by_address = {a: p for p in world.company.people.values() for a in (p.email, *p.aliases)}
    answers = 0
    once: set[tuple[str, str]] = set()
    for doc in store.scan("ops_mail", "message"):
        message = email.message_from_bytes(base64.b64decode(doc["raw"]), policy=default)
        assert isinstance(message, EmailMessage)
        assert not message.defects
        if message["Auto-Submitted"] != "auto-replied":
            continue
        answers += 1
        person = by_address[message["From"].addresses[0].addr_spec]
        assert person.away(datetime.fromisoformat(doc["date"])) is not None
        thread = doc["id"].partition(".")[0]
        assert (thread, person.key) not in once, "once in a thread"
        once.add((thread, person.key))
    assert answers > 3


def test_people_write_from_several_addresses_and_under_several_spellings(made: tuple[Store, World, Path]) -> None:
    store, world, _ = made
    spelt: dict[str, set[tuple[str, str]]] = defaultdict(set)
    by_address = {a: p.key for p in world.company.people.values() for a in (p.email, *p.aliases)}
    for doc in store.scan("ops_mail", "message"):
        message = email.message_from_bytes(base64.b64decode(doc["raw"]), policy=default)
        (sender,) = message["From"].addresses
        spelt[by_address[sender.addr_spec]].add((sender.display_name, sender.addr_spec))
    assert len({address for _, address in spelt["ada"]}) == 2
    assert len({name for name, _ in spelt["ada"]}) > 1


def test_an_import_touches_many_records_in_one_second(made: tuple[Store, World, Path]) -> None:
    store, world, _ = made
    importer = world.company.people[IMPORTER]
    stamps = {instant.isoformat()[:19] + ".000+0000" for instant in imports(NOW)}
    touched = [
        case for case in store.scan("acme_salesforce", "Case") if case["LastModifiedById"] == importer.salesforce
    ]
    assert {case["SystemModstamp"] for case in touched} == stamps
    entries = [e for e in store.scan("acme_jira", "changelog") if e["_author"] == importer.jira]
    assert len(entries) > 20
    assert {entry["created"] for entry in entries} == stamps
    assert {item["field"] for entry in entries for item in entry["items"]} == {"duedate"}
