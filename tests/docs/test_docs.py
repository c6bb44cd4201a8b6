"""Every setting, finding kind and command is documented, and every link in the docs leads somewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel

from hub.charter.model import Charter
from hub.cli.app import app
from hub.domain.findings import FINDING_KINDS
from hub.settings import _File

PROJECT = Path(__file__).parents[2]
DOCS = sorted([PROJECT / "README.md", PROJECT / "CHANGELOG.md", *(PROJECT / "docs").rglob("*.md")])


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models(argument)


def _settings(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[str]:
    if model in seen:
        return
    seen.add(model)
    for name, field in model.model_fields.items():
        yield field.alias or name
        for inner in _models(field.annotation):
            yield from _settings(inner, seen)


def test_every_setting_is_in_the_charter_reference() -> None:
    text = (PROJECT / "docs/charter.md").read_text(encoding="utf-8")
    words = set(re.findall(r"[a-z_]+", text))
    names = {*_settings(Charter, set()), *_settings(_File, set())}
    assert names - words == set()


def test_every_finding_kind_has_a_section() -> None:
    text = (PROJECT / "docs/findings.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (\S+)$", text, re.MULTILINE)
    assert sections == list(FINDING_KINDS)


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    # Typer brings its own copy of click, so a group is known by what it can do.
    if hasattr(command, "commands"):
        for child, inner in command.commands.items():
            yield from _commands(inner, f"{name} {child}")
    else:
        yield name, command


COMMANDS = dict(_commands(typer.main.get_command(app), "hub"))


def test_all_commands_are_seen() -> None:
    assert {"hub demo", "hub sync", "hub sandbox up", "hub mail explain"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented_with_its_options_and_an_example(name: str) -> None:
    command = COMMANDS[name]
    text = (PROJECT / "docs/cli.md").read_text(encoding="utf-8")
    line = next((line for line in text.splitlines() if line.startswith(f"| `{name}")), None)
    assert line is not None, f"{name} is not in docs/cli.md"
    common = {"--config", "--json", "--help", "--dir"}
    for parameter in command.params:
        for option in parameter.opts:
            if option.startswith("--") and option not in common:
                assert option in line, f"{name} {option} is not in its row of docs/cli.md"
    assert f"Example: {name}" in (command.help or ""), f"{name} --help has no example"


def test_every_asset_check_is_documented() -> None:
    graph = json.loads((PROJECT / "tests/assets/graph.json").read_text(encoding="utf-8"))
    names = {check for asset in graph["assets"].values() for check in asset["checks"]}
    rows = re.findall(r"^\| `(\w+)` \|", (PROJECT / "docs/checks.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(rows) == names


def test_links_in_the_docs_lead_somewhere() -> None:
    dead = [
        f"{page.relative_to(PROJECT)}: {target}"
        for page in DOCS
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists()
    ]
    assert dead == []
