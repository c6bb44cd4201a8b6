"""What is wrong, kind by kind: each with its neighbour that is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.domain.findings import FINDING_KINDS, finding_key

CONFLICTS = """
09-01 09:00 jira A1 title Conflict
09-01 09:00 jira A1 identifier ACME-1
09-01 09:00 jira A1 owner ada ada
09-01 09:00 sf   A2 reference ACME-1
09-01 09:00 sf   A2 owner ada ada
09-20 09:00 sf   A2 owner bob ada
09-20 10:00 sf   A2 update "working on it now" bob

09-01 09:00 jira B1 title "Somebody here, nobody there"
09-01 09:00 jira B1 identifier B-1
09-01 09:00 jira B1 owner - ada
09-01 09:00 sf   B2 reference B-1
09-01 09:00 sf   B2 owner ada ada

09-01 09:00 jira C1 title "Still within grace"
09-01 09:00 jira C1 identifier C-1
09-01 09:00 jira C1 owner ada ada
09-01 09:00 sf   C2 reference C-1
09-01 09:00 sf   C2 owner ada ada
09-30 11:30 sf   C2 owner bob bob

09-01 09:00 jira D1 title "Closed conflict"
09-01 09:00 jira D1 identifier D-1
09-01 09:00 jira D1 status Closed ada
09-01 09:00 jira D1 owner ada ada
09-01 09:00 sf   D2 reference D-1
09-01 09:00 sf   D2 owner bob ada

09-01 09:00 jira E1 title "Unmapped inhibits"
09-01 09:00 jira E1 identifier E-1
09-01 09:00 jira E1 owner contractor ada
09-01 09:00 sf   E2 reference E-1
09-01 09:00 sf   E2 owner bob ada

09-01 09:00 air  F1 title "Several in one cell"
09-01 09:00 air  F1 identifier F-1
09-01 09:00 air  F1 owner ada,bob
09-01 09:00 sf   F2 reference F-1
09-01 09:00 sf   F2 owner bob ada

