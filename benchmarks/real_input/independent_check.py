"""Handoffs, A-B-A returns and handoffs not taken up within 24 h, straight from an event log.

Shares no code with the hub: csv in, three numbers out.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import sys
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path


def count(path: Path, case: str, time: str, actor: str) -> dict[str, int]:
    """Counts of cases, events, handoffs, returns and late handoffs in a (gzipped) CSV event log."""
    traces: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    events = 0
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            traces[row[case]].append((datetime.fromisoformat(row[time]), row[actor]))
            events += 1
    handoffs = returns = late = 0
    for trace in traces.values():
        trace.sort(key=lambda event: event[0])
        for (before, sender), (after, receiver) in itertools.pairwise(trace):
            if sender != receiver:
                handoffs += 1
                late += after - before > timedelta(hours=24)
        holders = [holder for holder, _ in itertools.groupby(name for _, name in trace)]
        returns += sum(first == third for first, third in zip(holders, holders[2:], strict=False))
    return {"cases": len(traces), "events": events, "handoffs": handoffs, "returns": returns, "late": late}


if __name__ == "__main__":
    print(count(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]))
