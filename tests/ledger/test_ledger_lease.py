"""One applier at a time; what a killed process leaves behind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from hub.errors import Refused
from hub.ledger import Ledger

_HOLD = """
import sys
from hub.ledger import Ledger
with Ledger.open(sys.argv[1]) as ledger, ledger.writing():
    print("held", flush=True)
    sys.stdin.readline()
"""
_TELL = """
import sys
from datetime import UTC, datetime
from hub.domain.plans import Outcome
from hub.ledger import Ledger
ledger = Ledger.open(sys.argv[1])
ledger.add_event("k", Outcome(kind="sent", at=datetime(2026, 3, 2, tzinfo=UTC)))
print("told", flush=True)
sys.stdin.readline()
"""
_HALF = """
import sys
from hub.ledger.engine import open_database
database = open_database(sys.argv[1])
with database.write("append") as connection:
    connection.exec_driver_sql("INSERT INTO cursor (source, stream, position, run, updated_at) "
                               "VALUES ('jira', 'issues', 'lost', 'r', 0)")
    print("half", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def _child(program: str, url: str, says: str) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [sys.executable, "-c", program, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        assert child.stdout.readline().strip() == says
        yield child
    finally:
        child.kill()
        child.wait(10)
        child.stdin.close()
        child.stdout.close()


def test_a_second_applier_is_refused_until_the_first_is_done(prepared_url: str) -> None:
    with Ledger.open(prepared_url) as one, Ledger.open(prepared_url) as two:
        with one.writing():
            with pytest.raises(Refused, match="another apply is running"), two.writing():
                pass
            with pytest.raises(Refused), one.writing():
                pass
        with two.writing():
            pass


def test_reading_and_appending_go_on_beside_an_applier(ledger: Ledger, scene: Any) -> None:
    with ledger.writing():
        assert scene.tell(ledger, scene.said("ada", 0)) == 1
        assert ledger.head() == 1


def test_an_error_inside_frees_the_lease(ledger: Ledger) -> None:
    with pytest.raises(ZeroDivisionError), ledger.writing():
        _ = 1 / 0
    with ledger.writing():
        pass


def test_a_killed_applier_holds_nothing(prepared_url: str) -> None:
    with Ledger.open(prepared_url) as ledger, _child(_HOLD, prepared_url, "held") as holder:
        with pytest.raises(Refused), ledger.writing():
            pass

        holder.kill()
        holder.wait(10)

        assert _eventually_held(ledger)


def test_what_add_event_told_survives_a_kill(ledger: Ledger, prepared_url: str, scene: Any) -> None:
    from hub.domain.plans import Intent

    ledger.add_intent(Intent(key="k", plan="p", change=scene.change()), scene.at())
    with _child(_TELL, prepared_url, "told") as teller:
        teller.kill()
        teller.wait(10)

    ((_, outcomes),) = ledger.intents()
    assert [o.kind for o in outcomes] == ["sent"]


def test_a_transaction_cut_by_a_kill_leaves_nothing(ledger: Ledger, prepared_url: str, scene: Any) -> None:
    with _child(_HALF, prepared_url, "half") as writer:
        writer.kill()
        writer.wait(10)

    assert ledger.cursor("jira", "issues") is None
    assert scene.tell(ledger, scene.said("ada", 0)) == 1, "and blocks nobody"


def _eventually_held(ledger: Ledger) -> bool:
    """The server notices a broken connection within moments, not at once."""
    import time

    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            with ledger.writing():
                return True
        except Refused:
            time.sleep(0.02)
    return False


def test_whoever_comes_right_after_is_not_refused(ledger: Ledger) -> None:
    for _ in range(200):
        with suppress(KeyboardInterrupt), ledger.writing():
            raise KeyboardInterrupt
