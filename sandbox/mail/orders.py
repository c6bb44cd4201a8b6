"""What ordered faults do to an SMTP conversation; every command is noted in the journal first.

Orders name the tool ``smtp``; their method is MAIL, RCPT, DATA, AUTH or CONNECT, their path the address of the
command (DATA: all recipients by comma), their body pattern is searched in the subject.
"""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, Session

from sandbox.faults.orders import Faults, Strike
from sandbox.journal import Entry, Journal
from sandbox.stamps import Clock, stamp

TOOL = "smtp"
_NOT_AVAILABLE = 421  # after it the server closes the connection (RFC 5321 3.8)
# RFC 5321 4.2.3, with the enhanced codes of RFC 3463
_TEXTS = {
    421: "4.3.2 Service not available, closing transmission channel",
    450: "4.2.0 Requested mail action not taken: mailbox unavailable",
    451: "4.3.0 Requested action aborted: local error in processing",
    452: "4.3.1 Requested action not taken: insufficient system storage",
    550: "5.1.1 Requested action not taken: no such mailbox here",
    552: "5.2.2 Requested mail action aborted: exceeded storage allocation",
    554: "5.7.1 Transaction failed",
}


class Orders:
    """Journal and faults of the SMTP server."""

    def __init__(self, journal: Journal, faults: Faults, clock: Clock) -> None:
        """Note and strike by the company's clock."""
        self._journal = journal
        self._faults = faults
        self._clock = clock
        self._silent: WeakSet[Session] = WeakSet()

    def note(self, method: str, address: str, subject: str = "") -> Entry:
        """Enter a command into the journal."""
        return self._journal.received(
            at=stamp(self._clock()), tool=TOOL, method=method, path=address, query="", body=subject.encode()
        )

    async def refusal(self, server: SMTP, session: Session, entry: Entry) -> str | None:
        """Let the orders strike a command; gives what is answered instead of obeying it, None to obey.

        A connection that is to be cut is cut here; a lost reply is remembered until the message is taken.
        """
        struck = self._faults.strike(tool=TOOL, method=entry.method, target=entry.path, body=entry.body or "")
        entry.fault = ",".join(strike.name for strike in struck) or None
        return await self._told(server, session, entry, struck)

    async def greeting(self, server: SMTP, session: Session) -> str | None:
        """The same for a connection itself, which only orders that name CONNECT are about."""
        if not any(order["method"] == "CONNECT" for order in self._faults.told()):
            return None
        return await self.refusal(server, session, self.note("CONNECT", ""))

    def loses_reply(self, server: SMTP, session: Session) -> bool:
        """Whether the reply to a message that was taken shall be lost; then the connection is cut."""
        if session not in self._silent:
            return False
        cut(server)
        return True

    async def _told(self, server: SMTP, session: Session, entry: Entry, struck: list[Strike]) -> str | None:
        names = {strike.name: strike.settings for strike in struck}
        if "hang_before" in names:
            await self._faults.until_cleared()  # or until the client hangs up, which ends this conversation
            cut(server)
            return ""
        if "down" in names:
            cut(server)
            return ""
        if "reply_lost" in names:
            self._silent.add(session)
        if "status" not in names:
            return None
        reply = _reply(names["status"])
        entry.status = int(reply[:3])
        if entry.status == _NOT_AVAILABLE:
            close_after_reply(server)
        return reply


def answered(entry: Entry, reply: str) -> str:
    """Note the reply of an obeyed command, and give it."""
    entry.status = int(reply[:3])
    return reply


def cut(server: SMTP) -> None:
    """Reset the connection."""
    if isinstance(server.transport, asyncio.Transport):
        server.transport.abort()


def close_after_reply(server: SMTP) -> None:
    """Close the connection once the reply that is about to be written is out."""
    if server.transport is not None:
        asyncio.get_running_loop().call_soon(server.transport.close)


def _reply(settings: Any) -> str:
    status = int(settings.get("status") or _NOT_AVAILABLE)
    if not 400 <= status <= 599 or status == 503:  # 503, the default for HTTP, says something else here
        status = _NOT_AVAILABLE
    text = settings.get("body") or _TEXTS.get(status, f"{status // 100}.0.0 Refused, as ordered")
    return f"{status} {' '.join(str(text).split())}"
