"""The process of a simulated company: builds its world, then serves every tool until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox import configuration, launcher
from sandbox.mail import KINDS, kept_kind, open_mailbox, smtp
from sandbox.mail.mailbox import Mailbox, MailServerFailed, logins_of, stored
from sandbox.people_at_work import diary
from sandbox.store import Store
from sandbox.web import serve, simulation
from sandbox.world import answer_key, truth, world_file, world_file_charter
from sandbox.world.generate import generate, write
from sandbox.world.identifiers import Mint
from sandbox.world.options import add_world_options, shape_of
from sandbox.world.partners import instances
from sandbox.world.people import HUB_ADDRESS, found
from sandbox.world.story import SOURCE_OF

_OF_THE_LAST = (launcher.COMPANY, launcher.CLOCK, diary.FILE)  # what an earlier company leaves that a new one lacks


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A world in its store, and what must be written beside it."""

    spaces: Mapping[str, str]  # instance of a tool -> space
    configured: configuration.Configured
    answer_key: list[dict[str, Any]]
    clock: datetime | None = None  # when the company's time begins; None: now


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A company that is ready to be served. ``configure`` writes what people need once the addresses are known."""

    store: Store
    spaces: Mapping[str, str]  # instance of a tool -> space
    mail_password: str
    ports: Mapping[str, int]  # by tool, imap, smtp or control; any port where none is named
    configure: Callable[[dict[str, str]], Path]
    clock: Mapping[str, Any] = field(default_factory=dict)  # how its clock is to be set, as the control port has it

    @property
    def mail_space(self) -> str:
        """The space that holds the mail."""
        return self.spaces.get("mail", SOURCE_OF["mail"])


class PortTaken(RuntimeError):
    """A company cannot be resumed where it was: the hub's configuration names a port that somebody else has."""


def main() -> int:
    """Run the company of one directory until SIGTERM; gives the exit status."""
    wanted = _arguments()
    directory: Path = wanted.dir
    directory.mkdir(parents=True, exist_ok=True)
    try:
        company = _resumed(directory) if wanted.resume else _built(directory, wanted)
    except ValueError as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        return launcher.UNUSABLE
    except PortTaken as error:
        sys.stderr.write(f"{error}\n")
        return 3
    try:
        kind = wanted.imap or (kept_kind(directory) if wanted.resume else KINDS[0])
        logins = logins_of(company.store, company.mail_space, user=HUB_ADDRESS, password=company.mail_password)
        port = company.ports.get("imap", 0)
        with open_mailbox(kind, logins, directory=directory, port=port, anew=not wanted.resume) as mailbox:
            mailbox.load(stored(company.store.scan(company.mail_space, "message")))
            asyncio.run(_serve(directory, company, mailbox))
    except MailServerFailed as error:
        sys.stderr.write(f"{error}\n")
        return 3
    return 0


def _built(directory: Path, wanted: argparse.Namespace) -> Company:
    """A new company; whatever lived in the directory makes way once it is built."""
    for rest in directory.glob("new.sqlite*"):
        rest.unlink()
    store = Store(directory / "new.sqlite")
    built = _build(store, Mint(wanted.seed), wanted)
    store.close()
    for old in (*directory.glob("world.sqlite*"), *(directory / name for name in _OF_THE_LAST)):
        old.unlink(missing_ok=True)
    if wanted.world or wanted.log:
        (directory / truth.FILE).unlink(missing_ok=True)
    (directory / "new.sqlite").replace(directory / "world.sqlite")
    store = Store(directory / "world.sqlite")

    def announce(addresses: dict[str, str]) -> Path:
        answer_key.write(directory, built.answer_key)
        return configuration.write(directory, built.configured, addresses, built.spaces)

    password = built.configured.secrets["mail_password"]
    return Company(
        store=store,
        spaces=built.spaces,
        mail_password=password,
        ports={},
        configure=announce,
        clock={} if built.clock is None else {"set": built.clock.isoformat()},
    )


def _resumed(directory: Path) -> Company:
    """The company that lived in the directory, as it was when it stopped."""
    addresses, spaces = launcher.read_company(directory)
    ports = {name: int(address.rpartition(":")[2]) for name, address in addresses.items()}
    for name, port in ports.items():
        _refuse_taken(name, port)
    return Company(
        store=Store(directory / "world.sqlite"),
        spaces=spaces,
        mail_password=(directory / "secrets" / "mail_password").read_text(encoding="utf-8").strip(),
        ports=ports,
        configure=lambda _: directory / "config",
        clock=launcher.kept_clock(directory),
    )


