"""Which items go wrong and how: each fault is a way for a story to end, told without looking at any tool's format."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from sandbox.world import words
from sandbox.world.partners import NORTH
from sandbox.world.people import PHASES, Company, team_of
from sandbox.world.plot import DAY, HOUR, Plot, other, seconds
from sandbox.world.shape import KINDS, Shape
from sandbox.world.story import Tool

ORPHAN_THREAD = "orphan_item:thread"  # the one orphan that lives in the mailbox only: nobody was ever named
# The tool whose owner counts in a phase, as the emitted charter says: a story about a conflict must leave
# another tool behind, or the "right" owner would be a matter of taste.
RECORD_SYSTEM: dict[str, Tool] = {
    "Brief": "salesforce",
    "Build": "jira",
    "QA": "jira",
    "Launch": "airtable",
    "Optimize": "airtable",
}
# Tools an item with this fault may live in: s(alesforce), j(ira), a(irtable), m(ail).
CASTS: dict[str, tuple[str, ...]] = {
    "owner_conflict": ("sja", "sja", "sja", "sj", "sa", "ja", "ja", "sjm"),
    "missed_handoff": ("sja", "sja", "sj", "sa", "ja", "sjm"),
    "returned_handoff": ("sja", "sj", "sa", "ja"),
    "duplicate_update": ("sja", "sja", "sj", "ja", "sa", "sjam", "jm"),
    "stalled_decision": ("sja", "sj", "sa", "ja", "jm"),
    "ghost_owner": ("sja", "sj", "sa", "ja"),
    "orphan_item": ("sja", "sj", "sa", "ja"),
    ORPHAN_THREAD: ("m",),
    "split_ownership": ("sja", "ja"),
    "unmapped_person": ("ja",),
}
_TAKEN_BACK = timedelta(hours=22)
_SAME_NEWS = timedelta(hours=22)  # what is told again later than this is no duplicate any more
CASES_ONLY = frozenset({"orphan_item"})  # an Opportunity cannot belong to a queue


def assign(seed: int, items: int, shape: Shape | None = None) -> dict[int, str]:
    """Choose the items that go wrong: number of the item -> kind, as many of each as the shape counts.

    Without a shape that is about 3 % each, two of each from 40 items on; fewer than 18 items carry as many kinds,
    once each, as half of them can. One of two orphans or more lives in the mailbox only.
    """
    rng = random.Random(f"{seed}/faults")
    counts = (shape or Shape(items=items)).counts()
    kinds = [kind for kind in KINDS for _ in range(counts[kind])]
    chosen = dict(zip(rng.sample(range(items), len(kinds)), kinds, strict=True))
    orphans = [number for number, kind in chosen.items() if kind == "orphan_item"]
    if len(orphans) > 1:
        chosen[min(orphans)] = ORPHAN_THREAD
    return chosen


def handed_over_at(kind: str, company: Company, rng: random.Random, now: datetime, to: str | None) -> datetime:
    """Say when the last change of owner of an item with this fault begins (UTC)."""
    least, most = {
        "owner_conflict": (7 * HOUR, 12 * DAY),
        "missed_handoff": (31 * HOUR, 9 * DAY),
        "returned_handoff": (2 * DAY, 12 * DAY),
        "duplicate_update": (2 * DAY, 20 * DAY),
        "stalled_decision": (7 * DAY, 18 * DAY),
        "ghost_owner": (2 * DAY, 12 * DAY),
        "orphan_item": (4 * DAY, 20 * DAY),
        "split_ownership": (2.5 * DAY, 15 * DAY),
        "unmapped_person": (2 * DAY, 12 * DAY),
    }[kind]
    end = now
    if kind == "ghost_owner" and to is not None:
        end = datetime.combine(company.people[to].left or now.date(), time(), tzinfo=UTC)
    return end - seconds(rng.uniform(least, most))


def lanes_allowed(kind: str | None, lanes: frozenset[str]) -> frozenset[str]:
    """Say which further companies may take part in an item with this fault.

    While an item is split, Acme's own Jira must say who is right.
    """
    return lanes - {NORTH} if kind == "split_ownership" else lanes


def receiver(kind: str, company: Company, rng: random.Random, lanes: frozenset[str] = frozenset()) -> str | None:
    """Name who must get the item in the end, where the fault decides it."""
    if kind == "ghost_owner":
        teams = {team_of(phase, lanes) for phase in PHASES}
        return rng.choice([key for key in company.leavers() if company.people[key].team in teams])
    if kind == "unmapped_person":
        return rng.choice(company.contractors())
    return None


def moves(kind: str, company: Company, rng: random.Random, to: str | None, lanes: frozenset[str] = frozenset()) -> int:
    """Say how many phases the item has moved on.

    A ghost holds the phase of the ghost's team; while an item is split, Jira says who is right.
    """
    if kind == "ghost_owner" and to is not None:
        teams = [team_of(phase, lanes) for phase in PHASES]
        return teams.index(company.people[to].team or "build")
    return rng.randint(1, 2 if kind == "split_ownership" else 4)


# -- endings: each takes the plot at the moment of the last change of owner ---------------------------------------

Detail = dict[str, str]


def owner_conflict(plot: Plot, to: str, phase: str) -> Detail:
    """One tool is forgotten: it still names the one who handed over, though the receiver works on it."""
    before = plot.owner
    able = [t for t in plot.tools if t != "mail" and t != RECORD_SYSTEM[phase]]
    # Salesforce may lag in every phase, the others in two of five: even out who does.
    asleep = plot.rng.choices(able, [1 if tool == "salesforce" else 3 for tool in able])[0]
    plot.hand_over(to, phase=phase, asleep=asleep)
    plot.accept(aloud=True, not_in=asleep)
    return {"owner": to, "stale_owner": before, "stale_source": plot.source(asleep)}


def missed_handoff(plot: Plot, to: str, phase: str) -> Detail:
    """Everybody was told, and the receiver never did anything."""
    before = plot.owner
    plot.hand_over(to, phase=phase)
    return {"from": before, "to": to}


def returned_handoff(plot: Plot, to: str, phase: str) -> Detail:
    """The receiver gives it back within a day, and the one who sent it goes on with it."""
    del phase  # it never got there
    before = plot.owner
    plot.hand_over(to, by=before)
    given = plot.at
    plot.wait(2 * HOUR, 16 * HOUR)
    plot.hand_over(before, by=to)
    plot.strained |= plot.hours and plot.at - given > _TAKEN_BACK
    plot.accept(aloud=True)
    return {"from": before, "to": to}


def duplicate_update(plot: Plot, to: str, phase: str) -> Detail:
    """The owner tells the same news in two or three tools within half a day."""
    plot.hand_over(to, phase=phase)
    plot.accept()
    plot.wait(2 * HOUR, 10 * HOUR)
    voices = list(plot.voices)
    plot.rng.shuffle(voices)
    voices = voices[: plot.rng.choice((2, 3))]
    text, first = plot.fresh_news(), plot.at
    for turn, voice in enumerate(voices):
        plot.say_again(plot.owner, text if turn == 0 else words.retold(text, turn), voice)
        first = plot.acts[-1].at if turn == 0 else first
        plot.strained |= plot.acts[-1].at - first > _SAME_NEWS
        plot.wait(0.5 * HOUR, 5 * HOUR)
    return {"person": to, "told_in": ",".join(plot.source(v) for v in voices)}


def stalled_decision(plot: Plot, to: str, phase: str) -> Detail:
    """Approval was asked, and no answer came."""
    plot.hand_over(to, phase=phase)
    plot.accept()
    plot.wait(1 * HOUR, 12 * HOUR)
    tool = plot.rng.choice(plot.tools)
    approver = approver_of(plot)
    plot.ask(approver, tool)
    return {"approver": approver, "asked_in": plot.source(tool)}


def ghost_owner(plot: Plot, to: str, phase: str) -> Detail:
    """The receiver took it, and then left the company."""
    plot.hand_over(to, phase=phase)
    plot.accept()
    return {"owner": to}


def orphan_item(plot: Plot, to: str, phase: str) -> Detail:
    """The owner put it down: the queue in Salesforce, nobody elsewhere."""
    plot.hand_over(to, phase=phase)
    plot.accept()
    plot.wait(2 * HOUR, 30 * HOUR)
    plot.own(to, "", plot.tools)
    return {"last_owner": to}


def split_ownership(plot: Plot, to: str, phase: str) -> Detail:
    """A second name is written into the owner cell of the base, and both work on it."""
    plot.hand_over(to, phase=phase)
    plot.accept()
    plot.wait(2 * HOUR, 20 * HOUR)
    team = plot.company.people[to].team
    day = plot.at.date()
    here = [p for p in plot.company.charted() if p.left is None and p.team_on(day) is not None]
    second = plot.rng.choice([p.key for p in here if p.team != team])
    plot.own(to, f"{to},{second}", ("airtable",))
    plot.wait(1 * HOUR, 5 * HOUR)
    plot.say(second)
    return {"owner": to, "second": second}


def unmapped_person(plot: Plot, to: str, phase: str) -> Detail:
    """The receiver works on it, but is nobody the charter knows."""
    plot.hand_over(to, phase=phase)
    plot.accept()
    return {"account_email": plot.company.people[to].email}


ENDINGS: dict[str, Callable[[Plot, str, str], Detail]] = {
    "owner_conflict": owner_conflict,
    "missed_handoff": missed_handoff,
    "returned_handoff": returned_handoff,
    "duplicate_update": duplicate_update,
    "stalled_decision": stalled_decision,
    "ghost_owner": ghost_owner,
    "orphan_item": orphan_item,
    "split_ownership": split_ownership,
    "unmapped_person": unmapped_person,
}


def approver_of(plot: Plot) -> str:
    """Name who decides: the lead of the team in charge, or a lead elsewhere when that is the owner herself."""
    lead = plot.company.teams[team_of(plot.phase, plot.lanes)].lead
    when = plot.at if plot.hours else None
    return lead if lead != plot.owner else other(plot.company, plot.rng, "QA", than=lead, at=when)
