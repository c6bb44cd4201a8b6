"""``python -m sandbox.people_at_work``: lets people work in a running company."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from datetime import datetime
from pathlib import Path

from sandbox.people_at_work.deeds import BY_NAME
from sandbox.people_at_work.driver import work
from sandbox.people_at_work.talk import Unreachable


def main() -> int:
    """Let people work until there were enough deeds, or until SIGINT or SIGTERM; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.people_at_work", description=main.__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="where the company lives")
    parser.add_argument("--seed", type=int, default=3, help="the same seed over the same world does the same")
    parser.add_argument("--deeds", type=int, default=None, help="how many; without it, until stopped")
    parser.add_argument("--until", type=datetime.fromisoformat, help="company time to stop at (ISO, with offset)")
    parser.add_argument("--pace", type=float, default=0.0, metavar="SECONDS", help="real pause between two deeds")
    parser.add_argument("--advance", action="store_true", help="move the company's clock from working hour to hour")
    parser.add_argument("--only", action="append", default=[], choices=list(BY_NAME), help="may be repeated")
    asked = parser.parse_args()
    if asked.until is not None and asked.until.tzinfo is None:
        parser.error("give the offset of --until too, like +00:00")
    stop = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: stop.set())
    try:
        worked = work(
            asked.dir,
            seed=asked.seed,
            deeds=asked.deeds,
            until=asked.until,
            pace_seconds=asked.pace,
            advance_clock=asked.advance,
            only=asked.only,
            stopped=stop.is_set,
        )
    except (OSError, ValueError, Unreachable) as error:
        sys.stderr.write(f"{error}\n")
        return 3
    for deed, count in sorted(worked.deeds.items()):
        sys.stdout.write(f"{count:6} {deed}\n")
    sys.stdout.write(f"{worked.refused:6} of them refused; the company's time is {worked.until:%Y-%m-%d %H:%M} UTC\n")
    sys.stdout.write(f"{worked.diary}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
