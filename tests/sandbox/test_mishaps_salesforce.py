"""Every fault that the org plays itself, by its name, as a client sees it on the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import pytest
import requests
from http_world import ADA, CASES, DEAL, GRACE, HUB, QUEUE, Running
from org_http import SMALL_PAGES, SPACE, asked, code, frozen, many_cases, moved, rows, signed_in

CASE = CASES[0]
WALK = "SELECT Id, Subject, SystemModstamp FROM Case ORDER BY Id"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def _first_page(small: Running, token: str = "sf-token") -> dict[str, Any]:
    answer = asked(small, "GET", "query", token=token, params={"q": WALK}, headers=SMALL_PAGES)
    return dict(answer.json())


def _change(small: Running, token: str = "sf-token", **values: Any) -> requests.Response:
    return asked(small, "PATCH", f"sobjects/Case/{CASE}", token=token, json=values)


def test_session_expired_mid_walk(small: Running) -> None:
    many_cases(small, 250)
    token = signed_in(small).session_id
    page = _first_page(small, token)
    small.fault(fault="session_expired_mid_walk")
    died = asked(small, "GET", page["nextRecordsUrl"], token=token)
    assert (died.status_code, code(died)) == (401, "INVALID_SESSION_ID")
    assert code(asked(small, "GET", "limits", token=token)) == "INVALID_SESSION_ID"
    again = signed_in(small).session_id
    assert code(asked(small, "GET", page["nextRecordsUrl"], token=again)) == "INVALID_QUERY_LOCATOR"


def test_session_expired_before_write(small: Running) -> None:
    org = signed_in(small)
    small.fault(fault="session_expired_before_write")
    refused = _change(small, org.session_id, OwnerId=GRACE)
    assert (refused.status_code, code(refused)) == (401, "INVALID_SESSION_ID")
    assert rows(small, f"SELECT OwnerId FROM Case WHERE Id = '{CASE}'") == [{"OwnerId": ADA}]
    assert org.Case.update(CASE, {"OwnerId": GRACE}) == 204  # the stock client signs in again by itself


def test_unauthorized_for_ever(small: Running) -> None:
    small.fault(fault="unauthorized_for_ever", tool="salesforce", times=None)
    for _ in range(3):
        token = signed_in(small).session_id
        refused = asked(small, "GET", "limits", token=token)
        assert (refused.status_code, code(refused)) == (401, "INVALID_SESSION_ID")


def test_request_limit_exceeded(small: Running) -> None:
    small.fault(fault="request_limit_exceeded", times=2)
    refused = asked(small, "GET", "limits")
    assert (refused.status_code, code(refused)) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert "Retry-After" not in refused.headers
    login = requests.post(f"{small.addresses['salesforce']}/services/Soap/u/59.0", data="<x/>", timeout=10)
    assert (login.status_code, "REQUEST_LIMIT_EXCEEDED" in login.text) == (500, True)


def test_row_locked(small: Running) -> None:
    small.fault(fault="row_locked", times=2)
    refused = _change(small, OwnerId=GRACE)
    assert (refused.status_code, code(refused)) == (400, "UNABLE_TO_LOCK_ROW")
    records = [{"attributes": {"type": "Case"}, "id": id_, "OwnerId": GRACE} for id_ in (CASE, CASES[2])]
    told = asked(small, "PATCH", "composite/sobjects", json={"records": records}).json()
    assert [row["success"] for row in told] == [False, True]
    assert told[0]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"
    assert _change(small, OwnerId=GRACE).status_code == 204


def test_partial_collection_failure(small: Running) -> None:
    small.fault(fault="partial_collection_failure", settings={"rows": [0], "code": "ENTITY_IS_LOCKED"})
    records = [{"attributes": {"type": "Case"}, "id": id_, "OwnerId": GRACE} for id_ in (CASE, CASES[2])]
    told = asked(small, "PATCH", "composite/sobjects", json={"records": records})
    assert told.status_code == 200
    assert [row["success"] for row in told.json()] == [False, True]
    assert told.json()[0]["errors"][0]["statusCode"] == "ENTITY_IS_LOCKED"
    owners = {row["Id"]: row["OwnerId"] for row in rows(small, "SELECT Id, OwnerId FROM Case")}
    assert owners == {CASE: ADA, CASES[2]: GRACE}


def test_changed_before_write(small: Running) -> None:
    frozen(small)
    guard = {"If-Unmodified-Since": format_datetime(NOON, usegmt=True)}
    small.fault(fault="changed_before_write", tool="salesforce")
    refused = asked(small, "PATCH", f"sobjects/Case/{CASE}", json={"OwnerId": GRACE}, headers=guard)
    assert refused.status_code == 412
    (case,) = rows(small, f"SELECT OwnerId, LastModifiedById FROM Case WHERE Id = '{CASE}'")
    assert case["OwnerId"] not in {ADA, GRACE}
    assert case["LastModifiedById"] != HUB


def test_owner_changed_same_second(small: Running) -> None:
    guard = {"If-Unmodified-Since": "Thu, 01 Jan 2026 12:00:00 GMT"}
    small.fault(fault="owner_changed_same_second")
    assert asked(small, "PATCH", f"sobjects/Case/{CASE}", json={"OwnerId": GRACE}, headers=guard).status_code == 204
    told = rows(small, f"SELECT OldValue FROM CaseHistory WHERE CaseId = '{CASE}'")
    taken = {row["OldValue"] for row in told} - {ADA, "Ada Lovelace"}
    assert taken  # somebody else had taken the case in between, and the guard did not notice


def test_late_commit(small: Running) -> None:
    frozen(small)
    small.fault(fault="late_commit", tool="salesforce", settings={"seconds": 300}, nth=2)
    seen = {row["Id"] for row in rows(small, WALK)}
    late = [row for row in rows(small, WALK) if row["Id"] not in seen]
    assert [row["SystemModstamp"] for row in late] == ["2026-11-20T11:55:00.000+0000"]


def test_equal_stamps(small: Running) -> None:
    many_cases(small, 250)
    small.fault(fault="equal_stamps", tool="salesforce", settings={"count": 240})
    stamps = [row["SystemModstamp"] for row in rows(small, WALK)]
    assert max(stamps.count(stamp) for stamp in set(stamps)) == 240


def test_deleted_between_pages(small: Running) -> None:
    many_cases(small, 250)
    page = _first_page(small)
    small.fault(fault="deleted_between_pages", tool="salesforce")
    rest = asked(small, "GET", page["nextRecordsUrl"]).json()
    assert len(page["records"]) + len(rest["records"]) == page["totalSize"] - 1
    gone = rows(small, "SELECT Id FROM Case WHERE IsDeleted = true", verb="queryAll")
    assert len(gone) == 2  # one was deleted from the beginning


def test_deleted_window_too_old(small: Running) -> None:
    frozen(small)
    asked(small, "DELETE", f"sobjects/Case/{CASE}")
    moved(small, 600)
    span = "start=2026-11-20T11:00:00Z&end=2026-11-20T12:10:00Z"
    small.fault(fault="deleted_window_too_old")
    told = asked(small, "GET", f"sobjects/Case/deleted/?{span}").json()
    assert told["deletedRecords"] == []
    assert datetime.fromisoformat(told["earliestDateAvailable"]) > datetime(2026, 11, 20, 11, tzinfo=UTC)
    assert asked(small, "GET", f"sobjects/Case/deleted/?{span}").json()["deletedRecords"]


def test_fewer_rows(small: Running) -> None:
    many_cases(small, 250)
    small.fault(fault="fewer_rows", tool="salesforce", settings={"rows": 3}, times=2)
    page = _first_page(small)
    assert (len(page["records"]), page["done"], page["totalSize"]) == (3, False, 252)
    found = [row["Id"] for row in page["records"]]
    sizes = []
    while not page["done"]:
        page = asked(small, "GET", page["nextRecordsUrl"]).json()
        sizes.append(len(page["records"]))
        found += [row["Id"] for row in page["records"]]
    assert sizes == [3, 200, 46]
    assert len(set(found)) == 252


@pytest.mark.parametrize("after", [1, 120, "date", None])
def test_too_many_requests(small: Running, after: Any) -> None:
    frozen(small)
    small.fault(fault="too_many_requests", tool="salesforce", settings={"retry_after": after})
    refused = asked(small, "GET", "limits")
    assert (refused.status_code, isinstance(refused.json(), list)) == (429, True)
    told = refused.headers.get("Retry-After")
    if after == "date":
        assert parsedate_to_datetime(str(told)) > NOON
    else:
        assert told == (None if after is None else str(after))


def test_edited_mid_walk(small: Running) -> None:
    many_cases(small, 250)
    page = _first_page(small)
    small.fault(fault="edited_mid_walk", tool="salesforce")
    rest = asked(small, "GET", page["nextRecordsUrl"]).json()["records"]
    assert rest[0]["Subject"].endswith("(edited)")
    served = page["records"][-1]
    now = rows(small, f"SELECT Subject, SystemModstamp FROM Case WHERE Id = '{served['Id']}'")[0]
    assert now["Subject"].endswith("(edited)")
    assert now["SystemModstamp"] > served["SystemModstamp"]


def _columns(small: Running) -> dict[str, str]:
    described = asked(small, "GET", "sobjects/Case/describe").json()
    return {field["name"]: field["type"] for field in described["fields"]}


def test_field_renamed(small: Running) -> None:
    small.fault(fault="field_renamed", tool="salesforce", settings={"field": "Case.Phase__c", "name": "Stage__c"})
    refused = asked(small, "GET", "query", params={"q": "SELECT Phase__c FROM Case"})
    assert code(refused) == "INVALID_FIELD"
    assert rows(small, f"SELECT Stage__c FROM Case WHERE Id = '{CASE}'") == [{"Stage__c": "Build"}]
    assert "Phase__c" not in _columns(small)
    assert rows(small, "SELECT Phase__c FROM Opportunity") == [{"Phase__c": None}]
    _change(small, Stage__c="QA")
    assert rows(small, "SELECT Field FROM CaseHistory") == [{"Field": "Stage__c"}]


def test_field_deleted(small: Running) -> None:
    small.fault(fault="field_deleted", tool="salesforce", settings={"field": "Case.Phase__c"})
    assert code(_change(small, Phase__c="QA")) == "INVALID_FIELD"
    assert "Phase__c" not in _columns(small)
    assert "Phase__c" not in asked(small, "GET", f"sobjects/Case/{CASE}").json()


def test_field_retyped(small: Running) -> None:
    settings = {"field": "Case.Phase__c", "type": "double"}
    small.fault(fault="field_retyped", tool="salesforce", settings=settings)
    refused = asked(small, "GET", "query", params={"q": "SELECT Id FROM Case WHERE Phase__c = 'Build'"})
    assert code(refused) == "INVALID_FIELD"
    assert _columns(small)["Phase__c"] == "double"
    assert rows(small, f"SELECT Phase__c FROM Case WHERE Id = '{CASE}'") == [{"Phase__c": None}]


def test_owner_deactivated(small: Running) -> None:
    small.fault(fault="owner_deactivated", tool="salesforce")
    refused = _change(small, OwnerId=GRACE)
    assert (refused.status_code, code(refused)) == (400, "INACTIVE_OWNER_OR_USER")
    assert rows(small, f"SELECT IsActive FROM User WHERE Id = '{GRACE}'") == [{"IsActive": False}]


def test_queue_owner_refused(small: Running) -> None:
    small.fault(fault="queue_owner_refused")
    refused = _change(small, OwnerId=QUEUE)
    assert (refused.status_code, code(refused)) == (400, "FIELD_INTEGRITY_EXCEPTION")
    assert code(asked(small, "PATCH", f"sobjects/Opportunity/{DEAL}", json={"OwnerId": QUEUE})) == code(refused)


def test_permission_lost(small: Running) -> None:
    small.fault(fault="permission_lost", tool="salesforce", settings={"records": [CASE]})
    assert [row["Id"] for row in rows(small, "SELECT Id FROM Case")] == [CASES[2]]
    assert asked(small, "GET", f"sobjects/Case/{CASE}").status_code == 404
    assert small.store.get(SPACE, "Case", CASE) is not None
    small.fault(fault="permission_lost", tool="salesforce", settings={"container": "Opportunity"})
    assert code(asked(small, "GET", "query", params={"q": "SELECT Id FROM Opportunity"})) == "INVALID_TYPE"
    assert rows(small, "SELECT Id FROM Case")
