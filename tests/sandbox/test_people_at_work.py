"""People work through the tools: what they did is there to be seen, in their name, and the diary tells it all."""

from __future__ import annotations

import base64
import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox import launcher
from sandbox.mail.reading import Letter
from sandbox.people_at_work import BY_NAME, company_of, deeds, diary, play, work
from sandbox.people_at_work.choosing import choose
from sandbox.people_at_work.diary import Done
from sandbox.people_at_work.doing import Company, Desks
from sandbox.people_at_work.hours import next_moment
from sandbox.people_at_work.threads import Thread
from sandbox.people_at_work.view import Person, Record, View

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
HTTP = ("salesforce", "jira", "airtable")
TOOLS = {*HTTP, "mail"}


class Live:
    """A running company, its people, and an onlooker who asks the tools directly."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.company: Company = company_of(directory)
        self.control("POST", "/clock", json={"frozen": True, "set": NOW.isoformat()})
        self.tokens = {(each["instance"], each["account"]): each for each in self.control("GET", "/people")}

    def control(self, method: str, path: str, **rest: Any) -> Any:
        answer = requests.request(method, self.company.addresses["control"] + path, timeout=10, **rest)
        answer.raise_for_status()
        return answer.json()

    def account(self, line: Done) -> str:
        """The account of whoever did it."""
        held = (each for each in self.tokens.values() if (each["instance"], each["email"]) == (line.instance, line.by))
        return str(next(held)["account"])

    def ask(self, instance: str, path: str, **query: Any) -> Any:
        """Read something as the first person with a token."""
        held = next(e for e in self.tokens.values() if e["instance"] == instance and not e["email"].startswith("hub@"))
        told = f"{held['email']}:{held['token']}"
        basic = f"Basic {base64.b64encode(told.encode()).decode()}"
        header = basic if instance == "jira" else f"Bearer {held['token']}"
        address = self.company.addresses[instance] + path
        answer = requests.get(address, headers={"Authorization": header}, params=query, timeout=10)
        return answer.json() if answer.ok else answer.status_code

    def soql(self, text: str) -> list[dict[str, Any]]:
        return list(self.ask("salesforce", "/services/data/v59.0/query", q=text)["records"])

    def play(self, **how: Any) -> list[Done]:
        """Work on; gives the new lines of the diary."""
        path = self.directory / diary.FILE
        before = len(list(diary.read(path)))
        work(self.directory, advance_clock=True, **how)
        return list(diary.read(path))[before:]

    def done(self, kind: str, count: int = 30) -> dict[str, Done]:
        """Let people do one kind of deed; gives the last one that was taken, by instance."""
        taken = {line.instance: line for line in self.play(only=[kind], deeds=count) if line.done}
        assert taken, f"nobody could {kind}"
        return taken

    def letter(self, line: Done) -> dict[str, Any]:
        """The mail that a deed sent, as its author's envelope."""
        assert line.after is not None
        sent = (e for e in self.control("GET", "/mail") if str(line.after["last"]) in _headers(e)["Message-ID"])
        envelope: dict[str, Any] = next(sent)
        assert line.by in _headers(envelope)["From"]
        return envelope

    def actor(self, line: Done, path: str) -> str | None:
        """Who sent the last write to a path, as the journal tells it."""
        asked = [e for e in self.control("GET", f"/journal?tool={line.instance}") if e["method"] != "GET"]
        return str([e for e in asked if path in e["path"]][-1]["actor"])


