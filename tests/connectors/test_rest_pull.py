"""What a configured service tells, and how nothing in its lists is missed."""

from pathlib import Path

import pytest
from contract import NOW, keys, observations, pulled
from hubspot_like import CURSOR, DEALS, TOKEN, Crm, at, connector_for, serving
from hubspot_like import text as stamp
from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML

from connectors.rest.connector import RestConnector
from connectors.rest.places import ABSENT, Unreadable, flag, moment
from connectors.rest.places import at as place
from hub.charter.secret import Secret
from hub.charter.sources import Source
from hub.errors import ConfigurationError, SourceBroken, SourceRefused, SourceUnavailable

SINCE = {"since": {"parameter": "updatedAfter"}}
BY_PAGE = {"paging": {"kind": "page", "parameter": "page", "size_parameter": "limit", "size": 3}}
BY_OFFSET = {"paging": {"kind": "offset", "parameter": "offset", "size_parameter": "limit", "size": 3}}
BY_LINK = {"paging": {"kind": "link", "next": "paging.next.link", "size_parameter": "limit", "size": 3}}
BY_HEADER = {"paging": {"kind": "link", "size_parameter": "limit", "size": 3}}


@pytest.fixture
def crm():
    with serving(Crm()) as running:
        running.owner("71", "Ada", "Byron")
        for native in range(1, 8):
            running.deal(str(native), native)
        yield running


def deals(connector, cursor=None):
    return list(connector.pull("deals", cursor, now=NOW))


def ids(pages):
    return [raw.native_id for page in pages for raw in page.records]


def said(pages, record):
    told = [each for page in pages for each in page.observations]
    return {(each.field, each.part): each.value for each in told if each.record == record}


def test_a_deal_says_what_it_holds_as_of_its_last_change(crm):
    crm.deal("2", 30, dealstage="won", closedate="2026-12-24T00:00:00.000Z")
    pages = deals(connector_for(crm))
    assert said(pages, "2") == {
        ("identifier", "2"): "2",
        ("url", ""): "https://crm.example/deal/2",
        ("title", ""): "Deal 2",
        ("status", ""): "won",
        ("owner", ""): "71",
        ("due", ""): "2026-12-24",
    }
    times = {o.field: o.valid_from for page in pages for o in page.observations if o.record == "2"}
    assert (times["status"], times["identifier"]) == (at(30), at(2))


def test_people_are_told_with_whether_they_are_still_there(crm):
    crm.owner("72", "Grace", "Hopper", 5, archived=True)
    pages = list(connector_for(crm).pull("accounts", None, now=NOW))
    assert said(pages, "71") | {("kind", ""): "person"} == {
        ("name", ""): "Ada Byron",
        ("email", ""): "ada@acme.example",
        ("active", ""): "true",
        ("kind", ""): "person",
    }
    assert said(pages, "72")[("active", "")] == "false"


@pytest.mark.parametrize("way", [{}, BY_LINK, BY_HEADER, BY_PAGE, BY_OFFSET], ids=str)
def test_every_way_of_paging_finds_every_deal_once(crm, way):
    assert ids(deals(connector_for(crm, **way))) == [str(n) for n in range(1, 8)]


def test_pages_that_are_shorter_than_asked_for_are_no_end(crm):
    crm.cap = 2
    for way in ({}, BY_OFFSET, BY_PAGE):
        assert len(ids(deals(connector_for(crm, **way)))) == 7


@pytest.mark.parametrize("way", [BY_PAGE, BY_OFFSET], ids=["page", "offset"])
def test_a_deal_that_slips_behind_us_when_another_is_deleted_is_found(crm, way):
    def delete_once(_):
        if len(crm.requests) == 1:
            crm.archive("1", 20)

    crm.hook = delete_once
    assert set(ids(deals(connector_for(crm, **way, **SINCE)))) == {str(n) for n in range(1, 8)}


def test_a_list_that_never_keeps_still_leaves_the_cursor_where_it_was(crm):
    connector = connector_for(crm, **BY_OFFSET, **SINCE)
    cursor = deals(connector)[-1].cursor
    crm.hook = lambda _: crm.deal("7", 20 + len(crm.requests) / 10)
    assert {page.cursor for page in deals(connector, cursor)} == {cursor}


