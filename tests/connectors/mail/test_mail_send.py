"""Naming an owner in a thread: one mail, to the right people, found again by its marker."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import pytest

from connectors.mail.connector import connect
from connectors.mail.parse import OWN_HEADER
from connectors.mail.send import IN_TRANSIT, marker_id
from hub.charter.secret import Secret
from hub.errors import ConfigurationError, SourceRefused, SourceUnavailable

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MARKER = "0f" * 32
ROOT = "root@acme.example"
OWN = "handoffs@hub.example"


@pytest.fixture
def thread(folder, mail):
    folder.add(mail("We need a banner.\n", subject="[ACME-12] Banner", to=f"Grace Hopper <grace@acme.example>, {OWN}"))
    folder.add(
        mail(
            "Owner: Bob <bob@studio.example>\n", id="2@acme.example", references=f"<{ROOT}>", date=NOON + timedelta(1)
        ),
        NOON + timedelta(1),
    )
    return folder


@pytest.fixture
def writer(thread, post):
    made = thread.connector(smtp_host="127.0.0.1", smtp_port=post.port).writer
    assert made is not None
    return made


def test_the_owner_is_the_last_one_stated_in_the_thread(writer, thread, mail):
    reading = writer.read_owner(ROOT)
    assert reading.owner == "bob@studio.example"
    # an out-of-office answer changes nothing, a later statement does
    away = mail(
        "Owner: x@acme.example", id="3@x.example", references=f"<{ROOT}>", headers="Auto-Submitted: auto-replied"
    )
    thread.add(away, NOON + timedelta(2))
    assert writer.read_owner(ROOT).owner == "bob@studio.example"
    late = mail("Owner: nobody", id="4@x.example", references=f"<{ROOT}>", date=NOON + timedelta(3))
    thread.add(late, NOON + timedelta(3))
    assert writer.read_owner(ROOT).owner is None
    assert writer.read_owner(ROOT).version != reading.version


def test_an_unknown_thread_is_refused(writer):
    with pytest.raises(SourceRefused, match="no mail of thread"):
        writer.read_owner("nothing@acme.example")


def test_one_mail_names_the_owner_to_everybody_concerned(writer, thread, post):
    reading = writer.read_owner(ROOT)
    assert writer.send_owner(ROOT, "grace@acme.example", reading, marker=MARKER).kind == "accepted"
    ((sender, recipients, content),) = post.envelopes
    assert sender == OWN
    assert recipients == ["grace@acme.example", "ada@acme.example", OWN]
    sent = message_from_bytes(content, policy=policy.default)
    assert sent["Subject"] == "Re: Banner"
    assert (sent["In-Reply-To"], sent["References"]) == (f"<{ROOT}>", f"<{ROOT}>")
    assert (sent["Auto-Submitted"], sent[OWN_HEADER]) == ("auto-generated", MARKER)
    assert sent["Message-ID"] == f"<{marker_id(MARKER, OWN)}>"
    assert "Owner: Grace Hopper <grace@acme.example>" in sent.get_content().splitlines()
    # it came back into the folder: the thread knows its owner, and so does the next pull
    assert writer.read_owner(ROOT).owner == "grace@acme.example"
    assert writer.sent_by_us(ROOT, "grace@acme.example", NOON, marker=MARKER) is True
    connector = thread.connector()
    pages = list(connector.pull(connector.streams()[0], None, now=NOON))
    owners = [o for p in pages for o in p.observations if o.field == "owner"]
    assert (owners[-1].record, owners[-1].value, owners[-1].actor) == (ROOT, "grace@acme.example", OWN)


def test_a_marker_is_mailed_once_however_often_it_is_sent(writer, post):
    reading = writer.read_owner(ROOT)
    for _ in range(3):
        assert writer.send_owner(ROOT, "grace@acme.example", reading, marker=MARKER).kind == "accepted"
    assert len(post.envelopes) == 1


def test_a_lost_answer_is_settled_by_looking_for_the_marker(writer, post):
    post.data_answers = ["drop"]
    reading = writer.read_owner(ROOT)
    assert writer.send_owner(ROOT, "grace@acme.example", reading, marker=MARKER).kind == "unknown"
    assert writer.sent_by_us(ROOT, "grace@acme.example", datetime.now(UTC), marker=MARKER) is True
    assert writer.send_owner(ROOT, "grace@acme.example", reading, marker=MARKER).kind == "accepted"
    assert len(post.envelopes) == 1


def test_a_mail_still_on_its_way_is_not_called_lost(writer, post):
    post.data_answers, post.deliver = ["drop"], False
    reading = writer.read_owner(ROOT)
    assert writer.send_owner(ROOT, "grace@acme.example", reading, marker=MARKER).kind == "unknown"
    with pytest.raises(SourceUnavailable, match="on its way"):
        writer.sent_by_us(ROOT, "grace@acme.example", datetime.now(UTC), marker=MARKER)
    long_ago = datetime.now(UTC) - IN_TRANSIT
    assert writer.sent_by_us(ROOT, "grace@acme.example", long_ago, marker=MARKER) is False


@pytest.mark.parametrize(
    ("refused", "data", "expected"),
    [
        ({OWN: "451 later"}, [], "not_processed"),
        ({OWN: "550 no"}, [], "refused"),
        ({"grace@acme.example": "550 no"}, [], "accepted"),
        ({}, ["451 later"], "not_processed"),
        ({}, ["554 no"], "refused"),
    ],
)
def test_what_the_server_says_is_what_happened(writer, post, refused, data, expected):
    post.refused, post.data_answers = refused, list(data)
    reading = writer.read_owner(ROOT)
    result = writer.send_owner(ROOT, "grace@acme.example", reading, marker=MARKER)
    assert result.kind == expected
    assert len(post.envelopes) == (1 if expected == "accepted" else 0)
    if expected == "accepted":
        assert "grace@acme.example (550)" in result.detail


def test_a_dead_smtp_server_sent_nothing(thread):
    writer = thread.connector(smtp_host="127.0.0.1", smtp_port=1).writer
    result = writer.send_owner(ROOT, "grace@acme.example", writer.read_owner(ROOT), marker=MARKER)
    assert result.kind == "not_processed"


def test_nobody_and_two_owners_can_be_named(writer):
    reading = writer.read_owner(ROOT)
    assert writer.send_owner(ROOT, None, reading, marker="a").kind == "accepted"
    assert writer.read_owner(ROOT).owner is None
    both = "bob@studio.example,grace@acme.example"
    assert writer.send_owner(ROOT, both, writer.read_owner(ROOT), marker="b").kind == "accepted"
    assert writer.read_owner(ROOT).owner == both


def test_programs_and_forged_addresses_own_nothing(writer, post):
    reading = writer.read_owner(ROOT)
    for address in (OWN, "no-reply@acme.example", "x@y.example\r\nBcc: evil@x.example", "nobody"):
        assert writer.may_own(ROOT, address)
        assert writer.send_owner(ROOT, address, reading, marker=MARKER).kind == "refused"
    assert writer.may_own(ROOT, "grace@acme.example") == ""
    assert post.envelopes == []


def test_a_title_from_outside_cannot_break_out_of_its_header(writer, post):
    reading = writer.read_owner(ROOT)
    witness = json.loads(reading.witness) | {"title": "Banner\r\nBcc: evil@x.example"}
    names = witness["names"] | {"grace@acme.example": 'Grace\r\n"<evil@x.example>, x'}
    forged = type(reading)(owner=reading.owner, version="", witness=json.dumps(witness | {"names": names}))
    assert writer.send_owner(ROOT, "grace@acme.example", forged, marker=MARKER).kind == "accepted"
    ((_, recipients, content),) = post.envelopes
    assert "evil@x.example" not in " ".join(recipients)
    sent = message_from_bytes(content, policy=policy.default)
    assert sent["Bcc"] is None
    assert sent["Subject"] == "Re: Banner Bcc: evil@x.example"
    assert writer.read_owner(ROOT).owner == "grace@acme.example"


def test_check_names_everything_wrong_with_the_mailbox_and_smtp(thread, post):
    assert thread.connector(smtp_host="127.0.0.1", smtp_port=post.port).check() == ()
    (smtp,) = thread.connector(smtp_host="127.0.0.1", smtp_port=1).check()
    assert smtp.where == "ops_mail SMTP"
    both = thread.connector(smtp_host="127.0.0.1", smtp_port=1, folder="Nowhere").check()
    assert [p.where for p in both] == ["ops_mail", "ops_mail SMTP"]
    (missing,) = thread.connector().check()
    assert "smtp_host" in missing.what


def test_smtp_without_tls_is_for_this_machine_only(thread):
    source = thread.source(smtp_host="mail.acme.example", smtp_tls=False)
    with pytest.raises(ConfigurationError, match="without TLS"):
        connect("ops_mail", source, lambda _: Secret("x"))
