"""The paths under /services/data/{v}/jobs."""

from __future__ import annotations

from sandbox.calls import Handler
from sandbox.salesforce.bulk.resources import Bulk
from sandbox.salesforce.org import DATA, Org


def bulk_routes(org: Org) -> list[tuple[str, str, Handler]]:
    """Return the route table of the Bulk API 2.0 over one org."""
    bulk = Bulk(org)
    table: list[tuple[str, str, Handler]] = [
        ("POST", f"{DATA}/jobs/query", bulk.create_query),
        ("POST", f"{DATA}/jobs/ingest", bulk.create_ingest),
        ("GET", f"{DATA}/jobs/query/{{id}}/results", bulk.rows),
        ("PUT", f"{DATA}/jobs/ingest/{{id}}/batches", bulk.upload),
        ("GET", f"{DATA}/jobs/ingest/{{id}}/{{sort}}", bulk.outcome),
    ]
    for kind in ("query", "ingest"):
        is_query = kind == "query"
        table += [
            ("GET", f"{DATA}/jobs/{kind}", bulk.listed(is_query=is_query)),
            ("GET", f"{DATA}/jobs/{kind}/{{id}}", bulk.shown(is_query=is_query)),
            ("PATCH", f"{DATA}/jobs/{kind}/{{id}}", bulk.changed(is_query=is_query)),
            ("DELETE", f"{DATA}/jobs/{kind}/{{id}}", bulk.deleted(is_query=is_query)),
        ]
    return table