def test_only_what_changed_is_asked_for_with_an_overlap(crm):
    connector = connector_for(crm, **SINCE)
    cursor = deals(connector)[-1].cursor
    crm.deal("1", 40, dealstage="won")
    crm.deal("9", 6, dealname="Committed late")
    again = deals(connector, cursor)
    assert {"1", "9"} <= set(ids(again))
    assert "updatedAfter=2026-11-20T08" in crm.requests[-1]
    cursor = again[-1].cursor
    assert ids(deals(connector, cursor)) == ["1"]


def test_the_cursor_moves_with_the_last_page_only(crm):
    first, second, last = deals(connector_for(crm, **SINCE))
    assert first.cursor == second.cursor == '{"stamp":null}'
    assert stamp(at(7))[:19] in last.cursor


def test_a_deal_edited_behind_a_long_walk_comes_with_the_next_pull(crm):
    crm.clock = at(60)

    def two_hours_pass(path):
        if "after=6" in path:
            crm.clock = at(180)
            crm.deal("1", 70, dealstage="lost")
            crm.deal("7", 175)

    connector = connector_for(crm, **SINCE)
    crm.hook = two_hours_pass
    cursor = deals(connector)[-1].cursor
    crm.hook = lambda _: None
    assert "1" in ids(deals(connector, cursor))


def test_a_stamp_from_the_future_hides_nothing(crm):
    crm.deal("3", 60 * 24 * 400)
    connector = connector_for(crm, **SINCE)
    cursor = deals(connector)[-1].cursor
    crm.deal("5", 61, dealstage="won")
    assert "5" in ids(deals(connector, cursor))


def test_being_told_to_wait_is_waiting(crm):
    waits: list[float] = []
    crm.faults = [(429, {"Retry-After": "7"}), (429, {"Retry-After": "2"})]
    assert len(ids(deals(connector_for(crm, waits=waits)))) == 7
    assert waits == [7, 2]


def test_a_service_that_is_tired_for_long_is_said_to_be_unavailable(crm):
    crm.faults = [(429, {"Retry-After": "100000"})] * 9
    with pytest.raises(SourceUnavailable):
        deals(connector_for(crm))


def test_a_renamed_field_is_put_aside_and_not_taken_for_emptiness(crm):
    for one in crm.deals.values():
        one["properties"]["owner"] = one["properties"].pop("hubspot_owner_id")
    pages = deals(connector_for(crm))
    assert ids(pages) == []
    assert {each.reason for page in pages for each in page.quarantined} == {
        "the record has no field properties.hubspot_owner_id"
    }
    (problem,) = connector_for(crm).check()
    assert (problem.where, problem.severity) == ("acme_crm.deals", "error")
    assert "properties.hubspot_owner_id" in problem.what


def test_a_service_may_be_said_to_leave_empty_fields_out(crm):
    del crm.deals["1"]["properties"]["hubspot_owner_id"]
    assert said(deals(connector_for(crm, absent_is_empty=True)), "1")[("owner", "")] is None


def test_the_next_page_at_another_origin_is_refused_before_anything_is_sent(crm):
    with serving(Crm()) as decoy:
        for elsewhere in (decoy.address, "https://crm.example.evil", "http://user@127.0.0.1:1"):
            crm.link_to = elsewhere
            with pytest.raises(SourceRefused, match="another origin"):
                deals(connector_for(crm, **BY_LINK))
            with pytest.raises(SourceRefused, match="another origin"):
                deals(connector_for(crm, **BY_HEADER))
        assert decoy.requests == []


@pytest.mark.parametrize(
    "way",
    [
        {"paging": CURSOR | {"parameter": "afterwards"}},
        {"paging": BY_OFFSET["paging"] | {"parameter": "begin"}},
        {"records": "items"},
    ],
    ids=["cursor", "offset", "records"],
)
def test_a_list_described_wrongly_is_an_error_and_not_an_end(crm, way):
    with pytest.raises(SourceBroken) as broken:
        deals(connector_for(crm, **way))
    assert "charter" in broken.value.hint or "next sync" in broken.value.hint


