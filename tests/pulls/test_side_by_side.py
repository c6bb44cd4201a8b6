"""Everything that is measured side by side reads the same records, and an aim is met only when it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import limits, steps
from benchmarks.pulls import reading, stock
from benchmarks.pulls.__main__ import AIMS, Row, verdicts
from benchmarks.pulls.asking import question, sobject
from benchmarks.steps import Measured
from hub.charter.load import load_charter
from hub.settings import Settings
from hub.wiring import Hub
from sandbox import launcher
from sandbox.world.shape import Shape

RECORDS = 250  # more than one page of Jira and of Airtable


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[launcher.Running]:
    directory = tmp_path_factory.mktemp("flat")
    yield launcher.up(directory, shape=Shape(flat=RECORDS))
    launcher.down(directory)


@pytest.mark.parametrize("tool", AIMS)
def test_the_stock_client_reads_what_the_pull_asked_for(company: launcher.Running, tool: str, tmp_path: Path) -> None:
    charter = load_charter(company.config / "charter.yaml")
    source, configured = next((name, one) for name, one in charter.sources.items() if one.tool == tool)
    limits.forget(company.addresses["control"])
    kept = steps.pulled(company.config, f"sqlite:///{tmp_path}/ledger.sqlite", (source,))
    reads = limits.asked(company.addresses["control"], tool)
    assert reading.read(company.config, source).told == kept.told["records"]

    hub = Hub(settings=Settings.load(company.config), charter=charter, ledger=None)  # type: ignore[arg-type]  # only to sign in
    address = company.addresses[tool]
    session = limits.signed_in(configured, address, lambda name: hub.secret(name).reveal())
    headers = {"Authorization": str(session.headers["Authorization"])} if "Authorization" in session.headers else {}
    login = [str(part) for part in session.auth] if isinstance(session.auth, tuple) else []
    asked = question(tool, address, reads, headers, login)

    there = reading.walked(asked).told
    assert there >= RECORDS
    assert stock.iterated(asked).told == there


def test_an_aim_is_met_by_wall_seconds_only() -> None:
    def run(seconds: float, cpu: float, peak: float = 100.0) -> Measured:
        return Measured(seconds=seconds, cpu=cpu, peak=peak, told=None)

    def row(means: str, one: Measured) -> Row:
        return Row(tool="airtable", means=means, run=one, records=1000)

    rows = [
        row("requests + orjson, the same requests", run(1.0, 0.1)),
        row(stock.NAMES["airtable"], run(1.3, 0.2)),
        row("hub, pages only", run(1.0, 0.9)),
        row("hub, pull to ledger", run(4.0, 2.0, peak=401.0)),
        row("dlt", run(15.9, 90.0)),
    ]
    assert [line.rsplit("|", 2)[1].strip() for line in verdicts(rows)] == ["yes", "no", "", "no at this size"]


def test_the_object_of_a_query_is_named() -> None:
    assert sobject("SELECT Id FROM CaseHistory WHERE CaseId IN ('1')") == "CaseHistory"
