"""What the hub learns from one Jira site: histories with actors, first values, approvals, tokens, accounts."""

from datetime import UTC, datetime

import pytest
from contract import observations, pulled
from jira_world import (
    ACTIVITY,
    ADA,
    APP,
    FIRST,
    GONE,
    GRACE,
    HUB,
    REF,
    SECOND,
    SPACE,
    THIRD,
    connector_for,
    fill,
    item,
    put_change,
    put_comment,
    put_issue,
)
from jira_world import at as stamp
from jira_world import issue as an_issue


def at(day, hour=9):
    return datetime(2026, 10, day, hour, tzinfo=UTC)


@pytest.fixture
def site(company):
    return company({"jira": SPACE}, fill)


def life(told, record, what):
    """(value, since, actor, origin) of a field, oldest first."""
    rows = [o for o in told if o.record == record and o.field == what]
    return [(o.value, o.valid_from, o.actor, o.origin) for o in rows]


def test_a_changed_field_is_told_from_its_first_value_on(site):
    told = observations(pulled(connector_for(site)))
    assert life(told, FIRST, "owner") == [(ADA, at(1), ADA, "history"), (GRACE, at(2), ADA, "history")]
    assert life(told, FIRST, "status") == [("To Do", at(1), ADA, "history"), ("In Progress", at(3), GRACE, "history")]
    assert life(told, FIRST, "phase") == [("Brief", at(1), ADA, "history"), ("Build", at(3), GRACE, "history")]
    assert life(told, FIRST, "activity") == [
        ("1. Asked", at(1), ADA, "history"),
        ("2. Draft sent", at(4, 11), APP, "history"),
    ]


def test_an_unchanged_field_holds_since_creation(site):
    told = observations(pulled(connector_for(site)))
    assert life(told, FIRST, "title") == [("Landing page", at(1), ADA, "history")]
    assert life(told, FIRST, "due") == [("2026-12-01", at(1), ADA, "history")]
    assert life(told, THIRD, "owner") == [(ADA, at(7), ADA, "history")]


def test_nobody_is_an_owner_too(site):
    told = observations(pulled(connector_for(site)))
    assert life(told, SECOND, "owner") == [(ADA, at(5), ADA, "history"), (None, at(6), ADA, "history")]


def test_an_approval_is_asked_and_answered_in_canonical_words(site):
    told = observations(pulled(connector_for(site)))
    assert life(told, FIRST, "approval") == [
        ("pending", at(3, 10), GRACE, "history"),
        ("approved", at(4), ADA, "history"),
    ]
    assert life(told, FIRST, "approver") == [(ADA, at(3, 10), GRACE, "history")]


def test_a_comment_is_news_by_its_author(site):
    (news,) = [o for o in observations(pulled(connector_for(site))) if o.field == "update"]
    assert (news.record, news.part, news.actor, news.valid_from) == (FIRST, "900", GRACE, at(4, 12))
    assert news.value == "Draft is with the client"
    assert news.evidence.endswith("/browse/ACME-1?focusedCommentId=900")


def test_records_are_named_by_id_and_known_by_key_and_reference(site):
    told = observations(pulled(connector_for(site)))
    names = {o.value for o in told if o.record == FIRST and o.field == "identifier"}
    assert names == {FIRST, "ACME-1", "CASE-77"}
    assert {o.value for o in told if o.record == FIRST and o.field == "reference"} == {"5000000000000C1"}
    assert {o.value for o in told if o.record == FIRST and o.field == "url"} == {
        f"{site.addresses['jira']}/browse/ACME-1"
    }


def test_a_reference_taken_out_of_the_description_is_withdrawn(site):
    put_change(site.store, 50, THIRD, GRACE, stamp(8), item("description", "see OPS-7", "see OPS-8"))
    doc = site.store.get(SPACE, "issue", THIRD)
    doc["fields"]["description"] = "see OPS-8"
    put_issue(site.store, {**doc, "updated": stamp(8)})
    told = [o for o in observations(pulled(connector_for(site))) if o.record == THIRD and o.field == "reference"]
    assert [(o.part, o.value, o.valid_from) for o in told] == [
        ("OPS-7", "OPS-7", at(7)),
        ("OPS-8", "OPS-8", at(8)),
        ("OPS-7", None, at(8)),
    ]


