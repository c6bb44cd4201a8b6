"""Faults on order: which of the coming requests goes wrong, and how."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Action = Literal["hang_before", "hang_after", "status", "html", "truncate", "down"]
# hang_before: received, not applied, never answered     hang_after: applied, never answered
# status: refused with this status, not applied          html: a web page instead of the answer, not applied
# truncate: applied, half the answer, connection cut     down: connection cut before anything is done
_KEYS = frozenset({"tool", "method", "path", "nth", "action", "status", "times", "headers", "body"})


class UnusableFault(ValueError):
    """The order for a fault cannot be understood; the text says why."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """An order: from the nth matching request on, `times` requests (None: all) go wrong."""

    n: int
    action: Action
    tool: str = ""
    method: str = ""
    path: str = ""
    nth: int = 1
    times: int | None = 1
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    seen: int = 0
    hit: int = 0

    def told(self) -> dict[str, Any]:
        """Return the order and how often it matched (`seen`) and struck (`hit`)."""
        names = ("n", "action", "tool", "method", "path", "nth", "times", "status", "seen", "hit")
        return {name: getattr(self, name) for name in names}


class Faults:
    """The orders in force. Hanging requests are let go when the orders are deleted."""

    def __init__(self) -> None:
        """Start without any order."""
        self._orders: list[Fault] = []
        self._made = 0
        self._let_go = asyncio.Event()

    def order(self, wanted: Mapping[str, Any]) -> Fault:
        """Add an order; raises UnusableFault for unknown keys, actions or a broken pattern."""
        unknown = sorted(set(wanted) - _KEYS)
        if unknown:
            raise UnusableFault(f"unknown keys: {', '.join(unknown)}")
        action: Action | None = next((known for known in get_args(Action) if known == wanted.get("action")), None)
        if action is None:
            raise UnusableFault(f"action must be one of {', '.join(get_args(Action))}")
        try:
            re.compile(str(wanted.get("path", "")))
        except re.error as error:
            raise UnusableFault(f"path is no pattern: {error}") from error
        self._made += 1
        times = wanted.get("times", 1)
        fault = Fault(
            n=self._made,
            action=action,
            tool=str(wanted.get("tool") or ""),
            method=str(wanted.get("method") or "").upper(),
            path=str(wanted.get("path") or ""),
            nth=int(wanted.get("nth") or 1),
            times=None if times is None else int(times),
            status=None if wanted.get("status") is None else int(wanted["status"]),
            headers={str(k): str(v) for k, v in dict(wanted.get("headers") or {}).items()},
            body=wanted.get("body"),
        )
        self._orders.append(fault)
        return fault

    def strike(self, *, tool: str, method: str, target: str) -> Fault | None:
        """Count a request against every order it matches; return the first order that strikes it.

        `target` is the path with its query; an order's `path` may match anywhere in it.
        """
        struck: Fault | None = None
        for fault in self._orders:
            if fault.tool not in {"", tool} or fault.method not in {"", method}:
                continue
            if not re.search(fault.path, target):
                continue
            fault.seen += 1
            due = fault.seen >= fault.nth and (fault.times is None or fault.hit < fault.times)
            if due and struck is None:
                fault.hit += 1
                struck = fault
        return struck

    def told(self) -> list[dict[str, Any]]:
        """Return every order as plain values."""
        return [fault.told() for fault in self._orders]

    def clear(self) -> int:
        """Withdraw every order and let hanging requests go; returns how many orders there were."""
        gone = len(self._orders)
        self._orders.clear()
        self._let_go.set()
        self._let_go = asyncio.Event()
        return gone

    async def until_cleared(self) -> None:
        """Wait for the next `clear`."""
        await self._let_go.wait()
