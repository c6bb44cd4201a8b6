"""When an order strikes: by count, by chance, for a while; and what the wire faults do to an answer."""

from __future__ import annotations

import http.client
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests
from http_world import J_GRACE, Running

from sandbox.faults.catalogue import CATALOGUE
from sandbox.faults.orders import Faults, UnusableFault

ISSUE = "/rest/api/3/issue/ACME-1"
SIGNED = ("hub@acme.example", "jira-token")
START = datetime(2026, 1, 1, tzinfo=UTC)


def ask(small: Running, method: str = "GET", path: str = ISSUE, **rest: Any) -> requests.Response:
    return requests.request(method, small.addresses["jira"] + path, auth=SIGNED, timeout=10, **rest)


def struck(faults: Faults, times: int, **request: str) -> list[bool]:
    told = {"tool": "jira", "method": "GET", "target": "/x", **request}
    return [bool(faults.strike(**told)) for _ in range(times)]  # type: ignore[arg-type]  # all of them are texts


def test_chance_is_the_same_for_the_same_seed_and_about_as_often_as_asked() -> None:
    runs = []
    for seed in (1, 1, 2):
        faults = Faults(lambda: START)
        faults.order({"fault": "status", "probability": 0.3, "seed": seed})
        runs.append(struck(faults, 400))
    assert runs[0] == runs[1] != runs[2]
    assert 80 < sum(runs[0]) < 160


def test_an_order_ends_after_so_many_seconds_of_the_companys_clock() -> None:
    now = [START]
    faults = Faults(lambda: now[0])
    faults.order({"fault": "status", "for_seconds": 30})
    assert struck(faults, 3) == [True] * 3
    now[0] += timedelta(seconds=29)
    assert struck(faults, 1) == [True]
    now[0] += timedelta(seconds=1)
    assert struck(faults, 2) == [False] * 2
    assert faults.told()[0]["over"]


def test_an_order_can_look_into_the_body_and_at_one_instance() -> None:
    faults = Faults(lambda: START)
    faults.order({"fault": "status", "tool": "jira:north", "body_matches": "ada", "times": None})
    assert struck(faults, 1, tool="jira:north", body="ada") == [True]
    assert struck(faults, 1, tool="jira:north", body="grace") == [False]
    assert struck(faults, 1, tool="jira", body="ada") == [False]
    everywhere = Faults(lambda: START)
    everywhere.order({"fault": "status", "tool": "jira", "times": None})
    assert struck(everywhere, 1, tool="jira:north") == [True]


def test_clock_skew_is_told_by_the_date_header_only(small: Running) -> None:
    small.fault(tool="jira", fault="clock_skew", settings={"seconds": 300})
    ahead = parsedate_to_datetime(ask(small).headers["Date"]) - datetime.now(UTC)
    assert timedelta(seconds=298) < ahead < timedelta(seconds=302)
    assert abs(parsedate_to_datetime(ask(small).headers["Date"]) - datetime.now(UTC)) < timedelta(seconds=2)
    assert small.control("GET", "/clock")["offset_seconds"] == pytest.approx(0, abs=0.1)


def test_several_faults_strike_one_request_in_the_order_they_were_asked_for(small: Running) -> None:
    small.fault(tool="jira", fault="clock_skew", settings={"seconds": -300}, times=None)
    small.fault(tool="jira", fault="html_502")
    answer = ask(small)
    away = parsedate_to_datetime(answer.headers["Date"]) - datetime.now(UTC)
    assert answer.status_code == 502
    assert timedelta(seconds=-302) < away < timedelta(seconds=-298)
    assert small.control("GET", "/journal")[0]["fault"] == "clock_skew,html_502"


