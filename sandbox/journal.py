"""Every request a simulated tool received, in order: the proof of what was sent, and how often."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE", "MAIL", "RCPT", "DATA"})
_MOST_BODY = 20_000  # characters of a written body that are kept
_MOST = 200_000  # requests that are kept: a company may run for days


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
    fault: str | None = None  # names of the faults that struck it, by comma
    actor: str | None = None  # account the tool recognised
    milliseconds: float | None = None
    reply_bytes: int | None = None


class Journal:
    """The latest requests of all tools, oldest first; safe to read while servers write."""

    def __init__(self) -> None:
        """Start empty."""
        self._entries: deque[Entry] = deque(maxlen=_MOST)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def received(self, *, at: str, tool: str, method: str, path: str, query: str, body: bytes) -> Entry:
        """Note a request before anything is done about it; `at` is ISO text in UTC."""
        text = body[: 4 * _MOST_BODY].decode("utf-8", "replace")[:_MOST_BODY] if method in _WRITES else None
        with self._lock:
            entry = Entry(n=next(self._numbers), at=at, tool=tool, method=method, path=path, query=query, body=text)
            self._entries.append(entry)
        return entry

    def entries(
        self, *, tool: str = "", method: str = "", since: int = 0, limit: int | None = None
    ) -> list[dict[str, Any]]:
        """Return the requests with a number above `since` as plain values, oldest first.

        Empty filters let everything through; `limit` keeps the newest so many.
        """
        with self._lock:
            told = [
                asdict(entry)
                for entry in self._entries
                if entry.n > since and tool in {"", entry.tool} and method.upper() in {"", entry.method}
            ]
        return told if limit is None else told[len(told) - min(limit, len(told)) :]

    def latest(self, most: int) -> list[dict[str, Any]]:
        """Return the newest requests, newest first."""
        with self._lock:
            return [asdict(entry) for entry in itertools.islice(reversed(self._entries), most)]

    def clear(self) -> int:
        """Forget everything; returns how many requests were forgotten. Numbering goes on."""
        with self._lock:
            gone = len(self._entries)
            self._entries.clear()
            return gone

    def __len__(self) -> int:
        """Count the requests."""
        return len(self._entries)
