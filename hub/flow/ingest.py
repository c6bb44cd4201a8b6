"""Pull a source into the ledger, stream by stream, and give a receipt for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from connectors.base import Connector
from hub.domain.records import Receipt
from hub.errors import HubError, SourceUnavailable
from hub.ledger.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a long step is: `done` of `total` (None: unknown) in `what`."""

    what: str
    done: int
    total: int | None = None


Report = Callable[[Progress], None]


def pull_source(
    ledger: Ledger,
    connect: Callable[[], Connector],
    source: str,
    *,
    run: str,
    clock: Callable[[], datetime],
    full: bool = False,
    progress: Report | None = None,
) -> tuple[Receipt, ...]:
    """Pull every stream of `source` since its cursor (`full`: from the start).

    Every page is stored together with the cursor that covers it. A stream that fails gives a receipt with the
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
    for stream in streams:
        receipt, failure = _pull_stream(ledger, connector, source, stream, run, clock, full, progress)
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
) -> tuple[Receipt, Exception | None]:
    calls = connector.calls
    receipt = Receipt(source=source, stream=stream, started_at=clock(), finished_at=clock())
    failure: Exception | None = None
    try:
        if progress is not None:
            progress(Progress(what=f"{source} {stream}", done=0))
        cursor = None if full else ledger.cursor(source, stream)
        for page in connector.pull(stream, cursor, now=receipt.started_at):
            appended = ledger.append(run, stream, source, page, recorded_at=clock())
            receipt = replace(
                receipt,
                pages=receipt.pages + 1,
                records=receipt.records + len(page.records),
                new_records=receipt.new_records + appended.new_records,
                new_observations=receipt.new_observations + appended.new_observations,
                quarantined=receipt.quarantined + len(page.quarantined),
            )
            if progress is not None:
                progress(Progress(what=f"{source} {stream}", done=receipt.records, total=page.total))
        receipt = replace(receipt, source_count=connector.census(stream))
    except Exception as error:  # noqa: BLE001  one broken stream must never stop the others
        failure = error
        receipt = _failed(receipt, error)
    counted = ledger.record_count(source, stream) if receipt.source_count is not None else None
    receipt = replace(receipt, ledger_count=counted, calls=connector.calls - calls, finished_at=clock())
    return receipt, failure


def _failed(receipt: Receipt, error: Exception) -> Receipt:
    if isinstance(error, HubError):
        return replace(receipt, error=error.message, hint=error.hint)
    # The text of a foreign exception may hold what the tool sent; its type is safe and enough to report.
    return replace(
        receipt,
        error=f"{receipt.source} {receipt.stream}: unexpected {type(error).__name__}",
        hint="this is a defect of the hub; please report it with the output of `hub check`",
    )
