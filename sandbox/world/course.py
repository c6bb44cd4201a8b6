"""Tells the whole story of one item: where it lives, how it moved through the phases, how it ends."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sandbox.world import faults, words
from sandbox.world.people import PHASES, Company
from sandbox.world.plot import DAY, HOUR, Plot, other, seconds
from sandbox.world.story import Story, Tool

_TOOL: dict[str, Tool] = {"s": "salesforce", "j": "jira", "a": "airtable", "m": "mail"}
# One letter per tool; how often a combination occurs follows from how often it stands here.
_CLEAN = ("sja",) * 9 + ("sj",) * 6 + ("sa",) * 4 + ("ja",) * 5 + ("sjam", "sjm", "sam", "jm", "am") + ("m",)
_UNLINKED = 0.10
_IN_FLIGHT = 0.04  # handed over a few hours ago and not taken up yet: in time, therefore no fault
_FEW_HOURS = (2 * HOUR, 10 * HOUR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all stories of a world share."""

    seed: int
    now: datetime
    company: Company
    mail_every: int = 1  # only each n-th item may have a mail thread: the mailbox lives in memory


def tell(setting: Setting, number: int, fault: str | None) -> Story:
    """Tell the story of an item; the same setting, number and fault give the same story."""
    rng = random.Random(f"{setting.seed}/{number}")
    tools = _cast(setting, number, fault, rng)
    kind = fault.partition(":")[0] if fault else None
    case = kind in faults.CASES_ONLY or rng.random() < 0.6
    voices = tuple(t for t in tools if t != "salesforce" or case)
    if kind == "duplicate_update" and len(voices) < 2:
        case, voices = True, tools
    title, thing = words.title(number, rng)
    linked = len(tools) == 1 or rng.random() >= _UNLINKED
    plot = Plot(rng, setting.company, tools, voices, thing, setting.now)
    detail: dict[str, str] = {}
    if fault == faults.ORPHAN_THREAD:
        _nobody_named(plot, setting)
        detail = {"last_owner": ""}
    elif kind is not None:
        detail = _with_ending(plot, setting, kind)
    else:
        _clean(plot, setting)
    return Story(
        number=number,
        titles=dict.fromkeys(tools, title)
        if linked
        else {tool: title if at == 0 else words.respelt(title, rng) for at, tool in enumerate(tools)},
        tools=tools,
        sobject="Case" if case else "Opportunity",
        linked=linked,
        reference=f"nw/2026/{number:06d}" if linked and rng.random() < 0.3 else "",
        due=(setting.now + timedelta(days=rng.randint(3, 60))).date(),
        amount=rng.randrange(4, 90) * 500,
        acts=tuple(plot.acts),
        fault=kind,
        detail=detail,
    )


def _cast(setting: Setting, number: int, fault: str | None, rng: random.Random) -> tuple[Tool, ...]:
    casts = faults.CASTS[fault] if fault else _CLEAN
    if number % setting.mail_every and fault != faults.ORPHAN_THREAD:
        casts = tuple(cast for cast in casts if "m" not in cast)
    return tuple(_TOOL[letter] for letter in rng.choice(casts))


def _begin(plot: Plot, moves: int, last: datetime) -> list[datetime]:
    """Open the item long enough before its last change of owner; gives the moments of all changes."""
    gaps = [seconds(plot.rng.uniform(2.5 * DAY, 14 * DAY)) for _ in range(max(moves, 1))]
    moments = [last]
    for gap in gaps[:-1]:
        moments.append(moments[-1] - gap)
    plot.at = moments[-1] - gaps[-1]
    plot.open(plot.rng.choice(plot.company.members("strategy")))
    return moments[::-1][:moves]


