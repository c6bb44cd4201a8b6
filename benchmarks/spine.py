"""Pull to ledger and reconcile, beside their limits, in one run: `make bench`.

The limit of a pull is the same requests sent again by plain requests, parsed by orjson, and nothing kept. The limit of
storing is a plain sqlite3 executemany of the same observations. Rows are counted afterwards.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import requests
from hub.charter.model import Charter
from hub.flow.sync import pull, think
from hub.wiring import Hub, open_hub
from sandbox import launcher

HTTP_TOOLS = ("salesforce", "jira", "airtable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table."""

    items: int
    step: str
    seconds: float
    number: int
    unit: str
    beside: str = ""

    def __str__(self) -> str:
        rate = self.number / self.seconds if self.seconds else 0
        return f"| {self.items:,} | {self.step} | {self.seconds:.2f} | {self.number:,} {self.unit} | {rate:,.0f} | {self.beside} |"


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds and result of a piece of work."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def clock() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def measure(items: int) -> list[Row]:
    """All rows for a company of `items` work items."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "company"
        seconds, running = timed(lambda: launcher.up(directory, items=items))
        rows = [Row(items=items, step="simulated company up", seconds=seconds, number=items, unit="items")]
        try:
            with open_hub(running.config) as hub:
                rows += _pulls(hub, items, running.addresses)
                rows += _reconcile(hub, items)
                rows.append(_plain_inserts(hub, items, Path(folder) / "plain.sqlite", rows))
        finally:
            launcher.down(directory)
    return rows


def _pulls(hub: Hub, items: int, addresses: dict[str, str]) -> list[Row]:
    rows: list[Row] = []
    for source, configured in hub.charter.sources.items():
        seconds, report = timed(lambda name=source: pull(hub.ledger, hub.connector, [name], clock=clock))
        assert not report.failed, report.failed
        records = sum(r.new_records for r in report.receipts)
        limit = _replay(configured.tool, addresses, hub) if configured.tool in HTTP_TOOLS else None
        beside = "" if limit is None else f"{seconds / limit:.1f}× requests+orjson ({limit:.2f} s)"
        rows.append(
            Row(items=items, step=f"pull {source}", seconds=seconds, number=records, unit="records", beside=beside)
        )
    seconds, again = timed(lambda: pull(hub.ledger, hub.connector, hub.charter.sources, clock=clock))
    new = sum(r.new_observations for r in again.receipts)
    calls = sum(r.calls for r in again.receipts)
    assert new == 0, again
    rows.append(Row(items=items, step="pull again, nothing changed", seconds=seconds, number=calls, unit="calls"))
    return rows


def _replay(tool: str, addresses: dict[str, str], hub: Hub) -> float:
    """Seconds for the same reads by plain requests and orjson."""
    journal = requests.get(f"{addresses['control']}/journal", params={"tool": tool}, timeout=60).json()
    entries = journal if isinstance(journal, list) else journal["requests"]
    session = requests.Session()
    _sign_in(session, tool, addresses[tool], hub.charter, hub)
    reads = [e for e in entries if e["status"] == 200 and not e["path"].endswith("/token")]

    def replay() -> None:
        for entry in reads:
            url = addresses[tool] + entry["path"] + (f"?{entry['query']}" if entry["query"] else "")
            reply = session.request(
                entry["method"],
                url,
                data=entry["body"] or None,
                headers={"Content-Type": "application/json"},
                timeout=60,
            )
            orjson.loads(reply.content)

    return timed(replay)[0]


def _sign_in(session: requests.Session, tool: str, address: str, charter: Charter, hub: Hub) -> None:
    source = next(s for s in charter.sources.values() if s.tool == tool)
    connection: Any = source.connection
    if tool == "jira":
        session.auth = (connection.email, hub.secret(connection.token).reveal())
        return
    if tool == "airtable":
        token = hub.secret(connection.token).reveal()
    else:
        form = {
            "grant_type": "client_credentials",
            "client_id": connection.client_id,
            "client_secret": hub.secret(connection.client_secret).reveal(),
        }
        token = session.post(f"{address}/services/oauth2/token", data=form, timeout=10).json()["access_token"]
    session.headers["Authorization"] = f"Bearer {token}"


def _reconcile(hub: Hub, items: int) -> list[Row]:
    observations = hub.ledger.observations().num_rows
    seconds, report = timed(lambda: think(hub.ledger, hub.charter, clock=clock))
    found = sum(report.findings.values())
    return [
        Row(
            items=items,
            step="reconcile",
            seconds=seconds,
            number=observations,
            unit="observations",
            beside=f"{found:,} findings on {report.counts.get('items', 0):,} items",
        )
    ]


def _plain_inserts(hub: Hub, items: int, path: Path, rows: list[Row]) -> Row:
    """The same observations by sqlite3 executemany, 20,000 a commit, with a unique key."""
    table = hub.ledger.observations()
    values = list(
        zip(
            *(
                table.column(name).cast("int64").to_pylist() if "valid_from" in name else table.column(name).to_pylist()
                for name in (
                    "seq",
                    "source",
                    "entity",
                    "record",
                    "part",
                    "field",
                    "value",
                    "valid_from",
                    "origin",
                    "actor",
                )
            ),
            strict=True,
        )
    )
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE o (k INTEGER UNIQUE, s, e, r, p, f, v, t, o, a)")

    def insert() -> None:
        for start in range(0, len(values), 20_000):
            connection.executemany("INSERT INTO o VALUES (?,?,?,?,?,?,?,?,?,?)", values[start : start + 20_000])
            connection.commit()

    seconds, _ = timed(insert)
    count = connection.execute("SELECT count(*) FROM o").fetchone()[0]
    connection.close()
    assert count == table.num_rows, (count, table.num_rows)
    pulled = sum(r.seconds for r in rows if r.step.startswith("pull ") and "again" not in r.step)
    return Row(
        items=items,
        step="the same observations by plain sqlite3",
        seconds=seconds,
        number=count,
        unit="rows",
        beside=f"pull to ledger as a whole takes {pulled / seconds:.1f}× this",
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, nargs="*", default=[10_000, 100_000])
    sizes = parser.parse_args().items
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}\n")
    print("| items | step | seconds | number | per second | beside |\n|---|---|---|---|---|---|")
    for items in sizes:
        for row in measure(items):
            print(row, flush=True)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"| {items:,} | peak memory so far | | {peak:,.0f} MB | | |", flush=True)


if __name__ == "__main__":
    main()
