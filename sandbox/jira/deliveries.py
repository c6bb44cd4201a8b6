"""Posts that leave in the background, so that nobody who edits an issue waits for an app."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import queue
import threading
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

_TRIES = 5
_PAUSE = timedelta(minutes=5)  # on the company's clock
_PATIENCE = 5.0  # real seconds
_AGAIN = frozenset({408, 409, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One body for one address, signed; `due` is when it may leave."""

    id: str
    url: str
    body: bytes
    app: str
    secret: str
    due: datetime
    tries: int = 0


class Deliveries:
    """A background sender; what fails is tried again, five times in all, as the company's clock moves on."""

    def __init__(self) -> None:
        """Start nothing until there is something to send."""
        self._waiting: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._later: list[Delivery] = []
        self._failed: list[Delivery] = []
        self._sender: threading.Thread | None = None

    def send(self, url: str, body: bytes, *, app: str, secret: str, now: datetime) -> None:
        """Send a body soon. With a secret it carries `X-Hub-Signature`."""
        self._queue(Delivery(id=str(uuid.uuid4()), url=url, body=body, app=app, secret=secret, due=now))

    def send_due(self, now: datetime) -> None:
        """Send again what failed long enough ago."""
        with self._lock:
            due = [delivery for delivery in self._later if delivery.due <= now]
            self._later = [delivery for delivery in self._later if delivery.due > now]
        for delivery in due:
            self._queue(delivery)

    def given_up(self) -> list[Delivery]:
        """Return, once, what failed for good."""
        with self._lock:
            failed, self._failed = self._failed, []
        return failed

    def _queue(self, delivery: Delivery) -> None:
        if self._sender is None:
            self._sender = threading.Thread(target=self._run, name="webhooks", daemon=True)
            self._sender.start()
        self._waiting.put(delivery)

    def _run(self) -> None:
        while True:
            delivery = self._waiting.get()
            again = _post(delivery)
            if again is None:
                continue
            tried = replace(delivery, tries=delivery.tries + 1, due=delivery.due + _PAUSE * (delivery.tries + 1))
            with self._lock:
                (self._later if again and tried.tries < _TRIES else self._failed).append(tried)


def _post(delivery: Delivery) -> bool | None:
    """Return None when it arrived, otherwise whether another try makes sense."""
    target = urlsplit(delivery.url)
    headers = {
        "Content-Type": "application/json; charset=UTF-8",
        "User-Agent": "Atlassian HttpClient",
        "X-Atlassian-Webhook-Identifier": delivery.id,
        "X-Atlassian-Webhook-Retry": str(delivery.tries),
    }
    if delivery.secret:
        digest = hmac.new(delivery.secret.encode(), delivery.body, hashlib.sha256).hexdigest()
        headers["X-Hub-Signature"] = f"sha256={digest}"
    path = f"{target.path or '/'}?{target.query}" if target.query else target.path or "/"
    line = http.client.HTTPConnection(target.hostname or "127.0.0.1", target.port or 80, timeout=_PATIENCE)
    try:
        line.request("POST", path, delivery.body, headers)
        status = line.getresponse().status
    except (OSError, http.client.HTTPException, ValueError):
        return True
    finally:
        line.close()
    if status < 300:
        return None
    return status in _AGAIN or status >= 500
