"""Takes mail over SMTP, keeps every envelope, and delivers what is meant for the shared mailbox into it."""

from __future__ import annotations

import asyncio
import base64
import email
import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import Message as Parsed
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.mail.mailbox import Mailbox, Message
from sandbox.store import Store

ENVELOPES = "_envelope"
_TEXT_LIMIT = 100_000


class Post:
    """The SMTP server's handler."""

    def __init__(
        self,
        store: Store,
        space: str,
        mailbox: Mailbox,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Keep envelopes as documents of kind ``_envelope`` in that space."""
        self._store = store
        self._space = space
        self._mailbox = mailbox
        self._clock = clock
        self._numbers = itertools.count(store.count(space, ENVELOPES) + 1)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  (aiosmtpd finds the method by this name)
        """Accept the message; 451 when the mailbox cannot take it now."""
        raw = envelope.original_content or b""
        at = self._clock()
        number = next(self._numbers)
        stamp = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        if any(to.lower() in self._mailbox.logins for to in envelope.rcpt_tos):
            try:
                await asyncio.to_thread(self._mailbox.append, [Message(raw=raw, at=at)])
            except (OSError, RuntimeError):
                return "451 4.3.0 Mailbox unavailable, try again later"
            # The IMAP server forgets when it stops; a company that is resumed gets its mail from here.
            kept = {
                "id": f"delivered-{number:08d}",
                "mailbox": "INBOX",
                "raw": base64.b64encode(raw).decode("ascii"),
                "date": at.isoformat(),
            }
            self._store.put(self._space, "message", [(kept["id"], stamp, kept)])
        doc = {
            "id": str(number),
            "from": envelope.mail_from,
            "to": list(envelope.rcpt_tos),
            "at": at.isoformat(),
            **_read(raw),
        }
        self._store.put(self._space, ENVELOPES, [(f"{number:08d}", stamp, doc)])
        return "250 2.0.0 Message accepted for delivery"


async def serve(post: Post, *, port: int = 0) -> asyncio.Server:
    """Listen for SMTP on a loopback port (0: any); gives the server, whose socket tells the port. Raises OSError."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        lambda: SMTP(post, hostname="sandbox.example", enable_SMTPUTF8=True, loop=loop),
        host="127.0.0.1",
        port=port,
    )


def _read(raw: bytes) -> dict[str, Any]:
    parsed: Parsed = email.message_from_bytes(raw, policy=default)
    body = parsed.get_body(("plain", "html")) if hasattr(parsed, "get_body") else None
    return {
        "headers": [[name, str(value)] for name, value in parsed.items()],
        "text": body.get_content()[:_TEXT_LIMIT] if body is not None else "",
    }
