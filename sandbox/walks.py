"""Page walks that stay stable: the ids a query found are kept, the records are read page by page."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

P = TypeVar("P")
_MOST_IDS = 3_000_000  # over all open results: a sandbox that runs for days must not fill the memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk(Generic[P]):
    """One opened result: its ids in order, and whatever the tool needs to print its rows again."""

    name: str
    owner: str
    ids: tuple[str, ...]
    plan: P


class Walks(Generic[P]):
    """The results that are still open; the oldest are forgotten, an owner's own beyond `most` first."""

    def __init__(self, *, most: int = 50) -> None:
        """Keep at most this many open results for each owner."""
        self._most = most
        self._held = 0
        self._open: OrderedDict[str, Walk[P]] = OrderedDict()

    def open(self, owner: str, ids: list[str], plan: P) -> Walk[P]:
        """Keep a result and give it an unguessable name of 15 letters and digits."""
        walk = Walk(name=secrets.token_hex(8)[:15], owner=owner, ids=tuple(ids), plan=plan)
        self._open[walk.name] = walk
        self._held += len(ids)
        mine = [name for name, known in self._open.items() if known.owner == owner]
        for name in mine[: -self._most]:
            self._forget(name)
        while self._held > _MOST_IDS and len(self._open) > 1:
            self._forget(next(iter(self._open)))
        return walk

    def _forget(self, name: str) -> None:
        self._held -= len(self._open.pop(name).ids)

    def find(self, name: str) -> Walk[P] | None:
        """Return an open result, or None when it was never opened or is forgotten."""
        walk = self._open.get(name)
        if walk is not None:
            self._open.move_to_end(name)
        return walk
