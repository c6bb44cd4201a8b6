"""What the tools hold: histories that lead to the present, references that lead from record to record."""

from __future__ import annotations

import base64
import email
from collections import defaultdict
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from sandbox.store import Store
from sandbox.world import airtable, jira, salesforce, world_file
from sandbox.world.generate import World, generate, write

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
Doc = dict[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, World]:
    store = Store(tmp_path_factory.mktemp("world") / "world.sqlite")
    return store, generate(store, seed=7, items=150, now=NOW)


@pytest.fixture(scope="module")
def store(made: tuple[Store, World]) -> Store:
    return made[0]


@pytest.mark.parametrize(
    ("kind", "history", "status"),
    [("Case", "CaseHistory", "Status"), ("Opportunity", "OpportunityFieldHistory", "StageName")],
)
def test_salesforce_history_leads_to_the_present(store: Store, kind: str, history: str, status: str) -> None:
    changed = 0
    for record in store.scan("acme_salesforce", kind):
        rows = defaultdict(list)
        for row in store.find("acme_salesforce", history, record["Id"]):
            rows[row["Field"]].append(row)
        assert len(rows["created"]) == 1
        for field, value in ((status, record[status]), ("Phase__c", record["Phase__c"])):
            for earlier, later in zip(rows[field], rows[field][1:], strict=False):
                assert earlier["NewValue"] == later["OldValue"]
            assert not rows[field] or rows[field][-1]["NewValue"] == value
        ids = [r for r in rows["Owner"] if str(r["NewValue"])[:3] in {"005", "00G"}]
        names = [r for r in rows["Owner"] if r not in ids]
        assert len(ids) == len(names), "an owner change is told twice: names and ids"
        assert not ids or ids[-1]["NewValue"] == record["OwnerId"]
        stamps = [r["CreatedDate"] for group in rows.values() for r in group]
        assert record["SystemModstamp"] == max(stamps)
        changed += len(ids)
    assert changed > 50


def test_jira_changelog_leads_to_the_present(store: Store) -> None:
    changed = 0
    for issue in store.scan("acme_jira", "issue"):
        now = {
            "assignee": issue["_assignee"],
            "status": issue["fields"]["status"]["id"],
            jira.PHASE: issue["fields"][jira.PHASE]["value"],
        }
        last: dict[str, Any] = {}
        for entry in store.find("acme_jira", "changelog", issue["id"]):
            assert entry["created"] <= issue["updated"]
            for item in entry["items"]:
                if item["fieldId"] in last:
                    assert last[item["fieldId"]] == item["from"]
                last[item["fieldId"]] = item["to"]
                changed += 1
        assert {name: last.get(name, value) for name, value in now.items()} == now
    assert changed > 200


def test_records_lead_to_each_other(made: tuple[Store, World]) -> None:
    store, _ = made
    by_key = {issue["key"]: issue for issue in store.scan("acme_jira", "issue")}
    rows = [r for r in store.scan("studio_airtable", "record") if r["_table"] == airtable.ITEMS]
    keyed = [r for r in rows if airtable.FIELD["JiraKey"] in r["fields"]]
    for row in keyed:
        assert row["fields"][airtable.FIELD["JiraKey"]] in by_key
    linked = [
        r["fields"][airtable.FIELD["SalesforceURL"]] for r in rows if airtable.FIELD["SalesforceURL"] in r["fields"]
    ]
    for url in linked:
        _, sobject, record, _ = url.rsplit("/", 3)
        assert store.get("acme_salesforce", sobject, record)
    named = [c for kind in ("Case", "Opportunity") for c in store.scan("acme_salesforce", kind) if c["Jira_Key__c"]]
    assert all(case["Jira_Key__c"] in by_key for case in named)
    assert min(len(keyed), len(linked), len(named)) > 20


def test_no_queue_owns_an_opportunity_and_the_queue_owns_only_orphans(made: tuple[Store, World]) -> None:
    store, world = made
    orphans = {r[1] for e in world.answer_key if e["kind"] == "orphan_item" for r in e["records"]}
    queue = world.company.queue
    assert all(o["OwnerId"] != queue for o in store.scan("acme_salesforce", "Opportunity"))
    held = {c["Id"] for c in store.scan("acme_salesforce", "Case") if c["OwnerId"] == queue}
    assert held <= orphans


