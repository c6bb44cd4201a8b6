"""Writes one story act by act: the clean course of an item, on which faults build."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from sandbox.world import words
from sandbox.world.people import PHASES, TEAM_OF_PHASE, Company
from sandbox.world.story import Act, Kind, Tool

HOUR = 3600
DAY = 24 * HOUR
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
    ) -> None:
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
        if "jira" in self.tools and self.rng.random() < _ROBOT:
            self.wait(600, 3000)
            self._do("bot", "update", text=words.robot(len(self.acts)), tools=("jira",))

    def accept(self, *, aloud: bool = False, not_in: Tool | None = None) -> None:
        """Let the owner act within one to eight hours: by a status change or by saying something."""
        self.wait(1 * HOUR, 8 * HOUR)
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

    def answer(self, approver: str, tool: Tool) -> None:
        """Answer what was asked in that tool; three of four say yes."""
        self._do(approver, "answered", text="approved" if self.rng.random() < 0.75 else "rejected", tools=(tool,))

    def own(self, by: str, owner: str, tools: tuple[Tool, ...]) -> None:
        """Write an owner into the named tools only, whatever that leads to."""
        self._do(by, "edit", changes=(("owner", owner),), tools=tools)

    # -- time ------------------------------------------------------------------------------------------------

    def wait(self, least: float, most: float) -> None:
        """Let time pass: a span between the two numbers of seconds."""
        self.at += seconds(self.rng.uniform(least, most))

    def until(self, at: datetime) -> None:
        """Go on to a later moment."""
        self.at = max(self.at, at)

    # -- inside ----------------------------------------------------------------------------------------------

    def _do(
        self,
        actor: str,
        kind: Kind,
        *,
        changes: tuple[tuple[str, str], ...] = (),
        text: str = "",
        tools: tuple[Tool, ...] | None = None,
    ) -> None:
        order = list(tools if tools is not None else self.tools)
        self.rng.shuffle(order)
        # Somebody clicks through the tools one after the other: all of it within twenty minutes.
        late = 0
        told: list[tuple[Tool, int]] = []
        for tool in order:
            told.append((tool, late))
            late += self.rng.randint(20, 350)
        self.acts.append(Act(at=self.at, actor=actor, kind=kind, changes=changes, text=text, told=tuple(told)))


def other(company: Company, rng: random.Random, phase: str, *, than: str) -> str:
    """Choose who takes a phase: somebody of its team who is still here, and not the given person."""
    return rng.choice([key for key in company.members(TEAM_OF_PHASE[phase]) if key != than])
