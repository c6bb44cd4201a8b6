"""How long a service may keep us waiting, how much it may send, and what is said about it."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from connectors.transport import TOTAL_WAIT, read_json, session
from connectors.wire import MAX_REPLY
from connectors.write_transport import write_session
from hub.errors import SourceBroken, SourceUnavailable

TODAY = "Sat, 21 Nov 2026 12:00:00 GMT"


@pytest.fixture
def service():
    """A service that answers with `replies` in turn, the last one for ever; its clock stands still."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            server.asked += 1
            status, headers, body = server.replies.pop(0) if len(server.replies) > 1 else server.replies[0]
            self.send_response_only(status)
            for name, value in {"Date": TODAY, "Content-Type": "application/json", **headers}.items():
                if value:
                    self.send_header(name, value)
            self.end_headers()
            try:
                for piece in body if isinstance(body, list) else [body]:
                    self.wfile.write(piece)
                    server.sent += len(piece)
            except OSError:
                server.hung_up.set()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.asked = server.sent = 0
    server.hung_up = threading.Event()
    server.host = f"127.0.0.1:{server.server_address[1]}"
    server.url = f"http://{server.host}/rows"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


GOOD = (200, {}, b'{"ok": true}')


def turned_away(retry_after, date=TODAY, status=429):
    return status, {"Retry-After": retry_after, "Date": date}, b'{"message": "too many"}'


@pytest.mark.parametrize(
    ("retry_after", "wait"),
    [
        ("61", 61),
        ("299", 299),
        ("Sat, 21 Nov 2026 12:04:00 GMT", 240),
        ("Saturday, 21-Nov-26 12:02:00 GMT", 120),
        ("Sat Nov 21 12:01:30 2026", 0.5),  # without a zone it says no moment
        ("²", 0.5),
        ("-5", 0.5),
        ("7.5", 0.5),
        ("", 0.5),
        ("Sat, 99 Nov 2026 12:02:00 GMT", 0.5),
    ],
)
def test_a_long_wait_is_honoured_and_an_unreadable_one_is_ours(service, retry_after, wait):
    service.replies = [turned_away(retry_after), GOOD]
    waits = []
    asking = session("acme", allowed_hosts=[service.host], sleep=waits.append)
    assert read_json(asking.get(service.url), "acme") == {"ok": True}
    assert waits == [wait]
    assert asking.meter.waited == wait


@pytest.mark.parametrize(
    ("retry_after", "asked", "until"),
    [
        (str(int(TOTAL_WAIT) + 1), "301 s", "2026-11-21 12:06 UTC"),
        ("3600", "3600 s", "2026-11-21 13:00 UTC"),
        ("Sun, 22 Nov 2026 00:00:00 GMT", "43200 s", "2026-11-22 00:00 UTC"),
        ("Sat, 21 Nov 2026 14:00:00 +0100", "3600 s", "2026-11-21 13:00 UTC"),
        ("9" * 20, "for good", ""),
        ("9" * 400, "for good", ""),
    ],
)
def test_a_wait_beyond_the_bound_is_told_and_not_slept(service, retry_after, asked, until):
    service.replies = [turned_away(retry_after)]
    waits = []
    asking = session("acme", allowed_hosts=[service.host], sleep=waits.append)
    with pytest.raises(SourceUnavailable) as raised:
        read_json(asking.get(service.url), "acme")
    assert (waits, service.asked) == ([], 1)
    assert "429: too many" in raised.value.message
    assert asked in raised.value.message
    assert until in raised.value.hint


def test_a_wait_without_the_services_date_is_told_in_seconds_alone(service):
    service.replies = [turned_away("3600", date="")]
    with pytest.raises(SourceUnavailable, match="3600 s") as raised:
        read_json(session("acme", allowed_hosts=[service.host]).get(service.url), "acme")
    assert raised.value.hint == "the next sync tries again"


@pytest.mark.parametrize("make", [session, write_session])
@pytest.mark.parametrize("kind", ["announced", "endless", "packed"])
def test_a_reply_beyond_the_cap_is_dropped_with_a_clear_error(service, make, kind):
    service.replies = [
        {
            "announced": (200, {"Content-Length": "5000000"}, [b"x" * 100_000] * 50),
            "endless": (200, {}, [b"x" * 100_000] * 400),
            "packed": (200, {"Content-Encoding": "gzip"}, gzip.compress(b"x" * 5_000_000)),
        }[kind]
    ]
    with make("acme", allowed_hosts=[service.host], max_reply=1_000_000) as asking:
        with pytest.raises(SourceBroken, match=r"GET /rows is larger than 1 MB") as raised:
            asking.get(f"{service.url}?token=hidden")
        assert raised.value.hint
        assert "hidden" not in raised.value.message
        assert service.asked == 1
    if kind == "endless":
        assert service.hung_up.wait(5), "the rest was read although it was not wanted"


def test_a_reply_of_just_the_cap_is_taken_whole(service):
    service.replies = [(200, {}, b"[" + b" " * 999_998 + b"]")]
    asking = session("acme", allowed_hosts=[service.host], max_reply=1_000_000)
    response = asking.get(service.url)
    assert len(response.content) == 1_000_000
    assert response.text[0] == "["
    assert read_json(response, "acme") == []


def test_a_reply_asked_for_piece_by_piece_is_left_to_whoever_reads_it(service):
    service.replies = [(200, {}, [b"x" * 100_000] * 20)]
    asking = session("acme", allowed_hosts=[service.host], max_reply=1_000_000)
    with asking.get(service.url, stream=True) as response:
        assert sum(len(piece) for piece in response.iter_content(65_536)) == 2_000_000


def test_the_cap_is_200_megabytes_unless_said_otherwise():
    assert MAX_REPLY == 200_000_000