def test_updates_inside_a_record_are_told_with_author_and_time(crm):
    note = {"id": "n1", "body": "Signed", "by": "71", "at": stamp(at(9))}
    crm.deal("1", 10, notes=[note])
    for native in range(2, 8):
        crm.deal(str(native), native, notes=None)
    way = {"records": "properties.notes", "id": "id", "text": "body", "by": "by", "at": "at"}
    told = [o for page in deals(connector_for(crm, updates=way)) for o in page.observations if o.field == "update"]
    assert [(o.record, o.value, o.part, o.actor, o.valid_from) for o in told] == [("1", "Signed", "n1", "71", at(9))]


def test_names_in_fields_link_records(crm):
    for native in range(1, 8):
        crm.deal(str(native), native, jira="see ACME-12 and ACME-13", number=f"C {native}")
    told = said(
        deals(connector_for(crm, references=["properties.jira"], identifiers=["properties.number"])),
        "2",
    )
    assert told[("reference", "properties.jira")] == "ACME-12\nACME-13"
    assert told[("identifier", "properties.number")] == "C 2"


def test_csv_is_read_by_heading_and_a_row_of_another_length_is_put_aside(crm):
    crm.deal("3", 3, dealname="Unquoted, comma")
    csv = {
        "format": "csv", "params": {"format": "csv"}, "records": "", "paging": {"kind": "none"}, "id": "Number",
        "modified": "Changed", "created": None, "deleted": None, "title": "Name", "status": None, "owner": "Owner",
        "due": None, "record": None,
    }  # fmt: skip
    pages = deals(connector_for(crm, **csv))
    assert set(ids(pages)) == {"1", "2", "4", "5", "6", "7"}
    assert [each.native_id for page in pages for each in page.quarantined] == ["3"]
    assert said(pages, "2")[("title", "")] == "Deal 2"
    crm.sick = "html"
    with pytest.raises(SourceBroken, match="instead of CSV"):
        deals(connector_for(crm, **csv))


def test_what_became_of_records_is_told_on_proof(crm):
    connector = connector_for(crm)
    assert list(connector.ids("deals")) == [str(n) for n in range(1, 8)]
    crm.archive("2", 20)
    assert list(connector.ids("deals")) == ["1", "3", "4", "5", "6", "7"]
    told = {each.record: each.kind for each in connector.prove("deals", ["1", "2"], now=NOW)}
    assert told == {"1": "present", "2": "deleted"}
    assert ids(connector.fetch("deals", ["1", "2"], now=NOW)) == ["1"]
    (gone,), cursor = connector.deletions("deals", None, now=NOW)
    assert (gone.record, gone.kind, gone.at) == ("2", "deleted", at(20))
    crm.archive("3", 50)
    later, _ = connector.deletions("deals", cursor, now=NOW)
    assert [each.record for each in later] == ["2", "3"]
    crm.archive("4", 55)
    later, _ = connector.deletions("deals", at(50).isoformat(), now=NOW)
    assert [each.record for each in later] == ["3", "4"]
    crm.faults = [(403, {})]
    assert [each.kind for each in connector.prove("deals", ["1"], now=NOW)] == ["unreachable"]


def test_a_deletion_said_to_be_in_the_future_hides_no_other(crm):
    connector = connector_for(crm)
    crm.archive("2", 60 * 24 * 400)
    _, cursor = connector.deletions("deals", None, now=NOW)
    crm.archive("3", 61)
    told, _ = connector.deletions("deals", cursor, now=NOW)
    assert "3" in {each.record for each in told}


def test_a_kept_payload_is_read_with_the_mapping_of_today_or_not_at_all(crm):
    del crm.deals["4"]["properties"]["hubspot_owner_id"]
    (held,) = [each for page in deals(connector_for(crm)) for each in page.quarantined]
    assert connector_for(crm).reparse("deals", held.payload, now=NOW) is None
    page = connector_for(crm, owner=None).reparse("deals", held.payload, now=NOW)
    assert (ids([page]), page.cursor) == (["4"], None)


def test_failures_are_no_proof(crm):
    crm.sick = "down"
    with pytest.raises(SourceUnavailable):
        connector_for(crm).prove("deals", ["1"], now=NOW)
    with pytest.raises(SourceUnavailable):
        list(connector_for(crm).ids("deals"))
    crm.sick = ""
    assert connector_for(crm, record=None).prove("deals", ["1"], now=NOW) == ()
    assert connector_for(crm, **BY_OFFSET).ids("deals") is None


