"""Open work belongs to nobody."""

from __future__ import annotations

from datetime import datetime, timedelta

import ibis
import ibis.expr.types as ir

from hub.charter.model import Charter
from reconciliation.columns import micros, span
from reconciliation.findings.shape import claim_proofs, proof, shaped
from reconciliation.view import View
from reconciliation.wording import elapsed, sentence

#: How long work may lie with nobody or in a queue before that is worth a finding.
UNOWNED_FOR = timedelta(hours=24)


def orphan_item(view: View, charter: Charter, *, as_of: datetime) -> ir.Table:
    """One finding per open item that no tool gives to a person (queues and bots are nobody) for a day."""
    claim = view.claim
    held = claim.group_by("item").aggregate(owners=(claim.holder != "nobody").sum(), since=claim.since.max())
    table = view.item.filter(view.item.open).left_join(held, "item").drop("item_right")
    table = table.filter(table.owners.fill_null(0) == 0)
    # A thread in which nobody was ever named has no claim; it is unowned since its first mail.
    table = table.mutate(at=ibis.coalesce(table.since, table.created))
    table = table.filter(table["at"] + span(UNOWNED_FOR) < micros(as_of))
    table = table.left_join(claim_proofs(claim, view.identity, view.people), "item").drop("item_right")
    first = view.link.group_by("item").aggregate(place=ibis.struct({"s": ibis._.source, "r": ibis._.record}).min())
    table = table.join(first, "item")
    begun = proof(
        at=table.created, source=table.place["s"], record=table.place["r"], field=ibis.literal("owner"), url=table.url
    )
    words = {"label": table.label, "who": table.person_name, "phase": table.phase,
             "long": elapsed(micros(as_of) - table["at"])}  # fmt: skip
    return shaped(
        "orphan_item",
        table.mutate(
            due=table["at"] + span(UNOWNED_FOR),
            to_person=table.person,
            next_who=ibis.coalesce(table.person, ibis.literal(charter.decision_rights.owner_change.approvers[0])),
            summary=ibis.ifelse(
                table.person.isnull(),
                sentence("Nobody owns {label} for {long}", **words),
                sentence("Nobody owns {label} for {long}; {who} is accountable for {phase}", **words),
            ),
            next_move=ibis.ifelse(
                table.person.isnull(),
                sentence("Name an owner for {label}", **words),
                sentence("Take over {label} as {who}, or name who does", **words),
            ),
            evidence=table.evidence.fill_null(ibis.array([begun])),
        ),
    )
