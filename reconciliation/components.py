"""Connected components by set operations: the smallest node of each component spreads to all of it."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from reconciliation.engine import Engine


def components(edges: ir.Table, engine: Engine) -> ir.Table:
    """(node, root) for every node of `edges` (a, b: int64); `root` is the component's smallest node.

    Each round takes the smallest root among the neighbours and then jumps to that root's own root, so even
    long chains need few rounds.
    """
    keep = engine.keep
    both = keep(ibis.union(edges.select("a", "b"), edges.select(a="b", b="a"), distinct=True))
    roots = keep(both.select(node="a", root="a").distinct())
    while True:
        near = both.join(roots, both.b == roots.node).group_by(node="a").aggregate(low=ibis._.root.min())
        joined = roots.join(near, "node")
        lower = keep(joined.select("node", before="root", root=ibis.least(joined.root, joined.low)))
        target = lower.select(at="node", target="root")
        jumped = lower.join(target, lower.root == target.at)
        after = keep(jumped.select("node", "before", root="target"))
        roots = after.select("node", "root")
        if engine.count(after.filter(after.root != after.before)) == 0:
            return roots
