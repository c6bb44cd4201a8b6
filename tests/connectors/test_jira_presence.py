"""What is there and what is gone in Jira: listings, proofs by direct read, issues read again by id."""

import pytest
from contract import NOW, observations
from jira_world import FIRST, SECOND, SPACE, THIRD, connector_for, fill, issue, put_issue
from jira_world import at as stamp

from hub.errors import SourceError

ISSUES = "issues:ACME"


@pytest.fixture
def site(company):
    return company({"jira": SPACE}, fill)


def kinds(proofs):
    return {proof.record: proof.kind for proof in proofs}


def test_all_ids_of_a_project_are_listed_once_in_few_calls(site):
    for number in range(120):
        put_issue(site.store, issue(str(20000 + number), stamp(8), stamp(8), key=f"ACME-{number + 100}"))
    connector = connector_for(site)
    site.forget()
    listed = list(connector.ids(ISSUES))
    assert len(listed) == len(set(listed)) == 123
    assert len(site.journal(tool="jira")) == 2  # who we are, and one page of ids
    assert connector.ids("users") is None


def test_a_listing_that_cannot_be_finished_is_an_error_and_no_short_list(site):
    site.order(tool="jira", fault="fewer_rows", times=None)
    site.order(tool="jira", fault="repeated_page_token", times=None)
    for number in range(9):
        put_issue(site.store, issue(str(20000 + number), stamp(8), stamp(8), key=f"ACME-{number + 100}"))
    with pytest.raises(SourceError):
        list(connector_for(site).ids(ISSUES))


def test_a_deleted_issue_is_proven_by_reading_it_and_its_project(site):
    site.store.delete(SPACE, "issue", SECOND)
    (proof,) = connector_for(site).prove(ISSUES, [SECOND], now=NOW)
    assert (proof.record, proof.kind, proof.at, proof.into) == (SECOND, "deleted", NOW, "")
    assert "404" in proof.evidence
    assert "ACME is visible" in proof.evidence


def test_an_issue_that_can_be_read_is_present_whatever_search_says(site):
    site.order(tool="jira", fault="index_lag", times=None, settings={"seconds": 10**9, "flicker": 0})
    connector = connector_for(site)
    assert list(connector.ids(ISSUES)) == []
    assert kinds(connector.prove(ISSUES, [FIRST, THIRD], now=NOW)) == {FIRST: "present", THIRD: "present"}


def test_issue_moved_keeps_its_id_and_is_present_under_its_new_key(site):
    site.order(tool="jira", fault="issue_moved", settings={"issue": "ACME-1", "project": "OPS"})
    connector = connector_for(site)
    connector.census(ISSUES)
    assert FIRST not in set(connector.ids(ISSUES))
    (proof,) = connector.prove(ISSUES, [FIRST], now=NOW)
    assert proof.kind == "present"
    assert "moved out of ACME" in proof.evidence
    told = observations({ISSUES: list(connector.fetch(ISSUES, [FIRST], now=NOW))})
    keys = {o.value for o in told if o.field == "identifier" and o.record == FIRST}
    assert any(key.startswith("OPS-") for key in keys)


def test_permission_lost_to_the_project_is_unreachable_and_not_deleted(site):
    site.order(tool="jira", fault="permission_lost", settings={"container": "ACME"})
    connector = connector_for(site)
    connector.check()
    proofs = connector.prove(ISSUES, [FIRST, SECOND], now=NOW)
    assert kinds(proofs) == {FIRST: "unreachable", SECOND: "unreachable"}
    assert all("out of sight" in proof.evidence for proof in proofs)


@pytest.mark.parametrize("fault", ["html_502", "html", "truncate", "down", "unauthorized_for_ever"])
def test_a_sick_service_proves_nothing(site, fault):
    connector = connector_for(site)
    connector.census(ISSUES)
    site.store.delete(SPACE, "issue", SECOND)
    site.order(tool="jira", fault=fault, times=None)
    with pytest.raises(SourceError):
        connector.prove(ISSUES, [SECOND], now=NOW)


def test_a_proxy_s_404_page_proves_nothing(site):
    connector = connector_for(site)
    site.store.delete(SPACE, "issue", SECOND)
    page = {"status": 404, "headers": {"Content-Type": "text/html"}, "body": "<h1>Not Found</h1>"}
    site.order(tool="jira", fault="status", method="GET", path=f"issue/{SECOND}", times=None, settings=page)
    with pytest.raises(SourceError):
        connector.prove(ISSUES, [SECOND], now=NOW)


def test_more_records_than_one_bulk_read_may_name_are_proven_and_fetched(site):
    names = [str(20000 + number) for number in range(130)]
    for number, native in enumerate(names):
        put_issue(site.store, issue(native, stamp(8), stamp(8), key=f"ACME-{number + 100}"))
    site.store.delete(SPACE, "issue", names[0])
    connector = connector_for(site)
    told = kinds(connector.prove(ISSUES, names, now=NOW))
    assert told.pop(names[0]) == "deleted"
    assert set(told.values()) == {"present"}
    pages = list(connector.fetch(ISSUES, names, now=NOW))
    assert {raw.native_id for page in pages for raw in page.records} == set(names[1:])
    assert {page.cursor for page in pages} == {None}


def test_what_is_fetched_again_says_what_the_pull_says(site):
    connector = connector_for(site)
    pulled = {o.key for o in observations({ISSUES: list(connector.pull(ISSUES, None, now=NOW))}) if o.entity == "item"}
    fetched = observations({ISSUES: list(connector.fetch(ISSUES, [FIRST, SECOND, THIRD], now=NOW))})
    assert {o.key for o in fetched if o.entity == "item"} == pulled


def test_jira_tells_no_deletions_by_itself_and_nothing_about_accounts(site):
    connector = connector_for(site)
    assert connector.deletions(ISSUES, None, now=NOW) == ((), None)
    assert connector.prove("users", ["acc:ada"], now=NOW) == ()
    assert list(connector.fetch("users", ["acc:ada"], now=NOW)) == []
