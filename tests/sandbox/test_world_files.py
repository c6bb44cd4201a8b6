"""World files: somebody writes a company down, and real clients find exactly that."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import orjson
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imapclient import IMAPClient
from jira import JIRA
from pyairtable import Api
from ruamel.yaml import YAML
from simple_salesforce.api import Salesforce

from sandbox import launcher
from sandbox.airtable.server import AirtableServer
from sandbox.calls import Call
from sandbox.store import Store
from sandbox.world import check, world_file, world_file_text
from sandbox.world.generate import generate, write
from sandbox.world.schema import world_schema
from sandbox.world.schema.manual import tables
from sandbox.world.shape import Shape

CHECK = [sys.executable, "-m", "sandbox.world.check"]
DOCS = Path(__file__).parents[2] / "docs" / "sandbox"
TWO, BASE = DOCS / "examples" / "two-tools.yaml", DOCS / "examples" / "somebody-elses-base.yaml"


def problems(place: Path, text: str, name: str = "world.yaml") -> list[str]:
    """Everything the check says about a file with this text."""
    path = place / name
    path.write_text(text, encoding="utf-8")
    return [str(problem) for problem in check.check(path)]


def documents(path: Path) -> dict[tuple[str, str, str], Any]:
    """What a world file becomes: (stamp, document) by space, kind and id."""
    return {(space, kind, id_): (at, doc) for space, kind, id_, at, doc in world_file.read(path).documents()}


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Any]:
    directory = tmp_path / "company"
    yield lambda path: launcher.up(directory, world=path)
    launcher.down(directory)


# -- the examples ---------------------------------------------------------------------------------------------


def test_the_two_tools_of_the_example_tell_what_it_says(up: Any) -> None:
    running = up(TWO)
    client = JIRA(running.addresses["jira"], basic_auth=("hub@acme.example", "a-token-of-mine"), max_retries=0)
    issue = client.issue("OPS-1", expand="changelog")
    assert issue.id == "10001"
    assert (issue.fields.summary, issue.fields.status.name) == ("Landing page for the spring campaign", "In Progress")
    assert str(issue.fields.assignee) == "Grace Hopper"
    assert issue.fields.customfield_10042.value == "Build"
    assert issue.fields.created == "2026-03-02T08:00:00.000+0000"
    newest, oldest = issue.changelog.histories
    assert (newest.id, newest.created) == ("20417", "2026-03-04T16:30:00.000+0000")
    assert [(item.field, item.fromString, item.toString) for item in oldest.items] == [
        ("assignee", None, "Ada Lovelace"),
        ("status", "To Do", "In Progress"),
    ]
    (told,) = newest.items
    assert (getattr(told, "from"), told.fromString) == ("5b10ac8d82e05b22cc7d4ef5", "Ada Lovelace")
    assert [c.body for c in client.comments("OPS-1")] == ["Yours now: the copy is approved."]
    assert [found.key for found in client.search_issues("project = OPS")] == ["OPS-1"], "the second one is hidden"

    now = requests.get(f"{running.addresses['control']}/clock", timeout=10).json()["now"]
    assert now.startswith("2026-03-06T09:0"), "the company lives when the file says"

    secret = (running.directory / "secrets" / "mail_password").read_text().strip()
    host, _, port = running.addresses["imap"].rpartition(":")
    with IMAPClient(host, port=int(port), ssl=False) as imap:
        imap.login("handoffs@hub.example", secret)
        imap.select_folder("INBOX", readonly=True)
        mails = [one[b"ENVELOPE"] for _, one in sorted(imap.fetch(imap.search(), ["ENVELOPE"]).items())]
    assert [mail.message_id for mail in mails] == [b"<spring-1@acme.example>", b"<2.world@desk-mail.example>"]
    assert mails[1].in_reply_to == b"<spring-1@acme.example>"


def test_somebody_elses_base_and_org_are_there_to_the_letter(up: Any) -> None:
    running = up(BASE)
    base = Api("patInes.0001", endpoint_url=running.addresses["airtable"]).base("appQm3WzV8kTn5LdJ")
    sites = base.table("🏗 Sites / locations")
    assert [field.id for field in sites.schema().fields][:2] == ["fldA1ne6KpWq8ZsXd", "fldB2of7LqXr9AtYe"]
    by_name = f"{running.addresses['airtable']}/v0/appQm3WzV8kTn5LdJ/{quote('🏗 Sites / locations', safe='')}"
    listed = requests.get(by_name, headers={"Authorization": "Bearer patInes.0001"}, timeout=10)
    assert {record["id"] for record in listed.json()["records"]} >= {"recSite0000000LIS1"}
    site = sites.get("recSite0000000LIS1")
    assert site["createdTime"] == "2026-04-02T07:15:30.250Z"
    assert site["fields"] == {
        "Site code": "LIS-1",
        "Who's on it?": [
            {"id": "usrL9mB2nT5xQ8wEa", "email": "ines@fieldteam.example", "name": "Inês Caetano"},
            {"id": "usrP4kD7vR1zH6yUo", "email": "tomasz@fieldteam.example", "name": "Tomasz Wróbel"},
        ],
        "State %": 0.35,
        "Stage": "2 build-up",
        "Visits": ["recVisit000000001", "recVisit000000002"],
        "Label": "LIS-1 / 2 build-up",
    }
    visits = base.table("tblU8tZq3YdHg0ScO").all(sort=["When"])
    assert [(row["id"], row["fields"]["Site"]) for row in visits] == [
        ("recVisit000000001", ["recSite0000000LIS1"]),
        ("recVisit000000002", ["recSite0000000LIS1"]),
    ]
    assert [(one.id, one.text) for one in sites.comments("recSite0000000WAW2")] == [
        ("comAbc00000000001", "Is this one ours?")
    ]
    with pytest.raises(requests.HTTPError, match="403"):
        Api("patTomasz.0002", endpoint_url=running.addresses["airtable"]).table(base.id, sites.id).create(
            {"Stage": None}
        )

    org = Salesforce(session_id="session-of-noor", instance_url=running.addresses["salesforce"])
    org.base_url = org.base_url.replace("https://", "http://")
    (job,) = org.query("SELECT Id, Name, Stage__c, Budget__c, Owner.Name, CreatedBy.Name FROM Job__c")["records"]
    assert (job["Id"], job["Name"], job["Budget__c"]) == ("a0J7R00000QrStUUAV", "Fence around LIS-1", 18250.5)
    assert (job["Owner"]["Name"], job["CreatedBy"]["Name"]) == ("Noor de Vries", "Old Hand")
    rows = org.query(
        "SELECT Field, OldValue, NewValue, CreatedDate FROM Job__History "
        "WHERE ParentId = 'a0J7R00000QrStUUAV' AND Field = 'Owner' ORDER BY CreatedDate"
    )["records"]
    assert [(r["OldValue"], r["NewValue"], r["CreatedDate"][:19]) for r in rows] == [
        ("Old Hand", "Dispatch", "2026-05-06T09:12:44"),
        ("0057R00000BqZx2QAF", "00G7R000001LmNpUAK", "2026-05-06T09:12:44"),
        ("Dispatch", "Noor de Vries", "2026-05-11T07:03:09"),
        ("00G7R000001LmNpUAK", "0057R00000BqZx1QAF", "2026-05-11T07:03:09"),
    ]


@pytest.mark.parametrize("path", [TWO, BASE])
def test_an_example_is_the_same_company_every_time(path: Path) -> None:
    assert documents(path) == documents(path)
    assert check.check(path) == []


# -- several instances, the clock ---------------------------------------------------------------------------------

SITE = """
    status: [Open]
    project: [{key: A}]
    people: [{name: Ann, email: ann@a.example}]
    issue: [{key: A-1, summary: x, created: 2026-01-01T00:00:00Z, assignee: Ann}]
