"""The outbox: each turn of a case goes out once, and waits until it has."""

from __future__ import annotations

import threading
from typing import Any

from hub.ledger import Delivery, Ledger


def test_each_turn_of_a_case_is_queued_once(ledger: Ledger, scene: Any) -> None:
    turns = ["opened", "opened", "resolved", "resolved", "reopened", "resolved", "resolved"]
    assert [ledger.queue_alert("case", turn, {}, scene.at()) for turn in turns] == [
        True, False, True, False, True, True, False,
    ]  # fmt: skip
    assert ledger.queue_alert("other", "resolved", {}, scene.at()) is True
    assert [d.kind for d in ledger.pending_deliveries() if d.key == "case"] == [
        "opened", "resolved", "reopened", "resolved",
    ]  # fmt: skip


def test_a_delivery_waits_until_it_is_made(ledger: Ledger, scene: Any) -> None:
    payload = {"title": "a\0 \ud83d 👋", "at": "2026-03-02"}
    ledger.queue_alert("case", "opened", payload, scene.at())
    (waiting,) = ledger.pending_deliveries()
    assert waiting == Delivery(id=waiting.id, key="case", kind="opened", payload=payload, queued_at=scene.at())

    ledger.mark_failed(waiting.id, scene.at(1), "451 try later\0")
    ledger.mark_failed(waiting.id, scene.at(2), "still away")
    (waiting,) = ledger.pending_deliveries()
    assert (waiting.attempts, waiting.detail) == (2, "still away")

    ledger.mark_delivered(waiting.id, scene.at(3), "mail to ada")
    assert ledger.pending_deliveries() == ()
    assert ledger.queue_alert("case", "opened", payload, scene.at(4)) is False, "told already"


def test_two_at_once_queue_one(prepared_url: str, scene: Any) -> None:
    start = threading.Barrier(4)
    results: list[bool] = []

    def queue() -> None:
        with Ledger.open(prepared_url) as mine:
            start.wait()
            results.append(mine.queue_alert("case", "opened", {}, scene.at()))

    threads = [threading.Thread(target=queue) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == [False, False, False, True]
