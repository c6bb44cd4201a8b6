"""A tool in memory that keeps deletions, merges, restores and hides; lists may lag, reads never do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from connectors.base import Absence, OwnerWriter
from hub.domain.records import Observation, Page, Problem, RawRecord

START = datetime(2026, 11, 20, 9, tzinfo=UTC)


@dataclass
class Clock:
    """Time under the test's control."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def hours(self, number: float) -> None:
        """Let time pass."""
        self.at += timedelta(hours=number)


@dataclass
class Shelf:
    """A source with one stream of items. `log` is what a pull reads (id, version), in order; `tells` whether it
    tells deletions by itself, `counts` and `lists` whether it counts and lists; `fails` names methods that fail,
    `skips` ids no pull delivers, `unfetchable` ids that no fetch delivers either."""

    clock: Clock
    source: str = "s"
    there: dict[str, int] = field(default_factory=dict)
    fate: dict[str, Absence] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    told: list[Absence] = field(default_factory=list)
    tells: bool = False
    counts: bool = True
    lists: bool = True
    fails: dict[str, Exception] = field(default_factory=dict)
    skips: set[str] = field(default_factory=set)
    unfetchable: set[str] = field(default_factory=set)
    unlisted: set[str] = field(default_factory=set)
    stale: list[str] = field(default_factory=list)
    listings: int = 0
    asked: list[str] = field(default_factory=list)
    calls: int = 0
    writer: OwnerWriter | None = None

    # -- what people do --------------------------------------------------------------------------------------

    def edit(self, *ids: str) -> None:
        """Make or change records."""
        for one in ids:
            self.there[one] = self.there.get(one, 0) + 1
            self.log.append(one)

    def delete(self, *ids: str, kind: str = "deleted", into: str = "") -> None:
        """Delete, merge or hide records."""
        for one in ids:
            del self.there[one]
            self.fate[one] = Absence(record=one, kind=kind, at=self.clock.at, into=into, evidence="GET: 410")  # type: ignore[arg-type]  # one of the kinds
            self.told.append(self.fate[one])

    def restore(self, *ids: str, quietly: bool = False) -> None:
        """Take records out of the bin; `quietly`: without a new version that a pull would read."""
        for one in ids:
            self.there[one] = 1
            if not quietly:
                self.log.append(one)

    # -- what the hub asks -----------------------------------------------------------------------------------

    def streams(self) -> tuple[str, ...]:
        return ("items",)

    def pull(self, stream: str, cursor: str | None, *, now: datetime) -> Iterator[Page]:
        ids = [*self.log[int(cursor or 0) :], *self.stale]
        self.stale = []
        half = (len(ids) + 1) // 2
        for part in (ids[:half], ids[half:]):
            served = [one for one in dict.fromkeys(part) if one not in self.skips]
            yield self._page(served, now, None if part is ids[:half] and len(ids) > half else str(len(self.log)))
            self._may_fail("pull")

    def census(self, stream: str) -> int | None:
        self._may_fail("census")
        return len(self.there.keys() - self.unlisted) if self.counts else None

    def check(self) -> tuple[Problem, ...]:
        return ()

    def ids(self, stream: str) -> Iterator[str] | None:
        return self._listing() if self.lists else None

    def _listing(self) -> Iterator[str]:
        self.listings += 1
        for number, one in enumerate(sorted(self.there)):
            if number:
                self._may_fail("ids")
            if one not in self.unlisted:
                yield one

    def prove(self, stream: str, ids: Sequence[str], *, now: datetime) -> tuple[Absence, ...]:
        self._may_fail("prove")
        self.asked += ids
        present = [Absence(record=one, kind="present", at=now, evidence="GET: 200") for one in ids if one in self.there]
        return (*present, *(self.fate[one] for one in ids if one not in self.there and one in self.fate))

    def fetch(self, stream: str, ids: Sequence[str], *, now: datetime) -> Iterator[Page]:
        self._may_fail("fetch")
        yield self._page([one for one in ids if one in self.there and one not in self.unfetchable], now, "never")

    def deletions(self, stream: str, cursor: str | None, *, now: datetime) -> tuple[tuple[Absence, ...], str | None]:
        self._may_fail("deletions")
        return (tuple(self.told[int(cursor or 0) :]), str(len(self.told))) if self.tells else ((), None)

    def _page(self, ids: Sequence[str], now: datetime, cursor: str | None) -> Page:
        records = tuple(
            RawRecord(
                source=self.source, stream="items", native_id=one, version=str(self.there.get(one, 0)), payload=b"{}",
                fetched_at=now,
            )
            for one in ids
        )  # fmt: skip
        said = tuple(
            Observation(
                source=self.source, entity="item", record=one, field="title", value=f"Title {one}", valid_from=START,
                origin="snapshot",
            )
            for one in ids
        )  # fmt: skip
        return Page(records=records, observations=said, cursor=cursor)

    def _may_fail(self, method: str) -> None:
        if method in self.fails:
            raise self.fails[method]
