"""The steps that are measured, each for a process of its own, so that each has a peak of memory of its own."""

from __future__ import annotations

import resource
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks import limits
from hub.charter.load import load_charter
from hub.flow.sync import pull, think
from hub.ledger.ledger import Ledger
from hub.settings import Settings
from hub.wiring import Hub


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one step took: wall and CPU seconds, the peak of its process in MB, and what it said."""

    seconds: float
    cpu: float
    peak: float
    told: Any


def alone(step: Callable[..., Measured], *arguments: Any) -> Measured:
    """The step, in a fresh process."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as processes:
        return processes.submit(step, *arguments).result()


def measured(work: Callable[[], Any]) -> Measured:
    """A piece of work, timed in this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    told = work()
    seconds, spent = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(seconds=seconds, cpu=spent, peak=peak, told=told)


def pulled(config: Path, database: str, sources: tuple[str, ...]) -> Measured:
    """Pull the sources; told: records, new observations, calls, streams with a gap."""
    with Ledger.open(database) as ledger:
        hub = _hub(config, ledger)
        hub.connector(sources[0])  # the client library's import is not the pull

        def work() -> dict[str, int]:
            report = pull(ledger, hub.connector, sources, clock=_clock)
            assert not report.failed, report.failed[0].error
            return {
                "records": sum(r.new_records for r in report.receipts),
                "observations": sum(r.new_observations for r in report.receipts),
                "calls": sum(r.calls for r in report.receipts),
                "gaps": sum(1 for r in report.receipts if r.gap),
            }

        return measured(work)


def reconciled(config: Path, database: str) -> Measured:
    """Reconcile; told: counts of things, open findings."""
    with Ledger.open(database) as ledger:
        hub = _hub(config, ledger)

        def work() -> tuple[dict[str, int], dict[str, int]]:
            report = think(ledger, hub.charter, clock=_clock)
            return report.counts, report.findings

        return measured(work)


def replayed(config: Path, source: str, address: str, reads: list[dict[str, Any]]) -> Measured:
    """The reads of one source again by plain requests and orjson; told: bytes."""
    hub = _hub(config)
    session = limits.signed_in(hub.charter.sources[source], address, lambda name: hub.secret(name).reveal())
    return measured(lambda: limits.replay(session, address, reads))


def fetched(config: Path, source: str) -> Measured:
    """The mailbox by plain imaplib; told: bytes."""
    hub = _hub(config)
    configured: Any = hub.charter.sources[source]
    password = hub.secret(configured.connection.password).reveal()
    return measured(lambda: limits.fetch(configured, password))


def inserted(ledger: Path, path: Path) -> Measured:
    """The ledger's observations by plain sqlite3; told: rows."""
    connection = sqlite3.connect(ledger)
    rows = connection.execute(
        "SELECT key, source, entity, record, part, field, value, valid_from, origin, actor, raw, evidence, "
        "recorded_at FROM observation ORDER BY seq"
    ).fetchall()
    connection.close()
    return measured(lambda: limits.insert(rows, path))


def _hub(config: Path, ledger: Ledger | None = None) -> Hub:
    settings = Settings.load(config)
    return Hub(settings=settings, charter=load_charter(settings.charter), ledger=ledger)  # type: ignore[arg-type]  # the limits need no ledger


def _clock() -> datetime:
    return datetime.now(UTC)
