"""A kind of document in a world file: the keys of its full form and of its short form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.world.schema.shapes import ANY, NAME, TIME, Key, Keyed, Problem, Shape

#: Where a document stands in the store, when that is not what its own keys say; no part of the document.
PLACE = (
    Key(name="$id", shape=NAME, text="Id in the store, where it is not the native one"),
    Key(name="$stamp", shape=TIME, text="Place in the order of changes, where it is not the time of last change"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of document.

    ``keys`` are those of the full form, which the store takes as it is; further keys are kept. ``short`` are those
    of the short form; ``more`` says what further keys mean there (nothing: they are refused). ``is_short`` tells
    the forms apart. ``plain`` is what may stand for a whole document in the short form.
    """

    name: str
    text: str
    keys: tuple[Key, ...]
    short: tuple[Key, ...] = ()
    more: str = ""
    more_shape: Shape | None = None
    advice: tuple[tuple[str, str], ...] = ()
    plain: Shape | None = None
    is_short: Callable[[Mapping[str, Any]], bool] = lambda _: False

    @property
    def full_form(self) -> Keyed:
        """The full form as a shape."""
        return Keyed(keys=(*self.keys, *PLACE), more="kept as it is", more_shape=ANY)

    @property
    def short_form(self) -> Keyed | None:
        """The short form as a shape, None where there is none."""
        if not self.short:
            return None
        return Keyed(keys=self.short, more=self.more, more_shape=self.more_shape, advice=self.advice)

    @property
    def schema(self) -> dict[str, Any]:
        """Every form as JSON Schema."""
        forms = [self.full_form.schema]
        if self.short_form is not None:
            forms.append(self.short_form.schema)
        if self.plain is not None:
            forms.append(self.plain.schema)
        told = forms[0] if len(forms) == 1 else {"anyOf": forms}
        return told | {"description": self.text}

    def short_of(self, doc: Any) -> bool:
        """Whether a document is in the short form."""
        if not isinstance(doc, Mapping):
            return self.plain is not None
        return bool(self.short) and self.is_short(doc)

    def problems(self, doc: Any, place: str) -> Iterator[Problem]:
        """Yield what is wrong with a document, by the form it is in."""
        if not isinstance(doc, Mapping) and self.plain is not None:
            yield from self.plain.problems(doc, place)
        elif self.short_form is not None and self.short_of(doc):
            yield from self.short_form.problems(doc, place)
        else:
            yield from self.full_form.problems(doc, place)
