"""The whole company as one detached process: it answers on every port, delivers mail, and leaves nothing behind."""

from __future__ import annotations

import imaplib
import json
import os
import signal
import smtplib
import socket
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import requests
from ruamel.yaml import YAML

from sandbox import launcher
from sandbox.store import Store
from sandbox.world import world_file
from sandbox.world.people import HUB_ADDRESS

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[launcher.Running]:
    directory = tmp_path_factory.mktemp("company")
    yield launcher.up(directory, seed=5, items=40, now=NOW)
    launcher.down(directory)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "company"
    launcher.down(tmp_path / "company")


def secret(running: launcher.Running, name: str) -> str:
    return (running.directory / "secrets" / name).read_text()


def charter(running: launcher.Running) -> dict[str, Any]:
    told: dict[str, Any] = YAML(typ="safe").load((running.config / "charter.yaml").read_text())
    return told


def inbox(running: launcher.Running) -> imaplib.IMAP4:
    host, _, port = running.addresses["imap"].rpartition(":")
    client = imaplib.IMAP4(host, int(port), timeout=10)
    client.login(HUB_ADDRESS, secret(running, "mail_password"))
    client.select("INBOX", readonly=True)
    return client


def imap_answers(running: launcher.Running) -> bool:
    host, _, port = running.addresses["imap"].rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
    except OSError:
        return False
    return True


def until(condition: Any, patience: float = 5.0) -> bool:
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_the_emitted_secrets_open_every_tool(running: launcher.Running) -> None:
    sources = charter(running)["sources"]
    salesforce = sources["acme_salesforce"]["connection"]
    assert salesforce["base_url"] == running.addresses["salesforce"]
    granted = requests.post(
        f"{salesforce['base_url']}/services/oauth2/token",
        data={
            "grant_type": "client_credentials",
            "client_id": salesforce["client_id"],
            "client_secret": secret(running, "salesforce_client_secret"),
        },
        timeout=10,
    ).json()
    cases = requests.get(
        f"{granted['instance_url']}/services/data/v59.0/query/",
        params={"q": "SELECT COUNT() FROM Case"},
        headers={"Authorization": f"Bearer {granted['access_token']}"},
        timeout=10,
    ).json()
    assert cases["totalSize"] > 0

    jira = sources["acme_jira"]["connection"]
    login = (jira["email"], secret(running, "jira_token"))
    me = requests.get(f"{jira['server']}/rest/api/3/myself", auth=login, timeout=10).json()
    assert me["displayName"] == "Handoff Hub"

    base = sources["studio_airtable"]
    rows = requests.get(
        f"{base['connection']['endpoint_url']}/v0/{base['base']}/{base['items']['table']}",
        params={"returnFieldsByFieldId": "true"},
        headers={"Authorization": f"Bearer {secret(running, 'airtable_token')}"},
        timeout=10,
    ).json()["records"]
    assert base["items"]["modified"] in rows[0]["fields"]


def test_the_mailbox_holds_every_message_of_the_world(running: launcher.Running) -> None:
    store = Store(running.directory / "world.sqlite")
    client = inbox(running)
    _, found = client.search(None, "ALL")
    assert len(found[0].split()) >= store.count("ops_mail", "message") > 0
    first = next(store.scan("ops_mail", "message"))
    _, hit = client.search(None, "HEADER", "Message-ID", f"<{first['id']}>")
    assert len(hit[0].split()) == 1
    client.logout()


def test_mail_for_the_hub_arrives_in_its_mailbox_and_every_envelope_is_kept(running: launcher.Running) -> None:
    message = EmailMessage()
    message["From"], message["To"] = "ada@acme.example", f"{HUB_ADDRESS}, joan@acme.example"
    message["Subject"], message["Message-ID"] = "approved?", "<fresh@test.example>"
    message.set_content("approved\n")
    host, _, port = running.addresses["smtp"].rpartition(":")
    with smtplib.SMTP(host, int(port), timeout=10) as post:
        post.send_message(message)
        message.replace_header("To", "joan@acme.example")
        message.replace_header("Message-ID", "<other@test.example>")
        post.send_message(message)
    client = inbox(running)
    assert client.search(None, "HEADER", "Message-ID", "<fresh@test.example>")[1] != [b""]
    assert client.search(None, "HEADER", "Message-ID", "<other@test.example>")[1] == [b""]
    client.logout()
    kept = requests.get(f"{running.addresses['control']}/mail", params={"to": "joan@acme.example"}, timeout=10).json()
    assert [dict(k["headers"])["Message-ID"] for k in kept] == ["<other@test.example>", "<fresh@test.example>"]
    assert kept[0]["text"].strip() == "approved"


def test_secrets_are_for_their_owner_only_and_never_in_the_charter(running: launcher.Running) -> None:
    written = (running.config / "charter.yaml").read_text()
    files = list((running.directory / "secrets").iterdir())
    assert {f.name for f in files} >= {"jira_token", "airtable_token", "mail_password", "ada_token"}
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.read_text() not in written


def test_answer_key_and_settings_lie_beside_the_world(running: launcher.Running) -> None:
    key = json.loads((running.directory / "answer_key.json").read_text())
    assert {entry["kind"] for entry in key} >= {"owner_conflict", "ghost_owner"}
    settings = YAML(typ="safe").load((running.config / "hub.yaml").read_text())
    assert settings == {"database": "sqlite:///../hub.sqlite", "charter": "charter.yaml", "artifacts": "../artifacts"}


