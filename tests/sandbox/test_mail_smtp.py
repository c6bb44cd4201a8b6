"""The company's SMTP server: what it takes, keeps and delivers, and how each ordered fault looks to smtplib."""

from __future__ import annotations

import email
import email.policy
import smtplib
import ssl
from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests
from mail_world import ADA, BOB, HUB, NOON, SECRET, PostOffice, letter, post_office


@pytest.fixture(scope="module")
def house() -> Iterator[PostOffice]:
    with post_office("pymap", bounces=["gone@partner.example", "*@closed.example"], size_limit=200_000) as running:
        yield running


@pytest.fixture
def office(house: PostOffice) -> Iterator[PostOffice]:
    yield house
    requests.delete(f"{house.control}/faults", timeout=10)
    requests.delete(f"{house.control}/journal", timeout=10)


def test_every_envelope_is_kept_with_its_hidden_recipients_and_the_companys_time(office: PostOffice) -> None:
    with office.smtp() as line:
        line.send_message(letter("hidden copy"), to_addrs=[HUB, "carol@acme.example", "dan@acme.example"])
    (kept,) = office.kept("dan@acme.example")
    assert kept["from"] == ADA
    assert kept["to"] == [HUB, "carol@acme.example", "dan@acme.example"]
    assert kept["at"] == (NOON + timedelta(days=30)).isoformat()
    assert ["To", HUB] in kept["headers"]
    assert kept["text"].strip() == "Hello"


def test_mail_lands_in_the_inbox_of_everybody_who_has_one_with_the_companys_time(office: PostOffice) -> None:
    with office.smtp() as line:
        line.send_message(letter("for two"), to_addrs=[HUB, BOB.upper(), BOB, "nobody@acme.example"])
    for who in (HUB, BOB):
        client = office.imap(who)
        client.select_folder("INBOX", readonly=True)
        (uid,) = client.search(["SUBJECT", "for two"])
        found = client.fetch([uid], ["INTERNALDATE", "BODY.PEEK[]"])[uid]
        client.logout()
        assert found[b"INTERNALDATE"] == NOON + timedelta(days=30)
        arrived = email.message_from_bytes(found[b"BODY[]"], policy=email.policy.default)
        assert arrived["Return-Path"] == f"<{ADA}>"
        assert f"for <{who}>" in arrived["Received"]


def test_an_address_in_another_script_is_taken(office: PostOffice) -> None:
    with office.smtp() as line:
        line.ehlo()
        line.sendmail("zoë@acme.example", ["jürgen@straße.example"], b"Subject: x\r\n\r\n", ["SMTPUTF8"])
    assert office.kept("jürgen@straße.example")[0]["from"] == "zoë@acme.example"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n",
        b"Subject: =?x-nowhere?q?a?=\r\nContent-Type: text/plain; charset=x-nowhere\r\n\r\nx",
        b"From: (((((\r\nDate: 1 Jan 2026 00:00:00 +99999999999999999999\r\n\r\nx",
        b'Content-Type: multipart/mixed; boundary="a"\r\n\r\n--a\r\n',
        b"Content-Transfer-Encoding: base64\r\nContent-Type: text/plain\r\n\r\n\xff\xfe!!",
        b"Subject: " + b"\xff" * 200 + b"\r\n\r\n",
    ],
)
def test_hostile_mail_is_kept_like_any_other(office: PostOffice, raw: bytes) -> None:
    before = len(office.kept())
    with office.smtp() as line:
        line.sendmail(ADA, ["trash@acme.example"], raw)
    assert len(office.kept()) == before + 1


def test_every_command_is_in_the_journal(office: PostOffice) -> None:
    with office.smtp() as line:
        line.send_message(letter("noted"), to_addrs=[HUB, BOB])
    noted = [(e["method"], e["path"], e["body"], e["status"]) for e in office.journal()]
    assert noted == [
        ("MAIL", ADA, "", 250),
        ("RCPT", HUB, "", 250),
        ("RCPT", BOB, "", 250),
        ("DATA", f"{HUB},{BOB}", "noted", 250),
    ]


@pytest.mark.parametrize("code", [421, 450, 451, 452, 550, 552, 554])
def test_status_at_data_refuses_the_message(office: PostOffice, code: int) -> None:
    office.order("status", method="DATA", settings={"status": code})
    with pytest.raises(smtplib.SMTPDataError) as told, office.smtp() as line:
        line.send_message(letter(f"refused with {code}"))
    assert told.value.smtp_code == code
    assert f"refused with {code}" not in office.subjects()
    assert office.journal()[-1]["fault"] == "status"
    with office.smtp() as line:
        line.send_message(letter(f"taken after {code}"))
    assert f"taken after {code}" in office.subjects()


def test_status_for_one_of_two_recipients_refuses_that_one(office: PostOffice) -> None:
    office.order("status", method="RCPT", path=BOB, settings={"status": 550, "body": "5.7.1 not\r\ntoday"})
    with office.smtp() as line:
        refused = line.send_message(letter("half"), to_addrs=[BOB, HUB])
    assert refused == {BOB: (550, b"5.7.1 not today")}
    assert office.kept()[0]["to"] == [HUB]


def test_status_421_closes_the_connection(office: PostOffice) -> None:
    office.order("status", method="MAIL", settings={"status": 421})
    line = office.smtp()
    line.ehlo()
    assert line.mail(ADA)[0] == 421
    with pytest.raises(smtplib.SMTPServerDisconnected):
        line.noop()


def test_status_421_instead_of_the_greeting(office: PostOffice) -> None:
    office.order("status", method="CONNECT", settings={"status": 421})
    with pytest.raises(smtplib.SMTPConnectError) as told:
        office.smtp()
    assert told.value.smtp_code == 421
    office.smtp().quit()


