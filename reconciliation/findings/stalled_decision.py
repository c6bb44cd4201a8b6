"""An approval waits longer than agreed for its answer."""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.types as ir

from hub.charter.model import Charter
from reconciliation.columns import micros, span
from reconciliation.findings.shape import proof, shaped
from reconciliation.view import View
from reconciliation.wording import elapsed, named, sentence


def stalled_decision(view: View, charter: Charter, *, as_of: datetime) -> ir.Table:
    """One finding per approval of an open item that is still pending after the time agreed for answers."""
    place = ["source", "record", "part"]
    stated = view.now.filter(view.now.entity == "item")
    asked = stated.filter(stated.field == "approval", stated.value.lower() == "pending")
    asked = asked.filter(asked["at"] + span(charter.decisions.answer_within) < micros(as_of))
    asked = asked.select(*place, "at", "actor", "evidence")
    approver = stated.filter(stated.field == "approver").select(*place, account="value")
    table = asked.left_join(approver, place).drop(*(f"{name}_right" for name in place))
    who = view.identity.select("source", "account", to_person="person", shown="name")
    table = table.left_join(who, ["source", "account"]).drop("source_right", "account_right")
    asker = view.identity.select("source", actor="account", from_person="person")
    table = table.left_join(asker, ["source", "actor"]).drop("source_right", "actor_right")
    table = table.join(view.link.select("source", "record", "item"), ["source", "record"])
    table = table.join(view.item.filter(view.item.open).select("item", "label", owner="person"), "item")
    table = named(table, view.people, "to_person", "from_person")
    decider = ibis.coalesce(table.to_person_name, table.shown, table.account, ibis.literal("the approver"))
    waited = elapsed(micros(as_of) - table["at"])
    words = {"who": decider, "label": table.label, "waited": waited, "place": table.source}
    return shaped(
        "stalled_decision",
        table.mutate(
            due=table["at"] + span(charter.decisions.answer_within),
            rule=ibis.literal("decisions.answer_within"),
            next_who=ibis.coalesce(table.to_person, table.owner, table.from_person),
            summary=sentence("{label} waits for a decision of {who} in {place} for {waited}", **words),
            next_move=sentence("Ask {who} to approve or reject {label} in {place}", **words),
            evidence=ibis.array(
                [
                    proof(
                        at=table["at"], source=table.source, record=table.record, field=ibis.literal("approval"),
                        value=ibis.literal("pending"), url=table.evidence,
                        who=ibis.coalesce(table.from_person_name, table.actor),
                    )
                ]
            ),
        ),
        facts=("source", "record", "part"),
    )  # fmt: skip
