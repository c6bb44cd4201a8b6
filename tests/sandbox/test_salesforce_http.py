"""The org through simple-salesforce as it comes, and where needed through bare HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from http_world import ADA, CASES, DEAL, GRACE, HUB, LEFT, QUEUE, SPACES, Running, put, sf_time
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

FIRST = "2026-01-01T12:00:00Z"


class ToLoopback(HTTPAdapter):
    """The client insists on https and a salesforce.com host: send everything to the sandbox instead."""

    def __init__(self, address: str) -> None:
        self._host = urlsplit(address).netloc
        super().__init__()

    def send(self, request: requests.PreparedRequest, **rest: Any) -> requests.Response:  # type: ignore[override]
        request.url = urlunsplit(("http", self._host, *urlsplit(str(request.url))[2:]))
        return super().send(request, **rest)


@pytest.fixture
def session(small: Running) -> requests.Session:
    session = requests.Session()
    session.mount("https://", ToLoopback(small.addresses["salesforce"]))
    return session


@pytest.fixture
def org(session: requests.Session) -> Salesforce:
    return Salesforce(consumer_key="hub-client", consumer_secret="client-secret", domain="acme", session=session)


def test_both_grants_sign_in_and_a_wrong_secret_does_not(session: requests.Session) -> None:
    by_password = {"username": "hub@acme.example", "password": "password", "consumer_key": "hub-client"}
    org = Salesforce(**by_password, consumer_secret="client-secret", session=session)
    assert org.query("SELECT Id FROM Case")["totalSize"] == 2
    for wrong in ({"password": "pass"}, {"consumer_secret": "no"}, {"consumer_key": "nobody"}):
        given = {**by_password, "consumer_secret": "client-secret", **wrong}
        with pytest.raises(Exception, match=r"authentication failure|invalid client|client identifier invalid"):
            Salesforce(**given, session=session)


def test_a_wrong_token_is_an_expired_session(session: requests.Session) -> None:
    org = Salesforce(session_id="wrong", instance="acme.my.salesforce.com", session=session)
    with pytest.raises(SalesforceExpiredSession):
        org.query("SELECT Id FROM Case")


def test_deleted_rows_show_in_query_all_only(org: Salesforce) -> None:
    assert [row["Id"] for row in org.query("SELECT Id FROM Case")["records"]] == [CASES[0], CASES[2]]
    assert org.query("SELECT Id, IsDeleted FROM Case", include_deleted=True)["totalSize"] == 3
    assert org.query("SELECT COUNT() FROM Case")["totalSize"] == 2
    assert org.query("SELECT COUNT() FROM Case", include_deleted=True)["totalSize"] == 3


def test_relationships_are_nested_objects(org: Salesforce) -> None:
    rows = org.query("SELECT Owner.Name, Owner.Type, CreatedBy.Name FROM Case ORDER BY CaseNumber")["records"]
    assert [(row["Owner"]["Name"], row["Owner"]["Type"]) for row in rows] == [
        ("Ada Lovelace", "User"),
        ("Unassigned", "Queue"),
    ]
    assert rows[0]["CreatedBy"]["Name"] == "Ada Lovelace"
    deal = org.query("SELECT Account.Name, Owner.Name FROM Opportunity")["records"][0]
    assert deal["Account"] is None


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (f"SystemModstamp >= {sf_time(2).replace('+', '%2B')}", [3]),
        ("SystemModstamp >= 2026-01-03T13:00:00%2B01:00", [3]),
        ("SystemModstamp > 2026-01-03T12:00:00Z", []),
        (
            f"(SystemModstamp = {FIRST} AND Id > '{CASES[0][:15]}') OR SystemModstamp > {FIRST}",
            [3],
        ),
        (f"Id IN ('{CASES[0][:15]}','{CASES[2]}')", [1, 3]),
        ("Status = 'new' AND Subject LIKE '%PAGE _'", [1, 3]),
        ("Phase__c != 'QA'", [1, 3]),
        ("Due__c = null", [1, 3]),
        (f"NOT OwnerId = '{QUEUE}'", [1]),
        ("Owner.Name = 'Ada Lovelace'", [1]),
        (f"OwnerId NOT IN ('{ADA}')", [3]),
    ],
)
def test_conditions(small: Running, where: str, found: list[int]) -> None:
    query = f"SELECT CaseNumber FROM Case WHERE {where} ORDER BY CaseNumber"
    address = f"{small.addresses['salesforce']}/services/data/v59.0/query?q={query}"
    answer = requests.get(address, headers={"Authorization": "Bearer sf-token"}, timeout=10)
    assert answer.status_code == 200, answer.text
    assert [int(row["CaseNumber"][-1]) for row in answer.json()["records"]] == found


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT Foo FROM Case", "INVALID_FIELD"),
        ("SELECT Foo.Name FROM Case", "INVALID_FIELD"),
        ("SELECT Id FROM Nothing", "INVALID_TYPE"),
        ("SELECT Id FROM Case WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Case WHERE Status = 'a' AND Status = 'b' OR Status = 'c'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Case GROUP BY Status", "MALFORMED_QUERY"),
        ("SELECT Id FROM Case WHERE SystemModstamp > 2026-13-01T00:00:00Z", "MALFORMED_QUERY"),
        ("SELECT Id FROM Case OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
        ("SELECT Id FROM Case WHERE SystemModstamp > '2026-01-01T00:00:00Z'", "INVALID_FIELD"),
        ("SELECT Id FROM CaseHistory WHERE NewValue = 'x'", "INVALID_FIELD"),
        ("SELECT SystemModstamp FROM CaseHistory", "INVALID_FIELD"),
        ("SELECT Id FROM Case WHERE Description LIKE 'x%'", "INVALID_FIELD"),
    ],
)
def test_what_is_outside_the_subset_is_refused_in_salesforce_words(org: Salesforce, query: str, code: str) -> None:
    with pytest.raises(SalesforceMalformedRequest) as caught:
        org.query(query)
    assert caught.value.content[0]["errorCode"] == code


def test_a_walk_over_pages_is_not_disturbed_by_edits(small: Running, org: Salesforce) -> None:
    for n in range(500):
        case = {"Id": f"500000000001{n:03d}AAA", "Subject": f"n{n}", "SystemModstamp": sf_time(5), "IsDeleted": False}
        put(small.store, SPACES["salesforce"], "Case", case, day=5)
    small_pages = {"Sforce-Query-Options": "batchSize=200"}
    page = org.query("SELECT Id FROM Case ORDER BY SystemModstamp, Id", headers=small_pages)
    assert (page["totalSize"], len(page["records"]), page["done"]) == (502, 200, False)
    seen = [row["Id"] for row in page["records"]]
    org.Case.update("500000000001000AAA", {"Subject": "moved to the end by its new stamp"})
    while not page["done"]:
        page = org.query_more(page["nextRecordsUrl"], identifier_is_url=True)
        seen += [row["Id"] for row in page["records"]]
    assert len(seen) == len(set(seen)) == 502


def test_a_locator_dies_with_its_session(small: Running, org: Salesforce, session: requests.Session) -> None:
    cases = [{"Id": f"500000000001{n:03d}AAA", "SystemModstamp": sf_time(5)} for n in range(300)]
    for case in cases:
        put(small.store, SPACES["salesforce"], "Case", case, day=5)
    page = org.query("SELECT Id FROM Case", headers={"Sforce-Query-Options": "batchSize=200"})
    again = Salesforce(session_id="sf-token", instance="acme.my.salesforce.com", session=session)
    with pytest.raises(SalesforceMalformedRequest) as caught:
        again.query_more(page["nextRecordsUrl"], identifier_is_url=True)
    assert caught.value.content[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_an_owner_change_writes_two_history_rows_and_moves_the_stamps(org: Salesforce) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    assert org.Case.update(CASES[0][:15], {"OwnerId": GRACE[:15], "Status": "Working", "Subject": "untracked"}) == 204
    case = org.Case.get(CASES[0])
    assert (case["OwnerId"], case["Status"], case["LastModifiedById"]) == (GRACE, "Working", HUB)
    assert datetime.fromisoformat(case["SystemModstamp"]) >= before
    rows = org.query(
        f"SELECT Field, OldValue, NewValue, CreatedById FROM CaseHistory WHERE CaseId = '{CASES[0]}' ORDER BY Id"
    )["records"]
    assert {(row["Field"], row["OldValue"], row["NewValue"], row["CreatedById"]) for row in rows} == {
        ("Owner", "Ada Lovelace", "Grace Hopper", HUB),
        ("Owner", ADA, GRACE, HUB),
        ("Status", "New", "Working", HUB),
    }


@pytest.mark.parametrize(
    ("record", "change", "code"),
    [
        (("Case", CASES[0]), {"OwnerId": LEFT}, "INACTIVE_OWNER_OR_USER"),
        (("Case", CASES[0]), {"OwnerId": "005000000000099AAA"}, "INVALID_CROSS_REFERENCE_KEY"),
        (("Case", CASES[0]), {"OwnerId": DEAL}, "MALFORMED_ID"),
        (("Opportunity", DEAL), {"OwnerId": QUEUE}, "FIELD_INTEGRITY_EXCEPTION"),
        (("Case", CASES[0]), {"Nothing__c": 1}, "INVALID_FIELD"),
        (("Case", CASES[0]), {"CaseNumber": "1"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        (("Case", CASES[0]), {"Due__c": "soon"}, "JSON_PARSER_ERROR"),
        (("Case", CASES[1]), {"OwnerId": ADA}, "ENTITY_IS_DELETED"),
    ],
)
def test_changes_that_are_refused_change_nothing(
    org: Salesforce, record: tuple[str, str], change: dict[str, Any], code: str
) -> None:
    with pytest.raises((SalesforceMalformedRequest, SalesforceResourceNotFound)) as caught:
        getattr(org, record[0]).update(record[1], {"Phase__c": "QA", **change})
    assert caught.value.content[0]["errorCode"] == code
    assert org.query("SELECT Id FROM CaseHistory")["totalSize"] == 0


def test_a_queue_may_own_a_case(org: Salesforce) -> None:
    assert org.Case.update(CASES[0], {"OwnerId": QUEUE}, headers={"Sforce-Auto-Assign": "false"}) == 204
    assert org.Case.get(CASES[0])["OwnerId"] == QUEUE


def test_a_guarded_write_is_refused_when_the_record_is_newer(org: Salesforce) -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    same_second = {"If-Unmodified-Since": format_datetime(noon, usegmt=True)}
    second_before = {"If-Unmodified-Since": format_datetime(noon.replace(hour=11), usegmt=True)}
    with pytest.raises(SalesforceGeneralError) as caught:
        org.Case.update(CASES[0], {"OwnerId": GRACE}, headers=second_before)
    assert caught.value.status == 412
    assert org.Case.get(CASES[0])["OwnerId"] == ADA
    assert org.Case.update(CASES[0], {"OwnerId": GRACE}, headers=same_second) == 204
    with pytest.raises(SalesforceMalformedRequest):
        org.Case.update(CASES[0], {"OwnerId": ADA}, headers={"If-Unmodified-Since": "yesterday"})


def test_people_create_cases_deals_and_comments(org: Salesforce) -> None:
    made = org.Case.create({"Subject": "New one", "OwnerId": GRACE})["id"]
    case = org.Case.get(made)
    assert (case["Status"], case["CaseNumber"], case["CreatedById"]) == ("New", "00001004", HUB)
    assert org.query(f"SELECT Field FROM CaseHistory WHERE CaseId = '{made}'")["records"][0]["Field"] == "created"
    org.CaseComment.create({"ParentId": made[:15], "CommentBody": "hello"})
    found = org.query(f"SELECT CommentBody, Parent.CaseNumber FROM CaseComment WHERE ParentId = '{made}'")["records"]
    assert [(row["CommentBody"], row["Parent"]["CaseNumber"]) for row in found] == [("hello", "00001004")]
    with pytest.raises(SalesforceMalformedRequest) as caught:
        org.Opportunity.create({"Name": "x"})
    assert caught.value.content[0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    with pytest.raises(SalesforceMalformedRequest):
        org.CaseComment.create({"ParentId": "500000000000099AAA", "CommentBody": "to nobody"})


def test_an_approval_is_submitted_and_answered(org: Salesforce) -> None:
    submit = {"actionType": "Submit", "contextId": CASES[0], "nextApproverIds": [GRACE], "comments": "please"}
    asked = org.restful("process/approvals/", method="POST", json={"requests": [submit]})[0]
    assert (asked["success"], asked["instanceStatus"]) == (True, "Pending")
    waiting = "SELECT ActorId, ProcessInstance.TargetObjectId FROM ProcessInstanceWorkitem"
    row = org.query(waiting)["records"][0]
    assert (row["ActorId"], row["ProcessInstance"]["TargetObjectId"]) == (GRACE, CASES[0])
    answer = {"actionType": "Approve", "contextId": asked["newWorkitemIds"][0], "comments": "fine"}
    assert (
        org.restful("process/approvals/", method="POST", json={"requests": [answer]})[0]["instanceStatus"] == "Approved"
    )
    assert org.query(waiting)["totalSize"] == 0
    done = org.query(f"SELECT Status, CompletedDate FROM ProcessInstance WHERE TargetObjectId = '{CASES[0]}'")[
        "records"
    ][0]
    assert done["Status"] == "Approved"
    assert done["CompletedDate"]
    steps = org.query("SELECT StepStatus FROM ProcessInstanceStep ORDER BY Id")["records"]
    assert [step["StepStatus"] for step in steps] == ["Started", "Approved"]


def test_requests_of_one_approval_call_stand_alone(small: Running) -> None:
    good = {"actionType": "Submit", "contextId": CASES[0], "nextApproverIds": [GRACE]}
    bad = {"actionType": "Approve", "contextId": CASES[2]}
    address = f"{small.addresses['salesforce']}/services/data/v59.0/process/approvals/"
    signed = {"Authorization": "Bearer sf-token"}
    results = requests.post(address, json={"requests": [good, bad]}, headers=signed, timeout=10).json()
    assert [result["success"] for result in results] == [True, False]
    assert small.store.count(SPACES["salesforce"], "ProcessInstance") == 1


def test_describe_limits_and_unknown_paths(small: Running, org: Salesforce) -> None:
    fields = {field["name"]: field for field in org.Case.describe()["fields"]}
    assert fields["Phase__c"]["picklistValues"][0]["value"] == "QA"
    assert fields["OwnerId"]["referenceTo"] == ["Group", "User"]
    assert not fields["CaseNumber"]["updateable"]
    assert "Case" in {known["name"] for known in org.describe()["sobjects"]}
    assert org.limits()["DailyApiRequests"]["Remaining"] > 0
    assert org.api_usage["api-usage"].used > 0
    for path in ("sobjects/Nothing/describe", "nowhere", "sobjects/Case/500000000000099AAA"):
        url = f"{small.addresses['salesforce']}/services/data/v59.0/{path}"
        answer = requests.get(url, headers={"Authorization": "Bearer sf-token"}, timeout=10)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "NOT_FOUND")
    assert requests.get(f"{small.addresses['salesforce']}/services/data/", timeout=10).json()[-1]["version"]


def test_the_oldest_of_too_many_open_cursors_is_lost(small: Running, org: Salesforce) -> None:
    for n in range(201):
        put(small.store, SPACES["salesforce"], "Case", {"Id": f"500000000001{n:03d}AAA"}, day=5)
    small_pages = {"Sforce-Query-Options": "batchSize=200"}
    opened = [org.query("SELECT Id FROM Case", headers=small_pages)["nextRecordsUrl"] for _ in range(11)]
    assert org.query_more(opened[1], identifier_is_url=True)["done"]
    with pytest.raises(SalesforceMalformedRequest) as caught:
        org.query_more(opened[0], identifier_is_url=True)
    assert caught.value.content[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_a_signed_out_world_and_other_versions(small: Running) -> None:
    base = f"{small.addresses['salesforce']}/services/data"
    assert requests.get(f"{base}/v59.0/limits", timeout=10).json()[0]["errorCode"] == "INVALID_SESSION_ID"
    signed = {"Authorization": "Bearer sf-token"}
    assert requests.get(f"{base}/v12.0/limits", headers=signed, timeout=10).status_code == 404
    assert requests.delete(f"{base}/v59.0/limits", headers=signed, timeout=10).status_code == 405
