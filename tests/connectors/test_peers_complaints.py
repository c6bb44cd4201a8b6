"""What people complain about in other pulls, and the traps of the stock libraries, each under its own name.

Numbers are those of the public threads the complaint was read in.
"""

from __future__ import annotations

import jira_world as jira
import pytest
import salesforce_world as salesforce
from lively_bench import PAGE, behind_sockets
from lively_tools import TOOLS, missed, present

everywhere = pytest.mark.parametrize("struck", sorted(TOOLS), indirect=True)
at_salesforce = pytest.mark.parametrize("struck", ["salesforce"], indirect=True)
at_jira = pytest.mark.parametrize("struck", ["jira"], indirect=True)
at_airtable = pytest.mark.parametrize("struck", ["airtable"], indirect=True)
DAY = 25 * 3600  # seconds: ids are compared at least once a day


@pytest.fixture
def struck(request, tmp_path, monkeypatch):
    with behind_sockets(request.param, tmp_path, monkeypatch) as made:
        yield made


def order(struck, fault, *, times=1, **settings):
    struck.faults.order({"fault": fault, "tool": struck.tool.name, "times": times, "settings": settings})


def held(struck):
    return present(struck.said())


def asked(struck, method="", part=""):
    return [entry for entry in struck.journal.entries(method=method) if part in entry["path"]]


def became(struck, record):
    return [o.value for o in struck.said() if o.record == record and o.field == "presence"]


# -- pulling -------------------------------------------------------------------------------------------------


@at_jira
@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kolkata", "Pacific/Kiritimati"])
def test_airbyte_48492_no_issue_is_skipped_at_the_border_of_a_profile_zone(struck, zone):
    hub = struck.tool.store.get(jira.SPACE, "user", jira.HUB)
    struck.tool.store.put(jira.SPACE, "user", [(jira.HUB, "2026-01-01T00:00:00.000000Z", {**hub, "timeZone": zone})])
    assert struck.pull() == []
    for number in range(3):
        struck.tool.clock.advance(1800)
        struck.tool.rename("20003", f"half an hour later {number}")
        struck.tool.clock.advance(1)
        assert struck.pull() == []
        assert held(struck)["20003"][0] == f"half an hour later {number}"


@everywhere
def test_insight_3447_an_item_touched_every_sixteen_minutes_is_read_by_every_run(struck):
    record = sorted(struck.tool.truth())[9]
    for number in range(4):
        struck.tool.clock.advance(16 * 60)
        struck.tool.rename(record, f"touched {number}")
        assert struck.pull() == []
        assert held(struck)[record][0] == f"touched {number}"


@everywhere
def test_airbyte_14163_what_no_cursor_can_find_is_found_by_its_id(struck):
    assert struck.pull() == []
    hidden = sorted(struck.tool.truth())[12]
    kind = {"salesforce": "Case", "jira": "issue", "airtable": "record"}[struck.tool.name]
    doc = struck.tool.store.get(struck.tool.space, kind, hidden)
    renamed = {**doc, "id": "29999", "key": "ACME-999"} if struck.tool.name == "jira" else dict(doc)
    if struck.tool.name == "salesforce":
        renamed["Id"] = "500000000B99999AAA"
    elif struck.tool.name == "airtable":
        renamed["id"] = "recItem9999999999"
    made = renamed.get("Id") or renamed["id"]
    # imported with the stamp it had elsewhere, months before the cursor
    struck.tool.store.put(struck.tool.space, kind, [(made, "2026-10-08T09:00:00.000000Z", renamed)])
    struck.tool.clock.advance(DAY)
    assert struck.pull() == []
    assert missed(struck.tool.truth(), held(struck)) == {}


@everywhere
def test_airbyte_10155_and_35017_a_deleted_record_is_known_as_deleted(struck):
    assert struck.pull() == []
    record = sorted(struck.tool.truth())[9]
    struck.tool.clock.advance(60)
    struck.tool.delete(record)
    struck.tool.clock.advance(DAY)
    assert struck.pull() == []
    assert became(struck, record) == ["deleted"]
    assert became(struck, sorted(struck.tool.truth())[9]) == []


@everywhere
def test_n8n_29107_every_update_of_a_record_is_seen_not_only_the_first(struck):
    record = sorted(struck.tool.truth())[9]
    for number in range(4):
        assert struck.pull() == []
        struck.tool.clock.advance(2)
        struck.tool.rename(record, f"update {number}")
    assert struck.pull() == []
    titles = [o.value for o in struck.said() if o.record == record and o.field == "title"]
    assert titles[1:] == [f"update {number}" for number in range(4)]


@everywhere
@pytest.mark.parametrize("pages", [1, 2, 3])
def test_ties_at_a_cursor_are_all_read_wherever_the_pull_was_cut(struck, pages):
    order(struck, "equal_stamps", count=3 * PAGE)
    struck.pull_and_die(pages)
    struck.tool.clock.advance(5)
    assert struck.pull() == []
    assert missed(struck.tool.truth(), held(struck)) == {}


@at_salesforce
def test_airbyte_84302_a_dead_locator_costs_no_record(struck):
    order(struck, "session_expired_mid_walk", times=2)
    assert struck.pull() == []
    assert missed(struck.tool.truth(), held(struck)) == {}


@at_airtable
def test_airtable_export_7_a_forgotten_offset_costs_no_record(struck):
    order(struck, "offset_expired", times=2)
    assert struck.pull() == []
    assert missed(struck.tool.truth(), held(struck)) == {}


