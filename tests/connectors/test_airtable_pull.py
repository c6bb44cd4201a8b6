"""Walking a base: pace, lost iterators, disturbed walks, what a sync costs."""

import re
from datetime import UTC, datetime

import pytest
from airtable_world import (
    FIRST,
    ITEMS,
    SPACE,
    STATUS,
    TITLE,
    Time,
    at,
    configured,
    connector_for,
    fill,
    put_item,
    put_news,
)
from contract import NOW, observations, pulled

from connectors.airtable.pace import Pace
from connectors.airtable.position import Position
from hub.errors import SourceBroken, SourceRefused, SourceUnavailable

HALF = 130


@pytest.fixture
def base(company):
    return company({"airtable": SPACE}, fill)


@pytest.fixture
def large(base):
    """260 items: three pages."""
    for number in range(2 * HALF):
        put_item(base.store, f"recItem{number:010d}", at(8, number // 60, number % 60), {TITLE: f"Item {number}"})
    return base


def records(pages):
    return [raw.native_id for page in pages for raw in page.records]


def listings(base):
    return [e for e in base.journal(tool="airtable") if e["path"].endswith(ITEMS)]


def test_a_sync_without_changes_asks_once_for_each_table(base):
    connector = connector_for(base)
    first = pulled(connector)
    base.forget()
    again = pulled(connector, {s: p[-1].cursor for s, p in first.items()})
    assert len(base.journal(tool="airtable")) == 4
    assert set(records(again["items"])) <= set(records(first["items"]))


def test_only_what_changed_since_the_cursor_is_read(large):
    connector = connector_for(large)
    cursor = list(connector.pull("items", None, now=NOW))[-1].cursor
    put_item(large.store, FIRST, at(9), {TITLE: "Landing page", STATUS: "Done"})
    again = list(connector.pull("items", cursor, now=NOW))
    assert FIRST in records(again)
    assert len(records(again)) < 20
    assert "fld" in listings(large)[-1]["query"]  # the filter names the field by id


def test_a_long_walk_can_stop_after_any_page(large):
    pages = list(connector_for(large).pull("items", None, now=NOW))
    assert len(pages) == 3
    resumed = list(connector_for(large).pull("items", pages[0].cursor, now=NOW))
    assert set(records(pages[:1] + resumed)) == set(records(pages))
    assert len(records(resumed)) < 200


def test_a_lost_iterator_begins_again_where_the_walk_has_got_to(large):
    body = '{"error":{"type":"LIST_RECORDS_ITERATOR_NOT_AVAILABLE"}}'
    large.order(tool="airtable", path="offset=", action="status", status=422, body=body)
    pages = list(connector_for(large).pull("items", None, now=NOW))
    assert len(set(records(pages))) == 2 * HALF + 3
    formulas = ["filterByFormula" in e["query"] for e in listings(large)]
    assert formulas == [False, False, True, True]


def test_a_walk_that_gets_on_may_lose_its_iterator_again_and_again(large):
    body = '{"error":{"type":"LIST_RECORDS_ITERATOR_NOT_AVAILABLE"}}'
    large.order(tool="airtable", path="offset=", action="status", status=422, body=body, times=None)
    pages = list(connector_for(large).pull("items", None, now=NOW))
    assert len(set(records(pages))) == 2 * HALF + 3


def test_an_iterator_that_is_always_lost_at_one_place_makes_the_source_unavailable(large):
    for number in range(2 * HALF):
        put_item(large.store, f"recItem{number:010d}", at(8), {TITLE: "imported at once"})
    body = '{"error":{"type":"LIST_RECORDS_ITERATOR_NOT_AVAILABLE"}}'
    large.order(tool="airtable", path="offset=", action="status", status=422, body=body, times=None)
    with pytest.raises(SourceUnavailable, match="losing our place"):
        list(connector_for(large).pull("items", None, now=NOW))


def test_a_walk_that_was_disturbed_is_walked_once_more(base):
    position = Position.parse('{"stamp":null,"again":true}')
    assert position.formula("fldX") is None
    # a record is edited between two pages and comes again at the end: others may have been stepped over
    for number in range(150):
        put_item(base.store, f"recItem{number:010d}", at(8, number // 60, number % 60), {TITLE: f"Item {number}"})
    connector = connector_for(base)
    body = '{"error":{"type":"LIST_RECORDS_ITERATOR_NOT_AVAILABLE"}}'
    pages = connector.pull("items", None, now=NOW)
    first = next(pages)
    put_item(base.store, "recItem0000000090", at(9), {TITLE: "edited"})
    base.order(tool="airtable", path="offset=", action="status", status=422, body=body)
    rest = list(pages)
    walked = Position.parse(rest[-1].cursor)
    assert (walked.stamp, walked.again) == (None, True)
    base.order(tool="airtable", path="offset=", action="status", status=422, body=body)
    pages = connector.pull("items", rest[-1].cursor, now=NOW)
    again = [next(pages)]
    put_item(base.store, "recItem0000000080", at(9), {TITLE: "edited"})  # once more is enough, busy as it may be
    again += pages
    assert set(records(again)) == set(records([first, *rest]))
    assert not Position.parse(again[-1].cursor).again


def test_pages_already_read_are_kept_when_a_later_one_fails(large):
    large.order(tool="airtable", path="offset=", action="status", status=500)
    pages = connector_for(large).pull("items", None, now=NOW)
    assert len(next(pages).records) == 100
    with pytest.raises(SourceUnavailable):
        next(pages)


def test_a_stamp_from_the_future_does_not_hide_what_changes_before_it(base):
    put_item(base.store, "recFuture00000001", "2036-01-01T00:00:00.000Z", {TITLE: "later"})
    connector = connector_for(base)
    cursor = list(connector.pull("items", None, now=NOW))[-1].cursor
    put_item(base.store, "recToday000000001", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"), {TITLE: "today"})
    assert "recToday000000001" in records(connector.pull("items", cursor, now=NOW))


def test_updates_are_read_from_the_service_s_clock_on(base):
    connector = connector_for(base)
    cursor = list(connector.pull("updates", None, now=NOW))[-1].cursor
    today = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    put_news(base.store, "recNews0000000002", today, "usrAda0000000001", FIRST, "More")
    again = list(connector.pull("updates", cursor, now=NOW))
    assert records(again) == ["recNews0000000002"]
    assert [o.value for o in observations({"u": again}) if o.field == "update"] == ["More"]


def test_a_walk_over_updates_that_stops_early_is_walked_again(base):
    for number in range(150):
        put_news(base.store, f"recNews{number:010d}", at(9), "usrAda0000000001", FIRST, f"Step {number}")
    pages = list(connector_for(base).pull("updates", None, now=NOW))
    assert [Position.parse(p.cursor).stamp is None for p in pages] == [True, False]


def test_a_repeated_offset_ends_the_pull_as_broken(base):
    body = '{"records": [], "offset": "itrAAAAAAAAAAAAAAA/1"}'
    base.order(tool="airtable", path=ITEMS, action="status", status=200, body=body, times=None)
    with pytest.raises(SourceBroken, match="repeats its offset"):
        list(connector_for(base).pull("items", None, now=NOW))


def test_a_field_that_is_not_there_is_named_after_all_the_rest_was_read(base):
    items = configured(base.addresses["airtable"]).items.model_dump() | {"phase": "fldGone0000000001"}
    connector = connector_for(base, items=items)
    pages = connector.pull("items", None, now=NOW)
    assert len(next(pages).records) == 3
    with pytest.raises(SourceRefused, match="fldGone0000000001"):
        next(pages)
    assert any("fldGone0000000001" in p.what for p in connector.check())


def test_check_names_a_missing_table_and_a_field_of_the_wrong_type(base):
    items = configured(base.addresses["airtable"]).items.model_dump()
    (missing,) = connector_for(base, items=items | {"table": "tblGone0000000001"}).check()
    assert "tblGone0000000001" in missing.what
    (wrong,) = connector_for(base, items=items | {"owner": STATUS}).check()
    assert "singleSelect" in wrong.what


def test_nothing_counts_for_us(base):
    assert {connector_for(base).census(s) for s in connector_for(base).streams()} == {None}


def test_a_source_without_updates_has_no_such_stream(base):
    assert connector_for(base, updates=None).streams() == ("collaborators", "items")


# -- pace ----------------------------------------------------------------------------------------------------


def test_no_window_of_a_second_holds_more_than_the_limit():
    time, sent = Time(), []
    pace = Pace(5, clock=time.clock, sleep=time.sleep)
    for number in range(40):
        time.now += 0.03 * (number % 3)
        pace.wait()
        sent.append(time.now)
    assert all(later - earlier > 1 for earlier, later in zip(sent, sent[5:], strict=False))


def test_who_is_slow_by_himself_never_waits():
    time = Time()
    pace = Pace(5, clock=time.clock, sleep=time.sleep)
    for _ in range(20):
        time.now += 0.25
        pace.wait()
    assert time.slept == []


def test_a_rate_below_one_a_second_is_kept_too():
    time = Time()
    pace = Pace(0.5, clock=time.clock, sleep=time.sleep)
    for _ in range(3):
        pace.wait()
    assert time.now == pytest.approx(4.1)


def test_every_request_keeps_the_pace(base):
    time = Time()
    pulled(connector_for(base, time=time))
    assert len(base.journal(tool="airtable")) == 5
    assert time.slept == []
    pulled(connector_for(base, time=time))
    assert time.slept == []
    connector = connector_for(base, time=time)
    pulled(connector)
    pulled(connector)
    assert sum(time.slept) == pytest.approx(1.05)


def test_a_closed_base_is_left_alone_for_its_penalty(base):
    time = Time()
    body = '{"errors":[{"error":"RATE_LIMIT_REACHED","message":"Rate limit exceeded."}]}'
    base.order(tool="airtable", path=re.escape(ITEMS), action="status", status=429, body=body)
    assert list(connector_for(base, time=time).pull("items", None, now=NOW))
    assert time.slept == [30]


def test_the_filter_reaches_back_over_the_overlap():
    position = Position(stamp=datetime(2026, 10, 1, 9, 0, 0, tzinfo=UTC))
    assert position.formula("fldX") == 'IS_AFTER({fldX}, DATETIME_PARSE("2026-10-01T08:49:59.000Z"))'
    assert position.formula(None) == 'IS_AFTER(LAST_MODIFIED_TIME(), DATETIME_PARSE("2026-10-01T08:49:59.000Z"))'
    assert Position.parse(position.text()) == position
