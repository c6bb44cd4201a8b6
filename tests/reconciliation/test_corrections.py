"""Owners the tools would have to change, and all the reasons to leave a record alone."""

from __future__ import annotations

import json
from typing import Any

SCENARIOS = """
09-01 09:00 jira A1 title Conflict
09-01 09:00 jira A1 identifier A-1
09-01 09:00 jira A1 owner ada ada
09-01 09:00 sf   A2 reference A-1
09-01 09:00 sf   A2 owner ada ada
09-01 09:00 air  A3 reference A-1
09-01 09:00 air  A3 owner -
09-20 09:00 sf   A2 owner bob bob

09-01 09:00 jira B1 title Ghost
09-01 09:00 jira B1 owner eve eve

09-01 09:00 air  C1 title Split
09-01 09:00 air  C1 identifier C-1
09-01 09:00 air  C1 owner ada,bob
09-01 09:00 jira C2 reference C-1
09-01 09:00 jira C2 owner bob ada

09-01 09:00 mail m1 title "Mail without owner"
09-01 09:00 mail m1 phase Build ada@acme.example event
09-01 09:00 mail m1 update "Who takes this one over" ada@acme.example

09-01 09:00 jira D1 title "Nobody named"
09-01 09:00 jira D1 phase QA ada
"""

LEFT_ALONE = """
09-01 09:00 jira D1 title Agreed
09-01 09:00 jira D1 owner ada ada

09-01 09:00 jira E1 title "A stranger somewhere"
09-01 09:00 jira E1 identifier E-1
09-01 09:00 jira E1 owner contractor ada
09-01 09:00 sf   E2 reference E-1
09-01 09:00 sf   E2 owner ada ada
09-01 09:00 air  E3 reference E-1
09-01 09:00 air  E3 owner bob

09-01 09:00 jira F1 title Closed
09-01 09:00 jira F1 identifier F-1
09-01 09:00 jira F1 status Closed ada
09-01 09:00 jira F1 owner ada ada
09-01 09:00 sf   F2 reference F-1
09-01 09:00 sf   F2 owner bob ada

09-01 09:00 jira G1 title Young
09-01 09:00 jira G1 identifier G-1
09-01 09:00 jira G1 owner ada ada
09-01 09:00 sf   G2 reference G-1
09-30 11:30 sf   G2 owner bob bob

09-01 09:00 jira H1 title "A mail beside a record"
09-01 09:00 jira H1 identifier H-1
09-01 09:00 jira H1 owner ada ada
09-01 09:00 mail m2 reference H-1
08-01 09:00 mail m2 owner bob@acme.example bob@acme.example event

09-30 01:00 jira I1 title "Nobody since today"
09-30 01:00 jira I1 phase Build ada
09-30 01:00 jira I1 owner - ada
"""


def test_every_record_that_does_not_name_the_golden_owner_is_corrected(think: Any) -> None:
    thought = think(SCENARIOS)
    assert thought.corrections == [
        "air A3 ->bob",
        "air C1 ada,bob>bob",
        "jira A1 ada>bob",
        "jira B1 eve>grace",
        "jira D1 ->bob",
        "mail m1 ->grace@acme.example",
    ]
    kinds = {row["key"]: row["kind"] for row in thought.result.finding.to_pylist()}
    because = {
        row["record"]: [kinds[key] for key in json.loads(row["findings"])]
        for row in thought.result.correction.to_pylist()
    }
    assert because == {
        "A3": ["owner_conflict"],
        "C1": ["split_ownership"],
        "A1": ["owner_conflict"],
        "B1": ["ghost_owner"],
        "D1": ["orphan_item"],
        "m1": ["orphan_item"],
    }


def test_what_is_left_alone(think: Any) -> None:
    assert think(LEFT_ALONE).corrections == []


def test_only_working_accounts_in_writable_sources_are_proposed(think: Any, agreed: Any) -> None:
    sources = {key: source.model_dump(exclude_none=True) for key, source in agreed().sources.items()}
    sources["air"]["writable"] = False
    # Bob's account in Jira is switched off, but he works on elsewhere in Jira under a second one.
    text = SCENARIOS + "09-02 09:00 jira bob active false\n09-02 09:00 jira bob2 email bob@acme.example\n"
    assert think(text, sources=sources).corrections == [
        "jira A1 ada>bob2",
        "jira B1 eve>grace",
        "jira D1 ->bob2",
        "mail m1 ->grace@acme.example",
    ]


def test_nothing_is_proposed_where_the_owner_has_no_account(think: Any, agreed: Any) -> None:
    people = {key: p.model_dump() for key, p in agreed().people.items()}
    del people["bob"]["accounts"]["jira"]
    assert [c for c in think(SCENARIOS, people=people).corrections if c.startswith("jira A1")] == []


def test_a_corrected_world_needs_nothing_more(think: Any) -> None:
    fixed = """
        09-30 08:00 jira A1 owner bob hub
        09-30 08:00 air  A3 owner bob
        09-30 08:00 jira B1 owner grace hub
        09-30 08:00 air  C1 owner bob
        09-30 08:00 jira D1 owner bob hub
        09-30 08:00 mail m1 owner grace@acme.example
        """
    thought = think(SCENARIOS + fixed)
    assert thought.corrections == []
    assert [f for f in thought.findings if not f.startswith("missed_handoff")] == []
