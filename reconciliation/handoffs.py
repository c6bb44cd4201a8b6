"""Handoffs: who passed work to whom, when it was due, and the receiver's first act on it."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from hub.charter.model import Charter
from hub.domain.records import OWNER_SEPARATOR
from reconciliation.charter_tables import CharterTables
from reconciliation.columns import span
from reconciliation.engine import Engine

#: What counts as taking work up.
ACTS = ("status", "phase", "update", "activity", "approval", "owner")


def acts(said: ir.Table, link: ir.Table, identities: ir.Table) -> ir.Table:
    """Everything people did to records: item, source, record, seq, field, value, at, actor, person, evidence.

    Only what the tools' histories and messages prove; bots, queues and the hub act as nobody. `doer` is the
    person, or for an unmapped account the name it shows.
    """
    done = said.filter(said.entity == "item", said.origin.isin(["history", "event"]), said.actor.notnull())
    who = identities.filter(~identities.how.isin(["bot", "hub", "queue"]))
    who = who.select("source", actor="account", person="person", doer=ibis.coalesce(who.person, who.name, who.account))
    done = done.join(who, ["source", "actor"])
    done = done.join(link.select("source", "record", "item"), ["source", "record"])
    return done.select(
        "item", "source", "record", "seq", "field", "part", "value", "at", "actor", "person", "doer", "evidence"
    )


def handoffs(
    act: ir.Table,
    changes: ir.Table,
    identities: ir.Table,
    phase_steps: ir.Table,
    tables: CharterTables,
    charter: Charter,
    engine: Engine,
) -> ir.Table:
    """item, n, from_person, to_person, offered_at, due_at, accepted_at, how, returned, final and evidence columns.

    Rows of an item are numbered `n` in time; `final` marks the last, `back_at` is when the next handoff
    returned the work to its sender.
    """
    if charter.handoffs.detect == "actor_change":
        return _with_returns(engine.keep(_by_actor(act, charter)), charter)
    steps = engine.keep(_by_owner(changes, identities, charter, engine))
    return _with_returns(engine.keep(_accepted(_with_due(steps, phase_steps, tables, charter), act)), charter)


def phase_steps(said: ir.Table, link: ir.Table, tables: CharterTables) -> ir.Table:
    """(item, from_phase, to_phase, at) in the charter's names, over all tools."""
    told = said.filter(said.entity == "item", said.field == "phase", said.value.notnull())
    told = told.join(link.select("source", "record", "item"), ["source", "record"])
    names = tables.phase.select(spelling="spelling", name="phase")
    told = told.join(names, told.value.strip().lower() == names.spelling)
    window = ibis.window(group_by="item", order_by=["at", "source", "seq"])
    steps = told.mutate(before=told.name.lag().over(window))
    steps = steps.filter(steps.before.notnull(), steps.before != steps.name)
    return steps.select("item", "at", from_phase="before", to_phase="name")


def _by_owner(changes: ir.Table, identities: ir.Table, charter: Charter, engine: Engine) -> ir.Table:
    """Steps of the owner, as all tools together tell them."""
    told = changes.filter((changes.origin != "snapshot") | ~changes["first"])
    told = told.filter(told.value.notnull(), ~told.value.contains(OWNER_SEPARATOR))
    owners = identities.filter(identities.person.notnull())
    owners = owners.select("source", value="account", person="person")
    hub = identities.filter(identities.how == "hub").select("source", actor="account")
    told = told.join(owners, ["source", "value"]).anti_join(hub, ["source", "actor"])
    own = ibis.window(group_by=["source", "record"], order_by=["at", "weight", "seq"])
    told = engine.keep(told.mutate(own_before=told["at"].lag().over(own)))

    # A tool that gets an older change late, while others already moved on, does not hand the work back: the
    # same person was named elsewhere within the grace time, and this record changed nothing since.
    same = ibis.window(group_by=["item", "person"], order_by=["at", "source", "record", "seq"])
    told = told.mutate(peer=told.node.lag().over(same), peer_at=told["at"].lag().over(same))
    echo = (
        (told.peer != told.node)
        & (told.peer_at >= told["at"] - span(charter.grace))
        & (told.own_before.isnull() | (told.own_before < told.peer_at))
    )
    told = told.filter(~echo.fill_null(False))
    return _steps(told.mutate(doer=told.person), ["at", "source", "record", "seq"])


