"""Starts, finds and stops the simulated company of a directory: one detached process with all its servers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.world.shape import Shape

STATE = "sandbox.json"
COMPANY = "company.json"  # stays when the company stops: what resuming needs to know
CLOCK = "clock.json"  # how far from this machine's the company's clock was when it stopped
LOG = "sandbox.log"
UNUSABLE = 2  # exit status of a company that cannot use what it was given
# Pages are large and short-lived: glibc should keep their memory instead of giving it back each time.
_MALLOC = {
    "MALLOC_TRIM_THRESHOLD_": "268435456",
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TOP_PAD_": "16777216",
}
_POLL = 0.05
_SECONDS_PER_ITEM = 1 / 100  # far below what generating and loading take on a busy small machine


class SandboxError(RuntimeError):
    """The simulated company could not be started; ``hint`` says what to do about it."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Say what happened, and what helps."""
        super().__init__(message)
        self.hint = hint


class CompanyRuns(SandboxError):
    """A company runs in this directory already."""


class UnusableInput(SandboxError):
    """The world file, the event log, its map or an option cannot be used; whoever gave it can mend it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A running simulated company.

    ``addresses`` holds salesforce, jira, airtable and control as URLs, imap and smtp as host:port.
    """

    directory: Path
    config: Path
    pid: int
    addresses: dict[str, str]


