"""The orders in force: which of the coming requests goes wrong, and how."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.faults.catalogue import CATALOGUE
from sandbox.stamps import Clock, wall_clock

_WHICH = frozenset({"tool", "method", "path", "body_matches"})
_WHEN = frozenset({"nth", "times", "probability", "seed", "for_seconds"})
_KEYS = frozenset({"fault", "action", "settings", "status", "headers", "body"}) | _WHICH | _WHEN


_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, a token
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_MOST = 10**9


class UnusableFault(ValueError):
    """The order for a fault cannot be understood; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """A fault that strikes the present request, with the settings of its order."""

    name: str
    settings: Mapping[str, Any]

    @property
    def on_wire(self) -> bool:
        """Whether the gate does it; otherwise the tool does."""
        return CATALOGUE[self.name].on_wire


@dataclass(slots=True, kw_only=True)
class Order:
    """From the nth matching request on, `times` requests (None: all) go wrong, each with this probability."""

    n: int
    fault: str
    tool: str
    method: str
    path: re.Pattern[str]
    body: re.Pattern[str] | None
    either: bool  # the path or the body may match; otherwise both must
    nth: int
    times: int | None
    probability: float
    chance: random.Random
    until: datetime | None
    settings: Mapping[str, Any] = field(default_factory=dict)
    seen: int = 0
    hit: int = 0

    def matches(self, *, tool: str, method: str, target: str, body: str) -> bool:
        """Whether the order is about such a request at all."""
        if self.tool not in {"", tool, tool.partition(":")[0]} or self.method not in {"", method}:
            return False
        if tool.partition(":")[0] not in CATALOGUE[self.fault].tools:
            return False
        on_path = self.path.search(target) is not None
        if self.body is None:
            return on_path
        on_body = self.body.search(body) is not None
        return on_path or on_body if self.either else on_path and on_body

    def strikes(self) -> bool:
        """Count a matching request; whether it goes wrong."""
        self.seen += 1
        if self.seen < self.nth or (self.times is not None and self.hit >= self.times):
            return False
        if self.probability < 1 and self.chance.random() >= self.probability:
            return False
        self.hit += 1
        return True

    def told(self, now: datetime) -> dict[str, Any]:
        """Return the order as plain values, and how often it matched (`seen`) and struck (`hit`)."""
        over = (self.until is not None and now >= self.until) or (self.times is not None and self.hit >= self.times)
        return {
            "n": self.n,
            "fault": self.fault,
            "tool": self.tool,
            "method": self.method,
            "path": self.path.pattern,
            "body_matches": None if self.body is None else self.body.pattern,
            "nth": self.nth,
            "times": self.times,
            "probability": self.probability,
            "until": None if self.until is None else self.until.isoformat(),
            "settings": dict(self.settings),
            "seen": self.seen,
            "hit": self.hit,
            "over": over,
        }


class Faults:
    """The orders in force. Hanging requests are let go when the orders are deleted."""

    def __init__(self, clock: Clock = wall_clock) -> None:
        """Start without any order; durations are measured on this clock."""
        self._clock = clock
        self._orders: list[Order] = []
        self._made = 0
        self._let_go = asyncio.Event()

    def order(self, wanted: Mapping[str, Any]) -> Order:
        """Add an order; raises UnusableFault for unknown keys and names, and for broken patterns and numbers.

        `fault` names it (`action` is an older word for the same). Which requests: `tool`, `method`, `path`
        (pattern over path and query), `body_matches` (pattern over the body). When: `nth`, `times`,
        `probability` with `seed`, `for_seconds` on the company's clock. `settings` are the fault's own.
        """
        self._made += 1
        made = _read(wanted, number=self._made, now=self._clock())
        self._orders.append(made)
        return made

    def strike(self, *, tool: str, method: str, target: str, body: str = "") -> list[Strike]:
        """Count a request against every order it matches; return the faults that strike it, oldest order first.

        `tool` is the instance's name; `target` the path with its query.
        """
        now = self._clock()
        struck = []
        for order in self._orders:
            if order.until is not None and now >= order.until:
                continue
            if order.matches(tool=tool, method=method, target=target, body=body) and order.strikes():
                struck.append(Strike(name=order.fault, settings=order.settings))
        return struck

    def told(self) -> list[dict[str, Any]]:
        """Return every order as plain values."""
        now = self._clock()
        return [order.told(now) for order in self._orders]

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


