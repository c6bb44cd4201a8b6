"""The faults that need no tool: what happens to a request or an answer on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

from starlette.types import Send

from sandbox.calls import Answer
from sandbox.faults.hooks import Settings

_PAGE = b"<!DOCTYPE html><html><head><title>Service unavailable</title></head><body>Please try later.</body></html>"
_GATEWAY = (
    b"<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
)
_LONGEST_PAUSE = 60.0


def instead(name: str, settings: Settings) -> Answer | None:
    """Return what is answered instead of asking the tool; None for faults that do not answer."""
    if name == "html_502":
        return Answer(status=502, body=_GATEWAY, kind="text/html")
    if name == "html":
        return Answer(
            status=int(settings["status"] or 200), body=_PAGE, kind="text/html", headers=dict(settings["headers"] or {})
        )
    if name == "status":
        given = settings["body"]
        text = "service refused the request, as ordered" if given is None else str(given)
        kind = "application/json" if text[:1] in {"{", "["} else "text/plain"
        headers = {str(key): str(value) for key, value in dict(settings["headers"] or {}).items()}
        return Answer(status=int(settings["status"] or 503), body=text.encode(), kind=kind, headers=headers)
    return None


def date_header(now: datetime, struck: Mapping[str, Settings]) -> str:
    """Return the Date header (RFC 9110), wrong where the service's clock shall be."""
    skew = struck.get("clock_skew", {}).get("seconds", 0)
    return format_datetime(now.replace(microsecond=0) + timedelta(seconds=float(skew)), usegmt=True)


async def send_half(answer: Answer, headers: Mapping[str, str], send: Send) -> None:
    """Promise the whole answer and send half of it; the caller closes the connection."""
    await send(_start(answer, headers))
    half = answer.body[: len(answer.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})


async def send_drops(answer: Answer, headers: Mapping[str, str], settings: Settings, send: Send) -> None:
    """Send the answer whole, a few bytes at a time."""
    await send(_start(answer, headers))
    size, pause = max(1, int(settings["bytes"])), min(_LONGEST_PAUSE, float(settings["pause"]))
    for start in range(0, len(answer.body), size):
        await send({"type": "http.response.body", "body": answer.body[start : start + size], "more_body": True})
        await asyncio.sleep(pause)
    await send({"type": "http.response.body", "body": b""})


def _start(answer: Answer, headers: Mapping[str, str]) -> dict[str, Any]:
    told = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
    told.append((b"content-length", str(len(answer.body)).encode()))
    return {"type": "http.response.start", "status": answer.status, "headers": told}
