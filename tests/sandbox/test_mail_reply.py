"""People answer mails the way their mail programs do, and the answers arrive."""

from __future__ import annotations

import email
import email.policy
from datetime import timedelta

import pytest
from mail_world import ADA, BOB, HUB, NOON, letter, post_office

from sandbox.mail.reply import STYLES, Style, Writer, reply, send

GRACE = Writer(name="Grace Hopper", address="grace@northwind.example", title="Build team")
LATER = NOON + timedelta(hours=3)


def asked(**headers: str) -> bytes:
    headers = {"Date": "Mon, 02 Mar 2026 12:00:00 +0000", **headers}
    return letter(
        "Who takes the banner?", "Can you take it?\nIt is due on Friday.\n", sender=f"Ada Lovelace <{ADA}>", **headers
    ).as_bytes()


def parsed(raw: bytes) -> email.message.EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, email.message.EmailMessage)
    return message


def test_a_reply_names_its_parent_and_all_ancestors() -> None:
    first = reply(asked(), by=GRACE, text="I'll take this", at=LATER, seed=1)
    told = parsed(first.raw)
    assert told["In-Reply-To"] == "<Who-takes-the-banner?@acme.example>"
    assert told["References"] == "<Who-takes-the-banner?@acme.example>"
    assert told["Subject"] == "Re: Who takes the banner?"
    assert told["Date"].datetime == LATER
    second = parsed(reply(first.raw, by=Writer(name="Ada", address=ADA), text="Thanks", at=LATER, seed=1).raw)
    assert second["References"].split() == ["<Who-takes-the-banner?@acme.example>", f"<{first.id}>"]
    assert second["In-Reply-To"] == f"<{first.id}>"
    assert second["Subject"] == "Re: Who takes the banner?"


def test_everybody_in_the_conversation_is_answered_once_and_the_writer_is_not() -> None:
    raw = asked(Cc=f"Bob <{BOB}>, grace@northwind.example, {BOB.upper()}, Handoffs <{HUB}>")
    made = reply(raw, by=GRACE, text="Yes", at=LATER, seed=1)
    assert made.recipients == (ADA, HUB, BOB)
    assert parsed(made.raw)["To"].addresses[0].addr_spec == ADA
    elsewhere = reply(asked(Reply_To="token+1@hub.example"), by=GRACE, text="Yes", at=LATER, seed=1)
    assert elsewhere.recipients == ("token+1@hub.example", HUB)


def test_whoever_follows_up_on_their_own_mail_writes_to_the_others() -> None:
    assert reply(asked(), by=Writer(name="Ada", address=ADA), text="?", at=LATER, seed=1).recipients == (HUB,)


def test_the_same_seed_writes_the_same_letter_and_all_manners_occur() -> None:
    def written(seed: int) -> tuple[Style, bytes]:
        made = reply(asked(), by=GRACE, text="I'll take this", at=LATER, seed=seed)
        return made.style, made.raw

    assert [written(seed) for seed in range(5)] == [written(seed) for seed in range(5)]
    assert {written(seed)[0] for seed in range(60)} == set(STYLES)


@pytest.mark.parametrize(
    ("style", "first", "holds", "lacks"),
    [
        ("plain", "I'll take this", "Ada Lovelace wrote:\n> Can you take it?\n> It is due on Friday.", "-- \n"),
        ("signed", "I'll take this", "\n-- \nGrace Hopper\nBuild team\n", "Sent from"),
        ("phone", "I'll take this", "Sent from my phone", "-- \n"),
        ("bottom", "On ", "> It is due on Friday.\n\nI'll take this\n", "-- \n"),
        ("bare", "I'll take this", "Grace Hopper", "Can you take it?"),
        ("outlook", "I'll take this", "From: Ada Lovelace <ada@acme.example>\nSent: ", "> Can"),
    ],
)
def test_each_manner_of_quoting(style: Style, first: str, holds: str, lacks: str) -> None:
    message = parsed(reply(asked(), by=GRACE, text="I'll take this", at=LATER, seed=1, style=style).raw)
    body = message.get_body(("plain",))
    assert body is not None
    text = body.get_content().replace("\r\n", "\n")
    assert text.startswith(first)
    assert holds in text
    assert lacks not in text


def test_outlook_sends_html_beside_the_text_with_every_name_escaped() -> None:
    raw = letter("a & b", "1 < 2\n", sender=f'"<b>Ada</b>" <{ADA}>').as_bytes()
    message = parsed(reply(raw, by=GRACE, text="<i>yes</i>", at=LATER, seed=1, style="outlook").raw)
    assert message.get_content_type() == "multipart/alternative"
    html = message.get_body(("html",))
    assert html is not None
    assert "&lt;i&gt;yes&lt;/i&gt;" in html.get_content()
    assert "1 &lt; 2" in html.get_content()
    assert "<i>yes" not in html.get_content()


@pytest.mark.parametrize("style", STYLES)
def test_a_long_line_and_another_script_survive(style: Style) -> None:
    text = "Ja, ich übernehme das. " + "sehr " * 400
    message = parsed(reply(asked(), by=GRACE, text=text, at=LATER, seed=1, style=style).raw)
    body = message.get_body(("plain",))
    assert body is not None
    assert text.strip() in body.get_content()
    raw = reply(asked(), by=GRACE, text=text, at=LATER, seed=1, style=style).raw
    assert max(map(len, raw.splitlines())) < 998


@pytest.mark.parametrize("raw", [b"", b"Subject: x", b"\xff\xfe", b"From: (((\r\nMessage-ID: <>\r\n\r\n"])
def test_even_a_broken_mail_can_be_answered(raw: bytes) -> None:
    assert b"I'll take this" in reply(raw, by=GRACE, text="I'll take this", at=LATER, seed=1).raw


def test_an_answer_goes_out_over_smtp_and_arrives() -> None:
    with post_office() as office:
        parent = asked(Cc=f"zoë@acme.example, {BOB}")
        made = reply(parent, by=GRACE, text="Ich übernehme", at=LATER, seed=4)
        send(made, host="127.0.0.1", port=office.smtp_port)
        assert office.subjects(HUB)[-1] == "Re: Who takes the banner?"
        assert office.subjects(BOB) == office.subjects(HUB)[-1:]
        (kept,) = office.kept("zoë@acme.example")
        assert kept["from"] == GRACE.address
        assert "Ich übernehme" in kept["text"]
        assert [entry["method"] for entry in office.journal()][:1] == ["MAIL"]
