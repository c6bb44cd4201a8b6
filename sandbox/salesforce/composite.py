"""Several requests in one: /composite, whose parts may refer to each other, and /composite/batch."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from sandbox.calls import Answer, Call, RefusedCall, reply
from sandbox.salesforce.errors import body_of, refused
from sandbox.salesforce.org import Org

_MOST = 25
_REFERENCE = re.compile(r"@\{([A-Za-z]\w*)((?:\.\w+|\[\d+\])*)\}")
# some clients escape the braces of a reference like any other part of an address
_ESCAPED = re.compile(r"(?:%40|@)%7B(.+?)%7D", re.IGNORECASE)
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_HALTED = "The transaction was rolled back since another operation in the same transaction failed."
_DROPPED = {"authorization", "content-length", "content-type", "host", "transfer-encoding"}


class _Undo(Exception):
    """A part failed and all or none was asked for."""


class Composite:
    """Answers the parts with the org's own handlers; the whole counts as one request."""

    def __init__(self, org: Org, ask: Callable[[Call], Answer]) -> None:
        """Ask a part with `ask`, which answers one request or raises RefusedCall."""
        self._org = org
        self._ask = ask

    def composite(self, call: Call) -> Answer:
        """POST /composite: up to 25 parts in order, later ones may use @{ref.field} of earlier replies."""
        body = body_of(call)
        parts = _parts(body, "compositeRequest")
        names = [str(part.get("referenceId") or "") for part in parts]
        if not all(names) or len(set(names)) != len(names):
            raise refused(400, "JSON_PARSER_ERROR", "every part needs a referenceId of its own")
        told: list[dict[str, Any]] = []
        if body.get("allOrNone") is not True:
            self._in_order(call, parts, told, halt=False)
            return reply({"compositeResponse": told})
        undone = True
        with suppress(_Undo), self._org.writer.together():
            self._in_order(call, parts, told, halt=True)
            if any(_failed(part) for part in told):
                raise _Undo
            undone = False
        if undone:
            told = [part if _failed(part) else _halted(part["referenceId"], _HALTED) for part in told]
            told += [_halted(name, _HALTED) for name in names[len(told) :]]
        return reply({"compositeResponse": told})

    def batch(self, call: Call) -> Answer:
        """POST /composite/batch: up to 25 parts that know nothing of each other."""
        body = body_of(call)
        results: list[dict[str, Any]] = []
        for part in _parts(body, "batchRequests"):
            if body.get("haltOnError") is True and any(result["statusCode"] >= 400 for result in results):
                error = [{"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted"}]
                results.append({"statusCode": 412, "result": error})
                continue
            url = "/services/data/" + str(part.get("url") or "").lstrip("/").removeprefix("services/data/")
            answer = self._answer(call, str(part.get("method") or "GET"), url, part.get("richInput"), {})
            results.append({"statusCode": answer.status, "result": _decoded(answer)})
        return reply({"hasErrors": any(result["statusCode"] >= 400 for result in results), "results": results})

    def _in_order(self, call: Call, parts: list[Mapping[str, Any]], told: list[dict[str, Any]], *, halt: bool) -> None:
        known: dict[str, Any] = {}
        for part in parts:
            name = str(part["referenceId"])
            try:
                url = _filled(_ESCAPED.sub(_bare, str(part.get("url") or "")), known)
                sent = _filled_in(part.get("body"), known)
            except LookupError as error:
                told.append(_halted(name, str(error.args[0])))
                if halt:
                    return
                continue
            headers = part.get("httpHeaders")
            answer = self._answer(
                call, str(part.get("method") or "GET"), url, sent, headers if isinstance(headers, Mapping) else {}
            )
            told.append(
                {
                    "body": _decoded(answer),
                    "httpHeaders": dict(answer.headers),
                    "httpStatusCode": answer.status,
                    "referenceId": name,
                }
            )
            if answer.status < 400:
                known[name] = told[-1]["body"]
            elif halt:
                return

    def _answer(self, call: Call, method: str, url: str, body: Any, headers: Mapping[str, Any]) -> Answer:
        split = urlsplit(url)
        own = {str(key).lower(): str(value) for key, value in headers.items()}
        kept = {key: value for key, value in call.headers.items() if key == "authorization"}
        part = Call(
            method=method.upper(),
            path=split.path,
            query=tuple(parse_qsl(split.query, keep_blank_values=True)),
            headers={**{key: value for key, value in own.items() if key not in _DROPPED}, **kept},
            body=b"" if body is None else orjson.dumps(body),
            faults=call.faults,
        )
        if not part.path.startswith("/services/data/v"):
            return reply([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}], 404)
        if re.search(r"/composite(/batch)?/?$", part.path):
            return reply([{"errorCode": "INVALID_REQUEST", "message": "a composite cannot hold a composite"}], 400)
        try:
            return self._ask(part)
        except RefusedCall as error:
            return error.answer


def _parts(body: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    parts = body.get(key)
    if not isinstance(parts, list) or not parts or not all(isinstance(part, Mapping) for part in parts):
        raise refused(400, "JSON_PARSER_ERROR", f"{key} must be a list of requests")
    if len(parts) > _MOST:
        text = f"A maximum of {_MOST} requests may be in one composite"
        raise refused(400, "LIMIT_EXCEEDED", text)
    return parts


def _filled_in(value: Any, known: Mapping[str, Any]) -> Any:
    """Replace the references inside a body, wherever they stand in it."""
    if isinstance(value, str):
        return _filled(value, known)
    if isinstance(value, list):
        return [_filled_in(one, known) for one in value]
    if isinstance(value, dict):
        return {key: _filled_in(one, known) for key, one in value.items()}
    return value


def _filled(text: str, known: Mapping[str, Any]) -> str:
    def found(match: re.Match[str]) -> str:
        if match[1] not in known:
            raise LookupError(f"Invalid reference specified. No value for {match[1]}{match[2]} found")
        at = known[match[1]]
        for name, place in _STEP.findall(match[2]):
            try:
                at = at[int(place)] if place else at[name]
            except (KeyError, IndexError, TypeError) as error:
                text_ = f"Invalid reference specified. No value for {match[1]}{match[2]} found in {match[1]}"
                raise LookupError(text_) from error
        return str(at)

    return _REFERENCE.sub(found, text)


def _bare(match: re.Match[str]) -> str:
    return f"@{{{unquote(match[1])}}}"


def _failed(part: Mapping[str, Any]) -> bool:
    """Whether a part failed; a collection fails with any of its rows."""
    if part["httpStatusCode"] >= 400:
        return True
    rows = part["body"] if isinstance(part["body"], list) else []
    return any(isinstance(row, Mapping) and row.get("success") is False for row in rows)


def _halted(name: str, text: str) -> dict[str, Any]:
    error = [{"errorCode": "PROCESSING_HALTED", "message": text}]
    return {"body": error, "httpHeaders": {}, "httpStatusCode": 400, "referenceId": name}


def _decoded(answer: Answer) -> Any:
    return orjson.loads(answer.body) if answer.body else None
