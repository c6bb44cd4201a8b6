"""Owners that tools would have to change so that every tool names the golden owner."""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.types as ir

from hub.charter.model import Charter
from reconciliation.charter_tables import CharterTables
from reconciliation.columns import micros, span
from reconciliation.findings.orphan_item import UNOWNED_FOR
from reconciliation.identity import NOT_PEOPLE
from reconciliation.view import View

#: A mail is sent only for work that lives nowhere else.
_TOOLS = ("salesforce", "jira", "airtable")


def corrections(view: View, tables: CharterTables, charter: Charter, *, as_of: datetime) -> ir.Table:
    """source, record, item, title, expected, desired, person, reason, url.

    For records of open items in writable sources whose owner is not exactly the golden person. Left alone:
    items with an unmapped owner anywhere, golden people without a working account in that source, and
    differences younger than the grace time (a day where nobody owns the item at all).
    """
    says = _says(view)
    state = says.group_by("item").aggregate(
        changed=says.since.max(), strangers=says.strangers.sum(), holders=says.holders.sum()
    )
    wait = ibis.ifelse(state.holders == 0, span(UNOWNED_FOR), span(charter.grace))
    ripe = state.filter(state.strangers == 0, state.changed + wait < micros(as_of)).select("item")
    items = view.item.filter(view.item.open, view.item.person.notnull()).semi_join(ripe, "item")
    items = items.select("item", "title", "reason", golden="person")
    wrong = says.join(items, "item")
    exact = (wrong.accounts == 1) & (wrong.holders == 1) & (wrong.person == wrong.golden)
    wrong = wrong.filter(~exact.fill_null(False))
    wrong = wrong.semi_join(view.source.filter(view.source.writable), "source")
    desired = _accounts(view, tables)
    joined = wrong.join(desired, [wrong.source == desired.at, wrong.golden == desired.who])
    url = view.now.filter(view.now.entity == "item", view.now.field == "url").select("source", "record", url="value")
    joined = joined.left_join(url, ["source", "record"])
    return joined.select(
        "source", "record", "item", "title", "desired", "reason", expected="value", person="golden",
        url=ibis.coalesce(joined.url, joined.evidence, ""),
    )  # fmt: skip


def _says(view: View) -> ir.Table:
    """What each record that could be corrected says: value, persons, holders, strangers, accounts, since."""
    tools = view.claim.filter(view.claim.tool.isin(list(_TOOLS)))
    elsewhere = view.link.filter(view.link.tool.isin(list(_TOOLS))).select("item").distinct()
    mails = view.claim.filter(view.claim.tool == "mail").anti_join(elsewhere, "item")
    claim = ibis.union(tools, mails)
    said = claim.group_by("item", "source", "record", "tool").aggregate(
        value=claim.value.max(),
        evidence=claim.evidence.max(),
        since=claim.since.max(),
        accounts=claim.account.nunique(),
        holders=claim.person.nunique(),
        person=claim.person.min(),
        strangers=(claim.holder == "unmapped").sum(),
    )
    silent = view.link.filter(view.link.tool == "mail").anti_join(elsewhere, "item").anti_join(said, "item")
    # One mail, to the oldest thread.
    oldest = ibis.struct({"node": silent.node, "source": silent.source, "record": silent.record, "at": silent.created})
    thread = silent.group_by("item").aggregate(oldest=oldest.min()).unpack("oldest")
    empty = ibis.null("string")
    nothing = ibis.literal(0, type="int64")
    never = thread.select(
        "item", "source", "record", tool=ibis.literal("mail"), value=empty, evidence=empty, since="at",
        accounts=nothing, holders=nothing, person=empty, strangers=nothing,
    )  # fmt: skip
    return ibis.union(said, never.select(*said.columns))


def _accounts(view: View, tables: CharterTables) -> ir.Table:
    """(at, who, desired): the account of each person in each source that may own work there."""
    usable = view.identity.filter(
        view.identity.person.notnull(),
        ~view.identity.kind.isin(NOT_PEOPLE),
        view.identity.active.fill_null("true") != "false",
    )
    usable = usable.join(view.source.select("source", "tool"), "source").filter(lambda t: t.tool != "mail")
    order = usable.how.cases(("charter", 0), ("email", 1), ("address", 2), else_=3)
    best = ibis.struct({"order": order, "account": usable.account}).min()
    native = usable.group_by(at="source", who="person").aggregate(best=best)
    native = native.select("at", "who", desired=native.best["account"])
    mailboxes = view.source.filter(view.source.tool == "mail").select(at="source")
    by_mail = mailboxes.cross_join(tables.email.select(who="person", desired="email"))
    return ibis.union(native, by_mail)
