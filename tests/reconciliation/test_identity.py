"""Who is who: only what is proven, and in doubt nobody."""

from __future__ import annotations

from typing import Any

import pytest

RIGHTS = {"owner_change": {"approvers": ["ada"]}}
ACCOUNTS = """
01-01 00:00  mail  Ada@Acme.example  name    Somebody
01-01 00:00  jira  j-mail            email   BOB@acme.example
01-01 00:00  jira  j-name            name    "hopper, GRACE"
01-01 00:00  jira  j-accent          name    "Zoë Ångström"
01-01 00:00  jira  j-twin            name    "Sam Twin"
01-01 00:00  sf    s-first           name    "Bob Kahn"
01-01 00:00  sf    s-second          name    "Kahn Bob"
01-01 00:00  sf    s-bot             name    "Grace Hopper"
01-01 00:00  sf    s-bot             kind    bot
01-01 00:00  air   a-unknown         email   stranger@else.example
09-01 09:00  air   R1                owner   a-silent,grace
"""


@pytest.fixture(scope="module")
def who(think: Any) -> dict[tuple[str, str], tuple[str | None, str]]:
    people = {
        "ada": {"name": "Ada Lovelace", "email": "ada@acme.example"},
        "bob": {"name": "Bob Kahn", "email": "bob@acme.example"},
        "grace": {"name": "Grace Hopper", "accounts": {"air": "grace"}},
        "zoe": {"name": "Zoe Angstrom"},
        "twin1": {"name": "Sam Twin"},
        "twin2": {"name": "Other", "aliases": ["Twin Sam"]},
    }
    result = think(ACCOUNTS, people=people, teams={}, phases=[], survivorship={}, decision_rights=RIGHTS).result
    return {(r["source"], r["account"]): (r["person"], r["how"]) for r in result.identity.to_pylist()}


@pytest.mark.parametrize(
    ("account", "person", "how"),
    [
        (("air", "grace"), "grace", "charter"),
        (("jira", "j-mail"), "bob", "email"),
        (("mail", "Ada@Acme.example"), "ada", "address"),
        (("jira", "j-name"), "grace", "name"),
        (("jira", "j-accent"), "zoe", "name"),
    ],
)
def test_an_account_is_the_person_its_evidence_proves(
    who: dict[Any, Any], account: tuple[str, str], person: str, how: str
) -> None:
    assert who[account] == (person, how)


@pytest.mark.parametrize(
    ("account", "why"),
    [
        (("jira", "j-twin"), "two people of the charter share the name"),
        (("sf", "s-first"), "two accounts of the tool show the name"),
        (("sf", "s-second"), "two accounts of the tool show the name"),
        (("air", "a-unknown"), "nobody has the address"),
        (("air", "a-silent"), "the tool says nothing about the account"),
    ],
)
def test_in_doubt_an_account_is_nobody(who: dict[Any, Any], account: tuple[str, str], why: str) -> None:
    assert who[account] == (None, "unmapped"), why


def test_bots_queues_and_the_hub_are_nobody_whatever_their_name(who: dict[Any, Any]) -> None:
    assert who["sf", "s-bot"] == (None, "bot")
    assert who["sf", "queue"] == (None, "queue")
    assert who["jira", "hub"] == (None, "hub")


def test_an_address_two_people_share_proves_neither(think: Any) -> None:
    people = {key: {"name": key, "email": "team@acme.example"} for key in ("ada", "grace")}
    result = think(
        "01-01 00:00 jira j1 email team@acme.example",
        people=people,
        teams={},
        phases=[],
        survivorship={},
        decision_rights=RIGHTS,
    ).result
    assert [r["person"] for r in result.identity.to_pylist() if r["account"] == "j1"] == [None]