"""


def test_the_second_space_of_a_tool_is_an_instance_with_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "world.yaml"
    path.write_text(f"clock: 2026-02-01T10:00:00+01:00\nspaces:\n  north:\n    tool: jira{SITE}  south:{SITE}")
    file = world_file.read(path)
    assert file.tools == {"jira": "north", "jira:south": "south"}
    assert file.clock is not None
    assert file.clock.isoformat() == "2026-02-01T09:00:00+00:00"
    ids = {id_ for space, kind, id_, _, _ in file.documents() if kind == "user"}
    assert len(ids) == 2, "minted ids differ from space to space"


def test_two_sites_without_a_charter_start_and_get_one(tmp_path: Path, up: Any) -> None:
    path = tmp_path / "world.yaml"
    people = SITE.replace("email: ann@a.example", "email: ann@a.example, token: t-ann")
    path.write_text(f"spaces:\n  north:\n    tool: jira{people}  south:\n    tool: jira{people}")
    running = up(path)
    for instance in ("jira", "jira:south"):
        client = JIRA(running.addresses[instance], basic_auth=("ann@a.example", "t-ann"), max_retries=0)
        assert client.issue("A-1").fields.summary == "x"
    charter = YAML(typ="safe").load((running.config / "charter.yaml").read_text(encoding="utf-8"))
    servers = {name: source["connection"]["server"] for name, source in charter["sources"].items()}
    assert servers == {"north": running.addresses["jira"], "south": running.addresses["jira:south"]}


def test_the_check_of_the_command_line_tells_and_counts(tmp_path: Path) -> None:
    good = subprocess.run([*CHECK, TWO], capture_output=True, text=True, timeout=60, check=False)
    assert (good.returncode, good.stdout) == (0, "17 documents in 2 spaces\n")
    (tmp_path / "w.yaml").write_text("spaces: {s: {tool: jira, isue: []}}")
    bad = subprocess.run([*CHECK, tmp_path / "w.yaml"], capture_output=True, text=True, timeout=60, check=False)
    assert (bad.returncode, bad.stdout.startswith("w.yaml: spaces.s.isue: jira has no such kind")) == (1, True)


# -- the short forms ------------------------------------------------------------------------------------------


def of_kind(place: Path, kind: str, text: str) -> list[Any]:
    """The documents of a kind that a file becomes."""
    path = place / "world.yaml"
    path.write_text(text, encoding="utf-8")
    return [doc for (_, one, _), (_, doc) in documents(path).items() if one == kind]


ORG = """
spaces:
  org:
    tool: salesforce
    people: [{name: Ann Bell, email: ann@a.example}, {name: Bob, id: 005000000000002AAA}]
    Group: [{Name: Pool}]
    _client: [{client: app, secret: s, user: ann@a.example}]
    rights: [{user: Bob, read: [Case]}]
    settings: {session_seconds: 60}
    _object: [{name: Case, history: true, tracked: [OwnerId], fields: [{name: Phase__c, values: [QA]}]}]
    Case:
      - Subject: by hand
        Status: New
        history: [{at: 2026-01-02T10:00:00+01:00, by: Ann Bell, OwnerId: [Pool, Bob], Phase__c: [null, QA]}]
        comments: [{at: 2026-01-03T00:00:00Z, by: Bob, text: mine}]
