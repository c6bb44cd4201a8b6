"""Which records and accounts are no longer there, and what they were merged into."""

from __future__ import annotations

import ibis.expr.types as ir

_MERGED = "merged:"


def gone(now: ir.Table) -> ir.Table:
    """source, entity, record, value, survivor (null but for a merge) of whatever a tool proved to be gone."""
    said = now.filter(now.field == "presence", now.value.notnull(), now.value != "present")
    return said.select(
        "source",
        "entity",
        "record",
        "value",
        survivor=said.value.startswith(_MERGED).ifelse(said.value.substr(len(_MERGED)), None),
    )
