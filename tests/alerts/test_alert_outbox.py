"""Told once, grouped, at least once, and told when it is over: over real SMTP and a real web hook."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hub.alerts import deliver, plan_alerts, queue
from hub.alerts.chat import say
from hub.alerts.outbox import FOLLOWED
from hub.alerts.smtp import NotDelivered
from hub.charter.secret import Secret
from hub.ledger.ledger import FindingChanges

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def tell(ledger, charter, secrets, findings, **changes):
    queue(ledger, plan_alerts(FindingChanges(**changes), findings, charter, charter.people), NOW)
    return deliver(ledger, charter, secrets, NOW)


def test_new_findings_go_out_once_and_grouped(ledger, charter_with, finding, post, hook, secrets):
    charter = charter_with(post.port, apprise=["env:CHAT"])
    found = [finding("a"), finding("b"), finding("c", "owner_conflict")]
    report = tell(ledger, charter, secrets, found, opened=("a", "b", "c"))
    assert (report.delivered, report.failed, report.failures) == (4, 0, ())
    assert [r for r, _ in post.envelopes] == [["ada@acme.example"]] * 2
    assert [letter["Subject"] for letter in post.letters] == [
        "New: 2 missed handoffs",
        "New: 1 owner conflict: Banner c",
    ]
    assert [r["title"] for r in hook.requests] == ["New: 2 missed handoffs", "New: 1 owner conflict: Banner c"]
    assert "Banner a: Grace never accepted it" in hook.requests[0]["message"]
    # the same changes planned again, and a delivery with nothing waiting, send nothing
    again = tell(ledger, charter, secrets, found, opened=("a", "b", "c"))
    assert (again.delivered, len(post.envelopes), len(hook.requests)) == (0, 2, 2)


def test_a_mail_is_plain_threaded_and_marked_as_automatic(ledger, charter_with, finding, post, secrets):
    charter = charter_with(post.port)
    tell(ledger, charter, secrets, [finding("a")], opened=("a",))
    tell(ledger, charter, secrets, [finding("a")], resolved=("a",))
    first, second = post.letters
    assert first["From"] == "Handoff Hub <hub@hub.example>"
    assert first.get_content_type() == "text/plain"
    assert (first["Auto-Submitted"], first["X-Handoff-Hub"]) == ("auto-generated", "alert")
    assert first["References"] == second["References"]
    assert first["Message-ID"] != second["Message-ID"]
    assert second["Subject"] == "Resolved: 1 missed handoff: Banner a"


def test_a_resolved_case_is_told_only_to_who_was_told_of_it(ledger, charter_with, finding, post, hook, secrets):
    found = [finding("a"), finding("b")]
    tell(ledger, charter_with(post.port), secrets, found, opened=("a",))
    charter = charter_with(post.port, mail_to=["ada", "grace"], apprise=["env:CHAT"])
    report = tell(ledger, charter, secrets, found, resolved=("a", "b"))
    assert [letter["Subject"] for letter in post.to("ada@acme.example")][1:] == ["Resolved: 1 missed handoff: Banner a"]
    assert post.to("grace@acme.example") == []
    assert hook.requests == []
    assert report.delivered == 1


def test_opened_and_resolved_again_is_told_each_time(ledger, charter_with, finding, post, secrets):
    charter = charter_with(post.port)
    for changes in ({"opened": ("a",)}, {"resolved": ("a",)}, {"reopened": ("a",)}, {"resolved": ("a",)}):
        tell(ledger, charter, secrets, [finding("a")], **changes)
    assert [str(letter["Subject"]).split(":")[0] for letter in post.letters] == ["New", "Resolved"] * 2


def test_a_case_over_before_it_was_told_is_dropped(ledger, charter_with, finding, post, secrets):
    charter = charter_with(post.port)
    post.answers = ["451 later"]
    assert tell(ledger, charter, secrets, [finding("a")], opened=("a",)).failed == 1
    report = tell(ledger, charter, secrets, [finding("a")], resolved=("a",))
    assert (report.delivered, report.dropped) == (0, 2)
    assert post.envelopes == []
    assert ledger.pending_deliveries() == ()


def test_a_failure_is_kept_told_and_tried_next_time(ledger, charter_with, finding, post, hook, secrets):
    charter = charter_with(post.port, apprise=["env:CHAT"])
    post.answers, hook.statuses = ["451 later"], [500]
    report = tell(ledger, charter, secrets, [finding("a")], opened=("a",))
    assert report.failed == 2
    assert report.failures == (
        "chat to env:CHAT: the json service did not take the message",
        "mail to ada: the mail was refused (451)",
    )
    assert hook.url not in str(report)
    assert [d.attempts for d in ledger.pending_deliveries()] == [1, 1]
    assert deliver(ledger, charter, secrets, NOW).delivered == 2
    assert (len(post.envelopes), len(hook.requests)) == (1, 1)


def test_one_dead_channel_does_not_stop_the_other(ledger, charter_with, finding, hook, secrets):
    charter = charter_with(1, apprise=["env:CHAT"], mail_to=["ada", "carol"])
    report = tell(ledger, charter, secrets, [finding("a")], opened=("a",))
    assert (report.delivered, report.failed) == (1, 2)
    assert "mail to carol: carol has no e-mail address in the charter" in report.failures
    assert len(hook.requests) == 1


def test_a_repeat_after_a_crash_is_the_same_mail(ledger, charter_with, finding, post, secrets, monkeypatch):
    charter = charter_with(post.port)
    with monkeypatch.context() as crashed:
        crashed.setattr(type(ledger), "mark_delivered", lambda *_: (_ for _ in ()).throw(SystemError("killed")))
        with pytest.raises(SystemError):
            tell(ledger, charter, secrets, [finding("a")], opened=("a",))
    deliver(ledger, charter, secrets, NOW)
    first, second = post.letters
    assert first["Message-ID"] == second["Message-ID"]


def test_a_first_sync_with_thousands_of_cases_is_one_mail(ledger, charter_with, finding, post, secrets):
    found = [finding(f"{n:05}") for n in range(3_000)]
    tell(ledger, charter_with(post.port), secrets, found, opened=tuple(f.key for f in found))
    (letter,) = post.letters
    assert letter["Subject"] == "New: 3000 missed handoffs"
    assert "and 2990 more" in letter.get_content()
    assert FOLLOWED < 3_000


def test_a_title_from_a_tool_cannot_add_a_header(ledger, charter_with, finding, post, secrets):
    evil = finding("a", title="x\r\nBcc: evil@x.example\r\n\r\nhello")
    tell(ledger, charter_with(post.port), secrets, [evil], opened=("a",))
    ((recipients, _),) = post.envelopes
    assert recipients == ["ada@acme.example"]
    assert post.letters[0]["Bcc"] is None


def test_without_a_sending_mailbox_the_reason_is_kept(ledger, charter_with, finding, secrets):
    report = tell(ledger, charter_with(1, via=None), secrets, [finding("a")], opened=("a",))
    assert report.failures == ("mail to ada: no mailbox sends alerts and codes",)


@pytest.mark.parametrize(
    "url",
    [
        "syslog://", "file:///etc/passwd", "mailto://u:p@x.example", "json://10.0.0.1/x", "json://evil.example/x",
        "form://127.0.0.1/", "dbus://", "", "http://[", "notaurl",
    ],
)  # fmt: skip
def test_chat_goes_to_allowed_services_only(url):
    with pytest.raises(NotDelivered) as refused:
        say(Secret(url), "title", "text")
    assert "evil" not in str(refused.value)
    assert "10.0.0.1" not in str(refused.value)


def test_other_rows_of_the_outbox_are_left_alone(ledger, charter_with, finding, post, secrets):
    ledger.queue_alert("codes|digest", "asked", {}, NOW)
    assert tell(ledger, charter_with(post.port), secrets, [finding("a")], opened=("a",)).delivered == 1
    assert [d.key for d in ledger.pending_deliveries()] == ["codes|digest"]
