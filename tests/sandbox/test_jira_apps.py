"""What apps and the service desk do on a Jira site: OAuth 2, webhooks over real HTTP, approvals, limits."""

from __future__ import annotations

import hashlib
import hmac
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
from http_world import J_ADA, J_GRACE, SPACES, Running, put, running, small_company
from jira_site import APP, CLIENT, CLIENT_SECRET, GRACE, ask, furnish, tree

SPACE = SPACES["jira"]
HOOK = {"events": ["jira:issue_updated", "comment_created", "jira:issue_deleted"], "jqlFilter": "project = ACME"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Running]:
    store = small_company(tmp_path / "world.sqlite")
    furnish(store)
    with running(store) as served:
        yield served
    store.close()


class Listener:
    """An app's own server: keeps what it is sent, and answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.got: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.got.put(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(listener.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Stay quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?x=1"
        threading.Thread(target=self.server.serve_forever, daemon=True, kwargs={"poll_interval": 0.02}).start()

    def next(self) -> tuple[dict[str, str], dict[str, Any]]:
        headers, body = self.got.get(timeout=5)
        return headers, orjson.loads(body)


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.server.shutdown()
    made.server.server_close()


def hook(site: Running, url: str, **more: Any) -> int:
    answer = ask(site, "POST", "webhook", json={"url": url, "webhooks": [{**HOOK, **more}]}, auth=APP)
    return int(answer.json()["webhookRegistrationResult"][0]["createdWebhookId"])


def test_a_change_is_posted_signed_to_the_app(site: Running, listener: Listener) -> None:
    number = hook(site, listener.url)
    ask(site, "PUT", "issue/ACME-1/assignee", json={"accountId": J_GRACE})
    headers, body = listener.next()
    assert body["webhookEvent"] == "jira:issue_updated"
    assert body["issue_event_type_name"] == "issue_assigned"
    assert body["matchedWebhookIds"] == [number]
    assert body["issue"]["fields"]["assignee"]["accountId"] == J_GRACE
    item = body["changelog"]["items"][0]
    assert (item["from"], item["to"]) == (J_ADA, J_GRACE)
    assert headers["x-atlassian-webhook-identifier"]
    ask(site, "POST", "issue/ACME-2/comment", json={"body": tree("word")})
    headers, body = listener.next()
    assert (body["webhookEvent"], body["comment"]["body"]) == ("comment_created", "word")
    raw = orjson.dumps(body)
    digest = hmac.new(CLIENT_SECRET.encode(), raw, hashlib.sha256).hexdigest()
    assert headers["x-hub-signature"] == f"sha256={digest}"
    ask(site, "DELETE", "issue/ACME-3")
    assert listener.next()[1]["webhookEvent"] == "jira:issue_deleted"


def test_a_filter_by_key_hears_of_the_deletion_too(site: Running, listener: Listener) -> None:
    hook(site, listener.url, jqlFilter="key = ACME-3")
    ask(site, "DELETE", "issue/ACME-3")
    body = listener.next()[1]
    assert (body["webhookEvent"], body["issue"]["key"]) == ("jira:issue_deleted", "ACME-3")


def test_only_what_the_filters_let_through_is_posted(site: Running, listener: Listener) -> None:
    hook(site, listener.url, jqlFilter="project = ACME AND key = ACME-1", fieldIdsFilter=["status"])
    ask(site, "PUT", "issue/ACME-1/assignee", json={"accountId": J_GRACE})  # another field
    ask(site, "POST", "issue/ACME-2/transitions", json={"transition": {"id": "12"}})  # another issue
    ask(site, "POST", "issue/ACME-1/transitions", json={"transition": {"id": "12"}})
    body = listener.next()[1]
    assert (body["issue"]["key"], body["changelog"]["items"][0]["field"]) == ("ACME-1", "status")
    assert listener.got.empty()


def test_webhooks_die_after_thirty_days_unless_refreshed(site: Running, listener: Listener) -> None:
    number = hook(site, listener.url)
    told = ask(site, "GET", "webhook", auth=APP).json()["values"]
    assert [one["id"] for one in told] == [number]
    site.control("POST", "/clock", json={"advance": 29 * 86400})
    later = ask(site, "PUT", "webhook/refresh", json={"webhookIds": [number]}, auth=APP).json()["expirationDate"]
    assert later > told[0]["expirationDate"]
    site.control("POST", "/clock", json={"advance": 29 * 86400})
    assert ask(site, "GET", "webhook", auth=APP).json()["total"] == 1
    site.control("POST", "/clock", json={"advance": 2 * 86400})
    assert ask(site, "GET", "webhook", auth=APP).json()["total"] == 0
    ask(site, "PUT", "issue/ACME-1/assignee", json={"accountId": J_GRACE})
    assert listener.got.empty()


def test_a_delivery_is_repeated_and_then_told_as_failed(site: Running, listener: Listener) -> None:
    hook(site, listener.url)
    listener.status = 503
    ask(site, "PUT", "issue/ACME-1/assignee", json={"accountId": J_GRACE})
    tries = []
    for _ in range(5):
        headers, _ = listener.next()
        tries.append(headers["x-atlassian-webhook-retry"])
        site.control("POST", "/clock", json={"advance": 3600})
        failed = _asked_until(site, listener)
    assert tries == ["0", "1", "2", "3", "4"]
    assert [one["url"] for one in failed] == [listener.url]
    assert listener.got.empty()


def _asked_until(site: Running, listener: Listener) -> list[dict[str, Any]]:
    """Ask (any request lets the site look at its clock) until there is another try, or a failure told."""
    for _ in range(500):
        failed: list[dict[str, Any]] = ask(site, "GET", "webhook/failed", auth=APP).json()["values"]
        if failed or not listener.got.empty():
            return failed
    raise AssertionError("neither tried again nor given up")


def test_nobody_outside_this_machine_is_called(site: Running) -> None:
    for url in ("http://example.com/x", "https://10.0.0.1/x", "ftp://127.0.0.1/x", "http://127.0.0.1.example.com/x"):
        refused = ask(site, "POST", "webhook", json={"url": url, "webhooks": [HOOK]}, auth=APP)
        assert refused.status_code == 400


def test_a_refresh_token_is_good_once(site: Running) -> None:
    client = {"client_id": CLIENT, "client_secret": CLIENT_SECRET}
    first = ask(site, "POST", "/oauth/token", json={**client, "grant_type": "client_credentials"}, auth=None).json()
    renew = {**client, "grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = ask(site, "POST", "/oauth/token", json=renew, auth=None).json()
    assert second["access_token"] != first["access_token"]
    again = ask(site, "POST", "/oauth/token", json=renew, auth=None)
    assert (again.status_code, again.json()["error"]) == (403, "invalid_grant")
    wrong = ask(site, "POST", "/oauth/token", json={**renew, "client_secret": "x"}, auth=None)
    assert wrong.status_code == 401


def test_an_app_reaches_the_site_through_the_gateway(site: Running) -> None:
    asked = {"client_id": CLIENT, "client_secret": CLIENT_SECRET, "grant_type": "client_credentials"}
    token = ask(site, "POST", "/oauth/token", json=asked, auth=None).json()["access_token"]
    resource = ask(site, "GET", "/oauth/token/accessible-resources", auth=token).json()[0]
    assert resource["scopes"] == ["offline_access", "read:jira-work"]
    gateway = f"/ex/jira/{resource['id']}/rest/api/3"
    assert ask(site, "GET", f"{gateway}/issue/ACME-1", auth=token).json()["key"] == "ACME-1"
    assert ask(site, "POST", f"{gateway}/search/jql", json={"jql": "project = ACME"}, auth=token).status_code == 200
    no_scope = ask(site, "PUT", f"{gateway}/issue/ACME-1/assignee", json={"accountId": J_ADA}, auth=token)
    assert (no_scope.status_code, no_scope.json()["message"]) == (401, "Unauthorized; scope does not match")
    assert ask(site, "GET", "/ex/jira/another/rest/api/3/issue/ACME-1", auth=token).status_code == 404
    assert ask(site, "GET", f"{gateway}/issue/ACME-1").status_code == 401  # basic sign-in is for the site itself
    site.control("POST", "/clock", json={"advance": 3601})
    assert ask(site, "GET", f"{gateway}/issue/ACME-1", auth=token).status_code == 401


def test_an_approver_decides_and_the_issue_moves(site: Running) -> None:
    path = "/rest/servicedeskapi/request/ACME-1/approval"
    hub = ask(site, "GET", path).json()
    assert (hub["size"], hub["isLastPage"]) == (1, True)
    assert hub["values"][0]["canAnswerApproval"] is False
    assert ask(site, "POST", f"{path}/1", json={"decision": "approve"}).status_code == 403
    assert ask(site, "POST", f"{path}/1", json={"decision": "perhaps"}, auth=GRACE).status_code == 400
    assert ask(site, "GET", f"{path}/1", auth=GRACE).json()["canAnswerApproval"] is True
    experimental = {"X-ExperimentalApi": "opt-in"}
    told = ask(site, "POST", f"{path}/1", json={"decision": "approve"}, auth=GRACE, headers=experimental).json()
    assert told["finalDecision"] == "approved"
    assert {one["approver"]["accountId"]: one["approverDecision"] for one in told["approvers"]} == {
        J_ADA: "pending",
        J_GRACE: "approved",
    }
    assert told["completedDate"]["epochMillis"] > told["createdDate"]["epochMillis"]
    assert ask(site, "POST", f"{path}/1", json={"decision": "decline"}, auth=GRACE).status_code == 409
    entry = ask(site, "GET", "issue/ACME-1/changelog").json()["values"][-1]
    assert (entry["author"]["accountId"], entry["items"][0]["toString"]) == (J_GRACE, "Done")
    assert ask(site, "GET", f"{path}/9").status_code == 404
    assert ask(site, "GET", "/rest/servicedeskapi/info", auth=None).json()["isLicensedForUse"] is True
    desks = ask(site, "GET", "/rest/servicedeskapi/servicedesk").json()["values"]
    assert [desk["projectKey"] for desk in desks] == ["DESK"]
    assert ask(site, "GET", "/rest/servicedeskapi/request/ACME-1").json()["currentStatus"]["status"] == "Done"


def test_a_burst_is_stopped_for_that_token_and_endpoint(site: Running) -> None:
    put(site.store, SPACE, "_settings", {"burst_per_minute": 3}, id_="settings")
    site.control("POST", "/clock", json={"frozen": True})
    left = [ask(site, "GET", "myself").headers["X-RateLimit-Remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    refused = ask(site, "GET", "myself")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    assert refused.headers["RateLimit-Reason"] == "jira-burst-based"
    assert ask(site, "GET", "project").status_code == 200
    assert ask(site, "GET", "myself", auth=GRACE).status_code == 200
    site.control("POST", "/clock", json={"advance": 61})
    assert ask(site, "GET", "myself").status_code == 200


def test_writes_to_one_issue_have_a_limit_of_their_own(site: Running) -> None:
    put(site.store, SPACE, "_settings", {"issue_writes": 2, "issue_write_seconds": 10}, id_="settings")
    site.control("POST", "/clock", json={"frozen": True})
    statuses = [
        ask(site, "PUT", f"issue/{key}/assignee", json={"accountId": J_ADA})
        for key in ("ACME-1", "ACME-1", "ACME-2", "ACME-1")
    ]
    assert [answer.status_code for answer in statuses] == [204, 204, 204, 429]
    assert statuses[-1].headers["RateLimit-Reason"] == "jira-per-issue-on-write"


def test_points_of_an_app_run_out_by_the_hour(site: Running) -> None:
    put(site.store, SPACE, "_settings", {"points_per_hour": 2}, id_="settings")
    site.control("POST", "/clock", json={"frozen": True})
    assert [ask(site, "GET", "myself", auth=APP).status_code for _ in range(3)] == [200, 200, 429]
    assert ask(site, "GET", "myself").status_code == 200  # a person's own token has no points
