"""Pull a source into the ledger, stream by stream, and give a receipt for each."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from connectors.base import Connector
from hub.domain.records import Page, Receipt
from hub.errors import HubError, SourceUnavailable, advice
from hub.flow.census import CensusPolicy
from hub.flow.presence import StreamPresence
from hub.ledger.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a long step is: `done` of `total` (None: unknown) in `what`."""

    what: str
    done: int
    total: int | None = None


Report = Callable[[Progress], None]

_ALIVE = 100_000  # new objects before the next look for cycles
_ROWS = 20_000  # in one transaction, or a page where that is larger


def pull_source(
    ledger: Ledger,
    connect: Callable[[], Connector],
    source: str,
    *,
    run: str,
    clock: Callable[[], datetime],
    full: bool = False,
    progress: Report | None = None,
    policy: CensusPolicy = CensusPolicy(),  # noqa: B008  frozen
) -> tuple[Receipt, ...]:
    """Pull every stream of `source` since its cursor (`full`: from the start), then compare it with the source id
    by id where `policy` or the counts ask for it.

    Pages are stored together with the cursor that covers them. A stream that fails gives a receipt with the
    error; what was stored before stays, nothing is taken for deleted, and the next pull goes on from there.
    """
    started = clock()
    try:
        connector = connect()
        streams = connector.streams()
    except Exception as error:  # noqa: BLE001  one broken source must never stop the others
        receipt = _failed(Receipt(source=source, stream="*", started_at=started, finished_at=clock()), error)
        ledger.add_receipt(run, receipt)
        return (receipt,)
    receipts: list[Receipt] = []
    with _collected_seldom():
        for stream in streams:
            receipt, failure = _pull_stream(ledger, connector, source, stream, run, clock, full, progress, policy)
            ledger.add_receipt(run, receipt)
            receipts.append(receipt)
            if isinstance(failure, SourceUnavailable):
                break
    return tuple(receipts)


def _pull_stream(
    ledger: Ledger,
    connector: Connector,
    source: str,
    stream: str,
    run: str,
    clock: Callable[[], datetime],
    full: bool,
    progress: Report | None,
    policy: CensusPolicy,
) -> tuple[Receipt, Exception | None]:
    calls = connector.calls
    receipt = Receipt(source=source, stream=stream, started_at=clock(), finished_at=clock())
    failure: Exception | None = None
    presence = StreamPresence(
        ledger=ledger,
        connector=connector,
        source=source,
        stream=stream,
        run=run,
        now=receipt.started_at,
        policy=policy,
        full=full,
    )

    def store(page: Page, pages: int = 1) -> None:
        nonlocal receipt
        appended = ledger.append(run, stream, source, page, recorded_at=clock())
        receipt = replace(
            receipt,
            pages=receipt.pages + pages,
            records=receipt.records + len(page.records),
            new_records=receipt.new_records + appended.new_records,
            new_observations=receipt.new_observations + appended.new_observations,
            quarantined=receipt.quarantined + len(page.quarantined),
        )

    try:
        if progress is not None:
            progress(Progress(what=f"{source} {stream}", done=0))
        presence.believe_the_source()
        cursor = None if full else ledger.cursor(source, stream)
        for pages, page in gathered(connector.pull(stream, cursor, now=receipt.started_at)):
            presence.saw(page)
            store(page, pages)
            if progress is not None:
                progress(Progress(what=f"{source} {stream}", done=receipt.records, total=page.total))
        receipt = replace(receipt, source_count=connector.census(stream))
        presence.compare(receipt.source_count, store)
    except Exception as error:  # noqa: BLE001  one broken stream must never stop the others
        failure = error
        receipt = _failed(receipt, error)
    if presence.doubt and not receipt.error:
        hint = f"look there; if they really went, raise sources.{source}.max_believed_deletions in the charter"
        receipt = replace(receipt, error=presence.doubt, hint=hint)
    counted = presence.count if receipt.source_count is not None else None
    return replace(
        receipt,
        ledger_count=counted,
        missing=presence.missing,
        new_observations=receipt.new_observations + presence.observed,
        calls=connector.calls - calls,
        finished_at=clock(),
    ), failure


@contextmanager
def _collected_seldom() -> Iterator[None]:
    """Thousands of small values live until their page is stored, none in a cycle: with the default threshold
    looking for cycles takes a fifth of a pull."""
    before = gc.get_threshold()
    if not 0 < before[0] < _ALIVE:
        # Switched off, or another pull of this process has done the same and will put it right.
        yield
        return
    gc.set_threshold(_ALIVE, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def gathered(pages: Iterator[Page]) -> Iterator[tuple[int, Page]]:
    """Small pages joined into larger ones, each with the number of pages in it: a transaction costs the same for
    a hundred rows as for thousands. Where `pages` fails, what came before is given out first.
    """
    held: list[Page] = []
    rows = 0
    try:
        for page in pages:
            # What is put aside and what is read again later must meet the ledger in the order they came.
            if held and page.quarantined:
                yield len(held), _joined(held)
                held, rows = [], 0
            held.append(page)
            rows += len(page.observations) + len(page.records)
            if rows >= _ROWS or page.quarantined:
                yield len(held), _joined(held)
                held, rows = [], 0
    except Exception:
        if held:
            yield len(held), _joined(held)
        raise
    if held:
        yield len(held), _joined(held)


def _joined(pages: list[Page]) -> Page:
    if len(pages) == 1:
        return pages[0]
    cursors = [page.cursor for page in pages if page.cursor is not None]
    return Page(
        records=tuple(record for page in pages for record in page.records),
        observations=tuple(said for page in pages for said in page.observations),
        cursor=cursors[-1] if cursors else None,
        total=pages[-1].total,
    )


def _failed(receipt: Receipt, error: Exception) -> Receipt:
    if isinstance(error, HubError):
        return replace(receipt, error=error.message, hint=error.advice)
    # The text of a foreign exception may hold what the tool sent; its type is safe and enough to report.
    return replace(
        receipt,
        error=f"{receipt.source} {receipt.stream}: unexpected {type(error).__name__}",
        hint=advice("report a bug", "this is a defect of the hub; send the output of `hub check` along"),
    )
