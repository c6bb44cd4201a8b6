"""Files messages straight into Maildirs, for a Dovecot that is about to serve them: the fastest way to a world.

The file's modification time is the message's INTERNALDATE, and Dovecot numbers new files in the order of the
numbers their names begin with, so UIDs follow the order of filing. A list of the ids that were filed or delivered
lies beside the mailboxes: what a person deleted does not come back with the next start.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from sandbox.mail.appending import mailbox_name
from sandbox.mail.mailbox import INBOX, MailServerFailed, Message, owner_of

_KNOWN = "known-messages"
_LOGIN = re.compile(r"[^\s/:\x00.][^\s/:\x00]*")


class Maildir:
    """The mail of several people under one directory: ``<address>/Maildir`` each."""

    def __init__(self, directory: Path, *, owner: tuple[int, int] | None = None) -> None:
        """Keep mail there; ``owner`` (uid, gid) is who the mail server runs as when that is somebody else."""
        self._directory = directory
        self._owner = owner
        self._made: set[Path] = set()

    def prepare(self, logins: Mapping[str, str]) -> None:
        """Make what is missing, so that the server never has to.

        Raises OSError, and MailServerFailed for an address that cannot be a directory and a line of a list.
        """
        for login in logins:
            if not _LOGIN.fullmatch(login):
                raise MailServerFailed(f"Dovecot cannot keep mail for {login!r}; an address has no / : or space")
        self._directory.mkdir(parents=True, exist_ok=True)
        for login in logins:
            self._folder(login, INBOX)

    def known(self) -> set[str]:
        """The ids of messages that were filed or delivered here at any time."""
        try:
            return set((self._directory / _KNOWN).read_text(encoding="utf-8").splitlines())
        except FileNotFoundError:
            return set()

    def note(self, messages: Iterable[Message]) -> None:
        """Remember messages that the server was given otherwise."""
        self._remember([message.id for message in messages if message.id])

    def file(self, messages: Iterable[Message], logins: Mapping[str, str]) -> int:
        """File what is not known yet; gives the number filed.

        Raises MailServerFailed for an unknown login or an impossible folder.
        """
        known = self.known()
        fresh: list[str] = []
        number = len(known)
        filed = 0
        for message in messages:
            if message.id and message.id in known:
                continue
            filed += 1
            self._write(message, owner_of(message, logins), number + filed)
            if message.id:
                fresh.append(message.id)
        self._remember(fresh)
        return filed

    def _write(self, message: Message, login: str, number: int) -> None:
        # S and W are the size and the size with CRLF line ends: the server need not read the file to know them.
        size, lines = len(message.raw), message.raw.count(b"\n") - message.raw.count(b"\r\n")
        name = f"{number:010d}.M0P0.sandbox,S={size},W={size + lines}:2,"
        path = self._folder(login, message.folder) / "cur" / name
        path.write_bytes(message.raw)
        at = int(message.at.timestamp())
        os.utime(path, (at, at))
        self._give(path)

    def _folder(self, login: str, folder: str) -> Path:
        """The Maildir of a folder (Maildir++: a dot before each part of its name)."""
        home = self._directory / login
        path = home / "Maildir"
        if folder.upper() != INBOX:
            if "/" in folder or not folder.strip("."):
                raise MailServerFailed(f"Dovecot cannot keep a folder {folder!r}; parts of a name are joined by dots")
            path /= f".{mailbox_name(folder)}"
        if path not in self._made:
            for made in (home, home / "Maildir", path, *(path / part for part in ("cur", "new", "tmp"))):
                if not made.is_dir():
                    made.mkdir(mode=0o700)
                    self._give(made)
            self._made.add(path)
        return path

    def _give(self, path: Path) -> None:
        if self._owner is not None:
            os.chown(path, *self._owner)

    def _remember(self, ids: list[str]) -> None:
        with (self._directory / _KNOWN).open("a", encoding="utf-8") as file:
            file.writelines(f"{id_}\n" for id_ in ids)


def clear(directory: Path) -> None:
    """Throw away all mail of a directory, if there is any."""
    shutil.rmtree(directory, ignore_errors=True)
