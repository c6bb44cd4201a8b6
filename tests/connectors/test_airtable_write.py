"""Writing an owner cell: that cell alone, in the shape of its field, once, and an honest outcome."""

import json

import pytest
from airtable_world import (
    ADA,
    FIRST,
    GRACE,
    ITEMS,
    OWNER,
    PEOPLE,
    PERSON,
    SECOND,
    SPACE,
    STATUS,
    THIRD,
    TITLE,
    at,
    connector_for,
    fill,
    put_item,
)

from connectors.base import OwnerReading
from hub.errors import SourceBroken, SourceRefused

LINKED = "recPerson00000001"


def started(company, owner="multipleCollaborators"):
    def world(store):
        fill(store, owner=owner)
        doc = {"id": LINKED, "createdTime": at(1), "_table": PEOPLE, "_modified": at(1), "fields": {PERSON: "Ada"}}
        store.put(SPACE, "record", [(LINKED, at(1), doc)])
        if owner == "multipleRecordLinks":
            put_item(store, FIRST, at(8), {TITLE: "Landing page"})

    return company({"airtable": SPACE}, world)


@pytest.fixture
def base(company):
    return started(company)


def writer_for(base):
    writer = connector_for(base).writer
    assert writer is not None
    return writer


def patches(base):
    return [e for e in base.journal(tool="airtable") if e["method"] != "GET"]


def test_the_owner_is_read_with_the_modified_stamp(base):
    reading = writer_for(base).read_owner(FIRST)
    assert (reading.owner, reading.version, reading.witness) == (GRACE, at(5, 10), "multipleCollaborators")
    assert writer_for(base).read_owner(SECOND).owner is None
    assert writer_for(base).read_owner(THIRD).owner == ",".join(sorted((ADA, GRACE)))


def test_a_record_that_is_gone_is_refused(base):
    with pytest.raises(SourceRefused):
        writer_for(base).read_owner("recGone0000000001")


def test_a_cell_that_holds_no_person_is_broken_not_empty(base):
    put_item(base.store, SECOND, at(8), {OWNER: "Ada, probably"})
    with pytest.raises(SourceBroken):
        writer_for(base).read_owner(SECOND)


def test_a_write_changes_the_owner_cell_and_nothing_else(base):
    writer = writer_for(base)
    assert writer.send_owner(FIRST, ADA, writer.read_owner(FIRST), marker="m").kind == "accepted"
    (sent,) = patches(base)
    assert (sent["method"], sent["path"]) == ("PATCH", f"/v0/appHandoffHub0001/{ITEMS}/{FIRST}")
    body = json.loads(sent["body"])
    assert body == {"fields": {OWNER: [{"id": ADA}]}, "typecast": False, "returnFieldsByFieldId": True}
    assert writer.read_owner(FIRST).owner == ADA
    assert base.store.get(SPACE, "record", FIRST)["fields"][STATUS] == "Doing"


def test_several_owners_and_nobody_can_be_given_back(base):
    writer = writer_for(base)
    both = ",".join(sorted((ADA, GRACE)))
    assert writer.send_owner(FIRST, both, writer.read_owner(FIRST), marker="m").kind == "accepted"
    assert writer.read_owner(FIRST).owner == both
    assert writer.send_owner(FIRST, None, writer.read_owner(FIRST), marker="m").kind == "accepted"
    assert writer.read_owner(FIRST).owner is None


def test_a_field_of_one_person_takes_one_person(company):
    base = started(company, "singleCollaborator")
    writer = writer_for(base)
    reading = writer.read_owner(FIRST)
    assert writer.send_owner(FIRST, f"{ADA},{GRACE}", reading, marker="m").kind == "refused"
    assert patches(base) == []
    assert writer.send_owner(FIRST, ADA, reading, marker="m").kind == "accepted"
    assert json.loads(patches(base)[0]["body"])["fields"] == {OWNER: {"id": ADA}}
    assert writer.read_owner(FIRST).owner == ADA


def test_a_field_of_links_takes_a_record_of_the_people(company):
    base = started(company, "multipleRecordLinks")
    writer = writer_for(base)
    assert writer.may_own(FIRST, LINKED) == ""
    assert "no such record" in writer.may_own(FIRST, "recGone0000000001")
    assert writer.send_owner(FIRST, LINKED, writer.read_owner(FIRST), marker="m").kind == "accepted"
    assert writer.read_owner(FIRST).owner == LINKED


def test_without_a_schema_the_shape_is_taken_from_the_cell(base):
    base.order(tool="airtable", path="/tables", action="status", status=403, times=None)
    writer = writer_for(base)
    assert writer.read_owner(FIRST).witness == "multipleCollaborators"
    assert writer.send_owner(FIRST, ADA, writer.read_owner(FIRST), marker="m").kind == "accepted"
    empty = writer.read_owner(SECOND)
    assert writer.send_owner(SECOND, ADA, empty, marker="m").kind == "refused"
    assert len(patches(base)) == 1


def test_only_people_with_access_may_own(base):
    writer = writer_for(base)
    assert writer.may_own(FIRST, ADA) == ""
    assert "no access" in writer.may_own(FIRST, "usrStranger000001")


def test_where_collaborators_cannot_be_listed_airtable_itself_decides(base):
    base.order(tool="airtable", path="include=collaborators", action="status", status=403, times=None)
    writer = writer_for(base)
    assert writer.may_own(FIRST, "usrStranger000001") == ""
    assert writer.send_owner(FIRST, "usrStranger000001", writer.read_owner(FIRST), marker="m").kind == "refused"


def test_records_carry_no_history_that_could_prove_our_write(base):
    from contract import NOW

    assert writer_for(base).sent_by_us(FIRST, ADA, NOW, marker="m") is None


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"action": "status", "status": 401}, "refused"),
        ({"action": "status", "status": 403}, "refused"),
        ({"action": "status", "status": 422}, "refused"),
        ({"action": "status", "status": 429}, "not_processed"),
        ({"action": "status", "status": 500}, "unknown"),
        ({"action": "status", "status": 503}, "unknown"),
        ({"action": "html"}, "unknown"),
        ({"action": "truncate"}, "unknown"),
        ({"action": "down"}, "unknown"),
    ],
)
def test_one_request_and_an_honest_outcome(base, fault, kind):
    writer = writer_for(base)
    reading = writer.read_owner(FIRST)
    base.order(tool="airtable", method="PATCH", times=None, **fault)
    assert writer.send_owner(FIRST, ADA, reading, marker="m").kind == kind
    assert len(patches(base)) == 1


@pytest.mark.parametrize("action", ["hang_before", "hang_after"])
def test_silence_is_unknown_whether_or_not_it_was_applied(base, action):
    writer = writer_for(base)
    reading = writer.read_owner(FIRST)
    for adapter in writer._session.adapters.values():
        adapter._timeout = (1, 0.2)
    base.order(tool="airtable", method="PATCH", action=action)
    assert writer.send_owner(FIRST, ADA, reading, marker="m").kind == "unknown"
    assert writer.read_owner(FIRST).owner == (ADA if action == "hang_after" else GRACE)


def test_a_field_of_unknown_type_is_never_written(base):
    reading = OwnerReading(owner=None, version="", witness="singleSelect")
    assert writer_for(base).send_owner(FIRST, ADA, reading, marker="m").kind == "refused"
    assert patches(base) == []


def test_a_source_that_is_not_writable_has_no_writer(base):
    assert connector_for(base, writable=False).writer is None
