"""Measure pulls: ``python -m benchmarks.pulls [--records 20000]``; prints the table.

A flat world is served by a process of its own; each means reads the same records of it in a process of its own.
With ``HUB_DLT_PYTHON`` (a Python that has ``dlt[parquet]``) dlt is measured too, otherwise its row is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import requests
from ruamel.yaml import YAML

from benchmarks import limits, steps
from benchmarks.pulls import reading, stock
from benchmarks.pulls.asking import Question, question
from benchmarks.steps import Measured, alone
from hub.charter.load import load_charter
from hub.settings import Settings
from hub.wiring import Hub
from sandbox import launcher
from sandbox.world.shape import Shape

PROJECT = Path(__file__).parents[2]
AIMS = {"salesforce": 2.5, "jira": 6.0, "airtable": 1.2}  # our reading beside the stock client
DLT_AIM, PEAK_AIM = 4.0, 400.0
HEAD = "| tool | means | seconds | CPU s | peak MB | records | records a second |\n|---|---|---|---|---|---|---|"
_LIMIT, _READ, _KEPT, _DLT = "requests + orjson, the same requests", "hub, pages only", "hub, pull to ledger", "dlt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One means of reading one tool, and how many records it really gave."""

    tool: str
    means: str
    run: Measured
    records: int

    def __str__(self) -> str:
        """The line in markdown."""
        return (
            f"| {self.tool} | {self.means} | {self.run.seconds:.2f} | {self.run.cpu:.2f} | {self.run.peak:,.0f} "
            f"| {self.records:,} | {self.records / self.run.seconds:,.0f} |"
        )


def by_dlt(asked: Question, python: str) -> Measured:
    """The question loaded by dlt; told: rows in the files."""
    command = [python, "-m", "benchmarks.pulls.into_parquet"]
    quiet = {**os.environ, "RUNTIME__DLTHUB_TELEMETRY": "false", "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        command,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env=quiet,
        timeout=3600,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"dlt failed: {done.stderr[-2000:]}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def measure(records: int, scratch: Path, dlt: str) -> Iterator[Row]:
    """All rows for a world of so many records a tool. Raises AssertionError where a means lost or doubled some."""
    directory = scratch / "world"
    running = launcher.up(directory, shape=Shape(flat=records), now=datetime(2026, 11, 1, 9, tzinfo=UTC))
    try:
        _queries_only(running.config / "charter.yaml", records)
        charter = load_charter(running.config / "charter.yaml")
        for source, configured in charter.sources.items():
            if configured.tool in AIMS:
                yield from _side_by_side(running, source, configured.tool, records, scratch, dlt)
    finally:
        launcher.down(directory)


def _queries_only(charter: Path, records: int) -> None:
    """Salesforce by query at every size: the result of a bulk job cannot be asked for again."""
    yaml = YAML()
    written = yaml.load(charter)
    for source in written["sources"].values():
        if source["tool"] == "salesforce":
            source["bulk_above"] = records
    yaml.dump(written, charter)


def _side_by_side(
    running: launcher.Running, source: str, tool: str, records: int, scratch: Path, dlt: str
) -> Iterator[Row]:
    control, address, config = running.addresses["control"], running.addresses[tool], running.config
    _rest(control)
    limits.forget(control)
    ledger = scratch / f"{source}.sqlite"
    kept = alone(steps.pulled, config, f"sqlite:///{ledger}", (source,))
    held = _items(ledger, source)
    assert held == records, (source, held)
    reads = limits.asked(control, tool)
    again = alone(steps.replayed, config, source, address, reads)
    _rest(control)
    paged = alone(reading.read, config, source)
    assert paged.told == kept.told["records"], (source, paged.told, kept.told)
    settings = Settings.load(config)
    hub = Hub(settings=settings, charter=load_charter(settings.charter), ledger=None)  # type: ignore[arg-type]  # only to sign in
    session = limits.signed_in(hub.charter.sources[source], address, lambda name: hub.secret(name).reveal())
    headers = {name: str(value) for name, value in session.headers.items() if name == "Authorization"}
    login = [str(part) for part in session.auth] if isinstance(session.auth, tuple) else []
    asked = question(tool, address, reads, headers, login)
    expected = alone(reading.walked, asked).told
    assert expected >= records, (source, expected)
    own = alone(stock.iterated, asked)
    assert own.told == expected, (source, own.told, expected)
    for means, run in ((_LIMIT, again), (stock.NAMES[tool], own), (_READ, paged), (_KEPT, kept)):
        yield Row(tool=tool, means=means, run=run, records=records)
    if dlt:
        loaded = by_dlt(asked, dlt)
        assert loaded.told == expected, (source, loaded.told, expected)
        yield Row(tool=tool, means=_DLT, run=loaded, records=records)


def _rest(control: str) -> None:
    """Let the rate windows of the company pass: the connector waits when they are used up, and by its own clock."""
    requests.post(f"{control}/clock", json={"advance": 180}, timeout=60).raise_for_status()


def _items(ledger: Path, source: str) -> int:
    connection = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
    query = "SELECT count(DISTINCT record) FROM observation WHERE source = ? AND entity = 'item'"
    count = int(connection.execute(query, (source,)).fetchone()[0])
    connection.close()
    return count


def verdicts(rows: list[Row]) -> Iterator[str]:
    """Each aim beside what was measured; by wall seconds, and by the CPU seconds of the reading process."""
    for tool, aim in AIMS.items():
        of = {row.means: row.run for row in rows if row.tool == tool}
        if not of:
            continue
        yield _verdict(f"{tool}: pages beside {stock.NAMES[tool]}", of[stock.NAMES[tool]], of[_READ], aim)
        if _DLT in of:
            yield _verdict(f"{tool}: pull to ledger beside dlt", of[_DLT], of[_KEPT], DLT_AIM)
        limit = of[_KEPT].seconds / of[_LIMIT].seconds
        yield f"| {tool}: pull to ledger takes, of the limit | {limit:.1f}× | {_cpu(of[_KEPT], of[_LIMIT])} | | |"
        peak = of[_KEPT].peak
        met = f"{'yes' if peak < PEAK_AIM else 'no'} at this size"
        yield f"| {tool}: peak of the pull | {peak:,.0f} MB | | < {PEAK_AIM:,.0f} MB at a million | {met} |"


def _verdict(what: str, theirs: Measured, ours: Measured, aim: float) -> str:
    ratio = theirs.seconds / ours.seconds
    met = "yes" if ratio >= aim else "no"
    return f"| {what} | {ratio:.2f}× | {_cpu(theirs, ours)} | ≥ {aim}× | {met} |"


def _cpu(above: Measured, below: Measured) -> str:
    return f"{above.cpu / below.cpu:.2f}×"


def main(tell: Callable[[str], None] = print) -> None:
    """Print the two tables: what was measured, and each aim."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pulls", description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--dir", type=Path, default=None, help="where the world and the ledgers are made")
    wanted = parser.parse_args()
    version = sys.version.split()[0]
    tell(f"{wanted.records:,} records a tool, {os.cpu_count()} cores, Python {version}, {datetime.now(UTC):%Y-%m-%d};")
    tell(f"load before: {os.getloadavg()[0]:.1f}.\n\n{HEAD}")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(dir=wanted.dir) as scratch:
        for row in measure(wanted.records, Path(scratch), os.environ.get("HUB_DLT_PYTHON", "")):
            rows.append(row)
            tell(str(row))
    tell("\n| aim | by wall seconds | by CPU seconds | aim | met |\n|---|---|---|---|---|")
    for line in verdicts(rows):
        tell(line)
    tell(f"\nLoad after: {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
