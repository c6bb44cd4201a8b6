"""Tools name different owners for longer than the grace time."""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.types as ir

from hub.charter.model import Charter
from reconciliation.columns import micros, span
from reconciliation.findings.shape import claim_proofs, shaped
from reconciliation.view import View
from reconciliation.wording import named, sentence


def owner_conflict(view: View, charter: Charter, *, as_of: datetime) -> ir.Table:
    """One finding per open item where records of different tools share no owner, none of them unmapped.

    Somebody here and nobody there is a conflict too; several people in one cell, one of them named elsewhere,
    is not (that is split ownership).
    """
    claim = view.claim
    strangers = claim.filter(claim.holder == "unmapped").select("item").distinct()
    says = claim.group_by("item", "source", "record").aggregate(
        persons=claim.person.collect(distinct=True), since=claim.since.max()
    )
    says = says.mutate(persons=says.persons.fill_null(ibis.literal([], type="array<string>")).sort())
    several = says.group_by("item").aggregate(answers=says.persons.join(",").nunique())
    says = says.semi_join(several.filter(several.answers > 1), "item").anti_join(strangers, "item")
    other = says.view()
    pair = says.join(other, [says.item == other.item, says.source != other.source])
    shared = pair.persons.intersect(pair.persons_right).length()
    nobody = (pair.persons.length() == 0) & (pair.persons_right.length() == 0)
    differ = pair.filter((shared == 0) & ~nobody).group_by("item").aggregate(at=ibis._.since.max())
    differ = differ.filter(differ["at"] + span(charter.grace) < micros(as_of))

    table = differ.join(view.item.filter(view.item.open), "item")
    wrong = claim.join(view.item.select("item", golden="person"), "item")
    wrong = wrong.filter((wrong.person != wrong.golden).fill_null(True))
    loser = ibis.struct(
        {
            "nobody": wrong.person.isnull().cast("int64"),
            "source": wrong.source,
            "record": wrong.record,
            "p": wrong.person,
        }
    ).min()
    losing = wrong.group_by("item").aggregate(loser=loser)
    losing = losing.select("item", place=losing.loser["source"], from_person=losing.loser["p"])
    table = named(table.left_join(losing, "item").drop("item_right"), view.people, "from_person")
    table = table.join(claim_proofs(claim, view.identity, view.people), "item")
    return shaped(
        "owner_conflict",
        table.mutate(
            to_person=table.person,
            due=table["at"] + span(charter.grace),
            next_who=ibis.literal(charter.decision_rights.owner_change.approvers[0]),
            summary=sentence(
                "{label}: {place} names {wrong}, but the owner is {golden}: {reason}",
                label=table.label, place=table.place, golden=table.person_name, reason=table.reason,
                wrong=table.from_person_name.fill_null("nobody"),
            ),
            next_move=sentence(
                "Approve the change of owner to {golden} in {place}, or tell {golden} why not",
                golden=table.person_name, place=table.place,
            ),
        ),
    )  # fmt: skip
