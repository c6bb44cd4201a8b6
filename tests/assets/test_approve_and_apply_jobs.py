"""From proposal to written owners through Dagster's jobs, with the code the hub mailed and with nothing less."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

from dagster import DagsterInstance, ExecuteInProcessResult, RunRequest, SkipReason, build_sensor_context

from assets.resources import HubResource
from assets.sensors import apply_approved_plans
from hub.domain.plans import Plan
from hub.wiring import open_hub
from sandbox.launcher import Running

Run = Callable[..., ExecuteInProcessResult]
Failure = Callable[[ExecuteInProcessResult], str]


def newest(config: Path) -> tuple[Plan, str]:
    with open_hub(config) as hub:
        status = hub.ledger.plans(limit=1)[0]
    return status.plan, status.state


def code_in_mail(company: Running, address: str, plan: str) -> str:
    """The code, as the approver reads it in the mail."""
    query = urllib.parse.urlencode({"to": address})
    with urllib.request.urlopen(f"{company.addresses['control']}/mail?{query}", timeout=10) as reply:
        letters = json.load(reply)
    found = next(m for m in (re.search(rf"approve {plan} --code (\S+)", letter["text"]) for letter in letters) if m)
    return found[1]


def approval(plan: str, code: str) -> dict[str, object]:
    return {"ops": {"record_approval": {"config": {"plan": plan, "code": code}}}}


def applying(plan: str) -> dict[str, object]:
    return {"ops": {"write_back": {"config": {"plan": plan}}}}


def asked(config: Path) -> RunRequest | SkipReason:
    """What the sensor asks for right now."""
    context = build_sensor_context(resources={"hub": HubResource(directory=str(config))})
    return next(iter(apply_approved_plans(context)))


def test_only_an_approved_plan_is_applied_and_then_nothing_is_left(
    company: Running, run_job: Run, failure_of: Failure
) -> None:
    config, instance = company.config, DagsterInstance.ephemeral()
    first = run_job(config, "sync", instance)
    assert first.success
    plan, state = newest(config)
    assert plan.changes
    assert state == "proposed"

    # being able to launch the job is not approval
    assert isinstance(asked(config), SkipReason)
    refused = run_job(config, "apply_plan", instance, applying(plan.id))
    assert not refused.success
    assert f"{plan.id} is not approved" in failure_of(refused)
    assert not any(e.is_step_up_for_retry for e in refused.all_events)

    # neither is a guess
    guessed = run_job(config, "approve_plan", instance, approval(plan.id, "AAAAA-AAAAA"))
    assert not guessed.success
    assert "does not approve" in failure_of(guessed)
    assert isinstance(asked(config), SkipReason)

    # the code from the mail is, once
    code = code_in_mail(company, "ada@acme.example", plan.id)
    assert run_job(config, "approve_plan", instance, approval(f" {plan.id} ", f"{code}\n")).success
    request = asked(config)
    assert isinstance(request, RunRequest)
    assert request.run_key == plan.digest

    applied = run_job(config, "apply_plan", instance, request.run_config)
    assert applied.success
    metadata = applied.get_asset_materialization_events()[0].materialization.metadata
    assert metadata["verified"].value == len(plan.changes)
    assert [c.passed for c in applied.get_asset_check_evaluations()] == [True]
    assert isinstance(asked(config), SkipReason)

    again = run_job(config, "sync", instance)
    assert again.success
    proposed = next(
        e.materialization.metadata
        for e in again.get_asset_materialization_events()
        if e.materialization.asset_key.to_user_string() == "plan"
    )
    assert proposed["changes"].value == 0
    green = {
        c.asset_key.path[-1]: c.passed for c in again.get_asset_check_evaluations() if c.asset_key.path[0] == "findings"
    }
    assert green["owner_conflict"]
    assert green["orphan_item"]
    assert green["ghost_owner"]


def test_a_plan_nobody_made_cannot_be_approved(company: Running, run_job: Run, failure_of: Failure) -> None:
    refused = run_job(company.config, "approve_plan", DagsterInstance.ephemeral(), approval("plan-0", "AAAAA-AAAAA"))
    assert not refused.success
    assert "no plan 'plan-0'" in failure_of(refused)
