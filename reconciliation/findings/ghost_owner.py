"""Open work belongs to somebody who is gone."""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.types as ir

from hub.charter.model import Charter
from reconciliation.findings.shape import claim_proofs, shaped
from reconciliation.view import View
from reconciliation.wording import named, sentence


def ghost_owner(view: View, charter: Charter, *, as_of: datetime) -> ir.Table:
    """One finding per open item where every tool that names an owner names one who is gone."""
    gone = view.people.filter(view.people.gone).select(gone="person", why="gone_why")
    claim = view.claim.filter(view.claim.holder != "nobody")
    claim = claim.left_join(gone, claim.person == gone.gone)
    names = claim.group_by("item").aggregate(
        here=claim.gone.isnull().sum(), from_person=claim.gone.min(), at=claim.since.max()
    )
    table = names.filter(names.here == 0).join(view.item.filter(view.item.open), "item")
    # The golden rule knows which of several ghosts counts.
    table = table.mutate(from_person=ibis.coalesce(table.base, table.from_person))
    table = named(table.join(gone, table.from_person == gone.gone), view.people, "from_person")
    table = table.join(claim_proofs(view.claim, view.identity, view.people), "item")
    words = {"label": table.label, "who": table.from_person_name, "why": table.why, "heir": table.person_name}
    return shaped(
        "ghost_owner",
        table.mutate(
            to_person=table.person,
            rule=sentence("people.{who}.left", who=table.from_person),
            next_who=ibis.literal(charter.decision_rights.owner_change.approvers[0]),
            summary=sentence("{label} belongs to {who}, who {why}", **words),
            next_move=ibis.ifelse(
                table.person.isnull(),
                sentence("Name somebody who takes over {label} from {who}", **words),
                sentence("Approve the change of owner of {label} to {heir}", **words),
            ),
        ),
    )
