"""Salesforce record ids: 15 case-sensitive characters, and the 18-character form that survives case folding."""

from __future__ import annotations

import itertools
import secrets
from datetime import datetime

_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# a random start, so that a company resumed in the very second it was stopped in makes no id twice
_made = itertools.count(secrets.randbelow(62**4))


def eighteen(id15: str) -> str:
    """Return the 18-character form of a 15-character id; an 18-character id comes back unchanged."""
    if len(id15) != 15:
        return id15
    tail = ""
    for start in (0, 5, 10):
        bits = sum(1 << place for place, char in enumerate(id15[start : start + 5]) if "A" <= char <= "Z")
        tail += _SUFFIX[bits]
    return id15 + tail


def plausible(text: str) -> bool:
    """Tell whether the text could be a record id at all."""
    return len(text) in {15, 18} and text.isalnum() and text.isascii()


def new_id(prefix: str, at: datetime) -> str:
    """Return an id that no other record has, for an object's three-character prefix."""
    body = _base62(int(at.timestamp()), 6) + _base62(next(_made) % 62**5, 5)
    return eighteen(f"{prefix}Z{body}")


def _base62(number: int, width: int) -> str:
    text = ""
    for _ in range(width):
        number, digit = divmod(number, 62)
        text = _DIGITS[digit] + text
    return text
