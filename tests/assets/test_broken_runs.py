"""A run that breaks is told to people once a day, and never instead of the findings' own alerts."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from dagster import DagsterInstance, Failure, build_run_status_sensor_context, job, op

from assets.resources import HubResource
from assets.sensors import alert_on_broken_runs
from hub.wiring import open_hub
from sandbox.launcher import Running


@op
def breaks() -> None:
    raise RuntimeError("the disk is full\nBcc: everybody@acme.example")


@job
def sync() -> None:
    breaks()


def letters(company: Running, address: str) -> list[dict[str, str]]:
    query = urllib.parse.urlencode({"to": address})
    with urllib.request.urlopen(f"{company.addresses['control']}/mail?{query}", timeout=10) as reply:
        found: list[dict[str, str]] = json.load(reply)
    return found


def break_once(config: Path) -> None:
    """One broken run, seen by the sensor."""
    with DagsterInstance.ephemeral() as instance:
        result = sync.execute_in_process(instance=instance, raise_on_error=False)
        context = build_run_status_sensor_context(
            sensor_name="alert_on_broken_runs",
            dagster_instance=instance,
            dagster_run=result.dagster_run,
            dagster_event=result.get_run_failure_event(),
            resources={"hub": HubResource(directory=str(config))},
        ).for_run_failure()
        alert_on_broken_runs(context)


def test_the_people_who_hear_alerts_hear_of_it_once_a_day(company: Running) -> None:
    break_once(company.config)
    break_once(company.config)
    told = [m for m in letters(company, "ada@acme.example") if "job sync" in m["text"]]
    assert len(told) == 1
    assert letters(company, "everybody@acme.example") == []


def test_news_that_cannot_be_delivered_waits(config: Path) -> None:
    charter = config / "charter.yaml"
    charter.write_text(charter.read_text(encoding="utf-8") + "alerts: {mail_to: [ada]}\n", encoding="utf-8")
    break_once(config)
    with open_hub(config) as hub:
        assert [row.attempts for row in hub.ledger.pending_deliveries()] == [1]


def test_an_unusable_configuration_is_one_line_with_a_hint(tmp_path: Path) -> None:
    with (
        pytest.raises(Failure, match=r"no hub\.yaml in .* set HUB_CONFIG") as failure,
        HubResource(directory=str(tmp_path)).open(),
    ):
        pass
    assert not failure.value.allow_retries
