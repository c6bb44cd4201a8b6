"""Telling the owners of webhooks that there is news: a signed POST, to addresses on this machine only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ipaddress
import queue
import sqlite3
import threading
from contextlib import suppress
from datetime import datetime
from urllib.parse import urlsplit

import orjson

from sandbox.stamps import Clock, airtable, stamp
from sandbox.store import Doc, Store

_PATIENCE = 5.0  # real seconds for one notification


class Pings:
    """Sends notifications in the background, one after the other; a thread lives only while there are some."""

    def __init__(self, store: Store, space: str, clock: Clock) -> None:
        """Note on each hook of the space how its last notification went."""
        self._store = store
        self._space = space
        self._clock = clock
        self._waiting: queue.SimpleQueue[tuple[str, datetime]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._runs = False

    def send(self, due: list[tuple[str, datetime]]) -> None:
        """Notify these hooks of changes made at these times; returns at once."""
        if not due:
            return
        for entry in due:
            self._waiting.put(entry)
        with self._lock:
            if not self._runs:
                self._runs = True
                threading.Thread(target=self._drain, name="airtable-notifications", daemon=True).start()

    def _drain(self) -> None:
        while True:
            with self._lock:
                if self._waiting.empty():
                    self._runs = False
                    return
            hook, at = self._waiting.get()
            with suppress(sqlite3.ProgrammingError):  # the company was stopped in the meantime
                self._notify(hook, at)

    def _notify(self, id_: str, at: datetime) -> None:
        hook = self._store.get(self._space, "webhook", id_)
        if hook is None or not hook.get("notificationUrl"):
            return
        body = orjson.dumps(
            {"base": {"id": hook["_parent"]}, "webhook": {"id": id_}, "timestamp": airtable(at)},
        )
        begun = self._clock()
        problem = _posted(str(hook["notificationUrl"]), body, signature(str(hook["_secret"]), body))
        ended = self._clock()
        result: Doc = {
            "success": problem is None,
            "completionTimestamp": airtable(ended),
            "durationMs": round((ended - begun).total_seconds() * 1000, 3),
            "retryNumber": 0,
        }
        if problem is not None:
            result |= {"willBeRetried": False, "error": {"message": problem}}
        with self._store.transaction():
            now = self._store.get(self._space, "webhook", id_)
            if now is not None:
                now["lastNotificationResult"] = result
                if problem is None:
                    now["lastSuccessfulNotificationTime"] = airtable(ended)
                self._store.put(self._space, "webhook", [(id_, stamp(ended), now)])


def signature(secret: str, body: bytes) -> str:
    """Return the value of X-Airtable-Content-MAC for a body and a hook's macSecretBase64."""
    return "hmac-sha256=" + hmac.new(base64.b64decode(secret), body, hashlib.sha256).hexdigest()


def _posted(url: str, body: bytes, mac: str) -> str | None:
    """Post a notification; returns what went wrong, None when nothing did."""
    target = urlsplit(url)
    if target.scheme != "http" or not _here(target.hostname or ""):
        return "only addresses on this machine are notified"
    headers = {"Content-Type": "application/json", "X-Airtable-Content-MAC": mac}
    try:
        line = http.client.HTTPConnection(target.hostname or "", target.port or 80, timeout=_PATIENCE)
        try:
            line.request("POST", (target.path or "/") + (f"?{target.query}" if target.query else ""), body, headers)
            status = line.getresponse().status
        finally:
            line.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        return str(error) or type(error).__name__
    return None if status in {200, 204} else f"the receiver answered {status}"


def _here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
