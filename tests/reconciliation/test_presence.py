"""What is gone takes no part; what was merged lives on in its survivor; what came back counts again."""

from __future__ import annotations

from typing import Any

WORK = """
09-01 09:00 jira J1 title "Landing page"
09-01 09:00 jira J1 identifier ACME-1
09-01 09:00 jira J1 owner ada
09-01 09:00 jira J1 status Open
09-01 10:00 sf S1 title "Landing page Velta"
09-01 10:00 sf S1 identifier S1
09-01 10:00 sf S1 reference ACME-1
09-01 10:00 sf S1 owner bob
09-01 10:00 sf S1 status Open
"""


def test_records_that_disagree_are_a_finding_at_first(think: Any) -> None:
    assert [one.split()[0] for one in think(WORK).findings] == ["owner_conflict"]


def test_a_deleted_record_ties_owns_and_finds_nothing(think: Any) -> None:
    thought = think(WORK + "09-02 09:00 sf S1 presence deleted")
    assert (thought.items, thought.findings) == ({"Landing page": "jira:J1"}, [])
    assert thought.item("Landing page")["owner_person"] == "ada"
    assert thought.corrections == []


def test_a_record_nobody_may_see_any_more_finds_nothing_and_its_work_keeps_its_name(think: Any) -> None:
    before = think(WORK).item("Landing page")["item"]
    thought = think(WORK + "09-02 09:00 jira J1 presence unreachable")
    assert (thought.items, thought.findings) == ({"Landing page Velta": "sf:S1"}, [])
    assert thought.item("Landing page Velta")["item"] == before


def test_what_came_back_counts_again(think: Any) -> None:
    gone = WORK + "09-02 09:00 sf S1 presence deleted\n"
    back = think(gone + "09-03 09:00 sf S1 presence present")
    assert back.result.link.equals(think(WORK).result.link)
    assert back.findings == think(WORK).findings


def test_presence_alone_is_no_work(think: Any) -> None:
    thought = think(WORK + "09-02 09:00 sf S9 presence present\n09-02 09:00 sf S8 presence deleted")
    assert thought.items == {"Landing page": "jira:J1 sf:S1"}


def test_a_merged_record_leaves_its_ties_to_the_survivor(think: Any) -> None:
    merged = """
    09-01 11:00 sf S2 title "Entirely other words"
    09-01 11:00 sf S2 identifier S2
    09-01 11:00 sf S2 owner ada
    09-02 09:00 sf S1 presence merged:S2
    """
    thought = think(WORK + merged)
    assert thought.items == {"Landing page": "jira:J1 sf:S2"}
    assert thought.findings == []
    again = think(WORK + merged + '\n09-01 12:00 sf S3 title "Third"\n09-03 09:00 sf S2 presence merged:S3')
    assert again.items == {"Landing page": "jira:J1 sf:S3"}


def test_a_merged_account_is_whoever_its_survivor_is_and_owns_nothing_new(think: Any) -> None:
    work = """
    09-01 09:00 jira x7 name "A. L."
    09-01 09:00 jira J1 title "Landing page"
    09-01 09:00 jira J1 identifier ACME-1
    09-01 09:00 jira J1 owner x7
    09-01 09:00 jira J1 status Open
    """
    assert [one.split()[0] for one in think(work).findings] == ["unmapped_person"]
    thought = think(work + "09-02 09:00 jira x7 presence merged:ada")
    assert (thought.findings, thought.item("Landing page")["owner_person"]) == ([], "ada")


def test_who_was_deleted_everywhere_is_gone(think: Any) -> None:
    work = """
    09-01 09:00 jira J1 title "Landing page"
    09-01 09:00 jira J1 owner bob
    09-01 09:00 jira J1 status Open
    """
    deleted = "09-02 09:00 jira bob presence deleted\n"
    assert [one.split()[0] for one in think(work + deleted).findings] == ["ghost_owner"]
    assert think(work + deleted + "09-03 09:00 jira bob presence present").findings == []
