"""Checks a world file: ``python -m sandbox.world.check FILE`` tells everything that is wrong with it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sandbox.world import world_file
from sandbox.world.schema import Problem


def check(path: Path) -> list[Problem]:
    """Give everything that is wrong with a world file; an empty list: it can be started."""
    return world_file.check(path)[0]


def main() -> int:
    """Tell about one file; 0: usable, 1: not."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.world.check", description=__doc__)
    parser.add_argument("file", type=Path, help="the world file, YAML or JSON")
    path: Path = parser.parse_args().file
    problems, file = world_file.check(path)
    for problem in problems:
        sys.stdout.write(f"{path.name}: {problem if problem.place else problem.what}\n")
    if file is not None:
        sys.stdout.write(f"{len(file)} documents in {len(file.spaces)} spaces\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
