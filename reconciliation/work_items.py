"""State of each piece of work: title, phase, status, due date, and whether it is still open."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from hub.charter.model import Charter
from reconciliation.charter_tables import CharterTables

_JIRA_KEY = r"^[A-Z][A-Z0-9_]+-[0-9]+$"


def record_state(now: ir.Table, link: ir.Table) -> ir.Table:
    """Current values of the records' own fields (those without parts), each with its record's item."""
    fields = now.filter(now.entity == "item", now.field.isin(["title", "status", "phase", "due", "url"]))
    chosen = fields.select("source", "record", "field", "value", "at", "weight")
    chosen = chosen.join(link.select("source", "record", "item", "node", "tool"), ["source", "record"])
    return chosen.filter(chosen.value.notnull(), chosen.value.strip() != "")


def statuses(state: ir.Table, charter: CharterTables) -> ir.Table:
    """Current statuses in the charter's words; `known` is false where the charter does not map one."""
    status = state.filter(state.field == "status")
    known = charter.status.select(s="source", n="native", canonical="canonical")
    joined = status.left_join(known, [status.source == known.s, status.value.strip().lower() == known.n])
    return joined.select(
        "item", "source", "at", "weight", "node", "value",
        canonical=ibis.coalesce(joined.canonical, joined.value),
        known=joined.canonical.notnull(),
    )  # fmt: skip


def work_items(
    link: ir.Table, now: ir.Table, state: ir.Table, status: ir.Table, tables: CharterTables, charter: Charter
) -> ir.Table:
    """Items: item, title, label, phase, accountable, status, open, due, partner, records, created, updated, url.

    Status, phase and due date are those changed last in any tool; title and link come from the oldest record
    in a tool, a mail only where there is no other. `label` is how people call the item: its issue key, else
    its title in quotes.
    """
    # The status decides; one the charter does not map says nothing about being closed.
    last_status = _latest(status, value=status.canonical, known=status.known)
    closed = last_status.known & last_status.value.isin(list(charter.closed_statuses))
    status_now = last_status.select("item", status="value", closed=closed)

    phase = state.filter(state.field == "phase")
    phase_now = _latest(phase, value=phase.value)
    aliases = tables.phase.select(spelling="spelling", name="phase", accountable="accountable")
    phase_now = phase_now.left_join(aliases, phase_now.value.strip().lower() == aliases.spelling)
    phase_now = phase_now.select("item", phase=ibis.coalesce(ibis._.name, ibis._.value), accountable="accountable")

    due = state.filter(state.field == "due")
    due_now = _latest(due, value=due.value).select("item", due="value")

    partner = tables.source.select("source", "partner")
    rows = link.join(partner, "source")
    first = ibis.struct({"mail": (rows.tool == "mail").cast("int64"), "node": rows.node, "p": rows.partner})
    size = rows.group_by("item").aggregate(
        records=rows.count(), created=rows.created.min(), updated=rows.updated.max(), first=first.min()
    )
    items = size.mutate(partner=size.first["p"]).drop("first")
    for extra in (status_now, phase_now, due_now, _first(state, "title"), _first(state, "url"), _keys(now, link)):
        items = items.left_join(extra, "item").drop("item_right")
    titled = items.mutate(title=items.title.fill_null("(untitled)"), open=~items.closed.fill_null(False))
    label = ibis.coalesce(titled.key, ibis.literal("“") + titled.title + "”")
    return titled.mutate(label=label).drop("closed", "key")


def _latest(table: ir.Table, **values: ir.Value) -> ir.Table:
    """Per item the values of the row that changed last."""
    row = ibis.struct({"at": table.at, "weight": table.weight, "node": table.node, **values})
    return table.group_by("item").aggregate(row=row.max()).unpack("row")


def _first(state: ir.Table, field: str) -> ir.Table:
    """Per item the value of its oldest record, mails last."""
    rows = state.filter(state.field == field)
    rank = ibis.struct({"mail": (rows.tool == "mail").cast("int64"), "node": rows.node, field: rows.value})
    return rows.group_by("item").aggregate(row=rank.min()).unpack("row").select("item", field)


def _keys(now: ir.Table, link: ir.Table) -> ir.Table:
    """Per item the issue key people call it by, if it has one."""
    borne = now.filter(now.entity == "item", now.field == "identifier", now.value.notnull())
    borne = borne.select("source", "record", name="value").join(
        link.filter(link.tool == "jira").select("source", "record", "item"), ["source", "record"]
    )
    borne = borne.filter(borne.name.re_search(_JIRA_KEY))
    return borne.group_by("item").aggregate(key=borne.name.min())
