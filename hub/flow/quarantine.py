"""Try the records again that could not be read: after the mapping was corrected, or the record in its tool.

A record is read from the payload that was kept with it. Where that cannot be enough (the mapping now asks for a
field the payload may lack) or still cannot be read, the tool is asked for the record anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Protocol, runtime_checkable

from connectors.base import Connector
from hub.domain.records import Page, Quarantined
from hub.errors import HubError, advice
from hub.ledger.ledger import Ledger

FROM_PAYLOAD = "read from the payload that was kept"
ANEW = "read anew from the tool"


@runtime_checkable
class Reparses(Protocol):
    """A connector that can read a kept payload with its present mapping."""

    def reparse(self, stream: str, payload: bytes, *, now: datetime) -> Page | None:
        """The page of this one record, without a cursor; None where the payload may lack what is asked for
        now. Raises SourceError where the tool must be asked about itself and does not answer."""
        ...


@runtime_checkable
class Fetches(Protocol):
    """A connector that can read single records anew."""

    def fetch(self, stream: str, ids: Sequence[str], *, now: datetime) -> Iterator[Page]:
        """These records again, whatever the cursor."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """What became of one record: released, or still held; `note` says how, or why."""

    source: str
    stream: str
    native_id: str
    released: bool
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A source that could not be asked: what went wrong, and the advice that begins with its remedy."""

    source: str
    error: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryReport:
    """What one try did, record by record."""

    records: tuple[Retried, ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def released(self) -> tuple[Retried, ...]:
        """Records that left the quarantine."""
        return tuple(each for each in self.records if each.released)

    @property
    def held(self) -> tuple[Retried, ...]:
        """Records that stay in it."""
        return tuple(each for each in self.records if not each.released)


def retry(
    ledger: Ledger,
    connect: Callable[[str], Connector],
    sources: Collection[str],
    *,
    clock: Callable[[], datetime],
) -> RetryReport:
    """Read the quarantined records of `sources` again; cursors stay where they are.

    A source that fails leaves its records where they are and never stops the others. Trying again changes
    nothing but the records that can be read by now. Raises Refused when the ledger is busy or away.
    """
    held = [each for each in ledger.quarantined() if each.source in sources]
    if not held:
        return RetryReport()
    run = ledger.start_run("quarantine", clock())
    records: list[Retried] = []
    failures: list[Failure] = []
    for (source, stream), group in groupby(held, key=lambda each: (each.source, each.stream)):
        trial = _Trial(ledger, run, source, stream, tuple(group), clock)
        try:
            trial.read(connect(source))
        except Exception as error:  # noqa: BLE001  one broken source must never stop the others
            failures.append(_failure(source, stream, error))
        records += trial.outcome()
    ledger.finish_run(run, clock(), "failed" if failures else "succeeded")
    return RetryReport(records=tuple(records), failures=tuple(dict.fromkeys(failures)))


class _Trial:
    """One stream's records on their way out of the quarantine."""

    def __init__(
        self,
        ledger: Ledger,
        run: str,
        source: str,
        stream: str,
        held: tuple[Quarantined, ...],
        clock: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._run = run
        self._source = source
        self._stream = stream
        self._held = held
        self._clock = clock
        self._released: dict[str, str] = {}
        self._reasons = {each.native_id: each.reason for each in held}

    def read(self, connector: Connector) -> None:
        """From the payloads first, then from the tool what is left."""
        if self._stream not in connector.streams():
            self._reasons = dict.fromkeys(self._reasons, f"the charter no longer asks for {self._stream}")
            return
        if isinstance(connector, Reparses):
            for each in self._held:
                page = connector.reparse(self._stream, each.payload, now=self._clock())
                if page is not None:
                    self._take(page, {each.native_id}, FROM_PAYLOAD, read={each.native_id: each.payload})
        left = [each.native_id for each in self._held if each.native_id and each.native_id not in self._released]
        if left and isinstance(connector, Fetches):
            for page in connector.fetch(self._stream, left, now=self._clock()):
                self._take(page, set(left), ANEW)

    def outcome(self) -> Iterator[Retried]:
        """What became of each record, in the order of the quarantine."""
        for each in self._held:
            note = self._released.get(each.native_id)
            yield Retried(
                source=self._source,
                stream=self._stream,
                native_id=each.native_id,
                released=note is not None,
                note=self._reasons[each.native_id] if note is None else note,
            )

    def _take(self, page: Page, asked: Collection[str], how: str, *, read: Mapping[str, bytes] | None = None) -> None:
        """Keep what a page says, and see which of the records asked for it settles."""
        now = self._clock()
        # Where the stream goes on is a matter of its pulls alone.
        self._ledger.append(self._run, self._stream, self._source, replace(page, cursor=None), recorded_at=now)
        unread = {each.native_id: each.reason for each in page.quarantined if each.native_id in asked}
        freed = sorted({raw.native_id for raw in page.records if raw.native_id in asked} - set(unread))
        if freed and read:
            # A pull that put a newer state aside meanwhile must not lose it to the older one.
            newer = self._ledger.hold_newer(self._source, self._stream, read)
            freed = [native_id for native_id in freed if native_id not in newer]
        self._reasons |= unread
        self._released |= dict.fromkeys(freed, how)
        self._ledger.note_released(self._source, self._stream, freed, f"{how}, {self._run}")


def _failure(source: str, stream: str, error: Exception) -> Failure:
    if isinstance(error, HubError):
        return Failure(source=source, error=error.message, hint=error.advice)
    # The text of a foreign exception may hold what the tool sent; its type is safe and enough to report.
    hint = advice("report a bug", "this is a defect of the hub; send the output of `hub check` along")
    return Failure(source=source, error=f"{source} {stream}: unexpected {type(error).__name__}", hint=hint)
