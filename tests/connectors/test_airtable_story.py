"""What the hub learns from one base: items as they are now, news by their authors, people."""

from datetime import UTC, datetime

import pytest
from airtable_world import (
    ADA,
    ADDRESS,
    APPROVAL,
    AT,
    BASE,
    BY,
    DUE,
    FIRST,
    GRACE,
    HUB,
    ITEM,
    ITEMS,
    NEWS,
    OWNER,
    PEOPLE,
    PERSON,
    REF,
    SECOND,
    SPACE,
    STATUS,
    TEXT,
    THIRD,
    TITLE,
    UPDATES,
    configured,
    connector_for,
    fill,
    person,
    put_item,
    put_news,
)
from airtable_world import at as stamp
from contract import NOW, observations, pulled

from connectors.airtable import parse
from connectors.airtable.cells import Unreadable, moment, owners, text


def at(day, hour=9):
    return datetime(2026, 10, day, hour, tzinfo=UTC)


@pytest.fixture
def base(company):
    return company({"airtable": SPACE}, fill)


def values(told, record):
    return {(o.field, o.part): o.value for o in told if o.record == record}


def test_an_item_says_what_it_holds_now_as_of_its_last_change(base):
    told = [o for o in observations(pulled(connector_for(base))) if o.record == FIRST]
    said = values(told, FIRST)
    assert said["title", ""] == "Landing page"
    assert said["status", ""] == "Doing"
    assert said["phase", ""] == "Build"
    assert said["due", ""] == "2026-12-01"
    assert said["owner", ""] == GRACE
    assert said["approval", "approval"] == "pending"
    assert said["approver", "approval"] == ADA
    assert said["identifier", FIRST] == FIRST
    assert said["identifier", REF] == "77/a"
    assert {v for (f, _), v in said.items() if f == "reference"} == {"ACME-1", "5000000000000C1"}
    assert said["url", ""] == f"https://airtable.com/{BASE}/{ITEMS}/{FIRST}"
    (owner,) = [o for o in told if o.field == "owner"]
    assert (owner.valid_from, owner.origin, owner.actor) == (at(5, 10), "snapshot", None)


def test_a_cell_left_out_is_empty_because_it_was_asked_for(base):
    said = values(observations(pulled(connector_for(base))), SECOND)
    assert said["owner", ""] is None
    assert said["phase", ""] is None
    assert said["approval", "approval"] is None


def test_several_owners_are_told_in_one_order(base):
    assert values(observations(pulled(connector_for(base))), THIRD)["owner", ""] == ",".join(sorted((ADA, GRACE)))


def test_an_update_is_news_and_activity_of_its_item_by_its_author(base):
    told = [o for o in observations(pulled(connector_for(base))) if o.origin == "event"]
    assert {(o.record, o.field, o.part, o.value, o.actor, o.valid_from) for o in told} == {
        (FIRST, "update", NEWS, "Draft is with the client", GRACE, at(5, 11)),
        (FIRST, "activity", "", "Draft is with the client", GRACE, at(5, 11)),
    }


def test_an_update_without_text_says_nothing_and_is_kept(base):
    put_news(base.store, "recNews0000000002", stamp(6), ADA, FIRST, None)
    pages = pulled(connector_for(base))
    assert {raw.native_id for p in pages["updates"] for raw in p.records} == {NEWS, "recNews0000000002"}
    assert not [q for p in pages["updates"] for q in p.quarantined]
    assert [o.part for o in observations(pages) if o.field == "update"] == [NEWS]


def test_everybody_with_access_is_an_account_and_the_hub_knows_itself(base):
    told = [o for o in observations(pulled(connector_for(base))) if o.entity == "account"]
    seen = {(o.record, o.field): o.value for o in told}
    assert {r: v for (r, f), v in seen.items() if f == "kind"} == {ADA: "person", GRACE: "person", HUB: "hub"}
    assert seen[ADA, "email"] == "ada@studio.example"
    assert seen[ADA, "name"] == "Ada"
    assert seen[ADA, "active"] == "true"


def test_somebody_who_lost_access_is_no_longer_active(base):
    connector = connector_for(base)
    first = pulled(connector)
    base.store.delete(SPACE, "collaborator", GRACE)
    again = list(connector.pull("collaborators", first["collaborators"][-1].cursor, now=NOW))
    assert ("active", "false") in {(o.field, o.value) for o in observations({"c": again}) if o.record == GRACE}


def test_where_collaborators_cannot_be_listed_people_are_met_in_the_cells(base):
    base.order(tool="airtable", path="include=collaborators", action="status", status=403, times=None, body="{}")
    connector = connector_for(base)
    told = observations(pulled(connector))
    assert {o.record for o in told if o.entity == "account"} == {ADA, GRACE}
    assert [p.severity for p in connector.check()] == ["warning"]


