"""Work belongs to an account the charter knows nobody for."""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.types as ir

from hub.charter.model import Charter
from reconciliation.findings.shape import claim_proofs, shaped
from reconciliation.view import View
from reconciliation.wording import sentence


def unmapped_person(view: View, charter: Charter, *, as_of: datetime) -> ir.Table:
    """One finding per open item that some tool gives to an account no person of the charter has."""
    stranger = view.claim.filter(view.claim.holder == "unmapped")
    names = view.identity.select("source", "account", shown="name")
    stranger = stranger.left_join(names, ["source", "account"]).drop("source_right", "account_right")
    first = ibis.struct({"source": stranger.source, "account": stranger.account, "shown": stranger.shown})
    table = stranger.group_by("item").aggregate(first=first.min(), at=stranger.since.min()).unpack("first")
    table = table.join(view.item.filter(view.item.open), "item")
    table = table.join(claim_proofs(view.claim, view.identity, view.people), "item")
    shown = ibis.ifelse(table.shown.notnull(), table.shown + " (" + table.account + ")", table.account)
    words = {"label": table.label, "who": shown, "place": table.source}
    return shaped(
        "unmapped_person",
        table.mutate(
            rule=ibis.literal("people"),
            next_who=ibis.literal(charter.decision_rights.owner_change.approvers[0]),
            summary=sentence("{place} gives {label} to {who}, whom the charter does not know", **words),
            next_move=sentence(
                "Add {who} to the people of the charter, or give {label} to somebody who is in it", **words
            ),
        ),
    )
