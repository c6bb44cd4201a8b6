"""Open results are forgotten before they fill the memory."""

from __future__ import annotations

import pytest

from sandbox import walks
from sandbox.walks import Walks


def test_the_oldest_results_go_when_too_many_ids_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walks, "_MOST_IDS", 10)
    held: Walks[str] = Walks(most=5)
    first = held.open("ada", [str(n) for n in range(6)], "plan")
    second = held.open("grace", [str(n) for n in range(6)], "plan")
    assert held.find(first.name) is None
    assert held.find(second.name) == second
    huge = held.open("ada", [str(n) for n in range(99)], "plan")
    assert held.find(huge.name) == huge
