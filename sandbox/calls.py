"""One HTTP exchange as values: a tool server is a function from a Call to an Answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request as received: header names in lower case, query pairs in order, the whole body.

    `path` is as it was sent, percent-encoded; what a route finds in it (`at`) is decoded.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    at: Mapping[str, str] = field(default_factory=dict)  # what the route found in the path
    faults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # those that strike: name -> settings

    def one(self, name: str, default: str = "") -> str:
        """Return the last value of a query parameter."""
        return next((value for key, value in reversed(self.query) if key == name), default)

    def every(self, name: str) -> list[str]:
        """Return all values of a query parameter, repeated ones in order."""
        return [value for key, value in self.query if key == name]

    def json(self) -> Any:
        """Return the decoded JSON body; raises orjson.JSONDecodeError when it is not JSON."""
        return orjson.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply ready to be sent."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json;charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)

    def plus(self, headers: Mapping[str, str]) -> Answer:
        """Return the same answer with further headers."""
        return replace(self, headers={**self.headers, **headers})


def reply(value: Any, status: int = 200) -> Answer:
    """Answer with JSON."""
    return Answer(status=status, body=orjson.dumps(value))


class RefusedCall(Exception):
    """A request the tool turns down; carries the tool's own reply."""

    def __init__(self, answer: Answer) -> None:
        """Keep the reply to send."""
        super().__init__(answer.status)
        self.answer = answer


Handler = Callable[[Call], Answer]
Tool = Callable[[Call], Answer]


class Routes:
    """A table of (method, path pattern, handler); patterns match the whole path without a trailing slash."""

    def __init__(self, table: Sequence[tuple[str, str, Handler]]) -> None:
        """Compile the patterns; `{name}` in a pattern stands for one path segment."""
        self._table = [(method, re.compile(_pattern(path)), handler) for method, path, handler in table]

    def find(self, call: Call) -> tuple[Handler, Call] | list[str]:
        """Return the handler and the call with its path values, or the methods this path does allow."""
        path = call.path.rstrip("/") or "/"
        allowed: list[str] = []
        for method, pattern, handler in self._table:
            match = pattern.fullmatch(path)
            if match is None:
                continue
            if method == call.method:
                values = {name: unquote(value) for name, value in match.groupdict().items() if value is not None}
                return handler, replace(call, at=values)
            allowed.append(method)
        return allowed


def _pattern(path: str) -> str:
    return re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
