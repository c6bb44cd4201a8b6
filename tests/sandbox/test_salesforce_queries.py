"""Asking the simulated org: date literals, FIELDS(), groups, ids, what an account may not see."""

from __future__ import annotations

import time
from typing import Any

import pytest
from http_world import ADA, CASES, DEAL, GRACE, HUB, LEFT, QUEUE, Running, put, sf_time
from org_http import SMALL_PAGES, SPACE, asked, code, frozen, many_cases, rights, rows, signed_in

CASE = CASES[0]


def _numbers(small: Running, where: str) -> list[int]:
    found = rows(small, f"SELECT CaseNumber FROM Case WHERE {where} ORDER BY CaseNumber")
    return [int(row["CaseNumber"][-1]) for row in found]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("LastModifiedDate = TODAY", [3]),
        ("LastModifiedDate = YESTERDAY", []),
        ("LastModifiedDate = LAST_N_DAYS:2", [1, 3]),
        ("LastModifiedDate < TODAY", [1]),
        ("LastModifiedDate >= YESTERDAY", [3]),
        ("LastModifiedDate != TODAY", [1]),
        ("LastModifiedDate > LAST_WEEK", [1, 3]),
        ("LastModifiedDate = N_DAYS_AGO:2", [1]),
        ("LastModifiedDate IN (TODAY, LAST_N_YEARS:1)", [3]),
        ("CreatedDate = THIS_MONTH", [1, 3]),
        ("CreatedDate = LAST_N_MONTHS:1", []),
        ("Due__c = NEXT_QUARTER", []),
        ("Due__c = null", [1, 3]),
    ],
)
def test_date_literals_follow_the_clock(small: Running, condition: str, found: list[int]) -> None:
    frozen(small, "2026-01-03T23:30:00+00:00")
    assert _numbers(small, condition) == found


def test_a_day_begins_where_the_user_is(small: Running) -> None:
    frozen(small, "2026-01-03T23:30:00+00:00")
    user = small.store.get(SPACE, "User", HUB)
    assert user is not None
    put(small.store, SPACE, "User", {**user, "TimeZoneSidKey": "Asia/Tokyo"})
    assert _numbers(small, "LastModifiedDate = TODAY") == []
    assert _numbers(small, "LastModifiedDate = YESTERDAY") == [3]


@pytest.mark.parametrize("condition", ["CreatedDate = SOMEDAY", "CreatedDate = LAST_N_DAYS", "CreatedDate = TODAY:3"])
def test_unknown_literals_are_malformed(small: Running, condition: str) -> None:
    refused = asked(small, "GET", "query", params={"q": f"SELECT Id FROM Case WHERE {condition}"})
    assert (refused.status_code, code(refused)) == (400, "MALFORMED_QUERY")


def test_fields_stand_for_many_columns(small: Running) -> None:
    told = rows(small, "SELECT FIELDS(ALL) FROM Case LIMIT 200")[0]
    assert {"Id", "Subject", "Phase__c", "SystemModstamp"} <= set(told)
    assert set(rows(small, "SELECT FIELDS(CUSTOM) FROM Case LIMIT 1")[0]) == {"Phase__c", "Due__c"}
    assert "Phase__c" not in rows(small, "SELECT FIELDS(STANDARD) FROM Case")[0]
    for text in ("SELECT FIELDS(ALL) FROM Case", "SELECT FIELDS(ALL) FROM Case LIMIT 201", "SELECT Id, id FROM Case"):
        assert code(asked(small, "GET", "query", params={"q": text})) == "MALFORMED_QUERY"


def test_groups_are_counted(small: Running) -> None:
    put(small.store, SPACE, "Opportunity", {"Id": "006000000000002AAA", "Name": "b", "StageName": "Won", "Amount": 5.0})
    put(small.store, SPACE, "Opportunity", {"Id": "006000000000003AAA", "Name": "c", "StageName": "Won", "Amount": 7.0})
    fields = "StageName, COUNT(Id) n, SUM(Amount), MAX(Name)"
    told = rows(small, f"SELECT {fields} FROM Opportunity GROUP BY StageName ORDER BY StageName DESC")
    assert told == [
        {"StageName": "Won", "n": 2, "expr0": 12.0, "expr1": "c"},
        {"StageName": "Prospecting", "n": 1, "expr0": None, "expr1": "Autumn deal"},
    ]
    assert rows(small, "SELECT COUNT(Id) FROM Case WHERE Subject = 'none'") == [{"expr0": 0}]
    assert rows(small, "SELECT COUNT_DISTINCT(OwnerId) FROM Case") == [{"expr0": 2}]
    assert rows(small, "SELECT Owner.Name, COUNT(Id) FROM Case GROUP BY Owner.Name")[0]["Name"] == "Ada Lovelace"
    for text, said in (
        ("SELECT Subject, COUNT(Id) FROM Case GROUP BY Status", "MALFORMED_QUERY"),
        ("SELECT SUM(Subject) FROM Case", "INVALID_FIELD"),
        ("SELECT COUNT(Id) FROM Case GROUP BY Status HAVING COUNT(Id) > 1", "MALFORMED_QUERY"),
    ):
        assert code(asked(small, "GET", "query", params={"q": text})) == said


