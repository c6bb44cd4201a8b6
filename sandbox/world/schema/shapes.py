"""What a value in a world file may be: each shape checks values, prints itself as JSON Schema and for the manual."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Protocol

from sandbox.stamps import parsed

_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong in a world file: where (``spaces.acme_jira.issue[3].status``), what, and what helps."""

    place: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        """Give one line for people."""
        return f"{self.place}: {self.what}" + (f" ({self.hint})" if self.hint else "")


class Shape(Protocol):
    """A set of allowed values."""

    @property
    def words(self) -> str:
        """The shape in words, for manual and messages."""

    @property
    def schema(self) -> dict[str, Any]:
        """The shape as JSON Schema (draft 2020-12)."""

    def problems(self, value: Any, place: str) -> Iterator[Problem]:
        """Yield everything that is wrong with a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """A value that is looked at as a whole."""

    words: str
    schema: dict[str, Any]
    fits: Callable[[Any], bool]
    hint: str = ""

    def problems(self, value: Any, place: str) -> Iterator[Problem]:
        """Yield what is wrong with a value."""
        if not self.fits(value):
            yield Problem(place=place, what=f"expected {self.words}, found {shown(value)}", hint=self.hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """A list of values of one shape."""

    item: Shape

    @property
    def words(self) -> str:
        """The shape in words."""
        return f"list: {self.item.words}"

    @property
    def schema(self) -> dict[str, Any]:
        """The shape as JSON Schema."""
        return {"type": "array", "items": self.item.schema}

    def problems(self, value: Any, place: str) -> Iterator[Problem]:
        """Yield what is wrong with the list and everything in it."""
        if not isinstance(value, list):
            yield Problem(place=place, what=f"expected a list, found {shown(value)}", hint="begin each entry with '-'")
            return
        for number, item in enumerate(value):
            yield from self.item.problems(item, f"{place}[{number}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key of a document: its name, what it may hold, whether it must be there, and a sentence for the manual."""

    name: str
    shape: Shape
    text: str
    needed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """A document with known keys; ``more`` says what any other key means, nothing when others are refused."""

    keys: tuple[Key, ...]
    more: str = ""
    more_shape: Shape | None = None
    advice: tuple[tuple[str, str], ...] = ()  # hints for keys that people expect and that are refused

    @property
    def words(self) -> str:
        """The shape in words."""
        names = ", ".join(f"`{key.name}`" for key in self.keys)
        return f"{{{names}, …}}" if self.more else f"{{{names}}}"

    @property
    def schema(self) -> dict[str, Any]:
        """The shape as JSON Schema."""
        told: dict[str, Any] = {
            "type": "object",
            "properties": {key.name: key.shape.schema | {"description": key.text} for key in self.keys},
            "required": [key.name for key in self.keys if key.needed],
        }
        if self.more_shape is not None:
            told["additionalProperties"] = self.more_shape.schema
        elif not self.more:
            told["additionalProperties"] = False
        return told

    def problems(self, value: Any, place: str) -> Iterator[Problem]:
        """Yield what is wrong with the document and everything in it."""
        if not isinstance(value, Mapping):
            yield Problem(place=place, what=f"expected a document with keys, found {shown(value)}")
            return
        for key in self.keys:
            if key.name in value:
                yield from key.shape.problems(value[key.name], f"{place}.{key.name}")
            elif key.needed:
                yield Problem(
                    place=place, what=f"no {key.name}", hint=f"{key.name} is {key.text[0].lower()}{key.text[1:]}"
                )
        known = {key.name for key in self.keys}
        for name in value:
            if name in known:
                continue
            if self.more_shape is not None:
                yield from self.more_shape.problems(value[name], f"{place}.{name}")
            elif not self.more:
                yield Problem(place=f"{place}.{name}", what="unknown key", hint=self._advice(str(name)))

    def _advice(self, name: str) -> str:
        return dict(self.advice).get(name) or did_you_mean(name, sorted(key.name for key in self.keys))