def test_answered_approvals_have_no_work_item(store: Store) -> None:
    waiting = {w["ProcessInstanceId"] for w in store.scan("acme_salesforce", "ProcessInstanceWorkitem")}
    instances = list(store.scan("acme_salesforce", "ProcessInstance"))
    assert {i["Id"] for i in instances if i["Status"] == "Pending"} == waiting
    assert any(i["Status"] == "Approved" and i["CompletedDate"] for i in instances)


def test_airtable_leaves_empty_cells_out_and_links_updates_both_ways(store: Store) -> None:
    records = {r["id"]: r for r in store.scan("studio_airtable", "record")}
    for record in records.values():
        assert None not in record["fields"].values()
        assert [] not in record["fields"].values()
        if record["_table"] == airtable.UPDATES:
            (item,) = record["fields"][airtable.FIELD["Item"]]
            assert record["id"] in records[item]["fields"][airtable.FIELD["Updates"]]


def test_threads_hold_together_and_come_in_order(store: Store) -> None:
    messages: list[tuple[Doc, EmailMessage]] = []
    for doc in store.scan("ops_mail", "message"):
        parsed = email.message_from_bytes(base64.b64decode(doc["raw"]), policy=default)
        assert isinstance(parsed, EmailMessage)
        assert not parsed.defects
        messages.append((doc, parsed))
    ids = {doc["id"] for doc, _ in messages}
    subjects: dict[str, set[str]] = defaultdict(set)
    for doc, message in messages:
        assert message["Message-ID"] == f"<{doc['id']}>"
        assert datetime.fromisoformat(doc["date"]) == message["Date"].datetime
        references = [r.strip("<>") for r in str(message["References"] or "").split()]
        assert set(references) <= ids
        assert not references or message["In-Reply-To"].strip("<>") == references[-1]
        subjects[references[0] if references else doc["id"]].add(message["Subject"].removeprefix("Re: "))
    assert all(len(spellings) == 1 for spellings in subjects.values())
    text = "".join(m.get_content() for _, m in messages)
    assert "Owner: Karen Spärck Jones <karen@northwind.example>" in text
    assert "Approval requested from" in text


def test_secrets_of_the_hub_open_every_tool(store: Store) -> None:
    assert store.get("acme_salesforce", "_client", "hub-client")
    for space, account in (("acme_jira", "accountId"), ("studio_airtable", "user"), ("acme_salesforce", "user")):
        holders = [doc[account] for doc in store.scan(space, "_token")]
        assert len(holders) == len(set(holders)) > 10, "everybody at work has one token, so that they can act"
    assert store.count("ops_mail", "_login") == 1


def test_a_world_file_reads_back_to_the_same_documents(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    world_file.save(store, path)
    file = world_file.read(path)
    assert file.tools == {
        "airtable": "studio_airtable",
        "jira": "acme_jira",
        "mail": "ops_mail",
        "salesforce": "acme_salesforce",
    }
    again = Store(tmp_path / "again.sqlite")
    write(again, file.documents())
    for space in store.spaces():
        for kind in store.kinds(space):
            assert list(again.scan(space, kind)) == list(store.scan(space, kind)), (space, kind)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "not a world file"),
        ("{", "not a world file"),
        ('{"spaces": {"somewhere": {"thing": []}}}', "cannot tell which tool"),
        ('{"spaces": {"a": {"Case": [{"Subject": "x"}]}}}', "spaces.a.Case[0]: no CreatedDate"),
    ],
)
def test_an_unusable_world_file_says_where(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "world.json"
    path.write_text(text)
    with pytest.raises(world_file.UnusableWorld) as caught:
        list(world_file.read(path).documents())
    assert told in str(caught.value)


def test_links_are_addresses_a_person_can_open() -> None:
    assert salesforce.link("500x", "Case").startswith("https://")
    assert airtable.link("recx") == "https://airtable.com/appHandoffHub0001/tblItems000000001/recx"
