"""Writing to the simulated org: collections, composite, the recycle bin, merges, history, locks, guards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests
from http_world import ADA, CASES, DEAL, GRACE, HUB, LEFT, QUEUE, Running, put, running, sf_time, small_company
from org_http import SPACE, asked, code, frozen, moved, rights, rows, settings, signed_in

CASE, OTHER = CASES[0], CASES[2]
OWNER_ROWS = f"SELECT Field, OldValue, NewValue, CreatedById FROM CaseHistory WHERE CaseId = '{CASE}'"


def _case(id_: str = "", **values: Any) -> dict[str, Any]:
    return {"attributes": {"type": "Case"}, **({"id": id_} if id_ else {}), **values}


def _collection(small: Running, *records: dict[str, Any], method: str = "PATCH", **rest: Any) -> list[dict[str, Any]]:
    told = asked(small, method, "composite/sobjects", json={"records": list(records), **rest})
    assert told.status_code == 200, told.text
    return list(told.json())


def test_rows_of_a_collection_stand_alone(small: Running) -> None:
    first, second, third = _collection(
        small,
        _case(CASE[:15], OwnerId=GRACE),
        _case(OTHER, OwnerId=LEFT),
        _case("500000000000099AAA", OwnerId=GRACE),
    )
    assert first == {"id": CASE, "success": True, "errors": []}
    assert (second["success"], second["errors"][0]["statusCode"]) == (False, "INACTIVE_OWNER_OR_USER")
    assert third["errors"][0]["statusCode"] == "INVALID_CROSS_REFERENCE_KEY"
    assert rows(small, f"SELECT OwnerId FROM Case WHERE Id = '{CASE}'") == [{"OwnerId": GRACE}]


def test_all_or_none_takes_everything_back(small: Running) -> None:
    told = _collection(small, _case(CASE, OwnerId=GRACE), _case(OTHER, OwnerId=LEFT), allOrNone=True)
    assert [row["errors"][0]["statusCode"] for row in told] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "INACTIVE_OWNER_OR_USER",
    ]
    assert rows(small, f"SELECT OwnerId FROM Case WHERE Id = '{CASE}'") == [{"OwnerId": ADA}]
    assert rows(small, OWNER_ROWS) == []


def test_collections_have_their_limits(small: Running) -> None:
    kinds = ["Case", "Opportunity"] * 6
    mixed = [{"attributes": {"type": kind}, "id": CASE} for kind in kinds]
    many = [_case(CASE)] * 201
    for records, said in (
        (many, "EXCEEDED_MAX_SIZE_REQUEST"),
        (mixed, "LIMIT_EXCEEDED"),
        ([], "REQUIRED_FIELD_MISSING"),
    ):
        refused = asked(small, "PATCH", "composite/sobjects", json={"records": records})
        assert (refused.status_code, code(refused)) == (400, said)
    assert code(asked(small, "PATCH", "composite/sobjects", data="[")) == "JSON_PARSER_ERROR"
    assert code(asked(small, "PATCH", "composite/sobjects", json={"records": [1]})) == "JSON_PARSER_ERROR"


def test_collections_create_read_and_delete(small: Running) -> None:
    made = [row["id"] for row in _collection(small, _case(Subject="a"), _case(Subject="b"), method="POST")]
    told = asked(
        small, "POST", "composite/sobjects/Case", json={"ids": [*made, CASES[1]], "fields": ["Subject"]}
    ).json()
    assert [row and row["Subject"] for row in told] == ["a", "b", None]
    for body in ({"ids": 5, "fields": ["Subject"]}, {"ids": made}):
        assert asked(small, "POST", "composite/sobjects/Case", json=body).status_code == 400
    again = asked(small, "GET", f"composite/sobjects/Case?ids={made[0]}&fields=Subject").json()
    assert again[0]["Id"] == made[0]
    gone = asked(small, "DELETE", f"composite/sobjects?ids={','.join(made)},{CASES[1]}&allOrNone=false").json()
    assert [row["success"] for row in gone] == [True, True, False]
    assert gone[2]["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"


def test_upserts_by_an_external_id(tmp_path: Path) -> None:
    store = small_company(tmp_path / "world.sqlite")
    told = {"name": "Case", "label": "Case", "keyPrefix": "500"}
    fields = [{"name": "Ref__c", "type": "string", "label": "Ref", "externalId": True}]
    put(store, SPACE, "_object", {**told, "fields": fields})
    with running(store) as small:
        path = "sobjects/Case/Ref__c/R-1"
        made = asked(small, "PATCH", path, json={"Subject": "new"})
        assert (made.status_code, made.json()["created"]) == (201, True)
        changed = asked(small, "PATCH", path, json={"Subject": "newer"})
        assert (changed.status_code, changed.json()["created"], changed.json()["id"]) == (200, False, made.json()["id"])
        assert asked(small, "GET", path).json()["Subject"] == "newer"
        twice = [_case(Ref__c="R-1", Subject="x"), _case(Ref__c="R-2", Subject="y"), _case(Subject="z")]
        answer = asked(small, "PATCH", "composite/sobjects/Case/Ref__c", json={"records": twice}).json()
        assert [row.get("created") for row in answer] == [False, True, None]
        asked(small, "PATCH", f"sobjects/Case/{CASE}", json={"Ref__c": "R-1"})
        assert asked(small, "GET", path).status_code == 300
        assert asked(small, "PATCH", "sobjects/Case/Subject/x", json={}).status_code == 404
        assert asked(small, "DELETE", "sobjects/Case/Ref__c/R-2").status_code == 204
    store.close()


def test_parts_of_a_composite_refer_to_each_other(small: Running) -> None:
    base = "/services/data/v59.0"
    parts = [
        {"method": "POST", "url": f"{base}/sobjects/Case", "referenceId": "made", "body": {"Subject": "one"}},
        {
            "method": "PATCH",
            "url": f"{base}/sobjects/Case/@{{made.id}}",
            "referenceId": "own",
            "body": {"OwnerId": ADA},
        },
        {
            "method": "GET",
            "url": f"{base}/query?q=SELECT+OwnerId+FROM+Case+WHERE+Id='@{{made.id}}'",
            "referenceId": "read",
        },
        {"method": "GET", "url": f"{base}/sobjects/Case/@%7Bmade.id%7D", "referenceId": "escaped"},
        {"method": "GET", "url": f"{base}/sobjects/Case/@{{nobody.id}}", "referenceId": "lost"},
    ]
    told = asked(small, "POST", "composite", json={"compositeRequest": parts}).json()["compositeResponse"]
    assert [part["httpStatusCode"] for part in told] == [201, 204, 200, 200, 400]
    assert told[2]["body"]["records"][0]["OwnerId"] == ADA
    assert told[4]["body"][0]["errorCode"] == "PROCESSING_HALTED"


def test_a_composite_that_fails_takes_everything_back(small: Running) -> None:
    url = f"/services/data/v59.0/sobjects/Case/{CASE}"
    parts = [
        {"method": "PATCH", "url": url, "referenceId": "good", "body": {"OwnerId": GRACE}},
        {"method": "PATCH", "url": url, "referenceId": "bad", "body": {"OwnerId": LEFT}},
        {"method": "GET", "url": url, "referenceId": "never"},
    ]
    body = {"allOrNone": True, "compositeRequest": parts}
    told = asked(small, "POST", "composite", json=body).json()["compositeResponse"]
    assert [part["body"][0]["errorCode"] for part in told] == [
        "PROCESSING_HALTED",
        "INACTIVE_OWNER_OR_USER",
        "PROCESSING_HALTED",
    ]
    assert rows(small, f"SELECT OwnerId FROM Case WHERE Id = '{CASE}'") == [{"OwnerId": ADA}]


def test_a_batch_halts_on_its_first_error(small: Running) -> None:
    parts = [{"method": "GET", "url": "v59.0/limits"}, {"method": "GET", "url": "v59.0/none"}]
    told = asked(
        small, "POST", "composite/batch", json={"haltOnError": True, "batchRequests": [*parts, parts[0]]}
    ).json()
    assert told["hasErrors"]
    assert [part["statusCode"] for part in told["results"]] == [200, 404, 412]


def _soap(small: Running, body: str, token: str = "sf-token") -> str:
    head = f"<h:Header xmlns:h='urn:h'><SessionHeader><sessionId>{token}</sessionId></SessionHeader></h:Header>"
    envelope = f"<e:Envelope xmlns:e='urn:e'>{head}<e:Body>{body}</e:Body></e:Envelope>"
    address = f"{small.addresses['salesforce']}/services/Soap/u/59.0"
    return requests.post(address, data=envelope, timeout=10).text


def test_the_recycle_bin_gives_back_what_was_deleted_with_its_comments(small: Running) -> None:
    org = signed_in(small)
    org.CaseComment.create({"ParentId": CASE, "CommentBody": "hello"})
    frozen(small)
    assert org.Case.delete(CASE) == 204
    gone = org.query(f"SELECT IsDeleted, SystemModstamp FROM Case WHERE Id = '{CASE}'", include_deleted=True)["records"]
    assert (gone[0]["IsDeleted"], gone[0]["SystemModstamp"]) == (True, "2026-11-20T12:00:00.000+0000")
    assert rows(small, "SELECT Id FROM CaseComment") == []
    assert code(asked(small, "DELETE", f"sobjects/Case/{CASE}")) == "ENTITY_IS_DELETED"
    assert "<success>true</success>" in _soap(small, f"<undelete><ids>{CASE}</ids></undelete>")
    assert rows(small, "SELECT CommentBody FROM CaseComment") == [{"CommentBody": "hello"}]
    assert "UNDELETE_FAILED" in _soap(small, f"<undelete><ids>{CASE}</ids></undelete>")


def test_a_merge_leaves_the_loser_pointing_to_the_winner(small: Running) -> None:
    signed_in(small).CaseComment.create({"ParentId": OTHER, "CommentBody": "hello"})
    master = f"<masterRecord><type>Case</type><Id>{CASE}</Id><Subject>Both</Subject></masterRecord>"
    merge = f"<merge><request>{master}<recordToMergeIds>{OTHER}</recordToMergeIds></request></merge>"
    assert "<success>true</success>" in _soap(small, merge)
    loser = rows(small, f"SELECT IsDeleted, MasterRecordId FROM Case WHERE Id = '{OTHER}'", verb="queryAll")
    assert loser == [{"IsDeleted": True, "MasterRecordId": CASE}]
    assert rows(small, "SELECT ParentId FROM CaseComment") == [{"ParentId": CASE}]
    assert rows(small, f"SELECT Subject FROM Case WHERE Id = '{CASE}'") == [{"Subject": "Both"}]
    assert "<success>false</success>" in _soap(small, merge)


def test_several_changes_of_one_transaction_keep_the_first_old_and_the_last_new_value(small: Running) -> None:
    changes = [_case(CASE, OwnerId=owner) for owner in (GRACE, HUB, QUEUE)]
    _collection(small, *changes, allOrNone=True)
    told = [(row["OldValue"], row["NewValue"]) for row in rows(small, OWNER_ROWS)]
    assert sorted(told) == [(ADA, QUEUE), ("Ada Lovelace", "Unassigned")]


def test_taking_a_case_from_a_queue_is_accepting_it(small: Running) -> None:
    asked(small, "PATCH", f"sobjects/Case/{OTHER}", json={"OwnerId": HUB})
    told = rows(small, f"SELECT Field FROM CaseHistory WHERE CaseId = '{OTHER}'")
    assert sorted(row["Field"] for row in told) == ["Owner", "Owner", "ownerAccepted"]


def test_an_assignment_rule_gives_new_cases_away(small: Running) -> None:
    settings(small, case_assignment_owner=QUEUE)
    org = signed_in(small)
    made = org.Case.create({"Subject": "for the queue"})["id"]
    kept = org.Case.create({"Subject": "for me"}, headers={"Sforce-Auto-Assign": "FALSE"})["id"]
    assert (org.Case.get(made)["OwnerId"], org.Case.get(kept)["OwnerId"]) == (QUEUE, HUB)
    told = rows(small, f"SELECT Field FROM CaseHistory WHERE CaseId = '{made}'")
    assert {row["Field"] for row in told} == {"created", "ownerAssignment"}


def test_a_record_in_approval_is_locked_for_everybody_but_administrators(small: Running) -> None:
    settings(small, approvals_lock=True)
    submit = {"actionType": "Submit", "contextId": CASE, "nextApproverIds": [GRACE]}
    asked(small, "POST", "process/approvals", json={"requests": [submit]})
    rights(small, admin=False)
    locked = asked(small, "PATCH", f"sobjects/Case/{CASE}", json={"OwnerId": GRACE})
    assert (locked.status_code, code(locked)) == (400, "ENTITY_IS_LOCKED")
    rights(small, admin=True)
    assert asked(small, "PATCH", f"sobjects/Case/{CASE}", json={"OwnerId": GRACE}).status_code == 204


def test_only_the_approver_answers(small: Running) -> None:
    put(small.store, SPACE, "_token", {"user": GRACE}, id_="grace")
    put(small.store, SPACE, "ProcessDefinition", {"Id": "04a000000000001AAA", "Name": "Ok", "TableEnumOrId": "Case"})
    rights(small, HUB, admin=False)
    rights(small, GRACE, admin=False)
    assert [row["name"] for row in asked(small, "GET", "process/approvals").json()["approvals"]["Case"]] == ["Ok"]
    submit = {"actionType": "Submit", "contextId": CASE, "nextApproverIds": [GRACE]}
    made = asked(small, "POST", "process/approvals", json={"requests": [submit]}).json()[0]
    answer = {"requests": [{"actionType": "Approve", "contextId": made["newWorkitemIds"][0]}]}
    refused = asked(small, "POST", "process/approvals", json=answer)
    assert refused.json()[0]["errors"][0]["statusCode"] == "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"
    assert (
        asked(small, "POST", "process/approvals", token="grace", json=answer).json()[0]["instanceStatus"] == "Approved"
    )


def test_reads_obey_dates_and_entity_tags(small: Running) -> None:
    noon, before = "Thu, 01 Jan 2026 12:00:00 GMT", "Thu, 01 Jan 2026 11:59:59 GMT"
    path = f"sobjects/Case/{CASE}"
    assert asked(small, "GET", path, headers={"If-Modified-Since": noon}).status_code == 304
    assert asked(small, "GET", path, headers={"If-Modified-Since": before}).status_code == 200
    assert asked(small, "GET", path, headers={"If-Unmodified-Since": before}).status_code == 412
    account = asked(small, "POST", "sobjects/Account", json={"Name": "Acme"}).json()["id"]
    tag = asked(small, "GET", f"sobjects/Account/{account}").headers["ETag"]
    assert asked(small, "GET", f"sobjects/Account/{account}", headers={"If-None-Match": tag}).status_code == 304
    moved(small, 5)
    guarded = {"method": "PATCH", "path": f"sobjects/Account/{account}", "headers": {"If-Match": tag}}
    assert asked(small, **guarded, json={"Name": "Acme 2"}).status_code == 204
    assert asked(small, **guarded, json={"Name": "Acme 3"}).status_code == 412


def test_a_duplicate_is_refused_until_the_caller_insists(small: Running) -> None:
    settings(small, duplicate_rules=[{"sobject": "Contact", "field": "Email", "rule": "R", "allowSave": True}])
    person = {"LastName": "Doe", "Email": "doe@acme.example"}
    first = asked(small, "POST", "sobjects/Contact", json=person).json()["id"]
    refused = asked(small, "POST", "sobjects/Contact", json=person | {"Email": "DOE@acme.example"})
    assert (refused.status_code, code(refused)) == (400, "DUPLICATES_DETECTED")
    found = refused.json()[0]["duplicateResult"]["matchResults"][0]["matchRecords"]
    assert [match["record"]["Id"] for match in found] == [first]
    row = _collection(small, {"attributes": {"type": "Contact"}, **person}, method="POST")[0]
    assert row["errors"][0]["statusCode"] == "DUPLICATES_DETECTED"
    insisting = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    assert asked(small, "POST", "sobjects/Contact", json=person, headers=insisting).status_code == 201


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Due__c": 5}, "JSON_PARSER_ERROR"),
        ({"Subject": ["a"]}, "JSON_PARSER_ERROR"),
        ({"Subject": {"a": 1}}, "JSON_PARSER_ERROR"),
        ({"AccountId": "short"}, "MALFORMED_ID"),
        ({"AccountId": "001000000000009AAA"}, "INVALID_CROSS_REFERENCE_KEY"),
        ({"OwnerId": None}, "MALFORMED_ID"),
        ({"OwnerId": [1]}, "MALFORMED_ID"),
        ({"MasterRecordId": CASE}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"Id": CASE}, "INVALID_FIELD"),
    ],
)
def test_values_that_do_not_fit_are_refused(small: Running, change: dict[str, Any], said: str) -> None:
    refused = asked(small, "PATCH", f"sobjects/Case/{CASE}", json=change)
    assert (refused.status_code, code(refused)) == (400, said)


def test_a_queue_owns_only_what_it_is_made_for(small: Running) -> None:
    put(small.store, SPACE, "QueueSobject", {"Id": "03g000000000001AAA", "QueueId": QUEUE, "SobjectType": "Lead"})
    refused = asked(small, "PATCH", f"sobjects/Case/{CASE}", json={"OwnerId": QUEUE})
    assert code(refused) == "FIELD_INTEGRITY_EXCEPTION"


def test_records_of_an_inactive_owner_can_be_edited_but_not_tasks(small: Running) -> None:
    put(small.store, SPACE, "Opportunity", {"Id": DEAL, "Name": "d", "OwnerId": LEFT, "LastModifiedDate": sf_time(1)})
    task = {"Id": "00T000000000001AAA", "Subject": "call", "OwnerId": LEFT, "LastModifiedDate": sf_time(1)}
    put(small.store, SPACE, "Task", task)
    assert asked(small, "PATCH", f"sobjects/Opportunity/{DEAL}", json={"Name": "e"}).status_code == 204
    same = asked(small, "PATCH", f"sobjects/Opportunity/{DEAL}", json={"Name": "f", "OwnerId": LEFT})
    assert same.status_code == 204
    refused = asked(small, "PATCH", "sobjects/Task/00T000000000001AAA", json={"Subject": "mail"})
    assert code(refused) == "INACTIVE_OWNER_OR_USER"
    assert asked(small, "PATCH", "sobjects/Task/00T000000000001AAA", json={"OwnerId": ADA}).status_code == 204


def test_closing_follows_from_the_status(small: Running) -> None:
    asked(small, "PATCH", f"sobjects/Case/{CASE}", json={"Status": "Closed"})
    asked(small, "PATCH", f"sobjects/Opportunity/{DEAL}", json={"StageName": "Closed Won"})
    assert rows(small, f"SELECT IsClosed FROM Case WHERE Id = '{CASE}'") == [{"IsClosed": True}]
    assert rows(small, "SELECT IsClosed, IsWon FROM Opportunity") == [{"IsClosed": True, "IsWon": True}]


def test_fields_with_a_length_and_a_closed_list(tmp_path: Path) -> None:
    store = small_company(tmp_path / "world.sqlite")
    short = {"name": "Short__c", "type": "string", "label": "Short", "length": 5}
    listed = {"name": "Kind__c", "type": "picklist", "label": "Kind", "restrictedPicklist": True}
    fields = [short, {**listed, "picklistValues": [{"value": "a"}, "b"]}]
    put(store, SPACE, "_object", {"name": "Case", "label": "Case", "keyPrefix": "500", "fields": fields})
    with running(store) as small:
        path = f"sobjects/Case/{CASE}"
        assert code(asked(small, "PATCH", path, json={"Short__c": "longer"})) == "STRING_TOO_LONG"
        assert code(asked(small, "PATCH", path, json={"Kind__c": "c"})) == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
        assert asked(small, "PATCH", path, json={"Short__c": "short", "Kind__c": "b"}).status_code == 204
    store.close()


def test_a_converted_lead_is_closed_for_good(small: Running) -> None:
    lead = {"Id": "00Q000000000001AAA", "LastName": "Doe", "IsConverted": True, "LastModifiedDate": sf_time(1)}
    put(small.store, SPACE, "Lead", lead)
    refused = asked(small, "PATCH", "sobjects/Lead/00Q000000000001AAA", json={"Company": "Acme"})
    assert code(refused) == "CANNOT_UPDATE_CONVERTED_LEAD"


def test_users_are_changed_but_neither_added_nor_deleted(small: Running) -> None:
    assert asked(small, "PATCH", f"sobjects/User/{GRACE}", json={"IsActive": False}).status_code == 204
    added = asked(small, "POST", "sobjects/User", json={"LastName": "x"})
    assert code(added) == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    assert code(asked(small, "DELETE", f"sobjects/User/{GRACE}")) == "INSUFFICIENT_ACCESS_OR_READONLY"
    history = asked(small, "PATCH", "sobjects/CaseHistory/017000000000001AAA", json={})
    assert code(history) == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"


def test_a_composite_holds_neither_composites_nor_other_addresses(small: Running) -> None:
    base = "/services/data/v59.0"
    urls = [f"{base}/composite", f"{base}/composite/batch", "/services/oauth2/token"]
    parts = [{"method": "POST", "url": url, "referenceId": f"p{n}", "body": {}} for n, url in enumerate(urls)]
    told = asked(small, "POST", "composite", json={"compositeRequest": parts}).json()["compositeResponse"]
    assert [part["httpStatusCode"] for part in told] == [400, 400, 404]
    twice = [{**parts[0]}, {**parts[0]}]
    assert asked(small, "POST", "composite", json={"compositeRequest": twice}).status_code == 400
    many = [{**parts[0], "referenceId": f"p{n}"} for n in range(26)]
    assert code(asked(small, "POST", "composite", json={"compositeRequest": many})) == "LIMIT_EXCEEDED"


def test_an_envelope_with_a_document_type_is_not_read(small: Running) -> None:
    address = f"{small.addresses['salesforce']}/services/Soap/u/59.0"
    bomb = (
        "<!DOCTYPE a [<!ENTITY b 'c'>]><e:Envelope xmlns:e='urn:e'><e:Body><logout>&b;</logout></e:Body></e:Envelope>"
    )
    told = requests.post(address, data=bomb, timeout=10)
    assert (told.status_code, "document type" in told.text) == (500, True)