def _refuse_taken(name: str, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            raise PortTaken(f"port {port}, where its {name} server was, is taken by another program") from None


def _build(store: Store, mint: Mint, wanted: argparse.Namespace) -> Built:
    now: datetime = wanted.now
    if wanted.world is not None:
        return _from_file(store, mint, world_file.read(wanted.world), now)
    if wanted.log is not None:
        from sandbox.eventlog import load_log  # few starts need it
        from sandbox.eventlog.load import report

        loaded = load_log(store, mint, wanted.log, wanted.map, wanted.dir)
        text = json.dumps(report(loaded), indent=1, ensure_ascii=False)
        (wanted.dir / "load_report.json").write_text(text + "\n", encoding="utf-8")
        return Built(spaces=dict(SOURCE_OF), configured=loaded.configured, answer_key=[])
    world = generate(store, seed=mint.seed, shape=shape_of(wanted), now=now, directory=wanted.dir)
    return Built(
        spaces=instances(world.shape),
        configured=configuration.company_charter(mint, world.company, world.shape),
        answer_key=world.answer_key,
    )


def _from_file(store: Store, mint: Mint, file: world_file.WorldFile, now: datetime) -> Built:
    write(store, file.documents())
    configuration.admit_hub(store, file.tools, mint)
    if file.charter is None and set(file.tools.values()) == set(SOURCE_OF.values()):
        configured = configuration.company_charter(mint, found(mint, now))
    else:
        charter = file.charter or world_file_charter.guessed(file.spaces)
        configured = configuration.Configured(charter=charter, secrets=configuration.credentials(mint))
    return Built(spaces=file.tools, configured=configured, answer_key=[], clock=file.clock)


async def _serve(directory: Path, company: Company, mailbox: Mailbox) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    shared = simulation()
    if company.clock:
        shared.clock.obey(company.clock)
    # a company that is killed keeps its time too
    shared.clock.watch(lambda: launcher.keep_clock(directory, shared.clock.told()))
    letters = smtp.Post(
        company.store,
        company.mail_space,
        mailbox,
        clock=shared.clock,
        journal=shared.journal,
        faults=shared.faults,
    )
    post = await smtp.serve(letters, port=company.ports.get("smtp", 0))
    mail = {"imap": f"127.0.0.1:{mailbox.port}", "smtp": f"127.0.0.1:{post.sockets[0].getsockname()[1]}"}

    def ready(http: dict[str, str]) -> None:
        gc.collect()
        gc.freeze()  # what is there now stays: no collection needs to look at it while a page waits
        addresses = http | mail
        config = company.configure(addresses)
        running = launcher.Running(directory=directory, config=config, pid=os.getpid(), addresses=addresses)
        launcher.write_state(directory, running, company.spaces)

    try:
        await serve(company.store, company.spaces, company.ports, shared=shared, ready=ready, stop=stop, beside=mail)
    finally:
        launcher.keep_clock(directory, shared.clock.told())
        (directory / launcher.STATE).unlink(missing_ok=True)
        post.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=main.__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="where everything is kept")
    parser.add_argument("--resume", action="store_true", help="serve again what is there, on the same ports")
    parser.add_argument("--seed", type=int, default=7, help="the same seed and time give the same world")
    add_world_options(parser)
    parser.add_argument("--now", type=_instant, default=None, help="end of the history (ISO, with offset)")
    parser.add_argument("--world", type=Path, help="a world file instead of an invented world")
    parser.add_argument("--log", type=Path, help="an event log (CSV, gzip allowed) instead of an invented world")
    parser.add_argument("--map", type=Path, help="which columns of the log mean what")
    parser.add_argument("--imap", choices=KINDS, help="the IMAP server (a resumed company: the one it had)")
    wanted = parser.parse_args()
    if wanted.now is None:
        wanted.now = datetime.now(UTC).replace(second=0, microsecond=0)
    return wanted


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError("give the offset too, like +00:00")
    return at.astimezone(UTC).replace(microsecond=0)


if __name__ == "__main__":
    sys.exit(main())
