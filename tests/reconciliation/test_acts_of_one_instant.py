"""Event logs: acts of one and the same instant stand in the order in which their tool tells them."""

from __future__ import annotations

from typing import Any

import pytest

RULES = {"detect": "actor_change", "accept_within": "24h", "returned_within": "0d"}
OPENED = """
09-01 09:00 sf   C1 title Ticket
09-01 09:00 sf   C1 identifier T-1
09-01 09:00 sf   C1 activity "1. open" grace
"""


@pytest.mark.parametrize("first", ["ada", "bob"])
def test_the_record_says_who_was_first_not_the_alphabet(think: Any, first: str) -> None:
    second = {"ada": "bob", "bob": "ada"}[first]
    thought = think(
        OPENED
        + f"""
        09-01 10:00 sf C1 owner {second} {second}
        09-01 10:00 sf C1 activity "2. look" {first}
        09-01 10:00 sf C1 activity "3. close" {second}
        """,
        handoffs=RULES,
    )
    assert thought.handoffs == [
        f"Ticket grace>{first} 01 09:00..01 10:00",
        f"Ticket {first}>{second} 01 10:00..01 10:00",
    ]


def test_there_and_back_within_one_instant(think: Any) -> None:
    thought = think(
        OPENED
        + """
        09-01 10:00 sf C1 owner ada ada
        09-01 10:00 sf C1 owner bob bob
        09-01 10:00 sf C1 owner ada ada
        09-01 10:00 sf C1 status Open eve
        """,
        handoffs=RULES,
    )
    assert {line.split()[1] for line in thought.handoffs} == {"grace>ada", "ada>bob", "bob>ada", "ada>eve"}
    assert [line for line in thought.handoffs if "returned" in line] == ["Ticket ada>bob 01 10:00..01 10:00 returned"]


def test_one_act_told_by_two_tools_is_one_act(think: Any) -> None:
    thought = think(
        OPENED
        + """
        09-01 08:00 jira J1 identifier T-1
        09-01 10:00 jira J1 status Closed ada
        09-01 10:00 jira J1 status Open bob
        09-01 10:00 sf C1 activity "2. look" ada
        09-01 10:00 sf C1 activity "3. close" bob
        """,
        handoffs=RULES,
    )
    assert [line.split()[1] for line in thought.handoffs] == ["grace>ada", "ada>bob"]