@contextmanager
def living(directory: Path, **options: Any) -> Iterator[Live]:
    """A company that stops at the end."""
    launcher.up(directory, **{"seed": 11, "items": 60, "now": NOW, **options})
    try:
        yield Live(directory)
    finally:
        launcher.down(directory)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One company for all who only add to it."""
    with living(tmp_path_factory.mktemp("live") / "company") as company:
        yield company


def _headers(envelope: dict[str, Any]) -> dict[str, str]:
    return dict(envelope["headers"])


# -- every deed, seen through the tools --------------------------------------------------------------------------


def test_reassign_is_seen_with_its_author(live: Live) -> None:
    lines = live.done("Reassign")
    assert set(lines) == TOOLS
    for line in lines.values():
        assert line.after is not None
        assert line.before is not None
        assert line.after["owner"] == line.asked["to"] != line.before["owner"]
    case = lines["salesforce"]
    kind, parent = (
        ("CaseHistory", "CaseId") if case.record[:3] == "500" else ("OpportunityFieldHistory", "OpportunityId")
    )
    rows = live.soql(f"SELECT CreatedById, NewValue, Field FROM {kind} WHERE {parent} = '{case.record}'")
    assert {"Owner"} == {r["Field"] for r in rows if r["NewValue"] == case.asked["to"]}
    assert live.account(case) in {r["CreatedById"] for r in rows if r["NewValue"] == case.asked["to"]}
    issue = lines["jira"]
    entries = live.ask("jira", f"/rest/api/3/issue/{issue.record}/changelog")["values"]
    assert entries[-1]["author"]["accountId"] == live.account(issue)
    assert entries[-1]["items"][0]["to"] == issue.asked["to"]
    assert live.actor(lines["airtable"], lines["airtable"].record) == live.account(lines["airtable"])
    text = live.letter(lines["mail"])["text"]
    assert any(re.fullmatch(f"Owner: .* <{lines['mail'].asked['to']}>", line) for line in text.splitlines())


def test_move_status_is_seen_with_its_author(live: Live) -> None:
    lines = live.done("MoveStatus")
    assert set(lines) == TOOLS
    for line in lines.values():
        assert line.after is not None
        assert line.after["status"] == line.asked["to"]
    entries = live.ask("jira", f"/rest/api/3/issue/{lines['jira'].record}/changelog")["values"]
    assert entries[-1]["items"][0]["toString"] == lines["jira"].asked["to"]
    assert entries[-1]["author"]["accountId"] == live.account(lines["jira"])
    record = lines["salesforce"].record
    kind = "Case" if record[:3] == "500" else "Opportunity"
    assert f"Status: {lines['mail'].asked['to']}" in live.letter(lines["mail"])["text"].splitlines()
    row = live.ask("salesforce", f"/services/data/v59.0/sobjects/{kind}/{record}")
    assert row["LastModifiedById"] == live.account(lines["salesforce"])


def test_comment_stands_under_the_record(live: Live) -> None:
    lines = live.done("Comment")
    assert set(lines) == set(HTTP)
    case, issue, row = (lines[tool] for tool in HTTP)
    found = live.soql(f"SELECT CommentBody, CreatedById FROM CaseComment WHERE ParentId = '{case.record}'")
    assert (case.asked["text"], live.account(case)) in {(r["CommentBody"], r["CreatedById"]) for r in found}
    comments = live.ask("jira", f"/rest/api/2/issue/{issue.record}/comment")["comments"]
    assert (comments[-1]["body"], comments[-1]["author"]["accountId"]) == (issue.asked["text"], live.account(issue))
    base = live.ask("airtable", "/v0/meta/bases")["bases"][0]["id"]
    told = live.ask("airtable", f"/v0/{base}/tblItems000000001/{row.record}/comments")["comments"]
    assert (row.asked["text"], live.account(row)) in {(c["text"], c["author"]["id"]) for c in told}


def test_reply_to_mail_arrives(live: Live) -> None:
    line = live.done("ReplyToMail", 3)["mail"]
    assert line.before is not None
    envelope = live.letter(line)
    assert str(line.before["last"]) in _headers(envelope)["In-Reply-To"]
    assert line.asked["text"] in envelope["text"]


def test_approvals_are_asked_and_answered(live: Live) -> None:
    asked = live.done("AskApproval", 40)
    assert set(asked) == TOOLS
    answers = live.play(only=["Approve"], deeds=14) + live.play(only=["Reject"], deeds=14)
    taken = {(line.instance, line.deed): line for line in answers if line.done}
    assert {instance for instance, _ in taken} == TOOLS
    for (instance, deed), line in taken.items():
        word = "Approved" if deed == "Approve" else "Rejected"
        if instance == "salesforce":
            # a record may have been asked about more than once
            asked_for = live.soql(f"SELECT Id FROM ProcessInstance WHERE TargetObjectId = '{line.record}'")
            processes = ", ".join(f"'{process['Id']}'" for process in asked_for)
            steps = live.soql(
                f"SELECT ActorId, StepStatus FROM ProcessInstanceStep WHERE ProcessInstanceId IN ({processes})"
            )
            assert (live.account(line), word) in {(step["ActorId"], step["StepStatus"]) for step in steps}
        elif instance == "jira":
            entries = live.ask("jira", f"/rest/api/3/issue/{line.record}/changelog")["values"]
            answered = [e for e in entries for i in e["items"] if (i["field"], i["toString"]) == ("Approval", word)]
            assert answered[-1]["author"]["accountId"] == live.account(line)
        elif instance == "airtable":
            base = live.ask("airtable", "/v0/meta/bases")["bases"][0]["id"]
            cells = live.ask("airtable", f"/v0/{base}/tblItems000000001/{line.record}")["fields"]
            assert cells["Approval"] == word
            assert cells["Approver"]["id"] == live.account(line)
        else:
            assert word.lower() in live.letter(line)["text"].splitlines()


def test_go_on_leave_and_come_back(live: Live) -> None:
    gone = live.play(only=["GoOnLeave"], deeds=2)
    away = {line.by for line in gone}
    assert len(away) == 2
    assert all(line.done for line in gone), "they said so by mail"
    between = live.play(only=["Reassign", "MoveStatus", "Comment", "ReplyToMail", "CreateItem"], deeds=40)
    assert away.isdisjoint(line.by for line in between)
    accounts = {each["account"] for each in live.tokens.values() if each["email"] in away}
    assert accounts.isdisjoint(line.asked.get("to") for line in between)
    back = live.play(only=["ComeBack"], deeds=5)
    assert {line.by for line in back} == away


def test_create_item_makes_records(live: Live) -> None:
    lines = live.done("CreateItem", 20)
    assert set(lines) == set(HTTP)
    for line in lines.values():
        assert line.before is None
        assert line.after is not None
        assert line.after["owner"] == line.asked["owner"]
    issue = live.ask("jira", f"/rest/api/3/issue/{lines['jira'].record}")
    assert issue["fields"]["summary"] == lines["jira"].asked["title"]
    assert issue["fields"]["creator"]["accountId"] == live.account(lines["jira"])


def test_delete_and_restore(live: Live) -> None:
    deleted = live.done("Delete", 20)
    assert set(deleted) == set(HTTP)
    assert live.ask("jira", f"/rest/api/3/issue/{deleted['jira'].record}") == 404
    restored = [line for line in live.play(only=["Restore"], deeds=20) if line.done]
    by_tool = {line.instance: line for line in restored}
    assert set(by_tool) == set(HTTP)
    # an org has a recycle bin; the others make the record again, under another id
    assert by_tool["salesforce"].record in {line.record for line in deleted.values()} | {
        line.record for line in diary.read(live.directory / diary.FILE) if line.deed == "Delete"
    }
    for line in restored:
        assert line.after is not None
        assert "gone" not in line.after
        assert ("again" in line.asked) is (line.instance != "salesforce")
    kept = {
        line.record: line.asked["title"] for line in diary.read(live.directory / diary.FILE) if line.deed == "Delete"
    }
    again = by_tool["jira"]
    assert live.ask("jira", f"/rest/api/3/issue/{again.record}")["fields"]["summary"] == kept[again.asked["again"]]


def test_rename_field(live: Live) -> None:
    lines = live.done("RenameField", 12)
    assert set(lines) == {"jira", "airtable"}
    names = {field["id"]: field["name"] for field in live.ask("jira", "/rest/api/3/field")}
    assert names[lines["jira"].record] == lines["jira"].asked["to"]
    base = live.ask("airtable", "/v0/meta/bases")["bases"][0]["id"]
    tables = live.ask("airtable", f"/v0/meta/bases/{base}/tables")["tables"]
    fields = {field["id"]: field["name"] for table in tables for field in table["fields"]}
    assert fields[lines["airtable"].record] == lines["airtable"].asked["to"]


def test_owner_and_status_are_found_under_new_names(live: Live) -> None:
    with Desks(live.company) as desks:
        view = desks.look()
        by = view.present("airtable")[0].key
        for field in view.fields:
            if field.name.startswith(("Owner", "Status")) and not field.name.endswith("(new)"):
                deed = deeds.RenameField(
                    by=by,
                    instance="airtable",
                    record=field.id,
                    where=field.where,
                    old=field.name,
                    to=f"{field.name} (new)",
                )
                assert desks.do(deed, view, number=1, at=NOW.isoformat())[0].done
    with Desks(live.company) as desks:
        assert {f.name for f in desks.look().fields} >= {"Owner (new)", "Status (new)"}
        view = desks.look()
        row = next(r for r in view.records.values() if r.instance == "airtable" and r.owner)
        move = deeds.MoveStatus(by=by, instance="airtable", record=row.id, to="Waiting")
        assert desks.do(move, view, number=2, at=NOW.isoformat())[0].done


def test_every_deed_is_tried_here() -> None:
    tried = {word for word in Path(__file__).read_text(encoding="utf-8").split('"') if word in BY_NAME}
    assert tried == set(BY_NAME)


# -- what goes wrong ---------------------------------------------------------------------------------------------


def test_a_refused_deed_is_noted_with_the_answer(live: Live) -> None:
    with Desks(live.company) as desks:
        view = desks.look()
        for instance in ("salesforce", "jira"):
            record = next(r for r in view.records.values() if r.instance == instance)
            left = view.former[instance][0]
            by = view.present(instance)[0].key
            deed = deeds.Reassign(by=by, instance=instance, record=record.id, to=left)
            done, after = desks.do(deed, view, number=1, at=NOW.isoformat())
            assert done.refused
            assert done.status == 400
            assert done.told
            assert done.after == done.before
            assert after.records == view.records


def test_work_goes_on_while_tools_fail_and_lose_answers(tmp_path: Path) -> None:
    with living(tmp_path / "company", items=40) as live:
        with Desks(live.company) as desks:
            first = desks.standing()
        writes = {"path": "/issue|/sobjects|/v0/|/process", "times": None}
        live.control("POST", "/faults", json=[
            {"fault": "html_502", "tool": "jira", "probability": 0.4, "seed": 5, "method": "PUT", **writes},
            {"fault": "status", "tool": "airtable", "probability": 0.4, "seed": 6, "method": "PATCH", **writes},
            {"fault": "reply_lost", "tool": "salesforce", "probability": 0.4, "seed": 7, "method": "POST", **writes},
            {"fault": "reply_lost", "tool": "airtable", "probability": 0.4, "seed": 8, "method": "POST", **writes},
            {"fault": "reply_lost", "tool": "jira", "probability": 0.4, "seed": 9, "method": "POST", "path": "/issue$",
             "times": None},
        ])  # fmt: skip
        lines = live.play(only=["Reassign", "MoveStatus", "CreateItem", "Comment"], deeds=80)
        assert len(lines) == 80
        assert any(line.done and line.tries == 2 for line in lines), "somebody tried again and had it"
        assert any(line.refused for line in lines), "somebody gave up"
        live.control("DELETE", "/faults")
        with Desks(live.company) as desks:
            assert desks.standing() == diary.replayed(first, lines), "nothing was made twice"


def test_a_company_without_tokens_is_refused(live: Live) -> None:
    everybody = frozenset(each["email"].lower() for each in live.tokens.values())
    with pytest.raises(ValueError, match="nobody"):
        Desks(replace(live.company, apart=everybody))


def test_unknown_deeds_are_refused(live: Live, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Dance"):
        play(live.company, tmp_path / "d", seed=1, deeds=1, only=["Dance"])


def test_no_company_no_work(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        work(tmp_path, deeds=1)


def test_the_hub_is_nobody(live: Live) -> None:
    assert "hub@acme.example" in {each["email"] for each in live.tokens.values()}
    with Desks(live.company) as desks:
        assert "hub@acme.example" not in {person.key for person in desks.people}
        assert {p.key for p in desks.people if "evelyn" in p.key or "klara" in p.key} == set(), "who left has no token"


# -- diary and time ----------------------------------------------------------------------------------------------


def test_the_diary_tells_how_everything_stands(tmp_path: Path) -> None:
    with living(tmp_path / "company", items=40) as live:
        with Desks(live.company) as desks:
            first = desks.standing()
        lines = live.play(seed=9, deeds=120, weights=dict.fromkeys(BY_NAME, 1.0))
        assert len({line.deed for line in lines}) >= 12
        with Desks(live.company) as desks:
            second = desks.standing()
    told = diary.replayed(first, lines)
    assert {key: state for key, state in told.items() if "gone" not in state} == second
    assert {key for key in told if told[key] != first.get(key)} <= diary.touched(lines)


def test_the_same_seed_writes_the_same_diary_in_one_go_or_in_two(tmp_path: Path) -> None:
    told: list[list[dict[str, Any]]] = []
    evenly = dict.fromkeys(BY_NAME, 1.0)
    for n, portions in enumerate(((70,), (30, 40))):
        with living(tmp_path / str(n), items=30) as live:
            told.append(_plain([line for count in portions for line in live.play(seed=4, deeds=count, weights=evenly)]))
    assert told[0] == told[1]
    assert [line["n"] for line in told[0]] == list(range(1, 71))
    assert {line["deed"] for line in told[0]} == set(BY_NAME)


def _plain(lines: list[Done]) -> list[dict[str, Any]]:
    """The lines with the ids that tools invented replaced by the number of the deed."""
    text = json.dumps([asdict(line) for line in lines])
    for line in lines:
        if line.deed in {"CreateItem", "Restore"} and line.done and line.before is None:
            text = text.replace(line.record, f"made-{line.n}")
    return list(json.loads(text))


def test_a_diary_that_broke_off_is_continued(tmp_path: Path, live: Live) -> None:
    path = tmp_path / "diary.jsonl"
    play(live.company, path, seed=2, deeds=3, only=["Comment"])
    with path.open("a", encoding="utf-8") as file:
        file.write('{"n": 4, "at": "2026')
    assert [line.n for line in diary.read(path)] == [1, 2, 3]
    play(live.company, path, seed=2, deeds=2, only=["Comment"])
    assert [line.n for line in diary.read(path)] == [1, 2, 3, 4, 5]


def test_time_is_moved_to_working_hours_only_when_wanted(live: Live, tmp_path: Path) -> None:
    before = live.control("GET", "/clock")["now"]
    play(live.company, tmp_path / "still", seed=1, deeds=3, only=["Comment"])
    assert live.control("GET", "/clock")["now"] == before
    played = play(live.company, tmp_path / "moved", seed=1, deeds=25, only=["Comment"], advance_clock=True)
    moments = [datetime.fromisoformat(line.at) for line in diary.read(tmp_path / "moved")]
    assert moments == sorted(moments)
    assert all(at.weekday() < 5 and 9 <= at.hour < 17 for at in moments)
    assert datetime.fromisoformat(live.control("GET", "/clock")["now"]) == moments[-1] == played.until
    until = moments[-1] + timedelta(days=3)
    play(live.company, tmp_path / "moved", seed=1, until=until, only=["Comment"], advance_clock=True)
    assert max(datetime.fromisoformat(line.at) for line in diary.read(tmp_path / "moved")) < until


def test_the_next_moment_skips_nights_and_weekends() -> None:
    friday = datetime(2026, 3, 6, 16, 50, tzinfo=UTC)
    for seed in range(200):
        at = next_moment(random.Random(seed), friday)
        assert friday < at
        assert at.weekday() < 5
        assert at < friday + timedelta(days=4)


def test_on_the_command_line(live: Live) -> None:
    command = [sys.executable, "-m", "sandbox.people_at_work", "--dir", str(live.directory), "--seed", "5"]
    result = subprocess.run(
        [*command, "--deeds", "4", "--only", "Comment"], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "4 Comment" in result.stdout
    nowhere = [*command[:4], str(live.directory / "nowhere"), "--deeds", "1"]
    refused = subprocess.run(nowhere, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 3
    assert "no company" in refused.stderr


# -- mail --------------------------------------------------------------------------------------------------------


def test_a_thread_states_what_its_mails_say_in_their_own_words() -> None:
    thread = Thread(subject="Banner")
    thread.add(1, "a", _mail("ada@x", "Owner: Ada <ada@x>\nStatus: In progress\n"))
    thread.add(2, "b", _mail("bob@x", "Done on my side.\n\n> Owner: Nobody <nobody@x>\n"))
    thread.add(3, "c", _mail("bob@x", f"See below.\n\n{'_' * 32}\nFrom: ada\n\nStatus: Done\n"))
    thread.add(4, "d", _mail("eve@x", "Owner: Eve <eve@x>\n", ("Auto-Submitted", "auto-replied")))
    assert (thread.owner, thread.status, thread.last) == ("ada@x", "In progress", "c")
    thread.add(5, "e", _mail("ada@x", "Approval requested from Bob <bob@x>\n"))
    thread.add(6, "f", _mail("ada@x", "approved\n"))
    assert thread.approver == "bob@x", "nobody answers for somebody else"
    thread.add(7, "g", _mail("bob@x", "approved\n\n> Approval requested from Bob <bob@x>\n"))
    assert thread.approver is None


def _mail(sender: str, text: str, *headers: tuple[str, str]) -> Letter:
    return Letter(headers=(("From", sender), *headers), text=text)


# -- choosing ----------------------------------------------------------------------------------------------------


def test_a_choice_is_the_same_whatever_the_order_of_the_view() -> None:
    people = tuple(Person(key=f"p{n}", name=f"P {n}", accounts={"jira": f"a{n}"}) for n in range(4))
    records = [Record(instance="jira", id=str(n), kind="X", title="t", owner="a1", status="Open") for n in range(9)]
    statuses = {("jira", "X"): ("Open", "Done")}
    for seed in range(50):
        made = [
            choose(
                random.Random(seed),
                View(people=people, records={("jira", r.id): r for r in order}, statuses=statuses),
                number=1,
            )
            for order in (records, records[::-1])
        ]
        assert made[0] == made[1]


def test_nobody_there_nothing_done() -> None:
    people = (Person(key="p", name="P", accounts={"jira": "a"}),)
    record = Record(instance="jira", id="1", kind="X", title="t")
    view = View(people=people, records={("jira", "1"): record}, statuses={("jira", "X"): ("Open", "Done")})
    assert choose(random.Random(1), view, number=1, only=["Comment"]) is not None
    away = replace(view, away=frozenset({"p"}))
    assert choose(random.Random(1), away, number=1, only=["Comment", "CreateItem", "RenameField"]) is None
