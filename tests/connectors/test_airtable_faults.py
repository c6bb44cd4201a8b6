"""What may happen to a walk over a base, by the name it has in the sandbox's catalogue: nothing is missed."""

from datetime import UTC, datetime, timedelta

import pytest
import requests
from airtable_world import (
    ADA,
    APPROVER,
    AT,
    BY,
    FIRST,
    GRACE,
    HUB,
    ITEMS,
    MODIFIED,
    OWNER,
    PHASE,
    REF,
    SPACE,
    STATUS,
    TEXT,
    TITLE,
    UPDATES,
    Time,
    at,
    configured,
    connector_for,
    fill,
    put_item,
)
from contract import NOW, observations

from hub.errors import SourceRefused, SourceUnavailable

COUNT = 240


@pytest.fixture
def base(company):
    """243 items, three pages."""
    made = company({"airtable": SPACE}, fill)
    for number in range(COUNT):
        put_item(made.store, item(number), at(8, number // 60, number % 60), {TITLE: f"Item {number}"})
    return made


def item(number):
    return f"recItem{number:010d}"


def records(pages):
    return [raw.native_id for page in pages for raw in page.records]


def titles(pages):
    """The title each item was last said to have, by the time it has it since."""
    told = [o for o in observations({"items": pages}) if o.field == "title"]
    return {o.record: o.value for o in sorted(told, key=lambda o: o.valid_from)}


def stored(base):
    """What the base holds: the oracle."""
    docs = (doc for doc in base.store.scan(SPACE, "record") if doc["_table"] == ITEMS)
    return {doc["id"]: doc["fields"][TITLE] for doc in docs}


def pull(base, cursor=None):
    return list(connector_for(base).pull("items", cursor, now=NOW))


def test_offset_expired(base):
    base.order(tool="airtable", fault="offset_expired", path="offset=", times=2)
    assert titles(pull(base)) == stored(base)


@pytest.mark.parametrize("crash_after", [1, 2, 3])
def test_edited_mid_walk(base, crash_after):
    base.order(tool="airtable", fault="edited_mid_walk", path="offset=")
    pages = connector_for(base).pull("items", None, now=NOW)
    held = [page for _, page in zip(range(crash_after), pages, strict=False)]
    held += pull(base, held[-1].cursor)
    held += pull(base, held[-1].cursor)
    assert titles(held) == stored(base)


def test_a_record_edited_ahead_of_the_walk_does_not_carry_the_cursor_past_those_behind_it(base):
    pages = connector_for(base).pull("items", None, now=NOW)
    held = [next(pages)]
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    put_item(base.store, item(150), now, {TITLE: "edited, and served in its old place"})
    held.append(next(pages))
    held += pull(base, held[-1].cursor)
    assert titles(held) == stored(base)


def test_deleted_between_pages(base):
    base.order(tool="airtable", fault="deleted_between_pages", path="offset=")
    pages = pull(base)
    assert len(stored(base)) == COUNT + 2
    assert titles(pages) == stored(base)  # whoever went before its page was read is never told


def test_late_commit(base):
    first = pull(base)
    base.order(tool="airtable", fault="late_commit", path=ITEMS)  # 300 seconds late
    connector = connector_for(base)
    late = list(connector.pull("items", first[-1].cursor, now=NOW))
    assert titles(first + late) == stored(base)


def test_late_commit_behind_a_cursor_of_this_very_minute(base):
    put_item(base.store, FIRST, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"), {TITLE: "just now"})
    first = pull(base)
    base.order(tool="airtable", fault="late_commit", path=ITEMS)
    assert titles(first + pull(base, first[-1].cursor)) == stored(base)


@pytest.mark.parametrize("crash_after", [1, 2, 3])
def test_equal_stamps(base, crash_after):
    base.order(tool="airtable", fault="equal_stamps", path=ITEMS)
    pages = connector_for(base).pull("items", None, now=NOW)
    held = [page for _, page in zip(range(crash_after), pages, strict=False)]
    again = pull(base, held[-1].cursor)
    assert titles(held + again) == stored(base)


class Locked(Time):
    """Sleeping moves the company's clock too."""

    def __init__(self, base):
        super().__init__()
        self.control = base.addresses["control"]

    def sleep(self, seconds):
        super().sleep(seconds)
        requests.post(f"{self.control}/clock", json={"advance": seconds}, timeout=5).raise_for_status()


def test_base_locked_is_waited_for_and_counted(base):
    base.order(tool="airtable", fault="base_locked", path=ITEMS)
    time = Locked(base)
    connector = connector_for(base, time=time)
    assert len(set(records(connector.pull("items", None, now=NOW)))) == COUNT + 3
    assert sum(time.slept) >= 30
    assert sum(time.slept) < 40


def test_base_locked_for_ever_is_given_up_only_after_the_lock_could_have_passed(base):
    base.order(tool="airtable", fault="base_locked", path=ITEMS, times=None, settings={"seconds": 3600})
    time = Locked(base)
    with pytest.raises(SourceUnavailable, match="429"):
        list(connector_for(base, time=time).pull("items", None, now=NOW))
    assert 30 <= sum(time.slept) <= 130  # never in the middle of the 30 seconds, and never for ever


@pytest.mark.parametrize("retry_after", [1, "date", None])
def test_too_many_requests(base, retry_after):
    base.order(tool="airtable", fault="too_many_requests", path=ITEMS, settings={"retry_after": retry_after})
    time = Time()
    assert len(set(records(connector_for(base, time=time).pull("items", None, now=NOW)))) == COUNT + 3
    assert sum(time.slept) == pytest.approx(1 if retry_after == 1 else 30, abs=1.1)


def test_collaborator_without_access(base):
    connector = connector_for(base)
    first = list(connector.pull("collaborators", None, now=NOW))
    base.order(tool="airtable", fault="collaborator_without_access", path="/meta/bases", settings={"user": GRACE})
    later = list(connector_for(base).pull("collaborators", first[-1].cursor, now=NOW + timedelta(hours=2)))
    active = {o.record: o.value for o in observations({"c": later}) if o.field == "active"}
    assert active == {ADA: "true", HUB: "true", GRACE: "false"}
    assert titles(pull(base)) == stored(base)  # and the cells that still name the person are read


# -- drift: a field is renamed, deleted, or gets another type ---------------------------------------------------


def drifted(base, cursor=None, stream="items", **changes):
    """The pages of a pull that may complain at its end, and the complaint ("" for none)."""
    pages = connector_for(base, **changes).pull(stream, cursor, now=NOW)
    held = []
    while True:
        try:
            held.append(next(pages))
        except StopIteration:
            return held, ""
        except SourceRefused as refused:
            return held, refused.message


def fields(pages):
    return {o.field for o in observations({"items": pages}) if o.entity == "item"}


def test_field_renamed(base):
    base.order(tool="airtable", fault="field_renamed", path=ITEMS, settings={"field": STATUS})
    pages, complaint = drifted(base)
    assert complaint == ""
    assert {o.value for o in observations({"items": pages}) if o.field == "status"} == {None, "Doing", "Done"}


@pytest.mark.parametrize(
    ("field", "role"), [(PHASE, "phase"), (OWNER, "owner"), (TITLE, "title"), (MODIFIED, "modified"), (REF, "")]
)
def test_field_deleted(base, field, role):
    whole = pull(base)
    base.order(tool="airtable", fault="field_deleted", path=ITEMS, settings={"field": field})
    pages, complaint = drifted(base)
    assert field in complaint
    assert role in complaint
    assert set(records(pages)) == set(records(whole))
    assert fields(whole) - fields(pages) == ({role} & fields(whole))  # nothing is said, not "empty" either
    assert any(field in problem.what for problem in connector_for(base).check())


def test_field_deleted_while_the_pull_is_on(base):
    base.order(tool="airtable", fault="field_deleted", path="offset=", settings={"field": PHASE})
    pages, _ = drifted(base)
    assert titles(pages) == stored(base)
    later, complaint = drifted(base, pages[-1].cursor)
    assert PHASE in complaint
    assert "phase" not in fields(later)


@pytest.mark.parametrize(("field", "role"), [(OWNER, "owner"), (APPROVER, "approver")])
def test_field_retyped(base, field, role):
    whole = pull(base)
    base.order(tool="airtable", fault="field_retyped", path="/tables", settings={"field": field})
    pages, complaint = drifted(base)
    assert f"{field} ({role}) has become" in complaint
    assert titles(pages) == titles(whole)
    assert role not in fields(pages)
    assert not [each for page in pages for each in page.quarantined]


def test_a_field_that_can_still_be_read_may_change_its_type(base):
    base.order(tool="airtable", fault="field_retyped", path="/tables", settings={"field": STATUS})
    pages, complaint = drifted(base)
    assert complaint == ""
    assert "Doing" in {o.value for o in observations({"items": pages}) if o.field == "status"}


def test_what_was_not_read_is_read_for_all_records_once_the_charter_names_another_field(base):
    base.order(tool="airtable", fault="field_deleted", path=ITEMS, settings={"field": PHASE})
    pages, _ = drifted(base)
    items = configured(base.addresses["airtable"]).items.model_dump() | {"phase": STATUS}
    again, complaint = drifted(base, pages[-1].cursor, items=items)
    assert complaint == ""
    assert {FIRST, *(item(number) for number in range(COUNT))} <= set(records(again))
    assert {o.value for o in observations({"items": again}) if o.field == "phase"} == {None, "Doing", "Done"}
    less, _ = drifted(base, again[-1].cursor, items=items | {"phase": None})
    assert len(records(less)) < 50  # leaving something out asks for nothing


def test_updates_go_on_without_author_or_time_but_not_without_text(base):
    for field in (BY, AT):
        base.order(tool="airtable", fault="field_deleted", path=UPDATES, settings={"field": field})
        pages, complaint = drifted(base, stream="updates")
    assert BY in complaint
    assert AT in complaint
    told = [o for o in observations({"updates": pages}) if o.field == "update"]
    assert [(o.value, o.actor) for o in told] == [("Draft is with the client", None)]
    base.order(tool="airtable", fault="field_deleted", path=UPDATES, settings={"field": TEXT})
    pages, complaint = drifted(base, stream="updates")
    assert (pages, TEXT in complaint) == ([], True)
