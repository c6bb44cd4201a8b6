"""Steps for processes of their own: our connector's pages, and a bare count of what there is to read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from benchmarks.pulls.asking import Question, pages
from benchmarks.steps import Measured, measured
from hub.charter.load import load_charter
from hub.settings import Settings
from hub.wiring import Hub


def read(config: Path, source: str) -> Measured:
    """All pages of a source by its connector, nothing kept; told: raw records."""
    settings = Settings.load(config)
    hub = Hub(settings=settings, charter=load_charter(settings.charter), ledger=None)  # type: ignore[arg-type]  # nothing is stored
    connector = hub.connector(source)
    now = datetime.now(UTC)

    def work() -> int:
        return sum(len(p.records) for stream in connector.streams() for p in connector.pull(stream, None, now=now))

    return measured(work)


def walked(asked: Question) -> Measured:
    """A bare walk over what is asked; told: how many records there are."""
    return measured(lambda: sum(len(rows) for _, rows in pages(asked)))
