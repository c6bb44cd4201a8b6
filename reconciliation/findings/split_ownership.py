"""One tool names several owners for the same work."""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.types as ir

from hub.charter.model import Charter
from reconciliation.columns import micros, span
from reconciliation.findings.shape import claim_proofs, shaped
from reconciliation.view import View
from reconciliation.wording import named, sentence


def split_ownership(view: View, charter: Charter, *, as_of: datetime) -> ir.Table:
    """One finding per open item where one owner field names several people, or two records of one tool,
    both unchanged for longer than the grace time, name different ones."""
    claim = view.claim.filter(view.claim.holder != "nobody")
    claim = claim.mutate(owner=ibis.coalesce(claim.person, claim.account))
    one = {"owners": claim.owner.nunique(), "from_person": claim.owner.min(), "at": claim.since.max()}
    cell = claim.group_by("item", "source", "record").aggregate(**one)
    cell = cell.filter(cell.owners > 1).select("item", "source", "at", "owners")
    several = claim.group_by("item", "source").aggregate(**one, records=claim.record.nunique())
    several = several.filter(
        several.owners > 1, several.records > 1, several["at"] + span(charter.grace) < micros(as_of)
    ).select("item", "source", "at", "owners")
    place = ibis.union(cell, several)
    first = ibis.struct({"source": place.source, "at": place["at"], "owners": place.owners}).min()
    table = place.group_by("item").aggregate(first=first).unpack("first")
    table = table.join(view.item.filter(view.item.open), "item")
    extra = claim.join(view.item.select("item", golden="person"), "item")
    extra = extra.filter((extra.owner != extra.golden).fill_null(True))
    extra = extra.group_by("item", "source").aggregate(from_person=extra.owner.min())
    table = table.left_join(extra, ["item", "source"]).drop("item_right", "source_right")
    table = named(table, view.people, "from_person")
    table = table.join(claim_proofs(view.claim, view.identity, view.people), "item")
    words = {
        "label": table.label, "place": table.source, "n": table.owners.cast("string"),
        "golden": table.person_name, "extra": table.from_person_name,
    }  # fmt: skip
    return shaped(
        "split_ownership",
        table.mutate(
            to_person=table.person,
            rule=ibis.literal("survivorship.owner"),
            next_who=ibis.coalesce(table.person, ibis.literal(charter.decision_rights.owner_change.approvers[0])),
            summary=sentence("{place} names {n} owners of {label}; the owner is {golden}", **words),
            next_move=sentence("Agree with {extra} that {golden} alone owns {label}, or pass it on", **words),
        ),
    )
