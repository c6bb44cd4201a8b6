"""One reconciliation: observations and charter in, everything derived out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import ibis
import pyarrow as pa

from hub.charter.model import Charter
from reconciliation import assemble, columns
from reconciliation.charter_tables import CharterTables, charter_tables
from reconciliation.corrections import corrections
from reconciliation.current import current, observations
from reconciliation.engine import Engine
from reconciliation.findings import DETECTORS
from reconciliation.handoffs import acts, handoffs, phase_steps
from reconciliation.identity import gone_accounts, identity, people
from reconciliation.link import link, records, seen
from reconciliation.ownership import claims, golden, owner_changes
from reconciliation.presence import gone
from reconciliation.view import View
from reconciliation.work_items import record_state, statuses, work_items


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What one reconciliation found out; tables have the columns of `reconciliation.columns`, times in UTC.

    `counts`: observations, records, items, open_items, accounts, unmapped_accounts, people, handoffs, returns,
    missed, unmapped_statuses, findings, corrections.
    """

    identity: pa.Table
    link: pa.Table
    work_item: pa.Table
    owner_claim: pa.Table
    handoff: pa.Table
    finding: pa.Table
    correction: pa.Table
    counts: dict[str, int]


def reconcile(observed: pa.Table | Iterable[pa.RecordBatch], charter: Charter, *, as_of: datetime) -> Reconciled:
    """Everything that follows from the observations under the charter, judged at `as_of` (aware).

    `observed` has the columns of `columns.OBSERVATION` (more are ignored), in any order of rows; records of
    sources that the charter does not name are left out. Batches are read once and let go one by one. The same
    input gives the same bytes.
    """
    batches = observed.to_batches() if isinstance(observed, pa.Table) else observed
    with Engine() as engine:
        tables = charter_tables(engine, charter)
        view, counted = _view(engine, batches, tables, charter, as_of)
        return _results(engine, view, tables, charter, as_of, counted)


def _view(
    engine: Engine, observed: Iterable[pa.RecordBatch], tables: CharterTables, charter: Charter, as_of: datetime
) -> tuple[View, dict[str, int]]:
    keep = engine.keep
    said = observations(engine, observed)
    counted = {"observations": engine.count(said)}
    now = keep(current(said))
    lost = keep(gone(now))
    identities = keep(identity(said, now, lost, tables, engine))
    switched_off = {row["person"]: row["source"] for row in engine.read(gone_accounts(identities)).to_pylist()}
    everybody = engine.take(people(charter, switched_off, as_of=as_of))
    linked = keep(seen(link(keep(records(said, tables.source, lost)), now, lost, engine), lost))

    state = keep(record_state(now, linked))
    status = keep(statuses(state, tables))
    work = keep(work_items(linked, now, state, status, tables, charter))
    changes = keep(owner_changes(said, linked))
    claim = keep(claims(changes, linked, identities))
    owner = golden(claim, work, everybody, tables, charter, engine)
    item = keep(work.left_join(keep(owner), "item").drop("item_right"))

    act = keep(acts(said, linked, identities))
    steps = keep(phase_steps(said, linked, tables))
    del said  # the largest table: its memory is for what follows
    handoff = keep(handoffs(act, changes, identities, steps, tables, charter, engine))
    counted["unmapped_statuses"] = engine.count(status.filter(~status.known).select("source", "value").distinct())
    view = View(
        engine=engine, item=item, link=linked, now=now, claim=claim, handoff=handoff, act=act,
        identity=identities, people=everybody, source=tables.source,
    )  # fmt: skip
    return view, counted


def _results(
    engine: Engine,
    view: View,
    tables: CharterTables,
    charter: Charter,
    as_of: datetime,
    counted: dict[str, int],
) -> Reconciled:
    def out(table: ibis.Table, schema: pa.Schema) -> pa.Table:
        return columns.shaped(engine.read(columns.ordered(table, schema)), schema)

    found = [engine.keep(detect(view, charter, as_of=as_of)) for detect in DETECTORS]
    raw = engine.keep(ibis.union(*found))
    concerned = view.link.semi_join(raw, "item")
    refs: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in engine.read(concerned.select("item", "source", "record")).to_pylist():
        refs[row["item"]].append((row["source"], row["record"]))
    titles = engine.read(view.item.semi_join(raw, "item").select("item", "title")).to_pylist()
    finding = assemble.findings(
        engine.read(raw).to_pylist(), {row["item"]: row["title"] for row in titles}, refs, charter
    )
    wanted = engine.read(corrections(view, tables, charter, as_of=as_of)).to_pylist()
    correction = assemble.corrections(wanted, finding)

    claim = view.claim.join(view.item.select("item", golden="person"), "item")
    claim = claim.mutate(won=(claim.person == claim.golden).fill_null(False))
    partners = view.people.select(p="person", of_owner="partner")
    item = view.item.left_join(partners, view.item.person == partners.p)
    item = item.mutate(
        owner_person=item.person, owner_reason=item.reason, owner_rule=item.rule, updated_at=item.updated,
        partner=ibis.coalesce(item.of_owner, item.partner),
    )  # fmt: skip
    work_item = out(item, columns.WORK_ITEM)
    identities = out(view.identity, columns.IDENTITY)
    handoff = out(view.handoff, columns.HANDOFF)
    kinds = finding.column("kind").to_pylist()
    counts = {
        "observations": counted["observations"],
        "records": engine.count(view.link),
        "items": work_item.num_rows,
        "open_items": sum(work_item.column("open").to_pylist()),
        "accounts": identities.num_rows,
        "unmapped_accounts": identities.column("how").to_pylist().count("unmapped"),
        "people": len(set(identities.column("person").to_pylist()) - {None}),
        "handoffs": handoff.num_rows,
        "returns": sum(handoff.column("returned").to_pylist()),
        "missed": kinds.count("missed_handoff"),
        "unmapped_statuses": counted["unmapped_statuses"],
        "findings": len(kinds),
        "corrections": correction.num_rows,
    }
    return Reconciled(
        identity=identities,
        link=out(view.link, columns.LINK),
        work_item=work_item,
        owner_claim=out(claim, columns.OWNER_CLAIM),
        handoff=handoff,
        finding=finding,
        correction=correction,
        counts=counts,
    )
