"""One served operation as a value, the schemas its parameters are written with, and the document made of many."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
ANYTHING: Schema = {}
INSTANT: Schema = {"type": "string", "format": "date-time"}

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def one_of(*words: str) -> Schema:
    """Return the schema of a text that is one of these words."""
    return {"type": "string", "enum": list(words)}


def like(pattern: str) -> Schema:
    """Return the schema of a text of this pattern."""
    return {"type": "string", "pattern": pattern}


def many(of: Schema, most: int | None = None) -> Schema:
    """Return the schema of a list."""
    told = {"type": "array", "items": dict(of)}
    return told if most is None else {**told, "maxItems": most}


def made_of(*required: str, **properties: Schema) -> Schema:
    """Return the schema of an object with these properties; the named ones must be there."""
    told: dict[str, Any] = {"type": "object", "properties": {name: dict(of) for name, of in properties.items()}}
    return {**told, "required": list(required)} if required else told


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What one method of one path takes and gives; `sample` is a body that is understood."""

    method: str
    path: str
    says: str
    query: Mapping[str, Schema] = field(default_factory=dict)
    headers: Mapping[str, Schema] = field(default_factory=dict)
    body: Schema | None = None
    body_kind: str = JSON
    sample: Any = None
    statuses: tuple[int, ...] = (200,)
    kind: str = JSON
    signed: bool = True


def operation(method: str, path: str, says: str, **rest: Any) -> Operation:
    """Return an operation; the rest are its other values by name."""
    return Operation(method=method, path=path, says=says, **rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One described service: its operations, what stands in its paths, and the form of its errors."""

    name: str
    title: str
    says: str
    error: Schema
    path_values: Mapping[str, Schema]
    operations: tuple[Operation, ...]

    def document(self) -> dict[str, Any]:
        """Return the OpenAPI 3.0 document."""
        paths: dict[str, dict[str, Any]] = {}
        for one in self.operations:
            paths.setdefault(one.path, {})[one.method.lower()] = self._told(one)
        return {
            "openapi": "3.0.3",
            "info": {"title": self.title, "description": self.says, "version": "1"},
            "paths": paths,
            "components": {
                "schemas": {"Error": dict(self.error)},
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            },
        }

    def _told(self, one: Operation) -> dict[str, Any]:
        parameters = [
            {"name": name, "in": "path", "required": True, "schema": dict(self.path_values.get(name, TEXT))}
            for name in re.findall(r"\{(\w+)\}", one.path)
        ]
        for where, named in (("query", one.query), ("header", one.headers)):
            parameters += [{"name": name, "in": where, "schema": dict(of)} for name, of in named.items()]
        answers: dict[str, Any] = {
            str(status): {"description": "done"}
            if status in {204, 304}
            else {"description": "done", "content": {one.kind: {"schema": {}}}}
            for status in one.statuses
        }
        answers["default"] = {
            "description": "refused, in the service's own form",
            "content": {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
        told: dict[str, Any] = {
            "operationId": f"{one.method} {one.path}",
            "summary": one.says,
            "parameters": parameters,
            "responses": answers,
            "security": [{"token": []}] if one.signed else [],
        }
        if one.body is not None:
            content: dict[str, Any] = {"schema": dict(one.body)}
            if one.sample is not None:
                content["example"] = one.sample
            told["requestBody"] = {"required": True, "content": {one.body_kind: content}}
        return told


def surface(operations: Sequence[Operation]) -> set[tuple[str, str]]:
    """Return the (method, path template) pairs; the names in the templates are left out, so that they compare."""
    return {(one.method, nameless(one.path)) for one in operations}


def nameless(path: str) -> str:
    """Return a path template with `{}` for every value in it."""
    return re.sub(r"\{\w+\}", "{}", path)
