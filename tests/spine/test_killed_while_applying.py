"""SIGKILL in the middle of `hub apply`, on each tool: run again, and no write is sent twice, none is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hub.announce import announce
from hub.flow.apply import apply
from hub.flow.approve import approve
from hub.flow.sync import sync
from hub.wiring import open_hub
from tests.spine.conftest import Company, clock

HUB = Path(sys.executable).with_name("hub")
WRITES = {"salesforce": ("PATCH", "/sobjects/"), "jira": ("PUT", "/assignee"), "airtable": ("PATCH", "/v0/")}


def _approved_plan(company: Company) -> str:
    with open_hub(company.config) as hub:
        first = sync(hub.ledger, hub.charter, hub.connector, clock=clock)
        announce(hub, first.reconciled.changes, first.plan, now=clock())
        approve(hub.ledger, hub.charter, first.plan.id, now=clock(), code=company.code(hub, first.plan.id))
        return first.plan.id


@pytest.mark.parametrize("applied_first", [True, False], ids=["reply lost", "request lost"])
@pytest.mark.parametrize("tool", list(WRITES))
def test_killed_with_a_write_in_flight(company: Company, tool: str, applied_first: bool) -> None:
    plan = _approved_plan(company)
    method, path = WRITES[tool]
    company.fault(tool=tool, method=method, path=path, nth=2, action="hang_after" if applied_first else "hang_before")
    process = subprocess.Popen(
        [HUB, "apply", plan, "--config", company.config],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not [entry for entry in company.writes(tool) if entry["fault"]]:
        assert time.monotonic() < deadline, "the write never came"
        assert process.poll() is None, "apply ended before the write"
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    company.heal()

    with open_hub(company.config) as hub:
        report = apply(hub.ledger, hub.charter, plan, writer=hub.writer, clock=clock, sleep=time.sleep)
        assert report.verified == len(report.rows), report.outcomes
        assert sync(hub.ledger, hub.charter, hub.connector, clock=clock).plan.changes == ()
    for name in WRITES:
        took_effect = [entry["path"] for entry in company.writes(name) if entry["fault"] != "hang_before"]
        assert len(took_effect) == len(set(took_effect)), f"written twice in {name}"
        assert len(took_effect) == len([row for row in report.rows if name in row.change.source])


def test_killed_again_and_again_at_random_moments(company: Company) -> None:
    plan = _approved_plan(company)
    for round_ in range(6):
        process = subprocess.Popen(
            [HUB, "apply", plan, "--config", company.config],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        sent = sum(len(company.writes(tool)) for tool in WRITES)
        deadline = time.monotonic() + 30
        while sum(len(company.writes(tool)) for tool in WRITES) < sent + 1 + round_ % 3:
            if process.poll() is not None or time.monotonic() > deadline:
                break
            time.sleep(0.01)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    with open_hub(company.config) as hub:
        report = apply(hub.ledger, hub.charter, plan, writer=hub.writer, clock=clock, sleep=time.sleep)
        assert report.verified == len(report.rows), report.outcomes
        named = [row.change for row in report.rows if row.change.source == "ops_mail"]
        for change in named:
            letters = [le for le in company.letters(change.desired or "") if "Owner:" in le["text"]]
            assert len(letters) == 1, "the thread was told twice"
    for tool in WRITES:
        paths = [entry["path"] for entry in company.writes(tool)]
        assert len(paths) == len(set(paths)), f"written twice in {tool}"
