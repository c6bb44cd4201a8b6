"""How values become columns, the same way on both databases.

Times are whole microseconds since 1970-01-01 UTC, so that both databases store, compare and return exactly
the same instant. Text cannot hold NUL on PostgreSQL nor lone surrogates in UTF-8: NUL becomes U+2400 (␀) and
a lone surrogate U+FFFD (the replacement character), on both databases alike. The payload of the raw record is
bytes and keeps what was received; an observation's key is taken from the text before this replacement.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400_000_000
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def micros(at: datetime) -> int:
    """Microseconds since 1970 UTC; raises ValueError for a naive time."""
    if at.tzinfo is None:
        msg = f"naive time {at!r}"
        raise ValueError(msg)
    span = at - _EPOCH
    return span.days * _DAY + span.seconds * 1_000_000 + span.microseconds


def moment(at: int) -> datetime:
    """The aware UTC time of a stored instant."""
    return _EPOCH + timedelta(microseconds=at)


def optional_micros(at: datetime | None) -> int | None:
    """As `micros`, None for None."""
    return None if at is None else micros(at)


def optional_moment(at: int | None) -> datetime | None:
    """As `moment`, None for None."""
    return None if at is None else moment(at)


def all_storable(texts: Iterable[str]) -> bool:
    """Whether every text can be stored as it is; one look at all of them is far cheaper than one look each."""
    together = "".join(texts)
    if "\0" in together:
        return False
    try:
        together.encode()
    except UnicodeEncodeError:
        # A low surrogate may follow a high one over the border of two texts; that errs on the careful side.
        return False
    return True


def storable(text: str) -> str:
    """`text` with NUL as U+2400 and lone surrogates as U+FFFD."""
    return _UNSTORABLE.sub(lambda bad: "\u2400" if bad[0] == "\0" else "\ufffd", text)


def optional_storable(text: str | None) -> str | None:
    """As `storable`, None for None."""
    return None if text is None else storable(text)


def to_json(value: Any) -> str:
    """Canonical JSON in ASCII, which holds any text without loss."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_as_text)


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return moment(micros(value)).isoformat(timespec="microseconds")
    msg = f"{type(value).__name__} has no JSON form"
    raise TypeError(msg)
