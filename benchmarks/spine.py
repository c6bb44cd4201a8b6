"""Pull to ledger and reconcile, beside their limits: `make bench`.

Every step runs in a process of its own. The limit of a pull is the same requests sent again by plain requests,
parsed by orjson, and nothing kept (mail: plain imaplib). The limit of storing is a plain sqlite3 executemany of
the same observations. What a step claims to have stored is counted in the database after the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from benchmarks import limits, steps
from benchmarks.steps import Measured, alone
from hub.charter.load import load_charter
from hub.charter.model import Charter
from sandbox import launcher

SIZES = (10_000, 100_000)
REPEATED = 10_000  # items up to which each step is repeated
REPEATS = 3
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
HEAD = (
    "| items | step | runs | seconds | CPU s | peak MB | number | per second | beside its limit |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table; the medians of its runs."""

    items: int
    step: str
    runs: Sequence[Measured]
    number: int
    unit: str
    beside: str = ""
    limit: float = 0.0

    @property
    def seconds(self) -> float:
        """Median of the wall seconds."""
        return statistics.median(run.seconds for run in self.runs)

    def __str__(self) -> str:
        """The line in markdown."""
        cpu = statistics.median(run.cpu for run in self.runs)
        peak = max(run.peak for run in self.runs)
        return (
            f"| {self.items:,} | {self.step} | {len(self.runs)} | {self.seconds:.2f} | {cpu:.2f} | {peak:,.0f} "
            f"| {self.number:,} {self.unit} | {self.number / self.seconds:,.0f} | {self.beside} |"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A running company and where ledgers for it may be kept."""

    items: int
    config: Path
    addresses: dict[str, str]
    charter: Charter
    folder: Path

    def ledger(self, run: int) -> Path:
        """File of the ledger of one run."""
        return self.folder / f"ledger-{run}.sqlite"

    def url(self, run: int) -> str:
        """Address of the same."""
        return f"sqlite:///{self.ledger(run)}"


def measure(items: int) -> Iterator[Row]:
    """All rows for a company of `items` work items, as they become known."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "company"
        up = steps.measured(lambda: launcher.up(directory, items=items))
        running = up.told
        try:
            company = Company(
                items=items,
                config=running.config,
                addresses=running.addresses,
                charter=load_charter(running.config / "charter.yaml"),
                folder=Path(folder),
            )
            runs = range(REPEATS if items <= REPEATED else 1)
            pulls: list[Row] = []
            for row in _pulls(company, runs):
                if row.limit:
                    pulls.append(row)
                yield row
            yield (whole := _together(pulls))
            yield from _rest(company, runs, whole.seconds)
        finally:
            launcher.down(directory)


def _pulls(company: Company, runs: range) -> Iterator[Row]:
    for source, configured in company.charter.sources.items():
        ours, plain = [], []
        for run in runs:
            limits.forget(company.addresses["control"])
            ours.append(alone(steps.pulled, company.config, company.url(run), (source,)))
            _stored(company.ledger(run), source, ours[-1])
            if configured.tool == "mail":
                plain.append(alone(steps.fetched, company.config, source))
            else:
                reads = limits.asked(company.addresses["control"], configured.tool)
                address = company.addresses[configured.tool]
                plain.append(alone(steps.replayed, company.config, source, address, reads))
        limit = statistics.median(run.seconds for run in plain)
        spent = statistics.median(run.cpu for run in plain)
        took = statistics.median(run.seconds for run in ours)
        how = "imaplib" if configured.tool == "mail" else "requests + orjson"
        yield Row(
            items=company.items,
            step=f"pull {source}",
            runs=ours,
            number=ours[-1].told["records"],
            unit="records",
            beside=f"{took / limit:.1f}× {how} ({limit:.2f} s, CPU {spent:.2f} s)",
            limit=limit,
        )
        again = [alone(steps.pulled, company.config, company.url(run), (source,)) for run in runs]
        assert all(run.told["observations"] == 0 for run in again), again[0].told
        yield Row(
            items=company.items,
            step=f"pull {source} again, nothing changed",
            runs=again,
            number=again[-1].told["calls"],
            unit="calls",
            beside="0 new observations",
        )


def _together(pulls: Sequence[Row]) -> Row:
    """All sources one after the other, by the medians of each."""
    seconds, limit = sum(row.seconds for row in pulls), sum(row.limit for row in pulls)
    cpu = sum(statistics.median(run.cpu for run in row.runs) for row in pulls)
    peak = max(run.peak for row in pulls for run in row.runs)
    return Row(
        items=pulls[0].items,
        step="**all pulls**",
        runs=[Measured(seconds=seconds, cpu=cpu, peak=peak, told=None)] * len(pulls[0].runs),
        number=sum(row.runs[-1].told["observations"] for row in pulls),
        unit="observations",
        beside=f"{seconds / limit:.1f}× all limits ({limit:.2f} s)",
        limit=limit,
    )


def _rest(company: Company, runs: range, pulling: float) -> Iterator[Row]:
    thoughts = [alone(steps.reconciled, company.config, company.url(run)) for run in runs]
    counts, found = thoughts[-1].told
    planted = _planted(company.config.parent / "answer_key.json")
    exact = "as planted" if found == {kind: planted.get(kind, 0) for kind in found} else "NOT as planted"
    yield Row(
        items=company.items,
        step="**reconcile**",
        runs=thoughts,
        number=counts["observations"],
        unit="observations",
        beside=f"{sum(found.values()):,} findings on {counts['items']:,} items, each kind {exact}",
    )
    plain = [alone(steps.inserted, company.ledger(run), company.folder / f"plain-{run}.sqlite") for run in runs]
    assert plain[-1].told == counts["observations"], plain[-1].told
    seconds = statistics.median(run.seconds for run in plain)
    size = company.ledger(0).stat().st_size / 1e6
    yield Row(
        items=company.items,
        step="the same observations by plain sqlite3",
        runs=plain,
        number=plain[-1].told,
        unit="rows",
        beside=f"all pulls together take {pulling / seconds:.1f}× this; the ledger has {size:,.0f} MB",
    )


def _stored(ledger: Path, source: str, run: Measured) -> None:
    """The database holds what the pull says it stored."""
    connection = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
    for table, told in (("raw_record", "records"), ("observation", "observations")):
        query = f"SELECT count(*), count(DISTINCT {'digest' if table == 'raw_record' else 'key'}) FROM {table}"
        held = connection.execute(f"{query} WHERE source = ?", (source,)).fetchone()
        assert held == (run.told[told], run.told[told]), (source, table, held, run.told)
    connection.close()
    assert run.told["gaps"] == 0, run.told


def _planted(answer_key: Path) -> dict[str, int]:
    planted: dict[str, int] = {}
    for fault in json.loads(answer_key.read_text(encoding="utf-8")):
        planted[fault["kind"]] = planted.get(fault["kind"], 0) + 1
    return planted


def _machine() -> str:
    return (
        f"{os.cpu_count()} cores {platform.machine()}, {platform.system()}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, DuckDB {duckdb.__version__}, {datetime.now(UTC):%Y-%m-%d}; "
        f"load before {os.getloadavg()[0]:.1f}"
    )


def main() -> None:
    """Print the table; without `--items` also write it into docs/benchmarks.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, nargs="*", help="sizes; nothing is written to the docs then")
    chosen = parser.parse_args().items
    lines = [f"Measured on {_machine()}.", "", HEAD]
    print("\n".join(lines), flush=True)
    for items in chosen or SIZES:
        for row in measure(items):
            lines.append(str(row))
            print(row, flush=True)
    if not chosen:
        text = PAGE.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text("\n".join([before + BEGIN, *lines, END + after]), encoding="utf-8")


if __name__ == "__main__":
    main()
