"""Asked for a record that is gone: its survivor's story with its own lines, or when it went."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hub.charter.model import Charter
from hub.domain.records import Field, Observation, Page
from hub.errors import Refused
from hub.flow.reconcile import reconcile
from hub.flow.story import story
from hub.ledger import Ledger

Tell = Callable[[str, Field, str], None]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}") as opened:
        yield opened


@pytest.fixture
def tell(ledger: Ledger, clock: Callable[[], datetime]) -> Tell:
    hours = iter(range(100))

    def said(record: str, field: Field, value: str) -> None:
        at = clock() + timedelta(hours=next(hours))
        one = Observation(
            source="tool", entity="item", record=record, field=field, value=value, valid_from=at, origin="event"
        )
        ledger.append("run", "ACME", "tool", Page(records=(), observations=(one,)), at)

    return said


def test_a_merged_record_is_found_in_its_survivor_and_a_deleted_one_says_so(
    ledger: Ledger, tell: Tell, charter: Charter, clock: Callable[[], datetime]
) -> None:
    for record in ("J1", "J2", "J3", "J4"):
        tell(record, "title", f"Work of {record}")
    tell("J1", "presence", "merged:J2")
    tell("J2", "presence", "merged:J3")
    tell("J4", "presence", "deleted")
    reconcile(ledger, charter, run="run", now=clock() + timedelta(days=9))

    told = story(ledger, "J1")
    assert [row["record"] for row in told.records] == ["J3"]
    assert [(line.record, line.value) for line in told.lines if line.field == "presence"] == [
        ("J1", "merged:J2"),
        ("J2", "merged:J3"),
    ]
    assert {line.record for line in told.lines if line.field == "title"} == {"J1", "J2", "J3"}
    with pytest.raises(Refused, match="'J4' is deleted in tool since 2026-"):
        story(ledger, "J4")
    with pytest.raises(Refused, match="nothing is known as 'J5'"):
        story(ledger, "J5")


def test_records_merged_into_each_other_end_the_search(
    ledger: Ledger, tell: Tell, charter: Charter, clock: Callable[[], datetime]
) -> None:
    for record, other in (("J1", "J2"), ("J2", "J1")):
        tell(record, "title", "Same")
        tell(record, "presence", f"merged:{other}")
    reconcile(ledger, charter, run="run", now=clock() + timedelta(days=9))
    with pytest.raises(Refused, match="merged"):
        story(ledger, "J1")
