"""What the ledger remembers of a page, on both databases."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from hub.domain.records import Quarantined
from hub.errors import InternalFault
from hub.ledger import Appended, Ledger


def test_the_same_page_again_adds_nothing(ledger: Ledger, scene: Any) -> None:
    record = scene.raw()
    page = scene.page(
        scene.said("ada", 0, "history", actor="ada"),
        scene.said("ada", 1),
        scene.said("In Progress", 1, field="status"),
        scene.said("seen it", 1, "event", field="update", part="c1"),
        records=(record,),
        cursor="2026-03-02",
    )

    first = ledger.append("r1", "issues", "jira", page, scene.at(2))
    again = ledger.append("r2", "issues", "jira", page, scene.at(3))

    assert first == Appended(records=1, new_records=1, new_observations=3)
    assert again == Appended(records=1, new_records=0, new_observations=0)
    assert ledger.head() == 3
    assert ledger.raw(record.digest) == record


def test_one_page_holding_the_same_statement_twice_keeps_one(ledger: Ledger, scene: Any) -> None:
    said = scene.said("ada", 0, "history")
    assert scene.tell(ledger, said, said, scene.said("x", 1), scene.said("x", 1)) == 2


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        pytest.param([("A", 0), ("A", 1), ("A", 2)], ["A"], id="nothing new"),
        pytest.param([("A", 0), ("B", 1), ("A", 2)], ["A", "B", "A"], id="there and back"),
        pytest.param([(None, 0), (None, 1), ("A", 2), (None, 3)], [None, "A", None], id="nobody is a value"),
        pytest.param([("A", 2), ("A", 1)], ["A", "A"], id="earlier than what is known"),
        pytest.param([("A", 1), ("B", 3), ("A", 2)], ["A", "B"], id="late, and equal to what was in force then"),
        pytest.param([("A", 1), ("B", 1)], ["A", "B"], id="same stamp, other value"),
    ],
)
@pytest.mark.parametrize("together", [True, False], ids=["one page", "page by page"])
def test_a_snapshot_is_kept_only_when_it_says_something_new(
    ledger: Ledger, scene: Any, told: list[tuple[str | None, float]], kept: list[str | None], together: bool
) -> None:
    observations = [scene.said(value, hours) for value, hours in told]
    if together:
        # A page is read in the order of valid time, so what comes late in it is in its place already.
        scene.tell(ledger, *observations)
        in_time = [value for value, _ in sorted(told, key=lambda t: t[1])]
        expected = [v for n, v in enumerate(in_time) if n == 0 or v != in_time[n - 1]]
        assert sorted(map(str, scene.values(ledger))) == sorted(map(str, expected))
    else:
        for observation in observations:
            scene.tell(ledger, observation)
        assert scene.values(ledger) == kept


def test_history_and_events_count_as_what_is_in_force(ledger: Ledger, scene: Any) -> None:
    new = scene.tell(
        ledger,
        scene.said("bob", 5),
        scene.said("ada", 0, "history"),
        scene.said("bob", 3, "history"),
        scene.said("pending", 1, "event", field="approval", part="a1"),
        scene.said("pending", 5, field="approval", part="a1"),
        scene.said("pending", 5, field="approval", part="a2"),
    )

    assert new == 4, "the two snapshots that history and an event already told are dropped"
    assert scene.tell(ledger, scene.said("ada", 6)) == 1


def test_at_one_moment_history_outranks_an_event_and_an_event_a_snapshot(ledger: Ledger, scene: Any) -> None:
    scene.tell(ledger, scene.said("true", 1, "history"))
    scene.tell(ledger, scene.said("told", 1, "event"))
    scene.tell(ledger, scene.said("stale", 1))

    assert scene.tell(ledger, scene.said("true", 2)) == 0
    assert scene.tell(ledger, scene.said("stale", 3)) == 1

    scene.tell(ledger, scene.said("told", 1, "event", record="2"))
    scene.tell(ledger, scene.said("stale", 1, record="2"))

    assert scene.tell(ledger, scene.said("told", 2, record="2")) == 0


def test_at_one_moment_the_later_of_two_snapshots_counts(ledger: Ledger, scene: Any) -> None:
    scene.tell(ledger, scene.said("A", 1))
    scene.tell(ledger, scene.said("B", 1))

    assert scene.tell(ledger, scene.said("B", 2)) == 0
    assert scene.tell(ledger, scene.said("A", 3)) == 1


def test_subjects_do_not_mix(ledger: Ledger, scene: Any) -> None:
    scene.tell(ledger, scene.said("A", 0))

    assert scene.tell(ledger, scene.said("A", 1, record="2")) == 1
    assert scene.tell(ledger, scene.said("A", 1, field="title")) == 1
    assert scene.tell(ledger, scene.said("A", 1, part="p")) == 1


def test_cursor_and_data_are_stored_together_or_not_at_all(ledger: Ledger, scene: Any) -> None:
    ledger.append("r", "issues", "jira", scene.page(cursor="first"), scene.at())
    unstorable: Any = None
    broken = scene.page(
        scene.said("ada", 0, "history"),
        scene.said("Open", 0, field="status"),
        records=(scene.raw(),),
        quarantined=(Quarantined(source="jira", stream="issues", native_id="9", reason="cut", payload=unstorable),),
        cursor="second",
    )

    with pytest.raises(IntegrityError):
        ledger.append("r", "issues", "jira", broken, scene.at())

    assert ledger.cursor("jira", "issues") == "first"
    assert (ledger.head(), ledger.record_count("jira", "issues"), ledger.quarantined()) == (0, 0, ())


def test_cursors_belong_to_their_stream_and_can_be_forgotten(ledger: Ledger, scene: Any) -> None:
    ledger.append("r", "issues", "jira", scene.page(cursor="a"), scene.at())
    ledger.append("r", "users", "jira", scene.page(cursor="b"), scene.at())
    ledger.append("r", "issues", "jira", scene.page(cursor="c"), scene.at())
    ledger.append("r", "issues", "jira", scene.page(), scene.at())

    assert (ledger.cursor("jira", "issues"), ledger.cursor("jira", "users")) == ("c", "b")
    ledger.reset_cursor("jira", "issues")
    assert (ledger.cursor("jira", "issues"), ledger.cursor("jira", "users")) == (None, "b")


def test_a_cursor_comes_back_exactly_or_is_refused(ledger: Ledger, scene: Any) -> None:
    with pytest.raises(InternalFault, match="cursor of jira/issues"):
        ledger.append("r", "issues", "jira", scene.page(cursor="a\0b"), scene.at())


def test_text_that_a_database_cannot_hold(ledger: Ledger, scene: Any) -> None:
    nasty = "a\0b \ud83d c 👩‍🚀 ü"
    page = scene.page(
        scene.said(nasty, 0, record="r\0", actor="x\0", part="p\ud800"),
        scene.said(nasty, 1, record="r\0", actor="x\0", part="p\ud800"),
        records=(scene.raw(payload=b"\0\xff raw"),),
        quarantined=(Quarantined(source="jira", stream="issues", native_id="q\0", reason="NUL \0", payload=b"\0"),),
    )

    assert ledger.append("r", "issues", "jira", page, scene.at()).new_observations == 1
    assert ledger.append("r", "issues", "jira", page, scene.at()).new_observations == 0

    row = ledger.observations().to_pylist()[0]
    assert row["value"] == "a␀b � c 👩‍🚀 ü"
    assert (row["record"], row["actor"], row["part"]) == ("r␀", "x␀", "p�")
    held = ledger.raw(scene.raw(payload=b"\0\xff raw").digest)
    assert held is not None
    assert held.payload == b"\0\xff raw", "the payload keeps what was received"
    assert ledger.quarantined()[0].reason == "NUL ␀"


def test_a_quarantined_record_stays_until_it_parses(ledger: Ledger, scene: Any) -> None:
    def unread(native_id: str, reason: str) -> Quarantined:
        return Quarantined(source="jira", stream="issues", native_id=native_id, reason=reason, payload=b"{")

    first = scene.page(quarantined=(unread("1", "cut"), unread("2", "cut")))
    ledger.append("r", "issues", "jira", first, scene.at())
    ledger.append("r", "issues", "jira", scene.page(quarantined=(unread("2", "no title"),)), scene.at())
    assert [(q.native_id, q.reason) for q in ledger.quarantined()] == [("1", "cut"), ("2", "no title")]

    ledger.append("r", "users", "jira", scene.page(records=(scene.raw("2", stream="users"),)), scene.at())
    assert len(ledger.quarantined()) == 2, "another stream's record of that id heals nothing"

    ledger.append("r", "issues", "jira", scene.page(records=(scene.raw("2"),)), scene.at())
    assert [q.native_id for q in ledger.quarantined()] == ["1"]

    ledger.append("r", "issues", "jira", scene.page(quarantined=(unread("2", "again"),)), scene.at())
    assert [q.native_id for q in ledger.quarantined()] == ["1", "2"], "broken again, open again"


def test_records_are_counted_by_native_id(ledger: Ledger, scene: Any) -> None:
    records = (scene.raw("1"), scene.raw("1", version="2"), scene.raw("2"), scene.raw("3", stream="users"))
    ledger.append("r", "issues", "jira", scene.page(records=records), scene.at())

    assert ledger.record_count("jira", "issues") == 2
    assert ledger.record_count("jira", "users") == 1
    assert ledger.record_count("salesforce", "issues") == 0


def test_a_naive_time_is_refused_before_anything_is_stored(ledger: Ledger, scene: Any) -> None:
    with pytest.raises(ValueError, match="naive"):
        ledger.append("r", "i", "jira", scene.page(cursor="x"), datetime(2026, 1, 1))  # noqa: DTZ001 (the point)
    assert ledger.cursor("jira", "i") is None


def test_two_pulls_at_once_lose_nothing_and_number_without_gaps(prepared_url: str, scene: Any) -> None:
    failures: list[BaseException] = []

    def pull(source: str) -> None:
        try:
            with Ledger.open(prepared_url) as mine:
                for n in range(8):
                    own = [scene.said(f"{source} {n} {k}", k, "event", record=source) for k in range(25)]
                    shared = [scene.said(f"shared {n} {k}", k, "event") for k in range(25)]
                    mine.append("r", source, "jira", scene.page(*own, *shared, cursor=str(n)), scene.at())
        except BaseException as error:  # noqa: BLE001 (a thread's failure must reach the test)
            failures.append(error)

    threads = [threading.Thread(target=pull, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    with Ledger.open(prepared_url) as ledger:
        table = ledger.observations()
        assert table.column("seq").to_pylist() == list(range(1, 8 * 25 * 4 + 1))
        assert ledger.cursor("jira", "c") == "7"
