"""Assigning an issue: the very account, once, and never a guess about what happened."""

from datetime import UTC, datetime, timedelta

import pytest
from jira_world import ADA, APP, FIRST, GONE, GRACE, SECOND, SPACE, connector_for, fill, put_change
from jira_world import at as stamp

from connectors.base import OwnerReading
from connectors.jira.connector import JiraConnector
from connectors.wire import Meter
from connectors.write_transport import write_session
from hub.errors import SourceRefused


@pytest.fixture
def site(company):
    return company({"jira": SPACE}, fill)


def writer_for(site):
    writer = connector_for(site).writer
    assert writer is not None
    return writer


def assignments(site):
    return [e for e in site.journal(tool="jira") if e["path"].endswith("/assignee")]


def test_the_owner_is_read_with_a_witness(site):
    reading = writer_for(site).read_owner(FIRST)
    assert (reading.owner, reading.witness) == (GRACE, "5")
    assert datetime.fromisoformat(reading.version) == datetime.fromisoformat(stamp(4, 12))  # in the profile's zone
    assert writer_for(site).read_owner("10003").witness == ""


def test_the_witness_is_the_newest_of_a_long_changelog(site):
    for number in range(100, 350):
        put_change(site.store, number, FIRST, ADA, stamp(5, 1 + number // 60, number % 60))
    site.forget()
    assert writer_for(site).read_owner(FIRST).witness == "349"
    assert len(site.journal(tool="jira")) == 3


def test_an_issue_that_is_gone_is_refused(site):
    with pytest.raises(SourceRefused):
        writer_for(site).read_owner("99999")


def test_a_write_changes_the_assignee_and_nothing_else(site):
    writer = writer_for(site)
    reading = writer.read_owner(FIRST)
    assert writer.send_owner(FIRST, ADA, reading, marker="m").kind == "accepted"
    (sent,) = assignments(site)
    assert (sent["method"], sent["path"], sent["body"]) == (
        "PUT", f"/rest/api/2/issue/{FIRST}/assignee", '{"accountId": "acc:ada"}',
    )  # fmt: skip
    assert writer.read_owner(FIRST).owner == ADA


def test_nobody_can_be_assigned_when_that_is_wanted(site):
    writer = writer_for(site)
    assert writer.send_owner(FIRST, None, writer.read_owner(FIRST), marker="m").kind == "accepted"
    assert writer.read_owner(FIRST).owner is None


@pytest.mark.parametrize("desired", ["", "-1", f"{ADA},{GRACE}"])
def test_an_assignee_that_is_not_one_account_is_never_sent(site, desired):
    writer = writer_for(site)
    assert writer.send_owner(FIRST, desired, OwnerReading(owner=None, version=""), marker="m").kind == "refused"
    assert assignments(site) == []


def test_only_the_very_account_may_own(site):
    writer = writer_for(site)
    assert writer.may_own(FIRST, ADA) == ""
    assert "not active" in writer.may_own(FIRST, GONE)
    assert "not active" in writer.may_own(FIRST, "acc:unknown")
    assert writer.may_own(FIRST, APP) == ""


@pytest.mark.parametrize(
    "found", ['[{"accountId": "acc:adam", "active": true}]', '[{"accountId": "acc:ada", "active": false}]']
)
def test_a_loose_or_inactive_hit_is_not_the_account(site, found):
    site.order(tool="jira", path="assignable", action="status", status=200, body=found)
    assert "not active" in writer_for(site).may_own(FIRST, ADA)


def test_our_own_assignment_is_found_in_the_changelog(site):
    writer = writer_for(site)
    since = datetime.now(UTC) - timedelta(seconds=2)
    assert writer.sent_by_us(SECOND, ADA, since, marker="m") is False
    writer.send_owner(SECOND, ADA, writer.read_owner(SECOND), marker="m")
    assert writer.sent_by_us(SECOND, ADA, since, marker="m") is True
    assert writer.sent_by_us(SECOND, GRACE, since, marker="m") is False
    assert writer.sent_by_us(SECOND, ADA, since + timedelta(hours=1), marker="m") is False


def test_the_same_assignment_by_somebody_else_is_not_ours(site):
    since = datetime(2026, 10, 1, tzinfo=UTC)
    assert writer_for(site).sent_by_us(FIRST, GRACE, since, marker="m") is False


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"action": "status", "status": 400}, "refused"),
        ({"action": "status", "status": 401}, "refused"),
        ({"action": "status", "status": 403}, "refused"),
        ({"action": "status", "status": 409}, "precondition_failed"),
        ({"action": "status", "status": 429}, "not_processed"),
        ({"action": "status", "status": 500}, "unknown"),
        ({"action": "status", "status": 503}, "unknown"),
        ({"action": "html"}, "unknown"),
        ({"action": "down"}, "unknown"),
    ],
)
def test_one_request_and_an_honest_outcome(site, fault, kind):
    writer = writer_for(site)
    reading = writer.read_owner(FIRST)
    site.order(tool="jira", method="PUT", times=None, **fault)
    assert writer.send_owner(FIRST, ADA, reading, marker="m").kind == kind
    assert len(assignments(site)) == 1


@pytest.mark.parametrize("action", ["hang_before", "hang_after"])
def test_silence_is_unknown_whether_or_not_it_was_applied(site, action):
    connector = connector_for(site)
    writer = connector.writer
    impatient = write_session(
        SPACE, allowed_hosts=[site.addresses["jira"].removeprefix("http://")], timeout=(1, 0.2), meter=Meter()
    )
    impatient.auth = writer._session.auth
    writer._session = impatient
    site.order(tool="jira", method="PUT", action=action)
    assert writer.send_owner(FIRST, ADA, writer.read_owner(FIRST), marker="m").kind == "unknown"
    assert writer.read_owner(FIRST).owner == (ADA if action == "hang_after" else GRACE)


def test_a_service_that_cannot_be_reached_has_done_nothing(site):
    writer = writer_for(site)
    reading = writer.read_owner(FIRST)
    writer._site.root = "http://127.0.0.1:9"
    writer._session = write_session(SPACE, allowed_hosts=["127.0.0.1:9"])
    assert writer.send_owner(FIRST, ADA, reading, marker="m").kind == "not_processed"


def test_a_source_that_is_not_writable_has_no_writer(site):
    connector = connector_for(site, writable=False)
    assert isinstance(connector, JiraConnector)
    assert connector.writer is None
