"""One world over pymap and over a real Dovecot: the same messages, whichever client looks; what only Dovecot can."""

from __future__ import annotations

import imaplib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from imap_tools import BaseMailBox, MailBoxUnencrypted
from mail_world import (
    ADA,
    BOB,
    HUB,
    NOON,
    SECRET,
    SPACE,
    document,
    fill,
    letter,
    mail_server,
    open_directory,
    post_office,
    require_dovecot,
    signed_in,
)

from sandbox.mail import kept_kind, open_mailbox
from sandbox.mail.mailbox import Mailbox, MailServerFailed, Message
from sandbox.mail.maildir import Maildir
from sandbox.store import Store

KINDS = ["pymap", pytest.param("dovecot", marks=pytest.mark.dovecot)]
FOLDERS = ("INBOX", "Archive.2026", "Entwürfe")


@dataclass(frozen=True, slots=True)
class Place:
    """A directory with a world in it."""

    directory: Path
    store: Store


@pytest.fixture
def place() -> Iterator[Place]:
    with open_directory() as directory:
        store = Store(directory / "world.sqlite")
        fill(store)
        yield Place(directory, store)
        store.close()


@dataclass(frozen=True, slots=True)
class Served:
    """A server of the world that several tests look at; none of them takes mail away from it but the last."""

    place: Place
    mailbox: Mailbox


@pytest.fixture(scope="module", params=KINDS)
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    require_dovecot(request.param)
    with open_directory() as directory:
        store = Store(directory / "world.sqlite")
        fill(store)
        with mail_server(request.param, directory, store) as mailbox:
            yield Served(Place(directory, store), mailbox)
        store.close()


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Mailbox]:
    require_dovecot()
    with open_directory() as directory:
        store = Store(directory / "world.sqlite")
        fill(store)
        with mail_server("dovecot", directory, store) as mailbox:
            yield mailbox
        store.close()


def with_imapclient(mailbox: Mailbox, user: str, folder: str) -> list[tuple[int, bytes, datetime]]:
    client = signed_in(mailbox, user)
    client.select_folder(folder, readonly=True)
    uids = client.search()
    found = client.fetch(uids, ["BODY.PEEK[]", "INTERNALDATE"]) if uids else {}
    client.logout()
    return [(uid, found[uid][b"BODY[]"], found[uid][b"INTERNALDATE"].astimezone(UTC)) for uid in sorted(found)]


def with_imap_tools(mailbox: Mailbox, user: str, folder: str) -> list[tuple[str, str, str]]:
    with MailBoxUnencrypted("127.0.0.1", port=mailbox.port).login(user, SECRET, initial_folder=folder) as box:
        return [(m.subject, m.from_, m.text) for m in _all(box)]


def _all(box: BaseMailBox) -> Iterator:
    return box.fetch(mark_seen=False)


def expected(place: Place, user: str, folder: str) -> list[tuple[bytes, datetime]]:
    import base64

    return [
        (base64.b64decode(doc["raw"]), datetime.fromisoformat(doc["date"]))
        for doc in place.store.scan(SPACE, "message")
        if doc.get("login", HUB) == user and doc.get("mailbox", "INBOX") == folder
    ]


def test_the_world_is_served_as_it_is_in_the_order_it_happened(served: Served) -> None:
    for user, folders in ((HUB, FOLDERS), (ADA, ("INBOX",)), (BOB, ("INBOX",))):
        for folder in folders:
            found = with_imapclient(served.mailbox, user, folder)
            assert [(raw, at) for _, raw, at in found] == expected(served.place, user, folder)
            # pymap begins to count at 101, Dovecot at 1: only the order is the same
            assert [uid for uid, _, _ in found] == sorted({uid for uid, _, _ in found})


@pytest.mark.dovecot
def test_both_servers_show_two_clients_the_same_mail(place: Place) -> None:
    require_dovecot()
    seen = []
    for kind in ("pymap", "dovecot"):
        with mail_server(kind, place.directory, place.store) as mailbox:
            seen.append(
                [
                    (
                        [(raw, at) for _, raw, at in with_imapclient(mailbox, user, folder)],
                        with_imap_tools(mailbox, user, folder),
                    )
                    for user, folder in ((HUB, "INBOX"), (HUB, "Archive.2026"), (HUB, "Entwürfe"), (ADA, "INBOX"))
                ]
            )
    assert seen[0] == seen[1]
    assert [subject for subject, _, _ in seen[0][0][1]] == ["news 0", "news 1", "Grüße"]


