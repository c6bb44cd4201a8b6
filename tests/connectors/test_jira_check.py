"""`hub check` of a Jira source: every missing permission and field by its own name."""

import pytest
from jira_world import EMAIL, HUB, SECRET, SPACE, connector_for, fill

_STAMP = "2026-01-01T00:00:00.000000Z"


@pytest.fixture
def site(company):
    return company({"jira": SPACE}, fill)


def said(connector):
    return [problem.what for problem in connector.check()]


def rights(site, **told):
    site.store.put(SPACE, "_rights", [(HUB, _STAMP, {"user": HUB, **told})])


def test_nothing_is_wrong_where_everything_is_allowed(site):
    assert connector_for(site).check() == ()


def test_each_missing_right_to_assign_is_named_with_its_project(site):
    rights(site, edit=["OPS"])
    connector = connector_for(site, projects=["ACME", "OPS"])
    assert said(connector) == ["the hub's account may not assign issues in ACME"]
    assert said(connector_for(site, writable=False, projects=["ACME", "OPS"])) == []


def test_a_hidden_project_is_named_and_the_others_are_looked_at(site):
    rights(site, read=["OPS"], edit=[])
    told = said(connector_for(site, projects=["ACME", "OPS"]))
    assert told == [
        "project ACME does not exist or is hidden from the hub's account",
        "the hub's account may not assign issues in OPS",
    ]


def test_the_right_to_see_people_is_named(site):
    rights(site, read=[])
    assert "the hub's account may not see people" in said(connector_for(site))


def test_every_unknown_field_is_named_by_itself(site):
    fields = {"phase": "customfield_1", "approval": "customfield_2", "references": ["description", "customfield_3"]}
    told = said(connector_for(site, fields=fields))
    assert told == [f"field customfield_{n} does not exist in Jira" for n in (1, 2, 3)]


def test_the_scope_for_approvals_is_missed_by_the_check_already(site):
    desk = {"id": "1", "key": "ACME", "name": "ACME", "projectTypeKey": "service_desk"}
    site.store.put(SPACE, "project", [("1", _STAMP, desk)])
    assert said(connector_for(site, approvals=True)) == []
    scoped = {"email": EMAIL, "accountId": HUB, "scopes": ["read:jira-work", "read:jira-user"]}
    site.store.put(SPACE, "_token", [(SECRET, _STAMP, scoped)])
    (told,) = said(connector_for(site, approvals=True))
    assert "servicedeskapi" in told
