"""How people answer mail: the thread is read over IMAP in the shared mailbox, the answer goes out over SMTP."""

from __future__ import annotations

import imaplib
import re
import smtplib
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sandbox.mail.reading import Letter, read
from sandbox.mail.reply import Writer, reply, send
from sandbox.people_at_work import deeds
from sandbox.people_at_work.hands import NOBODY, Outcome, Seen
from sandbox.people_at_work.talk import Reply, Unreachable
from sandbox.people_at_work.threads import Thread, ids_of
from sandbox.people_at_work.view import Person, Record, State

if TYPE_CHECKING:
    from collections.abc import Iterator

_UID = re.compile(rb"UID (\d+)")
_PATIENCE = 10  # real seconds
_TRIES = 2
_PORTION = 200  # mails fetched at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """The shared mailbox and the way out: ``imap`` and ``smtp`` as host:port, how to sign in, the folder."""

    imap: str
    smtp: str
    user: str
    password: str
    folder: str = "INBOX"


class MailHand:
    """The conversations of the company."""

    def __init__(self, mailbox: Mailbox, people: Mapping[str, Person], *, seed: int) -> None:
        """Write as these people, by key; the same seed writes the same letters."""
        self._mailbox = mailbox
        self._people = people
        self._seed = seed
        self._threads: dict[str, Thread] = {}
        self._thread_of: dict[str, str] = {}
        self._read = 0  # the last UID that was read

    def close(self) -> None:
        """Nothing stays open between two looks."""

    def look(self, most: int) -> Seen:
        """Read the newest mails. Raises Unreachable."""
        try:
            self._catch_up(most)
        except (OSError, imaplib.IMAP4.error) as error:
            raise Unreachable(f"the mailbox: {error}") from error
        records = tuple(
            Record(
                instance="mail",
                id=root,
                kind="thread",
                title=thread.subject,
                owner=thread.owner,
                status=thread.status,
                approver=thread.approver,
                people=tuple(sorted(thread.people & self._people.keys())),
                last=thread.last,
            )
            for root, thread in self._threads.items()
        )
        known = sorted({thread.status for thread in self._threads.values() if thread.status})
        return Seen(records=records, statuses={"thread": tuple(known)})

    def state(self, record: Record, *, by: str) -> tuple[State | None, Reply]:
        """Tell what the mails of a thread state, and which is the last."""
        try:
            self._catch_up()
        except (OSError, imaplib.IMAP4.error) as error:
            return None, Reply(status=0, text=str(error)[:300])
        thread = self._threads.get(record.id)
        if thread is None:
            return None, Reply(status=404)
        return {"owner": thread.owner, "status": thread.status, "last": thread.last}, Reply(status=200)

    def act(self, deed: deeds.Deed, record: Record | None, *, at: str) -> Outcome:
        """Answer the last mail of a thread."""
        thread = None if record is None else self._threads.get(record.id)
        text = _words(deed, self._people)
        if thread is None or not text:
            return Outcome(reply=NOBODY)
        try:
            parent = self._whole(thread.uid)
        except (OSError, imaplib.IMAP4.error) as error:
            return Outcome(reply=Reply(status=0, text=str(error)[:300]))
        who = self._people[deed.by]
        writer = Writer(name=who.name, address=who.key)
        letter = reply(parent, by=writer, text=text, at=datetime.fromisoformat(at), seed=self._seed)
        host, _, port = self._mailbox.smtp.rpartition(":")
        told = Reply(status=0)
        for number in range(1, _TRIES + 1):
            try:
                send(letter, host=host, port=int(port), timeout=_PATIENCE)
                return Outcome(reply=Reply(status=250, tries=number))
            except smtplib.SMTPResponseException as error:
                told = Reply(status=error.smtp_code, text=_text(error.smtp_error), tries=number)
            except smtplib.SMTPRecipientsRefused as error:
                code, words = next(iter(error.recipients.values()))
                told = Reply(status=code, text=_text(words), tries=number)
            except (OSError, smtplib.SMTPException) as error:
                told = Reply(status=0, text=type(error).__name__, tries=number)
            if told.status >= 500:
                break  # for good, as RFC 5321 has it
        return Outcome(reply=told)

    @contextmanager
    def _signed_in(self) -> Iterator[imaplib.IMAP4]:
        host, _, port = self._mailbox.imap.rpartition(":")
        line = imaplib.IMAP4(host, int(port), timeout=_PATIENCE)
        try:
            line.login(self._mailbox.user, self._mailbox.password)
            line.select(self._mailbox.folder, readonly=True)
            yield line
        finally:
            line.logout()

    def _catch_up(self, most: int | None = None) -> None:
        with self._signed_in() as line:
            _, found = line.uid("SEARCH", "UID", f"{self._read + 1}:*")
            uids = [int(uid) for uid in (found[0] or b"").split() if int(uid) > self._read]
            uids = uids if most is None else uids[-most:]
            for first in range(0, len(uids), _PORTION):
                portion = uids[first : first + _PORTION]
                _, answers = line.uid("FETCH", f"{portion[0]}:{portion[-1]}", "(UID BODY.PEEK[])")
                for meta, raw in (answer for answer in answers if isinstance(answer, tuple)):
                    number = _UID.search(meta)
                    if number is not None:
                        self._note(int(number[1]), read(raw))

    def _whole(self, uid: int) -> bytes:
        with self._signed_in() as line:
            _, answers = line.uid("FETCH", str(uid), "(BODY.PEEK[])")
        raw = next((answer[1] for answer in answers if isinstance(answer, tuple)), None)
        if not isinstance(raw, bytes):
            raise OSError("the mail is gone")
        return raw

    def _note(self, uid: int, letter: Letter) -> None:
        self._read = max(self._read, uid)
        own, before = ids_of(letter)
        if not own:
            return
        root = next((self._thread_of[id_] for id_ in before if id_ in self._thread_of), (before or [own])[0])
        self._thread_of[own] = root
        self._threads.setdefault(root, Thread(subject=letter.header("Subject"))).add(uid, own, letter)


def _words(deed: deeds.Deed, people: Mapping[str, Person]) -> str:
    """What somebody writes; empty for what is not done by mail."""
    match deed:
        case deeds.ReplyToMail() | deeds.GoOnLeave() | deeds.ComeBack():
            return deed.text
        case deeds.Reassign():
            return f"Over to you.\n\nOwner: {people[deed.to].name} <{deed.to}>"
        case deeds.MoveStatus():
            return f"A short note on where we are.\n\nStatus: {deed.to}"
        case deeds.AskApproval():
            return f"Approval requested from {people[deed.of].name} <{deed.of}>"
        case deeds.Approve():
            return "approved"
        case deeds.Reject():
            return "rejected"
    return ""


def _text(told: bytes | str) -> str:
    return told.decode("utf-8", "replace") if isinstance(told, bytes) else told
