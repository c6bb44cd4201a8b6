"""How often the site may be asked: bursts, writes to one issue, and the hourly points of apps."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.calls import Answer, Call, RefusedCall, reply

USUAL = 350  # requests a minute told in every reply where the world sets no limit
_MOST_WINDOWS = 10_000
BURST, PER_ISSUE = "jira-burst-based", "jira-per-issue-on-write"


@dataclass(slots=True)
class _Window:
    recent: deque[datetime] = field(default_factory=deque)

    def since(self, edge: datetime) -> int:
        while self.recent and self.recent[0] <= edge:
            self.recent.popleft()
        return len(self.recent)


class Limits:
    """Counts requests on the company's clock.

    `_settings` may say `burst_per_minute` (for each token, endpoint and method), `issue_writes` with
    `issue_write_seconds` (2), and `points_per_hour` (for each app; a request costs one point). Without them
    nothing is refused, and replies tell the usual 350.
    """

    def __init__(self) -> None:
        """Start with nothing counted."""
        self._windows: OrderedDict[tuple[str, ...], _Window] = OrderedDict()

    def passed(self, call: Call, settings: Mapping[str, Any], now: datetime, *, app: str) -> dict[str, str]:
        """Count a request; returns the headers of its reply. Raises RefusedCall (429) when it is one too many."""
        who = call.headers.get("authorization", "")
        most = int(settings.get("burst_per_minute") or 0)
        minute = timedelta(minutes=1)
        burst = self._window("burst", who, call.method, _endpoint(call.path))
        used = burst.since(now - minute)
        if most and used >= most:
            raise RefusedCall(too_many(burst.recent[0] + minute, now, most=most, reason=BURST))
        writes = int(settings.get("issue_writes") or 0)
        issue = _written_issue(call)
        if writes and issue:
            span = timedelta(seconds=float(settings.get("issue_write_seconds") or 2))
            window = self._window("issue", issue)
            if window.since(now - span) >= writes:
                raise RefusedCall(too_many(window.recent[0] + span, now, most=writes, reason=PER_ISSUE))
            window.recent.append(now)
        points = int(settings.get("points_per_hour") or 0)
        if points and app:
            window, hour = self._window("points", app), timedelta(hours=1)
            if window.since(now - hour) >= points:
                # the name of this limiter is not known, so none is told
                raise RefusedCall(too_many(window.recent[0] + hour, now, most=points, reason=""))
            window.recent.append(now)
        burst.recent.append(now)
        shown = most or USUAL
        return {"X-RateLimit-Limit": str(shown), "X-RateLimit-Remaining": str(max(0, shown - used - 1))}

    def _window(self, *name: str) -> _Window:
        window = self._windows.setdefault(name, _Window())
        self._windows.move_to_end(name)
        while len(self._windows) > _MOST_WINDOWS:
            self._windows.popitem(last=False)
        return window


def too_many(
    again: datetime, now: datetime, *, most: int = USUAL, reason: str = BURST, retry_after: str | None = ""
) -> Answer:
    """Return a 429. `retry_after` "" tells the seconds until `again`; None leaves the header out."""
    seconds = max(1, -int((now - again).total_seconds() // 1))
    headers = {
        "X-RateLimit-Limit": str(most),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": f"{again:%Y-%m-%dT%H:%MZ}",
    }
    if reason:
        headers["RateLimit-Reason"] = reason
    if retry_after is not None:
        headers["Retry-After"] = retry_after or str(seconds)
    body = {"errorMessages": ["Rate limit exceeded."], "errors": {}}
    return reply(body, 429).plus(headers)


def _endpoint(path: str) -> str:
    """Return the path without the names of single things, so that one endpoint has one window."""
    return "/".join(part for part in path.split("/") if part and not any(letter.isdigit() for letter in part))


def _written_issue(call: Call) -> str:
    if call.method not in {"PUT", "POST", "DELETE"}:
        return ""
    _, found, name = call.path.partition("/issue/")
    first = name.partition("/")[0]
    return first.upper() if found and first not in {"bulkfetch", "createmeta"} else ""