def _read(wanted: Mapping[str, Any], *, number: int, now: datetime) -> Order:
    if not isinstance(wanted, Mapping):
        raise UnusableFault("an order is an object with a key `fault`")
    unknown = sorted(set(map(str, wanted)) - _KEYS)
    if unknown:
        raise UnusableFault(f"unknown keys: {', '.join(unknown)}; known are {', '.join(sorted(_KEYS))}")
    name = str(wanted.get("fault") or wanted.get("action") or "")
    known = CATALOGUE.get(name)
    if known is None:
        raise UnusableFault(f"there is no fault {name!r}; /faults/catalogue lists them")
    tool = str(wanted.get("tool") or "")
    if tool and tool.partition(":")[0] not in known.tools:
        raise UnusableFault(f"{name} strikes {', '.join(known.tools)}, not {tool}")
    given = dict(wanted.get("settings") or {}) | {
        key: wanted[key] for key in ("status", "headers", "body") if key in wanted and key in known.settings
    }
    odd = sorted(set(given) - set(known.settings))
    if odd:
        raise UnusableFault(f"{name} has no setting {', '.join(odd)}; it has {', '.join(known.settings) or 'none'}")
    _refuse_unsendable(given)
    pattern = wanted.get("body_matches")
    own = "path" in wanted or pattern is not None  # whoever names requests is not second-guessed
    body = pattern if own else known.body or None
    try:
        seconds = wanted.get("for_seconds")
        return Order(
            n=number,
            fault=name,
            tool=tool,
            method=str(wanted.get("method") or ("" if own else known.method)).upper(),
            path=re.compile(str(wanted.get("path") or "") if own else known.path),
            body=None if body is None else re.compile(str(body)),
            either=not own and "nextPageToken" in known.body,
            nth=_at_least_one(wanted.get("nth", 1)),
            times=_times(wanted),
            probability=_share(wanted.get("probability", 1)),
            chance=random.Random(int(wanted.get("seed") or 0)),
            until=None if seconds is None else now + _seconds(seconds),
            settings={**known.settings, **given},
        )
    except re.error as error:
        raise UnusableFault(f"not a pattern: {error}") from error
    except (TypeError, ValueError, OverflowError) as error:
        raise UnusableFault(f"nth, times, probability, seed and for_seconds are numbers ({error})") from error


def _refuse_unsendable(settings: Mapping[str, Any]) -> None:
    """Refuse what no server could send: the struck request would die of it in a way nobody ordered."""
    status = settings.get("status")
    if status is not None and (type(status) is not int or not 200 <= status <= 599):
        raise UnusableFault(f"status is a number from 200 to 599, not {status!r}")
    headers = settings.get("headers") or {}
    if not isinstance(headers, Mapping):
        raise UnusableFault("headers is an object of names and values")
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(str(name)) or not _HEADER_VALUE.fullmatch(str(value)):
            raise UnusableFault(f"no header can be {str(name)!r}: {str(value)!r}")
    if settings.get("records") is not None and not isinstance(settings["records"], list):
        raise UnusableFault("records is a list of ids")
    if settings.get("retry_after") not in {None, "date"} and type(settings["retry_after"]) is not int:
        raise UnusableFault('retry_after is a number of seconds, "date" or null')
    for name in ("seconds", "bytes", "pause", "count", "flicker", "rows"):
        if name == "rows" and isinstance(settings.get(name), list):
            continue
        value = settings.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > _MOST):
            raise UnusableFault(f"{name} is a number, not {value!r}")


def _times(wanted: Mapping[str, Any]) -> int | None:
    """Once, where nothing limits the order; as often as it comes, where chance or time does."""
    given = wanted.get("times", None if {"probability", "for_seconds"} & set(wanted) else 1)
    return None if given is None else _at_least_one(given)


def _at_least_one(value: Any) -> int:
    if int(value) < 1:
        raise ValueError("nth and times begin at 1; times null is for ever")
    return int(value)


def _share(value: Any) -> float:
    share = float(value)
    if not 0 <= share <= 1:
        raise ValueError("a probability lies between 0 and 1")
    return share


def _seconds(value: Any) -> timedelta:
    if not 0 < float(value) <= _MOST:
        raise ValueError("for_seconds lies above 0")
    return timedelta(seconds=float(value))
