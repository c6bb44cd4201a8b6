"""Every request a simulated tool received, in order: the proof of what was sent, and how often."""

from __future__ import annotations

import itertools
import threading
from dataclasses import asdict, dataclass
from typing import Any

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_MOST_BODY = 20_000  # characters of a written body that are kept


@dataclass(slots=True, kw_only=True)
class Entry:
    """One request; `status` stays None while (or because) it was never answered."""

    n: int
    at: str
    tool: str
    method: str
    path: str
    query: str
    status: int | None = None
    body: str | None = None
    fault: str | None = None


class Journal:
    """The requests of all tools, oldest first; safe to read while servers write."""

    def __init__(self) -> None:
        """Start empty."""
        self._entries: list[Entry] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def received(self, *, at: str, tool: str, method: str, path: str, query: str, body: bytes) -> Entry:
        """Note a request before anything is done about it; `at` is ISO text in UTC."""
        text = body.decode("utf-8", "replace")[:_MOST_BODY] if method in _WRITES else None
        with self._lock:
            entry = Entry(n=next(self._numbers), at=at, tool=tool, method=method, path=path, query=query, body=text)
            self._entries.append(entry)
        return entry

    def entries(self, *, tool: str = "", method: str = "") -> list[dict[str, Any]]:
        """Return the requests as plain values, oldest first; empty filters let everything through."""
        with self._lock:
            return [
                asdict(entry)
                for entry in self._entries
                if tool in {"", entry.tool} and method.upper() in {"", entry.method}
            ]

    def clear(self) -> int:
        """Forget everything; returns how many requests were forgotten. Numbering goes on."""
        with self._lock:
            gone = len(self._entries)
            self._entries.clear()
            return gone

    def __len__(self) -> int:
        """Count the requests."""
        return len(self._entries)
