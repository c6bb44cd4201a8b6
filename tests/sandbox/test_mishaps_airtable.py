"""Each fault the base tool plays, by name: what a client sees on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from airtable_base import PROJECTS, RICH, SPACE, TASKS, Stage, ask, client, refusal, rich_stage
from http_world import BASE, U_ADA, U_GRACE, Running, put

from sandbox.airtable import finding

TASK = f"/v0/{RICH}/{TASKS}"
PROJECT = f"/v0/{RICH}/{PROJECTS}"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with rich_stage(tmp_path_factory.mktemp("rich")) as stage:
        yield stage


@pytest.fixture
def rich(stage: Stage) -> Running:
    return stage.set_up()


def more_tasks(rich: Running, count: int) -> None:
    at = "2026-01-05T12:00:00.000"
    for n in range(count):
        doc = {"id": f"recN{n:04d}", "createdTime": f"{at}Z", "_modified": f"{at}000Z", "_table": TASKS}
        put(rich.store, SPACE, "record", {**doc, "fields": {"fldTName": f"task {n}", "fldTHours": n}}, day=5)


def names(rich: Running, **options: Any) -> list[str]:
    return [record["fields"].get("Name", "") for record in client(rich).table(RICH, "Tasks").all(**options)]


@pytest.fixture(params=[False, True], ids=["few", "many"])
def large(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the ids of a listing, or only its place."""
    if request.param:
        monkeypatch.setattr(finding, "LARGE", 0)


def faults_of(rich: Running) -> list[Any]:
    return [entry["fault"] for entry in rich.control("GET", "/journal?tool=airtable")]


def test_unauthorized_for_ever(rich: Running) -> None:
    rich.fault(fault="unauthorized_for_ever", tool="airtable", times=None)
    for token in ("at-token", "ada-token"):
        assert refusal(ask(rich, "GET", TASK, token=token)) == (401, "AUTHENTICATION_REQUIRED")
    assert faults_of(rich) == ["unauthorized_for_ever"] * 2


@pytest.mark.parametrize(("wait", "told"), [(1, "1"), (120, "120"), (None, None)])
def test_too_many_requests(rich: Running, wait: Any, told: str | None) -> None:
    rich.fault(fault="too_many_requests", tool="airtable", settings={"retry_after": wait})
    answer = ask(rich, "GET", TASK)
    assert answer.status_code == 429
    assert answer.json()["errors"][0]["error"] == "RATE_LIMIT_REACHED"
    assert answer.headers.get("retry-after") == told
    assert ask(rich, "GET", TASK).status_code == 200


def test_too_many_requests_until_a_date(rich: Running) -> None:
    rich.fault(fault="too_many_requests", tool="airtable", settings={"retry_after": "date"})
    answer = ask(rich, "GET", TASK)
    wait = parsedate_to_datetime(answer.headers["retry-after"]) - parsedate_to_datetime(answer.headers["date"])
    assert timedelta(seconds=28) <= wait <= timedelta(seconds=31)


def test_base_locked(rich: Running) -> None:
    rich.fault(fault="base_locked", tool="airtable")
    assert [ask(rich, "GET", path).status_code for path in (TASK, PROJECT)] == [429, 429]
    assert ask(rich, "GET", f"/v0/{BASE}/Items").status_code == 200
    rich.control("POST", "/clock", json={"advance": 31})
    assert ask(rich, "GET", TASK).status_code == 200


@pytest.mark.usefixtures("large")
def test_offset_expired(rich: Running) -> None:
    rich.fault(fault="offset_expired", tool="airtable", path="offset=")
    offset = ask(rich, "GET", f"{TASK}?pageSize=1").json()["offset"]
    for _ in range(2):  # it does not come back
        answer = ask(rich, "GET", TASK, params={"pageSize": 1, "offset": offset})
        assert refusal(answer) == (422, "LIST_RECORDS_ITERATOR_NOT_AVAILABLE")
    assert names(rich) == ["Copy", "Art"]


def test_offset_expired_in_a_body(rich: Running) -> None:
    offset = ask(rich, "POST", f"{TASK}/listRecords", json={"pageSize": 1}).json()["offset"]
    rich.fault(fault="offset_expired", tool="airtable")
    answer = ask(rich, "POST", f"{TASK}/listRecords", json={"pageSize": 1, "offset": offset})
    assert refusal(answer) == (422, "LIST_RECORDS_ITERATOR_NOT_AVAILABLE")


