"""The control port: a page for people, rights of accounts, and who may ask at all."""

from __future__ import annotations

import socket

import pytest
import requests
from http_world import SPACES, Running, put

from sandbox.rights import Rights, rights_of

HOSTILE = "<script>alert(1)</script>"


def test_the_page_shows_counts_faults_clock_and_requests_and_escapes_them_all(small: Running) -> None:
    small.fault(tool="jira", fault="status", path=HOSTILE, times=None)
    requests.get(small.addresses["airtable"] + f"/v0/{HOSTILE}", timeout=5)
    answer = requests.get(small.addresses["control"] + "/", timeout=5)
    text = answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for told in ("3 issue", "status", "Its clock says", "airtable", small.addresses["jira"], "401"):
        assert told in text
    assert "<script" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://elsewhere.example"}, {"Host": "elsewhere.example:80"}, {"Origin": "null"}]
)
def test_a_web_page_cannot_steer_the_company(small: Running, headers: dict[str, str]) -> None:
    for method, path in (("POST", "/clock"), ("DELETE", "/journal"), ("GET", "/people")):
        answer = requests.request(
            method, small.addresses["control"] + path, json={"advance": 9e6}, headers=headers, timeout=5
        )
        assert answer.status_code == 403
    assert abs(small.control("GET", "/clock")["offset_seconds"]) < 1


def test_every_port_is_bound_to_loopback_only(small: Running) -> None:
    for address in small.addresses.values():
        port = int(address.rpartition(":")[2])
        with socket.socket() as other:
            other.bind(("127.0.0.2", port))  # would be taken if the server listened on every address


def test_the_staff_is_told_with_tokens_that_work(small: Running) -> None:
    people = small.control("GET", "/people")
    assert {one["instance"] for one in people} == {"salesforce", "jira", "airtable"}
    hub = next(one for one in people if one["instance"] == "airtable")
    me = requests.get(
        small.addresses["airtable"] + "/v0/meta/whoami", headers={"Authorization": f"Bearer {hub['token']}"}, timeout=5
    )
    assert me.json()["id"] == hub["account"]


def test_rights_say_what_is_seen_and_changed(small: Running) -> None:
    space = SPACES["jira"]
    assert rights_of(small.store, space, "anybody") == Rights()
    doc = {"read": ["ACME"], "edit": ["ACME"], "hidden": ["7"], "read_only": ["8"], "hidden_fields": ["ACME.due", "f1"]}
    put(small.store, space, "_rights", {**doc, "scopes": ["a"]}, id_="somebody")
    mine = rights_of(small.store, space, "somebody")
    assert (mine.reads("ACME", "1"), mine.reads("ACME", "7"), mine.reads("NORTH", "1")) == (True, False, False)
    assert (mine.edits("ACME", "1"), mine.edits("ACME", "8"), mine.edits("ACME", "7")) == (True, False, False)
    assert (mine.sees_field("ACME", "due"), mine.sees_field("X", "f1"), mine.sees_field("X", "due")) == (
        False,
        False,
        True,
    )
    assert (mine.has("a"), mine.has("b"), mine.admin, mine.sees_everything) == (True, False, False, False)


def test_the_journal_can_be_read_from_where_one_stopped(small: Running) -> None:
    for _ in range(3):
        requests.get(small.addresses["airtable"] + "/v0/meta/whoami", timeout=5)
    assert [entry["n"] for entry in small.control("GET", "/journal?since=1")] == [2, 3]
    assert [entry["n"] for entry in small.control("GET", "/journal?limit=1")] == [3]
    assert all(entry["milliseconds"] >= 0 and entry["reply_bytes"] for entry in small.control("GET", "/journal"))


def test_a_fault_for_an_instance_that_nobody_runs_is_refused(small: Running) -> None:
    order = {"fault": "status", "tool": "jira:nope"}
    answer = requests.post(small.addresses["control"] + "/faults", json=order, timeout=5)
    assert answer.status_code == 400
    assert "jira:nope" in answer.json()["error"]


def test_a_body_that_no_tool_would_take_is_read_to_its_end_and_refused(
    small: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.gate._MOST_BODY", 100)
    issue = small.addresses["jira"] + "/rest/api/3/issue/ACME-1"
    signed = ("hub@acme.example", "jira-token")
    for length, status in ((10, 204), (200, 413)):
        answer = requests.put(issue, auth=signed, json={"fields": {"summary": "x" * length}}, timeout=5)
        assert answer.status_code == status
