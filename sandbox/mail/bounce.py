"""The notice a mail server sends back when a recipient cannot be reached (RFC 3461 to 3464)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from fnmatch import fnmatchcase

HOST = "sandbox.example"
_REASON = "5.1.1"
_HEAD_LIMIT = 32_000  # bytes of the returned headers


def unreachable(recipients: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """Which recipients match one of the addresses or patterns (``*@old.example``), whatever the case."""
    lower = [pattern.lower() for pattern in patterns]
    return [to for to in recipients if any(fnmatchcase(to.lower(), pattern) for pattern in lower)]


def notice(*, sender: str, failed: Sequence[str], raw: bytes, at: datetime, number: int) -> bytes:
    """Write the delivery status notification for a message: what a person reads, what a program reads, the headers.

    ``at`` is the time of the attempt (aware), ``number`` makes the Message-ID unique.
    """
    boundary = f"{number:08d}.{int(at.timestamp())}/{HOST}"
    names = [f"<{to}>: host {HOST} said: 550 {_REASON} no such mailbox here" for to in failed]
    status = [f"Reporting-MTA: dns; {HOST}", f"Arrival-Date: {format_datetime(at)}"]
    for to in failed:
        status += ["", f"Final-Recipient: rfc822; {to}", "Action: failed", f"Status: {_REASON}"]
        status += [f"Diagnostic-Code: smtp; 550 {_REASON} no such mailbox here"]
    # By hand: the library's message object cannot write a delivery status it did not read.
    lines = [
        f"From: Mail Delivery System <MAILER-DAEMON@{HOST}>",
        f"To: {sender}",
        "Subject: Undelivered Mail Returned to Sender",
        f"Date: {format_datetime(at)}",
        f"Message-ID: <bounce-{number:08d}@{HOST}>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"',
        "Content-Transfer-Encoding: 8bit",
        "",
        f"--{boundary}",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        f"This is the mail system at host {HOST}.",
        "",
        "Your message could not be delivered to one or more recipients.",
        "",
        *names,
        "",
        f"--{boundary}",
        "Content-Type: message/delivery-status",
        "",
        *status,
        "",
        f"--{boundary}",
        "Content-Type: text/rfc822-headers",
        "Content-Transfer-Encoding: 8bit",
        "",
    ]
    head = raw.partition(b"\r\n\r\n")[0][:_HEAD_LIMIT]
    return b"\r\n".join(line.encode() for line in lines) + b"\r\n" + head + f"\r\n\r\n--{boundary}--\r\n".encode()
