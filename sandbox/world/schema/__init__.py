"""What a world file may hold: every kind of document of every tool, and the whole as JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.world.schema import airtable, jira, mail, salesforce
from sandbox.world.schema.kinds import PLACE, Kind
from sandbox.world.schema.shapes import (
    ANY,
    FLAG,
    TEXT,
    THING,
    TIME,
    Key,
    Keyed,
    ListOf,
    Plain,
    Problem,
    choice,
    did_you_mean,
)  # fmt: skip
from sandbox.world.schema.shared import OTHER, PEOPLE, PERSON

TOOLS = ("salesforce", "jira", "airtable", "mail")
KINDS: Mapping[str, tuple[Kind, ...]] = {
    "salesforce": (*salesforce.KINDS, salesforce.RECORD),
    "jira": jira.KINDS,
    "airtable": airtable.KINDS,
    "mail": mail.KINDS,
}
_BY_NAME = {tool: {kind.name: kind for kind in kinds} for tool, kinds in KINDS.items()}
_HISTORY = _BY_NAME["salesforce"]["any history (`CaseHistory`, `Job__History`, …)"]
#: Keys of a space that are no kinds of documents.
SPACE = (
    Key(
        name="tool", shape=choice(*TOOLS), text="Which tool this is; needed where the kinds and the charter do not tell"
    ),
    Key(name="people", shape=ListOf(item=PEOPLE), text="Short form of accounts and their tokens"),
    Key(name="rights", shape=ListOf(item=THING), text="The same as `_rights`"),
    Key(name="settings", shape=THING, text="The same as one document of `_settings`"),
)
WORLD = (
    Key(name="spaces", shape=THING, text="By name: a site, org, workspace or mail server each", needed=True),
    Key(name="charter", shape=THING, text="The charter the hub shall use; addresses and secrets are filled in"),
    Key(name="clock", shape=TIME, text="The company's present when it starts; left out: the real present"),
    Key(
        name="verbatim",
        shape=FLAG,
        text="Nothing is short: documents are taken as they are, and what they point at is not looked for "
        "(saved companies say so)",
    ),
    Key(name="note", shape=TEXT, text="For readers"),
)


def kind_of(tool: str, name: str) -> Kind | None:
    """Give the kind of documents that a tool's space holds under this name, None when it holds none."""
    known = _BY_NAME[tool].get(name)
    if known is not None:
        return known
    if name.startswith("_"):
        return OTHER
    if tool != "salesforce" or not name.isidentifier():
        return None
    return _HISTORY if is_history(name) else salesforce.RECORD


def is_history(name: str) -> bool:
    """Whether a Salesforce object is the history of another one, by its name."""
    return name.endswith(("History", "__History")) and name != "History"


def space_shape(tool: str) -> dict[str, Any]:
    """Give a tool's space as JSON Schema."""
    named = [kind for kind in KINDS[tool] if kind.name.isidentifier()]
    told: dict[str, Any] = {
        "type": "object",
        "properties": {key.name: key.shape.schema | {"description": key.text} for key in SPACE}
        | {kind.name: {"type": "array", "items": {"$ref": f"#/$defs/{tool}.{kind.name}"}} for kind in named},
        "patternProperties": {"^_": {"type": "array"}},
        "additionalProperties": False,
    }
    if tool == "salesforce":
        told["patternProperties"] |= {
            "^[A-Za-z]\\w*History$": {"type": "array", "items": {"$ref": "#/$defs/salesforce.history"}}
        }
        told["additionalProperties"] = {"type": "array", "items": {"$ref": "#/$defs/salesforce.record"}}
    told["properties"]["rights"] = (
        {"type": "array", "items": {"$ref": f"#/$defs/{tool}._rights"}} if tool != "mail" else {"type": "array"}
    )
    told["properties"]["settings"] = {"$ref": f"#/$defs/{tool}._settings"}
    return told


def world_schema() -> dict[str, Any]:
    """Give the whole of a world file as JSON Schema, draft 2020-12."""
    definitions: dict[str, Any] = {}
    for tool in TOOLS:
        for kind in KINDS[tool]:
            name = kind.name if kind.name.isidentifier() else "history" if kind is _HISTORY else "record"
            definitions[f"{tool}.{name}"] = kind.schema
    for tool in TOOLS:
        definitions[tool] = space_shape(tool)
    whole = Keyed(keys=WORLD).schema
    whole["properties"]["spaces"] = {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {
            "type": "object",
            "allOf": [
                {
                    "if": {"properties": {"tool": {"const": tool}}, "required": ["tool"]},
                    "then": {"$ref": f"#/$defs/{tool}"},
                }
                for tool in TOOLS
            ],
            "properties": {"tool": {"enum": list(TOOLS)}},
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "World file of the simulated company",
        **whole,
        "$defs": definitions,
    }


__all__ = [
    "ANY", "KINDS", "OTHER", "PEOPLE", "PERSON", "PLACE", "SPACE", "TOOLS", "WORLD",
    "Kind", "Plain", "Problem", "did_you_mean", "is_history", "kind_of", "space_shape", "world_schema",
]  # fmt: skip
