"""The tables of the manual, made from the same kinds that files are checked by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sandbox.world.schema import KINDS, OTHER, PERSON, PLACE, SPACE, TOOLS, WORLD
from sandbox.world.schema.kinds import Kind
from sandbox.world.schema.shapes import Key

_NAMES = {"salesforce": "Salesforce", "jira": "Jira", "airtable": "Airtable", "mail": "Mail"}


def tables() -> str:
    """Give every kind and key as Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "### The file"
    yield ""
    yield from _table(WORLD)
    yield "### A space"
    yield ""
    yield from _table(SPACE)
    yield f"{PERSON.text} Keys of an entry of `people`:"
    yield ""
    yield from _table(PERSON.keys)
    yield "Every document in full form may also have:"
    yield ""
    yield from _table(PLACE)
    for tool in TOOLS:
        yield f"### {_NAMES[tool]}"
        yield ""
        for kind in KINDS[tool]:
            yield from _kind(kind)
    yield f"**{OTHER.name}**: {OTHER.text}"
    yield ""


def _kind(kind: Kind) -> Iterator[str]:
    name = f"`{kind.name}`" if kind.name.isidentifier() else kind.name
    yield f"#### {name}"
    yield ""
    yield kind.text + (" Or just its name." if kind.plain is not None else "")
    yield ""
    yield from _table(kind.keys)
    if kind.short:
        yield f"Short form{f'; any further key is {kind.more}' if kind.more else ''}:"
        yield ""
        yield from _table(kind.short)


def _table(keys: Sequence[Key]) -> Iterator[str]:
    yield "| key | holds | |"
    yield "|---|---|---|"
    for key in keys:
        text = key.text.replace("|", "\\|")
        yield f"| `{key.name}` | {key.shape.words}{' (must be there)' if key.needed else ''} | {text} |"
    yield ""