def test_everybody_sees_their_own_mail_with_their_own_password(served: Served) -> None:
    client = signed_in(served.mailbox, ADA)
    assert [folder for _, _, folder in client.list_folders()] == ["INBOX"]
    client.logout()
    with pytest.raises(imaplib.IMAP4.error):
        imaplib.IMAP4("127.0.0.1", served.mailbox.port, timeout=10).login(BOB, "wrong")


def test_a_message_for_somebody_without_a_mailbox_is_an_error(served: Served) -> None:
    stray = Message(raw=b"Subject: x\r\n\r\n", at=NOON, login="nobody@acme.example")
    for take in (served.mailbox.load, served.mailbox.append):
        with pytest.raises(MailServerFailed, match=r"nobody@acme.example, who has no mailbox"):
            take([stray])


@pytest.mark.parametrize("kind", KINDS)
def test_delivery_wakes_a_client_that_waits(kind: str) -> None:
    require_dovecot(kind)
    with post_office(kind) as office:
        client = office.imap()
        client.select_folder("INBOX", readonly=True)
        client.idle()
        with office.smtp() as line:
            line.send_message(letter("wake up"))
        told = client.idle_check(timeout=5)
        client.idle_done()
        assert (4, b"EXISTS") in told
        (uid,) = client.search(["SUBJECT", "wake up"])
        assert client.fetch([uid], ["INTERNALDATE"])[uid][b"INTERNALDATE"] == office.shared.clock()
        client.logout()


@pytest.mark.parametrize("kind", KINDS)
def test_a_taken_port_is_an_error(place: Place, kind: str) -> None:
    require_dovecot(kind)
    with (
        mail_server("pymap", place.directory, place.store) as other,
        pytest.raises(MailServerFailed, match=r"(?i)in use"),
    ):
        open_mailbox(kind, {HUB: SECRET}, directory=place.directory, port=other.port)


def test_an_unknown_server_is_an_error_that_names_the_known(tmp_path: Path) -> None:
    with pytest.raises(MailServerFailed, match="choose pymap or dovecot"):
        open_mailbox("exchange", {HUB: SECRET}, directory=tmp_path)


def test_without_dovecot_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(MailServerFailed, match="apt-get install dovecot-imapd"):
        open_mailbox("dovecot", {HUB: SECRET}, directory=tmp_path)


@pytest.mark.dovecot
def test_started_by_root_a_closed_directory_is_named(tmp_path: Path) -> None:
    require_dovecot()
    if os.geteuid() != 0:
        pytest.skip("only root changes to another account")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(MailServerFailed, match="may not enter"):
        open_mailbox("dovecot", {HUB: SECRET}, directory=closed)


@pytest.mark.dovecot
def test_condstore_tells_what_changed_since(dovecot: Mailbox) -> None:
    client, other = signed_in(dovecot), signed_in(dovecot)
    assert {b"CONDSTORE", b"QRESYNC", b"IDLE", b"MOVE", b"UIDPLUS"} <= set(client.capabilities())
    client.enable("CONDSTORE")
    before = client.select_folder("INBOX", readonly=True)[b"HIGHESTMODSEQ"]
    other.select_folder("INBOX")
    other.add_flags([2], [b"\\Flagged"])
    changed = client.fetch([1, 2, 3], ["FLAGS"], modifiers=[f"CHANGEDSINCE {before}"])
    assert {uid: data[b"MODSEQ"][0] > before for uid, data in changed.items()} == {2: True}
    client.logout()
    other.logout()


@pytest.mark.dovecot
def test_qresync_tells_what_vanished(dovecot: Mailbox) -> None:
    client = signed_in(dovecot)
    client.enable("CONDSTORE")
    seen = client.select_folder("INBOX", readonly=True)
    client.logout()
    other = signed_in(dovecot)
    other.select_folder("INBOX")
    other.delete_messages([1, 3])
    other.expunge()
    other.logout()

    line = imaplib.IMAP4("127.0.0.1", dovecot.port, timeout=10)
    line.login(HUB, SECRET)
    line.enable("QRESYNC")
    parameters = f"(QRESYNC ({seen[b'UIDVALIDITY']} {seen[b'HIGHESTMODSEQ']}))"
    line._simple_command("SELECT", "INBOX", parameters)
    assert line.untagged_responses["VANISHED"] == [b"(EARLIER) 1,3"]
    line.logout()


