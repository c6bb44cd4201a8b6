"""Makes a story untidy: how its records are spelt, what they fail to name, what an import at night touched."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from sandbox.world import mess
from sandbox.world.people import IMPORTER
from sandbox.world.story import Act, Story, Tool, Untidy

# By degree of untidiness 0 to 3.
_TITLES = (0.0, 0.25, 0.5, 0.75)  # titles spelt differently, of those beyond an item's first
_REMARKS = (0.0, 0.1, 0.25, 0.5)
_SILENT = (0.0, 0.0, 0.1, 0.2)  # records that fail to name the others
_STRAY = (0.0, 0.0, 0.0, 0.01)  # items of which one record names another item's issue
_TWICE = (0.0, 0.0, 0.0, 0.02)  # items that somebody entered twice in one tool
_QUOTING = (0.0, 0.1, 0.5, 0.9)
_IMPORTED = (0.0, 0.0, 0.3, 0.3)  # items that each import touches, where they were there by then
_IMPORTS_AGO = (9, 37)  # days
_NIGHT = time(2, 0, 0, tzinfo=UTC)


def imports(now: datetime) -> tuple[datetime, ...]:
    """Give the instants at which the importer wrote to many records at once (UTC), the first one first."""
    return tuple(datetime.combine((now - timedelta(days=ago)).date(), _NIGHT) for ago in sorted(_IMPORTS_AGO)[::-1])


def untidied(story: Story, level: int, seed: int, now: datetime) -> Story:
    """Give the story as careless people leave it behind; at level 0 the story itself."""
    if level == 0:
        return story
    rng = random.Random(f"{seed}/{story.number}/untidy")
    first, *others = story.tools
    titles = dict(story.titles)
    for tool in others:
        if rng.random() < _TITLES[level]:
            titles[tool] = mess.title(titles[tool], level, rng)
    acts = [_retyped(act, story, level, rng) for act in story.acts]
    return replace(
        story,
        titles={first: story.titles[first], **titles},
        acts=tuple(_with_imports(acts, story, level, now, rng)),
        untidy=_records(story, level, rng),
    )


def _retyped(act: Act, story: Story, level: int, rng: random.Random) -> Act:
    # News told twice must stay recognisable as the same news.
    if act.kind != "update" or story.fault == "duplicate_update" or rng.random() >= _REMARKS[level]:
        return act
    return replace(act, text=mess.remark(act.text, level, rng))


def _records(story: Story, level: int, rng: random.Random) -> Untidy:
    tools = story.tools
    silent = frozenset(tool for tool in tools if rng.random() < _SILENT[level])
    strays = [tool for tool in tools if tool in ("salesforce", "airtable")]
    copies: list[Tool] = [tool for tool in tools if tool != "mail"]
    tidy = story.fault is not None  # a planted fault is to be found by its own marks alone
    stray = rng.random() < _STRAY[level] and bool(strays) and not tidy and story.number > 0
    twice = rng.random() < _TWICE[level] and bool(copies) and not tidy
    return Untidy(
        level=level,
        silent=silent,
        stray=rng.choice(strays) if stray else None,
        copies=(rng.choice(copies),) if twice else (),
        quoting=rng.random() < _QUOTING[level],
    )


def _with_imports(acts: list[Act], story: Story, level: int, now: datetime, rng: random.Random) -> list[Act]:
    tools = tuple(tool for tool in story.tools if tool != "mail")
    if not tools:
        return acts
    for at in imports(now):
        began = acts[0].at + timedelta(minutes=21)
        if began < at and rng.random() < _IMPORTED[level]:
            due = (story.due + timedelta(days=rng.randint(-3, 14))).isoformat()
            told = tuple((tool, 0) for tool in tools)
            acts.append(Act(at=at, actor=IMPORTER, kind="imported", changes=(("due", due),), told=told))
    return sorted(acts, key=lambda act: act.at)
