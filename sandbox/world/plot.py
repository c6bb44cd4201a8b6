"""Writes one story act by act: the clean course of an item, on which faults build."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from sandbox.world import words
from sandbox.world.hours import Hours
from sandbox.world.partners import source_of
from sandbox.world.people import BOT, PHASES, Company, team_of
from sandbox.world.story import Act, Kind, Tool

HOUR = 3600
DAY = 24 * HOUR
# Where people keep hours: who gets work is back at it within 16 hours, takes it up within 20, answers within 70.
_BACK_WITHIN, _TAKEN_WITHIN, _ANSWERED_WITHIN = timedelta(hours=16), timedelta(hours=20), timedelta(hours=70)
_MORNINGS = 30  # days tried for a handover at which both are there
_ROBOT = 0.08  # how often a robot comments after a change of owner; nobody has taken the work up by that


def seconds(amount: float) -> timedelta:
    """Give a span of whole seconds: Salesforce keeps no smaller unit."""
    return timedelta(seconds=int(amount))


class Plot:
    """The acts of one item so far, who owns it, and where it stands; times only ever move on."""

    def __init__(
        self,
        rng: random.Random,
        company: Company,
        tools: tuple[Tool, ...],
        voices: tuple[Tool, ...],
        thing: str,
        start: datetime,
        *,
        lanes: frozenset[str] = frozenset(),
        hours: bool = False,
    ) -> None:
        """Begin without an act. ``lanes`` are the further companies that take part; ``hours``: people keep theirs.

        ``strained`` turns true when somebody could not be in time without working at night.
        """
        self.lanes = lanes
        self.hours = hours
        self.strained = False
        self._handed = start
        self._asked = start
        self.rng = rng
        self.company = company
        self.tools = tools
        self.voices = voices  # the tools in which something can be said about it
        self.at = start
        self.acts: list[Act] = []
        self.owner = ""
        self.phase = PHASES[0]
        self.status = "todo"
        self._news: Iterator[str] = words.news(thing, rng)

    # -- deeds -----------------------------------------------------------------------------------------------

    def open(self, creator: str, *, owned: bool = True) -> None:
        """Create the item everywhere, owned by its creator; she starts on it within hours."""
        self.owner = creator if owned else ""
        changes = (("owner", self.owner), ("phase", self.phase), ("status", self.status))
        self._do(creator, "created", changes=changes)
        if owned:
            self.wait(1 * HOUR, 8 * HOUR)
            self.set_status(creator, "doing")

    def hand_over(
        self, to: str, *, phase: str | None = None, asleep: Tool | None = None, by: str | None = None
    ) -> None:
        """Change the owner everywhere, by the owner or the lead of the team; ``asleep`` is the tool left out.

        The tool left out still gets the new phase, a little before the others.
        """
        if self.hours:
            self._meet(by or self.owner, to)
        if by is None:
            lead = self.company.teams[self.company.people[self.owner].team or "strategy"].lead
            by = lead if self.rng.random() < 0.15 and lead != to else self.owner
        changes: list[tuple[str, str]] = [("owner", to)]
        if phase is not None:
            changes.append(("phase", phase))
            self.phase = phase
        if asleep is None and self.status != "todo" and self.rng.random() < 0.5:
            changes.append(("status", "todo"))
            self.status = "todo"
        if asleep is not None:
            if phase is not None:
                self._do(by, "edit", changes=(("phase", phase),), tools=(asleep,))
            self.at += seconds(self.rng.randint(60, 300))
        self._do(by, "edit", changes=tuple(changes), tools=tuple(t for t in self.tools if t != asleep))
        self.owner = to
        self._handed = self.at
        if "jira" in self.tools and self.rng.random() < _ROBOT:
            self.wait(600, 3000)
            self._do(BOT, "update", text=words.robot(len(self.acts)), tools=("jira",))

    def accept(self, *, aloud: bool = False, not_in: Tool | None = None) -> None:
        """Let the owner act within one to eight hours: by a status change or by saying something."""
        self.wait(1 * HOUR, 8 * HOUR)
        self._in_time()
        if aloud or (self.status == "doing" and self.rng.random() < 0.7):
            self.say(self.owner, not_in=not_in)
        else:
            self.set_status(self.owner, "blocked" if self.status == "doing" else "doing")

    def set_status(self, by: str, status: str) -> None:
        """Set the status everywhere."""
        self.status = status
        self._do(by, "edit", changes=(("status", status),))

    def say(self, by: str, *, not_in: Tool | None = None) -> str:
        """Tell news once, in one tool; gives the words."""
        voices = [v for v in self.voices if v != not_in] or list(self.voices)
        text = next(self._news)
        self._do(by, "update", text=text, tools=(self.rng.choice(voices),))
        return text

    def say_again(self, by: str, text: str, tool: Tool) -> None:
        """Tell given words in a given tool."""
        self._do(by, "update", text=text, tools=(tool,))

    def fresh_news(self) -> str:
        """Give words nobody used on this item yet."""
        return next(self._news)

    def ask(self, approver: str, tool: Tool) -> None:
        """Ask for approval in one tool."""
        self._do(self.owner, "asked", text=approver, tools=(tool,))
        self._asked = self.at

    def answer(self, approver: str, tool: Tool) -> None:
        """Answer what was asked in that tool; three of four say yes."""
        self._do(approver, "answered", text="approved" if self.rng.random() < 0.75 else "rejected", tools=(tool,))
        self.strained |= self.hours and self.at - self._asked > _ANSWERED_WITHIN

    def own(self, by: str, owner: str, tools: tuple[Tool, ...]) -> None:
        """Write an owner into the named tools only, whatever that leads to."""
        self._do(by, "edit", changes=(("owner", owner),), tools=tools)

    def source(self, tool: Tool) -> str:
        """Name the instance of a tool the item lives in."""
        return source_of(tool, self.lanes)

    # -- time ------------------------------------------------------------------------------------------------

    def wait(self, least: float, most: float) -> None:
        """Let time pass: a span between the two numbers of seconds."""
        self.at += seconds(self.rng.uniform(least, most))

    def until(self, at: datetime) -> None:
        """Go on to a later moment."""
        self.at = max(self.at, at)

    # -- inside ----------------------------------------------------------------------------------------------

    def _meet(self, by: str, to: str) -> None:
        """Go on to a moment at which one works and the other will work soon."""
        giver, taker = self.company.people[by].hours, self.company.people[to].hours
        if giver is None or taker is None:
            return
        at = self._begins(giver, self.at)
        for _ in range(_MORNINGS):
            if taker.next(at + timedelta(hours=1)) - at <= _BACK_WITHIN:
                self.at = at
                return
            at = giver.next_morning(at) + seconds(self.rng.uniform(0, 6 * HOUR))
        self.strained = True

    def _begins(self, hours: Hours, at: datetime) -> datetime:
        """Give when somebody gets to it: now, or on another morning, though not on the stroke of the hour."""
        first = hours.next(at)
        return at if first == at else first + seconds(self.rng.uniform(60, 50 * 60))

    def _in_time(self) -> None:
        """Let the owner come back before it is late."""
        hours = self.company.people[self.owner].hours if self.hours and self.owner else None
        if hours is None:
            return
        at = self._begins(hours, self.at)
        if at - self._handed > _TAKEN_WITHIN:
            at = self._begins(hours, self._handed + timedelta(hours=1))
        self.strained |= at - self._handed > _TAKEN_WITHIN
        self.at = max(at, self.acts[-1].at)

    def _do(
        self,
        actor: str,
        kind: Kind,
        *,
        changes: tuple[tuple[str, str], ...] = (),
        text: str = "",
        tools: tuple[Tool, ...] | None = None,
    ) -> None:
        hours = self.company.people[actor].hours if self.hours else None
        if hours is not None:
            self.at = self._begins(hours, self.at)
        where = tools if tools is not None else self.tools
        order = list(where)
        for place in range(len(order) - 1, 0, -1):
            with_ = _below(self.rng, place + 1)
            order[place], order[with_] = order[with_], order[place]
        # Somebody clicks through the tools one after the other: all of it within twenty minutes.
        late = 0
        told: list[tuple[Tool, int]] = []
        for tool in order:
            told.append((tool, late))
            late += 20 + _below(self.rng, 331)
        self.acts.append(Act(at=self.at, actor=actor, kind=kind, changes=changes, text=text, told=tuple(told)))


def _below(rng: random.Random, limit: int) -> int:
    """Draw a number below a limit as ``randrange`` does, in a third of its time: every act needs several."""
    bits = limit.bit_length()
    drawn = rng.getrandbits(bits)
    while drawn >= limit:
        drawn = rng.getrandbits(bits)
    return drawn


def other(
    company: Company,
    rng: random.Random,
    phase: str,
    *,
    than: str,
    lanes: frozenset[str] = frozenset(),
    at: datetime | None = None,
) -> str:
    """Choose who takes a phase: somebody of its team who is still here, and not the given person."""
    return rng.choice(company.members(team_of(phase, lanes), at, but=than))
