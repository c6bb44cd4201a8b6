"""What every command shares: options, lines, tables, JSON, progress, time."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import time
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from hub.flow.ingest import Progress as Step
from hub.flow.ingest import Report

#: What goes to a file or a pipe is not squeezed into the 80 columns of a terminal that is not there.
out = Console(width=None if sys.stdout.isatty() or os.environ.get("COLUMNS") else 160)
err = Console(stderr=True)

Config = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="Directory with hub.yaml (default: $HUB_CONFIG, else here).", show_default=False
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]

_SILENCE = 2.5  # seconds after which somebody wonders whether it still runs
_GAP = 3  # columns that a table puts between two cells
#: JSON allows these as they are; a terminal may obey them.
_OBEYED = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def now() -> datetime:
    """The present instant in UTC: the only clock of the command line."""
    return datetime.now(UTC)


def pause(seconds: float) -> None:
    """Wait, as the write protocol and the demo ask for it."""
    time.sleep(seconds)


def emit(value: Any) -> None:
    """Print a value as JSON; times in ISO-8601 UTC, nothing in it that a terminal would obey."""
    text = json.dumps(value, default=_plain, ensure_ascii=False, indent=2)
    typer.echo(_OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


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


def table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    spare: Sequence[str] = (),
    head: int = 0,
) -> None:
    """Print a table; every cell is text from somewhere, so nothing in it is ever interpreted.

    Where the window is too narrow it goes without the `spare` columns. If that is not enough and `head` is given,
    every row becomes an entry: its first `head` cells on one line, the others below it, each with its name.
    """
    if not rows:
        line(f"{title}: none")
        return
    cells = [[visible(cell) for cell in row] for row in rows]
    kept = list(range(len(columns)))
    if _needed(columns, cells, kept) > out.width:
        kept = [n for n in kept if columns[n] not in spare]
    out.print(Text(visible(title), style="bold"))
    if head and _needed(columns, cells, kept) > out.width:
        for row in cells:
            _entry(columns, row, [n for n in kept if n < head], [n for n in kept if n >= head])
        return
    grid = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for n in kept:
        numeric = all(isinstance(row[n], int | float) and not isinstance(row[n], bool) for row in rows)
        grid.add_column(Text(columns[n]), justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        grid.add_row(*(Text(row[n]) for n in kept))
    out.print(grid)
    out.print()


def _needed(columns: Sequence[str], cells: Sequence[Sequence[str]], kept: Sequence[int]) -> int:
    widest = (max(cell_len(columns[n]), *(cell_len(row[n]) for row in cells)) for n in kept)
    return sum(widest) + _GAP * (len(kept) - 1)


def _entry(columns: Sequence[str], row: Sequence[str], first: Sequence[int], below: Sequence[int]) -> None:
    out.print(Text("  ".join(row[n] for n in first), style="bold"))
    label = max((cell_len(columns[n]) for n in below), default=0)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(min_width=label + 2)
    grid.add_column(overflow="fold")
    for n in below:
        grid.add_row(Text(f"  {columns[n]}", style="dim"), Text(row[n]))
    out.print(grid)
    out.print()


def visible(value: Any) -> str:
    """A value as people read it, on one line; what could drive a terminal is shown as `·`."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    return "".join(map(_seen, " ".join(str(value).split())))


def letter(text: str) -> str:
    """A text of several lines as people read it; what could drive a terminal is shown as `·`."""
    return "\n".join("".join(map(_seen, row)) for row in text.replace("\r\n", "\n").split("\n"))


def _seen(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character == "\t" or unicodedata.category(character) == "Zs" else "·"


def line(text: str = "") -> None:
    """One line of data; a terminal folds it, a file does not."""
    out.print(Text(visible(text)), soft_wrap=True)


def say(text: str) -> None:
    """One line for people, on standard error so that standard output stays data."""
    err.print(Text(visible(text)), soft_wrap=True)


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Report | None]:
    """Tells on standard error how far long work is: a moving line on a terminal, else a line per step."""
    if quiet:
        yield None
    elif err.is_terminal:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[count]}"),
        )
        with Progress(*columns, console=err, transient=True) as bar:
            yield _moving(bar)
    else:
        with _spoken() as report:
            yield report


def _moving(bar: Progress) -> Report:
    shown: dict[str, TaskID] = {}

    def report(step: Step) -> None:
        if step.what not in shown:
            for old in shown.values():
                bar.remove_task(old)
            shown.clear()
            shown[step.what] = bar.add_task(visible(step.what), total=step.total, count="")
        count = "" if not step.done else f"{step.done}" if step.total is None else f"{step.done}/{step.total}"
        bar.update(shown[step.what], completed=step.done, total=step.total, count=count)

    return report


@contextmanager
def _spoken() -> Iterator[Report]:
    """A line for every new step, and one whenever nothing was heard for a while."""
    latest: list[Step] = []
    heard, over = threading.Event(), threading.Event()

    def report(step: Step) -> None:
        new = not latest or latest[-1].what != step.what
        latest[:] = [step]
        heard.set()
        if new:
            say(f"… {step.what}")

    def speak() -> None:
        while not over.is_set():
            if not heard.wait(_SILENCE) and latest and not over.is_set():
                say(f"… {latest[-1].what}{f' ({latest[-1].done} so far)' if latest[-1].done else ''}, still at it")
            heard.clear()

    speaker = threading.Thread(target=speak, name="progress", daemon=True)
    speaker.start()
    try:
        yield report
    finally:
        over.set()
        heard.set()
        speaker.join()
