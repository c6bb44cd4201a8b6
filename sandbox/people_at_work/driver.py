"""People at work: chooses deed after deed and lets people carry them out, until there were enough."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.people_at_work import diary
from sandbox.people_at_work.choosing import choose
from sandbox.people_at_work.deeds import BY_NAME, WEIGHTS
from sandbox.people_at_work.doing import Company, Desks, remembered
from sandbox.people_at_work.hours import next_moment
from sandbox.people_at_work.post import Mailbox

_MOST = 1000  # records of a kind that people know of


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """What was done: the deeds by kind, how many were refused, the diary, and the company's time at the end."""

    deeds: Mapping[str, int]
    refused: int
    diary: Path
    until: datetime


def play(
    company: Company,
    path: Path,
    *,
    seed: int,
    deeds: int | None = None,
    until: datetime | None = None,
    pace_seconds: float = 0.0,
    advance_clock: bool = False,
    only: Collection[str] = (),
    weights: Mapping[str, float] = WEIGHTS,
    stopped: Callable[[], bool] = lambda: False,
) -> Worked:
    """Work on: so many further deeds, or until the company's time reaches ``until`` (aware), or until ``stopped``.

    Every deed is a line of the diary at ``path``; a diary that is there is continued. ``pace_seconds`` is the real
    pause between deeds. ``advance_clock`` moves the company's clock to working hours, deed by deed. ``only`` narrows
    the kinds of deeds. Refused deeds are noted and work goes on. The same seed over the same world and clock gives
    the same diary, but for the ids that the tools invent. Raises Unreachable when a tool cannot be read at the
    beginning, ValueError for an unknown kind or a company in which nobody has a token.
    """
    _refuse_unknown({*only, *weights})
    lines = diary.continued(path)
    counted: Counter[str] = Counter()
    refused = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with Desks(company, seed=seed) as desks:
        view = remembered(desks.look(_MOST), lines)
        at = now = _parsed(desks.now())
        number = lines[-1].n if lines else 0
        while (deeds is None or sum(counted.values()) < deeds) and not stopped():
            number += 1
            rng = random.Random(f"{seed}/{number}")
            now = _parsed(desks.now())
            at = next_moment(rng, now) if advance_clock else now
            if until is not None and at >= until:
                break
            deed = choose(rng, view, number=number, weights=weights, only=only)
            if deed is None:
                break
            if advance_clock:
                desks.set_clock(at.isoformat())
            done, view = desks.do(deed, view, number=number, at=at.isoformat())
            diary.write(path, done)
            counted[done.deed] += 1
            refused += done.refused
            if pace_seconds > 0:
                time.sleep(pace_seconds)
    return Worked(deeds=dict(counted), refused=refused, diary=path, until=at)


def work(directory: Path, *, seed: int = 3, **how: Any) -> Worked:
    """Let people work in the company that runs in a directory (see ``play``); the diary is kept there.

    Raises FileNotFoundError when no company runs there, and what ``play`` raises.
    """
    return play(company_of(directory), directory / diary.FILE, seed=seed, **how)


def company_of(directory: Path) -> Company:
    """Find the running company of a directory. Raises FileNotFoundError when there is none."""
    from ruamel.yaml import YAML

    from sandbox import launcher

    running = launcher.status(directory)
    if running is None:
        raise FileNotFoundError(f"no company runs in {directory}")
    charter = YAML(typ="safe").load((running.config / "charter.yaml").read_text(encoding="utf-8"))
    connections = {source["tool"]: source["connection"] for source in charter["sources"].values()}
    apart = {str(connections.get("jira", {}).get("email", "")).lower()}
    mailbox = None
    if "mail" in connections:
        mail = connections["mail"]
        secret = running.config / str(mail["password"]).removeprefix("file:")
        mailbox = Mailbox(
            imap=running.addresses["imap"],
            smtp=running.addresses["smtp"],
            user=mail["user"],
            password=secret.read_text(encoding="utf-8").strip(),
            folder=mail.get("folder", "INBOX"),
        )
    return Company(addresses=running.addresses, mailbox=mailbox, apart=frozenset(apart))


def _refuse_unknown(names: Collection[str]) -> None:
    unknown = sorted(set(names) - set(BY_NAME))
    if unknown:
        raise ValueError(f"no such deed: {', '.join(unknown)}; there are {', '.join(BY_NAME)}")


def _parsed(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
