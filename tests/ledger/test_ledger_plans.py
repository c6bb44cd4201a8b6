"""From a proposal to its writes: kept, approved, used once, written ahead."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hub.domain.plans import Approval, Intent, Outcome, intent_key
from hub.errors import ApprovalRefused, InternalFault, Refused
from hub.ledger import Ledger
from hub.ledger.engine import open_database

Sql = Callable[[str], list[tuple[Any, ...]]]


def test_a_plan_comes_back_by_any_of_its_names(ledger: Ledger, scene: Any) -> None:
    plan = scene.plan()
    ledger.save_plan(plan, scene.at())
    ledger.save_plan(plan, scene.at(1))

    for name in (plan.id, plan.digest, plan.digest[:8], plan.id[:10]):
        found = ledger.plan(name)
        assert found == plan
        assert found is not None
        assert found.digest == plan.digest
    assert len(ledger.plans()) == 1
    for name in ("", "plan-", "%", "0" * 64, "plan-zzzz", plan.digest[:3]):
        assert ledger.plan(name) is None


def test_a_beginning_that_fits_several_plans_is_refused(ledger: Ledger, scene: Any) -> None:
    seen: dict[str, Any] = {}
    for base in range(2000):
        plan = scene.plan(base=base)
        twin = seen.setdefault(plan.digest[:4], plan)
        if twin is not plan:
            break
    ledger.save_plan(plan, scene.at())
    ledger.save_plan(twin, scene.at())

    with pytest.raises(Refused, match="several plans"):
        ledger.plan(plan.digest[:4])
    assert ledger.plan(plan.digest) == plan


def test_a_plan_whose_row_was_changed_outside_is_not_believed(
    ledger: Ledger, scene: Any, sql: Sql, prepared_url: str
) -> None:
    plan = scene.plan()
    ledger.save_plan(plan, scene.at())
    if prepared_url.startswith("sqlite"):
        sql("DROP TRIGGER plan_no_update")
    else:
        sql("ALTER TABLE plan DISABLE TRIGGER plan_append_only")
    sql("UPDATE plan SET body = replace(body, '\"bob\"', '\"eve\"')")

    with pytest.raises(InternalFault, match="does not match its digest"):
        ledger.plan(plan.id)


def test_a_code_lets_its_person_in_once_and_in_time(ledger: Ledger, scene: Any) -> None:
    plan, other = scene.plan(), scene.plan(base=8)
    for one in (plan, other):
        ledger.save_plan(one, scene.at())
    ledger.add_code(plan.digest, "ada", "h1", scene.at(1))
    ledger.add_code(plan.digest, "bob", "h2", scene.at(1))

    assert ledger.use_code(plan.digest, "unknown", scene.at()) is None
    assert ledger.use_code(other.digest, "h1", scene.at()) is None
    assert ledger.use_code(plan.digest, "h1", scene.at()) == "ada"
    assert ledger.use_code(plan.digest, "h1", scene.at()) is None
    assert ledger.use_code(plan.digest, "h2", scene.at(1)) is None, "expired at that very moment"
    with pytest.raises(ApprovalRefused):
        ledger.add_code(plan.digest, "eve", "h1", scene.at(9))
    with pytest.raises(ApprovalRefused):
        ledger.add_code("0" * 64, "eve", "h9", scene.at(9))


def test_consent_is_kept_for_plans_the_ledger_holds(ledger: Ledger, scene: Any) -> None:
    plan = scene.plan()
    first = Approval(digest=plan.digest, person="ada", method="code", at=scene.at(1))
    with pytest.raises(ApprovalRefused, match="no plan"):
        ledger.add_approval(first)

    ledger.save_plan(plan, scene.at())
    assert ledger.approval(plan.digest) is None
    ledger.add_approval(first)
    ledger.add_approval(replace(first, person="bob", method="token"))
    assert ledger.approval(plan.digest) == first


@pytest.mark.parametrize("what", ["consume", "code"])
def test_of_many_at_once_exactly_one_succeeds(prepared_url: str, scene: Any, what: str) -> None:
    plan = scene.plan()
    with Ledger.open(prepared_url) as ledger:
        ledger.save_plan(plan, scene.at())
        ledger.add_code(plan.digest, "ada", "h", scene.at(1))
    start = threading.Barrier(6)
    results: list[object] = []

    def race() -> None:
        with Ledger.open(prepared_url) as mine:
            start.wait()
            results.append(
                mine.consume(plan.digest, scene.at())
                if what == "consume"
                else mine.use_code(plan.digest, "h", scene.at())
            )

    threads = [threading.Thread(target=race) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(results) == 6
    assert sum(1 for result in results if result) == 1


def test_a_plan_is_used_once_and_an_unknown_one_never(ledger: Ledger, scene: Any) -> None:
    plan = scene.plan()
    assert ledger.consume(plan.digest, scene.at()) is False
    ledger.save_plan(plan, scene.at())
    assert ledger.consume(plan.digest, scene.at()) is True
    assert ledger.consume(plan.digest, scene.at()) is False


def test_how_far_a_plan_has_come(ledger: Ledger, scene: Any) -> None:
    changes = tuple(replace(scene.change(record), title="t") for record in ("1", "2"))
    plan = scene.plan(changes=changes)
    ledger.save_plan(scene.plan(base=1), scene.at())
    ledger.save_plan(plan, scene.at())

    def status(hours: float = 1) -> tuple[str, dict[str, int]]:
        newest = ledger.plans(now=scene.at(hours))[0]
        assert newest.plan == plan
        return newest.state, newest.outcomes

    assert status() == ("proposed", {})
    assert status(24) == ("expired", {})
    ledger.add_approval(Approval(digest=plan.digest, person="ada", method="token", at=scene.at(1)))
    assert status() == ("approved", {})
    assert status(24) == ("expired", {})
    assert (ledger.plans(now=scene.at())[0].approved_by, ledger.plans(now=scene.at())[0].approved_at) == (
        "ada", scene.at(1),
    )  # fmt: skip

    ledger.consume(plan.digest, scene.at(2))
    assert status(99) == ("applying", {})
    keys = [intent_key(plan.digest, change) for change in changes]
    for key, change in zip(keys, changes, strict=True):
        ledger.add_intent(Intent(key=key, plan=plan.digest, change=change), scene.at())
    ledger.add_event(keys[0], Outcome(kind="sent", at=scene.at()))
    assert status() == ("applying", {"sent": 1, "pending": 1})
    ledger.add_event(keys[0], Outcome(kind="confirmed", at=scene.at()))
    ledger.add_event(keys[1], Outcome(kind="unknown", at=scene.at()))
    assert status() == ("applying", {"confirmed": 1, "unknown": 1})
    ledger.add_event(keys[1], Outcome(kind="refused_changed", at=scene.at()))
    assert status() == ("applied", {"confirmed": 1, "refused_changed": 1})
    assert len(ledger.plans(limit=1)) == 1


@pytest.mark.parametrize("named", ["digest", "id"])
def test_intents_keep_their_outcomes_in_order(ledger: Ledger, scene: Any, named: str) -> None:
    plan = scene.plan()
    ledger.save_plan(plan, scene.at())
    intent = Intent(key="k1", plan=getattr(plan, named), change=plan.changes[0])
    other = Intent(key="k2", plan="elsewhere", change=scene.change("2"))
    for one in (intent, other, intent):
        ledger.add_intent(one, scene.at())
    told = (
        Outcome(kind="claimed", at=scene.at(), detail="lease"),
        Outcome(kind="sent", at=scene.at(1), before="ada", after=None, version="v\0"),
        Outcome(kind="confirmed", at=scene.at(2), before="ada", after="bob"),
    )
    for outcome in told:
        ledger.add_event("k1", outcome)

    kept = (told[0], replace(told[1], version="v␀"), told[2])
    assert ledger.intents() == ((intent, kept), (other, ()))
    for name in (plan.id, plan.digest, plan.digest[:6]):
        assert ledger.intents(name) == ((intent, kept),)
    assert ledger.intents("elsewhere") == ((other, ()),)
    with pytest.raises(InternalFault):
        ledger.add_event("nobody's", told[0])


def test_what_is_committed_is_on_disk(prepared_url: str) -> None:
    """The settings a power cut depends on; a write says so itself, whatever the server is set up to do."""
    database = open_database(prepared_url)
    if database.postgresql:
        with database.engine.connect() as connection, connection.begin():
            connection.exec_driver_sql("ALTER ROLE CURRENT_USER SET synchronous_commit = off")
        database.close()
        database = open_database(prepared_url)
        try:
            with database.read() as connection:
                assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "off"
            with database.write() as connection:
                assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        finally:
            with database.engine.connect() as connection, connection.begin():
                connection.exec_driver_sql("ALTER ROLE CURRENT_USER RESET synchronous_commit")
    else:
        with database.write() as connection:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 3
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() in {"delete", "wal"}
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    database.close()
