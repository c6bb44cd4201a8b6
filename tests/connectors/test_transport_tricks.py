"""Addresses, links and redirects that try to lead a signed-in request elsewhere.

A decoy listens behind every name and address but the one of the service itself, so that whatever leaves for
anywhere else arrives there and is seen.
"""

import json
import socket
import threading
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from contract import NOW

from connectors.salesforce.connector import SalesforceConnector
from connectors.transport import READ, read_json, session
from connectors.write_transport import write_session
from hub.charter.secret import Secret
from hub.charter.sources import SalesforceSource
from hub.errors import SourceBroken, SourceError, SourceRefused

CANARY = "canary-7b1e-never-leaves"
SIGNED = {"Authorization": f"Bearer {CANARY}"}


class Acme:
    """The service: answers everything with `reply` and remembers what it was asked."""

    def __init__(self):
        self.reply = (200, {"Content-Type": "application/json"}, b"{}")
        self.asked = []
        acme = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                acme.asked.append((self.path, self.headers.get("Host")))
                status, headers, body = acme.reply(len(acme.asked)) if callable(acme.reply) else acme.reply
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PATCH = _answer  # noqa: N815  (the names http.server looks for)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.host = f"127.0.0.1:{self.port}"


class Decoy:
    """Counts whoever connects and welcomes them."""

    def __init__(self):
        self.visits = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"

    def serve(self):
        while True:
            try:
                visitor, _ = self.listener.accept()
            except OSError:
                return
            self.visits += 1
            with closing(visitor):
                visitor.recv(65536)
                visitor.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")


