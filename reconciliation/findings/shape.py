"""The shape every detector returns."""

from __future__ import annotations

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from hub.domain.findings import FindingKind
from reconciliation.wording import named

EVIDENCE = dt.dtype(
    "struct<at: int64, source: string, record: string, field: string, value: string, who: string, url: string>"
)
_TEXT = ("summary", "rule", "next_move", "next_who", "from_person", "to_person")
COLUMNS = ("kind", "item", "facts", *_TEXT, "at", "due", "evidence")


def proof(**columns: ir.Value) -> ir.StructValue:
    """One piece of evidence: at, source, record, field, value, who, url; `at` leads, so that it sorts by time."""
    return ibis.struct({name: columns.get(name, ibis.null()).cast(EVIDENCE[name]) for name in EVIDENCE.names})


def collected(evidence: ir.StructColumn) -> ir.ArrayValue:
    """All pieces of evidence of a group, each once, in time."""
    return evidence.collect(distinct=True).sort()


def shaped(kind: FindingKind, table: ir.Table, facts: tuple[str, ...] = ()) -> ir.Table:
    """Exactly the columns of a finding; `facts` names the text columns that make the case what it is."""
    cells = [table[name].cast("string") for name in facts]
    return table.select(
        "item",
        kind=ibis.literal(kind),
        facts=ibis.array(cells) if cells else ibis.literal([], type="array<string>"),
        at=table["at"].cast("int64"),
        # An item's own due date is text; only a detector's deadline is an instant.
        due=table.due if "due" in table.columns and table.due.type().is_integer() else ibis.null("int64"),
        evidence=table.evidence.cast(dt.Array(EVIDENCE)),
        **{n: table[n].cast("string") if n in table.columns else ibis.null("string") for n in _TEXT},
    ).select(*COLUMNS)


def claim_proofs(claim: ir.Table, identity: ir.Table, people: ir.Table) -> ir.Table:
    """Per item the evidence `evidence`: what every tool says about the owner now, and who said it last."""
    accounts = identity.select("source", account="account", shown="name")
    table = claim.left_join(accounts, ["source", "account"]).drop("source_right", "account_right")
    table = named(table, people, "person", "actor_person")
    evidence = proof(
        at=table.since,
        source=table.source,
        record=table.record,
        field=ibis.literal("owner"),
        value=ibis.coalesce(table.person_name, table.shown, table.account),
        who=ibis.coalesce(table.actor_person_name, table.actor),
        url=table.evidence,
    )
    return table.mutate(evidence=evidence).group_by("item").aggregate(evidence=lambda t: collected(t.evidence))