@pytest.mark.dovecot
def test_a_kept_directory_keeps_uids_and_what_people_did(place: Place) -> None:
    require_dovecot()
    with mail_server("dovecot", place.directory, place.store) as mailbox:
        mailbox.append([Message(raw=b"Subject: later\r\n\r\n", at=NOON, id="later")])
        client = signed_in(mailbox)
        first = client.select_folder("INBOX")
        client.add_flags([2], [b"\\Seen"])
        client.delete_messages([1])
        client.expunge()
        client.logout()
    assert kept_kind(place.directory) == "dovecot"
    place.store.put(SPACE, "message", [document(9, letter("meanwhile").as_bytes())])
    late = {"id": "later", "raw": "", "date": NOON.isoformat()}
    place.store.put(SPACE, "message", [("later", "2026-03-02T12:00:00.000000Z", late)])

    with mail_server("dovecot", place.directory, place.store) as mailbox:
        client = signed_in(mailbox)
        again = client.select_folder("INBOX", readonly=True)
        assert again[b"UIDVALIDITY"] == first[b"UIDVALIDITY"]
        found = client.fetch(client.search(), ["ENVELOPE", "FLAGS"])
        subjects = {uid: data[b"ENVELOPE"].subject for uid, data in found.items()}
        assert subjects == {2: b"news 1", 3: subjects[3], 4: b"later", 5: b"meanwhile"}
        assert b"\\Seen" in found[2][b"FLAGS"]
        client.logout()


@pytest.mark.parametrize("login", ["../root", "a/b@x.example", "a:b@x.example", "a b@x.example", ".ssh"])
def test_an_address_that_is_no_name_of_a_directory_is_refused(tmp_path: Path, login: str) -> None:
    with pytest.raises(MailServerFailed, match="cannot keep mail for"):
        Maildir(tmp_path / "mail").prepare({HUB: SECRET, login: SECRET})
    assert not (tmp_path / "mail").exists()


@pytest.mark.parametrize("folder", ["../../x", "a/b", ".."])
def test_a_folder_that_leads_elsewhere_is_refused(tmp_path: Path, folder: str) -> None:
    with pytest.raises(MailServerFailed, match="cannot keep a folder"):
        Maildir(tmp_path).file([Message(raw=b"\r\n", at=NOON, folder=folder)], {HUB: SECRET})


def test_a_new_company_throws_away_the_mail_of_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "mail" / HUB).mkdir(parents=True)
    assert kept_kind(tmp_path) == "dovecot"
    with open_mailbox("pymap", {HUB: SECRET}, directory=tmp_path, anew=True) as mailbox:
        assert mailbox.alive()
    assert kept_kind(tmp_path) == "pymap"


@pytest.mark.dovecot
def test_nothing_runs_as_root_or_listens_beyond_loopback(dovecot: Mailbox) -> None:
    signed_in(dovecot).logout()
    processes = [path for path in Path("/proc").glob("[0-9]*") if _parent_or_self(path, dovecot)]
    assert processes
    assert all(path.stat().st_uid != 0 for path in processes)
    listening = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    assert {row[1] for row in listening if row[1].endswith(f":{dovecot.port:04X}") and row[3] == "0A"} == {
        f"0100007F:{dovecot.port:04X}"
    }


def _parent_or_self(path: Path, dovecot: Mailbox) -> bool:
    pid = dovecot._process.pid  # type: ignore[attr-defined]  # only Dovecot has one that matters here
    try:
        return path.name == str(pid) or f"PPid:\t{pid}\n" in (path / "status").read_text()
    except OSError:  # ended meanwhile
        return False


@pytest.mark.dovecot
def test_dovecot_ends_with_whoever_started_it() -> None:
    require_dovecot()
    program = (
        "import sys; from pathlib import Path; from sandbox.mail import open_mailbox\n"
        "box = open_mailbox('dovecot', {'a@x.example': 'pw'}, directory=Path(sys.argv[1]))\n"
        "print(box.port, box._process.pid, flush=True); sys.stdin.read()\n"
    )
    with open_directory() as directory:
        with subprocess.Popen(
            [sys.executable, "-c", program, str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        ) as starter:
            assert starter.stdout is not None
            pid = int(starter.stdout.readline().split()[1])
            starter.send_signal(signal.SIGKILL)
        until = time.monotonic() + 10
        while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
            time.sleep(0.05)
        assert not Path(f"/proc/{pid}").exists()
