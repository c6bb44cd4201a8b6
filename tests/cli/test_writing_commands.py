"""Plan, approve, apply, undo: what each refuses, in one line, and what it says when all is well."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Company, Hub, Ran


def refused(ran: Ran, what: str) -> None:
    """A refusal: exit code 1, one error line, one hint."""
    assert ran.code == 1, ran
    assert ran.out == ""
    errors, hints = ([row for row in ran.err.splitlines() if row.startswith(start)] for start in ("error: ", "hint: "))
    assert len(errors) == len(hints) == 1, ran.err
    assert what in errors[0]


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A personal token in the environment."""
    monkeypatch.setenv("HUB_APPROVAL_TOKEN", "guessed")
    return monkeypatch


def test_the_way_of_a_plan(hub: Hub, company: Company, token: pytest.MonkeyPatch) -> None:
    here = ("--config", company.config)
    plan = hub("plan", *here, "--json").data
    name, changes = plan["id"], len(plan["changes"])

    refused(hub("apply", name, *here), "is not approved")
    refused(hub("approve", "plan-0000", "--code", "X", *here), "no plan 'plan-0000'")
    refused(hub("apply", "plan-0000", *here), "no plan 'plan-0000'")
    refused(hub("approve", name, "--code", "WRONG-CODES", *here), f"this code does not approve {name}")
    refused(hub("approve", name, "--as", "ada", *here), "this token is not the one of ada")
    refused(hub("approve", name, "--as", "stranger", *here), "this token is not the one of stranger")
    token.delenv("HUB_APPROVAL_TOKEN")
    refused(hub("approve", name, "--as", "ada", *here), "no token for ada")
    refused(hub("approve", name, *here), "nobody says who approves")
    refused(hub("undo", name, *here), "wrote nothing")
    assert hub("approve", name, *here, "--json").data["error"] == "nobody says who approves"

    code = company.code(name)
    ran = hub("approve", name, "--code", code, *here)
    assert (ran.code, ran.out) == (0, f"{name} approved by Ada Lovelace\nnext: hub apply {name}\n")
    refused(hub("approve", name, "--code", code, *here), f"this code does not approve {name}")

    ran = hub("apply", name, *here)
    assert ran.code == 0, ran.err
    assert f"{changes} of {changes} verified: {changes} confirmed" in ran.out
    again = hub("apply", name, *here, "--json")
    assert again.code == 0
    assert (again.data["outcomes"], again.data["verified"]) == ({"confirmed": changes}, changes)
    assert not any(row["sent"] for row in again.data["rows"])

    ran = hub("undo", name, *here)
    assert ran.code == 0
    assert f": {changes} owner changes, valid until" in ran.out
    assert "next: hub approve plan-" in ran.out