09-01 09:00 sf   G1 title "Two records of one tool"
09-01 09:00 sf   G1 owner ada ada
09-01 09:00 jira G2 identifier G-2
09-01 09:00 sf   G1 reference G-2
09-01 09:00 jira G2 owner ada ada
08-31 09:00 sf   G3 reference G-2
08-31 09:00 sf   G3 owner bob bob
"""

OWNERS = """
09-01 09:00 jira H1 title "Ghost"
09-01 09:00 jira H1 owner eve eve
09-01 09:00 jira I1 title "Nobody for long"
09-01 09:00 jira I1 phase Build ada
09-01 09:00 jira I1 owner - ada
09-01 09:00 sf   J1 title "In a queue"
09-01 09:00 sf   J1 owner queue ada
09-01 09:00 jira K1 title "With a bot"
09-01 09:00 jira K1 owner robot ada
09-30 01:00 jira L1 title "Nobody since today"
09-30 01:00 jira L1 owner - ada
09-01 09:00 mail m1 title "A thread nobody owns"
09-01 09:00 mail m1 update "Could somebody look at this please" stranger@else.example
09-01 09:00 jira M1 title "Gone here, present there"
09-01 09:00 jira M1 identifier M-1
09-01 09:00 jira M1 owner eve eve
09-01 09:00 sf   M2 reference M-1
09-01 09:00 sf   M2 owner ada ada
09-01 09:00 jira N1 title "Closed orphan"
09-01 09:00 jira N1 status Closed ada
09-01 09:00 jira N1 owner - ada
"""

DECISIONS = """
09-01 09:00 jira A1 title "Waits for long"
09-01 09:00 jira A1 owner ada ada
09-20 09:00 jira A1 approval#p1 pending ada
09-20 09:00 jira A1 approver#p1 bob ada
09-21 09:00 jira A1 approval#p2 pending ada
09-22 09:00 jira A1 approval#p2 approved bob
09-01 09:00 jira B1 title "Asked yesterday"
09-01 09:00 jira B1 owner ada ada
09-29 09:00 jira B1 approval#p1 pending ada
09-01 09:00 jira C1 title "Withdrawn"
09-01 09:00 jira C1 owner ada ada
09-20 09:00 jira C1 approval#p1 pending ada
09-21 09:00 jira C1 approval#p1 - ada
"""

NEWS = """
09-01 09:00 jira A1 title "Told three times"
09-01 09:00 jira A1 identifier A-1
09-01 09:00 jira A1 status Closed ada
09-01 09:00 jira A1 owner ada ada
09-01 09:00 sf   A2 reference A-1
09-01 09:00 sf   A2 owner ada ada
09-10 09:00 jira A1 update "The client wants fewer pictures on page two" ada
09-10 10:00 sf   A2 update "FYI: the client wants fewer pictures on page two!" ada
09-10 20:00 sf   A2 update "the client wants FEWER pictures on page two" ada
09-10 11:00 sf   A2 update "Legal asked for a longer footnote" ada
09-10 12:00 sf   A2 update "The client wants fewer pictures on page two" bob
09-13 12:00 sf   A2 update "The client wants fewer pictures on page two" ada
09-14 12:00 sf   A2 update "done" bob
09-14 13:00 sf   A2 update "done" bob
"""

PASSED = """
09-01 09:00 jira A1 title Missed
09-01 09:00 jira A1 owner ada ada
09-28 09:00 jira A1 owner bob ada
09-01 09:00 jira B1 title "Not yet due"
09-01 09:00 jira B1 owner ada ada
09-30 09:00 jira B1 owner bob ada
09-01 09:00 jira C1 title "Taken up"
09-01 09:00 jira C1 owner ada ada
09-28 09:00 jira C1 owner bob ada
09-28 19:00 jira C1 status Open bob
09-01 09:00 jira D1 title "Missed once, then passed on"
09-01 09:00 jira D1 owner ada ada
09-10 09:00 jira D1 owner bob ada
09-20 09:00 jira D1 owner grace ada
09-20 10:00 jira D1 status Open grace
09-01 09:00 jira E1 title "Closed meanwhile"
09-01 09:00 jira E1 owner ada ada
09-10 09:00 jira E1 owner bob ada
09-20 09:00 jira E1 status Closed ada
09-01 09:00 jira F1 title "Nobody names the receiver now"
09-01 09:00 jira F1 owner ada ada
09-10 09:00 jira F1 owner bob ada
09-29 20:00 jira F1 owner - ada
09-01 09:00 jira G1 title Returned
09-01 09:00 jira G1 owner ada ada
09-10 09:00 jira G1 owner bob ada
09-11 09:00 jira G1 owner ada bob
09-11 10:00 jira G1 status Open ada
09-01 09:00 jira H1 title "Returned after weeks"
09-01 09:00 jira H1 owner ada ada
09-05 09:00 jira H1 owner bob ada
09-25 09:00 jira H1 owner ada bob
09-25 10:00 jira H1 status Open ada
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            CONFLICTS,
            [
                "owner_conflict Conflict ada>bob",
                "owner_conflict Somebody here, nobody there ->ada",
                "owner_conflict Two records of one tool bob>ada",
                "split_ownership Several in one cell ada>bob",
                "split_ownership Two records of one tool bob>ada",
                "unmapped_person Unmapped inhibits ->-",
            ],
        ),
        (
            OWNERS,
            [
                "ghost_owner Ghost eve>grace",
                "orphan_item A thread nobody owns ->-",
                "orphan_item In a queue ->-",
                "orphan_item Nobody for long ->grace",
                "orphan_item With a bot ->-",
                "owner_conflict Gone here, present there eve>ada",
            ],
        ),
        (DECISIONS, ["stalled_decision Waits for long ada>bob"]),
        (NEWS, ["duplicate_update Told three times ada>-"]),
        (PASSED, ["missed_handoff Missed ada>bob", "returned_handoff Returned ada>bob"]),
    ],
    ids=["conflicts", "owners", "decisions", "news", "handoffs"],
)
def test_findings(think: Any, text: str, expected: list[str]) -> None:
    assert think(text).findings == expected


