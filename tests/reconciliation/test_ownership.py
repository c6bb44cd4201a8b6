"""The golden owner: which claim wins, and the sentence that says why."""

from __future__ import annotations

from typing import Any

import pytest

SCENARIOS = """
09-01 09:00 jira A1 title Agreed
09-01 09:00 jira A1 identifier A-1
09-01 09:00 jira A1 owner ada ada
09-01 09:10 sf   A2 reference A-1
09-01 09:10 sf   A2 owner ada ada

09-01 09:00 jira B1 title Decided
09-01 09:00 jira B1 identifier B-1
09-01 09:00 jira B1 phase Build ada
09-01 09:00 jira B1 owner bob ada
09-05 09:10 sf   B2 reference B-1
09-05 09:10 sf   B2 owner ada ada

09-01 09:00 jira C1 title Latest
09-01 09:00 jira C1 identifier C-1
09-01 09:00 jira C1 phase Discovery ada
09-01 09:00 jira C1 owner bob ada
09-03 09:10 sf   C2 reference C-1
09-03 09:10 sf   C2 owner ada grace
09-04 09:10 air  C3 reference C-1
09-05 09:10 jira C1 owner grace robot

09-01 09:00 jira D1 title Successor
09-01 09:00 jira D1 owner eve ada

09-01 09:00 jira E1 title Nobody
09-01 09:00 jira E1 phase Build ada
09-01 09:00 jira E1 owner - ada

09-01 09:00 jira F1 title Stranger
09-01 09:00 jira F1 owner contractor ada

09-01 09:00 jira G1 title "Empty decider"
09-01 09:00 jira G1 identifier G-1
09-01 09:00 jira G1 phase Build ada
09-01 09:00 jira G1 owner - ada
09-02 09:00 sf   G2 reference G-1
09-02 09:00 sf   G2 owner ada ada

09-01 09:00 air  H1 title Split
09-01 09:00 air  H1 identifier H-1
09-01 09:00 air  H1 owner ada,bob
09-01 09:00 sf   H2 reference H-1
09-01 09:00 sf   H2 owner bob ada

09-01 09:00 air  K1 title "Only mail speaks"
09-01 09:00 air  K1 identifier K-1
09-01 09:00 air  K1 owner ada
09-02 09:00 mail m1 reference K-1
09-02 09:00 mail m1 owner bob@acme.example bob@acme.example event
09-03 09:00 mail m2 reference K-1
09-03 09:00 mail m2 owner ada@acme.example bob@acme.example event
"""


@pytest.fixture(scope="module")
def thought(think: Any) -> Any:
    return think(SCENARIOS)


@pytest.mark.parametrize(
    ("title", "owner", "reason", "rule"),
    [
        ("Agreed", "ada", "all tools agree", "survivorship.owner"),
        (
            "Decided",
            "bob",
            "jira decides who owns the work during Build (charter: survivorship.owner.by_phase)",
            "survivorship.owner.by_phase.Build",
        ),
        (
            "Latest",
            "ada",
            "the latest change by a person, Grace Hopper in sf on 2026-09-03",
            "survivorship.owner.otherwise",
        ),
        (
            "Successor",
            "grace",
            "all tools agree; Eve Gone left on 2026-09-01, Grace Hopper is the team lead",
            "people.eve.team",
        ),
        ("Nobody", "grace", "nobody owns it; Grace Hopper is accountable for Build", "phases.Build.accountable"),
        ("Stranger", None, "the charter does not know contractor in jira", "people"),
        (
            "Empty decider",
            "ada",
            "the latest change by a person, Ada Lovelace in sf on 2026-09-02",
            "survivorship.owner.otherwise",
        ),
        ("Split", "bob", None, None),
        ("Only mail speaks", "ada", "all tools agree", "survivorship.owner"),
    ],
)
def test_the_golden_owner_and_why(thought: Any, title: str, owner: str | None, reason: str | None, rule: str) -> None:
    item = thought.item(title)
    assert item["owner_person"] == owner
    if reason is not None:
        assert (item["owner_reason"], item["owner_rule"]) == (reason, rule)


def test_losing_claims_are_kept(thought: Any) -> None:
    item = thought.item("Decided")["item"]
    claims = {r["source"]: (r["person"], r["won"]) for r in thought.result.owner_claim.to_pylist() if r["item"] == item}
    assert claims == {"jira": ("bob", True), "sf": ("ada", False)}


def test_a_chain_of_successors_ends_at_somebody_who_is_here(think: Any) -> None:
    people = {
        "eve": {"name": "Eve", "accounts": {"jira": "eve"}, "left": "2026-09-01", "successor": "ada"},
        "ada": {"name": "Ada", "accounts": {"jira": "ada"}, "successor": "grace"},
        "grace": {"name": "Grace", "accounts": {"jira": "grace"}},
        "bob": {"name": "Bob"},
    }
    text = """
        09-02 09:00 jira ada active false
        09-01 09:00 jira D1 title Inherited
        09-01 09:00 jira D1 owner eve ada
        """
    item = think(text, people=people, teams={}).item("Inherited")
    assert item["owner_person"] == "grace"
    assert item["owner_reason"] == "all tools agree; Eve left on 2026-09-01, Grace is the successor"


def test_somebody_who_leaves_tomorrow_still_owns_the_work(think: Any, agreed: Any) -> None:
    people = {key: p.model_dump() for key, p in agreed().people.items()}
    people["eve"]["left"] = "2026-10-01"
    item = think("09-01 09:00 jira D1 title Still\n09-01 09:00 jira D1 owner eve ada", people=people).item("Still")
    assert item["owner_person"] == "eve"


def test_consensus_follows_the_most_tools(think: Any) -> None:
    text = """
        09-01 09:00 jira C1 title Majority
        09-01 09:00 jira C1 identifier C-1
        09-01 09:00 jira C1 owner bob ada
        09-02 09:10 sf   C2 reference C-1
        09-02 09:10 sf   C2 owner bob ada
        09-05 09:10 air  C3 reference C-1
        09-05 09:10 air  C3 owner ada
        """
    item = think(text, survivorship={"owner": {"otherwise": "consensus"}}).item("Majority")
    assert (item["owner_person"], item["owner_reason"]) == ("bob", "most tools name Bob Kahn (2 records)")


def test_an_item_is_closed_by_the_last_status_the_charter_knows_as_closing(think: Any) -> None:
    thought = think(
        """
        09-01 09:00 jira A1 title Closed
        09-01 09:00 jira A1 identifier A-1
        09-01 09:00 sf   A2 reference A-1
        09-01 09:00 sf   A2 status Open ada
        09-02 09:00 jira A1 status Closed ada
        09-01 09:00 jira B1 title Reopened
        09-01 09:00 jira B1 status Closed ada
        09-02 09:00 jira B1 status Open ada
        09-01 09:00 jira C1 title Unknown
        09-01 09:00 jira C1 status Parked ada
        """
    )
    state = {title: (thought.item(title)["status"], thought.item(title)["open"]) for title in thought.items}
    assert state == {"Closed": ("done", False), "Reopened": ("doing", True), "Unknown": ("Parked", True)}
    assert thought.result.counts["unmapped_statuses"] == 1


def test_history_outweighs_a_snapshot_of_the_same_moment(think: Any) -> None:
    item = think(
        """
        09-01 09:00 jira A1 title Same
        09-01 09:00 jira A1 owner ada ada
        09-01 09:00 jira A1 owner bob
        """
    ).item("Same")
    assert item["owner_person"] == "ada"
