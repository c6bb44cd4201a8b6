"""The way out: what is repeated, what never is, and where nothing may go. Against real servers on loopback."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from connectors.transport import READ, read_json, session
from connectors.write_transport import write_session
from hub.errors import ConfigurationError, SourceBroken, SourceRefused, SourceUnavailable

ROOT = Path(__file__).parents[2]
GOOD = (200, {"Content-Type": "application/json"}, b'{"ok": true}')


class Service:
    """Answers with the given replies in turn (the last one for ever) and remembers every request."""

    def __init__(self, replies):
        self.replies = list(replies)
        self.requests = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                service.requests.append((self.command, self.path, dict(self.headers), body))
                reply = service.replies.pop(0) if len(service.replies) > 1 else service.replies[0]
                if reply == "reset":
                    self.close_connection = True
                    self.connection.close()
                    return
                status, headers, text = reply
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
                if int(headers.get("Content-Length", len(text))) > len(text):
                    self.close_connection = True

            do_GET = do_POST = do_PATCH = _answer  # noqa: N815  (the names http.server looks for)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.host = self.url.removeprefix("http://")


@contextmanager
def service(*replies) -> Iterator[Service]:
    made = Service(replies)
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()


def reader(at: Service, waits=None, **options):
    sleep = (waits if waits is not None else []).append
    return session("acme", allowed_hosts=[at.host], sleep=sleep, **options)


def test_a_question_is_repeated_until_the_service_answers_and_every_call_is_counted():
    with service("reset", (503, {}, b""), (429, {}, b""), GOOD) as acme:
        waits = []
        asking = reader(acme, waits)
        assert read_json(asking.get(acme.url), "acme") == {"ok": True}
        assert waits == [0.5, 1.0, 2.0]
        assert asking.meter.calls == len(acme.requests) == 4
        assert asking.meter.waited == 3.5


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "Sat, 21 Nov 2026 12:00:40 GMT", "Date": "Sat, 21 Nov 2026 12:00:00 GMT"}, 40.0),
        ({"Retry-After": "Sat, 21 Nov 2026 11:00:00 GMT", "Date": "Sat, 21 Nov 2026 12:00:00 GMT"}, 0.0),
        ({"Retry-After": "soon"}, 0.5),
    ],
)
def test_the_service_says_how_long_to_wait(headers, wait):
    with service((429, headers, b""), GOOD) as acme:
        waits = []
        if "Date" in headers:  # http.server sends its own Date, so that one has to say it
            acme.server.RequestHandlerClass.date_time_string = lambda *_: headers["Date"]
            acme.replies[0] = (429, {"Retry-After": headers["Retry-After"]}, b"")
        assert reader(acme, waits).get(acme.url).status_code == 200
        assert waits == [wait]


def test_a_wait_that_does_not_fit_ends_at_once():
    with service((429, {"Retry-After": "3600"}, b"")) as acme:
        waits = []
        answer = reader(acme, waits).get(acme.url)
        assert (answer.status_code, waits, len(acme.requests)) == (429, [], 1)
        with pytest.raises(SourceUnavailable, match="429"):
            read_json(answer, "acme")


def test_all_waits_together_are_bounded():
    with service((503, {"Retry-After": "50"}, b"")) as acme:
        waits = []
        reader(acme, waits, total_wait=120).get(acme.url)
        assert waits == [50.0, 50.0]


def test_a_post_is_repeated_only_when_marked_as_a_question_and_the_mark_stays_here():
    with service((503, {}, b""), GOOD) as acme:
        assert reader(acme).post(acme.url, json={}).status_code == 503
    with service((503, {}, b""), GOOD) as acme:
        assert reader(acme).post(acme.url, json={}, headers=READ).status_code == 200
        assert not any("X-Hub-Read" in headers for _, _, headers, _ in acme.requests)


@pytest.mark.parametrize("reply", ["reset", (503, {"Retry-After": "0"}, b""), (429, {}, b"")])
def test_a_write_is_never_repeated(reply):
    with service(reply) as acme:
        with write_session("acme", allowed_hosts=[acme.host]) as writing:
            try:
                writing.patch(acme.url, json={})
            except requests.exceptions.ConnectionError:
                assert reply == "reset"
            assert len(acme.requests) == writing.meter.calls == 1
        acme.requests.clear()
        try:
            reader(acme).patch(acme.url, json={})
        except SourceUnavailable:
            assert reply == "reset"
        assert len(acme.requests) == 1


@pytest.mark.parametrize("module", ["connectors.write_transport", "connectors.salesforce.write"])
def test_write_code_cannot_reach_the_layer_that_repeats(module):
    look = f"import {module}, sys; sys.exit('connectors.transport' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False, cwd=ROOT, timeout=60).returncode == 0


def test_no_answer_at_all_is_unavailable():
    with service(GOOD) as acme:
        pass
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        reader(acme).get(acme.url)


def test_silence_ends_after_the_timeout():
    quiet = threading.Event()

    class Silent(BaseHTTPRequestHandler):
        def do_GET(self):
            quiet.wait(5)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    host = f"127.0.0.1:{server.server_address[1]}"
    try:
        asking = session("acme", allowed_hosts=[host], timeout=(1, 0.05), sleep=lambda _: None, read_retries=1)
        with pytest.raises(SourceUnavailable, match="in time"):
            asking.get(f"http://{host}/slow?token=hidden")
        assert asking.meter.calls == 2
    finally:
        quiet.set()
        server.shutdown()
        server.server_close()


def test_a_cut_reply_is_asked_again_and_then_broken():
    cut = (200, {"Content-Type": "application/json", "Content-Length": "500"}, b'{"rows": [')
    with service(cut, GOOD) as acme:
        assert read_json(reader(acme).get(acme.url), "acme") == {"ok": True}
    with service(cut) as acme, pytest.raises(SourceBroken, match="cut"):
        reader(acme, read_retries=1).get(acme.url)


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        ((401, {}, b"no"), SourceRefused, "not signed in"),
        ((403, {"Content-Type": "application/json"}, b'{"message": "No access"}'), SourceRefused, "No access"),
        ((404, {"Content-Type": "application/json"}, b'{"errorMessages": ["Gone"]}'), SourceRefused, "Gone"),
        ((500, {}, b"<html>secret stack trace</html>"), SourceUnavailable, "500"),
        ((200, {"Content-Type": "text/html"}, b"<html>sign in</html>"), SourceBroken, "text/html"),
        ((200, {"Content-Type": "application/json"}, b'{"a": [1, 2'), SourceBroken, "malformed"),
        ((200, {}, b""), SourceBroken, "without a content type"),
    ],
)
def test_a_bad_reply_is_one_clear_line_with_a_hint(reply, error, words):
    with service(reply) as acme:
        answer = reader(acme, read_retries=0).get(
            f"{acme.url}/x?token=canary", headers={"Authorization": "Bearer canary"}
        )
        with pytest.raises(error, match=words) as raised:
            read_json(answer, "acme")
        assert raised.value.hint
        assert "\n" not in raised.value.message
        assert "canary" not in raised.value.message
        assert "stack trace" not in raised.value.message


def test_redirects_are_refused_and_credentials_stay():
    with service(GOOD) as decoy, service((302, {"Location": f"{decoy.url}/steal"}, b"")) as acme:
        with pytest.raises(SourceBroken, match="redirected"):
            reader(acme).get(acme.url, headers={"Authorization": "Bearer canary"})
        assert decoy.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "{decoy}/x",
        "http://user:pw@{host}/",
        "http://{host}@{decoyhost}/",
        "http://{decoyhost}#@{host}/",
        "http://{decoyhost}\\@{host}/",
        "http://localhost:{decoyport}/",
        "http://evil.example/",
        "https://salesforce.com.evil.example/",
        "https://evilsalesforce.com/",
        "https://acme.salesforce.com:8443/",
        "http://acme.salesforce.com/",
        "ftp://{host}/",
    ],
)
def test_nothing_leaves_for_a_host_outside_the_allow_list(address):
    with service(GOOD) as decoy, service(GOOD) as acme:
        url = address.format(
            decoy=decoy.url, decoyhost=decoy.host, decoyport=decoy.host.rsplit(":", 1)[1], host=acme.host
        )
        asking = session("acme", allowed_hosts=[acme.host, "*.salesforce.com"], sleep=lambda _: None)
        with pytest.raises((SourceRefused, requests.exceptions.RequestException)):
            asking.get(url, headers={"Authorization": "Bearer canary"})
        assert decoy.requests == []
        assert asking.meter.calls == 0


def test_a_test_server_stands_in_for_the_allowed_hosts_only():
    with service(GOOD) as acme:
        asking = session("acme", base_url=acme.url, allowed_hosts=["*.salesforce.com"])
        asking.get("https://login.salesforce.com/services/data?q=a%20b")
        asking.get(f"https://{acme.host}/again")
        assert [path for _, path, _, _ in acme.requests] == ["/services/data?q=a%20b", "/again"]
        with pytest.raises(SourceRefused):
            asking.get("https://example.org/")


def test_a_stand_in_must_be_on_this_machine():
    with pytest.raises(ConfigurationError, match="this machine"):
        session("acme", base_url="http://10.0.0.1:80", allowed_hosts=["*.salesforce.com"])


def test_our_authorization_is_not_replaced_by_the_users_netrc(tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password stolen\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with service(GOOD) as acme:
        reader(acme).get(acme.url, headers={"Authorization": "Bearer ours"})
        assert acme.requests[0][2]["Authorization"] == "Bearer ours"


def test_a_proxy_for_the_outside_does_not_see_loopback_calls(monkeypatch):
    with service(GOOD) as proxy, service(GOOD) as acme:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        asking = session("acme", base_url=acme.url, allowed_hosts=["*.salesforce.com"])
        assert asking.get("https://login.salesforce.com/").status_code == 200
        assert proxy.requests == []