"""


def test_a_record_brings_its_history_and_comments(tmp_path: Path) -> None:
    (case,) = of_kind(tmp_path, "Case", ORG)
    ann = next(doc["Id"] for doc in of_kind(tmp_path, "User", ORG) if doc["Name"] == "Ann Bell")
    (pool,) = of_kind(tmp_path, "Group", ORG)
    assert (case["Id"][:3], len(case["Id"]), case["OwnerId"], case["Phase__c"]) == (
        "500",
        18,
        "005000000000002AAA",
        "QA",
    )
    assert (case["CreatedById"], case["CreatedDate"]) == (ann, "2026-01-02T09:00:00.000+0000")
    rows = of_kind(tmp_path, "CaseHistory", ORG)
    assert [(r["Field"], r["OldValue"], r["NewValue"], r["DataType"]) for r in rows] == [
        ("created", None, None, "Text"),
        ("Owner", "Pool", "Bob", "Text"),
        ("Owner", pool["Id"], "005000000000002AAA", "EntityId"),
        ("Phase__c", None, "QA", "DynamicEnum"),
    ]
    assert {(r["CaseId"], r["_parent"], r["CreatedById"]) for r in rows} == {(case["Id"], case["Id"], ann)}
    (comment,) = of_kind(tmp_path, "CaseComment", ORG)
    assert (comment["ParentId"], comment["CommentBody"]) == (case["Id"], "mine")
    assert of_kind(tmp_path, "_client", ORG) == [{"_id": "app", "secret": "s", "user": ann}]
    assert of_kind(tmp_path, "_rights", ORG) == [{"user": "005000000000002AAA", "read": ["Case"]}]
    assert of_kind(tmp_path, "_settings", ORG) == [{"session_seconds": 60}]


def test_a_generated_company_is_a_sound_world_file(tmp_path: Path) -> None:
    store = Store(tmp_path / "one.sqlite")
    shape = Shape(items=12, companies=4, mess=3)
    generate(store, seed=5, shape=shape, now=datetime(2026, 11, 1, tzinfo=UTC), directory=tmp_path)
    world_file.save(store, tmp_path / "saved.json")
    told = json.loads((tmp_path / "saved.json").read_bytes())
    assert told.pop("verbatim")
    jsonschema_rs.validate(world_schema(), told)
    assert problems(tmp_path, json.dumps(told), "plain.json") == [], "checked as if it were written by hand"


# -- what is wrong is told, all at once -----------------------------------------------------------------------

WRONG = """
spaces:
  desk:
    tool: jira
    status: [To Do, Done]
    project: [{key: OPS}]
    people: [{name: Ann, email: ann@a.example}, {name: Bob, mail: b@a.example}]
    field: [{name: Phase, type: choice}]
    isue: []
    issue:
      - {key: OPS-1, summary: a, created: 2026-01-01T00:00:00Z, status: Doen}
      - {key: OPS-1, summary: 7, created: yesterday}
      - {key: OTHER-1, summary: b, created: 2026-01-02T00:00:00Z, status: To Do, Colour: red}
      - key: OPS-3
        summary: c
        created: 2026-01-02T00:00:00Z
        status: To Do
        history: [{at: 2026-01-01T00:00:00Z, by: Ann, status: [To Do, Done]}]
    changelog:
      - {id: "1", _parent: "77", created: 2026-01-01T00:00:00Z, items: []}
