"""Run the simulated tools of one directory: one process, one event loop, one loopback port for each instance.

Every request passes a gate that notes it in the journal and lets ordered faults strike; behind the gate a
tool is a plain function from Call to Answer. The control port speaks about the simulation itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.airtable.server import AirtableServer
from sandbox.calls import Tool
from sandbox.clock import VirtualClock
from sandbox.control import control_app
from sandbox.faults.orders import Faults
from sandbox.gate import Gate, Witness
from sandbox.jira.server import JiraServer
from sandbox.journal import Journal
from sandbox.salesforce.server import SalesforceServer
from sandbox.stamps import Clock
from sandbox.store import Store

SERVERS: Mapping[str, Callable[[Store, str, Clock], Tool]] = {
    "salesforce": SalesforceServer,
    "jira": JiraServer,
    "airtable": AirtableServer,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What all servers of a company share: the clock, the faults on order, and the journal of requests."""

    clock: VirtualClock
    faults: Faults
    journal: Journal = field(default_factory=Journal)


def simulation(clock: VirtualClock | None = None) -> Simulation:
    """Return a fresh simulation on a clock of its own, or on this one."""
    clock = clock or VirtualClock()
    return Simulation(clock=clock, faults=Faults(clock))


async def serve(
    store: Store,
    spaces: Mapping[str, str],
    ports: Mapping[str, int] | None = None,
    *,
    shared: Simulation | None = None,
    ready: Callable[[dict[str, str]], None] | None = None,
    stop: asyncio.Event | None = None,
    witness: Witness | None = None,
    beside: Mapping[str, str] | None = None,
) -> None:
    """Serve until `stop` is set (or the task is cancelled).

    `spaces` names the space of the store behind each instance of a tool: salesforce, jira, airtable, mail
    (whose kind `_envelope` the control port shows), and `tool:name` for further instances of a tool. `ports`
    may fix a port by instance or `control`; all others are ephemeral. `ready` is called once, when every port
    answers, with the base URL of each instance and of `control`; `witness` sees every answer of a tool; `beside` are
    addresses of servers that run beside these (imap, smtp), for the control port to tell. Raises
    OSError when a fixed port is taken and KeyError for a tool nobody knows.
    """
    ports = ports or {}
    stop = stop or asyncio.Event()
    shared = shared or simulation()
    clock, faults, journal = shared.clock, shared.faults, shared.journal
    apps: dict[str, ASGIApp] = {}
    for name, space in spaces.items():
        if name.partition(":")[0] != "mail":
            tool = SERVERS[name.partition(":")[0]](store, space, clock)
            apps[name] = Gate(tool, name=name, journal=journal, faults=faults, clock=clock, witness=witness)
    addresses: dict[str, str] = dict(beside or {})
    apps["control"] = control_app(store, spaces, journal=journal, faults=faults, clock=clock, addresses=addresses)
    sockets = {name: _listening(ports.get(name, 0)) for name in apps}
    addresses |= {name: f"http://127.0.0.1:{sock.getsockname()[1]}" for name, sock in sockets.items()}
    servers = [(_Server(_settings(app)), sockets[name]) for name, app in apps.items()]
    running = [asyncio.create_task(server.serve(sockets=[sock])) for server, sock in servers]
    try:
        while not all(server.started for server, _ in servers):
            failed = next((task for task in running if task.done()), None)
            if failed is not None:
                failed.result()
                raise OSError("a server ended while it was starting")
            await asyncio.sleep(0.005)
        if ready is not None:
            ready({name: addresses[name] for name in apps})
        await stop.wait()
    finally:
        faults.clear()
        for server, _ in servers:
            server.ended.set()
        await asyncio.gather(*running, return_exceptions=True)
        for sock in sockets.values():
            sock.close()


class _Protocol(HttpToolsProtocol):
    """uvicorn's own protocol, lending the gate the line so that a fault can cut it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["cut"] = self._cut
        self.scope["state"]["close"] = self.transport.close

    def _cut(self) -> None:
        if self.cycle is not None:
            self.cycle.disconnected = True  # otherwise uvicorn would complain of a missing answer
        sock = self.transport.get_extra_info("socket")
        if sock is not None:  # without lingering the other side gets a reset, as from a gateway that died
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


class _Server(uvicorn.Server):
    """uvicorn without its signal handling: whoever runs the loop decides when to stop, and it stops at once."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ended = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn would wait a tenth of a second, and then for answers that a fault may hold back for ever
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def _settings(app: ASGIApp) -> Any:
    return uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        proxy_headers=False,
        lifespan="off",
        access_log=False,
        log_level="error",
        date_header=False,  # the gate tells the company's time
        timeout_keep_alive=120,
        timeout_graceful_shutdown=1,
    )


def _listening(port: int) -> socket.socket:
    # asyncio only switches Nagle's delay off for sockets that say they are TCP; without, a page waits 40 ms
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
    except OSError:
        sock.close()
        raise
    sock.listen(128)
    sock.setblocking(False)
    return sock
