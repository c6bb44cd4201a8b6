"""Work came straight back to whoever passed it on."""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.types as ir

from hub.charter.model import Charter
from reconciliation.findings.shape import proof, shaped
from reconciliation.view import View
from reconciliation.wording import day, named, sentence


def returned_handoff(view: View, charter: Charter, *, as_of: datetime) -> ir.Table:
    """One finding per handoff that the very next one reversed within the charter's time.

    Open items only where owners tell the handoffs; all items where acts tell them.
    """
    table = view.handoff.filter(view.handoff.returned).join(view.item.select("item", "label", "open"), "item")
    if charter.handoffs.detect == "owner_change":
        table = table.filter(table.open)
    table = named(table, view.people, "from_person", "to_person")
    words = {"who": table.from_person_name, "to": table.to_person_name, "label": table.label}
    place = {"source": table.source, "record": table.record, "field": ibis.literal("owner"), "url": table.evidence}
    return shaped(
        "returned_handoff",
        table.mutate(
            at=table.back_at,
            rule=ibis.literal("handoffs.returned_within"),
            next_who=table.from_person,
            summary=sentence(
                "{label} went from {who} to {to} on {out} and came back on {back}",
                out=day(table.offered_at), back=day(table.back_at), **words,
            ),
            next_move=sentence("Ask {to} what was missing before {label} is handed over again", **words),
            evidence=ibis.array(
                [
                    proof(at=table.offered_at, value=table.to_person_name, who=table.actor, **place),
                    proof(at=table.back_at, value=table.from_person_name, **place),
                ]
            ),
        ),
        facts=("from_person", "to_person", "offered_at"),
    )  # fmt: skip
