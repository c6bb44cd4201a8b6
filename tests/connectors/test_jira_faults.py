"""What only Jira does to a pull: a late index, profile zones, hidden addresses, people who are gone."""

from datetime import UTC, datetime, timedelta

import pytest
from contract import NOW, keys, observations, pulled
from jira_world import ADA, EMAIL, FIRST, GRACE, SPACE, configured, connector_for, fill, issue, put_issue
from jira_world import at as stamp

from hub.errors import SourceBroken

ISSUES = "issues:ACME"


@pytest.fixture
def site(company):
    return company({"jira": SPACE}, fill)


def records(pages):
    return [raw.native_id for page in pages for raw in page.records]


def ago(**since):
    return (datetime.now(UTC) - timedelta(**since)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def test_index_lag_does_not_hide_what_the_hub_has_just_written(site):
    connector = connector_for(site)
    cursor = list(connector.pull(ISSUES, None, now=NOW))[-1].cursor
    reading = connector.writer.read_owner(FIRST)
    connector.writer.send_owner(FIRST, ADA, reading, marker="m")
    site.order(tool="jira", fault="index_lag", times=None, settings={"seconds": 3600, "flicker": 0})
    again = list(connector.pull(ISSUES, cursor, now=NOW))
    assert records(again) == [FIRST]
    assert [o.value for o in observations({ISSUES: again}) if o.field == "owner"][-1] == ADA
    assert records(connector_for(site).pull(ISSUES, cursor, now=NOW)) == []  # this is what the lag would have hidden


@pytest.mark.parametrize(("index_lag", "found"), [("2h", []), ("12h", ["10080"])])
def test_index_lag_of_many_hours_is_met_by_a_horizon_of_as_many(site, index_lag, found):
    put_issue(site.store, issue("10081", stamp(1), ago(minutes=5), key="ACME-81"))
    connection = {"server": site.addresses["jira"], "email": EMAIL, "token": "env:SECRET", "index_lag": index_lag}
    connector = connector_for(site, connection=connection)
    cursor = list(connector.pull(ISSUES, None, now=NOW))[-1].cursor
    put_issue(site.store, issue("10080", stamp(1), ago(hours=6), key="ACME-80"))  # shown six hours late
    assert records(connector.pull(ISSUES, cursor, now=NOW)) == found


def test_late_commit_behind_the_cursor_is_found(site):
    put_issue(site.store, issue("10081", stamp(1), ago(seconds=5), key="ACME-81"))
    connector = connector_for(site)
    cursor = list(connector.pull(ISSUES, None, now=NOW))[-1].cursor
    site.order(tool="jira", fault="late_commit", settings={"seconds": 300})
    assert len(records(connector.pull(ISSUES, cursor, now=NOW))) == 1


def test_equal_stamps_over_page_borders_are_all_read_wherever_it_stops(site):
    for number in range(250):
        put_issue(site.store, issue(str(20000 + number), stamp(8), stamp(8), key=f"ACME-{number + 100}"))
    pages = list(connector_for(site).pull(ISSUES, None, now=NOW))
    assert len(pages) > 2
    for stop in range(len(pages)):
        rest = list(connector_for(site).pull(ISSUES, pages[stop].cursor, now=NOW))
        assert len(set(records(pages[: stop + 1] + rest))) == 253


@pytest.mark.parametrize("empty", [{"nth": 1}, {"nth": 2}, {"nth": 3, "times": 3}])
def test_fewer_rows_and_an_empty_page_with_token_are_not_the_end(site, empty):
    for number in range(20):
        put_issue(site.store, issue(str(20000 + number), stamp(8), stamp(8), key=f"ACME-{number + 100}"))
    site.order(tool="jira", fault="fewer_rows", times=None, settings={"rows": 4})
    site.order(tool="jira", fault="empty_page_with_token", **empty)
    assert len(set(records(connector_for(site).pull(ISSUES, None, now=NOW)))) == 23


@pytest.mark.parametrize("minutes", [20, 1])
def test_repeated_page_token_costs_no_issue_and_at_worst_the_pull(site, minutes):
    for number in range(20):
        made = issue(str(20000 + number), stamp(8), stamp(8, 10, number % minutes), key=f"ACME-{number + 100}")
        put_issue(site.store, made)
    site.order(tool="jira", fault="fewer_rows", times=None, settings={"rows": 4})
    site.order(tool="jira", fault="repeated_page_token", path="nextPageToken")
    seen, pages = [], connector_for(site).pull(ISSUES, None, now=NOW)
    if minutes == 1:  # only among changes of one moment tokens lead on
        with pytest.raises(SourceBroken, match="repeats its page token"):
            seen.extend(pages)  # what was given out before the failure is kept
    else:
        seen.extend(pages)
    rest = list(connector_for(site).pull(ISSUES, seen[-1].cursor, now=NOW))
    assert len(set(records(seen + rest))) == 23


@pytest.mark.parametrize("minutes", [1, 50])
def test_edited_mid_walk_the_cursor_never_runs_ahead_of_issues_still_to_come(site, minutes):
    for number in range(350):
        when = stamp(8, 10, number % minutes)
        put_issue(site.store, issue(str(20000 + number), stamp(8), when, key=f"ACME-{number + 100}"))
    walk = connector_for(site).pull(ISSUES, None, now=NOW)
    seen = [next(walk), next(walk)]
    for number in range(0, 350, 7):  # some served, some still to come
        edited = site.store.get(SPACE, "issue", str(20000 + number))
        put_issue(site.store, {**edited, "updated": ago(seconds=-2)})
    seen.append(next(walk))  # and here it crashes
    rest = list(connector_for(site).pull(ISSUES, seen[-1].cursor, now=NOW))
    assert len(set(records(seen + rest))) == 353
    assert len(set(records(seen + list(walk)))) == 353  # or goes on


def test_issues_served_and_edited_meanwhile_push_no_other_out_of_the_walk(site):
    for number in range(250):
        when = stamp(8, 10, number % 50)
        put_issue(site.store, issue(str(20000 + number), stamp(8), when, key=f"ACME-{number + 100}"))
    walk = connector_for(site).pull(ISSUES, None, now=NOW)
    served = next(walk)
    for native in records([served])[:40]:
        put_issue(site.store, {**site.store.get(SPACE, "issue", native), "updated": ago(seconds=1)})
    rest = list(walk)
    assert len(set(records([served, *rest]))) == 253
    assert set(records([served])[:40]) <= set(records(rest))  # their new state is read by the same pull


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kolkata", "Pacific/Kiritimati"])
def test_profile_zone_changes_nothing_that_is_told_or_asked(site, zone):
    put_issue(site.store, issue("10081", stamp(1), ago(minutes=5), key="ACME-81"))
    connector = connector_for(site)
    before = pulled(connector)
    site.order(tool="jira", fault="profile_zone", settings={"zone": zone})
    after = pulled(connector_for(site))
    assert keys({ISSUES: after[ISSUES]}) == keys({ISSUES: before[ISSUES]})
    put_issue(site.store, issue("10082", stamp(1), ago(minutes=1), key="ACME-82"))
    assert records(connector_for(site).pull(ISSUES, before[ISSUES][-1].cursor, now=NOW)) == ["10082"]


def test_email_hidden_leaves_the_address_known_as_it_was(site):
    site.order(tool="jira", fault="email_hidden", settings={"account": ADA})
    told = [o for o in observations(pulled(connector_for(site))) if o.record == ADA]
    assert [o.value for o in told if o.field == "email"] == []  # not told, and not told to be empty
    assert {o.value for o in told if o.field == "name"} == {"Ada Lovelace"}


def test_user_deleted_leaves_what_they_did_and_says_that_they_are_inactive(site):
    before = {o.key for o in observations(pulled(connector_for(site))) if o.entity == "item"}
    site.order(tool="jira", fault="user_deleted", settings={"account": GRACE})
    connector = connector_for(site)
    connector.check()
    told = observations(pulled(connector))
    assert {o.key for o in told if o.entity == "item"} == before
    assert {o.value for o in told if o.record == GRACE and o.field == "active"} == {"false"}


def test_a_site_is_configured_with_two_hours_unless_told_otherwise(site):
    assert configured(site.addresses["jira"]).connection.index_lag == timedelta(hours=2)
