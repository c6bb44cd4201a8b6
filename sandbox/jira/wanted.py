"""Which fields of an issue a caller asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which fields of an issue are to be printed, and what to expand."""

    fields: frozenset[str]
    without: frozenset[str]
    everything: bool
    expand: frozenset[str]
    properties: tuple[str, ...] = ()

    def field(self, name: str) -> bool:
        """Whether this field is to be printed."""
        return name not in self.without and (self.everything or name in self.fields)

    @property
    def changelog(self) -> bool:
        """Whether the changelog is to be printed."""
        return "changelog" in self.expand

    @property
    def only_id(self) -> bool:
        """Whether nothing but the id was asked for."""
        return not self.everything and not self.expand and not self.properties and self.fields <= {"id"}

    @property
    def ids_and_keys(self) -> bool:
        """Whether so little was asked for that the service sends thousands of rows on a page."""
        return not self.everything and not self.expand and self.fields <= {"id", "key"}


def wanted(fields: Sequence[str], expand: frozenset[str], *, default: str, properties: Sequence[str] = ()) -> Wanted:
    """Read the `fields` parameter; entries may hold commas, `-name` leaves a field out."""
    names = [name.strip() for entry in fields for name in entry.split(",") if name.strip()] or [default]
    without = frozenset(name[1:] for name in names if name.startswith("-"))
    positive = frozenset(name for name in names if not name.startswith(("-", "*")))
    everything = any(name in {"*all", "*navigable"} for name in names) or (not positive and bool(without))
    if "*navigable" in names:
        without |= {"comment"} - positive
    return Wanted(
        fields=positive,
        without=without,
        everything=everything,
        expand=expand,
        properties=tuple(name for entry in properties for name in entry.split(",") if name),
    )
