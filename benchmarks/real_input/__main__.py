"""Real logs and a real pipeline through the real connectors, beside an independent count: `make real-input`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.real_input import page
from benchmarks.real_input.crm import PIPELINE, pipeline
from benchmarks.real_input.measure import Row, Unfinished
from benchmarks.real_input.replay import replay

_HERE = Path(__file__).parent
_PROJECT = _HERE.parent.parent
DATA = _PROJECT.parent / "shared" / "data"
LOGS = ("helpdesk", "receipt")


def main(arguments: list[str] | None = None) -> int:
    """Measure all, print the table, write the page; gives 0 (equal or explained), 1 (not) or 2 (no data)."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.real_input", description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=DATA, help="folder with helpdesk_logs/ and crm_sales_opportunities/"
    )
    parser.add_argument("--page", type=Path, default=_PROJECT / "docs" / "real-input.md", help="page to write")
    wanted = parser.parse_args(arguments)
    sales: Path = wanted.data / "crm_sales_opportunities"
    logs: list[Path] = [wanted.data / "helpdesk_logs" / f"{name}.csv.gz" for name in LOGS]
    absent = [str(path) for path in (*logs, sales / PIPELINE) if not path.is_file()]
    if absent:
        print(f"no data: {', '.join(absent)} (name the folder with --data)", file=sys.stderr)
        return 2
    steps: list[tuple[str, Callable[[], Row]]] = [
        (log.name, lambda log=log, name=name: replay(log, _HERE / f"{name}.yaml"))  # type: ignore[misc]  # mypy cannot infer a lambda's defaults
        for name, log in zip(LOGS, logs, strict=True)
    ]
    steps.append((PIPELINE, lambda: pipeline(sales)))
    rows: list[Row] = []
    for name, step in steps:
        print(f"{name} …", file=sys.stderr, flush=True)
        try:
            rows.append(step())
        except Unfinished as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
    wanted.page.write_text(page.page(rows, datetime.now(UTC).date()), encoding="utf-8")
    print(page.table(rows) + "\n\n" + page.verdict(rows))
    return ended(rows)


def ended(rows: Iterable[Row]) -> int:
    """0 when hub and check agree, or differ where no tool can tell; 1 otherwise or when an idle sync brought news."""
    return 1 if any(not (row.equal or row.excused) or row.again.new_observations for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
