"""What every command shares: options, tables, JSON, progress, time."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from hub.flow.ingest import Progress as Step
from hub.flow.ingest import Report

#: Tables that go to a file or a pipe are not squeezed into the 80 columns of a terminal that is not there.
out = Console(width=None if sys.stdout.isatty() else 160)
err = Console(stderr=True)

Config = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="Directory with hub.yaml (default: $HUB_CONFIG, else here).", show_default=False
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def now() -> datetime:
    """The present instant in UTC: the only clock of the command line."""
    return datetime.now(UTC)


def pause(seconds: float) -> None:
    """Wait, as the write protocol and the demo ask for it."""
    time.sleep(seconds)


def emit(value: Any) -> None:
    """Print a value as JSON; times in ISO-8601 UTC."""
    typer.echo(json.dumps(value, default=_plain, ensure_ascii=False, indent=2))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date | Path):
        return str(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    return str(value)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table; every cell is text from somewhere, so markup in it is never interpreted."""
    if not rows:
        out.print(f"[bold]{escape(title)}[/bold]: none")
        return
    grid = Table(title=escape(title), title_justify="left", title_style="bold", header_style="bold")
    for column in columns:
        numeric = all(isinstance(row[columns.index(column)], int | float) for row in rows)
        grid.add_column(escape(column), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(escape(visible(cell)) for cell in row))
    out.print(grid)


def visible(value: Any) -> str:
    """A cell as people read it; control characters, which could drive a terminal, are shown as `·`."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    return "".join(c if c.isprintable() or c == "\n" else "·" for c in str(value))


def say(text: str) -> None:
    """One plain line for people, on standard error so that standard output stays data."""
    err.print(escape(text), highlight=False)


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Report | None]:
    """A progress bar on standard error for long work; None when nobody is looking."""
    if quiet or not err.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def report(step: Step) -> None:
            if step.what not in tasks:
                tasks[step.what] = bar.add_task(escape(step.what), total=step.total)
            bar.update(tasks[step.what], completed=step.done, total=step.total)

        yield report
