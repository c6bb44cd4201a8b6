"""The table of all measurements, and the page of the docs that holds it."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from benchmarks.real_input.measure import Row

_COLUMNS = (
    "source file",
    "cases",
    "events",
    "hub",
    "independent check",
    "equal?",
    "load s",
    "pull s",
    "reconcile and plan s",
    "calls",
    "sync without changes: new observations, calls, s",
)
_TEMPLATE = Path(__file__).with_name("page.md")


def table(rows: Sequence[Row]) -> str:
    """All rows as one markdown table."""
    lines = [_line(_COLUMNS), _line(["---"] * len(_COLUMNS))]
    return "\n".join(lines + [_line(_cells(row)) for row in rows])


def verdict(rows: Sequence[Row]) -> str:
    """What differs, case by case; a sentence when nothing does."""
    wrong = [f"- {row.name}: {line}" for row in rows for line in row.differences]
    wrong += [
        f"- {row.name}: the sync without changes brought {row.again.new_observations} new observations"
        for row in rows
        if row.again.new_observations
    ]
    known = [f"- {row.name}: {line}" for row in rows for line in row.explained]
    lines = ["Differences:", *wrong] if wrong else []
    lines += ["Differences that whole seconds explain:", *known] if known else []
    return "\n".join(lines) or "Nothing differs, in no case and no opportunity."


def page(rows: Sequence[Row], today: date) -> str:
    """The whole page."""
    text = _TEMPLATE.read_text(encoding="utf-8")
    return text.format(table=table(rows), verdict=verdict(rows), machine=_machine(), day=today.isoformat())


def _cells(row: Row) -> list[str]:
    return [
        row.name,
        f"{row.check.get('cases', row.check.get('records', 0)):,}",
        f"{row.check['events']:,}" if "events" in row.check else "-",
        _numbers(row.hub),
        _numbers(row.check),
        "yes" if row.equal else f"**no** ({len(row.differences)} differ, {len(row.explained)} explained)",
        f"{row.load:.1f}",
        f"{row.first.pull:.1f}",
        f"{row.first.reconcile:.1f}",
        f"{row.first.calls}",
        f"{row.again.new_observations}, {row.again.calls}, {row.again.pull + row.again.reconcile:.1f}",
    ]


def _numbers(counted: dict[str, int]) -> str:
    return " · ".join(f"{name} {number:,}" for name, number in counted.items())


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _machine() -> str:
    processor = ""
    described = Path("/proc/cpuinfo")
    if described.exists():
        lines = described.read_text(encoding="utf-8").splitlines()
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        processor = f" ({models[0]})" if models else ""
    machine = f"{os.cpu_count()} cores {platform.machine()}{processor}"
    return f"{machine}, {platform.system()}, Python {platform.python_version()}"
