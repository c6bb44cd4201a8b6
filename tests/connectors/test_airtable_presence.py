"""What is there, what is gone, and what only looks so: ids, proofs by direct read, records fetched again."""

import pytest
from airtable_world import (
    FIRST,
    HUB,
    ITEMS,
    NEWS,
    SECOND,
    SPACE,
    THIRD,
    TITLE,
    UPDATES,
    at,
    connector_for,
    fill,
    put_item,
)
from contract import NOW, keys, pulled

from connectors.airtable import presence
from connectors.base import PresenceTeller
from hub.errors import SourceRefused, SourceUnavailable


@pytest.fixture
def base(company):
    return company({"airtable": SPACE}, fill)


@pytest.fixture
def large(base):
    """253 items: three pages."""
    for number in range(250):
        put_item(base.store, f"recItem{number:010d}", at(8, number // 60, number % 60), {TITLE: f"Item {number}"})
    return base


def fates(connector, *ids, stream="items"):
    return {told.record: told.kind for told in connector.prove(stream, ids, now=NOW)}


def test_the_connector_tells_about_presence(base):
    assert isinstance(connector_for(base), PresenceTeller)
    assert connector_for(base).deletions("items", None, now=NOW) == ((), None)


def test_all_ids_are_listed_with_one_small_field_in_the_fewest_requests(large):
    connector = connector_for(large)
    listed = list(connector.ids("items"))
    assert len(listed) == len(set(listed)) == 253
    walked = [e for e in large.journal(tool="airtable") if e["path"].endswith(ITEMS)]
    assert len(walked) == 3
    assert all(entry["query"].count("fields") == 1 for entry in walked)
    assert list(connector.ids("updates")) == [NEWS]
    assert connector.ids("collaborators") is None


def test_ids_are_whole_after_an_expired_offset_and_never_end_early(large):
    large.order(tool="airtable", fault="offset_expired", path="offset=")
    assert len(set(connector_for(large).ids("items"))) == 253
    large.order(tool="airtable", fault="offset_expired", path="offset=", times=None)
    with pytest.raises(SourceUnavailable):
        list(connector_for(large).ids("items"))


def test_a_record_is_deleted_only_when_the_service_says_so_in_a_table_it_shows(base):
    base.store.delete(SPACE, "record", SECOND)
    connector = connector_for(base)
    (gone, there) = connector.prove("items", (SECOND, THIRD), now=NOW)
    assert (gone.kind, there.kind) == ("deleted", "present")
    assert "404" in gone.evidence
    assert ITEMS in gone.evidence
    assert fates(connector, NEWS, stream="updates") == {NEWS: "present"}
    assert fates(connector, "../whoami", "", "usrAda") == {}  # nothing that could be asked about
    assert fates(connector, HUB, stream="collaborators") == {}


def test_a_table_out_of_reach_holds_no_deleted_records(base):
    base.order(tool="airtable", fault="permission_lost", path=ITEMS, settings={"container": ITEMS})
    connector = connector_for(base)
    with pytest.raises(SourceRefused):
        list(connector.ids("items"))
    assert fates(connector, FIRST, SECOND) == {FIRST: "unreachable", SECOND: "unreachable"}


def test_an_unknown_record_of_a_table_no_longer_listed_is_unreachable(base):
    base.order(tool="airtable", action="status", path="/tables", status=200, body='{"tables": []}', times=None)
    base.store.delete(SPACE, "record", SECOND)
    assert fates(connector_for(base), SECOND) == {SECOND: "unreachable"}


@pytest.mark.parametrize(
    "order",
    [
        {"fault": "unauthorized_for_ever"},
        {"action": "status", "status": 404, "body": '{"error":"NOT_FOUND"}'},
        {"action": "status", "status": 404, "body": "gone fishing"},
        {"action": "status", "status": 503},
        {"fault": "html_502"},
    ],
    ids=lambda order: str(order.get("body") or order.get("fault") or order.get("status")),
)
def test_any_other_answer_proves_nothing(base, order):
    base.order(tool="airtable", path=SECOND, times=None, **order)
    with pytest.raises((SourceRefused, SourceUnavailable)):
        connector_for(base).prove("items", (SECOND,), now=NOW)


def test_records_are_fetched_again_a_hundred_to_a_request_and_say_what_a_pull_says(large):
    connector = connector_for(large)
    whole = pulled(connector)
    wanted = [raw.native_id for page in whole["items"] for raw in page.records]
    large.forget()
    pages = list(connector_for(large).fetch("items", [*wanted, "recGone0000000001", wanted[0]], now=NOW))
    assert sorted(raw.native_id for page in pages for raw in page.records) == sorted(wanted)
    assert all(page.cursor is None for page in pages)
    assert keys({"items": whole["items"]}) <= keys({"items": pages}) | keys({"people": whole["collaborators"]})
    walked = [e for e in large.journal(tool="airtable") if e["path"].endswith(ITEMS)]
    assert len(walked) == 3


def test_updates_and_people_are_fetched_too(base):
    connector = connector_for(base)
    (page,) = connector.fetch("updates", [NEWS], now=NOW)
    assert [raw.native_id for raw in page.records] == [NEWS]
    (people,) = connector.fetch("collaborators", [HUB], now=NOW)
    assert HUB in {raw.native_id for raw in people.records}
    assert people.cursor is None
    assert not list(connector.fetch("items", [], now=NOW))
    assert UPDATES not in {e["path"] for e in base.journal(tool="airtable")}


def test_no_id_reaches_a_formula_that_is_none():
    assert list(presence.filters(['rec1"),TRUE(),("', "usr1", "recA", "recA"])) == ['OR(RECORD_ID()="recA")']
