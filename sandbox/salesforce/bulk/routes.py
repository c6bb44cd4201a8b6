"""The paths under /services/data/{v}/jobs."""

from __future__ import annotations

from sandbox.calls import Handler
from sandbox.salesforce.org import Org


def bulk_routes(org: Org) -> list[tuple[str, str, Handler]]:
    """Return the route table of the Bulk API over one org."""
    del org
    return []
