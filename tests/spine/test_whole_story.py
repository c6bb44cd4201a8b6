"""From four tools that disagree to a corrected owner, on both databases."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import pytest

from hub.announce import announce
from hub.cli.score import score
from hub.domain.findings import FINDING_KINDS
from hub.flow.apply import apply
from hub.flow.approve import approve
from hub.flow.story import story, trace
from hub.flow.sync import sync, think
from hub.flow.undo import inverse_plan
from hub.wiring import open_hub
from tests.spine.conftest import Company, clock


def test_disagreement_to_nothing_left(company: Company, ledger_url: str) -> None:
    company.use_database(ledger_url)
    key = json.loads((company.directory / "answer_key.json").read_text(encoding="utf-8"))
    with open_hub(company.config) as hub:
        first = sync(hub.ledger, hub.charter, hub.connector, clock=clock)
        assert first.pull.failed == ()
        assert [receipt for receipt in first.pull.receipts if receipt.gap] == []
        assert hub.ledger.quarantined() == ()

        scored = score(key, hub.ledger.findings())
        assert scored.planted == scored.found
        assert set(scored.precision.values()) == {1.0}
        assert set(scored.recall.values()) == {1.0}
        assert set(scored.planted) == set(FINDING_KINDS)
        assert min(scored.planted.values()) >= 2

        announce(hub, first.reconciled.changes, first.plan, now=clock())
        approve(hub.ledger, hub.charter, first.plan.id, now=clock(), code=company.code(hub, first.plan.id))
        applied = apply(hub.ledger, hub.charter, first.plan.id, writer=hub.writer, clock=clock, sleep=time.sleep)
        assert applied.outcomes == {"confirmed": len(first.plan.changes)}
        assert {row.change.source for row in applied.rows} == set(hub.charter.sources)

        second = sync(hub.ledger, hub.charter, hub.connector, clock=clock)
        assert second.plan.changes == ()
        for kind in ("owner_conflict", "ghost_owner", "orphan_item", "split_ownership"):
            assert second.reconciled.findings[kind] == 0, kind

        third = sync(hub.ledger, hub.charter, hub.connector, clock=clock)
        assert sum(r.new_observations for r in third.pull.receipts) == 0
        assert third.reconciled.changes.opened == ()


def test_the_story_of_an_item_names_why(company: Company) -> None:
    with open_hub(company.config) as hub:
        sync(hub.ledger, hub.charter, hub.connector, clock=clock)
        conflict = hub.ledger.findings(kind="owner_conflict")[0]
        told = story(hub.ledger, conflict.refs[0][1])
        assert told.item["item"] == conflict.item
        assert {claim["person"] for claim in told.claims} >= {conflict.from_person, conflict.to_person}
        assert [claim["won"] for claim in told.claims].count(True) >= 1
        why = trace(hub.ledger, conflict.item, "owner")
        assert why.value == conflict.to_person
        assert why.why
        raw = hub.ledger.raw(why.lines[-1].raw)
        assert raw is not None
        assert (raw.source, raw.native_id) == (why.lines[-1].source, why.lines[-1].record) or raw.payload


def test_the_person_is_told_once(company: Company) -> None:
    with open_hub(company.config) as hub:
        first = sync(hub.ledger, hub.charter, hub.connector, clock=clock)
        announce(hub, first.reconciled.changes, first.plan, now=clock())
        reader = hub.charter.people[hub.charter.alerts.mail_to[0]].email or ""
        told = len(company.letters(reader))
        assert told > 0
        again = sync(hub.ledger, hub.charter, hub.connector, clock=clock)
        assert again.plan.id == first.plan.id
        announce(hub, again.reconciled.changes, again.plan, now=clock())
        assert len(company.letters(reader)) == told


def test_the_person_is_told_even_if_the_run_that_found_it_died_before_telling(company: Company) -> None:
    with open_hub(company.config) as hub:
        sync(hub.ledger, hub.charter, hub.connector, clock=clock)
        again = sync(hub.ledger, hub.charter, hub.connector, clock=clock)
        assert again.reconciled.changes.opened == ()
        announce(hub, again.reconciled.changes, again.plan, now=clock())
        reader = hub.charter.people[hub.charter.alerts.mail_to[0]].email or ""
        subjects = [dict(letter["headers"])["Subject"] for letter in company.letters(reader)]
        assert any("owner conflict" in subject for subject in subjects)


def test_a_resolved_case_says_so(company: Company) -> None:
    with open_hub(company.config) as hub:
        first = sync(hub.ledger, hub.charter, hub.connector, clock=clock)
        announce(hub, first.reconciled.changes, first.plan, now=clock())
        approve(hub.ledger, hub.charter, first.plan.id, now=clock(), code=company.code(hub, first.plan.id))
        apply(hub.ledger, hub.charter, first.plan.id, writer=hub.writer, clock=clock, sleep=time.sleep)
        second = sync(hub.ledger, hub.charter, hub.connector, clock=clock)
        announce(hub, second.reconciled.changes, second.plan, now=clock())
        reader = hub.charter.people[hub.charter.alerts.mail_to[0]].email or ""
        subjects = [dict(letter["headers"])["Subject"] for letter in company.letters(reader)]
        assert any("Resolved" in subject and "owner conflict" in subject for subject in subjects)


def test_undo_brings_the_disagreement_back(company: Company) -> None:
    with open_hub(company.config) as hub:
        first = sync(hub.ledger, hub.charter, hub.connector, clock=clock)
        announce(hub, first.reconciled.changes, first.plan, now=clock())
        approve(hub.ledger, hub.charter, first.plan.id, now=clock(), code=company.code(hub, first.plan.id))
        apply(hub.ledger, hub.charter, first.plan.id, writer=hub.writer, clock=clock, sleep=time.sleep)
        inverse = inverse_plan(hub.ledger, hub.charter, first.plan.id, now=clock())
        announce(hub, first.reconciled.changes, inverse, now=clock())
        approve(hub.ledger, hub.charter, inverse.id, now=clock(), code=company.code(hub, inverse.id))
        undone = apply(hub.ledger, hub.charter, inverse.id, writer=hub.writer, clock=clock, sleep=time.sleep)
        # A tool takes back everybody but those who left: nobody is put in charge who cannot work.
        refused = [row for row in undone.rows if row.outcome != "confirmed"]
        left = len(hub.ledger.findings(kind="ghost_owner"))
        assert 0 < len({row.change.item for row in refused}) <= left
        assert {row.outcome for row in refused} == {"refused_policy"}
        sync(hub.ledger, hub.charter, hub.connector, clock=clock)
        after_grace = think(hub.ledger, hub.charter, clock=lambda: clock() + hub.charter.grace + timedelta(minutes=5))
        assert after_grace.findings["owner_conflict"] >= first.reconciled.findings["owner_conflict"]


@pytest.mark.parametrize("person", ["hedy", "nobody"])
def test_who_may_not_approve_is_refused(company: Company, person: str) -> None:
    from hub.errors import ApprovalRefused

    with open_hub(company.config) as hub:
        plan = sync(hub.ledger, hub.charter, hub.connector, clock=clock).plan
        with pytest.raises(ApprovalRefused):
            approve(hub.ledger, hub.charter, plan.id, now=clock(), person=person, token="guess")
        with pytest.raises(ApprovalRefused):
            approve(hub.ledger, hub.charter, plan.id, now=clock(), code="AAAAA-AAAAA")
        with pytest.raises(ApprovalRefused):
            apply(hub.ledger, hub.charter, plan.id, writer=hub.writer, clock=clock, sleep=time.sleep)
    assert [len(company.writes(tool)) for tool in ("salesforce", "jira", "airtable")] == [0, 0, 0]


def test_a_reference_taken_back_no_longer_links(company: Company) -> None:
    from sandbox.store import Store

    store = Store(company.directory / "world.sqlite")
    with open_hub(company.config) as hub:
        mapping = hub.charter.sources["studio_airtable"].items
        sync(hub.ledger, hub.charter, hub.connector, clock=clock)
        items = {(row["source"], row["record"]): row["item"] for row in hub.ledger.derived("link").to_pylist()}
        row = next(
            row
            for (source, record), item in items.items()
            if source == "studio_airtable" and list(items.values()).count(item) == 2
            for row in [store.get("studio_airtable", "record", record)]
            if row is not None and any(row["fields"].get(name) for name in mapping.references)
            # and the other record does not point back
            if not any(
                row["id"] in str(doc) for kind in ("Case", "Opportunity") for doc in store.scan("acme_salesforce", kind)
            )
            if not any(row["id"] in str(doc) for doc in store.scan("acme_jira", "issue"))
        )
        for name in (*mapping.references, *mapping.identifiers):
            row["fields"].pop(name, None)
        row["fields"][mapping.title] = "Something else altogether"
        stamp = clock().strftime("%Y-%m-%dT%H:%M:%S.000Z")
        store.put("studio_airtable", "record", [(row["id"], stamp, row | {"_modified": stamp})])
        sync(hub.ledger, hub.charter, hub.connector, clock=clock)
        after = {(row["source"], row["record"]): row["item"] for row in hub.ledger.derived("link").to_pylist()}
        assert list(after.values()).count(after["studio_airtable", row["id"]]) == 1
