"""Small pages are stored together; nothing that was read is lost when the tool fails."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.base import OwnerWriter
from hub.domain.records import Observation, Page, Problem, Quarantined, RawRecord, Receipt
from hub.errors import SourceUnavailable
from hub.flow import ingest
from hub.flow.ingest import Progress, pull_source
from hub.ledger import Ledger

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def record(native: str, version: str = "1") -> RawRecord:
    return RawRecord(source="s", stream="items", native_id=native, version=version, payload=b"{}", fetched_at=NOW)


def page(*natives: str, cursor: str | None, put_aside: str = "", version: str = "1") -> Page:
    said = tuple(
        Observation(source="s", entity="item", record=n, field="title", value=version, valid_from=NOW, origin="history")
        for n in natives
    )
    aside = [Quarantined(source="s", stream="items", native_id=n, reason="odd", payload=b"?") for n in put_aside]
    records = tuple(record(n, version) for n in natives)
    return Page(records=records, observations=said, quarantined=tuple(aside), cursor=cursor, total=9)


@dataclass
class Pages:
    """A source that has these pages and then fails, if it does."""

    pages: list[Page]
    failure: Exception | None = None
    calls: int = 0
    writer: OwnerWriter | None = None
    thresholds: list[int] = field(default_factory=list)

    def streams(self) -> tuple[str, ...]:
        return ("items",)

    def pull(self, stream: str, cursor: str | None, *, now: datetime) -> Iterator[Page]:
        for one in self.pages:
            self.thresholds.append(gc.get_threshold()[0])
            yield one
        if self.failure is not None:
            raise self.failure

    def census(self, stream: str) -> int | None:
        return None

    def check(self) -> tuple[Problem, ...]:
        return ()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}") as opened:
        yield opened


class Clock:
    """A second later at every look, so that the time of storing tells the transactions apart."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


def pulled(ledger: Ledger, source: Pages, progress: Callable[[Progress], None] | None = None) -> Receipt:
    (receipt,) = pull_source(ledger, lambda: source, "s", run="run", clock=Clock(), progress=progress)
    return receipt


def test_small_pages_share_a_transaction_up_to_a_number_of_rows(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "_ROWS", 4)
    done: list[tuple[int, int | None]] = []
    source = Pages([page(n, cursor=n) for n in "abcde"])

    receipt = pulled(ledger, source, lambda step: done.append((step.done, step.total)))

    stored = ledger.observations().group_by("recorded_at").aggregate([("record", "list")])
    assert sorted(stored.column("record_list").to_pylist()) == [["a", "b"], ["c", "d"], ["e"]]
    assert (receipt.pages, receipt.records, receipt.new_records, receipt.new_observations) == (5, 5, 5, 5)
    assert ledger.cursor("s", "items") == "e"
    assert done[-1] == (5, 9)


def test_what_was_read_before_a_failure_is_stored_with_its_cursor(ledger: Ledger) -> None:
    source = Pages([page("a", cursor="1"), page("b", cursor="2")], SourceUnavailable("gone", source="s"))

    receipt = pulled(ledger, source)

    assert (receipt.error, receipt.pages, receipt.new_records) == ("gone", 2, 2)
    assert ledger.cursor("s", "items") == "2"


def test_a_page_without_a_cursor_leaves_the_one_before(ledger: Ledger) -> None:
    pulled(ledger, Pages([page("a", cursor="1"), page("b", cursor=None)]))
    assert ledger.cursor("s", "items") == "1"


@pytest.mark.parametrize("order", ["odd first", "odd last"])
def test_a_record_put_aside_and_read_in_one_pull_counts_as_it_came_last(ledger: Ledger, order: str) -> None:
    odd, good = page(cursor="1", put_aside="a"), page("a", cursor="2")
    pulled(ledger, Pages([odd, good] if order == "odd first" else [good, odd]))
    assert [q.native_id for q in ledger.quarantined()] == ([] if order == "odd first" else ["a"])


def test_cycles_are_looked_for_less_often_only_while_pulling(ledger: Ledger) -> None:
    before = gc.get_threshold()
    source = Pages([page("a", cursor="1")], SourceUnavailable("gone", source="s"))
    pulled(ledger, source)
    assert source.thresholds == [100_000]
    assert gc.get_threshold() == before
