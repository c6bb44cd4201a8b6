"""One IMAP folder, read-only: EXAMINE and BODY.PEEK, so that no mail is ever marked as read.

IMAPClient does the speaking; this module bounds it (time, size, batches), counts its commands and turns its
failures into the three kinds an operator can act on.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from hub.charter.secret import Secret
from hub.charter.sources import MailConnection
from hub.errors import ConfigurationError, SourceBroken, SourceRefused, SourceUnavailable

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_SIZES_AT_ONCE = 1_000
_HEAD_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """State of a folder at one moment; `next_uid` None: the server does not say."""

    exists: int
    uidvalidity: int
    next_uid: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message as the server keeps it, with its receipt time (UTC)."""

    uid: int
    raw: bytes
    at: datetime


class Mailbox:
    """A signed-in connection to one folder.

    Every method may raise SourceUnavailable, SourceRefused or SourceBroken. `calls` counts commands over the
    life of the object, connections included.
    """

    def __init__(self, source: str, connection: MailConnection, password: Secret) -> None:
        self._source = source
        self._connection = connection
        self._password = password
        self._client: IMAPClient | None = None
        self.calls = 0

    def open(self) -> Folder:
        """Connect, sign in and EXAMINE the folder."""
        refuse_plain_text(self._source, self._connection.host, tls=self._connection.tls)
        self.close()
        with self._speaking("connecting"):
            self.calls += 1
            self._client = IMAPClient(
                self._connection.host,
                port=self._connection.port,
                ssl=self._connection.tls,
                ssl_context=ssl.create_default_context() if self._connection.tls else None,
                timeout=SocketTimeout(connect=10, read=60),
            )
            # aware times: the library's default turns them into naive local ones
            self._client.normalise_times = False
        with self._speaking("signing in"):
            self.calls += 1
            self._client.login(self._connection.user, self._password.reveal())
        return self.examine()

    def examine(self) -> Folder:
        """The folder as it is now."""
        with self._speaking("opening the folder") as client:
            self.calls += 1
            answer = client.select_folder(self._connection.folder, readonly=True)
        uidvalidity = answer.get(b"UIDVALIDITY")
        if not isinstance(uidvalidity, int):
            raise SourceBroken(f"{self._source}: the server gave no UIDVALIDITY", source=self._source)
        next_uid = answer.get(b"UIDNEXT")
        return Folder(
            exists=int(answer.get(b"EXISTS", 0)),
            uidvalidity=uidvalidity,
            next_uid=next_uid if isinstance(next_uid, int) else None,
        )

    def uids_after(self, last: int) -> list[int]:
        """Uids above `last`, ascending."""
        with self._speaking("searching") as client:
            self.calls += 1
            found = client.search(["UID", f"{last + 1}:*"])
        # `n:*` names the last message when none is above n (RFC 3501: a range works in either order)
        return sorted(uid for uid in found if uid > last)

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """Size in bytes of each message that still exists."""
        found: dict[int, int] = {}
        for start in range(0, len(uids), _SIZES_AT_ONCE):
            with self._speaking("reading sizes") as client:
                self.calls += 1
                answer = client.fetch(list(uids[start : start + _SIZES_AT_ONCE]), ["RFC822.SIZE"])
            found |= {uid: int(data[b"RFC822.SIZE"]) for uid, data in answer.items() if b"RFC822.SIZE" in data}
        return found

    def fetch(self, uids: Sequence[int]) -> list[Received]:
        """The messages, ascending by uid; those expunged meanwhile are missing."""
        if not uids:
            return []
        with self._speaking("reading messages") as client:
            self.calls += 1
            answer = client.fetch(list(uids), ["BODY.PEEK[]", "INTERNALDATE"])
        return [self._received(uid, answer[uid]) for uid in sorted(answer) if uid in set(uids)]

    def head(self, uid: int) -> bytes:
        """The first 64 KB of a message's headers."""
        with self._speaking("reading headers") as client:
            self.calls += 1
            answer = client.fetch([uid], [f"BODY.PEEK[HEADER]<0.{_HEAD_BYTES}>"])
        values = [v for key, v in answer.get(uid, {}).items() if key.startswith(b"BODY[HEADER]")]
        return values[0] if values and isinstance(values[0], bytes) else b""

    def with_header(self, name: str, value: str) -> list[int]:
        """Uids of the messages whose header `name` contains `value`, ascending."""
        if not value.isascii() or not value.isprintable():
            return []
        with self._speaking("searching") as client:
            self.calls += 1
            return sorted(client.search(["HEADER", name, value]))

    def thread(self, root: str) -> list[int]:
        """Uids of the messages that name `root` as themselves, their parent or an ancestor."""
        names = ("Message-ID", "References", "In-Reply-To")
        return sorted({uid for name in names for uid in self.with_header(name, root)})

    def close(self) -> None:
        """Sign out; a connection that is already lost is no failure."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(IMAPClientError, OSError):
                client.logout()

    def _received(self, uid: int, data: dict[bytes, Any]) -> Received:
        at = data.get(b"INTERNALDATE")
        raw = data.get(b"BODY[]")
        if not isinstance(at, datetime) or not isinstance(raw, bytes):
            raise SourceBroken(f"{self._source}: message {uid} came without its bytes or its date", source=self._source)
        return Received(uid=uid, raw=raw, at=(at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC))

    @contextmanager
    def _speaking(self, doing: str) -> Iterator[IMAPClient]:
        """Library and socket failures as errors of ours; their text may hold what was sent, so it is not kept."""
        where = f"{self._source}: {doing} at {self._connection.host}:{self._connection.port}"
        try:
            yield self._client
        except LoginError:
            raise SourceRefused(
                f"{where} was refused", source=self._source, hint="check user and password of the mailbox"
            ) from None
        except ssl.SSLError as error:
            raise SourceRefused(
                f"{where} failed: TLS ({error.reason})", source=self._source, hint="check host, port and tls"
            ) from None
        except (IMAPClientAbortError, OSError) as error:
            raise SourceUnavailable(
                f"{where} failed: connection lost ({type(error).__name__})",
                source=self._source,
                hint="check that the mail server is up; the next sync goes on from here",
            ) from None
        except IMAPClientError:
            if doing == "opening the folder":
                raise SourceRefused(
                    f"{self._source}: folder {self._connection.folder!r} cannot be opened",
                    source=self._source,
                    hint="check connection.folder and the permissions of the mailbox user",
                ) from None
            raise SourceBroken(f"{where} failed: unexpected answer", source=self._source) from None
        except (ValueError, TypeError, LookupError):
            # the library's reply parser raises whatever a malformed reply makes it stumble over
            raise SourceBroken(f"{where} failed: unreadable answer", source=self._source) from None


def refuse_plain_text(source: str, host: str, *, tls: bool) -> None:
    """Raise ConfigurationError for a password in clear text over a network."""
    if not tls and host not in LOOPBACK:
        raise ConfigurationError(
            f"{source}: mail without TLS is accepted for this machine only", hint=f"use TLS for {host}"
        )
