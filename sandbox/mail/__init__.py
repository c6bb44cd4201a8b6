"""The mail of the simulated company: an IMAP server over its messages, and an SMTP server that takes more.

Two IMAP servers serve the same world: pymap (in memory, nothing to install: the demo's) and a real Dovecot.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

from sandbox.mail.mailbox import Mailbox, MailServerFailed

Kind = Literal["pymap", "dovecot"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_DIRECTORY = "mail"


def open_mailbox(
    kind: str, logins: Mapping[str, str], *, directory: Path, port: int = 0, anew: bool = False
) -> Mailbox:
    """Start the IMAP server of a company that lives in ``directory``, on a loopback port (0: any).

    ``logins`` is password by address, the shared mailbox first. Dovecot keeps its mail in ``mail/`` under the
    directory; ``anew`` throws away what an earlier company left there. Give the world to the server with ``load``.
    Raises MailServerFailed: an unknown kind, a missing program, a taken port.
    """
    from sandbox.mail import maildir  # a company without mail needs none of this

    if anew:
        maildir.clear(directory / _DIRECTORY)
    if kind == "pymap":
        from sandbox.mail.in_memory import InMemory

        return InMemory(logins, port=port)
    if kind == "dovecot":
        from sandbox.mail.dovecot import Dovecot

        return Dovecot(logins, directory=directory / _DIRECTORY, port=port)
    raise MailServerFailed(f"there is no mail server {kind!r}; choose {' or '.join(KINDS)}")


def kept_kind(directory: Path) -> Kind:
    """The server that served the company of a directory before: Dovecot is known by the mail it keeps."""
    return "dovecot" if (directory / _DIRECTORY).is_dir() else "pymap"
