"""How people answer mail: the thread is read over IMAP in the shared mailbox, the answer goes out over SMTP."""

from __future__ import annotations

import imaplib
import re
import smtplib
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.policy import default as modern
from email.utils import getaddresses
from typing import TYPE_CHECKING

from sandbox.mail.reply import Writer, reply, send
from sandbox.people_at_work import deeds
from sandbox.people_at_work.hands import NOBODY, Outcome, Seen
from sandbox.people_at_work.talk import Reply, Unreachable
from sandbox.people_at_work.view import Person, Record, State

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIELDS = "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID REFERENCES IN-REPLY-TO SUBJECT FROM TO CC)]"
_ID = re.compile(r"<([^<>\s]+)>")
_UID = re.compile(rb"UID (\d+)")
_PATIENCE = 10  # real seconds
_TRIES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """The shared mailbox and the way out: ``imap`` and ``smtp`` as host:port, how to sign in, the folder."""

    imap: str
    smtp: str
    user: str
    password: str
    folder: str = "INBOX"


@dataclass(slots=True)
class _Thread:
    subject: str
    uid: int
    last: str
    people: set[str]


class MailHand:
    """The conversations of the company."""

    def __init__(self, mailbox: Mailbox, people: Mapping[str, Person], *, seed: int) -> None:
        """Write as these people, by key; the same seed writes the same letters."""
        self._mailbox = mailbox
        self._people = people
        self._seed = seed
        self._threads: dict[str, _Thread] = {}
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
        return Seen(
            records=tuple(
                Record(
                    instance="mail",
                    id=root,
                    kind="thread",
                    title=thread.subject,
                    status=thread.last,
                    people=tuple(sorted(thread.people & self._people.keys())),
                )
                for root, thread in self._threads.items()
            )
        )

    def state(self, record: Record, *, by: str) -> tuple[State | None, Reply]:
        """Name the last mail of a thread."""
        try:
            self._catch_up()
        except (OSError, imaplib.IMAP4.error) as error:
            return None, Reply(status=0, text=str(error)[:300])
        thread = self._threads.get(record.id)
        return (None if thread is None else {"last": thread.last}), Reply(status=200)

    def act(self, deed: deeds.Deed, record: Record | None, *, at: str) -> Outcome:
        """Answer the last mail of a thread."""
        thread = None if record is None else self._threads.get(record.id)
        if thread is None or not isinstance(deed, deeds.ReplyToMail | deeds.GoOnLeave | deeds.ComeBack):
            return Outcome(reply=NOBODY)
        try:
            parent = self._whole(thread.uid)
        except (OSError, imaplib.IMAP4.error) as error:
            return Outcome(reply=Reply(status=0, text=str(error)[:300]))
        who = self._people[deed.by]
        writer = Writer(name=who.name, address=who.key)
        letter = reply(parent, by=writer, text=deed.text, at=datetime.fromisoformat(at), seed=self._seed)
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
            if most is not None:
                uids = uids[-most:]
            if not uids:
                return
            _, answers = line.uid("FETCH", f"{uids[0]}:{uids[-1]}", f"(UID {_FIELDS})")
        for meta, raw in (answer for answer in answers if isinstance(answer, tuple)):
            number = _UID.search(meta)
            if number is not None:
                self._note(int(number[1]), raw)

    def _whole(self, uid: int) -> bytes:
        with self._signed_in() as line:
            _, answers = line.uid("FETCH", str(uid), "(BODY.PEEK[])")
        raw = next((answer[1] for answer in answers if isinstance(answer, tuple)), None)
        if not isinstance(raw, bytes):
            raise OSError("the mail is gone")
        return raw

    def _note(self, uid: int, raw: bytes) -> None:
        message = message_from_bytes(raw, policy=modern)
        own = _ID.findall(str(message["Message-ID"] or ""))
        if not own:
            return
        before = _ID.findall(f"{message['References'] or ''} {message['In-Reply-To'] or ''}")
        root = next((self._thread_of[id_] for id_ in before if id_ in self._thread_of), (before or own)[0])
        self._thread_of[own[0]] = root
        thread = self._threads.setdefault(
            root, _Thread(subject=str(message["Subject"] or ""), uid=uid, last=own[0], people=set())
        )
        thread.uid, thread.last = uid, own[0]
        named = [str(message[name]) for name in ("From", "To", "Cc") if message[name]]
        thread.people |= {address.lower() for _, address in getaddresses(named)}
        self._read = max(self._read, uid)


def _text(told: bytes | str) -> str:
    return told.decode("utf-8", "replace") if isinstance(told, bytes) else told