@dataclass(frozen=True, slots=True, kw_only=True)
class Either:
    """One of several shapes; the first that fits in type is the one whose problems are told."""

    shapes: tuple[Shape, ...]

    @property
    def words(self) -> str:
        """The shapes in words."""
        return " or ".join(shape.words for shape in self.shapes)

    @property
    def schema(self) -> dict[str, Any]:
        """The shapes as JSON Schema."""
        return {"anyOf": [shape.schema for shape in self.shapes]}

    def problems(self, value: Any, place: str) -> Iterator[Problem]:
        """Yield what is wrong when no shape fits."""
        nearest: list[Problem] | None = None
        for shape in self.shapes:
            found = list(shape.problems(value, place))
            if not found:
                return
            if any(problem.place != place for problem in found) or isinstance(value, Mapping):
                nearest = nearest or found
        if nearest:
            yield from nearest
        else:
            yield Problem(place=place, what=f"expected {self.words}, found {shown(value)}")


def choice(*names: str) -> Plain:
    """Give the shape of one of a few words."""
    return Plain(
        words=" \\| ".join(f"`{name}`" for name in names),
        schema={"enum": list(names)},
        fits=lambda value: isinstance(value, str) and value in names,
        hint=f"one of: {', '.join(names)}",
    )


def maybe(shape: Shape) -> Either:
    """Give the shape of a value that may be null."""
    return Either(shapes=(shape, NOTHING))


def _is_time(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(value) >= len("2026-01-01") and parsed(value) is not None
    except (ValueError, OverflowError):
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_DATE = r"^\d{4}-\d{2}-\d{2}"
ANY = Plain(words="any value", schema={}, fits=lambda _: True)
NOTHING = Plain(words="null", schema={"type": "null"}, fits=lambda value: value is None)
TEXT = Plain(
    words="text", schema={"type": "string"}, fits=lambda value: isinstance(value, str), hint="put it in quotes"
)
NAME = Plain(
    words="text, not empty",
    schema={"type": "string", "minLength": 1},
    fits=lambda value: isinstance(value, str) and bool(value),
    hint="put it in quotes",
)
FLAG = Plain(words="true or false", schema={"type": "boolean"}, fits=lambda value: isinstance(value, bool))
NUMBER = Plain(words="a number", schema={"type": "number"}, fits=_is_number)
WHOLE = Plain(
    words="a whole number",
    schema={"type": "integer"},
    fits=lambda value: isinstance(value, int) and not isinstance(value, bool),
)
TIME = Plain(
    words="a time",
    schema={"type": "string", "pattern": _DATE},
    fits=_is_time,
    hint="write 2026-01-31T09:30:00Z; without an offset it is read as UTC",
)
THING = Plain(words="a document with keys", schema={"type": "object"}, fits=lambda value: isinstance(value, Mapping))
TEXTS = ListOf(item=TEXT)


def change_of(shape: Shape) -> Plain:
    """Give the shape of a change in a history: the value before and the value after."""
    return Plain(
        words="[before, after]",
        schema={"type": "array", "minItems": 2, "maxItems": 2, "items": shape.schema},
        fits=lambda value: isinstance(value, list) and len(value) == 2,
        hint="write [before, after]",
    )


def shown(value: Any) -> str:
    """Give a value as messages tell it."""
    kinds: Sequence[tuple[type | tuple[type, ...], str]] = (
        (bool, "the truth value"), (str, "the text"), ((int, float), "the number"),
    )  # fmt: skip
    if value is None:
        return "nothing"
    for kind, word in kinds:
        if isinstance(value, kind):
            text = repr(value) if len(repr(value)) <= _SHOWN else repr(value)[:_SHOWN] + "…"
            return f"{word} {text}"
    return "a list" if isinstance(value, list) else "a document with keys"


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Give the hint for a name nobody knows."""
    near = get_close_matches(name, known, n=1)
    if near:
        return f"did you mean {near[0]}?"
    listed = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return f"there are: {listed}" if known else ""
