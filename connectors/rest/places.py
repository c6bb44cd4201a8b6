"""Finding and reading values at places the charter names. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from hub.domain.records import OWNER_SEPARATOR

Json = dict[str, Any]

ABSENT: Final = object()
# Counted in seconds, a number above this would be a time after the year 5000: it is milliseconds.
_MILLISECONDS_FROM: Final = 10**11


class Unreadable(ValueError):
    """A record lacks what it must have, or holds something of another shape; the text says what."""


def at(node: Any, place: str) -> Any:
    """The value at a place (keys joined by dots; a number counts in a list), or ABSENT where there is none."""
    if not place:
        return node
    while True:
        if isinstance(node, dict) and place in node:
            return node[place]
        head, _, place = place.partition(".")
        if isinstance(node, dict) and place:
            node = node.get(head, ABSENT)
        elif isinstance(node, list) and head.isdecimal() and int(head) < len(node):
            node = node[int(head)]
        else:
            return ABSENT
        if not place:
            return node
        if node is None:
            return None


def text(value: Any, what: str) -> str | None:
    """Plain text of a value, None for an empty one. Raises Unreadable for lists and objects."""
    match value:
        case None:
            return None
        case str():
            return value.strip() or None
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
    raise Unreadable(f"{what} holds a {'list' if isinstance(value, list) else 'nested object'}, not a plain value")


def words(value: Any, what: str) -> tuple[str, ...]:
    """The texts of a value one by one: a list holds several."""
    values = value if isinstance(value, list) else [value]
    return tuple(word for word in (text(one, what) for one in values) if word)


def people(value: Any, what: str) -> str | None:
    """Account ids in a value, sorted and joined: one, or a list of them."""
    return OWNER_SEPARATOR.join(sorted(set(words(value, what)))) or None


def moment(value: Any, what: str) -> datetime:
    """An aware UTC time out of ISO text with a zone, or seconds or milliseconds since 1970. Raises Unreadable."""
    number = value.isdecimal() if isinstance(value, str) else isinstance(value, int | float)
    if number and not isinstance(value, bool):
        seconds = float(value)
        try:
            return datetime.fromtimestamp(seconds / 1000 if seconds >= _MILLISECONDS_FROM else seconds, UTC)
        except (OverflowError, ValueError, OSError):
            raise Unreadable(f"{what} is {value!r}, not a time") from None
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Unreadable(f"{what} is {value!r}, not a time") from None
    if parsed.tzinfo is None:
        raise Unreadable(f"{what} is {value!r}, without a time zone")
    return parsed.astimezone(UTC)


def flag(value: Any, what: str) -> bool:
    """Whether a flag is set; an empty one is not. Raises Unreadable for a word that is neither."""
    if value is None or isinstance(value, bool):
        return bool(value)
    word = (text(value, what) or "").casefold()
    if word in {"", "0", "false", "no"}:
        return False
    if word in {"1", "true", "yes"}:
        return True
    raise Unreadable(f"{what} is {word!r}, neither yes nor no")
