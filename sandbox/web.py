"""Run the simulated tools of one directory: one process, one event loop, one loopback port for each tool.

Every request passes a gate that notes it in the journal and lets ordered faults strike; behind the gate a
tool is a plain function from Call to Answer. The control port speaks about the simulation itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import uvicorn
from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.airtable.server import AirtableServer
from sandbox.calls import Answer, Call, Tool
from sandbox.control import control_app
from sandbox.faults import Fault, Faults
from sandbox.jira.server import JiraServer
from sandbox.journal import Journal
from sandbox.salesforce.server import SalesforceServer
from sandbox.stamps import Clock, stamp, wall_clock
from sandbox.store import Store

SERVERS: Mapping[str, Callable[[Store, str, Clock], Tool]] = {
    "salesforce": SalesforceServer,
    "jira": JiraServer,
    "airtable": AirtableServer,
}
_PAGE = b"<!DOCTYPE html><html><head><title>Service unavailable</title></head><body>Please try later.</body></html>"


async def serve(
    store: Store,
    spaces: Mapping[str, str],
    ports: Mapping[str, int] | None = None,
    *,
    ready: Callable[[dict[str, str]], None] | None = None,
    stop: asyncio.Event | None = None,
    clock: Clock = wall_clock,
) -> None:
    """Serve until `stop` is set (or the task is cancelled).

    `spaces` names the space of the store behind each tool: salesforce, jira, airtable, and mail (whose kind
    `_envelope` the control port shows). `ports` may fix a port by tool name or `control`; all others are
    ephemeral. `ready` is called once, when every port answers, with the base URL of each tool and of
    `control`. Raises OSError when a fixed port is taken and KeyError for a tool nobody knows.
    """
    ports = ports or {}
    stop = stop or asyncio.Event()
    journal, faults = Journal(), Faults()
    apps: dict[str, ASGIApp] = {
        tool: Gate(SERVERS[tool](store, space, clock), tool=tool, journal=journal, faults=faults, clock=clock)
        for tool, space in spaces.items()
        if tool != "mail"
    }
    apps["control"] = control_app(store, spaces, journal=journal, faults=faults)
    sockets = {name: _listening(ports.get(name, 0)) for name in apps}
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
            ready({name: f"http://127.0.0.1:{sock.getsockname()[1]}" for name, sock in sockets.items()})
        await stop.wait()
    finally:
        faults.clear()
        for server, _ in servers:
            server.should_exit = True
            server.force_exit = True
        await asyncio.gather(*running, return_exceptions=True)
        for sock in sockets.values():
            sock.close()


class Gate:
    """The ASGI face of a tool: journal first, then faults, then the tool itself."""

    def __init__(self, tool_app: Tool, *, tool: str, journal: Journal, faults: Faults, clock: Clock) -> None:
        """Stand in front of one tool."""
        self._app = tool_app
        self._tool = tool
        self._journal = journal
        self._faults = faults
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or do to it what a fault says."""
        if scope["type"] != "http":
            return
        body = await _whole_body(receive)
        query = scope["query_string"].decode("latin-1")
        entry = self._journal.received(
            at=stamp(self._clock()),
            tool=self._tool,
            method=scope["method"],
            path=scope["path"],
            query=query,
            body=body,
        )
        target = f"{scope['path']}?{query}" if query else scope["path"]
        fault = self._faults.strike(tool=self._tool, method=scope["method"], target=target)
        if fault is not None:
            entry.fault = fault.action
        if fault is not None and fault.action == "down":
            scope["state"]["cut"]()
            return
        if fault is not None and fault.action == "hang_before":
            await self._hang(scope, receive)
            return
        answer = _told_by(fault) if fault is not None and fault.action in {"status", "html"} else None
        if answer is None:
            entry.status = 500  # unless the tool comes to an answer
            answer = self._app(_call(scope, body))
            entry.status = None
        if fault is not None and fault.action == "hang_after":
            await self._hang(scope, receive)
            return
        entry.status = answer.status
        headers = {"content-type": answer.kind, **answer.headers}
        if fault is not None and fault.action == "truncate":
            await _send_half(answer, headers, send)
            scope["state"]["close"]()
            return
        if answer.status == 204:
            del headers["content-type"]
        await Response(answer.body, status_code=answer.status, headers=headers)(scope, receive, send)

    async def _hang(self, scope: Scope, receive: Receive) -> None:
        """Stay silent until the caller hangs up or the faults are deleted; then cut the line."""
        waiting = [asyncio.ensure_future(self._faults.until_cleared()), asyncio.ensure_future(_gone(receive))]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        scope["state"]["cut"]()


class _Protocol(HttpToolsProtocol):
    """uvicorn's own protocol, lending the gate the line so that a fault can cut it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["cut"] = self._cut
        self.scope["state"]["close"] = self.transport.close

    def _cut(self) -> None:
        if self.cycle is not None:
            self.cycle.disconnected = True  # otherwise uvicorn would complain of a missing answer
        self.transport.abort()


class _Server(uvicorn.Server):
    """uvicorn without its signal handling: whoever runs the loop decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _settings(app: ASGIApp) -> Any:
    return uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="error",
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


async def _whole_body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return b"".join(parts)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _call(scope: Scope, body: bytes) -> Call:
    return Call(
        method=scope["method"],
        path=scope["path"],
        query=tuple(QueryParams(scope["query_string"]).multi_items()),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
    )


def _told_by(fault: Fault) -> Answer:
    if fault.action == "html":
        return Answer(status=fault.status or 200, body=_PAGE, kind="text/html", headers=fault.headers)
    text = "service refused the request, as ordered" if fault.body is None else fault.body
    kind = "application/json" if text[:1] in {"{", "["} else "text/plain"
    return Answer(status=fault.status or 503, body=text.encode(), kind=kind, headers=fault.headers)


async def _send_half(answer: Answer, headers: Mapping[str, str], send: Send) -> None:
    told = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    told.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": told})
    half = answer.body[: len(answer.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})
