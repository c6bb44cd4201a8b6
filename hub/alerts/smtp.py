"""Our own SMTP sender: plain text, threaded, marked as automatic, never more than one try."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from types import TracebackType
from typing import Self

from hub.charter.model import Charter
from hub.charter.secret import Secret
from hub.charter.sources import MailConnection, MailSource
from hub.errors import ConfigurationError

_SECONDS = 30
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class NotDelivered(Exception):
    """The message did not go out; the text says why, without addresses' secrets or server chatter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A plain-text mail to one person.

    `identity` makes its Message-ID: equal identities are one mail, however often it is sent. `thread` is shared
    by all mails that belong together; `purpose` tells the hub's own reader that this mail starts no work item.
    """

    to: str
    subject: str
    text: str
    identity: str
    thread: str
    purpose: str
    at: datetime


def sending_connection(charter: Charter) -> MailConnection:
    """The connection of the mail source that sends alerts and codes.

    Raises ConfigurationError when the charter names none, or one without an SMTP server.
    """
    source = charter.sources.get(charter.alerts.via or "")
    if not isinstance(source, MailSource):
        raise ConfigurationError(
            "no mailbox sends alerts and codes", hint="name a mail source in `alerts.via` of the charter"
        )
    if source.connection.smtp_host is None:
        raise ConfigurationError(
            f"{charter.alerts.via} has no SMTP server", hint="set connection.smtp_host of that mail source"
        )
    return source.connection


class Sender:
    """One SMTP conversation, opened with the first mail. Use it as a context manager.

    TLS is required except on this machine; a password goes out only when the charter names an SMTP user.
    """

    def __init__(self, connection: MailConnection, secrets: Callable[[str], Secret]) -> None:
        self._connection = connection
        self._host = connection.smtp_host or ""
        self._tls = self._host not in _LOOPBACK
        if self._tls and not connection.smtp_tls:
            raise ConfigurationError(
                "SMTP without TLS is accepted for this machine only", hint=f"set smtp_tls: true for {self._host}"
            )
        self._secrets = secrets
        self._name, self._address = parseaddr(connection.sender)
        self._server: smtplib.SMTP | None = None
        self._broken = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        server, self._server = self._server, None
        if server is not None:
            try:
                server.quit()
            except (smtplib.SMTPException, OSError):
                server.close()

    def send(self, letter: Letter) -> None:
        """Hand the letter over once. Raises NotDelivered; after a lost connection at once for all later ones."""
        if self._broken:
            raise NotDelivered(self._broken)
        try:
            content = self._compose(letter)
        except (ValueError, IndexError, MessageError):
            raise NotDelivered("the recipient's address is not usable") from None
        try:
            if self._server is None:
                self._server = self._connect()
            self._server.sendmail(self._address, [letter.to], content)
        except smtplib.SMTPServerDisconnected:
            self._broken = "the SMTP server ended the connection"
            raise NotDelivered(self._broken) from None
        except smtplib.SMTPConnectError as error:
            self._broken = f"the SMTP server refused the connection ({error.smtp_code})"
            raise NotDelivered(self._broken) from None
        except smtplib.SMTPAuthenticationError:
            self._broken = "the SMTP server refused the sign-in"
            raise NotDelivered(self._broken) from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = ", ".join(str(code) for code, _ in error.recipients.values())
            raise NotDelivered(f"the recipient was refused ({codes})") from None
        except smtplib.SMTPResponseException as error:
            raise NotDelivered(f"the mail was refused ({error.smtp_code})") from None
        except smtplib.SMTPNotSupportedError:
            raise NotDelivered("the SMTP server does not take this address") from None
        except (smtplib.SMTPException, OSError) as error:
            self._broken = f"the SMTP server cannot be used ({type(error).__name__})"
            raise NotDelivered(self._broken) from None

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        port = self._connection.smtp_port
        if self._tls and port == 465:
            server: smtplib.SMTP = smtplib.SMTP_SSL(self._host, port, timeout=_SECONDS, context=context)
        else:
            server = smtplib.SMTP(self._host, port, timeout=_SECONDS)
        try:
            if self._tls and port != 465:
                server.starttls(context=context)
            user = self._connection.smtp_user
            if user is not None:
                reference = self._connection.smtp_password or self._connection.password
                server.login(user, self._secrets(reference).reveal())
        except BaseException:
            server.close()
            raise
        return server

    def _compose(self, letter: Letter) -> bytes:
        domain = self._address.partition("@")[2]
        mail = EmailMessage(policy=SMTP.clone(max_line_length=300))
        mail["From"] = Address(display_name=self._name or "Handoff Hub", addr_spec=self._address)
        mail["To"] = Address(addr_spec=letter.to)
        # the library refuses line ends in headers; a title from a tool must not stop the mail for that
        mail["Subject"] = " ".join(letter.subject.split())
        mail["Date"] = format_datetime(letter.at)
        mail["Message-ID"] = f"<hub-{_short(letter.identity)}@{domain}>"
        root = f"<hub-{_short(letter.thread)}@{domain}>"
        mail["In-Reply-To"] = root
        mail["References"] = root
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
        mail["X-Handoff-Hub"] = letter.purpose
        mail.set_content(letter.text)
        return mail.as_bytes()


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