@everywhere
def test_meltano_2147_a_first_load_that_broke_goes_on_and_keeps_what_it_had(struck):
    struck.pull_and_die(3)
    kept = held(struck)
    assert len(kept) >= 2 * PAGE
    walk = struck.tool.connector().pull(
        struck.tool.items, struck.ledger.cursor(struck.tool.space, struck.tool.items), now=struck.tool.clock()
    )
    again = {raw.native_id for page in walk for raw in page.records}
    assert len(again & set(kept)) <= PAGE
    assert struck.pull() == []
    assert missed(struck.tool.truth(), held(struck)) == {}


@everywhere
@pytest.mark.parametrize("fault", ["down", "html_502", "truncated"])
def test_whalesync_an_outage_is_never_read_as_deletion(struck, fault):
    assert struck.pull() == []
    struck.tool.clock.advance(DAY)
    order(struck, fault, times=None)
    assert struck.pull()
    struck.faults.clear()
    assert struck.pull() == []
    assert [o for o in struck.said() if o.field == "presence"] == []


@everywhere
def test_simple_salesforce_804_a_session_refused_for_ever_is_not_renewed_for_ever(struck):
    order(struck, "unauthorized_for_ever", times=None)
    assert struck.pull()
    assert len(asked(struck)) <= 10 * len(struck.tool.connector().streams())


# -- traps of simple-salesforce --------------------------------------------------------------------------------


@at_salesforce
def test_simple_salesforce_1_the_guard_is_not_lost_when_the_session_is_renewed(struck):
    record = sorted(struck.tool.truth())[9]
    writer = struck.tool.connector().writer
    struck.tool.clock.advance(60)
    reading = writer.read_owner(record)
    struck.tool.clock.advance(60)
    struck.tool.call("PATCH", f"/services/data/v59.0/sobjects/Case/{record}", {"OwnerId": salesforce.QUEUE})
    order(struck, "session_expired_before_write")
    for _ in range(2):
        assert writer.send_owner(record, salesforce.GRACE, reading, marker="m").kind != "accepted"
    assert struck.tool.truth()[record][2] == salesforce.QUEUE


@at_salesforce
@pytest.mark.parametrize("body", ["", "nonsense", "{}", "[]", '["text"]', "<html></html>"])
def test_simple_salesforce_3_a_401_of_any_shape_is_a_plain_refusal(struck, body):
    order(struck, "status", times=None, status=401, body=body)
    (error, *_) = struck.pull()
    assert "unexpected" not in error


@everywhere
@pytest.mark.parametrize("status", [429, 502, 503])
def test_simple_salesforce_4_a_busy_moment_passes_unnoticed(struck, status):
    order(struck, "status", times=2, status=status)
    assert struck.pull() == []


# -- traps of jira ---------------------------------------------------------------------------------------------


@at_jira
def test_jira_library_the_very_account_is_assigned_and_nobody_who_was_found_instead(struck):
    writer = struck.tool.connector().writer
    reading = writer.read_owner("20003")
    writer.send_owner("20003", "acc:nobody-here", reading, marker="m")
    assert {entry["body"] for entry in asked(struck, "PUT", "/assignee")} <= {'{"accountId": "acc:nobody-here"}'}
    assert struck.tool.truth()["20003"][2] == jira.ADA


@at_jira
def test_jira_library_a_short_page_is_no_end_and_the_removed_search_is_never_asked(struck):
    order(struck, "fewer_rows", times=None, rows=2)
    order(struck, "empty_page_with_token", times=2)
    assert struck.pull() == []
    assert missed(struck.tool.truth(), held(struck)) == {}
    assert [entry for entry in asked(struck) if entry["path"].endswith("api/2/search")] == []


@everywhere
@pytest.mark.parametrize("after", [90, "date"])
def test_jira_library_a_long_retry_after_is_kept_whatever_its_form(struck, after):
    began = struck.tool.clock()
    order(struck, "too_many_requests", retry_after=after)
    assert struck.pull() == []
    assert (struck.tool.clock() - began).total_seconds() >= (90 if after == 90 else 30)


# -- traps of pyairtable ---------------------------------------------------------------------------------------


@at_airtable
def test_pyairtable_the_penalty_of_thirty_seconds_is_waited_for_and_not_hammered(struck):
    began = struck.tool.clock()
    struck.faults.order({"fault": "base_locked", "tool": "airtable", "path": "/v0/app", "settings": {"seconds": 30}})
    assert struck.pull() == []
    assert (struck.tool.clock() - began).total_seconds() >= 30
    assert len([entry for entry in asked(struck) if entry["status"] == 429]) <= 2


@everywhere
def test_pyairtable_a_write_whose_reply_is_lost_is_not_sent_again(struck):
    record = sorted(struck.tool.truth())[9]
    struck.tool.clock.advance(60)
    writer = struck.tool.connector().writer
    reading = writer.read_owner(record)
    method = "PUT" if struck.tool.name == "jira" else "PATCH"
    struck.faults.order({"fault": "reply_lost", "tool": struck.tool.name, "method": method, "times": None})
    sent = writer.send_owner(record, struck.tool.people[1], reading, marker="m")
    assert sent.kind == "unknown"
    assert len(asked(struck, method)) == 1


@at_airtable
def test_pyairtable_a_renamed_column_goes_unnoticed(struck):
    order(struck, "field_renamed", field="Title", name="Name of the item")
    assert struck.pull() == []
    assert missed(struck.tool.truth(), held(struck)) == {}
