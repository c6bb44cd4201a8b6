"""What counts as a statement, and what must never count as one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.mail.fresh import fresh
from connectors.mail.observe import happened, observe
from connectors.mail.parse import Address, parse
from connectors.mail.statements import answer, statements

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
OWN = "handoffs@hub.example"
PEOPLE = (
    Address(address="grace@acme.example", name="Grace Hopper"),
    Address(address="bob@acme.example", name="Bob"),
    Address(address="bob@studio.example", name="Bob"),
)


def said(text: str) -> list[tuple[str, str | None]]:
    found = statements(text, sender="ada@acme.example", people=PEOPLE)
    return [(s.kind, s.value) for s in found]


def seen(raw: bytes, *, approver: str | None = None) -> set[tuple[str, str | None]]:
    found = observe(parse(raw), source="ops_mail", received=NOON, own=OWN, raw="", approver=approver)
    return {(o.field, o.value) for o in found if o.entity == "item"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Owner: Grace Hopper <Grace@acme.example>", ("owner", "grace@acme.example")),
        ("owner : grace@acme.example.", ("owner", "grace@acme.example")),
        ("**Assigned to:** Grace Hopper", ("owner", "grace@acme.example")),
        ("Owner: grace@acme.example<mailto:grace@acme.example>", ("owner", "grace@acme.example")),
        ("Owner: Bob <bob@acme.example>, Grace <grace@acme.example>", ("owner", "bob@acme.example,grace@acme.example")),
        ("Owner: nobody", ("owner", None)),
        ("I'll take this.", ("owner", "ada@acme.example")),
        ("Ok, I\u2019ll take it from here!", ("owner", "ada@acme.example")),
        ("I will take this one. Thanks!", ("owner", "ada@acme.example")),
        ("Phase: Build", ("phase", "Build")),
        ("Status: In review", ("status", "In review")),
        ("Approval requested from Grace <grace@acme.example>", ("approval_request", "grace@acme.example")),
        ("Approved.", ("approval_answer", "approved")),
        ("@ada LGTM!", ("approval_answer", "approved")),
        ("ACME-12: no", ("approval_answer", "rejected")),
    ],
)
def test_a_line_that_states_something(line, expected):
    assert said(line) == [expected]


@pytest.mark.parametrize(
    "line",
    [
        "Owner: Grace Hopper <grace@acme.example>?",  # a question
        "Owner: Bob",  # two people have this name
        "Owner: Carol",  # nobody known
        "The owner: grace@acme.example",  # prose
        "Should I take this?",
        "I'll take this if legal signs.",
        "I'll take this to the board.",
        "I will take it up with Bob.",
        "Approved by whom?",
        "Not sure this is approved",
        "Yes but only after legal signs",
        "No problem, approved",
        "If approved, we start on Monday.",
        "Was approval requested from Grace <grace@acme.example>?",
    ],
)
def test_a_line_that_states_nothing(line):
    assert said(line) == []


def test_an_answer_counts_on_the_first_line_only():
    assert said("Dear all,\nApproved\n") == []
    assert said("\n\nApproved\nthanks") == [("approval_answer", "approved")]
    assert answer("on hold") == "rejected"


def test_a_statement_knows_where_it_stands():
    text = "The brief is final.\nOwner: grace@acme.example"
    (found,) = statements(text, sender="ada@acme.example")
    assert text[found.start : found.end] == "Owner: grace@acme.example"


@pytest.mark.parametrize(
    "quoted",
    [
        "> Owner: bob@acme.example",
        "On Mon, 2 Mar 2026 at 12:00, Bob <bob@acme.example> wrote:\nOwner: bob@acme.example",
        "On Mon, 2 Mar 2026 at 12:00, Bob Bobson\n<bob@acme.example> wrote:\n\nOwner: bob@acme.example",
        "Am 02.03.2026 um 12:00 schrieb Bob <bob@acme.example>:\nOwner: bob@acme.example",
        "Le lun. 2 mars 2026 à 12:00, Bob <bob@acme.example> a écrit :\nOwner: bob@acme.example",
        "-----Original Message-----\nOwner: bob@acme.example",
        "---------- Forwarded message ---------\nOwner: bob@acme.example",
        "________________________________\nOwner: bob@acme.example",
        "From: Bob\nSent: Monday\nTo: Ada\nSubject: x\n\nOwner: bob@acme.example",
        "*Von:* Bob\n*Gesendet:* Montag\n*An:* Ada\n*Betreff:* x\n\nOwner: bob@acme.example",
        "发件人: Bob\n发送时间: 2026年3月2日\n收件人: Ada\n主题: x\n\nOwner: bob@acme.example",
        "-- \nBob\nOwner: bob@acme.example",
        "Sent from my phone\nOwner: bob@acme.example",
        "Begin forwarded message:\n\nOwner: bob@acme.example",
    ],
)
def test_quoted_words_are_not_the_senders(quoted):
    assert fresh(f"Please see below.\n\n{quoted}\n").strip() == "Please see below."


def test_an_answer_below_the_quotation_is_fresh():
    text = "On Mon, 2 Mar 2026, Bob wrote:\n> Owner: bob@acme.example\n> Ok?\n\nOwner: grace@acme.example\n"
    assert said(fresh(text)) == [("owner", "grace@acme.example")]


def test_the_news_is_told_without_greeting_closing_and_statements(mail):
    raw = mail("Hi Grace,\n\nthe banner ships today.\nStatus: Shipped\n\nBest regards,\nAda\n")
    assert ("update", "the banner ships today.") in seen(raw)
    assert ("update", None) not in {(f, None) for f, _ in seen(mail("Status: Shipped\n")) if f == "update"}


def test_a_mail_that_only_carries_statements_tells_no_news(mail):
    raw = mail("Hello everybody,\n\nfor whoever only reads mail:\n\nStatus: Shipped\n\nAda Lovelace\n")
    assert {f for f, _ in seen(raw)} == {"title", "identifier", "status"}
    raw = mail("The banner needs:\n- a logo\n- a date\n\nStatus: Shipped\n-Ada\n")
    assert ("update", "The banner needs:\n- a logo\n- a date") in seen(raw)


def test_keys_and_brackets_of_the_subject_become_references_and_identifiers(mail):
    found = seen(mail("See https://acme.atlassian.net/browse/ACME-40", subject="Fwd: RE: [ACME-12] [EXTERNAL] Banner"))
    assert {v for f, v in found if f == "title"} == {"Banner"}
    assert {v for f, v in found if f == "identifier"} == {"root@acme.example", "ACME-12"}
    assert {v for f, v in found if f == "reference"} == {"ACME-12", "ACME-40"}


def test_a_reply_is_known_by_its_own_id_and_mentions_its_parent(mail):
    found = seen(mail("news", id="c@x.example", reply_to="b@x.example", references="<a@x.example> <b@x.example>"))
    assert {v for f, v in found if f == "identifier"} == {"a@x.example", "c@x.example"}
    assert {v for f, v in found if f == "reference"} == {"b@x.example"}


@pytest.mark.parametrize(
    "headers",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated",
        "X-Autoreply: yes",
        "Precedence: auto_reply",
        "Return-Path: <>",
        "X-Failed-Recipients: bob@acme.example",
    ],
)
def test_automatic_mail_states_nothing(mail, headers):
    raw = mail("Approved\nOwner: bob@acme.example\n", headers=headers)
    assert seen(raw, approver="ada@acme.example") == set()


def test_out_of_office_and_no_reply_senders_state_nothing(mail):
    assert seen(mail("Owner: bob@acme.example", subject="Automatic reply: Banner")) == set()
    raw = mail("Owner: bob@acme.example", sender="Jira <no-reply@acme.example>")
    assert seen(raw) == set()
    kinds = {
        (o.record, o.value)
        for o in observe(parse(raw), source="m", received=NOON, own=OWN, raw="")
        if o.field == "kind"
    }
    assert kinds == {("no-reply@acme.example", "bot"), ("grace@acme.example", "person")}


def test_a_person_who_is_away_stays_a_person(mail):
    raw = mail("I am away", headers="Auto-Submitted: auto-replied")
    kinds = {o.value for o in observe(parse(raw), source="m", received=NOON, own=OWN, raw="") if o.field == "kind"}
    assert kinds == {"person"}


def test_our_own_mail_names_the_owner_but_tells_no_news(mail):
    raw = mail(
        "Owner: Grace <grace@acme.example>\n\nThe owner was settled.",
        sender=f"Handoff Hub <{OWN}>", id="h@hub.example", references="<root@acme.example>",
        headers="Auto-Submitted: auto-generated\r\nX-Handoff-Hub: abc",
    )  # fmt: skip
    found = observe(parse(raw), source="m", received=NOON, own=OWN, raw="")
    assert {(o.field, o.value, o.actor) for o in found if o.field in {"owner", "update", "title"}} == {
        ("owner", "grace@acme.example", OWN)
    }
    assert ("kind", "hub") in {(o.field, o.value) for o in found if o.record == OWN}


def test_our_alerts_start_no_work_item_and_our_header_alone_proves_nothing(mail):
    alert = mail("Owner: grace@acme.example", sender=f"Hub <{OWN}>", headers="X-Handoff-Hub: alert")
    assert seen(alert) == set()
    forged = mail("Owner: bob@acme.example", headers="Auto-Submitted: auto-generated\r\nX-Handoff-Hub: abc")
    assert seen(forged) == set()


@pytest.mark.parametrize(
    ("claimed", "believed"),
    [(-timedelta(days=6), True), (-timedelta(days=8), False), (timedelta(minutes=1), False), (timedelta(0), True)],
)
def test_the_date_header_is_believed_within_a_week_before_the_receipt(mail, claimed, believed):
    message = parse(mail("x", date=NOON + claimed))
    assert happened(message, NOON) == (NOON + claimed if believed else NOON)


def test_a_mail_without_a_date_happened_when_it_was_received(mail):
    assert happened(parse(mail("x", date=None)), NOON) == NOON


def test_neither_our_header_nor_our_sender_alone_makes_a_mail_ours(mail):
    reply = {"id": "h@x.example", "references": "<root@acme.example>"}
    with_header = mail("Shipped today", headers="X-Handoff-Hub: abc", **reply)
    from_mailbox = mail("Shipped today", sender=f"Ops <{OWN}>", **reply)
    for raw in (with_header, from_mailbox):
        assert ("update", "Shipped today") in seen(raw)
