"""What the simulated org tells replicating clients, and how it counts their requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import requests
from http_world import CASES, Running
from org_http import asked, code, frozen, moved, rights, settings, signed_in

CASE = CASES[0]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_what_was_changed_is_told_in_whole_minutes(small: Running) -> None:
    frozen(small, "2026-11-20T12:00:30+00:00")
    org = signed_in(small)
    org.Case.update(CASE, {"Subject": "changed"})
    early = org.Case.updated(NOON - timedelta(minutes=5), NOON + timedelta(seconds=59))
    assert early == {"ids": [], "latestDateCovered": "2026-11-20T12:00:00.000+0000"}  # seconds do not count
    moved(small, 60)
    later = org.Case.updated(NOON, NOON + timedelta(minutes=1, seconds=30))
    assert later == {"ids": [CASE], "latestDateCovered": "2026-11-20T12:01:00.000+0000"}
    assert org.Case.updated(NOON + timedelta(minutes=1), NOON + timedelta(days=1)) == {
        "ids": [],
        "latestDateCovered": "2026-11-20T12:01:00.000+0000",
    }


def test_what_was_deleted_is_told_until_it_is_restored(small: Running) -> None:
    frozen(small)
    org = signed_in(small)
    org.Case.delete(CASE)
    moved(small, 120)
    told = org.Case.deleted(NOON - timedelta(minutes=1), NOON + timedelta(minutes=2))
    assert told == {
        "deletedRecords": [{"id": CASE, "deletedDate": "2026-11-20T12:00:00.000+0000"}],
        "earliestDateAvailable": "2026-11-05T12:02:00.000+0000",
        "latestDateCovered": "2026-11-20T12:02:00.000+0000",
    }
    assert org.Case.updated(NOON - timedelta(minutes=1), NOON + timedelta(minutes=2))["ids"] == []
    head = "<e:Header><SessionHeader><sessionId>sf-token</sessionId></SessionHeader></e:Header>"
    body = f"<e:Envelope xmlns:e='urn:e'>{head}<e:Body><undelete><ids>{CASE}</ids></undelete></e:Body></e:Envelope>"
    requests.post(f"{small.addresses['salesforce']}/services/Soap/u/59.0", data=body, timeout=10)
    assert org.Case.deleted(NOON - timedelta(minutes=1), NOON + timedelta(minutes=2))["deletedRecords"] == []


def test_the_log_of_deletions_is_15_days_long_on_the_companys_clock(small: Running) -> None:
    frozen(small)
    org = signed_in(small)
    org.Case.delete(CASE)
    moved(small, 15 * 24 * 3600)
    span = (NOON - timedelta(hours=1), NOON + timedelta(days=15))
    assert [row["id"] for row in org.Case.deleted(*span)["deletedRecords"]] == [CASE]
    moved(small, 120)
    told = org.Case.deleted(*span)
    assert told["deletedRecords"] == []
    assert datetime.fromisoformat(told["earliestDateAvailable"]) > span[0]
    settings(small, deleted_log_days=30)
    assert org.Case.deleted(*span)["deletedRecords"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("start=2026-11-20T11:59:10Z&end=2026-11-20T11:59:50Z", "INVALID_REPLICATION_DATE"),
        ("start=2026-11-20T12:00:00Z&end=2026-11-20T11:00:00Z", "INVALID_REPLICATION_DATE"),
        ("start=2027-11-20T12:00:00Z&end=2027-11-20T13:00:00Z", "INVALID_REPLICATION_DATE"),
        ("start=2026-11-20T12:00:00%3A&end=2026-11-20T13:00:00Z", "INVALID_REPLICATION_DATE"),
        ("end=2026-11-20T13:00:00Z", "MISSING_ARGUMENT"),
    ],
)
def test_spans_that_make_no_sense_are_refused(small: Running, query: str, said: str) -> None:
    frozen(small)
    for what in ("updated", "deleted"):
        refused = asked(small, "GET", f"sobjects/Case/{what}/?{query}")
        assert (refused.status_code, code(refused)) == (400, said)


def test_hidden_records_are_not_told(small: Running) -> None:
    frozen(small)
    asked(small, "PATCH", f"sobjects/Case/{CASE}", json={"Subject": "x"})
    rights(small, hidden=[CASE])
    span = "start=2026-11-20T11:00:00Z&end=2026-11-20T13:00:00Z"
    moved(small, 60)
    assert asked(small, "GET", f"sobjects/Case/updated?{span}").json()["ids"] == []


def test_requests_of_24_hours_are_counted(small: Running) -> None:
    settings(small, daily_requests=3)
    org = signed_in(small)
    for used in (1, 2, 3):
        assert asked(small, "GET", "sobjects").headers["Sforce-Limit-Info"] == f"api-usage={used}/3"
    refused = asked(small, "GET", "limits")
    assert (refused.status_code, code(refused)) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert "Retry-After" not in refused.headers
    token = asked(small, "POST", "/services/oauth2/token", data={"grant_type": "password"})
    assert (token.status_code, code(token)) == (403, "REQUEST_LIMIT_EXCEEDED")
    moved(small, 24 * 3600 + 60)
    assert asked(small, "GET", "limits").json()["DailyApiRequests"] == {"Max": 3, "Remaining": 2}
    assert org.session_id


def test_the_stock_client_knows_what_it_used(small: Running) -> None:
    org = signed_in(small)
    org.query("SELECT Id FROM Case")
    assert (org.api_usage["api-usage"].used, org.api_usage["api-usage"].total) == (1, 100_000)
    assert {"DailyApiRequests", "DailyBulkV2QueryJobs", "DataStorageMB"} <= set(org.limits())
