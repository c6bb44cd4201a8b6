"""The mail connector: one folder, one stream, threads as records."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr

from connectors.base import Connector, OwnerWriter
from connectors.mail.imap import Folder, Mailbox, Received
from connectors.mail.observe import gives_answer, observe, requested_approver
from connectors.mail.parse import RAW_LIMIT, Message, Unreadable, message_id, parse
from connectors.mail.send import MailWriter, Outgoing
from hub.charter.secret import Secret
from hub.charter.sources import MailSource
from hub.domain.records import Observation, Page, Problem, Quarantined, RawRecord, instant
from hub.errors import HubError

#: A page holds at most this many messages and this many bytes.
BATCH = 200
BATCH_BYTES = 32 * 1024 * 1024
#: Threads are asked of the server only for an answer whose request is unknown; longer ones are cut.
_THREAD_LIMIT = 200


def connect(name: str, source: MailSource, secret: Callable[[str], Secret]) -> Connector:
    """The connector of the mailbox `source`; nothing is sent before the first pull.

    Raises ConfigurationError when the password reference cannot be resolved.
    """
    return MailConnector(name, source, secret)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a folder was read up to; another `uidvalidity` makes `last_uid` meaningless."""

    uidvalidity: int
    last_uid: int

    @classmethod
    def read(cls, cursor: str | None, uidvalidity: int) -> Position:
        """The position to go on from; a folder that was made anew is read from its start."""
        stored = json.loads(cursor) if cursor else {}
        if stored.get("uidvalidity") != uidvalidity:
            return cls(uidvalidity, 0)
        return cls(uidvalidity, int(stored["last_uid"]))

    @property
    def text(self) -> str:
        """The cursor as the ledger keeps it."""
        return json.dumps({"uidvalidity": self.uidvalidity, "last_uid": self.last_uid})


