"""A real Dovecot over the same messages: CONDSTORE, QRESYNC, NOTIFY, SORT, and mail that outlives the server.

Dovecot runs without privileges: as whoever starts it, or, started by root, as an account that owns nothing. It
listens on loopback only, keeps its sockets in a temporary directory, and ends with the process that started it.
Mail lies in the given directory, so that UIDVALIDITY and UIDs stay when it is started there again.
"""

from __future__ import annotations

import base64
import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.mail import maildir
from sandbox.mail.appending import append
from sandbox.mail.mailbox import MailServerFailed, Message

_PATIENCE = 20.0  # seconds until it answers; a quarter of one is usual
_TRIES = 5  # another program may take the free port that was found before Dovecot does
_POWERLESS = ("nobody", "dovenull", "daemon")

# Dovecot cannot watch its parent. The shell's child waits for the end of what the parent holds open, then stops
# Dovecot, whose process number is the shell's, and clears away the directory of its sockets.
_WATCHED = """
exec 3<&0 </dev/null
{ read -r _ <&3; kill -TERM $$ 2>/dev/null; n=0
  while kill -0 $$ 2>/dev/null && [ $n -lt 50 ]; do sleep 0.1; n=$((n+1)); done
  kill -KILL $$ 2>/dev/null; rm -rf "$2"; } >/dev/null 2>&1 &
exec 3<&-
exec "$0" -F -c "$1"
"""

# The brakes on guessing passwords are off: everybody comes from one address, and all would wait for one's mistake.
_SETTINGS = """\
protocols = imap
listen = 127.0.0.1
base_dir = {runtime}/run
state_dir = {runtime}/state
log_path = {runtime}/dovecot.log
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_chars =
auth_failure_delay = 0
auth_cache_size = 1M
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
first_valid_uid = 1
service imap-login {{
  chroot =
  service_count = 0
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
passdb {{
  driver = passwd-file
  args = {runtime}/passwords
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={runtime}/mail/%Lu
}}
mail_location = maildir:~/Maildir
mail_max_userip_connections = 1000
mail_fsync = never
maildir_stat_dirs = yes
namespace inbox {{
  inbox = yes
}}
"""


class DovecotMissing(MailServerFailed):
    """Dovecot is not installed here."""