def up(
    directory: Path,
    *,
    seed: int = 7,
    items: int = 200,
    world: Path | None = None,
    log: Path | None = None,
    log_map: Path | None = None,
    now: datetime | None = None,
    shape: Shape | None = None,
    imap: str | None = None,
) -> Running:
    """Start the company in a detached process and return when every server answers.

    It is built anew each time: from ``world`` (a world file), from ``log`` with ``log_map`` (an event log), or
    generated from ``seed`` and ``shape`` (``items`` alone is a shape of so many items) with a history that ends at
    ``now`` (aware; default: this minute). ``imap`` chooses the mail server: pymap or dovecot.
    Raises CompanyRuns when one runs there, UnusableInput for what cannot be read, SandboxError when the start fails.
    """
    directory = directory.resolve()
    _refuse_running(directory)
    if (log is None) != (log_map is None):
        raise UnusableInput("an event log and its map belong together", hint="give both, or neither")
    if now is not None and now.tzinfo is None:
        raise UnusableInput("`now` has no time zone", hint="give an aware time, like 2026-11-21T12:00:00+00:00")
    if (directory / "config").exists() and not (directory / "world.sqlite").exists():
        raise UnusableInput(
            f"{directory} holds a configuration that is not a simulated company's", hint="choose another directory"
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableInput(f"{directory} cannot be used: {error.strerror}", hint="choose another directory") from error
    shape = shape or Shape(items=items)
    command = ["--seed", str(seed), *_shaped(shape), *(["--imap", imap] if imap else [])]
    for option, path in (("--world", world), ("--log", log), ("--map", log_map)):
        if path is not None:
            if not path.is_file():
                raise UnusableInput(f"there is no file {path}", hint=f"check the path given as {option}")
            command += [option, str(path.resolve())]
    if now is not None:
        command += ["--now", now.astimezone(UTC).isoformat()]
    size = (log or world).stat().st_size if (log or world) else 0  # type: ignore[union-attr]  # one of them is given
    return _started(
        directory, command, patience=60 + max(shape.items, shape.flat or 0) * _SECONDS_PER_ITEM + size / 20_000
    )


def _shaped(shape: Shape) -> list[str]:
    plain = Shape()
    named = {name: getattr(shape, name) for name in ("companies", "months", "mess", "flat")}
    options = ["--items", str(shape.items)]
    for name, value in named.items():
        options += [f"--{name}", str(value)] if value != getattr(plain, name) else []
    return options + [word for kind, share in shape.rates.items() for word in ("--rate", f"{kind}={share}")]


def resume(directory: Path) -> Running:
    """Start the stopped company of a directory again: same ports, same documents, delivered mail included.

    Its configuration stays as it is. Raises CompanyRuns when it runs, UnusableInput when there is none,
    SandboxError when it does not start, for instance because somebody else has one of its ports.
    """
    directory = directory.resolve()
    _refuse_running(directory)
    if not resumable(directory):
        raise UnusableInput(
            f"there is no stopped simulated company in {directory}", hint=f"make one: hub sandbox up --dir {directory}"
        )
    size = (directory / "world.sqlite").stat().st_size
    return _started(directory, ["--resume"], patience=60 + size / 1_000_000)


def resumable(directory: Path) -> bool:
    """Whether a company that can be resumed, or runs, lives in the directory."""
    return (directory / COMPANY).is_file() and (directory / "world.sqlite").is_file()


def _refuse_running(directory: Path) -> None:
    if status(directory) is not None:
        raise CompanyRuns(
            f"a simulated company already runs in {directory}",
            hint=f"stop it first: hub sandbox down --dir {directory}",
        )


def _started(directory: Path, options: list[str], *, patience: float) -> Running:
    (directory / STATE).unlink(missing_ok=True)
    with (directory / LOG).open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  (our own module, our own arguments)
            [sys.executable, "-m", "sandbox", "--dir", str(directory), *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_environment(),
            start_new_session=True,
        )
    try:
        return _awaited(directory, process, time.monotonic() + patience)
    except BaseException:
        # Whoever interrupts the wait must not leave a company behind that nobody knows of.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


def status(directory: Path) -> Running | None:
    """Give the company that runs in the directory, or None."""
    try:
        state = json.loads((directory.resolve() / STATE).read_text(encoding="utf-8"))
        running = _running(state)
    except (OSError, ValueError, KeyError):
        return None
    return running if _alive(running) else None


def down(directory: Path) -> bool:
    """Stop the company that runs in the directory; tells whether one did. Its files stay."""
    running = status(directory)
    path = directory.resolve() / STATE
    if running is None:
        path.unlink(missing_ok=True)
        return False
    for sign, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(running.pid, sign)
        except ProcessLookupError:
            break
        if _gone(running.pid, patience):
            break
    path.unlink(missing_ok=True)
    return True


def write_state(directory: Path, running: Running, spaces: Mapping[str, str]) -> None:
    """Publish a running company, whose tools serve these spaces; readers see all of it or nothing."""
    _write(directory / COMPANY, {"addresses": running.addresses, "spaces": dict(spaces)})
    state = {
        "directory": str(running.directory),
        "config": str(running.config),
        "pid": running.pid,
        "addresses": running.addresses,
    }
    _write(directory / STATE, state)


def read_company(directory: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The addresses and the spaces, by tool, of the company that lived in the directory."""
    told = json.loads((directory / COMPANY).read_text(encoding="utf-8"))
    return dict(told["addresses"]), dict(told["spaces"])


def keep_clock(directory: Path, told: Mapping[str, Any]) -> None:
    """Remember a company's clock (as it tells itself) for the day the company is resumed."""
    still = bool(told["frozen"])
    _write(directory / CLOCK, {"set": told["now"], "frozen": True} if still else {"advance": told["offset_seconds"]})


def kept_clock(directory: Path) -> dict[str, Any]:
    """How the clock of the company that lived in a directory is to be set; empty when nothing is known."""
    try:
        return dict(json.loads((directory / CLOCK).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _write(path: Path, content: dict[str, Any]) -> None:
    partial = path.with_name(f"{path.name}.part")
    partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def _running(state: dict[str, Any]) -> Running:
    return Running(
        directory=Path(state["directory"]),
        config=Path(state["config"]),
        pid=int(state["pid"]),
        addresses=dict(state["addresses"]),
    )


def _awaited(directory: Path, process: subprocess.Popen[bytes], deadline: float) -> Running:
    while time.monotonic() < deadline:
        status_code = process.poll()
        if status_code == UNUSABLE:
            raise UnusableInput(_last_words(directory), hint="nothing was started; mend that and try again")
        if status_code is not None:
            raise SandboxError(
                f"the simulated company did not start: {_last_words(directory)}", hint=_log_hint(directory)
            )
        if (directory / STATE).exists():
            running = status(directory)
            if running is not None and running.pid == process.pid:
                return running
        time.sleep(_POLL)
    raise SandboxError("the simulated company took too long to start", hint=_log_hint(directory))


def _log_hint(directory: Path) -> str:
    return f"see {directory / LOG}"


def _last_words(directory: Path) -> str:
    lines = [
        line for line in (directory / LOG).read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()
    ]
    return lines[-1] if lines else "it ended without a word"


def _alive(running: Running) -> bool:
    """Whether the process is there and is that company: a busy one may be slow to answer, and pids come again."""
    if not Path("/proc/self/cmdline").exists():
        return _answers(running)
    try:
        return str(running.directory).encode() in Path(f"/proc/{running.pid}/cmdline").read_bytes()
    except OSError:
        return False


def _answers(running: Running) -> bool:
    try:
        with urllib.request.urlopen(f"{running.addresses['control']}/status", timeout=5) as reply:  # noqa: S310  (our own loopback address)
            return bool(reply.status == 200)
    except OSError:
        return False


def _gone(pid: int, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)  # our own child stays a zombie until somebody asks for it
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(_POLL)
    return False


def _environment() -> dict[str, str]:
    """The package must be found even when nobody installed it."""
    root = str(Path(__file__).resolve().parent.parent)
    paths = [root, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {**_MALLOC, **os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(p for p in paths if p))}
