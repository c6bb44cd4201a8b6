"""Walking a Jira site: what a sync costs, page tokens, the overlap, the service's clock, version 3 bodies."""

import json
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from contract import NOW, observations, pulled
from jira_world import ADA, EMAIL, GRACE, SPACE, THIRD, configured, connector_for, fill, issue, put_change, put_issue
from jira_world import at as stamp

from connectors.jira.connector import JiraConnector
from connectors.jira.pull import Position
from connectors.jira.values import Unreadable, account_list, moment, text
from hub.charter.secret import Secret
from hub.errors import SourceBroken, SourceRefused

ISSUES = "issues:ACME"


@pytest.fixture
def site(company):
    return company({"jira": SPACE}, fill)


def records(pages):
    return [raw.native_id for page in pages for raw in page.records]


# -- a real walk ---------------------------------------------------------------------------------------------


def test_a_sync_without_changes_fetches_neither_issues_nor_changelogs(site):
    recent = datetime.now(UTC) - timedelta(minutes=5)
    put_issue(site.store, issue("10050", stamp(1), recent.strftime("%Y-%m-%dT%H:%M:%S.000+0000")))
    connector = connector_for(site)
    first = pulled(connector)
    site.forget()
    again = pulled(connector, {s: p[-1].cursor for s, p in first.items()})
    assert records(again[ISSUES]) == []
    assert [e["path"].rsplit("/", 1)[-1] for e in site.journal(tool="jira")] == ["search", "jql"]


def test_what_changed_inside_the_overlap_is_told_again(site):
    connector = connector_for(site)
    first = pulled(connector)
    late = site.store.get(SPACE, "issue", THIRD)
    put_change(site.store, 70, THIRD, ADA, stamp(7, 8), {
        "field": "assignee", "fieldId": "assignee", "from": ADA, "fromString": "A", "to": GRACE, "toString": "G",
    })  # fmt: skip
    # it becomes visible late, with a stamp an hour before the cursor
    put_issue(site.store, {**late, "_assignee": GRACE, "updated": stamp(7, 8)})
    again = list(connector.pull(ISSUES, first[ISSUES][-1].cursor, now=NOW))
    assert records(again) == [THIRD]
    assert any(o.field == "owner" and o.value == GRACE for o in observations({ISSUES: again}))


