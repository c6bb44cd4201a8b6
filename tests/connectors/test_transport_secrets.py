"""No credential shows in an error, a log line or a repr, whatever it looks like and whoever quotes it."""

import json
import logging
import threading
import traceback
from base64 import b64encode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote_plus

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.transport import ReadingAdapter, mount, read_json, session
from connectors.write_transport import write_session
from hub.errors import HubError, SourceRefused

#: Long enough not to stand in an error by chance.
secrets = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=12, max_size=60).map("q9Z".__add__)
unsendable = st.tuples(secrets, st.sampled_from(["\n", "\r\n", "\r", "\u20ac", "\u2028"]), secrets).map("".join)


@pytest.fixture(scope="module")
def gossip():
    """A service that answers every request by quoting all of it, with `status`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("latin-1")
            if server.status is None:
                self.close_connection = True
                self.connection.close()
                return
            quoted = [*(f"{name}={value}" for name, value in self.headers.items()), body, *server.also]
            reply = json.dumps({"error": "invalid_grant", "message": "bad", "errors": quoted[:3]}).encode()
            if server.also:
                reply = json.dumps({"error_description": server.also}).encode()
            self.send_response(server.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply)))
            if 300 <= server.status < 400:
                self.send_header("Location", f"http://evil.example/?{quote_plus(server.also[0])}")
            self.end_headers()
            self.wfile.write(reply)

        do_GET = do_POST = do_PATCH = _answer  # noqa: N815  (the names http.server looks for)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.status, server.also = 401, []
    server.host = f"127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@contextmanager
def overheard():
    """Every line logged meanwhile, at any level."""
    lines = []

    class Ear(logging.Handler):
        def emit(self, record):
            lines.append(record.getMessage())

    root, ear, before = logging.getLogger(), Ear(), logging.getLogger().level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(ear)
        root.setLevel(before)


def shown(error):
    """All that a person could get to see of an error."""
    return "\n".join(
        [str(error), repr(error), *traceback.format_exception(error), getattr(error, "hint", ""), str(error.args)]
    )


def ways_to_carry(secret):
    """(keyword arguments of a request, forms in which the secret could be quoted)"""
    basic = b64encode(f"ada:{secret}".encode("latin-1", "replace")).decode()
    return [
        ({"headers": {"Authorization": f"Bearer {secret}"}}, [secret]),
        ({"headers": {"X-Acme-Key": secret}}, [secret]),
        ({"headers": {"Authorization": f"Basic {basic}"}}, [secret, basic]),
        ({"data": {"grant_type": "client_credentials", "client_secret": secret}}, [secret, quote_plus(secret)]),
        ({"data": {"grant_type": "refresh_token", "refresh_token": secret}}, [secret, quote_plus(secret)]),
        ({"data": {"grant_type": "password", "password": secret}}, [secret, quote_plus(secret)]),
    ]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    secret=secrets,
    carried=st.integers(0, 5),
    status=st.sampled_from([302, 400, 401, 403, 404, 429, 500, 503, None]),
    reading=st.booleans(),
)
def test_what_a_service_quotes_is_taken_out_of_the_error(gossip, secret, carried, status, reading):
    request, forms = ways_to_carry(secret)[carried]
    gossip.status, gossip.also = status, [f"you sent {form}, which is wrong" for form in forms]
    make = session if reading else write_session
    limits = {"read_retries": 1, "sleep": lambda _: None} if reading else {}
    with overheard() as lines, make("acme", allowed_hosts=[gossip.host], **limits) as asking:
        with pytest.raises((HubError, requests.exceptions.RequestException)) as raised:
            read_json(asking.post(f"http://{gossip.host}/token", **request), "acme")
        seen = shown(raised.value) + "\n".join(lines) + repr(asking) + repr(asking.meter) + repr(asking.adapters)
    assert not [form for form in forms if form in seen]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=unsendable, carried=st.integers(0, 1), own=st.booleans())
def test_a_secret_no_header_can_hold_is_refused_without_being_quoted(gossip, secret, carried, own):
    gossip.status, gossip.also = 200, []
    request, _ = ways_to_carry(secret)[carried]
    asking = requests.Session() if own else session("acme", allowed_hosts=[gossip.host])
    if own:
        mount(asking, ReadingAdapter("acme", allowed_hosts=[gossip.host]))
    with overheard() as lines, asking, pytest.raises(SourceRefused, match="cannot be sent") as raised:
        asking.get(f"http://{gossip.host}/", **request)
    seen = shown(raised.value) + "\n".join(lines)
    assert secret not in seen
    assert secret[:12] not in seen
    assert repr(secret)[1:-1] not in seen


@settings(max_examples=25, deadline=None)
@given(
    secret=secrets,
    address=st.sampled_from(
        ["http://{}@evil.example/", "http://ada:{}@127.0.0.1/", "http://127.0.0.1:9/?token={}", "ftp://{}/", "{}://x/"]
    ),
)
def test_a_secret_in_a_refused_address_is_not_quoted(secret, address):
    plain = "".join(letter for letter in secret if letter.isalnum()) + "q9Z00000000"
    asking = session("acme", allowed_hosts=["127.0.0.1:10"])
    with overheard() as lines, pytest.raises(SourceRefused) as raised:
        asking.get(address.format(plain))
    assert plain.lower() not in (shown(raised.value) + "\n".join(lines)).lower().replace(
        address.format(plain).lower(), ""
    )


def test_words_that_are_no_secret_stay_readable(gossip):
    gossip.status, gossip.also = 400, ["inactive user; content type application/json expected"]
    asking = session("acme", allowed_hosts=[gossip.host])
    with pytest.raises(SourceRefused, match="inactive user; content type application/json expected"):
        read_json(asking.get(f"http://{gossip.host}/", headers={"Authorization": "Bearer abc-def-ghi"}), "acme")
