"""World files as text: JSON or YAML, by suffix."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import orjson
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode

# by space and kind: the documents, or the text of a key that is no kind
Spaces = Iterable[tuple[str, Iterable[tuple[str, Iterable[Any]]]]]
_YAML = (".yaml", ".yml")


class UnreadableText(ValueError):
    """A file that is neither JSON nor YAML; the message says where it stops making sense."""


class _Plain(SafeConstructor):
    """Leaves days and times as they are written: tools have forms of their own for them."""

    def construct_yaml_timestamp(self, node: ScalarNode, values: Any = None) -> Any:
        return self.construct_scalar(node)


_Plain.add_constructor("tag:yaml.org,2002:timestamp", _Plain.construct_yaml_timestamp)


def load(path: Path) -> Any:
    """Read a file, YAML where its name ends in .yaml or .yml, else JSON. Raises OSError and UnreadableText."""
    raw = path.read_bytes()
    if path.suffix.lower() not in _YAML:
        try:
            return orjson.loads(raw)
        except ValueError as error:
            raise UnreadableText(f"not JSON: {error}") from error
    yaml = YAML(typ="safe")
    yaml.Constructor = _Plain
    try:
        told = yaml.load(raw.decode("utf-8"))
        orjson.dumps(told)  # dates, sets, infinite numbers and keys that are no text exist in YAML only
    except (YAMLError, UnicodeDecodeError, TypeError, ValueError, RecursionError) as error:
        raise UnreadableText(f"not YAML that could be JSON too: {' '.join(str(error).split())}") from error
    return told


def dump(path: Path, head: dict[str, Any], spaces: Spaces) -> None:
    """Write a file in the form its name asks for, document by document: it never is in memory as a whole."""
    with path.open("wb") as file:
        if path.suffix.lower() in _YAML:
            _dump_yaml(file, head, spaces)
        else:
            _dump_json(file, head, spaces)


def _dump_json(file: IO[bytes], head: dict[str, Any], spaces: Spaces) -> None:
    file.write(b"{")
    for key, value in head.items():
        file.write(orjson.dumps(key) + b":" + orjson.dumps(value) + b",\n")
    file.write(b'"spaces":{')
    for n, (space, kinds) in enumerate(spaces):
        file.write((b",\n" if n else b"\n") + orjson.dumps(space) + b":{")
        for m, (kind, docs) in enumerate(kinds):
            file.write((b",\n" if m else b"\n") + orjson.dumps(kind) + b":")
            if isinstance(docs, str):
                file.write(orjson.dumps(docs))
                continue
            file.write(b"[")
            for place, doc in enumerate(docs):
                file.write((b",\n" if place else b"\n") + orjson.dumps(doc))
            file.write(b"]")
        file.write(b"}")
    file.write(b"}}\n")


def _dump_yaml(file: IO[bytes], head: dict[str, Any], spaces: Spaces) -> None:
    for key, value in head.items():
        file.write(f"{_scalar(key)}:{_block(value, 1)}\n".encode())
    file.write(b"spaces:")
    some = False
    for space, kinds in spaces:
        file.write(f"\n  {_scalar(space)}:".encode())
        some = filled = True
        for kind, docs in kinds:
            file.write(f"\n    {_scalar(kind)}:".encode())
            filled = False
            if isinstance(docs, str):
                file.write(f" {_scalar(docs)}".encode())
                continue
            empty = True
            for doc in docs:
                empty = False
                file.write(f"\n    -{_block(doc, 3)}".encode())
            if empty:
                file.write(b" []")
        if filled:
            file.write(b" {}")
    file.write(b"\n" if some else b" {}\n")


def _block(value: Any, depth: int) -> str:
    """Give a value in YAML's block form, to be written behind a colon or dash."""
    indent = "\n" + "  " * depth
    if isinstance(value, dict) and value:
        return "".join(f"{indent}{_scalar(str(key))}:{_block(one, depth + 1)}" for key, one in value.items())
    if isinstance(value, list) and value:
        return "".join(f"{indent}-{_block(one, depth + 1)}" for one in value)
    return f" {_scalar(value)}"


def _scalar(value: Any) -> str:
    """Give a scalar: text as JSON has it, which YAML can read once what cannot be printed is escaped."""
    if not isinstance(value, str):
        return orjson.dumps(value).decode()
    if value.isascii() and value.isidentifier() and value.lower() not in _TAKEN:
        return value
    quoted = orjson.dumps(value).decode()
    return quoted if quoted.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in quoted)


def _escaped(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


_TAKEN = {"null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf", "_"}