@pytest.fixture(scope="module")
def servers():
    acme, decoy = Acme(), Decoy()
    threading.Thread(target=acme.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    threading.Thread(target=decoy.serve, daemon=True).start()
    yield acme, decoy
    acme.server.shutdown()
    acme.server.server_close()
    decoy.listener.shutdown(socket.SHUT_RDWR)
    decoy.listener.close()


@pytest.fixture
def world(servers, monkeypatch):
    acme, decoy = servers
    acme.reply = (200, {"Content-Type": "application/json"}, b"{}")
    acme.asked.clear()
    decoy.visits = 0

    def resolve(host, port, *rest, **more):
        there = acme.port if (host, port) == ("127.0.0.1", acme.port) else decoy.port
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", there))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return acme, decoy


def signed_in(acme):
    return session("acme", allowed_hosts=[acme.host, "*.salesforce.com", "acme.atlassian.net"], read_retries=0)


def filled(trick, acme, decoy):
    return trick.format(acme=acme.host, port=acme.port, decoy=decoy.host, dport=decoy.port)


ELSEWHERE = [
    "http://{decoy}/x",
    "http://localhost:{dport}/",
    "http://0.0.0.0:{dport}/",
    "http://{acme}@{decoy}/",
    "http://{acme}:80@{decoy}/",
    "http://user:pw@{acme}/",
    "http://{acme}%40{decoy}/",
    "http://{decoy}\\@{acme}/",
    "http://{decoy}\\.{acme}/",
    "http://{decoy}#@{acme}/",
    "http://{decoy}?@{acme}/",
    "http://{decoy};@{acme}/",
    "http://[::1]:{dport}/",
    "http://[::1%25lo]:{port}/",
    "http://[::ffff:127.0.0.1]:{dport}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{dport}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://017700000001:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://127.1:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://127.0.0.1.rebind.example:{port}/",
    "http://localtest.example:{port}/",
    "http://acme.salesforce.com/",
    "https://salesforce.com/",
    "https://.salesforce.com/",
    "https://acme.salesforce.com./",
    "https://acme..salesforce.com/",
    "https://acme.salesforce.com:8443/",
    "https://acme.salesforce.com:443@evil.example/",
    "https://acme.salesforce.com.evil.example/",
    "https://evilsalesforce.com/",
    "https://evil.example/.salesforce.com",
    "https://evil.example?.salesforce.com",
    "https://evil.example#.salesforce.com",
    "https://evil.example%2f.salesforce.com/",
    "https://evil.example%00.salesforce.com/",
    "https://evil\u3002example/",
    "https://acme.salesforce.com\u3002evil.example/",
    "https://acme.salesforce.com\uff0eevil.example/",
    "https://\u0430cme.atlassian.net/",
    "https://acme.atlassian.net\u2024evil.example/",
    "https://acme.atlassian.net:0443@evil.example/",
    "//{decoy}/x",
    "///{decoy}/x",
    "http:///{decoy}/x",
    "http:{decoy}/x",
    "ftp://{acme}/",
    "file:///etc/passwd",
    "gopher://{decoy}/",
    "javascript://{acme}/%0aalert(1)",
    "http+unix://{acme}/",
]


@pytest.mark.parametrize("trick", ELSEWHERE)
def test_an_address_that_leads_elsewhere_is_refused(world, trick):
    acme, decoy = world
    asking = signed_in(acme)
    with pytest.raises(SourceRefused) as refused:
        asking.get(filled(trick, acme, decoy), headers=SIGNED)
    assert CANARY not in f"{refused.value!r}"
    assert (decoy.visits, acme.asked, asking.meter.calls) == (0, [], 0)


def test_the_tricks_work_where_nobody_is_on_guard(world):
    acme, decoy = world
    astray = set()
    for trick in ELSEWHERE:
        before = decoy.visits
        with requests.Session() as careless, suppress(requests.exceptions.RequestException, ValueError):
            careless.get(filled(trick, acme, decoy), headers=SIGNED, timeout=1)
        if decoy.visits > before:
            astray.add(trick)
    assert len(astray) >= 35


@pytest.mark.parametrize(
    "trick",
    [
        "http://{acme}\\@{decoy}/",
        "http://{acme}//{decoy}/x",
        "http://{acme}/%2f%2f{decoy}/x",
        "http://{acme}/..//{decoy}/x",
        "http://{acme}/@{decoy}/x",
        "http://{acme}/\\{decoy}/x",
        "http://{acme}/?next=http://{decoy}/",
        "http://{acme}/#@{decoy}/",
        "HTTP://{acme}/http://{decoy}/",
        "http://{acme}/x\r\nHost: {decoy}\r\n\r\nGET /stolen HTTP/1.1",
        "http://{acme}/x HTTP/1.1\r\nX: y",
    ],
)
def test_an_address_that_only_looks_like_elsewhere_stays_at_the_service(world, trick):
    acme, decoy = world
    signed_in(acme).get(filled(trick, acme, decoy), headers=SIGNED)
    assert decoy.visits == 0
    assert [host for _, host in acme.asked] == [acme.host]


@pytest.mark.parametrize(
    "text",
    [
        "http://{acme}\t@{decoy}/",
        "http://{acme}\r\n.evil.example/",
        "http://{acme} @{decoy}/",
        "http://{acme}\u3000/",
        "http://{decoy}\\@{acme}/",
        "http://[{acme}/",
        "http://{acme}:99999/",
        "http://{acme}/x HTTP/1.1",
        "http://{acme}/x\nX-Other: y",
        "http://{acme}/\\{decoy}/",
        "http://{acme}:-1/",
    ],
)
def test_what_a_library_prepared_by_itself_is_looked_at_too(world, text):
    acme, decoy = world
    asking = signed_in(acme)
    prepared = requests.Request("GET", f"http://{acme.host}/", headers=SIGNED).prepare()
    prepared.url = filled(text, acme, decoy)
    with pytest.raises(SourceRefused):
        asking.adapters["http://"].send(prepared)
    assert (decoy.visits, acme.asked) == (0, [])


REDIRECTS = [
    *((status, "http://{decoy}/x") for status in (300, 301, 302, 303, 304, 305, 307, 308)),
    (302, "//{decoy}/x"),
    (302, "http://{acme}@{decoy}/x"),
    (302, "/\\{decoy}/x"),
    (302, "\\\\{decoy}\\x"),
    (302, "https://acme.salesforce.com/x"),
    (302, "https://{acme}/x"),
    (307, "HTTP://{decoy}/x"),
    (308, "http:{decoy}/x"),
    (301, "/same/origin"),
    (302, "?further"),
    (302, "file:///etc/passwd"),
]


@pytest.mark.parametrize(("status", "location"), REDIRECTS)
@pytest.mark.parametrize("way", ["question", "asking post", "write"])
def test_no_redirect_is_followed(world, status, location, way):
    acme, decoy = world
    acme.reply = (status, {"Location": filled(location, acme, decoy)}, b"")
    url = f"http://{acme.host}/"
    writing = write_session("acme", allowed_hosts=[acme.host, "*.salesforce.com"])
    send = {
        "question": lambda: signed_in(acme).get(url, headers=SIGNED),
        "asking post": lambda: signed_in(acme).post(url, json={}, headers={**SIGNED, **READ}),
        "write": lambda: writing.patch(url, json={}, headers=SIGNED),
    }[way]
    with pytest.raises(SourceBroken):
        read_json(send(), "acme")
    assert (decoy.visits, len(acme.asked)) == (0, 1)


@pytest.mark.parametrize(
    "headers",
    [
        {"Link": '<http://{decoy}/x>; rel="next"'},
        {"Link": '<http://{decoy}/x>; rel="preload"'},
        {"Refresh": "0; url=http://{decoy}/x"},
        {"Location": "http://{decoy}/x"},
        {"Content-Location": "http://{decoy}/x"},
        {"Alt-Svc": 'h2="{decoy}"; ma=3600'},
        {"Set-Cookie": "route=1; Domain=evil.example"},
        {"Strict-Transport-Security": "max-age=1", "Content-Type": "text/html"},
    ],
)
def test_no_header_of_a_reply_makes_us_go_anywhere(world, headers):
    acme, decoy = world
    page = b'<meta http-equiv="refresh" content="0; url=http://evil.example/">'
    acme.reply = (200, {name: filled(value, acme, decoy) for name, value in headers.items()}, page)
    asking = signed_in(acme)
    asking.get(f"http://{acme.host}/", headers=SIGNED)
    asking.get(f"http://{acme.host}/again", headers=SIGNED)
    assert (decoy.visits, len(acme.asked)) == (0, 2)


def org(acme, decoy, **told):
    """An org whose every reply says the same; from the eighth on there is no further page."""
    says = {
        "access_token": CANARY,
        "instance_url": f"http://{acme.host}",
        "id": "https://login.salesforce.com/id/00D000000000001EAA/005000000000001AAA",
        "records": [],
        "totalSize": 4000,
        **{name: filled(value, acme, decoy) for name, value in told.items()},
    }

    def reply(count):
        return 200, {"Content-Type": "application/json"}, json.dumps({**says, "done": count > 7}).encode()

    acme.reply = reply
    source = SalesforceSource.model_validate(
        {
            "tool": "salesforce",
            "partner": "acme",
            "connection": {"base_url": f"http://{acme.host}", "client_id": "hub", "client_secret": "env:SECRET"},
            "objects": {"Case": {"title": "Subject"}},
        }
    )
    return SalesforceConnector("acme", source, lambda _: Secret(CANARY), sleep=lambda _: None)


@pytest.mark.parametrize(
    "link",
    [
        "//{decoy}/services/data/v59.0/query/01g-2000",
        "http://{decoy}/services/data/v59.0/query/01g-2000",
        "https://acme.salesforce.com@evil.example/query/01g-2000",
        "\\\\{decoy}\\01g-2000",
        "@{decoy}/01g-2000",
        ".evil.example/01g-2000",
        "/services/data/v59.0/query/..%2f..%2f..%2f{decoy}",
        "/services/data/v59.0/query/01g-2000?@{decoy}",
        "/services/data/v59.0/query/01g-2000\r\nHost: {decoy}",
    ],
)
def test_the_next_page_of_an_org_is_asked_of_the_org(world, link):
    acme, decoy = world
    connector = org(acme, decoy, nextRecordsUrl=link)
    for stream in connector.streams():
        try:
            list(connector.pull(stream, None, now=NOW))
        except SourceError:
            continue
    assert decoy.visits == 0
    assert {host for _, host in acme.asked} == {acme.host}
    assert any("/query/" in path for path, _ in acme.asked)


@pytest.mark.parametrize(
    "instance",
    [
        "http://{decoy}",
        "https://evil.example",
        "https://acme.salesforce.com.evil.example",
        "https://acme.salesforce.com@evil.example",
        "//{decoy}",
        "https://evil.example\\.salesforce.com",
    ],
)
def test_a_sign_in_that_names_another_home_gets_no_token_there(world, instance):
    acme, decoy = world
    connector = org(acme, decoy, instance_url=instance)
    with pytest.raises(SourceError) as raised:
        list(connector.pull(connector.streams()[0], None, now=NOW))
    assert CANARY not in f"{raised.value!r}"
    assert decoy.visits == 0