def test_a_finding_says_what_why_and_what_next(think: Any) -> None:
    thought = think(CONFLICTS)
    row = next(r for r in thought.result.finding.to_pylist() if r["title"] == "Conflict")
    assert row["key"] == finding_key("owner_conflict", row["item"])
    assert row["severity"] == "high"
    assert row["summary"] == (
        "ACME-1: jira names Ada Lovelace, but the owner is Bob Kahn: "
        "the latest change by a person, Ada Lovelace in sf on 2026-09-20"
    )
    assert row["rule"] == "survivorship.owner.otherwise"
    assert (row["next_who"], row["next_move"]) == (
        "grace",
        "Approve the change of owner to Bob Kahn in jira, or tell Bob Kahn why not",
    )
    assert json.loads(row["refs"]) == [["jira", "A1"], ["sf", "A2"]]
    assert json.loads(row["evidence"]) == [
        {
            "source": "jira",
            "record": "A1",
            "field": "owner",
            "value": "Ada Lovelace",
            "who": "Ada Lovelace",
            "at": "2026-09-01T09:00:00.000000+00:00",
            "url": "https://jira.example/A1",
        },
        {
            "source": "sf",
            "record": "A2",
            "field": "owner",
            "value": "Bob Kahn",
            "who": "Ada Lovelace",
            "at": "2026-09-20T09:00:00.000000+00:00",
            "url": "https://sf.example/A2",
        },
    ]


def test_every_finding_is_complete(think: Any) -> None:
    rows = think(CONFLICTS).result.finding.to_pylist() + think(OWNERS + NEWS).result.finding.to_pylist()
    assert rows
    for row in rows:
        assert row["kind"] in FINDING_KINDS
        assert all(row[name] for name in ("title", "severity", "summary", "rule", "next_move", "next_who", "at"))
        assert "?" not in row["summary"] + row["next_move"]
        assert json.loads(row["evidence"])
        assert json.loads(row["refs"])


def test_a_case_keeps_its_key_while_it_goes_on(think: Any) -> None:
    monday = datetime(2026, 9, 30, 12, tzinfo=UTC)
    first = think(PASSED + DECISIONS.replace(" A1 ", " Z1 "), as_of=monday).result.finding
    later = think(PASSED + DECISIONS.replace(" A1 ", " Z1 "), as_of=monday + timedelta(hours=5)).result.finding
    assert set(first["key"].to_pylist()) <= set(later["key"].to_pylist())
    assert first["summary"].to_pylist() != later["summary"].to_pylist()


def test_a_switched_off_account_makes_a_ghost(think: Any) -> None:
    text = """
        09-02 09:00 jira bob active false
        09-01 09:00 jira H1 title Off
        09-01 09:00 jira H1 owner bob bob
        """
    thought = think(text)
    assert thought.findings == ["ghost_owner Off bob>grace"]
    assert thought.finding("ghost_owner")["summary"] == "“Off” belongs to Bob Kahn, who is switched off in jira"


def test_the_charter_sets_severity_and_limits(think: Any) -> None:
    changed = {
        "grace": "30m",
        "severities": {"owner_conflict": "low"},
        "decisions": {"answer_within": "20d"},
        "handoffs": {"accept_within": "3d", "returned_within": "0d"},
        "updates": {"duplicate_within": "1h"},
    }
    thought = think(CONFLICTS.partition("09-01 09:00 jira D1")[0] + PASSED.replace(" A1", " P1"), **changed)
    titles = [f.split(" ", 1) for f in thought.findings]
    assert ["owner_conflict", "Still within grace ada>bob"] not in titles  # changed exactly 30 minutes ago
    assert ["returned_handoff", "Returned after weeks ada>bob"] in titles
    assert not [t for t in titles if t[0] == "missed_handoff"]
    assert thought.finding("owner_conflict")["severity"] == "low"
