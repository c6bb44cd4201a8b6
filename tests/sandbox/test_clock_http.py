"""One clock for every server: moved over the control port, told in every Date header and every stamp."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests
from http_world import ADA, BASE, CASES, ITEMS, Running

from sandbox.clock import UnusableTime, VirtualClock

LATER = datetime(2031, 5, 4, 9, 30, tzinfo=UTC)
SF = {"Authorization": "Bearer sf-token"}
CASE = f"/services/data/v59.0/sobjects/Case/{CASES[0]}"


def at(moment: datetime) -> Any:
    return lambda: moment


def test_a_clock_runs_at_its_distance_and_stands_still_when_told() -> None:
    under = [datetime(2026, 1, 1, tzinfo=UTC)]
    clock = VirtualClock(lambda: under[0])
    clock.advance(3600)
    under[0] += timedelta(seconds=5)
    assert clock() == datetime(2026, 1, 1, 1, 0, 5, tzinfo=UTC)
    clock.freeze()
    under[0] += timedelta(days=1)
    assert clock() == datetime(2026, 1, 1, 1, 0, 5, tzinfo=UTC)
    clock.advance(10)
    clock.resume()
    under[0] += timedelta(seconds=1)
    assert clock() == datetime(2026, 1, 1, 1, 0, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"advance": "soon"},
        {"set": "yesterday"},
        {"set": "2026-01-01T00:00:00"},
        {"advance": 1e300},
        {"jump": 1},
        {"frozen": "x"},
        {"advance": True},
        {"advance": "1"},
    ],
)
def test_a_move_that_cannot_be_understood_is_refused(small: Running, wanted: dict[str, Any]) -> None:
    before = datetime.fromisoformat(small.control("GET", "/clock")["now"])
    answer = requests.post(small.addresses["control"] + "/clock", json=wanted, timeout=5)
    assert (answer.status_code, bool(answer.json()["error"])) == (400, True)
    after = datetime.fromisoformat(small.control("GET", "/clock")["now"])
    assert after - before < timedelta(minutes=1)
    with pytest.raises(UnusableTime):
        VirtualClock(at(LATER)).obey(wanted)


def test_every_date_header_and_every_stamp_follow_the_clock(small: Running) -> None:
    small.control("POST", "/clock", json={"set": LATER.isoformat(), "frozen": True})
    answers = [
        requests.patch(small.addresses["salesforce"] + CASE, headers=SF, json={"Subject": "x"}, timeout=5),
        requests.put(
            small.addresses["jira"] + "/rest/api/3/issue/ACME-1",
            auth=("hub@acme.example", "jira-token"),
            json={"fields": {"summary": "x"}},
            timeout=5,
        ),
        requests.patch(
            small.addresses["airtable"] + f"/v0/{BASE}/{ITEMS}/rec1",
            headers={"Authorization": "Bearer at-token"},
            json={"fields": {"Name": "x"}},
            timeout=5,
        ),
    ]
    assert [answer.status_code for answer in answers] == [204, 204, 200]
    assert {parsedate_to_datetime(answer.headers["Date"]) for answer in answers} == {LATER}
    space = small.store
    case, issue = space.get("acme_salesforce", "Case", CASES[0]), space.get("acme_jira", "issue", "101")
    record = space.get("studio_airtable", "record", "rec1")
    assert case is not None
    assert issue is not None
    assert record is not None
    assert case["SystemModstamp"] == issue["updated"] == "2031-05-04T09:30:00.000+0000"
    assert record["fields"]["fldTouched"] == "2031-05-04T09:30:00.000Z"
    assert case["OwnerId"] == ADA
    assert {entry["at"] for entry in small.control("GET", "/journal")} == {"2031-05-04T09:30:00.000000Z"}
