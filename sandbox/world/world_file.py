"""A world as one JSON file: every native id, schema and value fixed by hand, the store's documents verbatim."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from sandbox.store import Store
from sandbox.world.projection import Document

_EPOCH = "2000-01-01T00:00:00.000000Z"
_IDS = ("_id", "Id", "id", "accountId", "name")
_STAMPS = (
    "_stamp", "_modified", "SystemModstamp", "LastModifiedDate", "updated", "CreatedDate", "created",
    "createdTime", "date",
)  # fmt: skip
# The kinds that only one tool has: a space without a charter is recognised by them.
_TELLTALE = {
    **dict.fromkeys(("Case", "Opportunity", "User"), "salesforce"),
    **dict.fromkeys(("issue", "project"), "jira"),
    **dict.fromkeys(("record", "table"), "airtable"),
    **dict.fromkeys(("message", "_login"), "mail"),
}


class UnusableWorld(ValueError):
    """A world file that cannot be read; the message names the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldFile:
    """What a world file holds."""

    spaces: dict[str, dict[str, list[dict[str, Any]]]]
    charter: dict[str, Any] | None
    tools: dict[str, str]  # tool -> space

    def documents(self) -> Iterator[Document]:
        """Give every document with its id and stamp."""
        for space, kinds in self.spaces.items():
            for kind, docs in kinds.items():
                for place, doc in enumerate(docs):
                    yield space, kind, _id(doc, f"{space}.{kind}[{place}]"), _stamp(doc), doc


def read(path: Path) -> WorldFile:
    """Read a world file: {"spaces": {space: {kind: [doc, ...]}}, "charter": {...}?}. Raises UnusableWorld.

    A document's id is its ``_id``, else its native id; its stamp its ``_stamp``, else its time of last
    modification. A tool that two spaces belong to is an error: one server runs for each tool.
    """
    try:
        told = orjson.loads(path.read_bytes())
        spaces = {
            str(space): {str(kind): list(docs) for kind, docs in kinds.items()}
            for space, kinds in told["spaces"].items()
        }
        charter = told.get("charter")
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise UnusableWorld(f"{path.name}: not a world file ({error})") from error
    tools: dict[str, str] = {}
    named = {name: source["tool"] for name, source in (charter or {}).get("sources", {}).items()}
    for space, kinds in spaces.items():
        tool = named.get(space) or next((_TELLTALE[kind] for kind in kinds if kind in _TELLTALE), None)
        if tool is None:
            raise UnusableWorld(f"{path.name}: cannot tell which tool the space {space} belongs to")
        if tool in tools:
            raise UnusableWorld(f"{path.name}: both {tools[tool]} and {space} belong to {tool}")
        tools[tool] = space
    return WorldFile(spaces=spaces, charter=charter, tools=tools)


def save(store: Store, path: Path, charter: dict[str, Any] | None = None) -> None:
    """Write everything a store holds as a world file that reads back to the same documents.

    Left out are sessions and the like: documents of the sandbox's own that carry no id.
    """
    spaces: dict[str, Any] = {}
    for space in store.spaces():
        spaces[space] = {
            kind: [doc for doc in store.scan(space, kind) if kind[0] != "_" or any(doc.get(name) for name in _IDS)]
            for kind in store.kinds(space)
        }
    path.write_bytes(orjson.dumps({"spaces": spaces} | ({"charter": charter} if charter else {})))


def _id(doc: dict[str, Any], where: str) -> str:
    for name in _IDS:
        if doc.get(name):
            return str(doc[name])
    raise UnusableWorld(f"{where}: a document without an id")


def _stamp(doc: dict[str, Any]) -> str:
    text = next((str(doc[name]) for name in _STAMPS if doc.get(name)), _EPOCH)
    if text.endswith("Z") and len(text) == len(_EPOCH):
        return text
    # The tools' forms begin alike: date, "T", time; what follows is milliseconds, if any, and the zero offset.
    fraction = text[20:23] if text[19:20] == "." else ""
    return f"{text[:19]}.{fraction:0<6}Z"