def _steps(told: ir.Table, order: list[str]) -> ir.Table:
    """Where the doer changes: one row per run of the same one, with the run before it."""
    window = ibis.window(group_by="item", order_by=order)
    runs = told.mutate(before=told.doer.lag().over(window), before_at=told["at"].lag().over(window))
    steps = runs.filter(runs.before.notnull(), runs.before != runs.doer)
    number = ibis.row_number().over(ibis.window(group_by="item", order_by=order))
    return steps.mutate(n=number, from_person=steps.before, to_person=steps.doer)


def _with_due(steps: ir.Table, phases: ir.Table, tables: CharterTables, charter: Charter) -> ir.Table:
    """When the receiver must have acted: the phases' own protocol, else the general rule."""
    agreed = phases.join(tables.protocol, ["from_phase", "to_phase"]).select(
        "item", "accept_within", "protocol", "escalate_to", moved="at"
    )
    near = steps.select("item", "n", offered="at").join(agreed, "item")
    near = near.filter((near.moved - near.offered).abs() <= span(charter.grace))
    row = ibis.struct({"w": near.accept_within, "p": near.protocol, "e": near.escalate_to})
    strictest = near.group_by("item", "n").aggregate(row=row.min()).unpack("row")
    table = steps.left_join(strictest, ["item", "n"]).drop("item_right", "n_right")
    within = table.w.fill_null(span(charter.handoffs.accept_within))
    rule = ibis.ifelse(
        table.p.notnull(),
        ibis.literal("handoffs.protocols.") + table.p + ".accept_within",
        "handoffs.accept_within",
    )
    return table.select(
        "item", "n", "from_person", "to_person", "source", "record", "actor", "evidence",
        offered_at="at", due_at=table["at"] + within, rule=rule, escalate_to="e",
    )  # fmt: skip


def _accepted(steps: ir.Table, act: ir.Table) -> ir.Table:
    """The receiver's first act on any record of the item at or after the offer."""
    done = act.filter(act.person.notnull(), act.field.isin(list(ACTS))).select("item", "person", done="at").distinct()
    offer = steps.select("item", "n", "to_person", "offered_at")
    taken = offer.join(done, [("item", "item"), ("to_person", "person")])
    taken = taken.filter(taken.done >= taken.offered_at)
    taken = taken.group_by("item", "n").aggregate(accepted_at=taken.done.min())
    table = steps.left_join(taken, ["item", "n"]).drop("item_right", "n_right")
    return table.mutate(how=ibis.literal("owner_change"))


def _by_actor(act: ir.Table, charter: Charter) -> ir.Table:
    """Steps of who acts: the next act by somebody else takes the work over."""
    steps = _steps(_in_turn(act), ["at", "source", "record", "turn", "seq"])
    return steps.select(
        "item", "n", "from_person", "to_person", "source", "record", "actor", "evidence",
        offered_at="before_at",
        due_at=steps.before_at + span(charter.handoffs.accept_within),
        rule=ibis.literal("handoffs.accept_within"),
        escalate_to=ibis.null("string"),
        accepted_at="at",
        how=ibis.literal("actor_change"),
    )  # fmt: skip


def _in_turn(act: ir.Table) -> ir.Table:
    """Acts with the `turn` that puts those of one instant in the order in which their record tells them.

    A record tells each of its fields in order, but one field after the other: the one with most acts leads, and
    who is in none of its acts follows. What somebody did to several records at once counts in the first of them.
    """
    instant = ["item", "at"]
    place = [*instant, "source", "record"]
    told = act.mutate(told=act.seq.count().over(ibis.window(group_by=[*place, "field"])))
    where = ibis.struct({"s": told.source, "r": told.record})
    told = told.mutate(where=where, first=where.min().over(ibis.window(group_by=[*instant, "doer"])))
    told = told.filter(told.where == told["first"])
    rank = ibis.struct({"n": -told.told, "f": told.field})
    told = told.mutate(best=rank.min().over(ibis.window(group_by=place)))
    leads = told.filter(told.field == told.best["f"])
    rest = told.anti_join(leads, [*place, "doer"])
    return ibis.union(
        leads.mutate(turn=ibis.literal(0)).drop("where", "first", "best"),
        rest.mutate(turn=ibis.literal(1)).drop("where", "first", "best"),
    )


def _with_returns(steps: ir.Table, charter: Charter) -> ir.Table:
    """Marks handoffs whose next handoff gave the work back in time."""
    window = ibis.window(group_by="item", order_by="n")
    table = steps.mutate(next_to=steps.to_person.lead().over(window), back_at=steps.offered_at.lead().over(window))
    within = span(charter.handoffs.returned_within)
    in_time = ibis.literal(True) if within == 0 else table.back_at - table.offered_at <= within
    returned = ((table.next_to == table.from_person) & in_time).fill_null(False)
    return table.mutate(returned=returned, final=table.next_to.isnull())