def test_ids_that_differ_by_case_alone_are_ordered_byte_by_byte(small: Running) -> None:
    ids = [f"5000000000{mid}AAA" for mid in ("001TQ", "001kQ", "001ZQ", "001aQ")]
    for id_ in ids:
        put(small.store, SPACE, "Case", {"Id": id_, "OwnerId": ADA}, day=5)
    found = [row["Id"] for row in rows(small, "SELECT Id FROM Case WHERE Id >= '5000000000001T' ORDER BY Id") if row]
    assert [id_ for id_ in found if id_ in ids] == sorted(ids)


def test_words_that_begin_like_keywords_are_names(small: Running) -> None:
    put(small.store, SPACE, "_object", {"name": "Order_Note__c", "fields": [_text("Notes__c"), _text("Country__c")]})
    told = asked(small, "GET", "query", params={"q": "SELECT Id FROM Order_Note__c WHERE Notes__c = 'x'"})
    assert code(told) == "INVALID_TYPE"  # the schema is read when the org starts
    assert rows(small, "SELECT Id FROM Case WHERE Not (Status = 'x') ORDER BY Id LIMIT 1") == [{"Id": CASE}]


def _text(name: str) -> dict[str, Any]:
    return {"name": name, "type": "string", "label": name}


def test_parents_say_what_they_are(small: Running) -> None:
    text = f"SELECT Owner.Name, CreatedBy.Name FROM Case WHERE Id = '{CASE}'"
    told = asked(small, "GET", "query", params={"q": text}).json()["records"][0]
    url = f"/services/data/v59.0/sobjects/User/{ADA}"
    assert told["Owner"] == {"attributes": {"type": "Name", "url": url}, "Name": "Ada Lovelace"}
    assert told["CreatedBy"]["attributes"]["type"] == "User"


def test_what_is_hidden_does_not_exist(small: Running) -> None:
    asked(small, "PATCH", f"sobjects/Case/{CASE}", json={"OwnerId": GRACE})
    rights(small, hidden=[CASE], hidden_fields=["Case.Phase__c"], admin=False)
    assert rows(small, "SELECT Id FROM Case") == [{"Id": CASES[2]}]
    assert rows(small, "SELECT Id FROM CaseHistory") == []
    assert asked(small, "GET", "query", params={"q": "SELECT COUNT() FROM Case"}).json()["totalSize"] == 1
    for method, path in (("GET", f"sobjects/Case/{CASE}"), ("PATCH", f"sobjects/Case/{CASE}")):
        refused = asked(small, method, path, json={"OwnerId": ADA})
        assert (refused.status_code, code(refused)) == (404, "NOT_FOUND")
    for text in ("SELECT Phase__c FROM Case", "SELECT Id FROM Case WHERE Phase__c = 'QA'"):
        assert code(asked(small, "GET", "query", params={"q": text})) == "INVALID_FIELD"
    assert code(asked(small, "PATCH", f"sobjects/Case/{CASES[2]}", json={"Phase__c": "QA"})) == "INVALID_FIELD"
    assert "Phase__c" not in asked(small, "GET", f"sobjects/Case/{CASES[2]}").json()
    described = asked(small, "GET", "sobjects/Case/describe").json()
    assert "Phase__c" not in {field["name"] for field in described["fields"]}


def test_a_hidden_object_and_hidden_people(small: Running) -> None:
    rights(small, read=["Case"], hidden=[ADA, GRACE], admin=False)
    assert code(asked(small, "GET", "query", params={"q": "SELECT Id FROM Opportunity"})) == "INVALID_TYPE"
    for path in (f"sobjects/Opportunity/{DEAL}", "sobjects/Opportunity/describe", "sobjects/Opportunity/updated"):
        assert asked(small, "GET", path).status_code == 404
    listed = {row["name"] for row in asked(small, "GET", "sobjects").json()["sobjects"]}
    assert listed >= {"Case", "CaseHistory", "CaseComment", "User"}
    assert not listed & {"Opportunity", "OpportunityFieldHistory", "Account"}
    assert rows(small, f"SELECT Owner.Name FROM Case WHERE Id = '{CASE}'") == [{"Owner": None}]
    refused = asked(small, "PATCH", f"sobjects/Case/{CASE}", json={"OwnerId": GRACE})
    assert code(refused) == "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"


