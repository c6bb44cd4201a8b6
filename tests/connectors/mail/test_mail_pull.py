"""Reading a folder over a real IMAP server: nothing missed, nothing marked, nothing read twice."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from connectors.mail import connector as module
from connectors.mail.imap import Mailbox
from hub.charter.secret import Secret
from hub.domain.records import Observation, Page
from hub.errors import ConfigurationError, SourceRefused, SourceUnavailable

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NOW = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)


def pull(connector, cursor=None):
    return list(connector.pull(connector.streams()[0], cursor, now=NOW))


def observed(pages: list[Page], field: str) -> list[Observation]:
    return [o for page in pages for o in page.observations if o.field == field]


def test_a_thread_becomes_one_record_with_its_statements(folder, mail):
    folder.add(mail("Hi Grace,\nthe brief is final.\n\nOwner: Grace Hopper <Grace@acme.example>\nPhase: Build\n"))
    folder.add(
        mail(
            "I'll take it.\nStatus: In progress\n\nOn Mon, 2 Mar 2026, Ada wrote:\n> Owner: Ada <ada@acme.example>\n",
            id="two@acme.example", sender="Grace Hopper <grace@acme.example>",
            subject="Re: Autumn campaign: landing page",
            reply_to="root@acme.example", references="<root@acme.example>", date=NOON + timedelta(hours=1),
        ),
        NOON + timedelta(hours=1),
    )  # fmt: skip
    pages = pull(folder.connector())
    assert [(r.native_id, r.stream) for p in pages for r in p.records] == [
        ("root@acme.example", f"messages:{folder.name}"),
        ("two@acme.example", f"messages:{folder.name}"),
    ]
    owners = observed(pages, "owner")
    assert {o.record for o in owners} == {"root@acme.example"}
    assert [(o.value, o.actor, o.valid_from) for o in owners] == [
        ("grace@acme.example", "ada@acme.example", NOON),
        ("grace@acme.example", "grace@acme.example", NOON + timedelta(hours=1)),
    ]
    assert [o.value for o in observed(pages, "phase")] == ["Build"]
    assert [o.value for o in observed(pages, "status")] == ["In progress"]
    assert [o.value for o in observed(pages, "update")] == ["the brief is final."]
    assert {o.value for o in observed(pages, "title")} == {"Autumn campaign: landing page"}
    assert {(o.record, o.value) for o in observed(pages, "name")} == {
        ("ada@acme.example", "Ada Lovelace"),
        ("grace@acme.example", "Grace Hopper"),
    }


def test_reading_marks_no_mail_as_seen(folder, mail):
    folder.add(mail("one"))
    pull(folder.connector())
    folder.client.select_folder(folder.name, readonly=True)
    assert len(folder.client.search(["UNSEEN"])) == 1


def test_only_commands_that_leave_no_mark_are_sent(folder, mail, line):
    folder.add(mail("one"))
    pull(folder.connector(port=line.port))
    said = bytes(line.said).upper()
    assert b" EXAMINE " in said
    assert b"BODY.PEEK[]" in said
    assert b"BODY[" not in said
    for word in (b" SELECT ", b" STORE ", b" APPEND ", b" EXPUNGE", b" COPY ", b" MOVE "):
        assert word not in said


def test_a_second_pull_sends_few_commands_and_yields_nothing(folder, mail):
    for n in range(5):
        folder.add(mail(f"news {n}", id=f"{n}@acme.example"))
    first = pull(folder.connector())
    again = folder.connector()
    assert pull(again, first[-1].cursor) == []
    assert again.census(again.streams()[0]) == 5
    assert again.calls == 3


def test_new_mail_is_read_from_the_cursor_on(folder, mail):
    folder.add(mail("one", id="1@acme.example"))
    cursor = pull(folder.connector())[-1].cursor
    folder.add(mail("two", id="2@acme.example"))
    pages = pull(folder.connector(), cursor)
    assert [r.native_id for p in pages for r in p.records] == ["2@acme.example"]


def test_searching_above_the_last_uid_does_not_return_the_last_message(folder, mail):
    folder.add(mail("one"))
    box = Mailbox("ops_mail", folder.source().connection, Secret("correct-horse"))
    box.open()
    (last,) = box.uids_after(0)
    assert box.uids_after(last - 1) == [last]
    assert box.uids_after(last) == []
    assert box.uids_after(last + 40) == []
    box.close()


def test_a_folder_made_anew_is_read_from_its_start(folder, mail):
    folder.add(mail("one", id="1@acme.example"))
    folder.add(mail("two", id="2@acme.example"))
    before = pull(folder.connector())
    folder.recreate()
    folder.add(mail("one", id="1@acme.example"))
    after = pull(folder.connector(), before[-1].cursor)
    assert [r.native_id for p in after for r in p.records] == ["1@acme.example"]
    # the same mail is the same raw record and the same observations: the ledger keeps one
    assert {r.digest for p in after for r in p.records} < {r.digest for p in before for r in p.records}
    assert {o.key for p in after for o in p.observations} <= {o.key for p in before for o in p.observations}
    assert json.loads(after[-1].cursor)["uidvalidity"] != json.loads(before[-1].cursor)["uidvalidity"]


def test_pages_are_bounded_and_each_cursor_is_safe(folder, mail, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 2)
    for n in range(5):
        folder.add(mail(f"news {n}", id=f"{n}@acme.example"))
    pages = pull(folder.connector())
    assert [len(p.records) for p in pages] == [2, 2, 1]
    first = json.loads(pages[0].cursor)["last_uid"]
    assert [json.loads(p.cursor)["last_uid"] - first for p in pages] == [0, 2, 3]
    resumed = pull(folder.connector(), pages[0].cursor)
    assert [r.native_id for p in resumed for r in p.records] == ["2@acme.example", "3@acme.example", "4@acme.example"]


def test_a_page_holds_a_bounded_number_of_bytes():
    sizes = dict.fromkeys(range(1, 5), 20 * 1024 * 1024)
    assert list(module.batches([1, 2, 3, 4], sizes)) == [[1], [2], [3], [4]]


def test_one_bad_mail_is_quarantined_and_the_others_are_read(folder, mail):
    folder.add(mail("fine", id="1@acme.example"))
    folder.add(b"From: a@x.example\r\nFrom: b@x.example\r\nMessage-ID: <2@acme.example>\r\n\r\ntwo senders")
    folder.add(mail("fine too", id="3@acme.example"))
    pages = pull(folder.connector())
    assert [r.native_id for p in pages for r in p.records] == ["1@acme.example", "3@acme.example"]
    (bad,) = [q for p in pages for q in p.quarantined]
    assert (bad.native_id, bad.reason) == ("2@acme.example", "not exactly one From header")
    assert bad.payload.endswith(b"two senders")
    assert pull(folder.connector(), pages[-1].cursor) == []


def test_a_mail_too_large_is_quarantined_without_being_fetched(folder, mail, monkeypatch):
    monkeypatch.setattr(module, "RAW_LIMIT", 2_000)
    folder.add(mail("x" * 5_000, id="huge@acme.example"))
    folder.add(mail("small", id="small@acme.example"))
    pages = pull(folder.connector())
    (bad,) = [q for p in pages for q in p.quarantined]
    assert bad.native_id == "huge@acme.example"
    assert "more than 2,000" in bad.reason
    assert b"xxxx" not in bad.payload
    assert [r.native_id for p in pages for r in p.records] == ["small@acme.example"]


def test_the_answer_counts_when_it_comes_from_the_person_asked(folder, mail):
    folder.add(mail("Approval requested from Grace Hopper <grace@acme.example>\n"))
    cursor = pull(folder.connector())[-1].cursor
    reply = {"reply_to": "root@acme.example", "references": "<root@acme.example>"}
    folder.add(mail("Approved\n", id="2@acme.example", sender="bob@acme.example", **reply))
    folder.add(mail("Rejected.\nToo dear.\n", id="3@acme.example", sender="grace@acme.example", **reply))
    # the request was read by an earlier pull: the thread is looked up on the server
    for start in (cursor, None):
        pages = pull(folder.connector(), start)
        answers = [(o.value, o.actor, o.part) for o in observed(pages, "approval")]
        assert answers[-1] == ("rejected", "grace@acme.example", "approval")
        assert not [a for a in answers if a[0] == "approved"]
    assert [(o.value, o.part) for o in observed(pages, "approver")] == [("grace@acme.example", "approval")]


def test_a_wrong_password_a_missing_folder_and_a_dead_server_are_clear(folder):
    wrong = module.connect("ops_mail", folder.source(), lambda _: Secret("wrong"))
    with pytest.raises(SourceRefused, match="signing in") as refused:
        pull(wrong)
    assert "wrong" not in str(refused.value)
    with pytest.raises(SourceRefused, match="folder 'Nowhere' cannot be opened"):
        pull(folder.connector(folder="Nowhere"))
    with pytest.raises(SourceUnavailable, match="connection lost"):
        pull(folder.connector(port=1))
    assert [p.where for p in folder.connector(port=1).check()] == ["ops_mail"] * 2


def test_a_password_never_travels_in_clear_text_over_a_network(folder):
    with pytest.raises(ConfigurationError, match="without TLS"):
        pull(folder.connector(host="mail.acme.example"))


def test_a_line_cut_between_pages_keeps_what_was_read(folder, mail, line, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 1)
    for n in range(3):
        folder.add(mail(f"news {n}", id=f"{n}@acme.example"))
    connector = folder.connector(port=line.port)
    pages = connector.pull(connector.streams()[0], None, now=NOW)
    first = next(pages)
    line.cut()
    with pytest.raises(SourceUnavailable, match="connection lost"):
        next(pages)
    rest = pull(folder.connector(), first.cursor)
    assert [r.native_id for p in rest for r in p.records] == ["1@acme.example", "2@acme.example"]


def test_an_empty_folder_is_fine(folder):
    connector = folder.connector()
    assert pull(connector) == []
    assert connector.census(connector.streams()[0]) == 0
