"""Jira's limits: patience as asked for, and waiting before a limit bites."""

from datetime import UTC, datetime

import pytest
import requests
from contract import NOW
from jira_world import SECRET, SPACE, configured, fill

from connectors.jira.connector import JiraConnector
from connectors.jira.pace import WINDOW, Pace
from hub.charter.secret import Secret
from hub.errors import SourceUnavailable

ISSUES = "issues:ACME"


@pytest.fixture
def site(company):
    return company({"jira": SPACE}, fill)


def patient(site):
    """A connector whose waiting moves the service's clock, and what it waited."""
    waited = []

    def sleep(seconds):
        waited.append(seconds)
        url = f"{site.addresses['control']}/clock"
        requests.post(url, json={"advance": seconds}, timeout=5).raise_for_status()

    source = configured(site.addresses["jira"])
    return JiraConnector(SPACE, source, lambda _: Secret(SECRET), sleep=sleep), waited


@pytest.mark.parametrize(("asked", "least"), [(1, 1), (90, 90), ("date", 55), (None, 0.5)])
def test_too_many_requests_is_answered_with_the_patience_asked_for(site, asked, least):
    connector, waited = patient(site)
    site.order(tool="jira", fault="too_many_requests", path="approximate-count", settings={"retry_after": asked})
    assert connector.census(ISSUES) == 3
    assert least <= sum(waited) <= 2 * least + 10


def test_an_hour_s_patience_is_left_to_the_next_sync(site):
    connector, waited = patient(site)
    site.order(tool="jira", fault="too_many_requests", path="approximate-count", settings={"retry_after": 3600})
    with pytest.raises(SourceUnavailable):
        connector.census(ISSUES)
    assert waited == []


def test_a_limit_that_is_used_up_is_waited_for_before_it_bites(site):
    site.store.put(SPACE, "_settings", [("settings", "2026-01-01T00:00:00.000000Z", {"burst_per_minute": 3})])
    connector, waited = patient(site)
    for _ in range(8):
        assert connector.census(ISSUES) == 3
    assert {e["status"] for e in site.journal(tool="jira")} == {200}
    assert len(waited) == 2
    assert all(0 < pause <= WINDOW for pause in waited)


def test_one_endpoint_used_up_holds_up_no_other(site):
    site.store.put(SPACE, "_settings", [("settings", "2026-01-01T00:00:00.000000Z", {"burst_per_minute": 1})])
    connector, waited = patient(site)
    connector.census(ISSUES)
    next(connector.pull(ISSUES, None, now=NOW))
    assert waited == []


def test_the_reset_is_read_against_the_service_s_own_clock():
    now = [1000.0]
    pace = Pace(lambda: now[0])
    date = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
    used_up = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2026-11-21T12:01Z"}
    pace.told("GET", "issue/10001/comment", used_up, date)
    assert pace.pause("GET", "issue/10002/comment") == 30
    assert pace.pause("GET", "issue/10002/comment") == 0
    pace.told("GET", "issue/10001", used_up, date)
    now[0] += 12
    assert pace.pause("GET", "issue/10002") == 18
    pace.told("GET", "myself", {**used_up, "X-RateLimit-Reset": "2026-11-21T14:00Z"}, date)
    assert pace.pause("GET", "myself") == 0  # too far away to sleep for
    pace.told("GET", "myself", {**used_up, "X-RateLimit-Reset": "soon"}, date)
    assert pace.pause("GET", "myself") == WINDOW
    pace.told("GET", "myself", used_up, date)
    pace.told("GET", "myself", {"X-RateLimit-Remaining": "349"}, date)
    assert pace.pause("GET", "myself") == 0