def test_a_second_company_in_the_same_place_is_refused(running: launcher.Running) -> None:
    with pytest.raises(launcher.SandboxError, match="already runs") as caught:
        launcher.up(running.directory)
    assert "down" in caught.value.hint
    assert launcher.status(running.directory) == running


def test_down_leaves_no_server_behind(directory: Path) -> None:
    running = launcher.up(directory, items=4)
    assert launcher.status(directory) == running
    assert launcher.down(directory)
    assert until(lambda: not imap_answers(running))
    assert launcher.status(directory) is None
    assert not launcher.down(directory)


def test_the_mail_server_dies_with_a_company_that_is_killed(directory: Path) -> None:
    running = launcher.up(directory, items=4)
    os.kill(running.pid, signal.SIGKILL)
    assert until(lambda: not imap_answers(running))
    assert until(lambda: launcher.status(directory) is None)
    assert not launcher.down(directory), "a dead company's state file is no company"


def test_a_stranger_who_got_the_same_pid_is_left_alone(directory: Path) -> None:
    directory.mkdir()
    state = {
        "directory": str(directory),
        "config": "c",
        "pid": os.getpid(),
        "addresses": {"control": "http://127.0.0.1:9"},
    }
    (directory / "sandbox.json").write_text(json.dumps(state))
    assert launcher.status(directory) is None
    assert not launcher.down(directory)


def test_the_same_seed_and_time_give_the_same_company_again(directory: Path) -> None:
    documents = []
    for _ in range(2):
        launcher.up(directory, seed=3, items=6, now=NOW)
        store = Store(directory / "world.sqlite")
        documents.append({s: {k: list(store.scan(s, k)) for k in store.kinds(s)} for s in store.spaces()})
        store.close()
        launcher.down(directory)
    assert documents[0] == documents[1]


def test_a_world_file_is_served_under_its_own_names(directory: Path, tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    at = "2026-01-01T00:00:00.000+0000"
    fields = {"summary": "By hand", "status": {"id": "1", "name": "Open"}}
    issue = {
        "id": "1",
        "key": "OPS-1",
        "created": at,
        "updated": at,
        "_project": "OPS",
        "_creator": "a1",
        "fields": fields,
    }
    people = [{"accountId": "a1", "displayName": "Ann", "active": True}]
    spaces = {"desk": {"issue": [issue], "user": people, "project": [{"id": "9", "key": "OPS", "name": "Ops"}]}}
    given = {"version": 1, "sources": {"desk": {"tool": "jira", "partner": "p", "projects": ["OPS"]}}}
    path.write_text(json.dumps({"spaces": spaces, "charter": given}))
    running = launcher.up(directory, world=path)
    connection = charter(running)["sources"]["desk"]["connection"]
    found = requests.get(
        f"{connection['server']}/rest/api/3/issue/OPS-1",
        auth=(connection["email"], secret(running, "jira_token")),
        timeout=10,
    ).json()
    assert found["fields"]["summary"] == "By hand"
    assert set(running.addresses) == {"jira", "control", "imap", "smtp"}


def test_an_event_log_becomes_a_company_with_a_report(directory: Path, tmp_path: Path) -> None:
    log, column_map = tmp_path / "log.csv", tmp_path / "map.yaml"
    log.write_text(
        "c,t,a,what\nC1,2024-03-01T09:00:00Z,Ann,Open\nC1,2024-03-01T10:00:00Z,Bob,Close\nC1,never,Bob,Close\n"
    )
    column_map.write_text("{case: c, time: t, actor: a, activity: what}")
    running = launcher.up(directory, log=log, log_map=column_map)
    assert charter(running)["handoffs"]["detect"] == "actor_change"
    assert {p["name"] for p in charter(running)["people"].values()} == {"Ann", "Bob"}
    report = json.loads((directory / "load_report.json").read_text())
    unusable = [{"line": 4, "column": "t", "value": "never", "reason": "unreadable time 'never'"}]
    assert (report["events"], report["unusable"]) == (2, unusable)
    assert (directory / "unusable_rows.csv").is_file()


def test_what_cannot_be_built_is_told_in_one_line(directory: Path, tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    path.write_text("{}")
    with pytest.raises(launcher.SandboxError, match=r"world\.json: not a world file") as caught:
        launcher.up(directory, world=path)
    assert isinstance(caught.value, launcher.UnusableInput)
    assert "try again" in caught.value.hint
    with pytest.raises(launcher.SandboxError, match="there is no file"):
        launcher.up(directory, world=tmp_path / "nowhere.json")
    with pytest.raises(launcher.SandboxError, match="belong together"):
        launcher.up(directory, log=path)
    with pytest.raises(launcher.SandboxError, match="no time zone"):
        launcher.up(directory, now=datetime(2026, 1, 1))  # noqa: DTZ001  (the point of the test)
    assert launcher.status(directory) is None


def test_a_saved_world_can_be_started_again(running: launcher.Running, directory: Path, tmp_path: Path) -> None:
    path = tmp_path / "saved.json"
    world_file.save(Store(running.directory / "world.sqlite"), path, charter(running))
    again = launcher.up(directory, world=path)
    assert set(charter(again)["people"]) == set(charter(running)["people"])
    assert Store(directory / "world.sqlite").count("acme_jira", "issue") > 0
    assert inbox(again).noop()[0] == "OK"
