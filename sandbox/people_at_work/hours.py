"""When people work: on weekdays, nine to five in UTC. Where the clock is moved, nights and weekends are skipped."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

_FIRST, _LAST = 9, 17
_PAUSES = (2, 50)  # minutes between two deeds of the company
_MORNING = (1, 40)  # minutes after nine


def next_moment(rng: random.Random, now: datetime) -> datetime:
    """Give the moment of the next deed after ``now`` (UTC): somewhat later, or on the next working morning."""
    at = now + timedelta(minutes=rng.randint(*_PAUSES), seconds=rng.randint(0, 59))
    if at.weekday() < 5 and _FIRST <= at.hour < _LAST:
        return at.replace(microsecond=0)
    morning = at.replace(hour=_FIRST, minute=0, second=0, microsecond=0)
    if morning <= now:
        morning += timedelta(days=1)
    while morning.weekday() >= 5:
        morning += timedelta(days=1)
    return morning + timedelta(minutes=rng.randint(*_MORNING), seconds=rng.randint(0, 59))
