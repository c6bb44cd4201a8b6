"""The shape of a world as command-line options."""

from __future__ import annotations

import argparse

from sandbox.world.shape import Shape, UnusableShape, rate_of


def add_world_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that make a shape; ``shape_of`` reads them."""
    plain = Shape()
    parser.add_argument("--items", type=int, default=plain.items, help="how many items to invent")
    parser.add_argument("--companies", type=int, default=plain.companies, help="how many companies work together (2-4)")
    parser.add_argument("--months", type=int, default=plain.months, help="how far back the history goes")
    parser.add_argument("--mess", type=int, default=plain.mess, help="how untidy the records are (0-3)")
    parser.add_argument(
        "--rate",
        type=_rate,
        action="append",
        default=[],
        metavar="KIND=SHARE",
        help="share of the items that carry a kind of fault, as owner_conflict=0.05; repeat for further kinds",
    )
    parser.add_argument("--flat", type=int, help="instead: exactly so many plain records in each HTTP tool")


def shape_of(wanted: argparse.Namespace) -> Shape:
    """Give the shape the options ask for. Raises UnusableShape."""
    return Shape(
        companies=wanted.companies,
        items=wanted.items,
        months=wanted.months,
        mess=wanted.mess,
        rates=dict(wanted.rate),
        flat=wanted.flat,
    )


def _rate(text: str) -> tuple[str, float]:
    try:
        return rate_of(text)
    except UnusableShape as error:
        raise argparse.ArgumentTypeError(str(error)) from None
