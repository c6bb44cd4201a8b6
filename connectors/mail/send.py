"""The only module of the mail connector that can send a mail: an owner named in a thread, once.

A mailbox has no owner field. The hub answers the thread with a line `Owner: Name <address>`, to the new owner,
to whoever began the thread, and to its own mailbox, where the line becomes the thread's current owner. The
Message-ID is made from the intent's key, so a repeat is recognised wherever the first one arrived.
"""

from __future__ import annotations

import hashlib
import json
import re
import smtplib
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from connectors.base import OwnerReading, SendResult
from connectors.mail.imap import LOOPBACK, Mailbox, Received, refuse_plain_text
from connectors.mail.observe import happened, is_own, stated
from connectors.mail.parse import OWN_HEADER, RAW_LIMIT, Message, Unreadable, is_machine, parse
from connectors.mail.text import one_line
from hub.charter.secret import Secret
from hub.charter.sources import MailConnection
from hub.domain.records import OWNER_SEPARATOR, Problem
from hub.errors import ConfigurationError, SourceRefused, SourceUnavailable

_ADDRESS = re.compile(r"[A-Za-z0-9._%+'=&/-]{1,64}@[A-Za-z0-9.-]{1,253}")
_THREAD_LIMIT = 500
_SMTP_SECONDS = 30
#: A mail whose sending was cut off may still be on its way for this long; until then it is not sent again.
IN_TRANSIT = timedelta(minutes=10)


class Outgoing:
    """An SMTP server and how to reach it. Never repeats anything."""

    def __init__(self, source: str, connection: MailConnection, secret: Callable[[str], Secret]) -> None:
        self._source = source
        self._connection = connection
        self._host = connection.smtp_host or ""
        self._tls = self._host not in LOOPBACK
        if self._tls:
            refuse_plain_text(source, self._host, tls=connection.smtp_tls)
        self._password: Secret | None = None
        if connection.smtp_user is not None:
            self._password = secret(connection.smtp_password or connection.password)

    def check(self) -> list[Problem]:
        """Problems with reaching and signing in to the server; nothing is sent."""
        where = f"{self._source} SMTP"
        try:
            server = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            what = f"{self._host}:{self._connection.smtp_port} cannot be used ({type(error).__name__})"
            return [Problem(where=where, what=what, hint="check smtp_host, smtp_port, smtp_user and password")]
        _quit(server)
        return []

    def submit(self, sender: str, recipients: list[str], content: bytes) -> SendResult:
        """Hand one mail over, step by step, so that a failure says whether it can have been taken."""
        try:
            server = self._connect()
        except smtplib.SMTPAuthenticationError:
            return SendResult(kind="refused", detail="the SMTP server refused our sign-in")
        except (smtplib.SMTPException, OSError) as error:
            return SendResult(kind="not_processed", detail=f"SMTP connection failed ({type(error).__name__})")
        try:
            return _transfer(server, sender, recipients, content)
        finally:
            _quit(server)

    def _connect(self) -> smtplib.SMTP:
        port = self._connection.smtp_port
        context = ssl.create_default_context()
        if self._tls and port == 465:
            server: smtplib.SMTP = smtplib.SMTP_SSL(self._host, port, timeout=_SMTP_SECONDS, context=context)
        else:
            server = smtplib.SMTP(self._host, port, timeout=_SMTP_SECONDS)
        try:
            if self._tls and port != 465:
                server.starttls(context=context)
            if self._password is not None and self._connection.smtp_user is not None:
                server.login(self._connection.smtp_user, self._password.reveal())
            else:
                server.ehlo_or_helo_if_needed()
        except BaseException:
            server.close()
            raise
        return server