def test_a_moved_issue_keeps_its_record(site):
    connector = connector_for(site)
    pages = pulled(connector)
    doc = site.store.get(SPACE, "issue", FIRST)
    put_issue(site.store, {**doc, "key": "ACME-99", "updated": stamp(9)})
    told = observations(pulled(connector, {s: p[-1].cursor for s, p in pages.items()}))
    assert {o.value for o in told if o.record == FIRST and o.field == "identifier"} == {FIRST, "ACME-99", "CASE-77"}


def test_accounts_say_who_is_a_person_a_bot_or_the_hub_and_hide_what_is_hidden(site):
    told = [o for o in observations(pulled(connector_for(site))) if o.entity == "account"]
    seen = {(o.record, o.field): o.value for o in told}
    assert {r: v for (r, f), v in seen.items() if f == "kind"} == {
        ADA: "person", GRACE: "person", GONE: "person", APP: "bot", HUB: "hub",
    }  # fmt: skip
    assert seen[ADA, "email"] == "ada@acme.example"
    assert (GRACE, "email") not in seen
    assert (seen[GONE, "active"], seen[ADA, "active"]) == ("false", "true")


def test_a_person_who_is_met_only_in_an_issue_becomes_an_account(site):
    put_change(site.store, 51, THIRD, "acc:former", stamp(8), item(ACTIVITY, None, "3. Checked"))
    doc = site.store.get(SPACE, "issue", THIRD)
    doc["fields"][ACTIVITY] = "3. Checked"
    put_issue(site.store, {**doc, "updated": stamp(8)})
    told = [o for o in observations(pulled(connector_for(site))) if o.record == "acc:former"]
    assert {(o.field, o.value) for o in told} >= {("name", "Former user"), ("active", "false")}


def test_a_value_the_changelog_does_not_explain_follows_as_a_snapshot(site):
    doc = site.store.get(SPACE, "issue", FIRST)
    doc["fields"]["status"] = {"id": "2", "name": "Doing", "statusCategory": {"key": "indeterminate"}}  # renamed
    put_issue(site.store, doc)
    told = observations(pulled(connector_for(site)))
    assert life(told, FIRST, "status")[-1] == ("Doing", at(4, 12), None, "snapshot")


def test_a_changelog_younger_than_the_record_is_believed(site):
    put_change(site.store, 52, FIRST, HUB, stamp(10), item("assignee", "Grace", "Ada", ids=(GRACE, ADA)))
    told = observations(pulled(connector_for(site)))
    assert life(told, FIRST, "owner")[-1] == (ADA, at(10), HUB, "history")


def test_more_comments_than_a_search_shows_are_fetched(site):
    for number in range(120):
        put_comment(site.store, 1000 + number, THIRD, ADA, stamp(7, 10), f"Step {number} is done")
    told = [o for o in observations(pulled(connector_for(site))) if o.record == THIRD and o.field == "update"]
    assert len({o.part for o in told}) == 120


def test_more_watched_fields_than_one_changelog_request_may_name(site):
    fields = {"phase": None, "identifiers": [REF, *(f"customfield_1002{n}" for n in range(6))]}
    told = observations(pulled(connector_for(site, fields=fields)))
    assert life(told, FIRST, "owner")[-1][0] == GRACE


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda doc: doc["fields"].pop("summary"), "missing: summary"),
        (lambda doc: doc["fields"].update(status={"id": "9", "name": {"odd": 1}}), "unknown shape"),
        (lambda doc: doc.update(created="yesterday"), "created"),
        (lambda doc: doc["fields"].update({REF: {"odd": 1}}), "unknown shape"),
    ],
)
def test_an_unreadable_issue_names_what_is_wrong(site, spoil, reason):
    doc = an_issue("10009", stamp(1), stamp(2))
    spoil(doc)
    put_issue(site.store, doc)
    pages = pulled(connector_for(site))
    spoilt = [q for p in pages["issues:ACME"] for q in p.quarantined]
    assert [q.native_id for q in spoilt] == ["10009"]
    assert reason in spoilt[0].reason
