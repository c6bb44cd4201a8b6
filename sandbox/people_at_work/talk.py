"""Asking a tool over HTTP as a person in front of a screen does: what does not answer is tried once more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests

_PATIENCE = 10  # real seconds
_EXCERPT = 300
_TO_LOOK = 6  # tries when everything is read at the beginning; somebody waits until the page is there


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back. ``status`` 0: nothing that could be read; ``tries`` made until then."""

    status: int
    body: Any = None
    text: str = ""
    tries: int = 1

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300

    @property
    def unclear(self) -> bool:
        """Whether trying again may help, and nobody knows whether it was done."""
        return self.status in {0, 429} or self.status >= 500


class Unreachable(RuntimeError):
    """A tool does not let itself be read; the text says what it answered."""


class Line:
    """The way to one instance."""

    def __init__(self, address: str) -> None:
        """Speak with the instance at an address."""
        self._address = address
        self._session = requests.Session()
        self._session.trust_env = False  # the company is on this machine: no proxy stands between

    def close(self) -> None:
        """Hang up."""
        self._session.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        auth: Mapping[str, str],
        json: Any = None,
        data: bytes | None = None,
        query: Mapping[str, Any] | None = None,
        tries: int = 2,
        done: Callable[[], Reply | None] | None = None,
    ) -> Reply:
        """Ask, and once more when the answer is lost, late or the server's own fault.

        ``done`` looks, before another try, whether the first one worked after all.
        """
        for number in range(1, tries + 1):
            reply = self._once(method, path, auth=auth, json=json, data=data, query=query, number=number)
            if not reply.unclear or number == tries:
                return reply
            found = done() if done is not None else None
            if found is not None:
                return found
        raise AssertionError("nobody asks without a try")

    def look(self, method: str, path: str, *, auth: Mapping[str, str], json: Any = None, query: Any = None) -> Any:
        """Read something that must be there. Raises Unreachable."""
        reply = self.ask(method, path, auth=auth, json=json, query=query, tries=_TO_LOOK)
        if not reply.ok:
            raise Unreachable(f"{method} {path}: {reply.status or 'no answer'} {reply.text}".strip())
        return reply.body

    def _once(
        self, method: str, path: str, *, auth: Mapping[str, str], json: Any, data: bytes | None, query: Any, number: int
    ) -> Reply:
        url = path if path.startswith("http") else self._address + path
        try:
            answer = self._session.request(
                method, url, headers=dict(auth), json=json, data=data, params=query, timeout=_PATIENCE
            )
        except requests.RequestException as error:
            return Reply(status=0, text=type(error).__name__, tries=number)
        text = " ".join(answer.text.split())[:_EXCERPT]
        if not answer.content or "json" not in answer.headers.get("content-type", ""):
            readable = not answer.content or "xml" in answer.headers.get("content-type", "")
            status = answer.status_code if readable or answer.status_code >= 400 else 0
            return Reply(status=status, body=answer.text, text=text, tries=number)
        try:
            body = answer.json()
        except ValueError:
            return Reply(status=0, text=text, tries=number)
        return Reply(status=answer.status_code, body=body, text=text, tries=number)