@pytest.mark.parametrize(
    "order",
    [
        {"fault": "row_locked", "tool": "jira"},
        {"fault": "index_lag", "settings": {"minutes": 1}},
        {"fault": "status", "probability": 2},
        {"fault": "status", "nth": "third"},
        {"fault": "status", "body_matches": "("},
        {"fault": "no_such"},
        {"fault": "status", "status": 99},
        {"fault": "status", "status": 600},
        {"fault": "status", "status": "x"},
        {"fault": "status", "status": True},
        {"fault": "status", "headers": [1]},
        {"fault": "status", "headers": {"X": "a\r\nSet-Cookie: b"}},
        {"fault": "status", "headers": {"X Y": "a"}},
        {"fault": "status", "headers": {"X": "€"}},
        {"fault": "status", "times": -1},
        {"fault": "status", "nth": 0},
        {"fault": "status", "for_seconds": -1},
        {"fault": "clock_skew", "settings": {"seconds": 1e18}},
        {"fault": "permission_lost", "settings": {"records": 5}},
        {"fault": "too_many_requests", "settings": {"retry_after": "x\r\ny"}},
        {"fault": "slow_drip", "settings": {"bytes": "many"}},
        "down",
    ],
)
def test_an_order_that_makes_no_sense_is_refused_with_its_reason(order: Any) -> None:
    with pytest.raises(UnusableFault, match=r"\w{4}"):
        Faults(lambda: START).order(order)


def test_the_catalogue_has_all_thirty_numbers_and_is_told(small: Running) -> None:
    assert {known.number for known in CATALOGUE.values()} >= set(range(1, 31))
    told = small.control("GET", "/faults/catalogue")
    assert [entry["fault"] for entry in told] == list(CATALOGUE)
    assert all(entry["says"] and entry["tools"] for entry in told)


def test_reply_lost_applies_the_write_and_resets_the_connection(small: Running) -> None:
    small.fault(tool="jira", method="PUT", fault="reply_lost")
    with pytest.raises(requests.exceptions.ConnectionError) as failed:
        ask(small, "PUT", f"{ISSUE}/assignee", json={"accountId": J_GRACE})
    assert "reset" in str(failed.value).lower()
    assert ask(small).json()["fields"]["assignee"]["accountId"] == J_GRACE
    entry = small.control("GET", "/journal?method=PUT")[0]
    assert (entry["status"], entry["fault"]) == (None, "reply_lost")


def test_truncated_promises_more_than_it_sends(small: Running) -> None:
    whole = ask(small).content
    small.fault(tool="jira", fault="truncated")
    connection = http.client.HTTPConnection(small.addresses["jira"].removeprefix("http://"), timeout=10)
    connection.request("GET", ISSUE, headers={"Authorization": requests.auth._basic_auth_str(*SIGNED)})
    answer = connection.getresponse()
    with pytest.raises(http.client.IncompleteRead) as cut:
        answer.read()
    connection.close()
    assert cut.value.partial == whole[: len(whole) // 2]


def test_html_502_is_a_gateways_page_and_nothing_is_applied(small: Running) -> None:
    small.fault(tool="jira", method="PUT", fault="html_502")
    answer = ask(small, "PUT", f"{ISSUE}/assignee", json={"accountId": J_GRACE})
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (502, "text/html")
    assert ask(small).json()["fields"]["assignee"]["accountId"] != J_GRACE


def test_slow_drip_sends_everything_a_few_bytes_at_a_time(small: Running) -> None:
    whole = ask(small).json()
    small.fault(tool="jira", fault="slow_drip", settings={"bytes": 200, "pause": 0.01})
    began = time.monotonic()
    answer = ask(small)
    assert answer.json() == whole
    assert time.monotonic() - began >= 0.01 * (len(answer.content) // 200)


def test_slow_drip_outlasts_a_clients_patience_when_told_to(small: Running) -> None:
    small.fault(tool="jira", fault="slow_drip", settings={"bytes": 10, "pause": 30})
    with pytest.raises(requests.exceptions.RequestException):
        requests.get(small.addresses["jira"] + ISSUE, auth=SIGNED, timeout=0.3)
    assert ask(small, path="/rest/api/3/issue/ACME-2").status_code == 200
