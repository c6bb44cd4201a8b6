"""Which records are the same work: named references first, then titles, and no forced unions."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="module")
def items(think: Any) -> dict[str, str]:
    return think(
        """
        09-01 09:00 jira J1 title "By reference"
        09-01 09:00 jira J1 identifier ACME-1
        09-01 09:01 sf   S1 title "something else"
        09-01 09:01 sf   S1 reference ACME-1
        09-01 09:02 air  R1 title "third name"
        09-01 09:02 air  R1 reference S1
        09-01 09:02 sf   S1 identifier S1
        09-01 09:02 mail m1 title "fourth name"
        09-01 09:02 mail m1 reference ACME-1

        09-02 09:00 jira J2 title "By shared number"
        09-02 09:00 jira J2 identifier 4711
        09-02 09:01 air  R2 title "numbered"
        09-02 09:01 air  R2 identifier 4711

        09-03 09:00 jira J3 title "Autumn campaign: landing page Velta"
        09-03 09:01 sf   S3 title "landing page velta - AUTUMN CAMPAIGN"
        09-03 09:02 air  R3 title "Autumn campagin: landing page Velta"

        09-03 10:00 jira J31 title "Belyaward jubilee: poster series"
        09-03 10:01 sf   S31 title "Selvaward jubilee: poster series"

        09-04 09:00 jira J4 title "Winter campaign, newsletter part 1"
        09-04 09:01 sf   S4 title "Winter campaign, newsletter part 2"

        09-05 09:00 jira J5 title "Weekly report of the partners"
        09-05 09:01 jira J6 title "Weekly report of the partners"
        09-05 09:01 sf   S5 title "Weekly report of the Partners"

        09-06 09:00 jira J7 title "Digest target one"
        09-06 09:00 jira J7 identifier ACME-7
        09-06 09:00 jira J8 title "Digest target two"
        09-06 09:00 jira J8 identifier ACME-8
        09-06 09:01 mail m7 title "Everything of this week"
        09-06 09:01 mail m7 reference ACME-7
        09-06 09:01 mail m7 reference ACME-8
        09-06 09:02 jira J8 reference ACME-7

        09-07 09:00 jira J9 title "Taken back reference"
        09-07 09:00 jira J9 identifier ACME-9
        09-07 09:01 sf   S9 title "Was linked once"
        09-07 09:01 sf   S9 reference ACME-9
        09-08 09:01 sf   S9 reference#ACME-9 -
        """
    ).items


@pytest.mark.parametrize(
    ("title", "records", "why"),
    [
        ("By reference", "air:R1 jira:J1 mail:m1 sf:S1", "references join over several steps"),
        ("By shared number", "air:R2 jira:J2", "both are known by one outside number"),
        ("Autumn campaign: landing page Velta", "air:R3 jira:J3 sf:S3", "same words, and one slip"),
        ("Belyaward jubilee: poster series", "jira:J31", "two other letters are another name"),
        ("Winter campaign, newsletter part 1", "jira:J4", "numbers in titles tell things apart"),
        ("Weekly report of the Partners", "sf:S5", "a title used twice in one tool tells nothing"),
        ("Digest target one", "jira:J7", "a mail about two issues, or an issue that names one, ties nothing"),
        ("Digest target two", "jira:J8", "the same"),
        ("Everything of this week", "mail:m7", "the same"),
        ("Taken back reference", "jira:J9", "the other side no longer names it"),
    ],
)
def test_records_of_one_piece_of_work_come_together(items: dict[str, str], title: str, records: str, why: str) -> None:
    assert items[title] == records, why


def test_titles_never_bring_two_records_of_one_tool_together(think: Any) -> None:
    items = think(
        """
        09-01 09:00 jira J1 title "Harvest campaign with posters"
        09-01 09:00 jira J1 identifier ACME-1
        09-01 09:01 sf   S1 title "Harvest campaign, posters"
        09-01 09:01 sf   S1 reference ACME-1
        09-02 09:01 sf   S2 title "harvest campaign with posters"
        """
    ).items
    assert items == {"Harvest campaign with posters": "jira:J1 sf:S1", "harvest campaign with posters": "sf:S2"}


def test_a_filler_that_many_records_bear_ties_nothing(think: Any) -> None:
    lines = "".join(f"09-01 09:0{n} sf S{n} title Case{n}\n09-01 09:0{n} sf S{n} identifier n/a\n" for n in range(6))
    assert len(think(lines).items) == 6


def test_an_item_keeps_its_name_when_more_records_join(think: Any) -> None:
    alone = "09-01 09:00 jira J1 title Launch\n09-01 09:00 jira J1 identifier ACME-1\n"
    before = think(alone).item("Launch")["item"]
    after = think(alone + "09-05 09:00 sf A1 title Later\n09-05 09:00 sf A1 reference ACME-1").item("Launch")["item"]
    assert before == after


def test_a_long_chain_of_references_is_one_item(think: Any) -> None:
    chain = "09-01 09:00 jira J0 title Start\n09-01 09:00 jira J0 identifier T0\n" + "".join(
        f"09-01 10:{n:02} {('sf', 'air')[n % 2]} X{n} title Link{n}\n"
        f"09-01 10:{n:02} {('sf', 'air')[n % 2]} X{n} identifier T{n}\n"
        f"09-01 10:{n:02} {('sf', 'air')[n % 2]} X{n} reference T{n - 1}\n"
        for n in range(1, 30)
    )
    assert len(think(chain).items) == 1


def test_a_chain_of_alike_titles_with_two_records_of_one_tool_ties_nothing(think: Any) -> None:
    items = think(
        """
        09-01 09:00 air  R1 title "harvest campaign posters"
        09-01 09:00 jira J1 title "harvest campaign poster"
        09-01 09:00 sf   S1 title "harvest kampaign posters"
        09-01 09:00 jira J2 title "harvest kampaigns posters"
        """
    ).items
    assert sorted(items.values()) == ["air:R1", "jira:J1", "jira:J2", "sf:S1"]


def test_a_candidate_that_is_hardly_better_than_the_next_is_not_taken(think: Any) -> None:
    items = think(
        """
        09-01 09:00 air  R1 title "harvest campaign posters"
        09-01 09:00 jira J1 title "harvest campaign poster"
        09-01 09:00 jira J2 title "harvest campaign postersa"
        """
    ).items
    assert len(items) == 3
