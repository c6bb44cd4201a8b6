"""What a token may see and do: scopes, levels of permission, hidden tables, records and fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from airtable_base import PROJECTS, RICH, SPACE, TASKS, Stage, ask, client, refusal, rich_stage
from http_world import BASE, U_GRACE, Running, put

HOOK = {"specification": {"options": {"filters": {"dataTypes": ["tableData"]}}}}
FORBIDDEN, OUT_OF_REACH = (403, "INVALID_PERMISSIONS"), (403, "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND")
TASK, PROJECT = f"/v0/{RICH}/{TASKS}", f"/v0/{RICH}/{PROJECTS}"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with rich_stage(tmp_path_factory.mktemp("rich")) as stage:
        yield stage


@pytest.fixture
def rich(stage: Stage) -> Running:
    return stage.set_up()


def rights(rich: Running, **more: Any) -> None:
    put(rich.store, SPACE, "_rights", {"user": U_GRACE, **more}, id_=U_GRACE)


def token(rich: Running, *scopes: str) -> str:
    put(rich.store, SPACE, "_token", {"user": U_GRACE, "scopes": list(scopes)}, id_="narrow-token")
    return "narrow-token"


@pytest.mark.parametrize(
    ("method", "path", "body", "scope"),
    [
        ("GET", TASK, None, "data.records:read"),
        ("GET", f"{TASK}/recT1", None, "data.records:read"),
        ("POST", f"{TASK}/listRecords", {}, "data.records:read"),
        ("PATCH", f"{TASK}/recT1", {"fields": {"Hours": 1}}, "data.records:write"),
        ("POST", TASK, {"fields": {"Hours": 1}}, "data.records:write"),
        ("DELETE", f"{TASK}/recT1", None, "data.records:write"),
        ("GET", f"{TASK}/recT1/comments", None, "data.recordComments:read"),
        ("POST", f"{TASK}/recT1/comments", {"text": "x"}, "data.recordComments:write"),
        ("GET", f"/v0/meta/bases/{RICH}/tables", None, "schema.bases:read"),
        ("PATCH", f"/v0/meta/bases/{RICH}/tables/{TASKS}", {"name": "x"}, "schema.bases:write"),
        ("GET", f"/v0/meta/bases/{RICH}", None, "workspacesAndBases:read"),
        ("GET", f"/v0/bases/{RICH}/webhooks", None, "webhook:manage"),
    ],
)
def test_every_endpoint_needs_its_scope(rich: Running, method: str, path: str, body: Any, scope: str) -> None:
    everything = client(rich).whoami()["scopes"]
    without = token(rich, *(one for one in everything if one != scope))
    assert refusal(ask(rich, method, path, token=without, json=body)) == OUT_OF_REACH
    assert ask(rich, method, path, token=token(rich, scope), json=body).status_code == 200


def test_a_hook_on_data_needs_the_right_to_read_data(rich: Running) -> None:
    path = f"/v0/bases/{RICH}/webhooks"
    assert refusal(ask(rich, "POST", path, token=token(rich, "webhook:manage"), json=HOOK)) == OUT_OF_REACH
    both = token(rich, "webhook:manage", "data.records:read")
    assert ask(rich, "POST", path, token=both, json=HOOK).status_code == 200


def test_who_i_am_tells_scopes_and_the_address_only_with_its_scope(rich: Running) -> None:
    told = ask(rich, "GET", "/v0/meta/whoami", token=token(rich, "data.records:read")).json()
    assert told == {"id": U_GRACE, "scopes": ["data.records:read"]}


@pytest.mark.parametrize(
    ("level", "may"),
    [
        ("read", set()),
        ("comment", {"comment"}),
        ("edit", {"comment", "edit"}),
        ("create", {"comment", "edit", "hook", "option", "rename"}),
    ],
)
def test_a_level_of_permission_allows_so_much(rich: Running, level: str, may: set[str]) -> None:
    person = {"id": U_GRACE, "email": "grace@s.example", "name": "Grace Hopper", "permissionLevel": level}
    put(rich.store, SPACE, "collaborator", person)
    acts: dict[str, tuple[str, str, Any]] = {
        "comment": ("POST", f"{TASK}/recT1/comments", {"text": "x"}),
        "edit": ("PATCH", f"{TASK}/recT1", {"fields": {"Hours": 1}}),
        "hook": ("POST", f"/v0/bases/{RICH}/webhooks", HOOK),
        "option": ("PATCH", f"{TASK}/recT1", {"typecast": True, "fields": {"Tags": ["new"]}}),
        "rename": ("PATCH", f"/v0/meta/bases/{RICH}/tables/{TASKS}", {"name": "Work"}),
    }
    answers = {name: ask(rich, method, path, json=body) for name, (method, path, body) in acts.items()}
    assert {name for name, answer in answers.items() if answer.status_code == 200} == may
    wrong = {name: refusal(answer) for name, answer in answers.items() if answer.status_code != 200}
    if level == "edit":
        assert wrong.pop("option") == (422, "INVALID_MULTIPLE_CHOICE_OPTIONS")
    assert set(wrong.values()) <= {FORBIDDEN}
    assert ask(rich, "GET", TASK).status_code == 200
    assert {base.permission_level for base in client(rich).bases() if base.id == RICH} == {level} or level


def test_somebody_without_access_does_not_know_the_base(rich: Running) -> None:
    person = {"id": U_GRACE, "email": "grace@s.example", "name": "Grace Hopper", "_bases": [BASE]}
    put(rich.store, SPACE, "collaborator", person)
    assert [base.id for base in client(rich).bases()] == [BASE]
    for path in (TASK, f"/v0/meta/bases/{RICH}/tables", f"/v0/bases/{RICH}/webhooks"):
        assert refusal(ask(rich, "GET", path)) == OUT_OF_REACH


def test_a_hidden_table_is_not_there(rich: Running) -> None:
    rights(rich, admin=True, read=[TASKS], edit=["*"])
    assert refusal(ask(rich, "GET", PROJECT)) == OUT_OF_REACH
    assert [table.id for table in client(rich).base(RICH).schema().tables] == [TASKS]
    assert ask(rich, "GET", TASK).status_code == 200
    assert refusal(ask(rich, "GET", f"/v0/{BASE}/Items")) == OUT_OF_REACH


def test_a_base_among_the_rights_stands_for_its_tables(rich: Running) -> None:
    rights(rich, read=[RICH], edit=[TASKS])
    assert [ask(rich, "GET", path).status_code for path in (TASK, PROJECT)] == [200, 200]
    assert ask(rich, "PATCH", f"{TASK}/recT1", json={"fields": {"Hours": 1}}).status_code == 200
    assert refusal(ask(rich, "PATCH", f"{PROJECT}/recP1", json={"fields": {"Done": True}})) == FORBIDDEN


def test_a_hidden_record_is_not_there(rich: Running) -> None:
    rights(rich, hidden=["recT1"])
    table = client(rich).table(RICH, "Tasks")
    assert [record["id"] for record in table.all()] == ["recT2"]
    assert [record["id"] for record in table.all(formula="{Hours} < 4")] == []
    for method in ("GET", "PATCH", "DELETE"):
        answer = ask(rich, method, f"{TASK}/recT1", json={"fields": {"Hours": 1}})
        assert refusal(answer) == (404, "MODEL_ID_NOT_FOUND")
    assert refusal(ask(rich, "GET", f"{TASK}/recT1/comments")) == (404, "MODEL_ID_NOT_FOUND")
    upsert = {"performUpsert": {"fieldsToMergeOn": ["Name"]}, "records": [{"fields": {"Name": "Copy"}}]}
    assert ask(rich, "PATCH", TASK, json=upsert).json()["updatedRecords"] == []


def test_a_record_hidden_in_the_middle_of_a_walk_does_not_come(rich: Running) -> None:
    first = ask(rich, "GET", f"{TASK}?pageSize=1").json()
    rights(rich, hidden=["recT2"])
    assert ask(rich, "GET", TASK, params={"offset": first["offset"]}).json()["records"] == []


def test_a_read_only_record_can_be_read_only(rich: Running) -> None:
    rights(rich, read_only=["recT1"])
    assert ask(rich, "GET", f"{TASK}/recT1").status_code == 200
    batch = {"records": [{"id": "recT2", "fields": {"Hours": 1}}, {"id": "recT1", "fields": {"Hours": 1}}]}
    assert refusal(ask(rich, "PATCH", TASK, json=batch)) == FORBIDDEN
    assert refusal(ask(rich, "DELETE", f"{TASK}/recT1")) == FORBIDDEN
    assert ask(rich, "GET", f"{TASK}/recT2").json()["fields"]["Hours"] == 5


def test_a_hidden_field_does_not_exist(rich: Running) -> None:
    rights(rich, hidden_fields=["fldTHours", f"{PROJECTS}.fldPLead"])
    assert all("Hours" not in record["fields"] for record in client(rich).table(RICH, "Tasks").all())
    assert refusal(ask(rich, "GET", f"{TASK}?fields[]=Hours")) == (422, "UNKNOWN_FIELD_NAME")
    formula = ask(rich, "GET", TASK, params={"filterByFormula": "{Hours} > 1"})
    assert refusal(formula) == (422, "INVALID_FILTER_BY_FORMULA")
    write = ask(rich, "PATCH", f"{TASK}/recT1", json={"fields": {"Hours": 1}})
    assert refusal(write) == (422, "UNKNOWN_FIELD_NAME")
    fields = client(rich).base(RICH).schema().table("Projects").fields
    assert "Lead" not in {field.name for field in fields}
    replaced = ask(rich, "PUT", f"{PROJECT}/recP2", json={"fields": {"Name": "kept lead"}})
    assert replaced.status_code == 200
    assert "Lead" in client(rich, "ada-token").table(RICH, "Projects").get("recP2")["fields"]


def test_scopes_of_the_account_narrow_those_of_the_token(rich: Running) -> None:
    rights(rich, admin=True, scopes=["data.records:read"])
    assert client(rich).whoami()["scopes"] == ["data.records:read"]
    assert refusal(ask(rich, "PATCH", f"{TASK}/recT1", json={"fields": {}})) == OUT_OF_REACH


def test_an_account_that_is_no_administrator_changes_no_schema(rich: Running) -> None:
    rights(rich, admin=False)
    renamed = ask(rich, "PATCH", f"/v0/meta/bases/{RICH}/tables/{TASKS}", json={"name": "x"})
    assert refusal(renamed) == FORBIDDEN
    assert ask(rich, "PATCH", f"{TASK}/recT1", json={"fields": {"Hours": 1}}).status_code == 200


def test_the_journal_knows_who_asked_and_the_client_does_not(rich: Running) -> None:
    answer = ask(rich, "GET", TASK)
    assert not [name for name in answer.headers if name.lower().startswith("x-sandbox")]
    assert rich.control("GET", "/journal?tool=airtable")[-1]["actor"] == U_GRACE
