"""Reading an org: histories, cursors, sick sessions. Over real sockets against the simulated org."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from contract import NOW, keys, observations, pulled
from salesforce_world import (
    ADA,
    CASE_1,
    CASE_2,
    CASE_3,
    DEAL,
    GRACE,
    SPACE,
    case,
    connector_for,
    fill,
    history,
    put,
)

from connectors.salesforce import pull as walking
from hub.errors import ConfigurationError, SourceBroken, SourceRefused, SourceUnavailable


@pytest.fixture
def org(company):
    return company({"salesforce": SPACE}, fill)


def said(pages, record, field):
    told = [o for o in observations(pages) if (o.record, o.field) == (record, field)]
    return [(o.value, o.valid_from.strftime("%m-%d %H:%M"), o.origin, o.actor) for o in told]


def test_owner_history_gives_each_owner_with_time_and_actor(org):
    pages = pulled(connector_for(org))
    assert said(pages, CASE_1, "owner") == [
        (ADA, "10-02 09:00", "history", ADA),
        (GRACE, "10-05 09:00", "history", ADA),
    ]
    assert said(pages, CASE_1, "status") == [
        ("New", "10-02 09:00", "history", ADA),
        ("Working", "10-05 10:00", "history", GRACE),
    ]


def test_a_change_without_history_row_is_still_seen(org):
    doc = org.store.get(SPACE, "Case", CASE_1)
    put(org.store, "Case", {**doc, "Phase__c": "QA"})
    put(org.store, "CaseHistory", history(9, CASE_1, "Phase__c", "Brief", "Build", ADA, doc["CreatedDate"]))
    assert said(pulled(connector_for(org)), CASE_1, "phase")[-2:] == [
        ("Build", "10-02 09:00", "history", ADA),
        ("QA", "10-05 10:00", "snapshot", None),
    ]


def test_untracked_fields_are_snapshots_of_the_last_modification(org):
    pages = pulled(connector_for(org))
    assert said(pages, CASE_1, "due") == [("2026-12-01", "10-05 10:00", "snapshot", None)]
    assert said(pages, DEAL, "phase") == [("Launch", "10-07 09:00", "snapshot", None)]


def test_identifiers_and_references_are_tokens(org):
    told = [o for o in observations(pulled(connector_for(org))) if o.record == CASE_1]
    assert {o.value for o in told if o.field == "identifier"} == {CASE_1[:15], "00001001", "CASE-77"}
    assert {o.value for o in told if o.field == "reference"} == {"ACME-12", "recAAAAAAAAAAAAAA"}


def test_comments_and_approvals_are_events_of_their_record(org):
    pages = pulled(connector_for(org))
    assert said(pages, CASE_1, "update") == [("FYI: draft sent to ACME-99 folks", "10-05 11:00", "event", GRACE)]
    assert [value for value, *_ in said(pages, CASE_1, "approval")] == ["pending", "approved"]
    assert said(pages, CASE_2, "approver") == [(GRACE, "10-06 09:00", "event", None)]
    assert [value for value, *_ in said(pages, CASE_3, "approval")] == ["pending", None]
    assert said(pages, DEAL, "approval")[-1] == ("rejected", "10-08 09:00", "event", GRACE)


def test_accounts_have_kinds(org):
    told = observations(pulled(connector_for(org)))
    assert sorted(o.value for o in told if o.field == "kind") == ["hub", "person", "person", "person", "queue"]


def test_a_change_is_read_by_the_next_sync_and_nothing_else_is(org):
    connector = connector_for(org)
    first = pulled(connector)
    cursors = {stream: pages[-1].cursor for stream, pages in first.items()}
    doc = org.store.get(SPACE, "Case", CASE_2)
    now = datetime.now(UTC).replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    put(org.store, "Case", {**doc, "Subject": "Renamed", "LastModifiedDate": now, "SystemModstamp": now})
    second = pulled(connector, cursors)
    new = keys(second) - keys(first)
    assert {o.record for o in observations(second)} == {CASE_2}
    assert {o.value for o in observations(second) if o.key in new and o.field == "title"} == {"Renamed"}


def test_a_record_that_becomes_visible_late_is_not_missed(org):
    connector = connector_for(org)
    cursor = list(connector.pull("Case", None, now=NOW))[-1].cursor
    late = (datetime.now(UTC) - timedelta(minutes=9)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    put(org.store, "Case", case("5000000000000L1AAA", 1009, late, late))
    read = [raw.native_id for page in connector.pull("Case", cursor, now=NOW) for raw in page.records]
    assert read == ["5000000000000L1AAA"]
    cursor = list(connector.pull("Case", cursor, now=NOW))[-1].cursor
    assert next(iter(connector.pull("Case", cursor, now=NOW))).records == ()


def test_a_second_change_within_the_same_second_is_not_mistaken_for_the_first(org):
    connector = connector_for(org)
    doc = org.store.get(SPACE, "Case", CASE_2)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    put(org.store, "Case", {**doc, "Subject": "one", "LastModifiedDate": now, "SystemModstamp": now})
    cursor = list(connector.pull("Case", None, now=NOW))[-1].cursor
    put(org.store, "Case", {**doc, "Subject": "two", "LastModifiedDate": now, "SystemModstamp": now})
    (page,) = connector.pull("Case", cursor, now=NOW)
    assert [o.value for o in page.observations if o.field == "title"] == ["two"]


def many_cases(org, count, stamp=None):
    for start in range(0, count, 1000):
        docs = []
        for n in range(start, min(count, start + 1000)):
            when = stamp or f"2026-09-{1 + n % 28:02d}T{n // 3600 % 24:02d}:{n // 60 % 60:02d}:{n % 60:02d}.000+0000"
            docs.append(case(f"500000000B{n:05d}AAA", 5000 + n, when, when))
        put(org.store, "Case", *docs)


@pytest.mark.parametrize("stamp", [None, "2026-09-01T08:00:00.000+0000"], ids=["spread", "all at once"])
def test_many_pages_are_complete_and_resumable(org, stamp):
    many_cases(org, 4500, stamp)
    pages = list(connector_for(org).pull("Case", None, now=NOW))
    whole = {raw.native_id for page in pages for raw in page.records}
    assert (len(pages), len(whole), pages[0].total) == (3, 4503, 4503)
    for count in (1, 2):
        resumed = list(connector_for(org).pull("Case", pages[count - 1].cursor, now=NOW))
        read = {raw.native_id for page in pages[:count] + resumed for raw in page.records}
        assert read == whole


def test_an_expired_session_in_mid_walk_costs_a_new_question_and_no_record(org):
    many_cases(org, 4500)
    walk = connector_for(org).pull("Case", None, now=NOW)
    read = {raw.native_id for raw in next(walk).records}
    for token in tokens(org):
        org.store.delete(SPACE, "_token", token)
    read |= {raw.native_id for page in walk for raw in page.records}
    assert len(read) == 4503


def tokens(org):
    with sqlite3.connect(org.store.path) as db:
        found = db.execute("SELECT d.id FROM doc d JOIN shelf s ON s.n = d.shelf WHERE s.kind = '_token'")
        return [token for (token,) in found]


def test_a_change_during_the_walk_does_not_carry_the_position_past_unread_records(org):
    many_cases(org, 4500)
    walk = connector_for(org).pull("Case", None, now=NOW)
    pages = [next(walk)]
    ordered = [raw.native_id for page in connector_for(org).pull("Case", None, now=NOW) for raw in page.records]
    doc = org.store.get(SPACE, "Case", ordered[2500])
    now = (datetime.now(UTC) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    put(org.store, "Case", {**doc, "Subject": "new", "LastModifiedDate": now, "SystemModstamp": now})
    pages.append(next(walk))  # holds the changed record, out of order
    resumed = list(connector_for(org).pull("Case", pages[-1].cursor, now=NOW))
    assert {raw.native_id for page in pages + resumed for raw in page.records} == set(ordered)


def test_a_session_that_never_lives_is_refused_after_two_renewals(org):
    connector = connector_for(org)
    connector.check()
    org.forget()
    body = json.dumps([{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}])
    org.order(tool="salesforce", path="/query", action="status", status=401, body=body, times=None)
    with pytest.raises(SourceRefused, match="not signed in"):
        list(connector.pull("Case", None, now=NOW))
    assert len([e for e in org.journal(tool="salesforce") if "/query" in e["path"]]) == 3


def test_the_daily_limit_means_wait(org):
    body = json.dumps([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}])
    org.order(tool="salesforce", path="/query", action="status", status=403, body=body, times=None)
    with pytest.raises(SourceUnavailable, match="limit"):
        list(connector_for(org).pull("Case", None, now=NOW))


def test_a_busy_moment_passes_unnoticed(org):
    org.order(tool="salesforce", path="/query", action="status", status=503, times=2)
    assert list(connector_for(org).pull("Case", None, now=NOW))


def test_an_unknown_field_is_named(org):
    connector = connector_for(org, objects={"Case": {"title": "Subject", "phase": "Fase__c"}})
    with pytest.raises(SourceRefused, match="'Fase__c'") as refused:
        list(connector.pull("Case", None, now=NOW))
    assert "Fase__c" in refused.value.hint
    assert [problem.what for problem in connector.check()] == ["field 'Fase__c' does not exist"]


def test_an_unknown_object_is_named(org):
    connector = connector_for(org, objects={"Kase": {"title": "Subject"}})
    with pytest.raises(SourceRefused, match="'Kase'"):
        list(connector.pull("Kase", None, now=NOW))
    assert connector.check()


def test_a_name_that_is_no_name_never_becomes_a_query(org):
    connector = connector_for(org, objects={"Case": {"title": "Subject FROM User WHERE Name != 'x' --"}})
    with pytest.raises(ConfigurationError, match="not a Salesforce name"):
        list(connector.pull("Case", None, now=NOW))


def test_a_field_that_may_not_be_changed_is_found_by_check(company):
    def with_fixed_owner(store):
        fill(store)
        schema = store.get(SPACE, "_object", "Opportunity")
        schema["fields"].append({"name": "OwnerId", "type": "reference", "updateable": False})
        store.put(SPACE, "_object", [("Opportunity", "2026-01-01T00:00:00Z", schema)])

    org = company({"salesforce": SPACE}, with_fixed_owner)
    assert [problem.what for problem in connector_for(org).check()] == ["OwnerId cannot be changed"]
    assert connector_for(org, writable=False).check() == ()


def test_html_in_mid_walk_keeps_what_was_read(org):
    many_cases(org, 4500)
    org.order(tool="salesforce", path="/query/01g", nth=2, action="html", status=200, times=None)
    walk = connector_for(org).pull("Case", None, now=NOW)
    kept = [next(walk), next(walk)]
    with pytest.raises(SourceBroken, match="html"):
        next(walk)
    org.forget()
    resumed = list(connector_for(org).pull("Case", kept[-1].cursor, now=NOW))
    assert len({raw.native_id for page in kept + resumed for raw in page.records}) == 4503


def test_what_is_remembered_of_the_overlap_stays_small(org):
    now = datetime.now(UTC) - timedelta(minutes=5)
    many_cases(org, 3000, now.strftime("%Y-%m-%dT%H:%M:%S.000+0000"))
    pages = list(connector_for(org).pull("Case", None, now=NOW))
    seen = json.loads(pages[-1].cursor)["Case"]["seen"]
    assert len(seen) == walking._REMEMBERED


def test_a_cursor_from_elsewhere_means_from_the_start(org):
    pages = list(connector_for(org).pull("Case", "not ours", now=NOW))
    assert sum(len(page.records) for page in pages) == 3