def _with_ending(plot: Plot, setting: Setting, kind: str) -> dict[str, str]:
    company, rng = setting.company, plot.rng
    to = faults.receiver(kind, company, rng)
    moves = faults.moves(kind, company, rng, to)
    if kind == "owner_conflict" and not _can_be_forgotten(plot, PHASES[moves]):
        moves = 1 if _can_be_forgotten(plot, PHASES[1]) else 3
    *earlier, last = _begin(plot, moves, faults.handed_over_at(kind, company, rng, setting.now, to))
    for at, phase in zip(earlier, PHASES[1:], strict=False):
        _move(plot, at, phase)
    plot.until(last)
    phase = PHASES[moves]
    return faults.ENDINGS[kind](plot, to or other(company, rng, phase, than=plot.owner), phase)


def _can_be_forgotten(plot: Plot, phase: str) -> bool:
    """Tell whether a tool is left that may lag behind while the one that counts in this phase is right."""
    return any(t not in ("mail", faults.RECORD_SYSTEM[phase]) for t in plot.tools)


def _clean(plot: Plot, setting: Setting) -> None:
    rng, now = plot.rng, setting.now
    in_flight = rng.random() < _IN_FLIGHT and plot.tools != ("airtable", "mail")
    moves = rng.randint(1, 4) if in_flight or rng.random() > 0.12 else 0
    span = _FEW_HOURS if in_flight else (1.5 * DAY, 22 * DAY)
    moments = _begin(plot, moves, now - seconds(rng.uniform(*span)))
    asked = False
    for nth, (at, phase) in enumerate(zip(moments, PHASES[1:], strict=False), start=1):
        if in_flight and nth == moves:
            plot.until(at)
            plot.hand_over(other(plot.company, rng, phase, than=plot.owner), phase=phase)
            return
        asked = _move(plot, at, phase, approval=not asked) or asked
    _finish(plot, now, asked=asked)


def _move(plot: Plot, at: datetime, phase: str, *, approval: bool = False) -> bool:
    """Hand over in time, take up in time, work a little; tells whether an approval was asked for."""
    rng = plot.rng
    plot.until(at)
    plot.hand_over(other(plot.company, rng, phase, than=plot.owner), phase=phase)
    plot.accept()
    if approval and rng.random() < 0.12:
        tool = rng.choice(plot.tools)
        approver = faults.approver_of(plot)
        plot.wait(1 * HOUR, 6 * HOUR)
        plot.ask(approver, tool)
        plot.wait(4 * HOUR, 20 * HOUR)
        plot.answer(approver, tool)
        return True
    if rng.random() < 0.5:
        plot.wait(2 * HOUR, 24 * HOUR)
        plot.say(plot.owner if rng.random() < 0.8 else rng.choice(plot.company.members("strategy")))
    return False


def _finish(plot: Plot, now: datetime, *, asked: bool) -> None:
    """End cleanly: closed, waiting for a young approval, or simply in the works."""
    rng = plot.rng
    how: Literal["closed", "asked", "open"] = rng.choices(("closed", "asked", "open"), (35, 6, 59))[0]
    room = (now - plot.at).total_seconds()
    if how == "closed" and room > 8 * HOUR:
        plot.wait(2 * HOUR, min(room - 2 * HOUR, 6 * DAY))
        plot.set_status(plot.owner, "done")
    elif how == "asked" and not asked and room > 8 * HOUR:
        plot.until(now - seconds(rng.uniform(2 * HOUR, min(room - 2 * HOUR, 34 * HOUR))))
        plot.ask(faults.approver_of(plot), rng.choice(plot.tools))


def _nobody_named(plot: Plot, setting: Setting) -> None:
    """A thread in which work is asked for and talked about, and nobody is ever named."""
    rng = plot.rng
    plot.at = setting.now - seconds(rng.uniform(4 * DAY, 20 * DAY))
    plot.open(rng.choice(plot.company.members("strategy")), owned=False)
    plot.wait(3 * HOUR, 30 * HOUR)
    plot.say(rng.choice(plot.company.members("launch")))
