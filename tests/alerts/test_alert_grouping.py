"""What is told to whom, and how it reads."""

from __future__ import annotations

from datetime import UTC, datetime

from hub.alerts.grouping import body, plan_alerts, subject
from hub.ledger.ledger import FindingChanges

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def planned(charter, findings, **changes):
    return plan_alerts(FindingChanges(**changes), findings, charter, charter.people)


def test_one_notice_per_recipient_and_kind(charter_with, finding):
    charter = charter_with(25, mail_to=["ada", "grace"], apprise=["env:CHAT"])
    found = [finding("a"), finding("b"), finding("c", "owner_conflict")]
    notices = planned(charter, found, opened=("a", "b", "c"))
    assert [(n.channel, n.recipient, n.kind, len(n.cases)) for n in notices] == [
        ("mail", "ada", "missed_handoff", 2),
        ("mail", "ada", "owner_conflict", 1),
        ("mail", "grace", "missed_handoff", 2),
        ("mail", "grace", "owner_conflict", 1),
        ("chat", "env:CHAT", "missed_handoff", 2),
        ("chat", "env:CHAT", "owner_conflict", 1),
    ]


def test_below_the_minimum_severity_nothing_is_told(charter_with, finding):
    charter = charter_with(25, minimum_severity="medium")
    found = [finding("a", severity="low"), finding("b", severity="medium"), finding("c", severity="high")]
    (notice,) = planned(charter, found, opened=("a", "b", "c"))
    assert [c.key for c in notice.cases] == ["c", "b"]


def test_unchanged_findings_are_not_told_again(charter_with, finding):
    assert planned(charter_with(25), [finding("a")]) == ()


def test_back_again_is_told_like_new_and_resolved_by_itself(charter_with, finding):
    found = [finding("a"), finding("b"), finding("c")]
    notices = planned(charter_with(25), found, opened=("a",), reopened=("b",), resolved=("c",))
    assert [(n.turn, [c.key for c in n.cases]) for n in notices] == [("opened", ["a", "b"]), ("resolved", ["c"])]


def test_a_message_spells_out_ten_cases_and_counts_the_rest(charter_with, finding):
    found = [finding(f"{n:03}") for n in range(300)]
    (notice,) = planned(charter_with(25), found, opened=tuple(f.key for f in found))
    text = body(notice.kind, notice.turn, notice.cases, len(notice.cases))
    assert text.count("\n- ") == 10
    assert text.startswith("300 missed handoffs need attention.")
    assert "and 290 more. `hub findings --kind missed_handoff`" in text
    assert subject(notice.kind, notice.turn, notice.cases, 300) == "New: 300 missed handoffs"


def test_a_case_reads_with_its_next_move_and_a_safe_link(charter_with, finding):
    evidence = ({"url": "javascript:alert(1)"}, {"url": None}, {"url": "https://acme.example/ACME-12"})
    (notice,) = planned(charter_with(25), [finding("a", evidence=evidence)], opened=("a",))
    text = body(notice.kind, notice.turn, notice.cases, 1)
    assert text == (
        "1 missed handoff needs attention.\n\n"
        "- Banner a: Grace never accepted it\n"
        "  Next: Ask Grace to accept it\n"
        "  https://acme.example/ACME-12\n"
    )
    assert subject(notice.kind, notice.turn, notice.cases, 1) == "New: 1 missed handoff: Banner a"


def test_a_title_is_not_said_twice(charter_with, finding):
    (notice,) = planned(charter_with(25), [finding("a", summary="Nobody owns “Banner a” since Monday")], opened=("a",))
    assert "- Nobody owns “Banner a” since Monday\n" in body(notice.kind, notice.turn, notice.cases, 1)


def test_text_from_tools_stays_on_its_line(charter_with, finding):
    title = "Banner\r\nBcc: evil@x.example\u202e\n- forged: line"
    (notice,) = planned(charter_with(25), [finding("a", title=title)], opened=("a",))
    assert body(notice.kind, notice.turn, notice.cases, 1).count("\n- ") == 1
    assert "\n" not in subject(notice.kind, notice.turn, notice.cases, 1)


def test_kinds_read_as_english(charter_with, finding):
    assert subject("unmapped_person", "opened", (), 2) == "New: 2 unmapped people"
    assert subject("split_ownership", "resolved", (), 2) == "Resolved: 2 cases of split ownership"
