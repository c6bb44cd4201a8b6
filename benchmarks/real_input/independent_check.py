"""Handoffs, A-B-A returns and handoffs not taken up within 24 h, case by case, straight from an event log.

Shares no code with the hub: csv in, numbers out. Rows without case, actor, activity or a readable time do not count;
events of one instant are taken in the order of the file. `unsure` counts neighbouring events of two people whose order,
or whether they lie 24 h apart, whole seconds do not tell; Salesforce and mail keep nothing finer.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

COUNTED = ("events", "handoffs", "returns", "late")
DAY, SECOND = timedelta(hours=24), timedelta(seconds=1)


def by_case(path: Path, case: str, time: str, actor: str, activity: str) -> dict[str, dict[str, int]]:
    """Numbers of `COUNTED`, and `unsure`, for every case of a CSV log (gzip allowed)."""
    traces: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            name, who, what = ((row[column] or "").strip() for column in (case, actor, activity))
            try:
                at = datetime.fromisoformat((row[time] or "").strip())
            except ValueError:
                continue
            if name and who and what:
                traces[name].append((at if at.tzinfo else at.replace(tzinfo=UTC), who))
    return {name: _count(sorted(trace, key=lambda event: event[0])) for name, trace in traces.items()}


def _count(trace: list[tuple[datetime, str]]) -> dict[str, int]:
    changes = [(then, now) for then, now in itertools.pairwise(trace) if then[1] != now[1]]
    holders = [who for who, _ in itertools.groupby(who for _, who in trace)]
    return {
        "events": len(trace),
        "handoffs": len(changes),
        "returns": sum(first == third for first, third in zip(holders, holders[2:], strict=False)),
        "late": sum(now[0] - then[0] > DAY for then, now in changes),
        "unsure": sum(min(gap, abs(gap - DAY)) < SECOND for gap in (now[0] - then[0] for then, now in changes)),
    }


def totals(cases: dict[str, dict[str, int]]) -> dict[str, int]:
    """The numbers over all cases, and how many cases there are."""
    return {"cases": len(cases)} | {name: sum(case[name] for case in cases.values()) for name in COUNTED}


if __name__ == "__main__":
    print(totals(by_case(Path(sys.argv[1]), *sys.argv[2:6])))