class MailConnector:
    """Reads one IMAP folder; see `connectors.base.Connector` for the contract.

    A message's native id is its Message-ID, the record it speaks of is its thread (root Message-ID). A message
    that lies in the folder twice is one record. Mails deleted from the folder stay in the ledger.
    """

    def __init__(self, name: str, source: MailSource, secret: Callable[[str], Secret]) -> None:
        self._name = name
        self._connection = source.connection
        self._stream = f"messages:{source.connection.folder}"
        self._own = parseaddr(source.connection.sender)[1].lower()
        self._box = Mailbox(name, source.connection, secret(source.connection.password))
        self._outgoing = Outgoing(name, source.connection, secret) if source.connection.smtp_host else None
        self._writable = source.writable
        self._writer = MailWriter(name, source.connection, self._box, self._outgoing) if self._outgoing else None
        self._folder: Folder | None = None
        self._asked: dict[str, str | None] = {}

    @property
    def calls(self) -> int:
        """IMAP commands sent so far, connections included."""
        return self._box.calls

    @property
    def writer(self) -> OwnerWriter | None:
        """Names the owner by a mail into the thread; None without an SMTP server."""
        return self._writer

    def streams(self) -> tuple[str, ...]:
        """The folder is the only stream."""
        return (self._stream,)

    def pull(self, stream: str, cursor: str | None, *, now: datetime) -> Iterator[Page]:
        """Pages of messages above the cursor, in the order the server received them."""
        self._folder = folder = self._box.open()
        self._asked.clear()
        try:
            position = Position.read(cursor, folder.uidvalidity)
            # what arrives after EXAMINE is left for the next pull: the count then fits what was read
            limit = folder.next_uid
            if folder.exists == 0 or (limit is not None and position.last_uid + 1 >= limit):
                return
            uids = [u for u in self._box.uids_after(position.last_uid) if limit is None or u < limit]
            sizes = self._box.sizes(uids)
            for batch in batches(uids, sizes):
                yield self._page(batch, sizes, Position(folder.uidvalidity, batch[-1]), len(uids), now)
        finally:
            self._box.close()

    def census(self, stream: str) -> int | None:
        """Messages in the folder, as counted when it was last opened."""
        if self._folder is None:
            self._folder = self._box.open()
            self._box.close()
        return self._folder.exists

    def check(self) -> tuple[Problem, ...]:
        """Sign-in and folder; with an SMTP server also that it takes our connection."""
        found = []
        try:
            self._box.open()
        except HubError as error:
            found.append(Problem(where=self._name, what=error.message, hint=error.advice))
        finally:
            self._box.close()
        if self._outgoing is not None:
            found += self._outgoing.check()
        elif self._writable:
            found.append(
                Problem(where=self._name, what="writable, but connection.smtp_host is missing", hint="name one")
            )
        return tuple(found)

    def _page(self, batch: list[int], sizes: dict[int, int], position: Position, total: int, now: datetime) -> Page:
        records: list[RawRecord] = []
        observations: dict[str, Observation] = {}
        quarantined: list[Quarantined] = []
        huge = [uid for uid in batch if sizes.get(uid, 0) > RAW_LIMIT]
        for uid in huge:
            head = self._box.head(uid)
            quarantined.append(self._unreadable(head, f"{sizes[uid]:,} bytes, more than {RAW_LIMIT:,}"))
        for received in self._box.fetch([uid for uid in batch if uid in sizes and uid not in huge]):
            try:
                record, seen = self._read(received, now)
            except Unreadable as error:
                quarantined.append(self._unreadable(received.raw, str(error)))
                continue
            records.append(record)
            for observation in seen:
                # one account or token is met in many mails; within a page it is told once
                twin = observation.origin == "snapshot"
                key = f"{observation.record}\0{observation.field}\0{observation.value}" if twin else ""
                observations.setdefault(key or observation.key, observation)
        return Page(
            records=tuple(records),
            observations=tuple(observations.values()),
            quarantined=tuple(quarantined),
            cursor=position.text,
            total=total,
        )

    def _read(self, received: Received, now: datetime) -> tuple[RawRecord, tuple[Observation, ...]]:
        message = parse(received.raw)
        record = RawRecord(
            source=self._name,
            stream=self._stream,
            native_id=message.id,
            version=instant(received.at),
            payload=received.raw,
            fetched_at=now,
        )
        approver = self._approver(message)
        seen = observe(
            message,
            source=self._name,
            received=received.at,
            own=self._own,
            raw=record.digest,
            approver=approver,
        )
        return record, seen

    def _approver(self, message: Message) -> str | None:
        """Who was asked before this message in its thread: known from this pull, else from the server."""
        asks = requested_approver(message, self._own)
        if asks is not None:
            self._asked[message.root] = asks
        elif gives_answer(message, self._own) and message.root not in self._asked:
            self._asked[message.root] = self._look_up_approver(message)
        return self._asked.get(message.root)

    def _look_up_approver(self, message: Message) -> str | None:
        asked = None
        uids = self._box.thread(message.root)[:_THREAD_LIMIT]
        sizes = self._box.sizes(uids)
        for received in self._box.fetch([u for u in uids if sizes.get(u, RAW_LIMIT) < RAW_LIMIT // 25]):
            try:
                earlier = parse(received.raw)
            except Unreadable:
                continue
            if earlier.root != message.root:
                continue
            if earlier.id == message.id:
                break
            asked = requested_approver(earlier, self._own) or asked
        return asked

    def _unreadable(self, raw: bytes, reason: str) -> Quarantined:
        return Quarantined(
            source=self._name, stream=self._stream, native_id=message_id(raw), reason=reason, payload=raw
        )


def batches(uids: list[int], sizes: dict[int, int]) -> Iterator[list[int]]:
    """Runs of uids that keep a page within its count and its bytes; messages too large to fetch weigh nothing."""
    batch: list[int] = []
    weight = 0
    for uid in uids:
        size = sizes.get(uid, 0)
        size = 0 if size > RAW_LIMIT else size
        if batch and (len(batch) >= BATCH or weight + size > BATCH_BYTES):
            yield batch
            batch, weight = [], 0
        batch.append(uid)
        weight += size
    if batch:
        yield batch
