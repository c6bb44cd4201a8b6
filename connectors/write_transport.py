"""Sessions for writing: guarded like every other, and without anything that could repeat a request."""

from __future__ import annotations

from typing import Unpack

from connectors.wire import GuardedAdapter, MeteredSession, Way


def write_session(source: str, **way: Unpack[Way]) -> MeteredSession:
    """A session that sends each request once; requests' own errors come through, since only the writer knows
    whether a failure leaves the outcome unknown. See `GuardedAdapter` for what `way` holds."""
    return MeteredSession(GuardedAdapter(source, **way))
