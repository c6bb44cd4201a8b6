"""Takes mail over SMTP, keeps every envelope, and delivers it into the mailboxes of those who have one."""

from __future__ import annotations

import asyncio
import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from sandbox.faults.orders import Faults
from sandbox.journal import Journal
from sandbox.mail import bounce, orders
from sandbox.mail.bounce import HOST
from sandbox.mail.mailbox import INBOX, Mailbox, MailServerFailed, Message
from sandbox.mail.reading import read
from sandbox.stamps import Clock, stamp, wall_clock
from sandbox.store import Store

ENVELOPES = "_envelope"
_SETTINGS = "_settings"
_MOST_BYTES = 25 * 1024 * 1024  # what large providers take
_TAKEN = "250 2.0.0 Message accepted for delivery"
_UNAVAILABLE = "451 4.3.0 Mailbox unavailable, try again later"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostSettings:
    """What the ``_settings`` documents of the mail space say about SMTP."""

    bounces: tuple[str, ...] = ()  # addresses or patterns that are taken and then bounce
    size_limit: int = _MOST_BYTES
    starttls: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message on its way: to whom it was addressed, and whom of them it reaches."""

    number: int
    sender: str
    to: Sequence[str]
    reached: Sequence[str]
    raw: bytes


class Post:
    """The SMTP server's handler."""

    def __init__(
        self,
        store: Store,
        space: str,
        mailbox: Mailbox,
        *,
        clock: Clock = wall_clock,
        journal: Journal | None = None,
        faults: Faults | None = None,
    ) -> None:
        """Keep envelopes as documents of kind ``_envelope`` in that space; time is the clock's."""
        self._store = store
        self._space = space
        self._mailbox = mailbox
        self.clock = clock
        journal = Journal() if journal is None else journal  # an empty journal is false
        faults = Faults(clock) if faults is None else faults
        self.orders = orders.Orders(journal, faults, clock)
        taken = (int(doc["id"]) for doc in store.scan(space, ENVELOPES) if str(doc.get("id", "")).isdigit())
        self._last = max(taken, default=0)

    def settings(self) -> PostSettings:
        """The settings as the world's documents have them now."""
        merged: dict[str, Any] = {}
        for doc in self._store.scan(self._space, _SETTINGS):
            merged |= doc
        return PostSettings(
            bounces=tuple(str(address) for address in merged.get("bounces") or ()),
            size_limit=int(merged.get("size_limit") or _MOST_BYTES),
            starttls=bool(merged.get("starttls", False)),
        )

    # -- the hooks that aiosmtpd finds by name -------------------------------------------------------------

    async def handle_MAIL(  # noqa: N802  (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the sender, or answer as ordered."""
        entry = self.orders.note("MAIL", address)
        if (refused := await self.orders.refusal(server, session, entry)) is not None:
            return refused
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return orders.answered(entry, "250 2.1.0 Sender OK")

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, or answer as ordered."""
        entry = self.orders.note("RCPT", address)
        if (refused := await self.orders.refusal(server, session, entry)) is not None:
            return refused
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return orders.answered(entry, "250 2.1.5 Recipient OK")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  (aiosmtpd's name)
        """Take the message; 451 when a mailbox cannot take it now, or whatever is ordered."""
        raw = envelope.original_content or b""
        recipients = [str(to) for to in envelope.rcpt_tos]
        entry = self.orders.note("DATA", ",".join(recipients), read(raw).header("Subject"))
        if (refused := await self.orders.refusal(server, session, entry)) is not None:
            return refused
        at = self.clock()
        sender = str(envelope.mail_from or "")
        failed = bounce.unreachable(recipients, self.settings().bounces)
        reached = [to for to in recipients if to not in failed]
        letters = [Outgoing(number=self._next(), sender=sender, to=recipients, reached=reached, raw=raw)]
        if failed and sender:
            number = self._next()
            returned = bounce.notice(sender=sender, failed=failed, raw=raw, at=at, number=number)
            letters.append(Outgoing(number=number, sender="", to=[sender], reached=[sender], raw=returned))
        try:
            for letter in letters:
                await self._deliver(letter, at, via=session)
        except (OSError, MailServerFailed):
            return orders.answered(entry, _UNAVAILABLE)
        if self.orders.loses_reply(server, session):
            return ""
        return orders.answered(entry, _TAKEN)

    # -- inside --------------------------------------------------------------------------------------------

    async def _deliver(self, letter: Outgoing, at: datetime, *, via: Session) -> None:
        """Put a message into the inbox of everyone reached who has one, as a last server would; keep its envelope."""
        logins = list(self._mailbox.logins)
        messages = [
            Message(
                raw=_trace(letter.sender, to, at, letter.number, via) + letter.raw,
                at=at,
                login=to,
                id=f"delivered-{letter.number:08d}" + (f"-{nth}" if nth else ""),
            )
            for nth, to in enumerate(dict.fromkeys(to.lower() for to in letter.reached if to.lower() in logins))
        ]
        if messages:
            await asyncio.to_thread(self._mailbox.append, messages)
        seen = read(letter.raw)
        envelope = {
            "id": str(letter.number),
            "from": letter.sender,
            "to": list(letter.to),
            "at": at.isoformat(),
            "headers": [list(pair) for pair in seen.headers],
            "text": seen.text,
        }
        with self._store.transaction():
            # A server in memory forgets when it stops; a company that is resumed gets its mail from here.
            for message in messages:
                self._store.put(self._space, "message", [(message.id, stamp(at), _kept(message, shared=logins[0]))])
            self._store.put(self._space, ENVELOPES, [(f"{letter.number:08d}", stamp(at), envelope)])

    def _next(self) -> int:
        self._last += 1
        return self._last

    def sign_in(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
        """Decide about AUTH PLAIN and AUTH LOGIN: the logins of the mailboxes."""
        if not isinstance(given, LoginPassword):
            return AuthResult(success=False, handled=False)
        user = given.login.decode("utf-8", "replace")
        entry = self.orders.note("AUTH", user)
        known = self._mailbox.logins.get(user.lower())
        right = known is not None and hmac.compare_digest(known.encode(), given.password)
        entry.status = 235 if right else 535
        return AuthResult(success=right, handled=False, auth_data=user)


class _Line(SMTP):
    """aiosmtpd's conversation, with a greeting that orders can spoil."""

    async def _handle_client(self) -> None:
        refused = await self.event_handler.orders.greeting(self, self.session)
        if refused is None:
            await super()._handle_client()
        elif refused and self.transport is not None:
            await self.push(refused)
            self.transport.close()


async def serve(post: Post, *, port: int = 0) -> asyncio.Server:
    """Listen for SMTP on a loopback port (0: any); gives the server, whose socket tells the port. Raises OSError."""
    from sandbox.mail import certificate

    loop = asyncio.get_running_loop()
    settings = post.settings()
    tls = certificate.context(post.clock()) if settings.starttls else None
    return await loop.create_server(
        lambda: _Line(
            post,
            hostname=HOST,
            ident="ESMTP",
            data_size_limit=settings.size_limit,
            enable_SMTPUTF8=True,
            tls_context=tls,
            authenticator=post.sign_in,
            auth_require_tls=False,  # loopback only, and most companies have no certificate
            loop=loop,
        ),
        host="127.0.0.1",
        port=port,
    )


def _trace(sender: str, to: str, at: datetime, number: int, via: Session) -> bytes:
    """The two headers a last mail server puts on top (RFC 5321 4.4)."""
    # A notice of the server's own was not received from anybody.
    came = f"from {' '.join(str(via.host_name or 'unknown').split())} ([127.0.0.1]) " if sender else ""
    lines = [f"Return-Path: <{sender}>", f"Received: {came}by {HOST} with ESMTP id {number:08d}"]
    lines.append(f"\tfor <{to}>; {format_datetime(at)}")
    return ("\r\n".join(lines) + "\r\n").encode()


def _kept(message: Message, *, shared: str) -> dict[str, Any]:
    doc = {
        "id": message.id,
        "mailbox": INBOX,
        "raw": base64.b64encode(message.raw).decode("ascii"),
        "date": message.at.isoformat(),
    }
    return doc if message.login == shared else {**doc, "login": message.login}
