"""Walks over pages while somebody else edits: what every simulated tool promises of them, checked page by page.

A walk is opened at one moment and its pages are read later, edits in between. Promised, however a tool keeps
its walks (ids noted at the opening, or found again page by page):

1. a record is served only if it fitted the query at some moment between the opening and the serving;
2. what is served of it is a version it had in that time;
3. no page holds a record twice;
4. a record nobody touched during the walk is served exactly once if it fitted, and never if it did not;
5. the walk ends: it has no more pages than the records, before and after, could fill.

A record that was touched may be served, skipped, or served again on a later page.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page: (id, version) of each row, and how to ask for the next page (empty at the end)."""

    rows: list[tuple[str, str]]
    next: str


class Walkable(Protocol):
    """A tool with records to walk; every record carries its version as a text."""

    size: int  # records on a page

    def start(self) -> dict[str, tuple[str, bool]]:
        """Tell the version of every record, and whether it fits the query."""

    def open(self) -> Page:
        """Ask for the first page."""

    def further(self, next_: str) -> Page:
        """Ask for a further page."""

    def change(self, id_: str, version: str, *, fits: bool) -> None:
        """Edit a record, as somebody else."""

    def create(self, version: str, *, fits: bool) -> str:
        """Make a record, as somebody else; returns its id."""

    def remove(self, id_: str) -> None:
        """Delete a record, as somebody else."""


@dataclass(slots=True)
class Known:
    """What is known of one record since the walk was opened."""

    versions: set[str]
    fitted: bool
    touched: bool = False
    there: bool = True
    served: int = 0


@dataclass(slots=True)
class History:
    """One walk with edits between its pages, played from a seed."""

    tool: Walkable
    rng: random.Random
    known: dict[str, Known] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def play(self) -> int:
        """Walk to the end; returns the number of pages. Raises AssertionError when a promise is broken."""
        for id_, (version, fits) in self.tool.start().items():
            self.known[id_] = Known(versions={version}, fitted=fits)
        page, pages = self.tool.open(), 1
        self._checked(page)
        while page.next:
            for _ in range(self.rng.choice([0, 1, 1, 3, 8])):
                self._edit()
            page, pages = self.tool.further(page.next), pages + 1
            self._checked(page)
            most = len(self.known) * 2 // self.tool.size + 3
            assert pages <= most, self._story(f"page {pages} of a walk over {len(self.known)} records")
        for id_, one in self.known.items():
            if not one.touched:
                assert one.served == one.fitted, self._story(f"{id_}, untouched, was served {one.served} times")
        return pages

    def _checked(self, page: Page) -> None:
        self.told.append(f"page of {len(page.rows)}")
        ids = [id_ for id_, _ in page.rows]
        assert len(ids) == len(set(ids)), self._story("a record is twice on one page")
        assert len(ids) <= self.tool.size, self._story(f"{len(ids)} rows on a page of {self.tool.size}")
        for id_, version in page.rows:
            one = self.known.get(id_)
            assert one is not None, self._story(f"{id_} never existed")
            assert one.fitted, self._story(f"{id_} never fitted")
            assert version in one.versions, self._story(f"{id_} never was {version!r} in this time")
            one.served += 1

    def _edit(self) -> None:
        version, fits = f"v{self.rng.randrange(10**9)}", self.rng.random() < 0.7
        there = [id_ for id_, one in self.known.items() if one.there]
        what = self.rng.choice(["change", "change", "create", "remove"])
        if what == "create" or not there:
            id_ = self.tool.create(version, fits=fits)
            self.known[id_] = Known(versions={version}, fitted=fits, touched=True)
            self.told.append(f"create {id_} fits={fits}")
            return
        id_ = self.rng.choice(there)
        one = self.known[id_]
        one.touched = True
        if what == "remove":
            self.tool.remove(id_)
            one.there = False
        else:
            self.tool.change(id_, version, fits=fits)
            one.versions.add(version)
            one.fitted = one.fitted or fits
        self.told.append(f"{what} {id_} fits={fits}")

    def _story(self, why: str) -> str:
        return "\n".join([why, *self.told])
