"""Salesforce documents in, observations out; and SOQL that no value can break out of. No network."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.salesforce import parse, soql
from connectors.salesforce.parse import Place, Unreadable
from hub.charter.sources import SalesforceObject
from hub.errors import ConfigurationError

PLACE = Place(source="acme", instance="https://acme.my.salesforce.com", raw="digest")
MAPPING = SalesforceObject(title="Subject", status="Status", tracked=("OwnerId", "Status"))
ADA, BOB = "0050000000000A1AAA", "0050000000000B1AAA"


def record(**values):
    return {
        "Id": "5000000000000C1AAA",
        "CaseNumber": "00001001",
        "Subject": "Title",
        "Status": "New",
        "OwnerId": ADA,
        "CreatedDate": "2026-10-01T09:00:00.000+0000",
        "CreatedById": ADA,
        "LastModifiedDate": "2026-10-03T09:00:00.000+0000",
        "LastModifiedById": ADA,
        "SystemModstamp": "2026-10-03T09:00:00.000+0000",
        **values,
    }


def change(field, old, new, when, row="1"):
    return {
        "Id": row,
        "Field": field,
        "OldValue": old,
        "NewValue": new,
        "CreatedById": BOB,
        "CreatedDate": f"2026-10-{when}T09:00:00.000+0000",
    }


def owners(row, history):
    told = parse.item(PLACE, "Case", MAPPING, row, history)
    return [(o.value, o.valid_from.day, o.origin, o.actor) for o in told if o.field == "owner"]


def test_the_owner_at_creation_is_the_old_value_of_the_first_change():
    rows = [change("Owner", ADA, BOB, "02")]
    assert owners(record(OwnerId=BOB), rows) == [(ADA, 1, "history", ADA), (BOB, 2, "history", BOB)]


def test_without_changes_the_owner_at_creation_is_the_one_of_today():
    assert owners(record(), []) == [(ADA, 1, "history", ADA)]


def test_of_the_two_rows_of_an_owner_change_the_ids_count():
    rows = [change("Owner", "Ada", "Bob", "02", "1"), change("Owner", ADA, BOB, "02", "2")]
    assert [value for value, *_ in owners(record(OwnerId=BOB), rows)] == [ADA, BOB]


def test_ids_of_15_and_18_characters_are_one_account():
    assert parse.account_id("a0B1x00000AbCdE") == "a0B1x00000AbCdEEAV"
    ada, bob = parse.account_id(ADA[:15]), parse.account_id(BOB[:15])
    rows = [change("Owner", ADA[:15], BOB[:15], "02")]
    assert [value for value, *_ in owners(record(OwnerId=bob), rows)] == [ada, bob]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({**record(), "Id": None}, "Id is missing"),
        ({key: value for key, value in record().items() if key != "Subject"}, "Subject is missing"),
        (record(OwnerId=None), "OwnerId is empty"),
        (record(CreatedDate=None), "CreatedDate is missing"),
        (record(CreatedDate="yesterday"), "no date-time"),
        (record(LastModifiedDate="2026-10-01T09:00:00"), "no time zone"),
        (record(CreatedById=""), "CreatedById is missing"),
    ],
)
def test_a_record_that_lacks_what_matters_is_unreadable_with_a_reason(row, reason):
    with pytest.raises(Unreadable, match=reason):
        parse.item(PLACE, "Case", MAPPING, row, [])


def test_a_title_may_be_empty():
    told = parse.item(PLACE, "Case", MAPPING, record(Subject=None), [])
    assert [o.value for o in told if o.field == "title"] == [None]


@pytest.mark.parametrize(
    ("sobject", "expected"),
    [
        ("Case", ("CaseHistory", "CaseId")),
        ("Opportunity", ("OpportunityFieldHistory", "OpportunityId")),
        ("Lead", ("LeadHistory", "LeadId")),
        ("Handoff__c", ("Handoff__History", "ParentId")),
    ],
)
def test_where_an_object_keeps_its_history(sobject, expected):
    assert parse.history_of(sobject) == expected


def test_several_people_asked_for_one_approval_are_joined():
    row = {
        "Id": "04g1",
        "TargetObjectId": "5001",
        "Status": "Pending",
        "SubmittedById": ADA,
        "CreatedDate": "2026-10-01T09:00:00.000+0000",
        "CompletedDate": None,
    }
    work = [{"ActorId": who, "CreatedDate": "2026-10-02T09:00:00.000+0000"} for who in (BOB, ADA)]
    told = parse.approval(PLACE, "Case", row, [], work)
    assert [o.value for o in told] == ["pending", f"{ADA},{BOB}"]


@given(st.text())
def test_no_text_breaks_out_of_a_literal(text):
    quoted = soql.literal(text)
    assert re.fullmatch(r"'(?:\\.|[^'\\])*'", quoted, re.DOTALL)
    backwards = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
    read = re.sub(r"\\(.)", lambda match: backwards.get(match[1], match[1]), quoted[1:-1], flags=re.DOTALL)
    assert read == text


@pytest.mark.parametrize("name", ["", "1a", "Name FROM User", "a..b", "Näme", "a'b", "a b", "a\n", "--"])
def test_only_names_become_names(name):
    with pytest.raises(ConfigurationError):
        soql.name(name)


def test_a_query_reads_as_written():
    since = datetime(2026, 10, 1, 9, 0, 0, 123456, tzinfo=UTC)
    text = soql.select(
        ("Id", "Owner.Name"), "Case", soql.compare("SystemModstamp", ">=", since), soql.within("Id", ["a", "b'"]),
        order=("SystemModstamp", "Id"), limit=5,
    )  # fmt: skip
    assert text == (
        "SELECT Id,Owner.Name FROM Case WHERE SystemModstamp >= 2026-10-01T09:00:00.123Z AND Id IN ('a','b\\'') "
        "ORDER BY SystemModstamp,Id LIMIT 5"
    )
