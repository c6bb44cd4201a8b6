"""Handoffs told by owners: every tool's late copy is one handoff, and only the receiver's act accepts it."""

from __future__ import annotations

from typing import Any


def test_one_change_told_by_three_tools_is_one_handoff(think: Any) -> None:
    thought = think(
        """
        09-10 09:00 jira A1 title Moved
        09-10 09:00 jira A1 identifier A-1
        09-10 09:00 jira A1 owner ada ada
        09-10 09:12 sf   A2 reference A-1
        09-10 09:12 sf   A2 owner ada ada
        09-10 09:05 air  A3 reference A-1
        09-10 09:05 air  A3 owner ada

        09-12 10:00 sf   A2 owner bob ada
        09-12 10:07 jira A1 owner bob ada
        09-12 10:19 air  A3 owner bob
        09-12 14:00 mail m1 reference A-1
        09-12 14:00 mail m1 update "On it, thanks" bob@acme.example

        09-14 10:00 jira A1 owner grace bob
        09-14 10:15 sf   A2 owner grace bob
        """
    )
    assert thought.handoffs == ["Moved ada>bob 12 10:00..12 14:00", "Moved bob>grace 14 10:00.."]


def test_a_late_copy_is_an_echo_and_a_quick_return_is_not(think: Any) -> None:
    thought = think(
        """
        09-10 09:00 jira E1 title Echo
        09-10 09:00 jira E1 identifier E-1
        09-10 09:00 jira E1 owner ada ada
        09-10 09:00 sf   E2 reference E-1
        09-10 09:00 sf   E2 owner ada ada
        09-12 10:00 sf   E2 owner bob ada
        09-12 10:15 sf   E2 owner grace bob
        09-12 10:18 jira E1 owner bob ada
        09-12 10:25 jira E1 owner grace bob

        09-20 09:00 jira R1 title Return
        09-20 09:00 jira R1 identifier R-1
        09-20 09:00 jira R1 owner ada ada
        09-20 09:00 sf   R2 reference R-1
        09-20 09:00 sf   R2 owner ada ada
        09-22 10:00 sf   R2 owner bob ada
        09-22 10:05 jira R1 owner bob ada
        09-22 10:30 jira R1 owner ada bob
        09-22 10:40 sf   R2 owner ada bob
        """
    )
    assert thought.handoffs == [
        "Echo ada>bob 12 10:00..12 10:15",
        "Echo bob>grace 12 10:15..",
        "Return ada>bob 22 10:00..22 10:30 returned",
        "Return bob>ada 22 10:30..",
    ]


def test_what_makes_no_handoff(think: Any) -> None:
    thought = think(
        """
        09-10 09:00 jira N1 title "Through nobody"
        09-10 09:00 jira N1 owner ada ada
        09-11 09:00 jira N1 owner - ada
        09-12 09:00 jira N1 owner ada ada
        09-10 09:00 jira H1 title "By the hub"
        09-10 09:00 jira H1 owner ada ada
        09-12 09:00 jira H1 owner bob hub
        09-10 09:00 air  S1 title "First snapshot, then several people"
        09-10 09:00 air  S1 owner ada
        09-12 09:00 air  S1 owner ada,bob
        09-10 09:00 jira X1 title "Unmapped in between"
        09-10 09:00 jira X1 owner ada ada
        09-11 09:00 jira X1 owner contractor ada
        """
    )
    assert thought.handoffs == []


def test_only_acts_of_the_receiver_on_the_work_accept(think: Any) -> None:
    thought = think(
        """
        09-10 09:00 jira A1 title Waiting
        09-10 09:00 jira A1 owner ada ada
        09-11 09:00 jira A1 update "before the offer" bob
        09-12 09:00 jira A1 owner bob ada
        09-12 10:00 jira A1 update "said by the sender" ada
        09-12 11:00 jira A1 status Open robot
        09-12 12:00 jira A1 due 2026-10-01 bob
        09-12 13:00 jira A1 status Open
        09-10 09:00 jira B1 title "Taken by himself"
        09-10 09:00 jira B1 owner ada ada
        09-12 09:30 jira B1 owner bob bob
        """
    )
    assert thought.handoffs == ["Waiting ada>bob 12 09:00..", "Taken by himself ada>bob 12 09:30..12 09:30"]


def test_the_protocol_of_the_phases_sets_the_time(think: Any) -> None:
    text = """
        09-28 09:00 jira A1 title Quick
        09-28 09:00 jira A1 phase Build ada
        09-28 09:00 jira A1 owner ada ada
        09-30 06:00 jira A1 owner bob ada
        09-30 06:10 jira A1 phase QA ada
        """
    protocol = {"name": "build_to_qa", "from": "Build", "to": "QA", "accept_within": "4h", "escalate_to": "grace"}
    survivorship: dict[str, Any] = {}
    late = think(text, handoffs={"protocols": [protocol]}, survivorship=survivorship)
    assert late.findings == ["missed_handoff Quick ada>bob"]
    finding = late.finding("missed_handoff")
    assert (finding["rule"], finding["next_who"]) == ("handoffs.protocols.build_to_qa.accept_within", "grace")
    assert think(text, handoffs={"protocols": []}, survivorship=survivorship).findings == []
