"""Where the simulated company of a directory answers, and what to sign in with: all these scripts need to know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Directory:
    """The directory given to ``hub sandbox up --dir``."""

    def __init__(self, path: str) -> None:
        """Read where the running company answers."""
        self._path = Path(path)
        self.addresses: dict[str, str] = json.loads((self._path / "sandbox.json").read_text())["addresses"]

    def has(self, name: str) -> bool:
        """Whether the company has this secret."""
        return (self._path / "secrets" / name).exists()

    def secret(self, name: str) -> str:
        """One secret of the company by its name."""
        return (self._path / "secrets" / name).read_text().strip()

    def secret_file(self, name: str) -> str:
        """Path of a secret, for libraries that want a file."""
        return str(self._path / "secrets" / name)


def tell(step: str, told: Any) -> None:
    """Print what a step gave, one JSON object a line."""
    print(json.dumps({"step": step, "told": told}), flush=True)  # noqa: T201  printing is what these scripts do
