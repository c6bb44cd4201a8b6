"""A day of an operations person, in the browser alone: sync, read, approve, see it applied, see it green."""

from __future__ import annotations

import json
import os
import re
import signal
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from sandbox.launcher import Running

if TYPE_CHECKING:
    from conftest import Served

PICTURES = Path(os.environ.get("HUB_ARTIFACTS", Path(__file__).parents[2] / "artifacts")) / "ui"

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(420), pytest.mark.xdist_group("ui")]


def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(PICTURES / f"{name}.png"))


def sync(page: Page, served: Served, count: int) -> None:
    """Press “Materialize all” on the page of the job."""
    page.goto(f"{served.address}/locations/hub/jobs/sync")
    page.get_by_role("button", name=re.compile("Materialize all")).click()
    served.succeeded("sync", count)


def code_in_mail(company: Running, plan: str) -> str:
    with urllib.request.urlopen(f"{company.addresses['control']}/mail?to=ada@acme.example", timeout=10) as reply:
        letters = json.load(reply)
    found = next(m for m in (re.search(rf"approve {plan} --code (\S+)", letter["text"]) for letter in letters) if m)
    return found[1]


def test_a_day_in_the_ui(page: Page, served: Served, company: Running) -> None:
    page.goto(f"{served.address}/asset-groups")
    expect(page.get_by_text("Global asset lineage")).to_be_visible()
    expect(page.get_by_text("reconciliation").first).to_be_visible()
    picture(page, "1-asset-graph")

    sync(page, served, 1)

    # what is wrong
    page.goto(f"{served.address}/assets/findings_report")
    expect(page.get_by_text("open_findings").first).to_be_visible()
    expect(page.get_by_text("most_urgent").first).to_be_visible()
    picture(page, "2-findings-report")
    page.get_by_text("[Show Markdown]").first.click()
    expect(page.get_by_role("heading", name=re.compile("open findings"))).to_be_visible()
    images = page.locator("[role=dialog] img, .bp5-dialog img, .dagster-dialog img").all()
    assert [str(i.get_attribute("src"))[:19] for i in images] == ["data:image/svg+xml;"]
    picture(page, "3-summary")
    page.keyboard.press("Escape")
    full = page.locator("a[href*='/report-']").first.get_attribute("href")
    page.goto(str(full))
    expect(page.get_by_role("heading", name="Who should do what")).to_be_visible()
    picture(page, "4-full-report")

    # what is proposed, and the consent to it
    page.goto(f"{served.address}/assets/plan")
    link = page.get_by_role("link", name=re.compile("for this plan"))
    plan = re.search(r"plan-[0-9a-f]{12}", str(link.get_attribute("href")))
    assert plan is not None
    picture(page, "5-how-to-approve")
    page.goto(served.address + str(link.get_attribute("href")).removeprefix(served.address))
    editor = page.locator(".CodeMirror").first
    expect(editor).to_contain_text(plan[0])
    editor.click()
    for key in ("Control+End", "ArrowUp", "End", "ArrowLeft"):
        page.keyboard.press(key)
    page.keyboard.type(code_in_mail(company, plan[0]))
    picture(page, "6-approve")
    page.get_by_role("button", name="Launch Run").click()
    served.succeeded("approve_plan")

    # applied by the sensor
    served.succeeded("apply_plan")
    page.goto(f"{served.address}/assets/write_back")
    expect(page.get_by_text("verified").first).to_be_visible()
    picture(page, "7-written-back")

    # nothing left
    sync(page, served, 2)
    page.goto(f"{served.address}/assets/findings/owner_conflict?view=checks")
    expect(page.get_by_text("Passed").first).to_be_visible()
    picture(page, "8-green-check")
    page.goto(f"{served.address}/assets/plan")
    expect(page.get_by_text("nothing to change").first).to_be_visible()
    picture(page, "9-nothing-left")

    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(40) == 0
