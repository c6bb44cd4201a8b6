"""The `hub` command as people and scripts meet it, and one simulated company to use it on."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from hub.cli import run
from sandbox import launcher


@dataclass(frozen=True)
class Ran:
    """What a command left: its exit code, its data, and what it said to people."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The JSON it printed."""
        return json.loads(self.out)


Hub = Callable[..., Ran]


@dataclass(frozen=True)
class Company:
    """A running company and the directory of its configuration."""

    directory: Path
    config: str
    control: str
    first_sync: dict[str, Any]

    def code(self, plan: str) -> str:
        """The code that Ada, who may approve, finds in her mail."""
        letters = requests.get(f"{self.control}/mail", params={"to": "ada@acme.example"}, timeout=10).json()
        found = next(re.search(rf"hub approve {plan} --code (\S+)", letter["text"]) for letter in letters)
        assert found is not None
        return found[1]


def hub_command(*arguments: str | Path) -> Ran:
    """Run the command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run([str(argument) for argument in arguments])
    return Ran(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def hub() -> Hub:
    """The command."""
    return hub_command


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """A small company, read once."""
    directory = tmp_path_factory.mktemp("cli") / "company"
    running = launcher.up(directory, seed=7, items=40)
    try:
        first = hub_command("sync", "--config", running.config, "--json")
        assert first.code == 1, first.err
        control = running.addresses["control"]
        yield Company(directory=directory, config=str(running.config), control=control, first_sync=first.data)
    finally:
        launcher.down(directory)


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window of 80 columns."""
    from hub.cli import console

    monkeypatch.setattr(console.out, "width", 80)
