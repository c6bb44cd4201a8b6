"""Whether a reply is one that Atlassian's published description of Jira Cloud allows."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import pytest
import requests

PROJECT = Path(__file__).parent.parent.parent
NAME = "shared/data/jira_openapi/swagger-v3.v3.json.gz"
# Where the document's own examples contradict its schemas, the examples are right: (schema, property) -> also allowed.
_EXAMPLES_KNOW_BETTER: dict[tuple[str, str], dict[str, Any]] = {
    ("ChangeDetails", "from"): {"type": "null"},
    ("ChangeDetails", "fromString"): {"type": "null"},
    ("ChangeDetails", "to"): {"type": "null"},
    ("ChangeDetails", "toString"): {"type": "null"},
    ("Changelog", "created"): {"type": "integer"},  # of changelog/bulkfetch
}


class NotDescribed(LookupError):
    """The document has no such operation."""


def document() -> Path:
    """Path of the description; without it the test is skipped, or fails where everything is required."""
    found = _found()
    if found is not None:
        return found
    message = f"the description of Jira's interface ({NAME}) is not beside the checkout"
    if os.environ.get("HUB_REQUIRE_ALL") == "1":
        pytest.fail(message)
    pytest.skip(message)


def _found() -> Path | None:
    return next((room / NAME for room in (PROJECT, *PROJECT.parents) if (room / NAME).exists()), None)


def objections(method: str, path: str, answer: requests.Response) -> list[str]:
    """What the document has against a received reply; nothing where it is missing or does not describe the path."""
    if _found() is None or not described(method, path):
        return []
    told = answer.json() if answer.content and "json" in answer.headers.get("content-type", "") else None
    return problems(method, path, answer.status_code, told)


def problems(method: str, url: str, status: int, body: Any) -> list[str]:
    """What the document has against a reply (decoded JSON; None: no body); empty when it is allowed.

    Versions 2 and latest are held against version 3, which the document describes. Raises NotDescribed for a
    path or method it does not know; statuses it does not list are let through.
    """
    template = _template(method, urlsplit(url).path)
    answer = _paths()[template][method.lower()]["responses"].get(str(status))
    if answer is None:
        return []
    schema = (answer.get("content") or {}).get("application/json", {}).get("schema")
    if status == 401 and body is None:
        return []  # plain text, as seen live
    if schema is None:
        # the document promises nothing; an error still has the service's one error form
        return [] if body is None or status < 400 else _against("#/components/schemas/ErrorCollection", body)
    if not schema and body is not None:
        return []
    return _validated(json.dumps(schema, sort_keys=True), body)


def described(method: str, path: str) -> bool:
    """Whether the document describes an operation."""
    try:
        _template(method, path)
    except NotDescribed:
        return False
    return True


def _template(method: str, path: str) -> str:
    asked = re.sub(r"^/rest/api/(2|latest)/", "/rest/api/3/", path).rstrip("/")
    fitting = [name for name, pattern in _patterns() if pattern.fullmatch(asked) and method.lower() in _paths()[name]]
    if not fitting:
        raise NotDescribed(f"{method} {path}")
    return min(fitting, key=lambda name: name.count("{"))  # search/jql before {something}


def _against(reference: str, body: Any) -> list[str]:
    if isinstance(body, dict) and "warningMessages" in body:
        body = {key: value for key, value in body.items() if key != "warningMessages"}  # of queries: seen live
    return _validated(json.dumps({"$ref": reference}), body)


def _validated(schema: str, body: Any) -> list[str]:
    return [
        f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in _validator(schema).iter_errors(body)
    ]


@cache
def _spec() -> dict[str, Any]:
    with gzip.open(document(), "rt", encoding="utf-8") as file:
        spec: dict[str, Any] = json.load(file)
    for (name, field), also in _EXAMPLES_KNOW_BETTER.items():
        properties = spec["components"]["schemas"][name]["properties"]
        properties[field] = {"anyOf": [properties[field], also]}
    return spec


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = _spec()["paths"]
    return paths


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    return [(name, re.compile(re.sub(r"\{\w+\}", "[^/]+", name))) for name in _paths()]


@cache
def _validator(schema: str) -> Any:
    """A validator of one schema with all it refers to."""
    root = json.loads(schema)
    needed: dict[str, Any] = {}
    waiting = list(_references(root))
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = _spec()["components"]["schemas"][name]
            waiting += _references(needed[name])
    whole = {"allOf": [_plain(root)], "components": {"schemas": {name: _plain(one) for name, one in needed.items()}}}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True, formats={"date-time": _is_time})


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].rpartition("/")[2]
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _plain(schema: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: `nullable` becomes a type, words of its own go."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    told = {key: _plain(value) for key, value in schema.items() if key not in {"nullable", "example", "xml"}}
    if "anyOf" in schema and not schema.get("properties"):
        told.pop("additionalProperties", None)  # "one of these" and "no key at all" cannot both be meant
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        told["type"] = [schema["type"], "null"]
    return told


def _is_time(text: str) -> bool:
    """Jira's own form, which has no colon in the offset, counts as a time; so do the usual ones."""
    return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)", text) is not None
