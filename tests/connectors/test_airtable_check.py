"""What `hub check` says about a base: each missing scope, right, table and field by its name."""

import pytest
from airtable_world import (
    APPROVER,
    BASE,
    HUB,
    ITEMS,
    PHASE,
    SECRET,
    SPACE,
    STATUS,
    UPDATES,
    configured,
    connector_for,
    fill,
)

STAMP = "2026-01-01T00:00:00.000000Z"
ALL = ("data.records:read", "data.records:write", "schema.bases:read", "workspacesAndBases:read")


@pytest.fixture
def base(company):
    return company({"airtable": SPACE}, fill)


def token(base, *scopes):
    base.store.put(SPACE, "_token", [(SECRET, STAMP, {"user": HUB, "scopes": list(scopes)})])


def found(base, **changes):
    return {problem.what: problem for problem in connector_for(base, **changes).check()}


def test_a_token_with_the_scopes_of_the_guide_is_enough(base):
    token(base, *ALL)
    assert found(base) == {}


@pytest.mark.parametrize("missing", ALL[:3])
def test_a_missing_scope_is_named_alone(base, missing):
    token(base, *(scope for scope in ALL if scope != missing))
    (what,) = found(base)
    assert missing in what


def test_two_missing_scopes_are_two_problems(base):
    token(base, "workspacesAndBases:read")
    assert [scope for scope in ALL for what in found(base) if scope in what] == list(ALL[:3])


def test_reading_alone_asks_for_no_scope_to_write(base):
    token(base, *(scope for scope in ALL if scope != "data.records:write"))
    assert found(base, writable=False) == {}


def test_who_cannot_list_people_is_warned(base):
    token(base, *ALL[:3])
    (problem,) = found(base).values()
    assert problem.severity == "warning"
    assert "workspacesAndBases:read" in problem.what


def test_where_scopes_are_not_told_each_is_found_by_trying(base):
    body = f'{{"id": "{HUB}"}}'
    base.order(tool="airtable", action="status", path="whoami", status=200, body=body, times=None)
    token(base, "workspacesAndBases:read")
    problems = found(base).values()
    hints = " ".join(problem.hint for problem in problems)
    assert "schema.bases:read" in hints
    assert hints.count("data.records:read") == 2  # items and updates


def test_a_user_who_may_only_read_cannot_write(base):
    person = base.store.get(SPACE, "collaborator", HUB) | {"permissionLevel": "read"}
    base.store.put(SPACE, "collaborator", [(HUB, STAMP, person)])
    (what,) = found(base)
    assert f"its level in base {BASE} is read" in what
    assert found(base, writable=False) == {}


def test_every_field_that_is_gone_or_means_something_else_is_named(base):
    items = configured(base.addresses["airtable"]).items.model_dump() | {"phase": "fldGone", "approver": STATUS}
    told = " ".join(found(base, items=items))
    assert "fldGone (phase) is gone" in told
    assert f"{STATUS} (status, approver) has become singleSelect" in told
    assert PHASE not in told
    assert APPROVER not in told


def test_a_table_out_of_reach_is_named(base):
    base.order(tool="airtable", fault="permission_lost", path="whoami", settings={"container": UPDATES})
    told = " ".join(found(base))
    assert UPDATES in told
    assert ITEMS not in told


def test_a_service_that_fails_on_the_way_does_not_hide_what_was_found_before(base):
    token(base, "data.records:read", "schema.bases:read")
    base.order(tool="airtable", action="status", path=UPDATES, status=500, times=None)
    told = " ".join(found(base))
    assert "data.records:write" in told
    assert "500" in told
