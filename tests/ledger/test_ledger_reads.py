"""Reading back: all of it, as it was known at a moment, of some records."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from hub.domain.records import Receipt
from hub.errors import Refused
from hub.ledger import Ledger, reads
from hub.ledger.engine import driver
from hub.ledger.reads import OBSERVATIONS


def test_an_empty_ledger_has_all_columns_and_no_rows(ledger: Ledger) -> None:
    assert ledger.observations().schema == OBSERVATIONS
    assert ledger.history([("jira", "1")]).schema == OBSERVATIONS
    assert ledger.history([]).num_rows == 0
    assert (ledger.head(), ledger.raw("0" * 64), ledger.cursor("jira", "issues")) == (0, None, None)


def test_every_column_comes_back_as_it_was_told(ledger: Ledger, scene: Any) -> None:
    said = scene.said("bob", 1.5, "history", actor="ada", part="p")
    scene.tell(ledger, said, scene.said(None, 2), learned=5)

    told, nobody = ledger.observations().to_pylist()

    assert told == {
        "seq": 1, "source": "jira", "entity": "item", "record": "1", "part": "p", "field": "owner",
        "value": "bob", "valid_from": scene.at(1.5), "origin": "history", "actor": "ada", "raw": "",
        "evidence": "", "recorded_at": scene.at(5),
    }  # fmt: skip
    assert (nobody["value"], nobody["actor"]) == (None, None)
    assert ledger.observations().schema == OBSERVATIONS


def test_times_keep_their_microseconds_and_reach_far(ledger: Ledger, scene: Any) -> None:
    from dataclasses import replace

    times = [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 3, 2, 9, 0, 0, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ]
    scene.tell(ledger, *(replace(scene.said("x", 0, "event"), valid_from=t) for t in times))
    assert ledger.observations().column("valid_from").cast("int64").to_pylist() == [
        (t - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution) for t in times
    ]


def test_the_ledger_can_be_read_as_it_was_known_at_a_moment(ledger: Ledger, scene: Any) -> None:
    scene.tell(ledger, scene.said("ada", 0, "history"), learned=1)
    scene.tell(ledger, scene.said("bob", 5, "history"), learned=6)
    # Learned last, although it happened in between.
    scene.tell(ledger, scene.said("cyd", 2, "history"), learned=9)

    def known(hours: float) -> list[str]:
        values: list[str] = ledger.observations(as_of=scene.at(hours)).column("value").to_pylist()
        return values

    assert known(0.5) == []
    assert known(1) == ["ada"]
    assert known(8) == ["ada", "bob"]
    assert known(9) == ["ada", "bob", "cyd"]


def test_the_history_of_some_records(ledger: Ledger, scene: Any) -> None:
    scene.tell(ledger, *(scene.said(str(n), 0, record=str(n)) for n in range(1000)))
    wanted = [("jira", str(n)) for n in range(0, 1000, 2)]

    found = ledger.history([*wanted, ("salesforce", "1"), ("jira", "none"), wanted[0]])

    assert found.column("record").to_pylist() == [record for _, record in wanted]
    assert found.schema == OBSERVATIONS
    assert found.column("seq").to_pylist() == sorted(found.column("seq").to_pylist())


def test_many_rows_come_in_order(ledger: Ledger, scene: Any) -> None:
    scene.tell(ledger, *(scene.said(str(n), 0, "event", record=str(n % 7)) for n in range(45_000)))

    table = ledger.observations()

    assert table.column("seq").to_pylist() == list(range(1, 45_001))
    assert table.column("value").to_pylist() == [str(n) for n in range(45_000)]


def test_batches_hold_what_was_there_when_reading_began_and_nobody_waits(
    ledger: Ledger, scene: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "_RANGE", 3)
    monkeypatch.setattr(reads, "_BATCH", 2)
    scene.tell(ledger, *(scene.said(str(n), 0, "event", record=str(n)) for n in range(8)))

    reading = ledger.observation_batches(["value", "valid_from"])
    values = next(reading).column("value").to_pylist()
    scene.tell(ledger, scene.said("later", 0, "event"))
    for batch in reading:
        assert batch.schema.names == ["value", "valid_from"]
        values += batch.column("value").to_pylist()

    assert values == [str(n) for n in range(8)]
    assert ledger.head() == 9


def test_receipts_of_a_run_and_the_latest_of_every_stream(ledger: Ledger, scene: Any) -> None:
    def receipt(stream: str, hours: float, **values: Any) -> Receipt:
        return Receipt(
            source="jira", stream=stream, started_at=scene.at(hours), finished_at=scene.at(hours + 1), **values
        )

    first, second = ledger.start_run("sync", scene.at()), ledger.start_run("sync", scene.at())
    assert first != second
    old = receipt("issues", 0, records=5, source_count=5, ledger_count=4)
    users = receipt("users", 0, error="away", hint="wait")
    new = receipt("issues", 2, pages=1, new_records=1, new_observations=2, quarantined=3, calls=4)
    ledger.add_receipt(first, old)
    ledger.add_receipt(first, users)
    ledger.add_receipt(second, new)
    ledger.finish_run(first, scene.at(3), "partial")

    assert ledger.receipts(first) == (old, users)
    assert ledger.receipts() == (new, users)
    assert ledger.receipts(limit=1) == (new,)
    assert ledger.receipts("unknown") == ()


def test_the_history_of_a_record_is_found_by_index(ledger: Ledger, scene: Any, prepared_url: str) -> None:
    """SQLite only: reading everything for one item would make `hub item` slow on a large ledger."""
    if not prepared_url.startswith("sqlite"):
        return
    seen: list[str] = []
    with ledger._database.read() as connection:
        driver(connection).set_trace_callback(seen.append)
    ledger.history([("jira", "1")])
    (query,) = [statement for statement in seen if "wanted" in statement]

    with ledger._database.read() as connection:
        steps = [row[3] for row in driver(connection).execute(f"EXPLAIN QUERY PLAN {query}")]

    assert any("USING INDEX observation_subject (source=? AND entity=? AND record=?)" in s for s in steps), steps


def test_a_server_that_went_away_is_a_refusal(ledger: Ledger, postgresql_server: str, prepared_url: str) -> None:
    if prepared_url.startswith("sqlite"):
        return
    name = prepared_url.partition("?")[0].rsplit("/", 1)[1]
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))

    with pytest.raises(Refused, match="cannot be read right now"):
        ledger.observations()
    with pytest.raises(Refused, match="cannot be used right now"):
        ledger.head()