def test_a_record_that_may_only_be_read(small: Running) -> None:
    rights(small, read_only=[CASE], edit=["Case"], admin=False)
    for method in ("PATCH", "DELETE"):
        refused = asked(small, method, f"sobjects/Case/{CASE}", json={"OwnerId": GRACE})
        assert code(refused) == "INSUFFICIENT_ACCESS_OR_READONLY"
    assert asked(small, "PATCH", f"sobjects/Case/{CASES[2]}", json={"OwnerId": GRACE}).status_code == 204
    refused = asked(small, "POST", "sobjects/Account", json={"Name": "x"})
    assert code(refused) == "INSUFFICIENT_ACCESS_OR_READONLY"


def test_a_new_owner_must_be_able_to_read(small: Running) -> None:
    rights(small, GRACE, read=["Opportunity"], admin=False)
    refused = asked(small, "PATCH", f"sobjects/Case/{CASE}", json={"OwnerId": GRACE})
    assert code(refused) == "TRANSFER_REQUIRES_READ"


def test_a_record_deleted_in_mid_walk_is_not_served_and_queue_members_are(small: Running) -> None:
    ids = many_cases(small, 250)
    put(small.store, SPACE, "GroupMember", {"Id": "011000000000001AAA", "GroupId": QUEUE, "UserOrGroupId": ADA})
    org = signed_in(small)
    page = org.query("SELECT Id FROM Case ORDER BY Id", headers=SMALL_PAGES)
    asked(small, "DELETE", f"sobjects/Case/{ids[-1]}")
    rest = org.query_more(page["nextRecordsUrl"], identifier_is_url=True)
    assert ids[-1] not in {row["Id"] for row in rest["records"]}
    assert (page["totalSize"], len(page["records"]) + len(rest["records"])) == (252, 251)
    assert rows(small, f"SELECT UserOrGroupId FROM GroupMember WHERE GroupId = '{QUEUE}'") == [{"UserOrGroupId": ADA}]


def test_describe_tells_what_clients_look_for(small: Running) -> None:
    told = asked(small, "GET", "sobjects/Case/describe").json()
    fields = {field["name"]: field for field in told["fields"]}
    assert (fields["OwnerId"]["referenceTo"], fields["OwnerId"]["relationshipName"]) == (["Group", "User"], "Owner")
    assert fields["Id"]["soapType"] == "tns:ID"
    assert {"childSObject": "CaseComment", "field": "ParentId"}.items() <= _child(told, "CaseComment").items()
    assert told["recordTypeInfos"][0]["master"]
    assert set(told["urls"]) >= {"sobject", "describe", "rowTemplate"}


def _child(told: dict[str, Any], name: str) -> dict[str, Any]:
    return next(child for child in told["childRelationships"] if child["childSObject"] == name)


def test_an_inactive_user_is_a_row_like_any_other(small: Running) -> None:
    assert rows(small, "SELECT Id FROM User WHERE IsActive = false") == [{"Id": LEFT}]
    assert sf_time(1) in {row["CreatedDate"] for row in rows(small, "SELECT CreatedDate FROM User")}


def test_what_is_nested_too_deeply_or_too_long_is_refused(small: Running) -> None:
    deep = f"SELECT Id FROM Case WHERE {'(' * 300}Status = 'x'{')' * 300}"
    denied = f"SELECT Id FROM Case WHERE {'NOT ' * 900}Status = 'x'"
    for text in (deep, denied):
        refused = asked(small, "GET", "query", params={"q": text})
        assert (refused.status_code, code(refused)) == (400, "MALFORMED_QUERY")


def test_a_grouped_result_has_no_further_pages(small: Running) -> None:
    docs = [
        (f"50000000000{n:04d}AAA", sf_time(5), {"Id": f"50000000000{n:04d}AAA", "Subject": str(n)}) for n in range(2001)
    ]
    small.store.put(SPACE, "Case", docs)
    text = "SELECT Subject, COUNT(Id) FROM Case GROUP BY Subject"
    assert code(asked(small, "GET", "query", params={"q": text})) == "EXCEEDED_ID_LIMIT"
    assert len(rows(small, f"{text} LIMIT 2000")) == 2000


def test_no_pattern_takes_longer_than_its_text(small: Running) -> None:
    case = small.store.get(SPACE, "Case", CASE)
    assert case is not None
    put(small.store, SPACE, "Case", {**case, "Subject": "a" * 250})
    began = time.process_time()
    assert _numbers(small, f"Subject LIKE '{'%a' * 14}%b'") == []
    assert _numbers(small, f"Subject LIKE '{'%_' * 20}%A'") == [1]
    assert time.process_time() - began < 2


def test_a_text_longer_than_described_is_refused(small: Running) -> None:
    for length, status in ((255, 204), (256, 400)):
        answer = asked(small, "PATCH", f"sobjects/Case/{CASE}", json={"Subject": "x" * length})
        assert answer.status_code == status
    assert code(answer) == "STRING_TOO_LONG"
