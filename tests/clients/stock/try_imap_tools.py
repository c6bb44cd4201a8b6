"""imap-tools against the simulated mailbox.

python tests/clients/stock/try_imap_tools.py DIRECTORY
"""

from __future__ import annotations

import sys

from company import Directory, tell
from imap_tools import AND, MailboxLoginError, MailBoxUnencrypted

USER = "handoffs@hub.example"


def main() -> None:
    """Read, page, filter, write, read back, and be refused."""
    directory = Directory(sys.argv[1])
    host, _, port = directory.addresses["imap"].rpartition(":")
    with MailBoxUnencrypted(host, int(port), timeout=10).login(USER, directory.secret("mail_password")) as box:
        tell("folders", [folder.name for folder in box.folder.list()])
        uids = box.uids()
        tell("all", len(uids))
        messages = list(box.fetch(mark_seen=False, bulk=40))
        tell("fetched", len(messages))
        tell("parsed", all(message.from_ and message.date_str for message in messages))
        sender = messages[0].from_
        tell("from", {message.from_ for message in box.fetch(AND(from_=sender), mark_seen=False)} == {sender})
        tell("page", [message.uid for message in box.fetch(limit=slice(10, 15), mark_seen=False)] == uids[10:15])
        box.flag(uids[:1], "\\Flagged", True)
        tell("flagged", box.uids(AND(flagged=True)) == uids[:1])
        box.flag(uids[:1], "\\Flagged", False)
        before = len(uids)
        box.append(b"Subject: Put there by imap-tools\r\nFrom: ada@acme.example\r\n\r\nHello.\r\n", "INBOX")
        tell("appended", len(box.uids()) - before)
        box.delete(box.uids(AND(subject="Put there by imap-tools")))
        tell("deleted", len(box.uids()) - before)
    try:
        MailBoxUnencrypted(host, int(port), timeout=10).login(USER, "wrong")
    except MailboxLoginError:
        tell("wrong password", "refused")


main()
