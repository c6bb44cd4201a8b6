"""The ASGI face of a tool: the journal first, then the faults on order, then the tool itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.calls import Answer, Call, Tool
from sandbox.faults import wire
from sandbox.faults.hooks import Hooks, Settings
from sandbox.faults.orders import Faults
from sandbox.journal import Entry, Journal
from sandbox.stamps import Clock, stamp

ACTOR = "x-sandbox-actor"  # a tool tells the gate with it who asked; never sent
Witness = Callable[[str, Call, Answer], None]
_MOST_BODY = 200_000_000  # bytes: above what the Bulk API takes in one piece
_READ_BODIES = 20_000  # bytes of a body in which an order's pattern is looked for


class Gate:
    """Stands in front of one tool."""

    def __init__(
        self, tool: Tool, *, name: str, journal: Journal, faults: Faults, clock: Clock, witness: Witness | None = None
    ) -> None:
        """Guard a tool under the name of its instance; `witness` sees every answer of the tool itself."""
        self._tool = tool
        self._hooks: Hooks = getattr(tool, "hooks", {})
        self._name = name
        self._journal = journal
        self._faults = faults
        self._clock = clock
        self._witness = witness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or do to it what the faults say."""
        if scope["type"] != "http":
            return
        body = await _whole_body(receive)
        if body is None:
            await Response(b"Request Entity Too Large", status_code=413, media_type="text/plain")(scope, receive, send)
            return
        began = time.perf_counter()
        entry = self._note(scope, body)
        struck = self._struck(entry, scope, body)
        if "down" in struck:
            scope["state"]["cut"]()
            return
        if "hang_before" in struck:
            await self._hang(scope, receive)
            return
        answer = next((told for name in struck if (told := wire.instead(name, struck[name])) is not None), None)
        if answer is None:
            entry.status = 500  # unless the tool comes to an answer
            answer = self._asked(scope, body, struck)
            entry.status = None
        headers = {"content-type": answer.kind, "date": wire.date_header(self._clock(), struck), **answer.headers}
        entry.actor = headers.pop(ACTOR, None)
        entry.milliseconds = round((time.perf_counter() - began) * 1000, 3)
        if "hang_after" in struck:
            await self._hang(scope, receive)
            return
        if "reply_lost" in struck:
            scope["state"]["cut"]()
            return
        entry.status, entry.reply_bytes = answer.status, len(answer.body)
        if "truncated" in struck or "truncate" in struck:
            await wire.send_half(answer, headers, send)
            scope["state"]["close"]()
            return
        if "slow_drip" in struck:
            await wire.send_drops(answer, headers, struck["slow_drip"], send)
            return
        if answer.status in {204, 304}:
            del headers["content-type"]
        await Response(answer.body, status_code=answer.status, headers=headers)(scope, receive, send)

    def _note(self, scope: Scope, body: bytes) -> Entry:
        return self._journal.received(
            at=stamp(self._clock()),
            tool=self._name,
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            body=body,
        )

    def _struck(self, entry: Entry, scope: Scope, body: bytes) -> dict[str, Settings]:
        target = f"{entry.path}?{entry.query}" if entry.query else entry.path
        text = body[:_READ_BODIES].decode("utf-8", "replace")
        strikes = self._faults.strike(tool=self._name, method=scope["method"], target=target, body=text)
        if strikes:
            entry.fault = ",".join(strike.name for strike in strikes)
        return {strike.name: strike.settings for strike in strikes}

    def _asked(self, scope: Scope, body: bytes, struck: Mapping[str, Settings]) -> Answer:
        """Ask the tool; the hooks of the faults that strike it stand before and behind."""
        hooks = [(self._hooks[name], settings) for name, settings in struck.items() if name in self._hooks]
        call = _call(scope, body, {name: settings for name, settings in struck.items() if name in self._hooks})
        answer = None
        for hook, settings in hooks:
            if hook.before is not None and (answer := hook.before(call, settings)) is not None:
                break
        if answer is None:
            answer = self._tool(call)
        for hook, settings in hooks:
            if hook.after is not None:
                answer = hook.after(call, answer, settings)
        if self._witness is not None:
            self._witness(self._name, call, answer)
        return answer

    async def _hang(self, scope: Scope, receive: Receive) -> None:
        """Stay silent until the caller hangs up or the faults are deleted; then cut the line."""
        waiting = [asyncio.ensure_future(self._faults.until_cleared()), asyncio.ensure_future(_gone(receive))]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        scope["state"]["cut"]()


async def _whole_body(receive: Receive) -> bytes | None:
    """Return the body of a request, or None for one that no tool would take; it is read to its end all the same."""
    parts: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        length += len(message.get("body", b""))
        if length <= _MOST_BODY:
            parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return b"".join(parts) if length <= _MOST_BODY else None


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _call(scope: Scope, body: bytes, faults: Mapping[str, Settings]) -> Call:
    return Call(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),  # a table may be called "Sites / locations"
        query=tuple(QueryParams(scope["query_string"]).multi_items()),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
        faults=faults,
    )
