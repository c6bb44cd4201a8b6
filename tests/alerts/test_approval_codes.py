"""Approval codes: mailed to whoever may approve, useless to anybody who reads the database."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from hub.alerts import issue_codes
from hub.alerts.codes import new_code
from hub.domain.codes import code_hash
from hub.domain.plans import OwnerChange, Plan
from hub.errors import ConfigurationError, SourceUnavailable

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def plan_of(count: int) -> Plan:
    changes = tuple(
        OwnerChange(
            source="acme_jira",
            record=str(n),
            item=f"item-{n}",
            title=f"Banner {n}\r\nforged",
            expected="a",
            desired="b",
            person="grace",
            reason="acme_jira decides who owns the work during Build",
        )
        for n in range(count)
    )
    return Plan(created_at=NOW, expires_at=NOW + timedelta(hours=24), base_seq=1, charter_digest="c", changes=changes)


def code_in(letter) -> str:
    return re.search(r"--code (\S+)", letter.get_content())[1]


def test_each_entitled_approver_gets_a_code_of_their_own_that_works_once(ledger, charter_with, post, secrets):
    plan = plan_of(2)
    ledger.save_plan(plan, NOW)
    # bob left, carol has no address
    assert issue_codes(ledger, plan, charter_with(post.port), secrets, NOW) == ("ada", "grace")
    (to_ada,), (to_grace,) = post.to("ada@acme.example"), post.to("grace@acme.example")
    assert code_in(to_ada) != code_in(to_grace)
    code = code_in(to_ada)
    assert ledger.use_code(plan.digest, code_hash(plan.digest, "grace", code), NOW) is None
    assert ledger.use_code("another digest", code_hash(plan.digest, "ada", code), NOW) is None
    late = NOW + timedelta(hours=25)
    assert ledger.use_code(plan.digest, code_hash(plan.digest, "ada", code), late) is None
    assert ledger.use_code(plan.digest, code_hash(plan.digest, "ada", code.lower()), NOW) == "ada"
    assert ledger.use_code(plan.digest, code_hash(plan.digest, "ada", code), NOW) is None


def test_the_mail_says_what_would_change(ledger, charter_with, post, secrets):
    plan = plan_of(30)
    ledger.save_plan(plan, NOW)
    issue_codes(ledger, plan, charter_with(post.port), secrets, NOW)
    text = post.letters[0].get_content()
    assert f"hub approve {plan.id} --code " in text
    assert "30 owner changes: 30 in acme_jira" in text
    assert "acme_jira decides who owns the work during Build" in text
    assert "and 10 more" in text
    assert "expires at 2026-03-03 12:00 UTC" in text
    assert not [line for line in text.splitlines() if line.startswith("forged")]
    assert post.letters[0]["X-Handoff-Hub"] == "code"


def test_the_code_itself_is_stored_nowhere(ledger, charter_with, post, secrets, tmp_path):
    plan = plan_of(1)
    ledger.save_plan(plan, NOW)
    issue_codes(ledger, plan, charter_with(post.port), secrets, NOW)
    code = code_in(post.letters[0])
    stored = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert code.encode() not in stored
    assert code.replace("-", "").encode() not in stored


def test_nobody_reached_is_an_error_some_reached_is_not(ledger, charter_with, post, secrets):
    plan = plan_of(1)
    ledger.save_plan(plan, NOW)
    post.refused = {"ada@acme.example": "550 no"}
    assert issue_codes(ledger, plan, charter_with(post.port), secrets, NOW) == ("grace",)
    post.refused["grace@acme.example"] = "550 no"
    with pytest.raises(SourceUnavailable, match=r"refused \(550\)"):
        issue_codes(ledger, plan, charter_with(post.port), secrets, NOW)
    with pytest.raises(ConfigurationError, match="no mailbox"):
        issue_codes(ledger, plan, charter_with(1, via=None), secrets, NOW)


def test_codes_are_readable_and_do_not_repeat():
    codes = {new_code() for _ in range(1_000)}
    assert len(codes) == 1_000
    assert all(re.fullmatch(r"[A-HJ-NP-Z2-9]{5}-[A-HJ-NP-Z2-9]{5}", code) for code in codes)
