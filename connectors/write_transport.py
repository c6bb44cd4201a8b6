"""Sessions for writing: guarded like every other, and without anything that could repeat a request."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.wire import TIMEOUT, GuardedAdapter, Meter, MeteredSession, Timeout


def write_session(
    source: str,
    *,
    base_url: str | None = None,
    allowed_hosts: Sequence[str],
    timeout: Timeout = TIMEOUT,
    ca_file: str | None = None,
    meter: Meter | None = None,
) -> MeteredSession:
    """A session that sends each request once; requests' own errors come through, since only the writer knows
    whether a failure leaves the outcome unknown."""
    return MeteredSession(
        GuardedAdapter(
            source,
            allowed_hosts=allowed_hosts,
            base_url=base_url,
            timeout=timeout,
            ca_file=ca_file,
            meter=meter,
        )
    )