def test_a_state_its_changelog_does_not_explain_yet_is_read_again(site):
    recent = (datetime.now(UTC) - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    put_issue(site.store, issue("10070", stamp(1), recent, _assignee=GRACE, key="ACME-70"))
    put_change(site.store, 71, "10070", ADA, stamp(2), {
        "field": "assignee", "fieldId": "assignee", "from": None, "fromString": None, "to": ADA, "toString": "A",
    })  # fmt: skip
    connector = connector_for(site)
    cursor = list(connector.pull(ISSUES, None, now=NOW))[-1].cursor
    put_change(site.store, 72, "10070", ADA, recent, {
        "field": "assignee", "fieldId": "assignee", "from": ADA, "fromString": "A", "to": GRACE, "toString": "G",
    })  # fmt: skip
    again = list(connector.pull(ISSUES, cursor, now=NOW))
    (last,) = [o for o in observations({ISSUES: again}) if o.field == "owner"][-1:]
    assert (last.value, last.origin, last.actor) == (GRACE, "history", ADA)


def test_a_long_walk_reads_every_issue_once_and_can_stop_anywhere(site):
    for number in range(230):
        put_issue(
            site.store, issue(str(20000 + number), stamp(8), stamp(8, 10, number % 7), key=f"ACME-{number + 100}")
        )
    pages = list(connector_for(site).pull(ISSUES, None, now=NOW))
    assert len(pages) == 3
    assert len(records(pages)) == len(set(records(pages))) == 233
    resumed = list(connector_for(site).pull(ISSUES, pages[0].cursor, now=NOW))
    assert set(records(pages[:1] + resumed)) == set(records(pages))


def test_a_stamp_from_the_future_does_not_hide_what_changes_before_it(site):
    put_issue(site.store, issue("10060", stamp(1), "2036-01-01T00:00:00.000+0000"))
    connector = connector_for(site)
    cursor = list(connector.pull(ISSUES, None, now=NOW))[-1].cursor
    today = datetime.now(UTC)
    put_issue(site.store, issue("10061", stamp(1), today.strftime("%Y-%m-%dT%H:%M:%S.000+0000"), key="ACME-61"))
    assert records(connector.pull(ISSUES, cursor, now=NOW)) == ["10061"]


def test_an_unknown_project_is_refused_with_its_name(site):
    connector = connector_for(site, projects=["NOPE"])
    with pytest.raises(SourceRefused) as refused:
        list(connector.pull("issues:NOPE", None, now=NOW))
    assert "NOPE" in refused.value.message


def test_check_names_everything_wrong_at_once(site):
    connector = connector_for(site, projects=["ACME", "NOPE"], fields={"phase": "customfield_99999"})
    problems = connector.check()
    assert {(p.where, "NOPE" in p.what, "customfield_99999" in p.what) for p in problems} == {
        ("acme_jira.projects", True, False),
        ("acme_jira.fields", False, True),
    }


def test_the_census_is_the_site_s_own_count(site):
    assert connector_for(site).census(ISSUES) == 3
    assert connector_for(site).census("users") is None


# -- replies the simulated site does not give ----------------------------------------------------------------


class Scripted:
    """A site that answers with the given search pages; everything else is the least that is needed."""

    def __init__(self):
        self.pages = []
        self.headers = {}
        self.asked = []
        self.logs = {"issueChangeLogs": []}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                url = urlsplit(self.path)
                name = url.path.removeprefix("/rest/api/2/")
                outer.asked.append((name, parse_qs(url.query)))
                if name == "myself":
                    self.reply({"accountId": "acc:hub"})
                elif name == "search/jql":
                    self.reply(outer.pages.pop(0) if len(outer.pages) > 1 else outer.pages[0])

            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append(("changelog", asked))
                self.reply(outer.logs.pop(0) if isinstance(outer.logs, list) else outer.logs)

            def reply(self, body):
                data = json.dumps(body).encode()
                self.send_response(200)
                for name, value in {"Content-Type": "application/json", **outer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def pull(self, cursor=None):
        source = configured(f"http://127.0.0.1:{self.server.server_port}")
        connector = JiraConnector(SPACE, source, lambda _: Secret(EMAIL), sleep=lambda _: None)
        return list(connector.pull(ISSUES, cursor, now=NOW))


@pytest.fixture
def scripted():
    made = Scripted()
    yield made
    made.server.shutdown()
    made.server.server_close()


def told_issue(native, **fields):
    who = {"accountId": "acc:ada", "displayName": "Ada", "active": True, "accountType": "atlassian"}
    base = {
        "summary": "S", "status": {"name": "To Do"}, "assignee": who, "creator": who, "duedate": None,
        "description": None, "created": stamp(1), "updated": stamp(2), "comment": {"comments": [], "total": 0},
    }  # fmt: skip
    return {"id": native, "key": f"ACME-{native}", "fields": {**base, **fields}}


def test_an_empty_page_with_a_token_is_not_the_end(scripted):
    scripted.pages = [
        {"issues": [told_issue("1")], "nextPageToken": "a"},
        {"issues": [], "nextPageToken": "b"},
        {"issues": [told_issue("2")], "isLast": True},
    ]
    assert records(scripted.pull()) == ["1", "2"]


def test_a_repeated_page_token_ends_the_pull_as_broken(scripted):
    scripted.pages = [{"issues": [told_issue("1")], "nextPageToken": "a"}]
    with pytest.raises(SourceBroken, match="repeats its page token"):
        scripted.pull()


def test_endless_empty_pages_end_the_pull_as_broken(scripted):
    scripted.pages = [{"issues": [], "nextPageToken": str(n)} for n in range(200)]
    with pytest.raises(SourceBroken):
        scripted.pull()
    assert len(scripted.asked) < 100


def test_changelogs_come_over_several_pages_with_times_as_numbers_or_text(scripted):
    def entry(number, created, to):
        change = {"fieldId": "assignee", "field": "assignee", "from": None, "to": to}
        return {"id": number, "created": created, "author": {"accountId": "acc:grace"}, "items": [change]}

    first, second = entry("1", 1790845200000, "acc:bob"), entry("2", "2026-10-02T10:00:00.000+0000", "acc:ada")
    second["items"][0]["from"] = "acc:bob"
    third = entry("3", 1790845100, "acc:eve")  # seconds, as the documented example has them
    third["items"][0]["to"] = None
    third["items"][0]["from"] = "acc:eve"
    scripted.logs = [
        {"issueChangeLogs": [{"issueId": "1", "changeHistories": [first]}], "nextPageToken": "x"},
        {"issueChangeLogs": [{"issueId": "1", "changeHistories": [second, third]}]},
    ]
    scripted.pages = [{"issues": [told_issue("1", updated=stamp(2, 10))], "isLast": True}]
    told = [o for p in scripted.pull() for o in p.observations if o.field == "owner"]
    assert [o.value for o in told] == ["acc:eve", None, "acc:bob", "acc:ada"]
    assert told[-1].valid_from == datetime(2026, 10, 2, 10, tzinfo=UTC)


def test_documents_of_version_3_become_text(scripted):
    document = {"type": "doc", "version": 1, "content": [
        {"type": "paragraph", "content": [{"type": "text", "text": "See "}, {"type": "inlineCard", "attrs": {
            "url": "https://acme.atlassian.net/browse/OPS-7"}}]},
        {"type": "paragraph", "content": [{"type": "mention", "attrs": {"id": "x", "text": "@Ada"}},
            {"type": "text", "text": " knows", "marks": [{"type": "link", "attrs": {"href": "https://a.example/browse/OPS-8"}}]}]},
    ]}  # fmt: skip
    comment = {"id": "5", "body": document, "created": stamp(2), "author": {"accountId": "acc:ada"}}
    scripted.pages = [
        {"issues": [told_issue("1", description=document, comment={"comments": [comment], "total": 1})], "isLast": True}
    ]
    told = [o for p in scripted.pull() for o in p.observations]
    assert {o.value for o in told if o.field == "reference"} == {"OPS-7", "OPS-8"}
    (news,) = [o.value for o in told if o.field == "update"]
    assert news.startswith("See https://acme.atlassian.net/browse/OPS-7\n@Ada knows")


def test_a_site_that_ignores_our_sign_in_is_refused(scripted):
    scripted.headers = {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}
    scripted.pages = [{"issues": [], "isLast": True}]
    with pytest.raises(SourceRefused, match="did not accept"):
        scripted.pull()


def test_the_next_pull_asks_from_two_hours_before_the_cursor_in_epoch_milliseconds(scripted):
    scripted.pages = [{"issues": [told_issue("1")], "isLast": True}]
    cursor = scripted.pull()[-1].cursor
    scripted.pull(cursor)
    stored = moment(stamp(2), "updated")
    (jql,) = scripted.asked[-1][1]["jql"]
    assert f"updated >= {round((stored - timedelta(hours=2)).timestamp() * 1000)} " in jql


# -- values --------------------------------------------------------------------------------------------------


def test_only_the_overlap_is_remembered():
    position = Position()
    hour = 3_600_000
    position.advance({"old": 0, "edge": 8 * hour, "new": 10 * hour}, None, 2 * hour)
    assert (position.updated, position.seen) == (10 * hour, {"edge": 8 * hour, "new": 10 * hour})
    assert Position.parse(position.text()) == position


def test_a_position_never_goes_back():
    position = Position(updated=100)
    position.advance({"late": 40}, 90, 1000)
    assert position.updated == 100


@pytest.mark.parametrize("value", [True, "2026-10-01T09:00:00", "soon", None, 10**30])
def test_what_is_no_time_with_a_zone_is_unreadable(value):
    with pytest.raises(Unreadable):
        moment(value, "created")


def test_cells_of_every_wrapping_become_text():
    assert [text(v) for v in ({"value": "Build"}, [{"name": "a"}, "b"], 3, True, "", [], None, "  x ")] == [
        "Build", "a, b", "3", "true", None, None, None, "x",
    ]  # fmt: skip


def test_a_changelog_names_one_account_or_several():
    assert [account_list(v) for v in (None, "", "a", "[b, a]")] == [None, None, "a", "a,b"]
