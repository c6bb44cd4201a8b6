"""Who owns the work: every tool's claim, and the golden owner with one plain sentence why."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from hub.charter.model import Charter
from hub.domain.records import OWNER_SEPARATOR
from reconciliation.charter_tables import CharterTables
from reconciliation.engine import Engine
from reconciliation.wording import day, named, sentence


def owner_changes(said: ir.Table, link: ir.Table) -> ir.Table:
    """Owner values as each record went through them, repetitions left out; `first` marks the initial one.

    Columns: item, source, record, node, tool, at, weight, seq, value, actor, origin, evidence, first, last.
    """
    own = said.filter(said.entity == "item", said.field == "owner")
    own = own.join(link.select("source", "record", "item", "node", "tool"), ["source", "record"])
    window = ibis.window(group_by=["source", "record"], order_by=["at", "weight", "seq"])
    own = own.mutate(before=own.value.lag().over(window), place=ibis.row_number().over(window))
    changed = own.filter((own.place == 0) | ~own.value.identical_to(own.before))
    back = ibis.window(group_by=["source", "record"], order_by=[ibis.desc("place")])
    return changed.select(
        "item", "source", "record", "node", "tool", "at", "weight", "seq", "value", "actor", "origin", "evidence",
        first=changed.place == 0,
        last=ibis.row_number().over(back) == 0,
    )  # fmt: skip


def claims(changes: ir.Table, link: ir.Table, identities: ir.Table) -> ir.Table:
    """Every tool's current say about the owner: one row per record and account, and one for nobody.

    `holder` is person, nobody (also queues, bots) or unmapped. A record of a tool that never stated an owner
    claims nobody since it was made; a mail without a statement claims nothing, and of several threads of an
    item only the latest statement counts.
    """
    stated = changes.filter(changes["last"]).select(
        "item", "source", "record", "node", "tool", "value", "actor", "evidence", since="at"
    )
    threads = ibis.window(group_by=["item", "source"], order_by=[ibis.desc("since"), "node"])
    stated = stated.mutate(turn=ibis.row_number().over(threads))
    stated = stated.filter((stated.tool != "mail") | (stated.turn == 0)).drop("turn")
    silent = link.filter(link.tool != "mail").anti_join(stated, ["source", "record"])
    empty = ibis.null("string")
    silent = silent.select(
        "item", "source", "record", "node", "tool", value=empty, actor=empty, evidence=ibis.literal(""), since="created"
    )
    every = ibis.union(stated, silent.select(*stated.columns))
    every = every.mutate(account=every.value.split(OWNER_SEPARATOR)).unnest("account", keep_empty=True)
    every = every.mutate(account=every.account.nullif(""))
    known = identities.select("source", account="account", person="person", how="how")
    every = every.left_join(known, ["source", "account"]).drop("source_right", "account_right")
    actors = identities.select("source", actor="account", actor_person="person", actor_how="how")
    every = every.left_join(actors, ["source", "actor"]).drop("source_right", "actor_right")
    holder = ibis.cases((every.person.notnull(), "person"), (every.how == "unmapped", "unmapped"), else_="nobody")
    return every.mutate(holder=holder)


def golden(
    claim: ir.Table, items: ir.Table, people: ir.Table, tables: CharterTables, charter: Charter, engine: Engine
) -> ir.Table:
    """Per item: base (the claim that won), person (the golden owner), reason, rule.

    `person` differs from `base` when the winner is gone, or when nobody owns the item and the accountable of
    its phase stands in. Both are null where only unmapped accounts claim it.
    """
    chosen = engine.keep(_chosen(claim, items, tables, charter))
    summary = claim.group_by("item").aggregate(
        persons=claim.person.nunique(),
        nobodies=(claim.holder == "nobody").sum(),
        strangers=(claim.holder == "unmapped").sum(),
        stranger=ibis.ifelse(
            claim.holder == "unmapped", claim.account + " in " + claim.source, ibis.null("string")
        ).min(),
    )
    table = items.select("item", "phase", "accountable")
    table = table.left_join(summary, "item").drop("item_right").left_join(chosen, "item").drop("item_right")
    table = named(table, people, "base", "actor_person")
    agreed = (table.persons == 1) & (table.nobodies == 0) & (table.strangers == 0)
    date = day(table.since)
    reason = ibis.cases(
        (table.base.isnull() & (table.strangers > 0), sentence("the charter does not know {who}", who=table.stranger)),
        (table.base.isnull(), "nobody owns it"),
        (agreed, "all tools agree"),
        (
            table.decides,
            sentence(
                "{source} decides who owns the work during {phase} (charter: survivorship.owner.by_phase)",
                source=table.source, phase=table.phase,
            ),
        ),
        (
            ibis.literal(charter.survivorship.owner.otherwise == "consensus"),
            sentence("most tools name {who} ({n} records)", n=table.support.cast("string"), who=table.base_name),
        ),
        (
            table.actor_person.notnull(),
            sentence(
                "the latest change by a person, {who} in {source} on {date}",
                who=table.actor_person_name, source=table.source, date=date,
            ),
        ),
        else_=sentence("the latest change, in {source} on {date}", source=table.source, date=date),
    )  # fmt: skip
    rule = ibis.cases(
        (table.base.isnull() & (table.strangers > 0), "people"),
        (table.base.isnull(), sentence("phases.{phase}.accountable", phase=table.phase)),
        (agreed, "survivorship.owner"),
        (table.decides, sentence("survivorship.owner.by_phase.{phase}", phase=table.phase)),
        else_="survivorship.owner.otherwise",
    )
    return _with_succession(table.mutate(reason=reason, rule=rule), people)


def _chosen(claim: ir.Table, items: ir.Table, tables: CharterTables, charter: Charter) -> ir.Table:
    """Per item the winning claim among those that name a person."""
    persons = claim.filter(claim.holder == "person")
    decider = items.join(tables.decider.select("phase", decider="source"), "phase").select("item", "decider")
    table = persons.left_join(decider, "item").drop("item_right")
    table = table.mutate(
        decides=(table.decider == table.source).fill_null(False),
        support=table.record.nunique().over(group_by=["item", "person"]),
        human=(table.actor_how.isnull() | ~table.actor_how.isin(["bot", "hub", "queue"])),
    )
    by_count = table.decides if charter.survivorship.owner.otherwise == "latest_change" else ibis.literal(True)
    row = ibis.struct(
        {
            "decides": table.decides.cast("int64"),
            "first": ibis.ifelse(by_count, table.support, table.human.cast("int64")),
            "since": table.since,
            "source": table.source,
            "base": table.person,
            "support": table.support,
            "actor_person": table.actor_person,
        }
    )
    best = table.group_by("item").aggregate(row=row.max()).unpack("row")
    return best.mutate(decides=best.decides == 1).drop("first")


def _with_succession(table: ir.Table, people: ir.Table) -> ir.Table:
    """Replaces winners who are gone by their heirs, and nobody by whoever is accountable."""
    gone = people.filter(people.gone).select(gone="person", why="gone_why", heir="heir", step="heir_step")
    table = table.left_join(gone, table.base == gone.gone)
    stand_in = people.select(s="person", stand_in_heir="heir", stand_in_gone="gone")
    table = table.left_join(stand_in, table.accountable == stand_in.s)
    stand_in_person = ibis.ifelse(table.stand_in_gone, table.stand_in_heir, table.accountable)
    ownerless = table.base.isnull() & ~(table.strangers > 0).fill_null(False)
    person = ibis.cases(
        (ownerless, stand_in_person),
        (table.gone.isnull(), table.base),
        (table.heir.notnull(), table.heir),
        else_=stand_in_person,
    )
    table = named(table.mutate(person=person), people, "person")
    accountable = sentence("{who} is accountable for {phase}", who=table.person_name, phase=table.phase)
    follow = sentence("; {who} {why}, ", who=table.base_name, why=table.why)
    reason = ibis.cases(
        (ownerless & table.person.isnull(), table.reason + ", and no phase names who is accountable"),
        (ownerless, table.reason + "; " + accountable),
        (table.gone.isnull(), table.reason),
        (
            table.heir.notnull(),
            table.reason + follow + sentence("{who} is the {step}", who=table.person_name, step=table.step),
        ),
        (table.person.notnull(), table.reason + follow + accountable),
        else_=table.reason + follow + "and nobody takes over",
    )
    rule = ibis.cases(
        (table.gone.isnull(), table.rule),
        (table.step == "successor", sentence("people.{who}.successor", who=table.base)),
        (table.step == "team lead", sentence("people.{who}.team", who=table.base)),
        else_=sentence("phases.{phase}.accountable", phase=table.phase),
    )
    return table.select("item", "base", "person", "person_name", reason=reason, rule=rule)
