"""Which records describe the same piece of work: by the names they mention, then by title."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from reconciliation.components import components
from reconciliation.engine import Engine
from reconciliation.title_match import title_pairs

#: A "name" that more records of one source bear than this is a filler like "n/a" and proves nothing.
_BEARERS = 5


def records(said: ir.Table, source: ir.Table, gone: ir.Table) -> ir.Table:
    """Every record of work: source, record, tool, created, updated, and `node`, its rank by creation.

    Deleted records are not among them. Merged and unreachable ones are: the names they bear still lead to the
    work, and the item keeps its id; see `seen`.
    """
    items = said.filter(said.entity == "item", said.field != "presence")
    deleted = gone.filter(gone.entity == "item", gone.value == "deleted")
    items = items.anti_join(deleted, ["source", "record"])
    found = items.group_by("source", "record").aggregate(created=items["at"].min(), updated=items["at"].max())
    found = found.join(source.select("source", "tool"), "source")
    rank = ibis.row_number().over(order_by=[found.created, found.source, found.record])
    return found.mutate(node=rank.cast("int64"))


def seen(linked: ir.Table, gone: ir.Table) -> ir.Table:
    """The linked records that are still there and may be looked at: all that counts for owners and findings."""
    return linked.anti_join(gone.filter(gone.entity == "item"), ["source", "record"])


def link(record: ir.Table, now: ir.Table, gone: ir.Table, engine: Engine) -> ir.Table:
    """Records with their item: source, record, node, item, anchor, how, score, evidence.

    Union of: a name one record mentions and another bears; a name two records bear; a merge. Then titles, for records
    that nothing else ties. A mention inside one tool (a Jira issue that names another) is not sameness, nor is
    a text that names several records of a tool (a digest of the week): both tie nothing by themselves.
    """
    keep = engine.keep
    explicit = keep(ibis.union(_explicit(record, now), _merges(record, gone), distinct=True))
    tied = components(explicit, engine)
    state = keep(
        record.left_join(tied, "node").select(
            "node", "source", "record", "tool", root=ibis.coalesce(ibis._.root, ibis._.node)
        )
    )
    pairs = keep(_unforced(keep(title_pairs(state, now, engine)), state, engine))
    edges = keep(ibis.union(explicit.select("a", "b"), pairs.select("a", "b")))
    whole = components(edges, engine)
    return _with_items(record, whole, explicit, pairs)


def _explicit(record: ir.Table, now: ir.Table) -> ir.Table:
    """Edges (a, b, how, evidence) from identifiers and references."""
    nodes = record.select("source", "record", "tool", "node")
    tokens = now.filter(now.entity == "item", now.field.isin(["identifier", "reference"]), now.value.notnull())
    # One field of a tool may name several records, one to a line.
    tokens = tokens.mutate(name=tokens.value.split("\n").unnest())
    tokens = tokens.join(nodes, ["source", "record"]).select("field", "source", "tool", "node", "name")
    tokens = tokens.filter(tokens.name != "")
    borne = tokens.filter(tokens.field == "identifier")
    borne = borne.mutate(bearers=borne.node.nunique().over(group_by=["source", "name"]))
    borne = borne.filter((borne.bearers <= _BEARERS) | (borne.tool == "mail")).drop("bearers")

    other = borne.view()
    first = borne.group_by("name").aggregate(first=borne.node.min())
    shared = other.join(first, "name").filter(ibis._.node != ibis._.first)
    identifier = shared.select(
        a="first", b="node", how=ibis.literal("identifier"), evidence=ibis.literal("both known as ") + shared.name
    )

    said = tokens.filter(tokens.field == "reference")
    mention = said.join(borne.select(at="source", to="node", name="name"), "name")
    mention = mention.filter(mention.node != mention.to, (mention.source != mention["at"]) | (mention.tool == "mail"))
    mention = mention.mutate(named=mention.to.nunique().over(group_by=["node", "at"]))
    mention = mention.filter((mention.named == 1) | (mention.source == mention["at"]))
    reference = mention.select(
        a="node", b="to", how=ibis.literal("reference"), evidence=ibis.literal("names ") + mention.name
    )
    return ibis.union(identifier, reference, distinct=True)


def _merges(record: ir.Table, gone: ir.Table) -> ir.Table:
    """Edges from records to what they were merged into."""
    merged = gone.filter(gone.entity == "item", gone.survivor.notnull())
    merged = merged.join(record.select("source", "record", a="node"), ["source", "record"])
    survivors = record.select(at="source", survivor="record", b="node")
    tied = merged.join(survivors, [merged.source == survivors["at"], merged.survivor == survivors.survivor])
    return tied.filter(tied.a != tied.b).select(
        "a", "b", how=ibis.literal("identifier"), evidence=tied.record + " was merged into " + tied.survivor
    )


def _unforced(pairs: ir.Table, state: ir.Table, engine: Engine) -> ir.Table:
    """Title pairs, without those that would bring two records of one source together between them."""
    roots = state.select("node", part="root")
    joined = pairs.join(roots.select(a="node", pa="part"), "a").join(roots.select(b="node", pb="part"), "b")
    merged = components(joined.select(a="pa", b="pb"), engine)
    held = state.join(merged, state.root == merged.node).select("source", part=state.root, whole=merged.root)
    per_source = held.group_by("whole", "source").aggregate(parts=held.part.nunique())
    forced = per_source.filter(per_source.parts > 1).select("whole").distinct()
    ends = joined.join(merged, joined.pa == merged.node).mutate(whole=merged.root)
    return ends.anti_join(forced, "whole").select("a", "b", "score", "evidence")


def _with_items(record: ir.Table, whole: ir.Table, explicit: ir.Table, pairs: ir.Table) -> ir.Table:
    ties = ibis.union(
        explicit.select(node="a", how="how", score=ibis.literal(1.0), evidence="evidence"),
        explicit.select(node="b", how="how", score=ibis.literal(1.0), evidence="evidence"),
        pairs.select(node="a", how=ibis.literal("title"), score="score", evidence="evidence"),
        pairs.select(node="b", how=ibis.literal("title"), score="score", evidence="evidence"),
    )
    strength = ties.how.cases(("reference", 0), ("identifier", 1), else_=2)
    best = ibis.struct({"o": strength, "e": ties.evidence, "how": ties.how, "score": ties.score}).min()
    tie = ties.group_by("node").aggregate(best=best).unpack("best").select("node", "how", "score", evidence="e")
    table = record.left_join(whole, "node").drop("node_right")
    table = table.mutate(anchor=ibis.coalesce(table.root, table.node)).drop("root")
    anchors = record.select(anchor="node", item=_item_id(record.source, record.record))
    table = table.join(anchors, "anchor").left_join(tie, "node")
    return table.select(
        "source", "record", "tool", "node", "anchor", "item", "created", "updated",
        how=table.how.fill_null("single"),
        score=table.score.fill_null(1.0),
        evidence=table.evidence.fill_null(""),
    )  # fmt: skip


def _item_id(source: ir.StringValue, record: ir.StringValue) -> ir.StringValue:
    """Name of an item: short hash of its oldest record."""
    digest = (source + ibis.literal("\n") + record).hexdigest("sha256")
    return ibis.literal("item-") + digest.substr(0, 12)
