"""Which account is which person. What proves least is tried last, and a doubt leaves the account unmapped."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from hub.charter.model import Charter
from hub.domain.records import OWNER_SEPARATOR
from reconciliation.charter_tables import CharterTables
from reconciliation.engine import Engine
from reconciliation.titles import fold, words

#: Accounts of these kinds act, but are nobody.
NOT_PEOPLE = ("bot", "hub", "queue")

_ATTRIBUTES = ("name", "email", "active", "kind")


def identity(said: ir.Table, now: ir.Table, gone: ir.Table, charter: CharterTables, engine: Engine) -> ir.Table:
    """Every account any tool named, with its person: source, account, person, how, score, name, active, kind.

    In this order: the charter's own entry, the account's e-mail address, the account id being an address, the
    display name. A name counts only if one person of the charter goes by it and one account in the source
    shows it. Bots, queues and the hub's own accounts are nobody, whatever else speaks for them. An account that was
    merged is whoever its survivor is, unless the charter says otherwise; merged and deleted accounts are not active.
    """
    account = engine.keep(_attributes(said, now))
    proven = engine.keep(_proven(account, charter))
    by_name = _by_name(proven, charter)
    joined = proven.left_join(by_name, ["source", "account"])
    person = ibis.coalesce(joined.person, joined.named)
    how = ibis.coalesce(joined.how, ibis.ifelse(joined.named.notnull(), "name", "unmapped"))
    found = joined.select("source", "account", "name", "active", "kind", person=person, how=how)
    found = engine.keep(_after_merges(engine.keep(found), gone))
    return found.mutate(score=ibis.ifelse(found.person.isnull(), 0.0, ibis.ifelse(found.how == "name", 0.9, 1.0)))


def _after_merges(found: ir.Table, gone: ir.Table) -> ir.Table:
    lost = gone.filter(gone.entity == "account", gone.value != "unreachable")
    survivors = found.select(at="source", survivor="account", whose="person", proof="how")
    heirs = lost.left_join(survivors, [lost.source == survivors["at"], lost.survivor == survivors.survivor])
    heirs = heirs.select("source", "whose", "proof", account="record", off=ibis.literal(True))
    table = found.left_join(heirs, ["source", "account"])
    taken = table.whose.notnull() & (table.how != "charter")
    return table.select(
        "source",
        "account",
        "name",
        "kind",
        active=ibis.ifelse(table.off.notnull(), "false", table.active),
        person=ibis.ifelse(taken, table.whose, table.person),
        how=ibis.ifelse(taken, table.proof, table.how),
    )


def _attributes(said: ir.Table, now: ir.Table) -> ir.Table:
    """Each account with what its tool says about it."""
    items = said.filter(said.entity == "item")
    holders = items.filter(items.field.isin(["owner", "approver"]), items.value.notnull())
    named = (
        said.filter(said.entity == "account").select("source", account="record"),
        items.filter(items.actor.notnull()).select("source", account="actor"),
        holders.select("source", account=holders.value.split(OWNER_SEPARATOR)).unnest("account"),
    )
    accounts = ibis.union(*(t.distinct() for t in named), distinct=True)
    accounts = accounts.filter(accounts.account != "")
    told = now.filter(now.entity == "account")
    attributes = told.group_by("source", account="record").aggregate(
        **{name: told.value.max(where=told.field == name) for name in _ATTRIBUTES}
    )
    return accounts.left_join(attributes, ["source", "account"]).select(
        "source", "account", "active", "email", name="name", kind=ibis._.kind.fill_null("person")
    )


def _proven(account: ir.Table, charter: CharterTables) -> ir.Table:
    """Accounts with the person that the charter or an address proves."""
    told = charter.account.select(s="source", a="account", told="person")
    by_mail = charter.email.select(e="email", by_mail="person")
    by_id = charter.email.select(i="email", by_id="person")
    table = account.left_join(told, [account.source == told.s, account.account == told.a])
    table = table.left_join(by_mail, table.email.strip().lower() == by_mail.e)
    table = table.left_join(by_id, table.account.strip().lower() == by_id.i)
    nobody = table.kind.isin(NOT_PEOPLE)
    how = ibis.cases(
        (nobody, table.kind),
        (table.told.notnull(), "charter"),
        (table.by_mail.notnull(), "email"),
        (table.by_id.notnull(), "address"),
    )
    person = ibis.ifelse(nobody, ibis.null("string"), ibis.coalesce(table.told, table.by_mail, table.by_id))
    return table.select("source", "account", "name", "active", "kind", how=how, person=person)


def _by_name(proven: ir.Table, charter: CharterTables) -> ir.Table:
    """(source, account, named): unproven accounts whose name tells who they are."""
    called = charter.name.select("person", called=words(fold(charter.name.name)).join(" ")).distinct()
    unique = called.group_by("called").aggregate(people=called.person.nunique(), named=called.person.min())
    unique = unique.filter(unique.people == 1, unique.called != "").select("called", "named")
    shown = proven.filter(~proven.kind.isin(NOT_PEOPLE), proven.name.notnull())
    shown = shown.select("source", "account", "person", shown=words(fold(shown.name)).join(" "))
    rivals = shown.mutate(rivals=shown.count().over(group_by=["source", "shown"]))
    doubtless = rivals.filter(rivals.person.isnull(), rivals.rivals == 1)
    return doubtless.join(unique, doubtless.shown == unique.called).select("source", "account", "named")


def gone_accounts(identities: ir.Table) -> ir.Table:
    """(person, source) where every account the person has in that source is switched off."""
    of_people = identities.filter(identities.person.notnull())
    per_source = of_people.group_by("person", "source").aggregate(
        on=(of_people.active.fill_null("true") != "false").sum()
    )
    return per_source.filter(per_source.on == 0).group_by("person").aggregate(source=per_source.source.min())


def people(charter: Charter, switched_off: dict[str, str], *, as_of: datetime) -> pa.Table:
    """The charter's people, who of them is gone and who takes over what they own.

    Columns: person, name, partner, gone, gone_why, heir, heir_step; the last three empty for those who are
    here. The heir is the first successor who is still here, else the team's lead.
    """
    today = as_of.astimezone(UTC).date()
    why: dict[str, str] = {}
    for key, person in charter.people.items():
        if person.left is not None and person.left <= today:
            why[key] = f"left on {person.left.isoformat()}"
        elif key in switched_off:
            why[key] = f"is switched off in {switched_off[key]}"
    heirs = {key: _heir(charter, key, why) for key in why}
    keys = list(charter.people)
    return pa.table(
        {
            "person": pa.array(keys, pa.string()),
            "name": pa.array([charter.people[k].name for k in keys], pa.string()),
            "partner": pa.array([charter.people[k].partner for k in keys], pa.string()),
            "gone": pa.array([k in why for k in keys], pa.bool_()),
            "gone_why": pa.array([why.get(k) for k in keys], pa.string()),
            "heir": pa.array([heirs[k][0] if k in why else None for k in keys], pa.string()),
            "heir_step": pa.array([heirs[k][1] if k in why else None for k in keys], pa.string()),
        }
    )


def _heir(charter: Charter, key: str, gone: Collection[str]) -> tuple[str | None, str | None]:
    """Who takes over from somebody who is gone, and by which step."""
    seen = {key}
    follower = charter.people[key].successor
    while follower is not None and follower not in seen:
        if follower not in gone:
            return follower, "successor"
        seen.add(follower)
        follower = charter.people[follower].successor
    team = charter.people[key].team
    lead = charter.teams[team].lead if team is not None else None
    if lead is not None and lead not in gone:
        return lead, "team lead"
    return None, None
