"""A world as one file, YAML or JSON: every native id, schema, value and history may be fixed by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from sandbox.airtable.behind import mark
from sandbox.airtable.tables import table_of
from sandbox.stamps import parsed, stamp
from sandbox.store import Store
from sandbox.world import world_file_airtable, world_file_jira, world_file_mail, world_file_salesforce, world_file_text
from sandbox.world.projection import Document
from sandbox.world.schema import TOOLS, WORLD, Problem, is_history
from sandbox.world.schema.shapes import Keyed
from sandbox.world.world_file_links import doubles, loose_ends
from sandbox.world.world_file_space import Space

_TOLD = 20  # problems told in one message; the check tells them all
# The kinds that only one tool has: a space that does not name its tool is recognised by them.
_TELLTALE = {
    **dict.fromkeys(("Case", "Opportunity", "User", "_object", "_client"), "salesforce"),
    **dict.fromkeys(("issue", "project", "status", "changelog", "issuetype"), "jira"),
    **dict.fromkeys(("record", "table", "base", "collaborator"), "airtable"),
    **dict.fromkeys(("message", "_login"), "mail"),
}
_EXPAND = {
    "salesforce": world_file_salesforce.expand,
    "jira": world_file_jira.expand,
    "airtable": world_file_airtable.expand,
    "mail": world_file_mail.expand,
}


class UnusableWorld(ValueError):
    """A world file that cannot be used; ``problems`` are all there are, the message names the file and places."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        """Tell about one file."""
        self.problems = tuple(problems)
        told = "; ".join(str(problem) if problem.place else problem.what for problem in problems[:_TOLD])
        more = f"; and {len(problems) - _TOLD} more: python -m sandbox.world.check {file}"
        super().__init__(f"{file}: {told}{more if len(problems) > _TOLD else ''}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldFile:
    """What a world file holds.

    ``tools`` names the space of every instance: the first space of a tool is the instance named like the tool
    ("jira"), further ones are "jira:north_jira". ``clock`` is when the company's time begins (aware), None: now.
    """

    spaces: tuple[Space, ...]
    charter: dict[str, Any] | None
    clock: datetime | None
    tools: dict[str, str]

    def documents(self) -> Iterator[Document]:
        """Give every document with its space, kind, id and stamp, ready for the store."""
        for space in self.spaces:
            tables = {entry.id: table_of(entry.doc) for entry in space.entries if entry.kind == "table"}
            for entry in space.entries:
                if entry.kind == "record" and entry.doc.get("_table") in tables:
                    mark(tables[entry.doc["_table"]], entry.doc)
                yield space.name, entry.kind, entry.id, entry.stamp, entry.doc

    def __len__(self) -> int:
        """The number of documents."""
        return sum(len(space.entries) for space in self.spaces)


def read(path: Path) -> WorldFile:
    """Read a world file and check it. Raises UnusableWorld, which tells everything that is wrong at once."""
    file, problems = _read(path)
    if file is None or problems:
        raise UnusableWorld(path.name, problems)
    return file


def check(path: Path) -> tuple[list[Problem], WorldFile | None]:
    """Give everything that is wrong with a world file, and what it holds when nothing is."""
    file, problems = _read(path)
    return problems, None if problems else file


def _read(path: Path) -> tuple[WorldFile | None, list[Problem]]:
    try:
        told = world_file_text.load(path)
    except (OSError, world_file_text.UnreadableText) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        return None, [Problem(place="", what=f"not a world file ({why})")]
    if not isinstance(told, dict) or not isinstance(told.get("spaces"), dict):
        return None, [Problem(place="", what="not a world file (no `spaces`: a document with a key for each space)")]
    problems = list(Keyed(keys=WORLD).problems(told, "world"))
    if problems:
        return None, problems
    named = _charted(told.get("charter"))
    spaces: list[Space] = []
    tools: dict[str, str] = {}
    for name, given in told["spaces"].items():
        place = f"spaces.{name}"
        if not isinstance(given, dict):
            problems.append(Problem(place=place, what="expected kinds of documents", hint="like `issue: [...]`"))
            continue
        tool = given.get("tool") or named.get(name) or next((_TELLTALE[k] for k in given if k in _TELLTALE), None)
        if tool not in TOOLS:
            hint = f"give it `tool:`, one of {', '.join(TOOLS)}"
            problems.append(Problem(place=place, what="cannot tell which tool the space belongs to", hint=hint))
            continue
        space = Space(name, tool, given, verbatim=bool(told.get("verbatim")))
        spaces.append(space)
        tools[f"{tool}:{name}" if tool in tools else tool] = name
        problems += _filled(space)
    clock = parsed(told["clock"]) if told.get("clock") else None
    return WorldFile(spaces=tuple(spaces), charter=told.get("charter"), clock=clock, tools=tools), problems


def _filled(space: Space) -> list[Problem]:
    """Bring a space's documents into full form; gives everything that is wrong with it."""
    if space.verbatim:
        space.take_rest(())
        return [*space.problems, *doubles(space)]
    _EXPAND[space.tool](space)
    return [*space.problems, *doubles(space), *loose_ends(space)]


def _charted(charter: Any) -> Mapping[str, str]:
    """Which tool each source of a charter is one of; whatever else is wrong with it is the hub's to tell."""
    sources = charter.get("sources") if isinstance(charter, dict) else None
    if not isinstance(sources, dict):
        return {}
    return {str(name): str(source.get("tool")) for name, source in sources.items() if isinstance(source, dict)}


def save(store: Store, path: Path, charter: dict[str, Any] | None = None, *, clock: datetime | None = None) -> None:
    """Write everything a store holds as a world file (YAML or JSON, by suffix) that reads back to the same documents.

    Sessions that somebody signed in for are left out; so are clocks, walks and orders, which no store holds.
    """
    head: dict[str, Any] = {"verbatim": True}
    if clock is not None:
        head["clock"] = clock.isoformat()
    if charter is not None:
        head["charter"] = charter
    named = _charted(charter)
    world_file_text.dump(path, head, ((space, _kinds(store, space, named.get(space, ""))) for space in store.spaces()))


def _kinds(store: Store, space: str, tool: str) -> Iterator[tuple[str, Any]]:
    kinds = store.kinds(space)
    known = tool or next((_TELLTALE[kind] for kind in kinds if kind in _TELLTALE), "")
    if known:
        yield "tool", known
    reader = Space(space, known or "jira", {})
    for kind in kinds:
        yield kind, _saved(store, reader, kind)


def _saved(store: Store, reader: Space, kind: str) -> Iterator[dict[str, Any]]:
    after: tuple[str, str] | None = None
    while rows := store.page(reader.name, kind, size=1000, after=after):
        after = rows[-1][0], rows[-1][1]
        for at, id_, body in rows:
            doc = orjson.loads(body)
            if kind == "_token" and (doc.get("at") or doc.get("_made")):
                continue
            reader.entries.clear()
            reader.add(kind, doc, "")
            derived = reader.entries[0] if reader.entries else None
            place = {} if derived is not None and derived.id == id_ else {"$id": id_}
            if derived is None or derived.stamp != at:
                place["$stamp"] = at
            yield {**place, **doc}


__all__ = ["Problem", "Space", "UnusableWorld", "WorldFile", "check", "is_history", "read", "save", "stamp"]
