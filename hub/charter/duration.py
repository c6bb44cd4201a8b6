"""Durations as people write them: `30m`, `24h`, `7d`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

_PATTERN = re.compile(r"(\d+)([mhd])")
_UNIT = {"m": "minutes", "h": "hours", "d": "days"}


def parse_duration(value: object) -> object:
    """`24h` as a timedelta; other types pass through; raises ValueError for unreadable text."""
    if not isinstance(value, str):
        return value
    match = _PATTERN.fullmatch(value.strip())
    if match is None:
        msg = f"{value!r} is not a duration; write minutes, hours or days, like 30m, 24h or 7d"
        raise ValueError(msg)
    return timedelta(**{_UNIT[match[2]]: int(match[1])})


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