@pytest.mark.usefixtures("large")
def test_deleted_between_pages(rich: Running) -> None:
    more_tasks(rich, 250)
    rich.fault(fault="deleted_between_pages", tool="airtable", nth=2)
    seen = names(rich)
    assert len(seen) == 251
    assert len(names(rich)) == 251
    assert "task 249" not in seen


@pytest.mark.usefixtures("large")
def test_edited_mid_walk(rich: Running) -> None:
    more_tasks(rich, 250)
    before = datetime.now(UTC) - timedelta(seconds=5)
    rich.fault(fault="edited_mid_walk", tool="airtable")
    table = client(rich).table(RICH, "Tasks")
    seen = [record["id"] for record in table.all()]
    twice = {id_ for id_ in seen if seen.count(id_) == 2}
    missed = {record["id"] for record in table.all()} - set(seen)
    assert (len(twice), len(missed)) == (1, 1)
    edited = table.all(formula=f"IS_AFTER(LAST_MODIFIED_TIME(), '{before.isoformat()}')")
    assert {record["id"] for record in edited} == twice | missed


def test_late_commit(rich: Running) -> None:
    read_up_to = datetime.now(UTC) - timedelta(seconds=100)
    assert names(rich) == ["Copy", "Art"]
    rich.fault(fault="late_commit", tool="airtable", settings={"seconds": 300})
    after = f"IS_AFTER(LAST_MODIFIED_TIME(), '{read_up_to.isoformat()}')"
    assert names(rich, formula=after) == []
    assert sorted(names(rich)) == ["Art", "Committed late", "Copy"]
    looking_back = f"IS_AFTER(LAST_MODIFIED_TIME(), '{(read_up_to - timedelta(seconds=600)).isoformat()}')"
    assert names(rich, formula=looking_back) == ["Committed late"]


def test_equal_stamps(rich: Running) -> None:
    more_tasks(rich, 250)
    rich.fault(fault="equal_stamps", tool="airtable", settings={"count": 150})
    table = client(rich).table(RICH, "Tasks")
    assert len(table.all()) == 252
    last = max(str(doc["_modified"]) for doc in rich.store.find(SPACE, "record", TASKS))
    equal = table.all(formula=f"LAST_MODIFIED_TIME() = DATETIME_PARSE('{last}')", page_size=100)
    assert len(equal) == 150
    assert table.all(formula=f"IS_AFTER(LAST_MODIFIED_TIME(), '{last}')") == []


def test_changed_before_write(rich: Running) -> None:
    table = client(rich).table(RICH, "Projects")
    assert table.get("recP2")["fields"]["Lead"]["id"] == U_ADA
    rich.fault(fault="changed_before_write", tool="airtable", method="PATCH")
    hook = client(rich).base(RICH).add_webhook(None, {"options": {"filters": {"dataTypes": ["tableData"]}}})
    told = table.update("recP2", {"Lead": {"id": U_GRACE}})
    assert told["fields"]["Lead"]["id"] == U_GRACE  # overwritten without a word
    payloads = list(client(rich).base(RICH).webhook(hook.id).payloads())
    values = [
        one.changed_tables_by_id[PROJECTS].changed_records_by_id["recP2"].current.cell_values_by_field_id["fldPLead"]
        for one in payloads
    ]
    assert len(values) == 2
    assert values[0]["id"] not in {U_ADA, U_GRACE}
    assert payloads[0].action_metadata is not None
    assert payloads[0].action_metadata.source == "client"


@pytest.mark.parametrize("by_name", [True, False])
def test_field_renamed(rich: Running, by_name: bool) -> None:
    rich.fault(fault="field_renamed", tool="airtable", settings={"field": "Hours", "name": "Effort"})
    if by_name:
        assert refusal(ask(rich, "GET", f"{TASK}?fields[]=Hours")) == (422, "UNKNOWN_FIELD_NAME")
    else:
        told = ask(rich, "GET", f"{TASK}?fields[]=fldTHours&returnFieldsByFieldId=1").json()["records"]
        assert [record["fields"] for record in told] == [{"fldTHours": 3}, {"fldTHours": 5}]
    assert client(rich).table(RICH, "Tasks").get("recT1")["fields"]["Effort"] == 3


def test_field_deleted(rich: Running) -> None:
    rich.fault(fault="field_deleted", tool="airtable", settings={"field": "fldTHours"})
    assert all("Hours" not in record["fields"] for record in client(rich).table(RICH, "Tasks").all())
    assert refusal(ask(rich, "GET", f"{TASK}?fields[]=fldTHours")) == (422, "UNKNOWN_FIELD_NAME")
    answer = ask(rich, "GET", TASK, params={"filterByFormula": "{Hours} > 1"})
    assert refusal(answer) == (422, "INVALID_FILTER_BY_FORMULA")