class MailWriter:
    """Write half: see `connectors.base.OwnerWriter`."""

    def __init__(
        self,
        source: str,
        connection: MailConnection,
        box: Mailbox,
        outgoing: Outgoing,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._source = source
        self._box = box
        self._outgoing = outgoing
        self._clock = clock
        name, address = parseaddr(connection.sender)
        self._name, self._own = name or "Handoff Hub", address.lower()
        if not _ADDRESS.fullmatch(self._own):
            raise ConfigurationError(f"{source}: sender {connection.sender!r} is not a mail address")

    def read_owner(self, record: str) -> OwnerReading:
        """The last owner stated in the thread, read from the mailbox.

        Raises SourceRefused when the thread is not there.
        """
        try:
            self._box.open()
            thread = self._thread(record)
        finally:
            self._box.close()
        if not thread:
            raise SourceRefused(f"{self._source}: no mail of thread {record}", source=self._source)
        owner = None
        for _, message in thread:
            if message.automatic and not is_own(message, self._own):
                continue
            owners = [s.value for s in stated(message) if s.kind == "owner"]
            owner = owners[-1] if owners else owner
        people = [m for _, m in thread if not is_own(m, self._own) and not m.automatic]
        opener = (people or [m for _, m in thread])[0]
        names = {a.address: a.name for _, m in thread for a in (*m.recipients, m.sender) if a.name}
        witness = {"title": opener.title, "opener": opener.sender.address, "names": names}
        return OwnerReading(owner=owner, version=str(thread[-1][0].uid), witness=json.dumps(witness))

    def may_own(self, record: str, account: str) -> str:
        """A mail address of a person, as far as an address can tell."""
        for address in account.split(OWNER_SEPARATOR):
            if not _ADDRESS.fullmatch(address):
                return f"{one_line(address)!r} is not a mail address"
            if address.lower() == self._own or is_machine(address.lower()):
                return f"{address} belongs to a program, not to a person"
        return ""

    def send_owner(self, record: str, desired: str | None, reading: OwnerReading, *, marker: str) -> SendResult:
        """Answer the thread with the owner's name; a marker that is in the mailbox already is never sent again."""
        owners = sorted(desired.lower().split(OWNER_SEPARATOR)) if desired else []
        refusal = self.may_own(record, OWNER_SEPARATOR.join(owners)) if owners else ""
        if refusal:
            return SendResult(kind="refused", detail=refusal)
        identity = marker_id(marker, self._own)
        if self._holds(identity):
            return SendResult(kind="accepted", detail="this mail is in the thread already")
        witness = json.loads(reading.witness)
        recipients = list(dict.fromkeys((*owners, witness["opener"], self._own)))
        recipients = [r for r in recipients if _ADDRESS.fullmatch(r) and (r == self._own or not is_machine(r))]
        mail = self._compose(record, owners, witness, recipients, identity, marker)
        return self._outgoing.submit(self._own, recipients, mail.as_bytes())

    def sent_by_us(self, record: str, desired: str | None, since: datetime, *, marker: str) -> bool | None:
        """Whether the mail of this marker reached the mailbox.

        Raises SourceUnavailable while it may still be on its way: mail is not delivered at once.
        """
        if self._holds(marker_id(marker, self._own)):
            return True
        if self._clock() - since < IN_TRANSIT:
            raise SourceUnavailable(
                f"{self._source}: our mail to the thread may still be on its way",
                source=self._source,
                hint="apply again in a few minutes",
            )
        return False

    def _holds(self, identity: str) -> bool:
        try:
            self._box.open()
            return bool(self._box.with_header("Message-ID", identity))
        finally:
            self._box.close()

    def _thread(self, record: str) -> list[tuple[Received, Message]]:
        """The thread's readable messages in the order they were said."""
        uids = self._box.thread(record)[-_THREAD_LIMIT:]
        sizes = self._box.sizes(uids)
        found = []
        for received in self._box.fetch([u for u in uids if sizes.get(u, RAW_LIMIT) < RAW_LIMIT // 25]):
            try:
                message = parse(received.raw)
            except Unreadable:
                continue
            if message.root == record:
                found.append((received, message))
        return sorted(found, key=lambda pair: (happened(pair[1], pair[0].at), pair[0].uid))

    def _compose(
        self,
        record: str,
        owners: list[str],
        witness: dict[str, str | dict[str, str]],
        recipients: list[str],
        identity: str,
        marker: str,
    ) -> EmailMessage:
        names = witness["names"] if isinstance(witness["names"], dict) else {}
        title = one_line(str(witness["title"])) or "this thread"
        # ids must stand on their header's own line: not every reader unfolds them
        mail = EmailMessage(policy=SMTP.clone(max_line_length=300))
        mail["From"] = HeaderAddress(display_name=self._name, addr_spec=self._own)
        mail["To"] = [HeaderAddress(addr_spec=address) for address in recipients]
        mail["Subject"] = f"Re: {title}"[:300]
        mail["Date"] = format_datetime(self._clock())
        mail["Message-ID"] = f"<{identity}>"
        mail["In-Reply-To"] = f"<{record}>"
        mail["References"] = f"<{record}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
        mail[OWN_HEADER] = one_line(marker)
        owner = ", ".join(_mention(names.get(address, ""), address) for address in owners) or "nobody"
        mail.set_content(
            f"Owner: {owner}\n\n"
            f"The owner of '{title}' was settled between the teams.\n"
            "Answer this mail with a line 'Owner: Name <address>' if somebody else has it.\n"
        )
        return mail


def _mention(name: str, address: str) -> str:
    plain = " ".join(re.sub(r"[^\w.' -]", " ", one_line(name)).split())
    return f"{plain} <{address}>" if plain else address


def marker_id(marker: str, sender: str) -> str:
    """Message-ID (without <>) of the mail of an intent: the same marker always gives the same id."""
    return f"handoff-{hashlib.sha256(marker.encode()).hexdigest()[:32]}@{sender.partition('@')[2]}"


def _transfer(server: smtplib.SMTP, sender: str, recipients: list[str], content: bytes) -> SendResult:
    refused: list[str] = []
    later = False
    try:
        code, _ = server.mail(sender)
        if code != 250:
            return _no(code, "sender")
        for recipient in recipients:
            code, _ = server.rcpt(recipient)
            if code not in {250, 251}:
                refused.append(f"{recipient} ({code})")
                later = later or code < 500
    except (smtplib.SMTPException, OSError) as error:
        return SendResult(kind="not_processed", detail=f"SMTP stopped before the mail ({type(error).__name__})")
    # our own mailbox must get it, or the thread would not know its owner
    if len(refused) == len(recipients) or any(r.startswith(f"{sender} (") for r in refused):
        return SendResult(kind="not_processed" if later else "refused", detail="refused: " + ", ".join(refused))
    try:
        code, _ = server.data(content)
    except smtplib.SMTPDataError as error:
        return _no(error.smtp_code, "mail")
    except (smtplib.SMTPException, OSError) as error:
        return SendResult(kind="unknown", detail=f"SMTP stopped after the mail was sent ({type(error).__name__})")
    if code != 250:
        return _no(code, "mail")
    return SendResult(kind="accepted", detail="not taken for " + ", ".join(refused) if refused else "")


def _no(code: int, what: str) -> SendResult:
    detail = f"{what}: {code}"
    return SendResult(kind="not_processed" if 400 <= code < 500 else "refused", detail=detail)


def _quit(server: smtplib.SMTP) -> None:
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()
