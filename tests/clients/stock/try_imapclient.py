"""IMAPClient against the simulated mailbox: the mails of the company, and the mail the test sends.

python tests/clients/stock/try_imapclient.py DIRECTORY
"""

from __future__ import annotations

import smtplib
import sys
from email.message import EmailMessage
from email.utils import localtime

from company import Directory, tell
from imapclient import IMAPClient
from imapclient.exceptions import LoginError

USER = "handoffs@hub.example"


def main() -> None:
    """Read, page, filter, write, read back, and be refused."""
    directory = Directory(sys.argv[1])
    host, _, port = directory.addresses["imap"].rpartition(":")
    with IMAPClient(host, int(port), ssl=False, timeout=10) as client:
        client.login(USER, directory.secret("mail_password"))
        told = client.select_folder("INBOX")
        tell("selected", {"exists": told[b"EXISTS"], "uidvalidity": told[b"UIDVALIDITY"] > 0})
        uids = client.search("ALL")
        tell("all", len(uids))
        seen = 0
        for start in range(0, len(uids), 50):
            page = client.fetch(uids[start : start + 50], ["ENVELOPE", "INTERNALDATE", "RFC822.SIZE"])
            seen += sum(1 for found in page.values() if found[b"ENVELOPE"].message_id)
        tell("pages", seen)
        first = client.fetch(uids[:1], ["ENVELOPE", "BODY.PEEK[]"])[uids[0]]
        sender = first[b"ENVELOPE"].from_[0]
        address = f"{sender.mailbox.decode()}@{sender.host.decode()}"
        tell("from", uids[0] in client.search(["FROM", address]))
        tell("since", len(client.search(["UID", f"{uids[-1]}:*"])))
        tell("body", len(first[b"BODY[]"]) > 0)
        client.add_flags(uids[:1], [b"\\Flagged"])
        tell("flagged", client.search("FLAGGED") == uids[:1])
        client.remove_flags(uids[:1], [b"\\Flagged"])
        send(directory, "Sent to be read by IMAPClient")
        client.noop()
        tell("arrived", len(client.search(["SUBJECT", "read by IMAPClient"])))
    with IMAPClient(host, int(port), ssl=False, timeout=10) as stranger:
        try:
            stranger.login(USER, "wrong")
        except LoginError:
            tell("wrong password", "refused")


def send(directory: Directory, subject: str) -> None:
    """Mail something to the mailbox over SMTP."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "ada@acme.example", USER, subject
    message["Date"] = localtime()
    message.set_content("Hello.")
    host, _, port = directory.addresses["smtp"].rpartition(":")
    with smtplib.SMTP(host, int(port), timeout=10) as smtp:
        smtp.send_message(message)


main()