def test_a_status_made_for_http_becomes_one_of_smtp(office: PostOffice) -> None:
    office.order("status", method="MAIL")
    line = office.smtp()
    line.ehlo()
    assert line.mail(ADA)[0] == 421


def test_an_order_may_pick_the_nth_message_by_subject(office: PostOffice) -> None:
    office.order("status", method="DATA", body_matches="urgent", nth=2, settings={"status": 451})
    with office.smtp() as line:
        line.send_message(letter("urgent one"))
        line.send_message(letter("calm"))
        with pytest.raises(smtplib.SMTPDataError):
            line.send_message(letter("urgent two"))


@pytest.mark.parametrize("method", ["MAIL", "RCPT", "DATA"])
def test_down_drops_the_connection_and_nothing_is_taken(office: PostOffice, method: str) -> None:
    before = len(office.kept())
    office.order("down", method=method)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        office.smtp().send_message(letter("dropped"))
    assert len(office.kept()) == before


def test_hang_before_leaves_the_client_without_an_answer(office: PostOffice) -> None:
    office.order("hang_before", method="MAIL")
    line = smtplib.SMTP("127.0.0.1", office.smtp_port, timeout=10)
    line.ehlo()
    line.timeout = 0.1
    assert line.sock is not None
    line.sock.settimeout(0.1)
    with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
        line.mail(ADA)
    assert office.journal()[-1]["status"] is None


@pytest.mark.parametrize("order", [{"method": "DATA"}, {}])
def test_reply_lost_takes_the_message_and_drops_the_connection(office: PostOffice, order: dict[str, str]) -> None:
    subject = f"lost {len(order)}"
    office.order("reply_lost", **order)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        office.smtp().send_message(letter(subject))
    assert office.subjects().count(subject) == 1
    assert dict(office.kept()[0]["headers"])["Subject"] == subject
    with office.smtp() as line:
        line.send_message(letter(subject))  # whoever repeats it is not stopped: the message is there twice
    assert office.subjects().count(subject) == 2


def test_an_unreachable_recipient_is_told_to_the_sender(office: PostOffice) -> None:
    with office.smtp() as line:
        line.send_message(letter("to the void"), to_addrs=[HUB, "Gone@Partner.example", "any@closed.example"])
    client = office.imap(ADA)
    client.select_folder("INBOX", readonly=True)
    (uid,) = client.search(["SUBJECT", "Undelivered"])
    raw = client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"]
    client.logout()
    told = email.message_from_bytes(raw, policy=email.policy.default)
    assert told.get_content_type() == "multipart/report"
    assert told.get_param("report-type") == "delivery-status"
    assert (told["Return-Path"], told["Auto-Submitted"]) == ("<>", "auto-replied")
    parts = {part.get_content_type(): part for part in told.iter_parts()}
    assert "Gone@Partner.example" in parts["text/plain"].get_content()
    blocks = parts["message/delivery-status"].get_payload()
    failed = [(block["Final-Recipient"], block["Action"], block["Status"]) for block in blocks[1:]]
    assert failed == [
        ("rfc822; Gone@Partner.example", "failed", "5.1.1"),
        ("rfc822; any@closed.example", "failed", "5.1.1"),
    ]
    assert "to the void" in parts["text/rfc822-headers"].get_payload()
    assert "to the void" in office.subjects(HUB)
    assert office.kept(ADA)[0]["from"] == ""


def test_a_message_over_the_limit_is_refused_before_and_after_it_is_sent(office: PostOffice) -> None:
    big = letter("big", "x" * 70 + "\n" + "y" * 70 + "\n" * 250_000)
    with pytest.raises(smtplib.SMTPSenderRefused) as told, office.smtp() as line:
        line.send_message(big)  # smtplib tells the size with MAIL
    assert told.value.smtp_code == 552
    line = office.smtp()
    line.ehlo()
    line.esmtp_features.pop("size")
    with pytest.raises(smtplib.SMTPDataError) as late, line:
        line.send_message(big)
    assert late.value.smtp_code == 552


@pytest.mark.parametrize("mechanism", ["auth_plain", "auth_login"])
def test_people_may_sign_in_with_the_password_of_their_mailbox(office: PostOffice, mechanism: str) -> None:
    name = mechanism.partition("_")[2].upper()
    line = office.smtp()
    line.ehlo()
    line.user, line.password = HUB, SECRET
    assert line.auth(name, getattr(line, mechanism))[0] == 235
    line.quit()
    line = office.smtp()
    line.ehlo()
    line.user, line.password = HUB, "wrong"
    with pytest.raises(smtplib.SMTPAuthenticationError):
        line.auth(name, getattr(line, mechanism))
    assert [(e["method"], e["path"], e["status"]) for e in office.journal()] == [("AUTH", HUB, 235), ("AUTH", HUB, 535)]
    assert SECRET not in str(office.journal())


def test_starttls_is_offered_where_the_world_asks_for_it() -> None:
    with post_office("pymap", starttls=True) as office:
        with office.smtp() as line:
            line.ehlo()
            with pytest.raises(ssl.SSLCertVerificationError):
                line.starttls(context=ssl.create_default_context())
        with office.smtp() as line:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            line.starttls(context=context)
            line.login(ADA, SECRET)
            line.send_message(letter("under TLS"))
        assert "under TLS" in office.subjects()


def test_numbers_go_on_in_a_company_that_is_resumed(office: PostOffice) -> None:
    from sandbox.mail.smtp import Post

    with office.smtp() as line:
        line.send_message(letter("before"))
    newest = max(int(envelope["id"]) for envelope in office.kept())
    assert Post(office.store, "ops_mail", office.mailbox)._next() == newest + 1
