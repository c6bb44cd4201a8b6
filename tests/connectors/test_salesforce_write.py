"""Writing an owner: guarded by Salesforce itself, sent once, proven by history. Over real sockets."""

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from contract import NOW
from salesforce_world import (
    ADA,
    CASE_1,
    CASE_2,
    DEAL,
    GONE,
    GRACE,
    HUB,
    QUEUE,
    SPACE,
    configured,
    connector_for,
    fill,
    put,
)

from connectors.salesforce.org import ALLOWED_HOSTS
from connectors.salesforce.write import SalesforceOwnerWriter
from connectors.wire import GuardedAdapter
from connectors.write_transport import write_session
from hub.errors import SourceRefused


@pytest.fixture
def org(company):
    return company({"salesforce": SPACE}, fill)


@pytest.fixture
def writer(org):
    return connector_for(org).writer


def patches(org):
    return [entry for entry in org.journal(tool="salesforce") if entry["method"] == "PATCH"]


def owner(org, record=CASE_1, kind="Case"):
    return org.store.get(SPACE, kind, record)["OwnerId"]


def test_read_write_verify(org, writer):
    before = datetime.now(UTC)
    reading = writer.read_owner(CASE_1)
    assert reading.owner == GRACE
    assert writer.may_own(CASE_1, ADA) == ""
    assert writer.send_owner(CASE_1, ADA, reading, marker="m").kind == "accepted"
    assert writer.read_owner(CASE_1).owner == ADA
    assert writer.sent_by_us(CASE_1, ADA, before, marker="m") is True
    (sent,) = patches(org)
    assert json.loads(sent["body"]) == {"OwnerId": ADA}


def test_our_own_write_comes_back_as_history_by_the_hub(org):
    connector = connector_for(org)
    cursor = list(connector.pull("Case", None, now=NOW))[-1].cursor
    connector.writer.send_owner(CASE_1, ADA, connector.writer.read_owner(CASE_1), marker="m")
    told = [o for page in connector.pull("Case", cursor, now=NOW) for o in page.observations]
    assert [(o.value, o.actor) for o in told if o.field == "owner"][-1] == (ADA, HUB)


def test_salesforce_refuses_when_anybody_changed_the_record_meanwhile(org, writer):
    reading = writer.read_owner(CASE_1)
    doc = org.store.get(SPACE, "Case", CASE_1)
    put(org.store, "Case", {**doc, "OwnerId": QUEUE, "LastModifiedDate": "2026-10-06T09:00:00.000+0000"})
    assert writer.send_owner(CASE_1, ADA, reading, marker="m").kind == "precondition_failed"
    assert owner(org) == QUEUE


def test_a_record_changed_a_moment_ago_is_not_written_yet(org, writer):
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    put(org.store, "Case", {**org.store.get(SPACE, "Case", CASE_1), "LastModifiedDate": now})
    assert writer.send_owner(CASE_1, ADA, writer.read_owner(CASE_1), marker="m").kind == "not_processed"
    assert patches(org) == []


def test_the_guard_survives_an_expired_session(org, writer):
    reading = writer.read_owner(CASE_1)
    body = json.dumps([{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}])
    org.order(tool="salesforce", method="PATCH", action="status", status=401, body=body)
    assert writer.send_owner(CASE_1, ADA, reading, marker="m").kind == "not_processed"
    doc = org.store.get(SPACE, "Case", CASE_1)
    put(org.store, "Case", {**doc, "OwnerId": QUEUE, "LastModifiedDate": "2026-10-06T09:00:00.000+0000"})
    # a fresh session, the old reading: still refused by Salesforce
    assert writer.send_owner(CASE_1, ADA, reading, marker="m").kind == "precondition_failed"
    assert len(patches(org)) == 2


@pytest.mark.parametrize(
    ("fault", "outcome", "applied"),
    [
        ({"action": "down"}, "unknown", False),
        ({"action": "truncate"}, "accepted", True),  # a 204 has no body that could be cut
        ({"action": "status", "status": 500}, "unknown", False),
        ({"action": "status", "status": 503}, "unknown", False),
        ({"action": "html", "status": 200}, "unknown", False),
        ({"action": "status", "status": 429}, "not_processed", False),
        ({"action": "status", "status": 400, "body": '[{"errorCode": "UNABLE_TO_LOCK_ROW"}]'}, "not_processed", False),
        (
            {"action": "status", "status": 403, "body": '[{"errorCode": "REQUEST_LIMIT_EXCEEDED"}]'},
            "not_processed",
            False,
        ),
        ({"action": "status", "status": 400, "body": '[{"errorCode": "TRANSFER_REQUIRES_READ"}]'}, "refused", False),
    ],
)
def test_a_sick_reply_is_never_followed_by_a_second_send(org, writer, fault, outcome, applied):
    reading = writer.read_owner(CASE_1)
    org.order(tool="salesforce", method="PATCH", times=None, **fault)
    assert writer.send_owner(CASE_1, ADA, reading, marker="m").kind == outcome
    assert len(patches(org)) == 1
    assert (owner(org) == ADA) is applied


