"""Approvals of a Jira service desk: asked, answered, answered without a change of the issue."""

from datetime import UTC, datetime

import pytest
import requests
from contract import NOW, observations
from jira_world import ADA, EMAIL, FIRST, GRACE, HUB, SECOND, SECRET, SPACE, connector_for, fill
from jira_world import at as stamp

from hub.errors import SourceRefused

ISSUES = "issues:ACME"
_STAMP = "2026-01-01T00:00:00.000000Z"


def put_approval(store, number, parent, *, approvers=(GRACE,), final="pending", completed=None, needed=None):
    decided = {"approved": "approved", "declined": "declined"}.get(final, "pending")
    doc = {
        "id": number, "_parent": parent, "name": "Go live", "created": stamp(3, 10), "finalDecision": final,
        "approvers": [{"accountId": each, "decision": decided} for each in approvers],
    }  # fmt: skip
    doc |= ({"completed": completed} if completed else {}) | ({"_needed": needed} if needed else {})
    store.put(SPACE, "approval", [(number, _STAMP, doc)])


@pytest.fixture
def site(company):
    def filled(store):
        fill(store)
        desk = {"id": "1", "key": "ACME", "name": "ACME", "projectTypeKey": "service_desk"}
        store.put(SPACE, "project", [("1", _STAMP, desk)])
        store.put(SPACE, "_token", [("grace-token", _STAMP, {"email": "g@acme.example", "accountId": GRACE})])
        put_approval(store, "71", FIRST, approvers=(ADA, GRACE), final="declined", completed=stamp(4, 10))
        put_approval(store, "72", SECOND)

    return company({"jira": SPACE}, filled)


def approvals(pages):
    told = [o for o in observations({ISSUES: pages}) if o.field in {"approval", "approver"} and o.part in {"71", "72"}]
    return [(o.record, o.part, o.field, o.value, o.valid_from, o.actor) for o in told]


def at(day, hour):
    return datetime(2026, 10, day, hour, tzinfo=UTC)


def test_an_approval_says_when_it_was_asked_of_whom_and_how_it_ended(site):
    told = approvals(connector_for(site, approvals=True).pull(ISSUES, None, now=NOW))
    both = ",".join(sorted((ADA, GRACE)))
    assert [row for row in told if row[1] == "71"] == [
        (FIRST, "71", "approval", "pending", at(3, 10), None),
        (FIRST, "71", "approver", both, at(3, 10), None),
        (FIRST, "71", "approver", both, at(4, 10), None),
        (FIRST, "71", "approval", "rejected", at(4, 10), None),
    ]
    assert [row[3] for row in told if row[1] == "72"] == ["pending", GRACE]


def test_approval_fields_stay_beside_the_approvals_of_the_desk(site):
    told = observations({ISSUES: connector_for(site, approvals=True).pull(ISSUES, None, now=NOW)})
    assert {o.part for o in told if o.field == "approval" and o.record == FIRST} == {"approval", "71"}


def test_an_answer_that_does_not_change_the_issue_is_seen_by_the_next_pull(site):
    connector = connector_for(site, approvals=True)
    cursor = list(connector.pull(ISSUES, None, now=NOW))[-1].cursor
    url = f"{site.addresses['jira']}/rest/servicedeskapi/request/{SECOND}/approval/72"
    requests.post(
        url, json={"decision": "approve"}, auth=("g@acme.example", "grace-token"), timeout=5
    ).raise_for_status()
    pages = list(connector.pull(ISSUES, cursor, now=NOW))
    last = approvals(pages)[-1]
    assert (last[0], last[2], last[3], last[5]) == (SECOND, "approval", "approved", GRACE)
    site.forget()
    assert approvals(connector.pull(ISSUES, pages[-1].cursor, now=NOW)) == []
    assert not [e for e in site.journal(tool="jira") if "approval" in e["path"]]  # nothing is open any more


def test_without_the_setting_and_outside_a_desk_nobody_is_asked(site):
    list(connector_for(site).pull(ISSUES, None, now=NOW))
    site.store.put(SPACE, "project", [("1", _STAMP, {"id": "1", "key": "ACME", "name": "ACME"})])
    list(connector_for(site, approvals=True).pull(ISSUES, None, now=NOW))
    assert not [e for e in site.journal(tool="jira") if "servicedeskapi" in e["path"]]


def test_a_crash_after_any_page_forgets_no_open_approval(site):
    pages = list(connector_for(site, approvals=True).pull(ISSUES, None, now=NOW))
    cursor = list(connector_for(site, approvals=True).pull(ISSUES, pages[0].cursor, now=NOW))[-1].cursor
    assert SECOND in cursor


def test_an_issue_read_again_by_id_says_the_same_approvals(site):
    connector = connector_for(site, approvals=True)
    assert approvals(connector.fetch(ISSUES, [FIRST], now=NOW)) == [
        row for row in approvals(connector.pull(ISSUES, None, now=NOW)) if row[0] == FIRST
    ]


def test_a_token_without_the_desk_s_scope_is_an_error_and_no_lack_of_approvals(site):
    scoped = {"email": EMAIL, "accountId": HUB, "scopes": ["read:jira-work", "read:jira-user"]}
    site.store.put(SPACE, "_token", [(SECRET, _STAMP, scoped)])
    with pytest.raises(SourceRefused):
        list(connector_for(site, approvals=True).pull(ISSUES, None, now=NOW))
