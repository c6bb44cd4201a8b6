"""Event logs: the next act by somebody else is a handoff. Checked against a few lines of plain Python."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

DAY = timedelta(hours=24)
RULES = {"detect": "actor_change", "accept_within": "24h", "returned_within": "0d"}


def by_hand(events: list[tuple[datetime, str, str]]) -> tuple[int, int, int]:
    """Handoffs, straight returns and handoffs taken up late, from (time, case, actor)."""
    cases = defaultdict(list)
    for at, case, actor in sorted(events):
        cases[case].append((at, actor))
    handoffs = returns = late = 0
    for acts in cases.values():
        steps = [(before, after, t1 - t0) for (t0, before), (t1, after) in pairwise(acts) if before != after]
        handoffs += len(steps)
        late += sum(waited > DAY for *_, waited in steps)
        returns += sum(a[0] == b[1] for a, b in pairwise(steps))
    return handoffs, returns, late


def test_counts_are_those_of_the_log(think: Any) -> None:
    rng = random.Random(4)
    start = datetime(2026, 6, 1, tzinfo=UTC)
    actors = ["ada", "bob", "grace", "robert"]  # the last is nobody the charter knows
    events, lines = [], []
    for case in range(40):
        at = start + timedelta(days=rng.randrange(30))
        tools = rng.sample(["sf", "jira", "air"], 2)
        lines += [f"{at:%m-%d %H:%M} {tool} {tool}{case} identifier case{case}" for tool in tools]
        for _ in range(rng.randrange(1, 9)):
            at += timedelta(minutes=rng.randrange(1, 4000))
            actor = rng.choice(actors)
            events.append((at, f"case{case}", actor))
            tool = rng.choice(tools)
            lines.append(f"{at:%m-%d %H:%M} {tool} {tool}{case} owner {actor} {actor}")
            lines.append(f"{at:%m-%d %H:%M} {tool} {tool}{case} status Closed {actor}")
    counts = think("\n".join(lines), handoffs=RULES).result.counts
    assert (counts["handoffs"], counts["returns"], counts["missed"]) == by_hand(events)
    assert counts["items"] == 40


def test_late_takeovers_of_closed_work_count_and_say_how_late(think: Any) -> None:
    thought = think(
        """
        09-01 09:00 jira A1 title Ticket
        09-01 09:00 jira A1 status Open ada
        09-01 10:00 jira A1 activity "2. look" ada
        09-03 10:00 jira A1 status Closed bob
        09-03 11:00 jira A1 status Closed robot
        09-03 12:00 jira A1 activity "4. close" ada
        """,
        handoffs=RULES,
    )
    assert thought.handoffs == [
        "Ticket ada>bob 01 10:00..03 10:00 returned",
        "Ticket bob>ada 03 10:00..03 12:00",
    ]
    assert thought.findings == ["missed_handoff Ticket ada>bob", "returned_handoff Ticket ada>bob"]
    summary = thought.finding("missed_handoff")["summary"]
    assert summary == "Ada Lovelace handed “Ticket” to Bob Kahn, who first acted on it after 48 hours"


def test_an_unmapped_account_counts_under_the_name_it_shows(think: Any) -> None:
    thought = think(
        """
        09-01 09:00 jira x1 name "Robin Unknown"
        09-01 09:00 sf   x2 name "Robin Unknown"
        09-01 09:00 jira A1 title Ticket
        09-01 09:00 jira A1 identifier A-1
        09-01 09:00 jira A1 status Open ada
        09-01 10:00 jira A1 status Closed x1
        09-01 11:00 sf   A2 reference A-1
        09-01 11:00 sf   A2 status Closed x2
        """,
        handoffs=RULES,
    )
    assert thought.handoffs == ["Ticket ada>Robin Unknown 01 09:00..01 10:00"]
