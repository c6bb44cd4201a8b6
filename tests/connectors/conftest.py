"""A simulated company inside the test process: real sockets, a store the test fills and may change."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

# so that the test files of this room can import the contract suite by name
sys.path.insert(0, str(Path(__file__).parent))


@dataclass
class Company:
    """Servers over one store; `addresses` by tool, `control` among them."""

    store: Any
    addresses: dict[str, str] = field(default_factory=dict)

    def order(self, **fault: Any) -> None:
        """Order a fault (see the sandbox's control port)."""
        requests.post(f"{self.addresses['control']}/faults", json=fault, timeout=5).raise_for_status()

    def journal(self, **filters: str) -> list[dict[str, Any]]:
        """Requests received so far, oldest first."""
        answer = requests.get(f"{self.addresses['control']}/journal", params=filters, timeout=5)
        entries: list[dict[str, Any]] = answer.json()
        return entries

    def forget(self) -> None:
        """Empty the journal and withdraw all faults."""
        requests.delete(f"{self.addresses['control']}/journal", timeout=5)
        requests.delete(f"{self.addresses['control']}/faults", timeout=5)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Callable[..., Company]]:
    """Start servers over a store that `fill` has filled: `company({"salesforce": "acme_salesforce"}, fill)`."""
    from sandbox.store import Store
    from sandbox.web import serve

    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Event, threading.Thread]] = []

    def start(spaces: dict[str, str], fill: Callable[[Any], None]) -> Company:
        store = Store(tmp_path / f"world{len(running)}.sqlite")
        fill(store)
        made = Company(store)
        ready = threading.Event()
        loop = asyncio.new_event_loop()
        stop = asyncio.Event()

        def told(addresses: dict[str, str]) -> None:
            made.addresses.update(addresses)
            ready.set()

        def run() -> None:
            loop.run_until_complete(serve(store, spaces, ready=told, stop=stop))

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        running.append((loop, stop, thread))
        assert ready.wait(20), "the servers did not start"
        return made

    yield start
    for loop, stop, thread in running:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
