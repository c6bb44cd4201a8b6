"""Titles and names as people type them, compared: case, accents, punctuation, word order and slips."""

from __future__ import annotations

import unicodedata

import ibis
import ibis.expr.types as ir


def _plain_letters() -> tuple[str, str]:
    """Accented Latin letters and the plain ones they stand for, as two equally long texts."""
    accented, plain = [], []
    for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        letter = chr(code)
        base = unicodedata.normalize("NFD", letter)[0]
        if base != letter and base.isascii():
            accented.append(letter)
            plain.append(base.lower())
    # Strokes and ligature-like letters have no decomposition.
    return "".join(accented) + "øłđħı", "".join(plain) + "oldhi"


_ACCENTED, _PLAIN = _plain_letters()


def fold(text: ir.StringValue) -> ir.StringValue:
    """Lower case, without accents; everything but letters and digits becomes a single space."""
    small = text.lower()
    # Translating letter by letter is slow, and most texts need it not.
    plain = ibis.ifelse(small.re_search(r"[^\x00-\x7F]"), small.translate(_ACCENTED, _PLAIN), small)
    return plain.re_replace(r"[^\p{L}\p{N}]+", " ").strip()


def words(folded: ir.StringValue) -> ir.ArrayValue:
    """The distinct words of a folded text, sorted; empty for an empty text."""
    return ibis.ifelse(folded == "", ibis.literal([], type="array<string>"), folded.split(" ").unique().sort())


def overlap(left: ir.ArrayValue, right: ir.ArrayValue) -> ir.FloatingValue:
    """Jaccard similarity of two sets of distinct words, 0 to 1."""
    shared = left.intersect(right).length()
    return shared / ibis.greatest(left.length() + right.length() - shared, 1)
