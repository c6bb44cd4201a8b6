"""The same news, told more than once."""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.types as ir

from hub.charter.model import Charter
from reconciliation.columns import span
from reconciliation.components import components
from reconciliation.findings.shape import collected, proof, shaped
from reconciliation.titles import fold, overlap, words
from reconciliation.view import View
from reconciliation.wording import sentence

#: What people put in front when they say something again.
_AGAIN = r"^(?:(?:fyi|fw|fwd|re|aw|wg|update|reminder) )+"
_SHOWN = 80


def duplicate_update(view: View, charter: Charter, *, as_of: datetime) -> ir.Table:
    """One finding per piece of news that one person told in nearly the same words, in open and closed items.

    Two updates are the same news when their words overlap as far as the charter says and they lie within its
    time; three that are pairwise linked are one case. An update of a single word ("done") is not news.
    """
    told = view.engine.keep(_updates(view))
    pair = view.engine.keep(_alike(told, charter))
    group = components(pair, view.engine)
    table = told.join(group, told.n == group.node)
    evidence = proof(
        at=table["at"], source=table.source, record=table.record, field=ibis.literal("update"),
        value=table.value, who=table.shown, url=table.evidence,
    )  # fmt: skip
    cluster = (
        table.mutate(proof=evidence)
        .group_by("item", "root")
        .aggregate(evidence=lambda t: collected(t.proof), times=lambda t: t.count(), at=lambda t: t["at"].min())
    )
    first = told.select("n", "source", "record", "part", "value", "shown", from_person="doer", next_who="doer")
    cluster = cluster.join(first, cluster.root == first.n).join(view.item.select("item", "label"), "item")
    parts = {
        "who": cluster.shown, "label": cluster.label, "n": cluster.times.cast("string"),
        "text": ibis.ifelse(cluster.value.length() > _SHOWN, cluster.value.substr(0, _SHOWN) + "…", cluster.value),
    }  # fmt: skip
    return shaped(
        "duplicate_update",
        cluster.mutate(
            rule=ibis.literal("updates.similarity"),
            summary=sentence("{who} told the same news of {label} {n} times: “{text}”", **parts),
            next_move=sentence("Ask {who} to tell news of {label} once and to link to it elsewhere", **parts),
        ),
        facts=("source", "record", "part"),
    )


def _updates(view: View) -> ir.Table:
    """Updates with their teller, numbered in time, each message once."""
    told = view.act.filter(view.act.field == "update", view.act.value.notnull())
    same = ["item", "source", "record", "part", "doer"]
    first = ibis.struct({"at": told["at"], "value": told.value, "evidence": told.evidence}).min()
    told = told.group_by(*same).aggregate(first=first).unpack("first")
    told = told.mutate(words=words(fold(told.value).re_replace(_AGAIN, "")))
    told = told.filter(told.words.length() > 1)
    names = view.people.select(doer="person", name="name")
    told = told.left_join(names, "doer").drop("doer_right")
    order = ["at", "source", "record", "part", "doer", "item"]
    return told.mutate(
        n=ibis.row_number().over(order_by=order).cast("int64"), shown=ibis.coalesce(told.name, told.doer)
    )


def _alike(told: ir.Table, charter: Charter) -> ir.Table:
    """Edges (a, b) between updates that say the same."""
    early = told.select("item", "doer", a="n", at_a="at", words_a="words")
    late = told.select("item", "doer", b="n", at_b="at", words_b="words")
    pair = early.join(late, ["item", "doer"]).filter(lambda t: t.a < t.b)
    pair = pair.filter(pair.at_b - pair.at_a <= span(charter.updates.duplicate_within))
    return pair.filter(overlap(pair.words_a, pair.words_b) >= charter.updates.similarity).select("a", "b")
