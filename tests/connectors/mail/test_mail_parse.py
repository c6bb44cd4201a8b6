"""Foreign bytes: read, or refused with a reason, always soon."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.mail.parse import Unreadable, message_id, parse
from connectors.mail.text import HTML_LIMIT, html_text

HEAD = b"From: a@x.example\r\nMessage-ID: <1@x.example>\r\n"


def nested(kind: bytes, depth: int) -> bytes:
    if kind == b"message":
        return HEAD + b"Content-Type: message/rfc822\r\n\r\n" * depth + b"end"
    body = b""
    for n in range(depth):
        body += b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
    return HEAD + body + b"Content-Type: text/plain\r\n\r\nend"


def parts(count: int) -> bytes:
    return HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * count + b"--b--"


HOSTILE = {
    "nested multiparts": nested(b"multipart", 1_000),
    "nested messages": nested(b"message", 1_000),
    "a hundred thousand parts": parts(100_000),
    "201 parts": parts(201),
    "25 levels": nested(b"multipart", 25),
    "a long header": HEAD + b"Subject: " + b"x" * 40_000 + b"\r\n\r\nx",
    "many headers": HEAD + b"X: y\r\n" * 2_000 + b"\r\nx",
    "large headers": HEAD + (b"X: " + b"y" * 30_000 + b"\r\n") * 10 + b"\r\nx",
    "no sender": b"Subject: x\r\n\r\nx",
    "two senders": b"From: a@x.example, b@x.example\r\n\r\nx",
    "declarations": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<!x" * 90_000,
    "empty": b"",
}


REASONS = {
    "nested multiparts": "nested too deeply",
    "nested messages": "nested too deeply",
    "a hundred thousand parts": "too many parts",
    "201 parts": "more than 200 parts",
    "25 levels": "nested too deeply",
    "a long header": "a header larger than 32 KB",
    "many headers": "more than 1,000 headers",
    "large headers": "headers larger than 256 KB",
    "no sender": "not exactly one From header",
    "two senders": "not exactly one sender address",
    "declarations": "HTML with too many declarations",
    "empty": "not exactly one From header",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_mail_beyond_the_limits_is_refused_soon_and_with_a_reason(name):
    started = time.perf_counter()
    with pytest.raises(Unreadable) as refused:
        parse(HOSTILE[name])
    assert str(refused.value) == REASONS[name]
    assert time.perf_counter() - started < 2


SLOW = {
    "parentheses in From": b"From: a@x.example\r\nTo: " + b"(" * 20_000 + b"\r\n\r\nx",
    "pieces of a parameter": HEAD
    + b"Content-Type: text/plain" + b"".join(b"; a*%d=x" % n for n in range(3_000)) + b"\r\n\r\nx",
    "encoded words": HEAD + b"Subject: " + b"=?utf-8?q?x?= " * 2_000 + b"\r\n\r\nx",
    "addresses": HEAD + b"To: " + b"a@x.example, " * 2_400 + b"\r\n\r\nx",
    "angle brackets": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<" * 400_000,
    "open tags": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 80_000,
    "open comments": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<!--" * 400,
    "attributes": HEAD + b"Content-Type: text/html\r\n\r\n<a " + b"x='" * 100_000,
    "one long line": HEAD + b"\r\n" + b"On " * 300_000,
    "a line of addresses": HEAD + b"\r\nOwner: " + b"a@x.example, " * 70_000,
    "reply marks": HEAD + b"Subject: " + b"Re: [x] " * 4_000 + b"\r\n\r\nx",
    "twenty megabytes": HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"eHh4eHh4eHh4\r\n" * 1_400_000,
}  # fmt: skip


@pytest.mark.parametrize("name", SLOW)
def test_mail_made_to_be_slow_is_settled_soon(name):
    started = time.perf_counter()
    with suppress(Unreadable):
        parse(SLOW[name])
    assert time.perf_counter() - started < 3


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=2_000),
    st.sampled_from([b"", HEAD, HEAD + b"Content-Type: multipart/x; boundary=b\r\n\r\n--b\r\n"]),
)
def test_any_bytes_are_read_or_refused(tail, head):
    try:
        message = parse(head + tail)
    except Unreadable:
        return
    assert message.sender.address
    assert message.root
    assert "\n" not in message.subject


def test_an_unknown_charset_and_a_broken_encoding_are_read_as_far_as_they_go():
    raw = HEAD + b"Subject: =?x-unknown?q?Gr=FC=DFe?=\r\nContent-Type: text/plain; charset=x-unknown\r\n\r\ncaf\xe9"
    message = parse(raw)
    assert message.subject == "Grüße"
    assert message.fresh == "café"


def test_line_ends_hidden_in_a_subject_are_gone():
    assert parse(HEAD + b"Subject: =?utf-8?q?hi=0D=0ABcc:_v?=\r\n\r\nx").subject == "hi Bcc: v"


def test_direction_marks_and_zero_widths_cannot_disguise_words():
    raw = HEAD + "Content-Type: text/plain; charset=utf-8\r\n\r\nap\u200bpro\u202eved".encode()
    assert parse(raw).fresh == "approved"


@pytest.mark.parametrize(
    "markup",
    [
        "<p>seen</p><div style='display: none'>Approved</div>",
        "<p>seen</p><span style='FONT-SIZE:0px'>Approved</span>",
        "<p>seen</p><blockquote>Approved</blockquote>",
        "<p>seen</p><div class='gmail_quote'>Approved</div>",
        "<style>Approved</style><p>seen</p>",
        "<p hidden>Approved</p><p>seen</p>",
        "<div style='visibility:hidden'><p>Approved</div><p>seen",
    ],
)
def test_what_a_reader_cannot_see_is_not_said(markup):
    assert html_text(markup) == "seen"


def test_visible_markup_keeps_its_lines():
    assert html_text("<div>Owner: <b>Grace</b><br>Phase: Build</div><p>x&amp;y") == "Owner: Grace\nPhase: Build\n\nx&y"
    assert len(html_text("x" * (HTML_LIMIT * 2))) == HTML_LIMIT


def test_plain_text_wins_over_html_and_attachments_are_not_read():
    raw = (
        HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/html\r\n\r\n<p>html\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n"
        b"--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nattached\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: b@x.example\r\n\r\nforwarded\r\n--b--"
    )
    assert parse(raw).fresh == "plain"


def test_a_mail_without_an_id_gets_a_stable_one():
    raw = b"From: a@x.example\r\n\r\nhello"
    assert message_id(raw).startswith("sha256-")
    assert parse(raw).id == parse(raw).root == message_id(raw)
    assert message_id(b"From: a@x.example\r\nMessage-ID:\r\n <folded@x.example>\r\n\r\n") == "folded@x.example"
