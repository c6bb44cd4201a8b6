"""Work was offered and not taken up in time."""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.types as ir

from hub.charter.model import Charter
from reconciliation.columns import micros
from reconciliation.findings.shape import proof, shaped
from reconciliation.view import View
from reconciliation.wording import elapsed, named, sentence


def missed_handoff(view: View, charter: Charter, *, as_of: datetime) -> ir.Table:
    """One finding per handoff that was due and not accepted by then.

    Where owners tell the handoffs, only the last one of an open item counts, while some tool still names the
    receiver; where acts tell them, every late one counts, in closed items too.
    """
    late = view.handoff.filter(view.handoff.due_at < micros(as_of))
    late = late.filter(late.accepted_at.isnull() | (late.accepted_at > late.due_at))
    items = view.item.select("item", "label", "open")
    table = late.join(items, "item")
    if charter.handoffs.detect == "owner_change":
        held = view.claim.select("item", to_person="person").distinct()
        table = table.filter(table.final, table.open).semi_join(held, ["item", "to_person"])
    table = named(table, view.people, "from_person", "to_person")
    waited = elapsed(table.accepted_at.fill_null(micros(as_of)) - table.offered_at)
    words = {"to": table.to_person_name, "who": table.from_person_name, "label": table.label, "waited": waited}
    open_offer = table.accepted_at.isnull()
    offer = proof(
        at=table.offered_at, source=table.source, record=table.record, field=ibis.literal("owner"),
        value=table.to_person_name, who=table.actor, url=table.evidence,
    )  # fmt: skip
    accept = proof(
        at=table.accepted_at, source=table.source, record=table.record, field=ibis.literal("first act"),
        value=table.to_person_name, who=table.to_person_name, url=table.evidence,
    )  # fmt: skip
    return shaped(
        "missed_handoff",
        table.mutate(
            at=table.offered_at,
            due=table.due_at,
            next_who=ibis.coalesce(table.escalate_to, table.from_person),
            summary=ibis.ifelse(
                open_offer,
                sentence("{who} handed {label} to {to} {waited} ago; {to} has not acted on it", **words),
                sentence("{who} handed {label} to {to}, who first acted on it after {waited}", **words),
            ),
            next_move=ibis.ifelse(
                open_offer,
                sentence("Ask {to} to accept {label} or hand it back to {who}", **words),
                sentence("Ask {to} and {who} what held up {label}", **words),
            ),
            evidence=ibis.ifelse(open_offer, ibis.array([offer]), ibis.array([offer, accept])),
        ),
        facts=("from_person", "to_person", "offered_at"),
    )
