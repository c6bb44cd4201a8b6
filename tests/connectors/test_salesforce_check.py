"""`hub check` names what is missing in an org, each thing by itself."""

import pytest
from salesforce_world import HUB, SPACE, connector_for, fill


@pytest.fixture
def org(company):
    return company({"salesforce": SPACE}, fill)


def rights(org, **said):
    org.store.put(SPACE, "_rights", [(HUB, "2026-01-01T00:00:00Z", {"user": HUB, **said})])


def named(connector):
    return [(problem.where.removeprefix(f"{SPACE}."), problem.what) for problem in connector.check()]


def test_every_hidden_field_is_named_by_itself(org):
    rights(org, hidden_fields=["Case.Phase__c", "Case.Due__c", "Opportunity.StageName"])
    assert named(connector_for(org)) == [
        ("objects.Case", "field 'Phase__c' does not exist"),
        ("objects.Case", "field 'Due__c' does not exist"),
        ("objects.Opportunity", "field 'StageName' does not exist"),
    ]


def test_a_hidden_object_does_not_hide_what_is_wrong_with_the_others(org):
    rights(org, read=["Opportunity", "User", "Group"], hidden_fields=["Opportunity.Name"])
    found = named(connector_for(org))
    assert ("objects.Case", "object 'Case' does not exist or is hidden") in found
    assert ("objects.Case.comments", "object 'CaseComment' does not exist or is hidden") in found
    assert ("objects.Opportunity", "field 'Name' does not exist") in found
    assert any("CaseHistory" in what for _, what in found)


def test_records_that_may_not_be_changed_are_named_only_where_the_hub_writes(org):
    rights(org, edit=["Opportunity"])
    assert ("objects.Case", "records of Case cannot be changed") in named(connector_for(org))
    assert named(connector_for(org, writable=False)) == []


def test_comments_and_names_that_cannot_be_are_named(org):
    objects = {"Opportunity": {"title": "Name", "comments": True}, "Kase": {"title": "Subject"}}
    assert named(connector_for(org, objects=objects)) == [
        ("objects.Opportunity", "comments are read for Case only"),
        ("objects.Kase", "object 'Kase' does not exist or is hidden"),
    ]


def test_every_problem_says_what_to_do(org):
    rights(org, read=["User"], hidden_fields=["User.Email"])
    problems = connector_for(org).check()
    assert problems
    assert all(problem.hint for problem in problems)


def test_looking_asks_about_each_object_once(org):
    connector_for(org).check()
    paths = [e["path"].partition("?")[0] for e in org.journal(tool="salesforce", method="GET")]
    described = [path for path in paths if path.endswith("/describe")]
    assert len(described) == len(set(described))
