"""The contract between a tool and the hub.

Terms: a SOURCE is one configured instance of a tool; a STREAM is one thing pulled with its own cursor
(an object, a project, a table, a folder); a CURSOR is opaque text that only the connector reads.

A connector must
- read only: nothing in `pull`, `census` or `check` changes anything in the tool;
- yield pages whose cursor is safe: a crash after committing a page loses nothing, re-reading is harmless;
- put a record it cannot parse into `Page.quarantined` and go on;
- raise `SourceUnavailable`, `SourceRefused` or `SourceBroken` (never a library's own error) when the stream
  cannot go on.

A connector that can tell what is no longer there also has the methods of `PresenceTeller`.

A connector that can write also offers a `writer`, the only thing in its package that sends a write.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from hub.domain.records import Page, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerReading:
    """The owner of one record as the tool says right now (direct read by id, never a search).

    `owner` has the form of owner observations, `version` is the tool's version or modified stamp, `witness`
    whatever the writer needs to prove later that nothing happened in between.
    """

    owner: str | None
    version: str
    witness: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """What the tool answered to one write.

    `accepted`: a success status. `refused`: a definite no (row error, precondition failed).
    `not_processed`: a definite "not done, try later". `unknown`: timeout, reset, 5xx or cut reply;
    only a read can settle it.
    """

    kind: Literal["accepted", "refused", "precondition_failed", "not_processed", "unknown"]
    detail: str = ""


class OwnerWriter(Protocol):
    """Write half: one record, one field, no retries."""

    def read_owner(self, record: str) -> OwnerReading:
        """Current owner by direct read. Raises SourceError when the record cannot be read."""
        ...

    def may_own(self, record: str, account: str) -> str:
        """Empty text when `account` is active and may own `record`, else the reason in plain words."""
        ...

    def send_owner(self, record: str, desired: str | None, reading: OwnerReading, *, marker: str) -> SendResult:
        """Send the owner once, never again. `desired` None: nobody; several ids joined by ",": all of them
        (refused where the tool cannot). `marker` is the intent key, left in the tool where possible."""
        ...

    def sent_by_us(self, record: str, desired: str | None, since: datetime, *, marker: str) -> bool | None:
        """Whether the tool's history shows our write since `since` (None: the tool keeps no such history)."""
        ...


@runtime_checkable
class Connector(Protocol):
    """Read half of a source."""

    @property
    def calls(self) -> int:
        """Requests sent so far: the cost of the sync."""
        ...

    @property
    def writer(self) -> OwnerWriter | None:
        """The write half, or None for a source that is read-only."""
        ...

    def streams(self) -> tuple[str, ...]:
        """Names of the streams in pull order; accounts first."""
        ...

    def pull(self, stream: str, cursor: str | None, *, now: datetime) -> Iterator[Page]:
        """Pages of `stream` changed since `cursor` (None: everything), oldest change first. `now` stamps
        `fetched_at` only; windows are bounded by the service's own clock."""
        ...

    def census(self, stream: str) -> int | None:
        """The source's own count of the records of `stream`, or None where it has no cheap one."""
        ...

    def check(self) -> tuple[Problem, ...]:
        """Everything wrong with address, credentials, permissions and mapping, all at once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """What became of one record, as the tool itself says.

    `record` is the native id of the raw record; `at` the tool's own time of it, or when it was proven (UTC);
    `into` the native id of the survivor of a merge; `evidence` how it was proven, for a person to read.
    """

    record: str
    kind: Literal["deleted", "merged", "unreachable", "present"]
    at: datetime
    into: str = ""
    evidence: str = ""


@runtime_checkable
class PresenceTeller(Protocol):
    """The part of a read half that tells what is there and what is gone; all four methods or none.

    Nothing here takes silence for an answer: what cannot be read is raised as the error it is, and a record
    about which the tool says nothing is left out.
    """

    def ids(self, stream: str) -> Iterator[str] | None:
        """Native ids of all records of the stream now, in pages of the source's own size; None where there is
        no complete listing. Raises SourceError rather than end early."""
        ...

    def prove(self, stream: str, ids: Sequence[str], *, now: datetime) -> tuple[Absence, ...]:
        """By direct read of each: what became of records the listing lacks. `present` for a record that can
        be read, nothing for one that could not be asked about."""
        ...

    def fetch(self, stream: str, ids: Sequence[str], *, now: datetime) -> Iterator[Page]:
        """These records again, whatever the cursor; pages without a cursor."""
        ...

    def deletions(self, stream: str, cursor: str | None, *, now: datetime) -> tuple[tuple[Absence, ...], str | None]:
        """Deletions the source tells by itself since a cursor of its own, and the next cursor; ((), None)
        where it tells none. None for `cursor`: from now on, or as far back as the source remembers."""
        ...