def writing_through(org, **changes):
    """A writer whose write session differs from the shipped one."""
    address = org.addresses["salesforce"]
    hosts = (*ALLOWED_HOSTS, address.removeprefix("http://"))
    through = write_session(SPACE, **{"base_url": address, "allowed_hosts": hosts, **changes})
    return SalesforceOwnerWriter(SPACE, configured(address).objects, connector_for(org)._org, through)


def test_a_lost_reply_is_settled_by_the_history(org):
    writer = writing_through(org, timeout=(1, 0.1))
    reading = writer.read_owner(CASE_1)
    before = datetime.now(UTC)
    org.order(tool="salesforce", method="PATCH", action="hang_after")
    assert writer.send_owner(CASE_1, ADA, reading, marker="m").kind == "unknown"
    assert writer.sent_by_us(CASE_1, ADA, before, marker="m") is True
    assert writer.sent_by_us(CASE_1, ADA, before + timedelta(hours=1), marker="m") is False
    assert writer.sent_by_us(CASE_1, QUEUE, before, marker="m") is False
    org.forget()


def test_nothing_left_when_there_was_nobody_to_talk_to(org):
    writer = writing_through(org, base_url="http://127.0.0.1:9")
    assert writer.send_owner(CASE_1, ADA, writer.read_owner(CASE_1), marker="m").kind == "not_processed"
    assert patches(org) == []


@pytest.mark.parametrize(
    ("record", "account", "reason"),
    [
        (CASE_1, ADA, ""),
        (CASE_1, QUEUE, ""),
        (DEAL, GRACE, ""),
        (CASE_1, GONE, "not active"),
        (DEAL, QUEUE, "cannot own"),
        (CASE_1, "00G0000000000R1AAA", "no queue"),  # a group that is no queue
        (CASE_1, "0050000000000Z9AAA", "no user"),
        (CASE_1, "5b10ac8d82e05b22cc7d4ef5", "neither"),
        (CASE_1, "005' OR Id != '", "no user"),
    ],
)
def test_who_may_own(writer, record, account, reason):
    assert (reason in writer.may_own(record, account)) if reason else writer.may_own(record, account) == ""


def test_the_org_has_the_last_word_on_who_may_own(org, writer):
    reading = writer.read_owner(CASE_1)
    result = writer.send_owner(CASE_1, GONE, reading, marker="m")
    assert (result.kind, "INACTIVE_OWNER_OR_USER" in result.detail) == ("refused", True)


@pytest.mark.parametrize("desired", [None, f"{ADA},{GRACE}"])
def test_nobody_and_several_are_refused_without_a_request(org, writer, desired):
    assert writer.send_owner(CASE_1, desired, writer.read_owner(CASE_1), marker="m").kind == "refused"
    assert patches(org) == []


@pytest.mark.parametrize("record", ["001000000000001AAA", "500/../../x", "recAAAAAAAAAAAAAA", "5000000000000Z9AAA"])
def test_a_record_that_is_not_ours_cannot_be_read(writer, record):
    with pytest.raises(SourceRefused):
        writer.read_owner(record)


def test_without_owner_history_there_is_no_proof(org):
    untracked = connector_for(org, objects={"Case": {"title": "Subject"}})
    assert untracked.writer.sent_by_us(CASE_2, ADA, NOW, marker="m") is None


def test_a_source_that_is_not_writable_has_no_writer(org):
    assert connector_for(org, writable=False).writer is None


def test_two_writers_with_the_same_reading_cannot_both_win(org):
    first, second = connector_for(org).writer, connector_for(org).writer
    readings = [first.read_owner(CASE_1), second.read_owner(CASE_1)]
    results = []
    threads = [
        threading.Thread(target=lambda w=w, o=o, r=r: results.append(w.send_owner(CASE_1, o, r, marker="m").kind))
        for w, o, r in zip((first, second), (ADA, QUEUE), readings, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["accepted", "precondition_failed"]


def test_automatic_assignment_rules_stay_off(org, writer, monkeypatch):
    seen = []
    send = GuardedAdapter.send

    def watched(self, request, *args, **kwargs):
        seen.append(dict(request.headers))
        return send(self, request, *args, **kwargs)

    monkeypatch.setattr(GuardedAdapter, "send", watched)
    reading = writer.read_owner(CASE_1)
    writer.send_owner(CASE_1, ADA, replace(reading), marker="m")
    assert seen[-1]["Sforce-Auto-Assign"] == "FALSE"
    assert seen[-1]["If-Unmodified-Since"] == "Mon, 05 Oct 2026 10:00:00 GMT"
