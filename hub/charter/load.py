"""Read a charter (or any strict YAML model) and say everything that is wrong, with file and line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from hub.charter.model import Charter, UnknownNames
from hub.errors import ConfigurationError

Model = TypeVar("Model", bound=BaseModel)


def load_charter(path: Path) -> Charter:
    """The charter in `path`.

    Raises ConfigurationError whose `problems` list every fault as `file:line: what (hint)`.
    """
    return load_model(path, Charter, what="charter")


def load_model(path: Path, model: type[Model], *, what: str) -> Model:
    """A YAML file as a validated, frozen model; raises ConfigurationError listing all problems."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"{what} {path} cannot be read: {error.strerror}",
            hint=f"create it, or point to it in {path.parent}",
        ) from None
    try:
        tree = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        problem = f"{path}:{line}: {error.problem or 'not readable as YAML'}"
        raise ConfigurationError(
            f"{what} is not valid YAML: {problem}", hint="mind indentation and colons", problems=(problem,)
        ) from None
    if not isinstance(tree, CommentedMap):
        raise ConfigurationError(f"{what} {path} is empty or not a mapping", hint="see docs/charter.md")
    try:
        return model.model_validate(_plain(tree))
    except ValidationError as error:
        problems = tuple(
            problem for e in error.errors(include_url=False) for problem in _describe(path, tree, model, dict(e))
        )
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ConfigurationError(
            f"{what}: {problems[0]}{more}", hint="`hub check` lists every problem", problems=problems
        ) from None


def _plain(node: Any) -> Any:
    if isinstance(node, CommentedMap):
        return {str(k) if not isinstance(k, str) else k: _plain(v) for k, v in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(v) for v in node]
    return node


def _describe(path: Path, tree: CommentedMap, model: type[BaseModel], error: dict[str, Any]) -> list[str]:
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, UnknownNames):
        return [f"{path}:{_line(tree, where.split('.'))}: {where}: {what}" for where, what in cause.problems]
    location = [part for part in error["loc"] if not _is_union_tag(part)]
    line = _line(tree, location)
    where = ".".join(str(part) for part in location) or "charter"
    if error["type"] == "extra_forbidden":
        key = str(location[-1])
        near = difflib.get_close_matches(key, _known_keys(model, location[:-1]), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return [f"{path}:{line}: unknown key {where!r}{hint}"]
    return [f"{path}:{line}: {where}: {error['msg'].removeprefix('Value error, ')}"]


def _is_union_tag(part: object) -> bool:
    return part in {"salesforce", "jira", "airtable", "mail", "rest"}


def _line(tree: Any, location: Iterable[Any]) -> int:
    """1-based line of the deepest part of `location` that is in the file."""
    line, node = 1, tree
    for part in location:
        if isinstance(node, CommentedMap) and part in node:
            line = node.lc.key(part)[0] + 1
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            line = node.lc.item(part)[0] + 1
        else:
            break
        node = node[part]
    return line


def _known_keys(model: type[BaseModel], location: list[Any]) -> list[str]:
    """Names allowed at a place, for suggestions: every key of every model below the root."""
    if not location:
        return [f.alias or name for name, f in model.model_fields.items()]
    names: set[str] = set()
    stack: list[Any] = [model]
    seen: set[Any] = set()
    while stack:
        current = stack.pop()
        if current in seen:
            continue
        seen.add(current)
        if isinstance(current, type) and issubclass(current, BaseModel):
            for name, field in current.model_fields.items():
                names.add(field.alias or name)
                stack.extend(_parts(field.annotation))
    return sorted(names)


def _parts(annotation: Any) -> list[Any]:
    arguments = getattr(annotation, "__args__", ())
    found = [annotation] if isinstance(annotation, type) and not arguments else []
    for argument in arguments:
        found.extend(_parts(argument))
    return found