def test_field_retyped(rich: Running) -> None:
    rich.fault(fault="field_retyped", tool="airtable", settings={"field": "Lead", "type": "singleLineText"})
    told = client(rich).table(RICH, "Projects").get("recP2")["fields"]
    assert told["Lead"] == "Ada Lovelace"
    answer = ask(rich, "PATCH", f"{PROJECT}/recP2", json={"fields": {"Lead": {"id": U_ADA}}})
    assert refusal(answer) == (422, "INVALID_VALUE_FOR_COLUMN")
    field = client(rich).base(RICH).schema().table("Projects").field("Lead")
    assert field.type == "singleLineText"


@pytest.mark.parametrize("settings", [{}, {"user": U_ADA}])
def test_collaborator_without_access(rich: Running, settings: dict[str, Any]) -> None:
    rich.fault(fault="collaborator_without_access", tool="airtable", method="PATCH", settings=settings)
    answer = ask(rich, "PATCH", f"{PROJECT}/recP1", json={"fields": {"Lead": {"id": U_ADA}}})
    assert refusal(answer) == (422, "INVALID_VALUE_FOR_COLUMN")
    people = client(rich).base(RICH).collaborators().individual_collaborators.via_base
    assert U_ADA not in {one.user_id for one in people}
    assert client(rich).table(RICH, "Projects").get("recP2")["fields"]["Lead"]["id"] == U_ADA  # the cell keeps them
    assert U_ADA in {one.user_id for one in client(rich).base(BASE).collaborators().individual_collaborators.via_base}


def test_owner_deactivated(rich: Running) -> None:
    rich.fault(fault="owner_deactivated", tool="airtable", method="PATCH", path="/v0/")
    body = {"fields": {"Lead": {"email": "ada@s.example"}}}
    assert refusal(ask(rich, "PATCH", f"{PROJECT}/recP1", json=body)) == (422, "INVALID_VALUE_FOR_COLUMN")
    for base in (BASE, RICH):
        people = client(rich).base(base).collaborators().individual_collaborators.via_base
        assert U_ADA not in {one.user_id for one in people}


def test_webhook_gap(rich: Running) -> None:
    base = client(rich).base(RICH)
    hook = base.add_webhook(None, {"options": {"filters": {"dataTypes": ["tableData"]}}})
    base.table("Tasks").update("recT1", {"Hours": 8})
    assert len(list(base.webhook(hook.id).payloads())) == 1
    rich.fault(fault="webhook_gap", tool="airtable")
    answer = ask(rich, "GET", f"/v0/bases/{RICH}/webhooks/{hook.id}/payloads")
    assert (answer.status_code, answer.json()) == (404, {"error": "NOT_FOUND"})
    assert base.webhooks() == []


def test_permission_lost_for_records(rich: Running) -> None:
    rich.fault(fault="permission_lost", tool="airtable", settings={"records": ["recT1"]})
    assert names(rich) == ["Art"]
    assert refusal(ask(rich, "GET", f"{TASK}/recT1")) == (404, "MODEL_ID_NOT_FOUND")
    assert ask(rich, "GET", f"{TASK}/recT1", token="ada-token").status_code == 200


def test_permission_lost_for_a_table(rich: Running) -> None:
    rich.fault(fault="permission_lost", tool="airtable", settings={"container": TASKS})
    assert refusal(ask(rich, "GET", TASK)) == (403, "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND")
    assert [table.name for table in client(rich).base(RICH).schema().tables] == ["Projects"]
    assert ask(rich, "GET", f"/v0/{BASE}/Items").status_code == 200


def test_field_renamed_by_whatever_request_comes_first(rich: Running) -> None:
    rich.fault(fault="field_renamed", tool="airtable", settings={"field": "fldName", "name": "Title"})
    assert ask(rich, "GET", "/v0/meta/whoami").status_code == 200
    assert "Title" in {field.name for field in client(rich).base(BASE).schema().table("Items").fields}


def test_a_fault_with_a_token_nobody_has_changes_nothing(rich: Running) -> None:
    rich.fault(fault="field_deleted", tool="airtable", settings={"field": "fldTHours"})
    assert ask(rich, "GET", TASK, token="no").status_code == 401
    assert client(rich).table(RICH, "Tasks").get("recT1")["fields"]["Hours"] == 3