class Dovecot:
    """A running Dovecot (see `sandbox.mail.mailbox.Mailbox`) with one Maildir for each login."""

    def __init__(self, logins: Mapping[str, str], *, directory: Path, port: int = 0) -> None:
        """Start it over the mail of a directory, made when missing; returns when it answers.

        Raises DovecotMissing, or MailServerFailed when the directory cannot be used or the port is taken.
        """
        self.logins = dict(logins)
        self._program = _program()
        self._account = _account()
        self._directory = directory
        self._shelf = maildir.Maildir(directory, owner=self._account.owner)
        try:
            self._shelf.prepare(self.logins)
        except OSError as error:
            raise MailServerFailed(f"{directory} cannot hold mail: {error.strerror}") from error
        _require_reachable(directory, self._account)
        if port and not _free(port):
            raise MailServerFailed(f"port {port} is in use by another program")
        self.port = 0
        for attempt in range(1 if port else _TRIES):
            told = self._start(port or _free_port())
            if told is None:
                return
            if port or "in use" not in told or attempt == _TRIES - 1:
                raise MailServerFailed(f"Dovecot did not start: {told}")

    def __enter__(self) -> Self:
        """Give the running server."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        self.close()

    def alive(self) -> bool:
        """Tell whether the server still runs."""
        return self._process.poll() is None

    def load(self, messages: Iterable[Message]) -> int:
        """File a world's messages, those it holds already excepted; gives the number filed."""
        return self._shelf.file(messages, self.logins)

    def append(self, messages: Iterable[Message]) -> int:
        """Deliver messages in the order given; gives their number. Raises MailServerFailed or OSError."""
        arriving = list(messages)
        delivered = append(self.port, self.logins, arriving)
        self._shelf.note(arriving)
        return delivered

    def close(self) -> None:
        """Stop the server; its mail stays in the directory."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._runtime, ignore_errors=True)

    def _start(self, port: int) -> str | None:
        """Try one port; gives why it did not work."""
        self._runtime = _runtime(self._directory, self.logins, self._account, port)
        # A fixed shell text; the program and the paths are its arguments.
        self._process = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", _WATCHED, self._program, str(self._runtime / "dovecot.conf"), str(self._runtime)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._runtime,
            user=self._account.uid if self._account.other else None,
            group=self._account.gid if self._account.other else None,
            extra_groups=[] if self._account.other else None,
        )
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            if _greets(port):
                self.port = port
                return None
            time.sleep(0.01)
        told = _last_words(self._runtime / "dovecot.log") or f"exit {self._process.poll()}"
        self.close()
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    """The account Dovecot runs as; ``other``: not the account that starts it."""

    user: str
    group: str
    uid: int
    gid: int
    other: bool

    @property
    def owner(self) -> tuple[int, int] | None:
        """To whom files must be given, if to anybody else."""
        return (self.uid, self.gid) if self.other else None


def _account() -> _Account:
    mine = pwd.getpwuid(os.geteuid())
    if mine.pw_uid == 0:
        names = {entry.pw_name: entry for entry in pwd.getpwall()}
        found = next((names[name] for name in _POWERLESS if name in names), None)
        if found is None:
            raise MailServerFailed("Dovecot does not run as root, and there is no account `nobody` to run it as")
        mine = found
    return _Account(
        user=mine.pw_name,
        group=grp.getgrgid(mine.pw_gid).gr_name,
        uid=mine.pw_uid,
        gid=mine.pw_gid,
        other=mine.pw_uid != os.geteuid(),
    )


def _program() -> str:
    found = shutil.which("dovecot", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if found is None:
        raise DovecotMissing("dovecot is not installed; on Debian and Ubuntu: apt-get install dovecot-imapd")
    return found


def _require_reachable(directory: Path, account: _Account) -> None:
    """Dovecot, under its own account, must be allowed to walk down to the mail."""
    if not account.other:
        return
    for parent in directory.resolve().parents:
        if not parent.stat().st_mode & 0o001:
            raise MailServerFailed(
                f"started by root, Dovecot runs as {account.user}, who may not enter {parent}; "
                "start the company as another user, or in a directory everybody may enter"
            )


def _runtime(directory: Path, logins: Mapping[str, str], account: _Account, port: int) -> Path:
    """A short path for the sockets (the system allows 108 letters), with the settings and a link to the mail."""
    runtime = Path(tempfile.mkdtemp(prefix="mail-"))
    for name in ("run", "state"):
        (runtime / name).mkdir(mode=0o755)
    (runtime / "mail").symlink_to(directory.resolve())
    passwords = runtime / "passwords"
    passwords.touch(mode=0o600)
    passwords.write_text("".join(_entry(user, password) for user, password in logins.items()), encoding="utf-8")
    settings = _SETTINGS.format(runtime=runtime, user=account.user, group=account.group, port=port)
    (runtime / "dovecot.conf").write_text(settings, encoding="utf-8")
    if account.owner is not None:
        for path in (runtime, *runtime.iterdir()):
            os.chown(path, *account.owner, follow_symlinks=False)
    return runtime


def _entry(user: str, password: str) -> str:
    # Encoded: in this file a colon ends the password.
    return f"{user}:{{PLAIN.b64}}{base64.b64encode(password.encode()).decode()}\n"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as line:
            return line.recv(64).startswith(b"* OK")
    except OSError:
        return False


def _last_words(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    told = [line for line in lines if "Error" in line or "Fatal" in line]
    return told[0].partition(": ")[2] if told else ""
