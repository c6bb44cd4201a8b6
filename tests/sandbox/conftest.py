"""Fixtures of the sandbox tests: a small company made by hand, served over real sockets."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# so that the test files of this room can import the small company by name
sys.path.insert(0, str(Path(__file__).parent))

from http_world import Running, running, small_company


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Running]:
    """The small company, running."""
    store = small_company(tmp_path / "world.sqlite")
    with running(store) as served:
        yield served
    store.close()
