"""What kind of world is wanted: how many companies and items, how long a history, how untidy, what goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

KINDS = (
    "owner_conflict",
    "missed_handoff",
    "returned_handoff",
    "duplicate_update",
    "stalled_decision",
    "ghost_owner",
    "orphan_item",
    "split_ownership",
    "unmapped_person",
)
RATE = 0.03  # the share of items that carry a kind of fault, where nobody says otherwise
LEAST = 40  # from this many items on each kind occurs twice at least; below, there is not room for it
FEWEST_COMPANIES, MOST_COMPANIES, MOST_MESS, MOST_MONTHS = 2, 4, 3, 36


class UnusableShape(ValueError):
    """A world that cannot be built as asked; the message says what can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A world to be generated. Raises UnusableShape for numbers outside their limits.

    ``rates`` maps a kind of fault to the share of items that carry it; a kind left out has ``RATE``. ``months``
    is how far back the first item begins; three months are the least, since an item may take two. ``flat`` asks
    for that many records in each HTTP tool with one plain story each, and puts everything else aside.
    """

    companies: int = 2
    items: int = 200
    months: int = 3
    mess: int = 0
    rates: Mapping[str, float] = field(default_factory=dict)
    flat: int | None = None

    def __post_init__(self) -> None:
        limits = (
            ("companies", self.companies, FEWEST_COMPANIES, MOST_COMPANIES),
            ("items", self.items, 0, 10_000_000),
            ("months", self.months, 3, MOST_MONTHS),
            ("mess", self.mess, 0, MOST_MESS),
            ("flat", self.flat or 0, 0, 10_000_000),
        )
        for name, value, least, most in limits:
            if not least <= value <= most:
                raise UnusableShape(f"{name} must be from {least} to {most}, not {value}")
        for kind, rate in self.rates.items():
            if kind not in KINDS:
                raise UnusableShape(f"there is no fault {kind}; there are {', '.join(KINDS)}")
            if not 0 <= rate <= 1:
                raise UnusableShape(f"the rate of {kind} must be from 0 to 1, not {rate}")
        if sum(self.counts().values()) > max(self.items, 0):
            raise UnusableShape("the rates of all kinds together exceed the number of items: one fault an item at most")

    def rate(self, kind: str) -> float:
        """Give the share of items that carry a kind of fault."""
        return self.rates.get(kind, RATE)

    def counts(self) -> dict[str, int]:
        """Give how many items carry each kind.

        A rate that was asked for is kept to the item; a kind nobody spoke of occurs about as often as ``RATE``
        says, twice at least from forty items on, and once where half of a smaller world's items have room for it.
        """
        each = max(2, round(RATE * self.items)) if self.items >= LEAST else 1
        counts = {kind: round(self.rates[kind] * self.items) if kind in self.rates else each for kind in KINDS}
        if self.items < 2 * len(KINDS):
            unspoken = [kind for kind in KINDS if kind not in self.rates]
            for kind in unspoken[self.items // 2 :]:
                counts[kind] = 0
        return counts


def rate_of(text: str) -> tuple[str, float]:
    """Read ``kind=share``, as ``owner_conflict=0.05``. Raises UnusableShape."""
    kind, _, share = text.partition("=")
    try:
        rate = float(share)
    except ValueError:
        raise UnusableShape(f"write a rate like owner_conflict=0.05, not {text}") from None
    return kind.strip(), rate
