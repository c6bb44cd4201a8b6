"""An outside event log becomes a company: every usable row leaves one trace, every other row is named."""

from __future__ import annotations

import base64
import email
import gzip
from collections import Counter
from email.policy import default
from pathlib import Path

import pytest

from sandbox.eventlog import UnusableLog, load_log
from sandbox.eventlog.load import deal, report
from sandbox.store import Store
from sandbox.world import airtable, jira
from sandbox.world.identifiers import Mint

MAP = "{case: ticket, time: when, actor: who, activity: what}"
LOG = """\
ticket,when,who,what,team
T1,2024-03-01T09:00:00.250+01:00,Ann,Open,front
T1,2024-03-01 08:30:00+00:00,Bob,Assign,back
T1,2024-03-02T10:00:00+00:00,Bob,Assign,back
T2,2024-03-01T09:00:00+00:00,Cid,Open,front
T2,2024-03-01T09:00:00+00:00,Dora,Resolve,back
,2024-03-01T09:00:00+00:00,Ann,Open,front
T3,yesterday,Ann,Open,front
T3,2024-03-05T09:00:00+00:00,,Open,front
T1,2024-03-03T10:00:00,Ann,Close,front
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "world.sqlite")


def write(tmp_path: Path, log: str = LOG, column_map: str = MAP) -> tuple[Path, Path]:
    paths = tmp_path / "log.csv", tmp_path / "map.yaml"
    paths[0].write_text(log)
    paths[1].write_text(column_map)
    return paths


def traces(store: Store) -> Counter[tuple[str, str, str, str]]:
    """Read the tools: (case, actor, time to the second, activity) of everything somebody did there."""
    names = {u["Id"]: u["Name"] for u in store.scan("acme_salesforce", "User")}
    names |= {u["accountId"]: u["displayName"] for u in store.scan("acme_jira", "user")}
    found: Counter[tuple[str, str, str, str]] = Counter()
    for case in store.scan("acme_salesforce", "Case"):
        deeds = {}
        history = list(store.find("acme_salesforce", "CaseHistory", case["Id"]))
        told = [r["NewValue"] for r in history if r["Field"] == "Activity__c"]
        first = next((r["OldValue"] for r in history if r["Field"] == "Activity__c"), case["Activity__c"])
        for row, text in zip(
            [r for r in history if r["Field"] in {"created", "Activity__c"}], [first, *told], strict=True
        ):
            deeds[text] = (names[row["CreatedById"]], row["CreatedDate"][:19])
        for text, (who, when) in deeds.items():
            found[case["External_Ref__c"], who, when, text] += 1
    for issue in store.scan("acme_jira", "issue"):
        rows = [(e, i) for e in store.find("acme_jira", "changelog", issue["id"]) for i in e["items"]]
        acts = [(e, i) for e, i in rows if i["fieldId"] == jira.ACTIVITY]
        first = acts[0][1]["fromString"] if acts else issue["fields"][jira.ACTIVITY]
        case = issue["fields"][jira.REFERENCE]
        found[case, names[issue["_creator"]], issue["created"][:19], first] += 1
        for entry, item in acts:
            found[case, names[entry["_author"]], entry["created"][:19], item["toString"]] += 1
    rows = {r["id"]: r["fields"] for r in store.scan("studio_airtable", "record")}
    for cells in rows.values():
        if airtable.FIELD["Text"] in cells:
            item = rows[cells[airtable.FIELD["Item"]][0]]
            when = cells[airtable.FIELD["At"]][:19]
            by = cells[airtable.FIELD["By"]]["name"]
            found[item[airtable.FIELD["Ref"]], by, when, cells[airtable.FIELD["Text"]]] += 1
    for doc in store.scan("ops_mail", "message"):
        message = email.message_from_bytes(base64.b64decode(doc["raw"]), policy=default)
        case = message["Subject"].removeprefix("Re: ").partition("]")[0].removeprefix("[")
        who = message["From"].addresses[0].display_name
        text = message.get_content().splitlines()[0]  # type: ignore[attr-defined]  # the policy makes an EmailMessage
        found[case, who, message["Date"].datetime.isoformat()[:19], text] += 1
    return found


def test_every_usable_row_leaves_one_trace(tmp_path: Path, store: Store) -> None:
    loaded = load_log(store, Mint(7), *write(tmp_path))
    assert traces(store) == Counter(
        {
            ("T1", "Ann", "2024-03-01T08:00:00", "1. Open"): 1,
            ("T1", "Bob", "2024-03-01T08:30:00", "2. Assign"): 1,
            ("T1", "Bob", "2024-03-02T10:00:00", "3. Assign"): 1,
            ("T1", "Ann", "2024-03-03T10:00:00", "4. Close"): 1,
            ("T2", "Cid", "2024-03-01T09:00:00", "1. Open"): 1,
            ("T2", "Dora", "2024-03-01T09:00:00", "2. Resolve"): 1,
        }
    )
    assert (loaded.events, loaded.cases, loaded.actors) == (6, 2, 4)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_longer_log_loses_nothing_in_any_tool(tmp_path: Path, store: Store, seed: int) -> None:
    rows, expected = ["ticket,when,who,what"], Counter[tuple[str, str, str, str]]()
    for case in range(40):
        for place in range(1, 9):
            who, what = f"P{(case * seed + place * place) % 11}", f"step {(case + place) % 3}"
            when = f"2024-01-{1 + case % 28:02d}T{place:02d}:{seed:02d}:00"
            rows.append(f"C{case},{when}+00:00,{who},{what}")
            expected[f"C{case}", who, when, f"{place}. {what}"] += 1
    load_log(store, Mint(seed), *write(tmp_path, "\n".join(rows)))
    assert traces(store) == expected
    used = {
        space for space in store.spaces() if any(store.count(space, k) for k in ("Case", "issue", "record", "message"))
    }
    assert len(used) == 4


def test_rows_that_cannot_be_used_are_named_with_line_and_reason(tmp_path: Path, store: Store) -> None:
    told = report(load_log(store, Mint(7), *write(tmp_path)))
    assert told["unusable"] == [
        {"line": 7, "column": "ticket", "value": "", "reason": "no case"},
        {"line": 8, "column": "when", "value": "yesterday", "reason": "unreadable time 'yesterday'"},
        {"line": 9, "column": "who", "value": "", "reason": "no actor"},
    ]


def test_the_owner_is_the_actor_of_the_last_event_in_that_tool(tmp_path: Path, store: Store) -> None:
    loaded = load_log(store, Mint(7), *write(tmp_path))
    assert loaded.tools["Bob"] != loaded.tools["Ann"], "the two busiest work in different tools"
    names = {u["Id"]: u["Name"] for u in store.scan("acme_salesforce", "User")}
    case = next(c for c in store.scan("acme_salesforce", "Case") if c["External_Ref__c"] == "T1")
    assert loaded.tools[names[case["OwnerId"]]] == "salesforce"
    assert case["Status"] == case["Activity__c"].partition(". ")[2]


def test_dealing_is_balanced_and_does_not_depend_on_order() -> None:
    groups = Counter({"a": 50, "b": 40, "c": 30, "d": 30, "e": 20, "f": 5})
    dealt = deal(groups)
    assert dealt == deal(Counter(dict(reversed(groups.items()))))
    load: Counter[str] = Counter()
    for group, tool in dealt.items():
        load[tool] += groups[group]
    assert sorted(load.values()) == [35, 40, 50, 50]


def test_groups_decide_the_tool_when_the_map_names_them(tmp_path: Path, store: Store) -> None:
    loaded = load_log(store, Mint(7), *write(tmp_path, column_map=MAP[:-1] + ", group: team}"))
    assert set(loaded.tools) == {"front", "back"}


def test_gzip_titles_and_further_columns(tmp_path: Path, store: Store) -> None:
    log, column_map = tmp_path / "log.csv.gz", tmp_path / "map.yaml"
    with gzip.open(log, "wt") as file:
        file.write("ticket,when,who,what,name,deadline\nT1,2024-03-01T09:00:00Z,Ann,Open,Broken lamp,2024-04-01\n")
    column_map.write_text(MAP[:-1] + ", title: name, extra: {Deadline: deadline}, closed: [Open]}")
    loaded = load_log(store, Mint(7), log, column_map)
    (case,) = store.scan("acme_salesforce", "Case")
    assert (case["Subject"], case["Description"]) == ("Broken lamp", "Deadline: 2024-04-01")
    assert loaded.configured.charter["statuses"]["acme_salesforce"] == {"Open": "done"}


def test_names_that_look_alike_stay_different_people(tmp_path: Path, store: Store) -> None:
    log = "ticket,when,who,what\n" + "".join(
        f"T1,2024-03-01T09:0{n}:00Z,{who},x\n" for n, who in enumerate(("A-1", "A 1", "Hub"))
    )
    loaded = load_log(store, Mint(7), *write(tmp_path, log))
    people = loaded.configured.charter["people"]
    assert {p["name"] for p in people.values()} == {"A-1", "A 1", "Hub"}
    assert len({p["email"] for p in people.values()}) == 3


@pytest.mark.parametrize(
    ("log", "column_map", "told"),
    [
        (LOG, "{case: ticket, time: when, actor: who}", "no activity"),
        (LOG, MAP[:-1] + ", owner: who}", "unknown key owner"),
        (LOG, "just text", "a map has keys"),
        (LOG, "{case: [", "not a readable map"),
        (LOG, MAP.replace("when", "at"), "no column at (there are: ticket, when, who, what, team)"),
    ],
)
def test_a_log_or_map_that_cannot_be_read_says_why(
    tmp_path: Path, store: Store, log: str, column_map: str, told: str
) -> None:
    with pytest.raises(UnusableLog) as caught:
        load_log(store, Mint(7), *write(tmp_path, log, column_map))
    assert told in str(caught.value)