"""


def test_everything_that_is_wrong_is_told_with_its_place(tmp_path: Path) -> None:
    told = problems(tmp_path, WRONG)
    for line in (
        "spaces.desk.isue: jira has no such kind of documents (did you mean issue?)",
        "spaces.desk.people[1].mail: unknown key (did you mean email?)",
        "spaces.desk.field[0].type: expected `string` \\| `number`",
        "spaces.desk.issue[0].status: the site has no status 'Doen' (did you mean Done?)",
        "spaces.desk.issue[1].summary: expected text, found the number 7 (put it in quotes)",
        "spaces.desk.issue[1].created: expected a time, found the text 'yesterday' (write 2026-01-31T09:30:00Z",
        "spaces.desk.issue[2].key: there is no project 'OTHER' (add it to `project`)",
        "spaces.desk.issue[3].history[0].at: 2026-01-01T00:00:00Z is before the creation (histories run forward)",
        "spaces.desk.issue[3]: status is",
    ):
        assert any(one.startswith(line) for one in told), (line, told)
    with pytest.raises(world_file.UnusableWorld) as caught:
        world_file.read(tmp_path / "world.yaml")
    assert len(caught.value.problems) == len(told)
    assert str(caught.value).startswith("world.yaml: spaces.desk")


ISSUE = "issue: [{id: '1', key: A-1, created: 2026-01-01, updated: 2026-01-01, fields: {status: {id: '1', name: x}}}]"
ROW = "changelog: [{id: '1', _parent: '77', created: 2026-01-01, items: []}]"
PAST = "CaseHistory: [{Id: '017', Field: Status, CaseId: 500000000000001AAA, CreatedDate: 2026-01-01}]"
PHASE = """_object: [{name: Case, fields: []}]
    people: [{name: A}]
    Case: [{Phase__c: x, CreatedDate: 2026-01-01, OwnerId: A}]"""
OWNED = """people: [{name: A}, {name: B}]
    Case: [{CreatedDate: 2026-01-01, OwnerId: A, history: [{at: 2026-01-02, by: A, OwnerId: [A, B]}]}]"""
TABLE = """base: [B]
    table:
      - name: T
        fields:
          - {name: N, type: singleLineText}
          - {name: S, type: singleSelect, choices: [a]}
          - {name: L, type: multipleRecordLinks, table: T}
    record: [{table: T, created: 2026-01-01, """
LOST = "record: [{id: rec1, _table: tblX, createdTime: 2026-01-01, fields: {}}]"
STRANGER = "message: [{id: m, raw: '', date: 2026-01-01, login: x@y.example}]"
LETTER = "message: [{from: nobody, to: a@b.example, subject: s, text: t, date: 2026-01-01}]"


@pytest.mark.parametrize(
    ("tool", "text", "line"),
    [
        ("jira", ISSUE, "issue[0].key: there is no project 'A'"),
        ("jira", "project: [{key: A}, {key: A}]", "project[1]: project with the key 'A' is there already"),
        ("jira", "_token: [{token: t, user: nobody@a.example}]", "_token[0].user: 'nobody@a.example' is nobody's id"),
        ("jira", ROW, "changelog[0]._parent: there is no issue '77'"),
        (
            "jira",
            "issue: [{key: A-1, summary: x, created: 2026-01-01, Colour: red}]",
            "issue[0].Colour: the site has no",
        ),
        (
            "salesforce",
            "Case: [{OwnerId: Nobody, CreatedDate: 2026-01-01}]",
            "Case[0].OwnerId: 'Nobody' is nobody's",
        ),
        ("salesforce", "Case: [{Subject: x}]", "Case[0]: no CreatedDate"),
        ("salesforce", PAST, "CaseHistory[0]: history of '500000000000001AAA', which is not there"),
        ("salesforce", "Job__c: [{Name: x, CreatedDate: 2026-01-01}]", "Job__c[0]: no Id, and nothing says how"),
        ("salesforce", PHASE, "Case[0].Phase__c: Case has no field Phase__c"),
        ("salesforce", OWNED, "Case[0]: OwnerId is"),
        ("airtable", TABLE + "fields: {Nmae: x}}]", "record[0].fields.Nmae: the table 'T' has no field"),
        ("airtable", TABLE + "fields: {}, history: []}]", "record[0].history: unknown key (Airtable keeps no history"),
        ("airtable", TABLE + "fields: {S: b}}]", "record[0].fields.S: S has no choice 'b'"),
        (
            "airtable",
            TABLE + "fields: {L: [Nowhere]}}]",
            "record[0].fields.L: 'Nowhere' is no record of",
        ),
        ("airtable", LOST, "record[0]._table: there is no table 'tblX'"),
        ("mail", LETTER, "message[0].from: 'nobody'"),
        (
            "mail",
            STRANGER,
            "message[0].login: there is no _login",
        ),
        ("mail", "message: [{id: m, raw: '', date: soon}]", "message[0].date: expected a time"),
    ],
)
def test_each_kind_of_mistake_has_its_words(tmp_path: Path, tool: str, text: str, line: str) -> None:
    told = problems(tmp_path, f"spaces:\n  s:\n    tool: {tool}\n    {text}\n")
    assert any(one.startswith(f"spaces.s.{line}") for one in told), told


def test_what_is_twice_names_both_places(tmp_path: Path) -> None:
    text = "spaces:\n  s:\n    tool: jira\n    project: [{id: '1', key: A, name: A}, {id: '1', key: B, name: B}]\n"
    assert problems(tmp_path, text) == [
        "spaces.s.project[1]: project with the id '1' is there already (the other is spaces.s.project[0])"
    ]


def test_a_broken_document_is_told_once_and_not_through_those_that_point_at_it(tmp_path: Path) -> None:
    text = """
spaces:
  s:
    tool: jira
    status: [Open]
    user: [{accountId: a1}]
    project: [{key: A}]
    issue: [{key: A-1, summary: x, created: 2026-01-01T00:00:00Z, assignee: a1}]
"""
    told = problems(tmp_path, text)
    assert told == ["spaces.s.user[0]: no displayName (displayName is name)"]


# -- saving ---------------------------------------------------------------------------------------------------

RESERVED = {"at", "_made", "$id", "$stamp", "_alias", "key"}  # keys that mean something to store or file
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
stamps = st.datetimes().map(lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0"))
docs = st.lists(
    st.tuples(
        st.sampled_from(["Case", "issue", "_token", "_bulk_job", "odd kind", "message"]),
        st.text(min_size=1),
        stamps,
        st.dictionaries(st.sampled_from(["Id", "id", "name", "updated", "x"]) | st.text(), json_values, max_size=4),
    ),
    max_size=6,
)


@pytest.mark.parametrize("suffix", ["json", "yaml"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(held=docs)
def test_whatever_a_store_holds_is_saved_and_read_back(tmp_path: Path, suffix: str, held: Any) -> None:
    path = tmp_path / f"saved.{suffix}"
    first, second = (tmp_path / f"{name}.sqlite" for name in ("first", "second"))
    for old in tmp_path.glob("*.sqlite*"):
        old.unlink()
    store, again = Store(first), Store(second)
    try:
        for kind, id_, at, doc in held:
            own = {key: value for key, value in doc.items() if key not in RESERVED}
            store.put("a space: or not", kind, [(id_, at, own)])
        world_file.save(store, path, {"sources": {"a space: or not": {"tool": "salesforce"}}})
        write(again, world_file.read(path).documents())
        assert contents(again) == contents(store)
    finally:
        store.close()
        again.close()


def contents(store: Store) -> dict[tuple[str, str], list[tuple[str, str, Any]]]:
    """All documents with their stamps and ids."""
    return {
        (space, kind): [(at, id_, json.loads(body)) for at, id_, body in rows]
        for space in store.spaces()
        for kind in store.kinds(space)
        if (rows := store.page(space, kind, size=10_000))
    }


@pytest.mark.parametrize("suffix", ["json", "yaml"])
@pytest.mark.parametrize("path", [TWO, BASE])
def test_an_example_saved_reads_back(tmp_path: Path, path: Path, suffix: str) -> None:
    store, again = Store(tmp_path / "one.sqlite"), Store(tmp_path / "two.sqlite")
    write(store, world_file.read(path).documents())
    world_file.save(store, tmp_path / f"saved.{suffix}")
    write(again, world_file.read(tmp_path / f"saved.{suffix}").documents())
    assert contents(again) == contents(store)


def test_sessions_are_not_saved(tmp_path: Path) -> None:
    store = Store(tmp_path / "one.sqlite")
    store.put("org", "User", [("005", "2026-01-01T00:00:00.000000Z", {"Id": "005", "Name": "A"})])
    store.put("org", "_token", [("s", "2026-01-01T00:00:00.000000Z", {"user": "005", "at": "2026"})])
    store.put("org", "_token", [("t", "2026-01-01T00:00:00.000000Z", {"user": "005"})])
    world_file.save(store, tmp_path / "saved.json")
    assert [key[2] for key in documents(tmp_path / "saved.json")] == ["005", "t"]


# -- schema and manual ----------------------------------------------------------------------------------------


def plain(path: Path) -> Any:
    """A YAML file as the schema sees it: days and times are text."""
    return world_file_text.load(path)


def test_the_schema_is_one_and_takes_the_examples() -> None:
    schema = world_schema()
    jsonschema_rs.meta.validate(schema)
    for path in (TWO, BASE):
        jsonschema_rs.validate(schema, plain(path))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda world: world.pop("spaces"),
        lambda world: world["spaces"]["desk_jira"].update(tool="jirra"),
        lambda world: world["spaces"]["desk_jira"].update(isue=[]),
        lambda world: world["spaces"]["desk_jira"]["issue"][0].pop("summary"),
        lambda world: world["spaces"]["desk_jira"]["issue"][0].update(created="yesterday"),
        lambda world: world["spaces"]["desk_jira"]["people"][0].update(mail="x"),
        lambda world: world["spaces"]["desk_jira"]["issue"][0]["history"][0].pop("by"),
        lambda world: world["spaces"]["desk_mail"]["message"][0].pop("to"),
        lambda world: world.update(clok="2026-01-01T00:00:00Z"),
    ],
)
def test_the_schema_and_the_check_refuse_the_same(tmp_path: Path, spoil: Any) -> None:
    world = plain(TWO)
    spoil(world)
    assert not jsonschema_rs.is_valid(world_schema(), world)
    assert problems(tmp_path, json.dumps(world), "spoilt.json")


def test_the_manual_has_the_tables_of_the_schema() -> None:
    manual = (DOCS / "world-files.md").read_text(encoding="utf-8")
    assert tables().strip() in manual, "run: python -m sandbox.world.schema --manual"


# -- whatever a file holds ------------------------------------------------------------------------------------


def nodes(value: Any) -> list[tuple[Any, Any]]:
    """Every place of a document where something could be put: container and key."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in keys for place in [(value, key), *nodes(value[key])]]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), verbatim=st.booleans(), path=st.sampled_from([TWO, BASE]))
def test_a_spoilt_file_is_told_about_and_never_fails(tmp_path: Path, data: Any, verbatim: bool, path: Path) -> None:
    world = plain(path)
    if verbatim:
        world["verbatim"] = True
    for _ in range(data.draw(st.integers(1, 3))):
        places = nodes(world["spaces"])
        if places:
            container, key = places[data.draw(st.integers(0, len(places) - 1))]
            container[key] = data.draw(
                json_values | st.sampled_from(["2026-01-01", "OPS-1", "hub@acme.example", "LIS-1"])
            )
    spoilt = tmp_path / "spoilt.json"
    spoilt.write_text(json.dumps(world), encoding="utf-8")
    found, file = world_file.check(spoilt)
    assert bool(found) != (file is not None)
    if file is not None:
        list(file.documents())


def test_a_large_table_is_in_order_where_the_time_shown_is_not_that_of_the_last_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.airtable.finding.LARGE", 0)
    path = tmp_path / "world.json"
    field = {"id": "fldM", "name": "Changed", "type": "lastModifiedTime"}
    records: list[dict[str, Any]] = [
        {"id": f"rec{n}", "_table": "tblT", "createdTime": "2026-01-01T00:00:00.000Z",
         "_modified": f"2026-01-{n:02d}T00:00:00.000000Z", "fields": {"fldM": f"2026-01-{told:02d}T00:00:00.000Z"}}
        for n, told in ((2, 2), (3, 1), (4, 4), (9, 3))
    ]  # fmt: skip
    base: dict[str, Any] = {"base": [{"id": "appB", "name": "B"}], "record": records}
    base |= {"table": [{"id": "tblT", "name": "T", "primaryFieldId": "fldM", "fields": [field]}]}
    base |= {"collaborator": [{"id": "usrA", "email": "a@x.example", "name": "A"}]}
    base |= {"_token": [{"_id": "t", "user": "usrA"}], "tool": "airtable"}
    path.write_bytes(orjson.dumps({"verbatim": True, "spaces": {"studio": base}}))
    store = Store(tmp_path / "world.sqlite")
    write(store, world_file.read(path).documents())
    server = AirtableServer(store, "studio", lambda: datetime(2026, 2, 1, tzinfo=UTC))
    query = (("sort[0][field]", "Changed"), ("pageSize", "2"))
    asked = Call(method="GET", path="/v0/appB/tblT", query=query, headers={"authorization": "Bearer t"})
    first = orjson.loads(server(asked).body)
    second = orjson.loads(server(replace(asked, query=(*query, ("offset", first["offset"])))).body)
    assert [record["id"] for record in first["records"] + second["records"]] == ["rec3", "rec2", "rec9", "rec4"]
    store.close()
