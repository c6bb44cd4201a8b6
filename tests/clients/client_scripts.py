"""Runs one JavaScript client as its own program and gives what each of its steps said."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the steps of a script said, by name; a step that failed carries the client's own error."""

    steps: Mapping[str, Mapping[str, Any]]

    def __getitem__(self, step: str) -> Any:
        """What a step returned; fails with the client's error when it did not work."""
        line = self.steps[step]
        assert line["ok"], f"{step}: {json.dumps(line['error'], indent=1)}"
        return line["told"]

    def names(self) -> set[str]:
        """The steps that ran."""
        return set(self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripts:
    """The scripts and the node that runs them."""

    node: Path
    folder: Path

    def run(self, name: str, given: Mapping[str, Any]) -> Told:
        """Run a script to its end; raises AssertionError with what it printed when it does not end well."""
        done = subprocess.run(
            [str(self.node), str(self.folder / f"{name}.mjs")],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-3000:]
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return Told(steps={line["step"]: line for line in lines})