def test_pulling_a_second_time_through_the_same_connector_says_the_same(crm):
    connector = connector_for(crm)
    assert keys(pulled(connector)) == keys(pulled(connector))
    assert observations(pulled(connector))


@pytest.mark.parametrize("credential", ["two\nlines", "späne", " padded", ""])
def test_a_credential_that_cannot_be_sent_is_named_and_not_shown(crm, credential):
    with pytest.raises(ConfigurationError) as refused:
        connector_for(crm, credential)
    assert "env:CRM_TOKEN" in refused.value.message
    assert not credential.strip() or credential.strip() not in refused.value.message


@pytest.mark.parametrize(
    ("connection", "header", "sent"),
    [
        ({"auth": "basic", "user": "hub", "secret": "env:S"}, "Authorization", "Basic aHViOnM="),
        ({"auth": "header", "header": "X-Api-Key", "secret": "env:S"}, "X-Api-Key", "s"),
        ({"auth": "none"}, "Authorization", None),
    ],
)
def test_signing_in_the_way_the_service_wants(connection, header, sent):
    from hubspot_like import stated

    source = stated("http://127.0.0.1:1") | {"connection": {"base_url": "http://127.0.0.1:1", **connection}}
    connector = RestConnector("c", TypeAdapter(Source).validate_python(source), lambda _: Secret("s"))
    assert connector._web._session.headers.get(header) == sent


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"writable": True}, "only read"),
        ({"connection": {"base_url": "https://crm.example"}}, "auth bearer takes secret"),
        ({"connection": {"base_url": "https://c.example", "auth": "none", "secret": "env:S"}}, "nothing else"),
        ({"streams": {}}, "at least 1"),
        ({"streams": {"accounts": {"path": "/a", "modified": "m", "title": "t"}}}, "name of the listing of people"),
        ({"streams": {"d": {"path": "/a", "modified": "m", "title": "t", "paging": {"kind": "page"}}}}, "parameter"),
        ({"streams": {"d": {"path": "/a", "modified": "m", "title": "t", "record": "/a"}}}, "pattern"),
    ],
)
def test_a_description_that_cannot_work_is_refused(changed, words):
    from hubspot_like import stated

    with pytest.raises(ValidationError, match=words):
        TypeAdapter(Source).validate_python(stated("https://crm.example") | changed)


def test_places_and_values():
    record = {"a": {"b": [{"c": 1}], "n": None}, "a.x": 2}
    assert place(record, "a.b.0.c") == 1
    assert place(record, "a.x") == 2
    assert place(record, "a.n.deeper") is None
    assert place(record, "a.b.1.c") is ABSENT
    assert place(record, "b") is ABSENT
    assert moment(1_700_000_000, "t") == moment("1700000000000", "t") == moment("2023-11-14T22:13:20+00:00", "t")
    for odd in ("soon", "2026-01-01T00:00:00", True, None):
        with pytest.raises(Unreadable):
            moment(odd, "t")
    assert [flag(v, "f") for v in (True, "no", "1", None, 0)] == [True, False, True, False, False]
    with pytest.raises(Unreadable):
        flag("perhaps", "f")


def test_the_address_of_a_single_record_cannot_leave_its_list(crm):
    connector = connector_for(crm)
    connector.prove("deals", ["../../owners", "1?x=1"], now=NOW)
    assert crm.requests == [f"{DEALS}/..%2F..%2Fowners", f"{DEALS}/1%3Fx%3D1"]


def test_the_example_in_the_documentation_is_a_source_that_works(crm):
    page = (Path(__file__).parents[2] / "docs/connectors/rest.md").read_text(encoding="utf-8")
    written = YAML(typ="safe").load(page.split("```yaml")[1].split("```")[0])["sources"]["acme_crm"]
    written["connection"]["base_url"] = crm.address
    connector = RestConnector("acme_crm", TypeAdapter(Source).validate_python(written), lambda _: Secret(TOKEN))
    assert connector.check() == ()
    assert len(ids(deals(connector))) == 7
