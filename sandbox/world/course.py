"""Tells the whole story of one item: where it lives, how it moved through the phases, how it ends."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from sandbox.world import faults, words
from sandbox.world.partners import partners, source_of
from sandbox.world.people import PHASES, Company
from sandbox.world.plot import DAY, HOUR, Plot, other, seconds
from sandbox.world.shape import Shape
from sandbox.world.story import SOURCE_OF, Story, Tool
from sandbox.world.untidy import untidied

_TOOL: dict[str, Tool] = {"s": "salesforce", "j": "jira", "a": "airtable", "m": "mail"}
# One letter per tool; how often a combination occurs follows from how often it stands here.
_CLEAN = ("sja",) * 9 + ("sj",) * 6 + ("sa",) * 4 + ("ja",) * 5 + ("sjam", "sjm", "sam", "jm", "am") + ("m",)
_UNLINKED = 0.10
_IN_FLIGHT = 0.04  # handed over a few hours ago and not taken up yet: in time, therefore no fault
_FEW_HOURS = (2 * HOUR, 10 * HOUR)


# How long before now the last act of an item with a fault must lie, so that the fault shows.
_RESTS = {
    "missed_handoff": 30 * HOUR,
    "stalled_decision": 80 * HOUR,
    "orphan_item": 30 * HOUR,
    "split_ownership": 30 * HOUR,
    "owner_conflict": 4 * HOUR,
}
_TELLINGS = 8  # how often a story is begun anew, a day and a half earlier each time, until everybody can be in time
_EARLIER = timedelta(days=1.5)
_TAIL = 25 * 60  # seconds for which the tools may still follow the last act
_LANE = 0.4  # how often each further company takes part in an item
_SHORTEST = 95  # days a story of five phases may take, its end included
_OLD = timedelta(days=25)
_OLD_AND_CLOSED = 0.9
_TALKATIVE, _TALKATIVE_FROM = 0.03, 2  # how often, and from which degree of untidiness on
_REOPENED, _REOPENED_FROM = 0.15, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all stories of a world share."""

    seed: int
    now: datetime
    company: Company
    shape: Shape = field(default_factory=Shape)
    mail_every: int = 1  # only each n-th item may have a mail thread: the mailbox lives in memory


@dataclass(frozen=True, slots=True, kw_only=True)
class _Telling:
    """One attempt at a story: how much earlier than usual it plays, and whether people keep their hours in it."""

    turn: int
    hours: bool

    @property
    def earlier(self) -> timedelta:
        return self.turn * _EARLIER


def tell(setting: Setting, number: int, fault: str | None) -> Story:
    """Tell the story of an item; the same setting, number and fault give the same story."""
    hours = setting.shape.mess > 0
    for turn in range(_TELLINGS if hours else 0):
        story, fits = _told(setting, number, fault, _Telling(turn=turn, hours=True))
        if fits:
            return story
    return _told(setting, number, fault, _Telling(turn=0, hours=False))[0]


def _told(setting: Setting, number: int, fault: str | None, telling: _Telling) -> tuple[Story, bool]:
    name = f"{setting.seed}/{number}/{telling.turn}" if telling.turn else f"{setting.seed}/{number}"
    rng = random.Random(name)
    tools = _cast(setting, number, fault, rng)
    kind = fault.partition(":")[0] if fault else None
    case = kind in faults.CASES_ONLY or rng.random() < 0.6
    voices = tuple(t for t in tools if t != "salesforce" or case)
    if kind == "duplicate_update" and len(voices) < 2:
        case, voices = True, tools
    title, thing = words.title(number, rng)
    linked = len(tools) == 1 or rng.random() >= _UNLINKED
    lanes = faults.lanes_allowed(kind, _lanes(setting, rng))
    plot = Plot(rng, setting.company, tools, voices, thing, setting.now, lanes=lanes, hours=telling.hours)
    detail: dict[str, str] = {}
    if fault == faults.ORPHAN_THREAD:
        _nobody_named(plot, setting, telling)
        detail = {"last_owner": ""}
    elif kind is not None:
        detail = _with_ending(plot, setting, kind, telling)
    else:
        _clean(plot, setting, telling)
    story = Story(
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
        sources={tool: source_of(tool, lanes) for tool in tools} if lanes else SOURCE_OF,
    )
    fits = not plot.strained and setting.now - plot.acts[-1].at > seconds(_RESTS.get(kind or "", _TAIL))
    if kind == "ghost_owner":
        left = setting.company.people[detail["owner"]].left
        fits = fits and (left is None or plot.acts[-1].at.date() < left)
    return untidied(story, setting.shape.mess, setting.seed, setting.now), fits


def _lanes(setting: Setting, rng: random.Random) -> frozenset[str]:
    further = partners(setting.shape.companies)[2:]
    return frozenset(partner.key for partner in further if rng.random() < _LANE)


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
    plot.open(plot.rng.choice(plot.company.members("strategy", _when(plot, plot.at))))
    return moments[::-1][:moves]


def _when(plot: Plot, at: datetime) -> datetime | None:
    """Give the moment at which people must be there, where that counts."""
    return at if plot.hours else None


