"""Journal, ordered faults and the rest of the control port."""

from __future__ import annotations

import http.client
import socket
import threading
from typing import Any

import pytest
import requests
from http_world import J_GRACE, SPACES, Running, put

from sandbox import web

ISSUE = "/rest/api/3/issue/ACME-1"
SIGNED = ("hub@acme.example", "jira-token")


def ask(small: Running, method: str = "GET", path: str = ISSUE, timeout: float = 10, **rest: Any) -> requests.Response:
    return requests.request(method, small.addresses["jira"] + path, auth=SIGNED, timeout=timeout, **rest)


def assign(small: Running, timeout: float = 10) -> requests.Response:
    return ask(small, "PUT", f"{ISSUE}/assignee", timeout, json={"accountId": J_GRACE})


def assignee(small: Running) -> str:
    return str(ask(small).json()["fields"]["assignee"]["accountId"])


def test_every_request_is_in_the_journal_with_the_body_of_writes(small: Running) -> None:
    ask(small, path=f"{ISSUE}?fields=summary")
    assign(small)
    requests.get(small.addresses["airtable"] + "/v0/meta/whoami", timeout=10)
    entries = small.control("GET", "/journal")
    assert [(e["tool"], e["method"], e["status"]) for e in entries] == [
        ("jira", "GET", 200),
        ("jira", "PUT", 204),
        ("airtable", "GET", 401),
    ]
    assert (entries[0]["query"], entries[0]["body"]) == ("fields=summary", None)
    assert J_GRACE in entries[1]["body"]
    assert [e["n"] for e in small.control("GET", "/journal?tool=jira&method=put")] == [2]
    assert small.control("DELETE", "/journal") == {"cleared": 3}
    assert small.control("GET", "/journal") == []


def test_hang_before_leaves_the_record_alone_and_never_answers(small: Running) -> None:
    small.fault(tool="jira", method="PUT", path="/assignee$", action="hang_before")
    with pytest.raises(requests.exceptions.ReadTimeout):
        assign(small, timeout=0.3)
    assert assignee(small) != J_GRACE
    entry = small.control("GET", "/journal?method=PUT")[0]
    assert (entry["status"], entry["fault"]) == (None, "hang_before")


def test_hang_after_applies_the_write_and_never_answers(small: Running) -> None:
    small.fault(tool="jira", method="PUT", action="hang_after")
    with pytest.raises(requests.exceptions.ReadTimeout):
        assign(small, timeout=0.3)
    assert assignee(small) == J_GRACE


def test_deleting_the_faults_cuts_hanging_requests_off(small: Running) -> None:
    small.fault(action="hang_before", tool="jira", times=None)
    failed: list[Exception] = []

    def hanging() -> None:
        try:
            ask(small)
        except requests.exceptions.ConnectionError as error:
            failed.append(error)

    thread = threading.Thread(target=hanging)
    thread.start()
    while not small.control("GET", "/journal?tool=jira"):
        pass
    small.control("DELETE", "/faults")
    thread.join(5)
    assert len(failed) == 1
    assert ask(small).status_code == 200


def test_a_fault_strikes_the_nth_matching_request_so_many_times(small: Running) -> None:
    small.fault(path="issue/ACME-1", nth=2, times=2, action="status", status=429, headers={"Retry-After": "1"})
    statuses = [ask(small).status_code for _ in range(5)]
    assert statuses == [200, 429, 429, 200, 200]
    assert small.control("GET", "/faults")[0]["hit"] == 2
    assert ask(small, path="/rest/api/3/issue/ACME-2").status_code == 200


def test_a_refusal_may_carry_the_tools_own_body(small: Running) -> None:
    body = '[{"errorCode":"UNABLE_TO_LOCK_ROW","message":"locked"}]'
    small.fault(tool="jira", action="status", status=400, body=body)
    answer = ask(small)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "UNABLE_TO_LOCK_ROW")


def test_html_instead_of_json(small: Running) -> None:
    small.fault(tool="jira", action="html")
    answer = ask(small)
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


def test_a_truncated_answer_breaks_off(small: Running) -> None:
    small.fault(tool="jira", action="truncate")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        ask(small)


def test_a_tool_that_is_down_cuts_the_line_while_the_others_go_on(small: Running) -> None:
    small.fault(tool="jira", action="down", times=None)
    for _ in range(2):
        with pytest.raises(requests.exceptions.ConnectionError):
            ask(small)
    assert requests.get(small.addresses["airtable"] + "/v0/meta/whoami", timeout=10).status_code == 401


@pytest.mark.parametrize(
    "order", [{"action": "explode"}, {"action": "down", "pth": "x"}, {"action": "down", "path": "("}]
)
def test_an_order_that_cannot_be_understood_is_refused(small: Running, order: dict[str, Any]) -> None:
    answer = requests.post(small.addresses["control"] + "/faults", json=order, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert small.control("GET", "/faults") == []


def test_mail_is_shown_newest_first_and_by_address(small: Running) -> None:
    for n, to in enumerate(("a@x.example", "b@x.example", "A@x.example"), start=1):
        put(small.store, SPACES["mail"], "_envelope", {"to": [to], "text": str(n)}, id_=str(n), day=n)
    assert [mail["text"] for mail in small.control("GET", "/mail?to=a@x.example")] == ["3", "1"]
    assert len(small.control("GET", "/mail")) == 3


def test_the_status_counts_documents_but_not_secrets(small: Running) -> None:
    documents = small.control("GET", "/status")["documents"]
    assert documents["jira"]["issue"] == 3
    assert "_token" not in documents["jira"]


def test_a_chunked_request_body_is_read_whole(small: Running) -> None:
    host = small.addresses["jira"].removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=10)
    parts = iter([b'{"accountId":', f'"{J_GRACE}"}}'.encode()])
    headers = {"Authorization": requests.auth._basic_auth_str(*SIGNED), "Content-Type": "application/json"}
    connection.request("PUT", f"{ISSUE}/assignee", body=parts, headers=headers, encode_chunked=True)
    assert connection.getresponse().status == 204
    connection.close()
    assert assignee(small) == J_GRACE


def test_answers_do_not_wait_for_delayed_acknowledgements() -> None:
    listener = web._listening(0)
    try:
        assert listener.proto == socket.IPPROTO_TCP  # what asyncio goes by before it sets TCP_NODELAY
    finally:
        listener.close()
