"""What search knows: an issue's state reaches the index late, and what was seen once may be missing again."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from sandbox.stamps import parsed, stamp
from sandbox.store import Store

Issue = Mapping[str, Any]


class Index:
    """The index as one search finds it.

    Changes younger than `lag` are not in it yet; of those up to twice as old, and of those just written, a share
    of `flicker` is known the other way round, differently at every search (`turn`) but always alike for one seed.
    """

    def __init__(
        self,
        store: Store,
        space: str,
        *,
        now: datetime,
        lag: timedelta,
        flicker: float = 0.0,
        seed: int = 0,
        turn: int = 0,
        reconciled: frozenset[str] = frozenset(),
    ) -> None:
        """Look at one space; `reconciled` issues (ids) are known at once."""
        self._store = store
        self._space = space
        self._now = now
        self._lag = lag
        self._chance: Callable[[str], bool] = lambda id_: _share(f"{seed}/{turn}/{id_}") < flicker
        self._flickers = flicker > 0
        self._reconciled = reconciled

    @property
    def lags(self) -> bool:
        """Whether there is any lag at all."""
        return self._lag > timedelta()

    def is_fresh(self, issue: Issue) -> bool:
        """Whether the issue changed so lately that the index may not know."""
        return stamp_of(issue) > self.horizon

    def fresh_as_known(self) -> Iterator[Issue]:
        """Yield the issues that changed lately in the state the index holds, if it holds any."""
        for issue in self._store.scan(self._space, "issue", since=self.horizon):
            if not self.is_fresh(issue):
                continue
            state = issue if self._is_indexed(issue) else self._former(issue)
            if state is not None:
                yield state

    @property
    def horizon(self) -> str:
        """Until when (stamp) the index knows every change."""
        return stamp(self._now - self._lag * (2 if self._flickers else 1))

    def _is_indexed(self, issue: Issue) -> bool:
        id_ = str(issue["id"])
        if id_ in self._reconciled:
            return True
        due = stamp_of(issue) <= stamp(self._now - self._lag)
        return due != self._chance(id_)

    def _former(self, issue: Issue) -> Issue | None:
        """Return the state before the changes the index does not know; None for an issue it never held."""
        edge = stamp(self._now - self._lag)
        former = None
        for doc in self._store.find(self._space, "_issue_before", str(issue["id"])):
            if str(doc["_until"]) > edge and former is None:
                former = doc["issue"]
        return None if former is None or stamp_of(former) > edge else former


def stamp_of(issue: Issue) -> str:
    """Return when an issue changed last, as the store writes it."""
    return stamp(parsed(str(issue["updated"])))


def _share(text: str) -> float:
    return zlib.crc32(text.encode()) / 2**32