def test_owners_may_be_records_of_a_table_of_people(company):
    def linked(store):
        fill(store, owner="multipleRecordLinks")
        rec = "recPerson00000001"
        cells = {PERSON: "Ada Lovelace", ADDRESS: "ada@studio.example"}
        doc = {"id": rec, "createdTime": stamp(1), "_table": PEOPLE, "_modified": stamp(1), "fields": cells}
        store.put(SPACE, "record", [(rec, stamp(1), doc)])
        put_item(store, FIRST, stamp(8), {TITLE: "Landing page", OWNER: [rec]})

    told = observations(pulled(connector_for(company({"airtable": SPACE}, linked))))
    assert values(told, FIRST)["owner", ""] == "recPerson00000001"
    assert values(told, "recPerson00000001")["name", ""] == "Ada Lovelace"
    assert values(told, "recPerson00000001")["email", ""] == "ada@studio.example"


def test_a_base_without_a_modified_stamp_is_told_by_the_service_s_clock(base):
    items = configured(base.addresses["airtable"]).items.model_dump() | {"modified": None}
    told = observations(pulled(connector_for(base, items=items)))
    (owner,) = [o for o in told if o.record == FIRST and o.field == "owner"]
    assert abs((owner.valid_from - datetime.now(UTC)).total_seconds()) < 30


# -- single records ------------------------------------------------------------------------------------------

SOURCE = configured("http://127.0.0.1:1")
SEEN = datetime(2026, 11, 1, tzinfo=UTC)


def item(cells, **more):
    record = {"id": FIRST, "createdTime": stamp(1), "fields": cells, **more}
    return parse.item(record, SOURCE.items, source=SPACE, base=BASE, seen=SEEN, raw="r").observations


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"id": "", "createdTime": stamp(1), "fields": {}}, "without an id"),
        ({"id": FIRST, "createdTime": stamp(1)}, "no fields"),
        ({"id": FIRST, "fields": {}}, "the modified time"),
        ({"id": FIRST, "createdTime": stamp(1), "fields": {OWNER: ["Ada"]}}, "not a person"),
        ({"id": FIRST, "createdTime": stamp(1), "fields": {TITLE: {"error": "#ERROR!"}}}, "failed formula"),
        ({"id": FIRST, "createdTime": stamp(1), "fields": {STATUS: {"odd": 1}}}, "unknown shape"),
    ],
)
def test_an_unreadable_item_names_what_is_wrong(record, reason):
    with pytest.raises(Unreadable, match=reason):
        parse.item(record, SOURCE.items, source=SPACE, base=BASE, seen=SEEN, raw="r")


def test_a_stamp_that_was_never_written_means_creation():
    assert {o.valid_from for o in item({TITLE: "x"})} == {at(1)}


def test_a_date_with_a_time_is_a_day():
    assert ("due", "2026-12-01") in {(o.field, o.value) for o in item({DUE: "2026-12-01T10:00:00.000Z"})}


def test_an_approval_word_nobody_taught_us_stays_visible():
    assert ("approval", "on hold") in {(o.field, o.value) for o in item({APPROVAL: "On Hold"})}


def test_a_lookup_of_references_holds_several():
    told = item({REF: ["A 1", "A 2"]})
    assert {o.value for o in told if o.field == "identifier"} == {FIRST, "A 1\nA 2"}


def test_an_update_linked_to_two_items_is_told_of_both():
    record = {"id": NEWS, "createdTime": stamp(1), "fields": {ITEM: [FIRST, SECOND], TEXT: "x", BY: person(ADA, "Ada")}}
    told = parse.update(record, SOURCE.updates, source=SPACE, base=BASE, raw="r").observations
    assert {o.record for o in told} == {FIRST, SECOND}
    assert {o.valid_from for o in told} == {at(1)}
    assert {o.evidence for o in told} == {f"https://airtable.com/{BASE}/{UPDATES}/{NEWS}"}


@pytest.mark.parametrize("cells", [{ITEM: "rec", TEXT: "x"}, {ITEM: [FIRST], TEXT: "x", AT: "soon"}])
def test_an_unreadable_update_names_what_is_wrong(cells):
    with pytest.raises(Unreadable):
        parse.update(
            {"id": NEWS, "createdTime": stamp(1), "fields": cells}, SOURCE.updates, source=SPACE, base=BASE, raw="r"
        )


def test_cells_of_every_type_become_text():
    cells = ("x ", 3, 2.5, True, ["a", {"name": "b"}], {"url": "https://x"}, None, [], "")
    assert [text(c, "f") for c in cells] == ["x", "3", "2.5", "true", "a, b", "https://x", None, None, None]


def test_one_person_and_several_are_read_alike():
    assert owners({"id": "usrB"}, "f") == "usrB"
    assert owners([{"id": "usrB"}, {"id": "usrA"}, {"id": "usrB"}], "f") == "usrA,usrB"
    assert owners(["recB", "recA"], "f") == "recA,recB"
    assert owners(None, "f") is None


def test_a_time_without_a_zone_is_unreadable():
    with pytest.raises(Unreadable):
        moment("2026-10-01T09:00:00", "at")
