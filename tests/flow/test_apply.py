"""Applying a plan: no write twice, none lost, no human edit overwritten, whatever happens on the way."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hub.charter.model import Charter
from hub.domain.plans import Approval, OwnerChange, Plan
from hub.errors import ApprovalRefused, BrakeEngaged, PlanStale, Refused
from hub.flow.apply import ApplyReport, apply
from hub.flow.undo import inverse_plan
from hub.ledger.ledger import Ledger


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    with Ledger.open(ledger_url) as opened:
        yield opened


def _change(number: int, expected: str | None = "old", desired: str = "new") -> OwnerChange:
    return OwnerChange(
        source="tool",
        record=f"r{number}",
        item=f"item-{number}",
        title=f"Item {number}",
        expected=expected,
        desired=desired,
        person="ada" if number % 2 else "bob",
        reason="because",
    )


def _plan(charter: Charter, now: datetime, count: int = 3) -> Plan:
    return Plan(
        created_at=now,
        expires_at=now + timedelta(hours=24),
        base_seq=0,
        charter_digest=charter.digest,
        changes=tuple(_change(n) for n in range(1, count + 1)),
    )


def _approved(ledger: Ledger, plan: Plan, now: datetime, person: str = "ada") -> Plan:
    ledger.save_plan(plan, now)
    ledger.add_approval(Approval(digest=plan.digest, person=person, method="token", at=now))
    return plan


def _run(ledger: Ledger, charter: Charter, plan: Plan, tool: object, clock: object) -> ApplyReport:
    return apply(ledger, charter, plan.id, writer=lambda _: tool, clock=clock, sleep=clock.sleep)  # type: ignore[attr-defined, arg-type, return-value]


def test_every_change_is_written_and_read_back(ledger: Ledger, charter: Charter, clock, tool) -> None:
    company = tool(owners={"r1": "old", "r2": "old", "r3": "old"})
    plan = _approved(ledger, _plan(charter, clock()), clock())
    report = _run(ledger, charter, plan, company, clock)
    assert report.outcomes == {"confirmed": 3}
    assert company.owners == {"r1": "new", "r2": "new", "r3": "new"}
    kinds = [outcome.kind for outcome in ledger.intents(plan.id)[0][1]]
    assert kinds == ["claimed", "sent", "confirmed"]


def test_a_plan_is_used_once(ledger: Ledger, charter: Charter, clock, tool) -> None:
    company = tool(owners={"r1": "old", "r2": "old", "r3": "old"})
    plan = _approved(ledger, _plan(charter, clock()), clock())
    _run(ledger, charter, plan, company, clock)
    company.owners["r1"] = "old"
    again = _run(ledger, charter, plan, company, clock)
    assert again.outcomes == {"confirmed": 3}
    assert len(company.sends) == 3


def test_a_record_changed_since_the_plan_is_left_alone(ledger: Ledger, charter: Charter, clock, tool) -> None:
    company = tool(owners={"r1": "old", "r2": "somebody else", "r3": "new"})
    plan = _approved(ledger, _plan(charter, clock()), clock())
    report = _run(ledger, charter, plan, company, clock)
    assert report.outcomes == {"confirmed": 1, "refused_changed": 1, "already": 1}
    assert company.sends == [("r1", "new")]


def test_a_new_owner_who_may_not_own_is_refused_and_nothing_is_cleared(
    ledger: Ledger, charter: Charter, clock, tool
) -> None:
    company = tool(owners={"r1": "old", "r2": "old", "r3": "old"}, inactive=frozenset({"new"}))
    plan = _approved(ledger, _plan(charter, clock()), clock())
    report = _run(ledger, charter, plan, company, clock)
    assert company.sends == []
    assert set(company.owners.values()) == {"old"}
    assert report.outcomes["refused_policy"] == 3


def test_a_tool_that_accepts_and_does_not_write_is_found_out(ledger: Ledger, charter: Charter, clock, tool) -> None:
    company = tool(owners={"r1": "old", "r2": "old", "r3": "old"})
    really = company.send_owner
    company.send_owner = lambda record, desired, reading, *, marker: (
        company.sends.append((record, desired)) or dataclasses.replace(really(record, "old", reading, marker="x"))
    )
    plan = _approved(ledger, _plan(charter, clock()), clock())
    report = _run(ledger, charter, plan, company, clock)
    assert report.outcomes == {"diverged": 3}
    assert report.verified == 0


@pytest.mark.parametrize("keeps_history", [True, False])
@pytest.mark.parametrize("accident", ["lost_reply", "lost_request", "kill_before", "kill_after"])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_an_accident_at_any_write_loses_and_doubles_nothing(
    ledger: Ledger, charter: Charter, clock, tool, accident: str, at: int, keeps_history: bool
) -> None:
    company = tool(owners={"r1": "old", "r2": "old", "r3": "old"}, script={at: accident}, keeps_history=keeps_history)
    plan = _approved(ledger, _plan(charter, clock()), clock())
    for _ in range(3):
        with suppress(BaseException):
            report = _run(ledger, charter, plan, company, clock)
    assert report.verified == 3
    assert sorted(record for record, _, _ in company.effective) == ["r1", "r2", "r3"]


def test_an_interrupted_write_is_settled_by_reading_before_anything_is_sent(
    ledger: Ledger, charter: Charter, clock, tool
) -> None:
    company = tool(owners={"r1": "old", "r2": "old", "r3": "old"}, script={1: "kill_after"})
    plan = _approved(ledger, _plan(charter, clock()), clock())
    with suppress(BaseException):
        _run(ledger, charter, plan, company, clock)
    company.human_edit("r1", "somebody else")
    report = _run(ledger, charter, plan, company, clock)
    assert company.owners["r1"] == "somebody else"
    assert [r for r, _ in company.sends].count("r1") == 1
    assert report.outcomes == {"diverged": 1, "confirmed": 2}


def test_random_accidents_and_human_edits(tmp_path: Path, charter: Charter, clock, tool, dice: random.Random) -> None:
    """Seeded schedules over all accidents: nothing is written twice, no human edit is lost outside the last gap."""
    accidents = ["lost_reply", "lost_request", "kill_before", "kill_after", "busy", ""]
    for schedule in range(40):
        with Ledger.open(f"sqlite:///{tmp_path}/{schedule}.sqlite") as ledger:
            company = tool(
                owners={f"r{n}": "old" for n in range(1, 5)},
                script={n: dice.choice(accidents) for n in range(1, 9)},
                humans={dice.randint(1, 20): (f"r{dice.randint(1, 4)}", f"human{n}") for n in range(2)},
                keeps_history=dice.random() < 0.5,
            )
            plan = _approved(ledger, _plan(charter, clock(), 4), clock())
            for _ in range(12):
                with suppress(BaseException):
                    report = _run(ledger, charter, plan, company, clock)
                    if "waiting" not in report.outcomes:
                        break
            assert "waiting" not in report.outcomes, schedule
            effective = [record for record, _, _ in company.effective]
            assert len(effective) == len(set(effective)), schedule
            assert company.overwritten == [], schedule


def test_three_failures_in_a_row_end_the_wave(ledger: Ledger, charter: Charter, clock, tool) -> None:
    company = tool(owners={f"r{n}": "old" for n in range(1, 7)}, script=dict.fromkeys(range(1, 7), "refuse"))
    plan = _approved(ledger, _plan(charter, clock(), 6), clock())
    report = _run(ledger, charter, plan, company, clock)
    assert len(company.sends) == 3
    assert report.outcomes == {"rejected": 3, "waiting": 3}
    assert "stopped after 3" in report.stopped


def test_only_one_applier_at_a_time(ledger: Ledger, ledger_url: str, charter: Charter, clock, tool) -> None:
    plan = _approved(ledger, _plan(charter, clock()), clock())
    with Ledger.open(ledger_url) as other, other.writing(), pytest.raises(Refused, match="another"):
        _run(ledger, charter, plan, tool(owners={}), clock)


class TestNothingIsSentWithoutApproval:
    """Each refusal happens before the first byte leaves."""

    @pytest.fixture
    def refused(self, ledger: Ledger, charter: Charter, clock, tool) -> Iterator[Callable[..., None]]:
        company = tool(owners={"r1": "old", "r2": "old", "r3": "old"})

        def check(plan: Plan, error: type[Exception], match: str, using: Charter | None = None) -> None:
            with pytest.raises(error, match=match):
                _run(ledger, using or charter, plan, company, clock)

        yield check
        assert company.sends == []

    def test_unapproved(self, ledger: Ledger, charter: Charter, clock, refused) -> None:
        plan = _plan(charter, clock())
        ledger.save_plan(plan, clock())
        refused(plan, ApprovalRefused, "is not approved")

    def test_unknown(self, charter: Charter, clock, refused) -> None:
        refused(_plan(charter, clock()), ApprovalRefused, "no plan")

    def test_approved_by_somebody_without_the_right(self, ledger: Ledger, charter: Charter, clock, refused) -> None:
        refused(_approved(ledger, _plan(charter, clock()), clock(), "dan"), ApprovalRefused, "dan may not")

    def test_approved_by_somebody_who_left(self, ledger: Ledger, charter: Charter, clock, refused) -> None:
        refused(_approved(ledger, _plan(charter, clock()), clock(), "cleo"), ApprovalRefused, "cleo left")

    def test_expired(self, ledger: Ledger, charter: Charter, clock, refused) -> None:
        plan = _approved(ledger, _plan(charter, clock()), clock())
        clock.at += timedelta(hours=25)
        refused(plan, PlanStale, "expired")

    def test_made_under_another_charter(self, ledger: Ledger, charter: Charter, clock, refused) -> None:
        plan = _approved(ledger, _plan(charter, clock()), clock())
        changed = charter.model_copy(update={"closed_statuses": ("done",)})
        refused(plan, PlanStale, "another charter", changed)

    def test_superseded(self, ledger: Ledger, charter: Charter, clock, refused) -> None:
        plan = _approved(ledger, _plan(charter, clock()), clock())
        clock.at += timedelta(minutes=1)
        ledger.save_plan(_plan(charter, clock(), 2), clock())
        refused(plan, PlanStale, "superseded")

    def test_made_from_a_newer_ledger(self, ledger: Ledger, charter: Charter, clock, refused) -> None:
        plan = _approved(ledger, dataclasses.replace(_plan(charter, clock()), base_seq=99), clock())
        refused(plan, PlanStale, "newer ledger")

    def test_too_large(self, ledger: Ledger, charter: Charter, clock, refused) -> None:
        refused(_approved(ledger, _plan(charter, clock(), 9), clock()), BrakeEngaged, "max_changes")

    def test_too_much_for_one_person(self, ledger: Ledger, charter: Charter, clock, refused) -> None:
        plan = _plan(charter, clock(), 7)
        plan = dataclasses.replace(plan, changes=tuple(dataclasses.replace(c, person="ada") for c in plan.changes))
        refused(_approved(ledger, plan, clock()), BrakeEngaged, "max_to_one_person")


def test_the_digest_covers_every_field(charter: Charter, clock) -> None:
    plan = _plan(charter, clock())
    others = [
        dataclasses.replace(plan, base_seq=1),
        dataclasses.replace(plan, charter_digest="x"),
        dataclasses.replace(plan, expires_at=plan.expires_at + timedelta(seconds=1)),
        dataclasses.replace(plan, changes=plan.changes[:2]),
        *(
            dataclasses.replace(plan, changes=(dataclasses.replace(plan.changes[0], **{name: "x"}), *plan.changes[1:]))
            for name in ("source", "record", "item", "title", "expected", "desired", "person", "reason", "url")
        ),
    ]
    assert len({plan.digest, *(other.digest for other in others)}) == len(others) + 1


def test_undo_puts_back_only_what_still_stands(ledger: Ledger, charter: Charter, clock, tool) -> None:
    company = tool(owners={"r1": "old", "r2": "old", "r3": "new"})
    plan = _approved(ledger, _plan(charter, clock()), clock())
    _run(ledger, charter, plan, company, clock)
    company.human_edit("r2", "somebody else")
    clock.at += timedelta(minutes=1)
    inverse = _approved(ledger, inverse_plan(ledger, charter, plan.id, now=clock()), clock())
    report = _run(ledger, charter, inverse, company, clock)
    assert company.owners == {"r1": "old", "r2": "somebody else", "r3": "new"}
    assert report.outcomes == {"confirmed": 1, "refused_changed": 1}