def _taker(plot: Plot, phase: str, at: datetime) -> str:
    return other(plot.company, plot.rng, phase, than=plot.owner, lanes=plot.lanes, at=_when(plot, at))


def _with_ending(plot: Plot, setting: Setting, kind: str, telling: _Telling) -> dict[str, str]:
    company, rng = setting.company, plot.rng
    to = faults.receiver(kind, company, rng, plot.lanes)
    moves = faults.moves(kind, company, rng, to, plot.lanes)
    if kind == "owner_conflict" and not _can_be_forgotten(plot, PHASES[moves]):
        moves = 1 if _can_be_forgotten(plot, PHASES[1]) else 3
    last = faults.handed_over_at(kind, company, rng, setting.now, to) - telling.earlier
    *earlier, last = _begin(plot, moves, last)
    for at, phase in zip(earlier, PHASES[1:], strict=False):
        _move(plot, at, phase)
    plot.until(last)
    phase = PHASES[moves]
    return faults.ENDINGS[kind](plot, to or _taker(plot, phase, last), phase)


def _can_be_forgotten(plot: Plot, phase: str) -> bool:
    """Tell whether a tool is left that may lag behind while the one that counts in this phase is right."""
    return any(t not in ("mail", faults.RECORD_SYSTEM[phase]) for t in plot.tools)


def _clean(plot: Plot, setting: Setting, telling: _Telling) -> None:
    rng, now = plot.rng, setting.now
    in_flight = rng.random() < _IN_FLIGHT and plot.tools != ("airtable", "mail") and telling.turn == 0
    moves = rng.randint(1, 4) if in_flight or rng.random() > 0.12 else 0
    span = _FEW_HOURS if in_flight else (1.5 * DAY, 22 * DAY)
    end = now - telling.earlier
    if setting.shape.months * 30 > _SHORTEST and not in_flight:
        end -= seconds(rng.uniform(0, setting.shape.months * 30 - _SHORTEST) * DAY)
    moments = _begin(plot, moves, end - seconds(rng.uniform(*span)))
    asked = False
    for nth, (at, phase) in enumerate(zip(moments, PHASES[1:], strict=False), start=1):
        if in_flight and nth == moves:
            plot.until(at)
            plot.hand_over(_taker(plot, phase, at), phase=phase)
            return
        asked = _move(plot, at, phase, approval=not asked) or asked
    if setting.shape.mess >= _TALKATIVE_FROM and rng.random() < _TALKATIVE:
        _talk(plot, now - _TAIL * timedelta(seconds=1))
    _finish(plot, now, asked=asked, old=now - end > _OLD, mess=setting.shape.mess)


def _talk(plot: Plot, until: datetime) -> None:
    """Go back and forth about it at length, as some items are."""
    team = plot.company.members("strategy")
    for _ in range(plot.rng.randint(15, 30)):
        plot.wait(0.3 * HOUR, 4 * HOUR)
        if plot.at + timedelta(days=4) > until:
            return
        plot.say(plot.owner if plot.rng.random() < 0.6 else plot.rng.choice(team))


def _move(plot: Plot, at: datetime, phase: str, *, approval: bool = False) -> bool:
    """Hand over in time, take up in time, work a little; tells whether an approval was asked for."""
    rng = plot.rng
    plot.until(at)
    plot.hand_over(_taker(plot, phase, at), phase=phase)
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
        others = plot.company.members("strategy", _when(plot, plot.at))
        plot.say(plot.owner if rng.random() < 0.8 else rng.choice(others))
    return False


def _finish(plot: Plot, now: datetime, *, asked: bool, old: bool, mess: int) -> None:
    """End cleanly: closed, waiting for a young approval, or simply in the works; what is old is closed mostly."""
    rng = plot.rng
    how: Literal["closed", "asked", "open"] = rng.choices(("closed", "asked", "open"), (35, 6, 59))[0]
    if old and rng.random() < _OLD_AND_CLOSED:
        how = "closed"
    room = (now - plot.at).total_seconds()
    if how == "closed" and room > 8 * HOUR:
        plot.wait(2 * HOUR, min(room - 2 * HOUR, 6 * DAY))
        plot.set_status(plot.owner, "done")
        if mess >= _REOPENED_FROM and now - plot.at > timedelta(days=4) and rng.random() < _REOPENED:
            plot.wait(4 * HOUR, 2 * DAY)
            plot.set_status(plot.owner, "doing")
    elif how == "asked" and not asked and room > 8 * HOUR:
        plot.until(now - seconds(rng.uniform(2 * HOUR, min(room - 2 * HOUR, 34 * HOUR))))
        plot.ask(faults.approver_of(plot), rng.choice(plot.tools))


def _nobody_named(plot: Plot, setting: Setting, telling: _Telling) -> None:
    """A thread in which work is asked for and talked about, and nobody is ever named."""
    rng = plot.rng
    plot.at = setting.now - telling.earlier - seconds(rng.uniform(4 * DAY, 20 * DAY))
    plot.open(rng.choice(plot.company.members("strategy", _when(plot, plot.at))), owned=False)
    plot.wait(3 * HOUR, 30 * HOUR)
    plot.say(rng.choice(plot.company.members("launch", _when(plot, plot.at))))
