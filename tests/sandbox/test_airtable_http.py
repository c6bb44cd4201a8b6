"""The base through pyairtable as it comes, and where needed through bare HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from http_world import BASE, ITEMS, SPACES, U_ADA, U_GRACE, UPDATES, Running, put, running, small_company
from pyairtable import Api, Table
from pyairtable.formulas import AND, Field, match


@pytest.fixture
def api(small: Running) -> Api:
    return Api("at-token", endpoint_url=small.addresses["airtable"], retry_strategy=None, timeout=(5, 10))


@pytest.fixture
def items(api: Api) -> Table:
    return api.table(BASE, "Items")


def ask(small: Running, method: str, path: str, token: str = "at-token", **rest: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.request(method, f"{small.addresses['airtable']}{path}", headers=headers, timeout=10, **rest)


def ids(records: list[Any]) -> list[str]:
    return [record["id"] for record in records]


def test_schema_people_and_who_i_am(api: Api) -> None:
    assert api.whoami()["id"] == U_GRACE
    base = api.bases()[0]
    assert base.id == BASE
    table = base.schema().table("Items")
    assert {field.name: field.type for field in table.fields}["Owner"] == "multipleCollaborators"
    people = base.collaborators().individual_collaborators.via_base
    assert {one.user_id: one.email for one in people}[U_ADA] == "ada@s.example"


def test_a_wrong_token_base_table_and_record_each_get_their_own_refusal(small: Running) -> None:
    told = [
        (ask(small, "GET", f"/v0/{BASE}/Items", token="no"), 401, "AUTHENTICATION_REQUIRED"),
        (ask(small, "GET", "/v0/appOther/Items"), 403, "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND"),
        (ask(small, "GET", f"/v0/{BASE}/Nothing"), 403, "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND"),
        (ask(small, "GET", f"/v0/{BASE}/Items/rec99"), 404, "MODEL_ID_NOT_FOUND"),
        (ask(small, "GET", f"/v0/{BASE}/Items", params={"fields[]": "Foo"}), 422, "UNKNOWN_FIELD_NAME"),
        (
            ask(small, "GET", f"/v0/{BASE}/Items", params={"filterByFormula": "{Foo}=1"}),
            422,
            "INVALID_FILTER_BY_FORMULA",
        ),
        (ask(small, "GET", f"/v0/{BASE}/Items", params={"filterByFormula": "("}), 422, "INVALID_FILTER_BY_FORMULA"),
        (ask(small, "GET", f"/v0/{BASE}/Items", params={"offset": "x"}), 422, "INVALID_OFFSET_VALUE"),
        (ask(small, "GET", f"/v0/{BASE}/Items", params={"pageSize": "101"}), 422, "INVALID_REQUEST_UNKNOWN"),
    ]
    assert [(answer.status_code, answer.json()["error"]["type"]) for answer, _, _ in told] == [
        (status, kind) for _, status, kind in told
    ]
    assert ask(small, "GET", "/v1/other").json() == {"error": "NOT_FOUND"}


def test_empty_cells_are_left_out_and_fields_go_by_name_or_id(items: Table) -> None:
    by_name = items.get("rec3")
    assert set(by_name["fields"]) == {"Name", "Status", "Touched"}
    by_id = items.get("rec1", use_field_ids=True)
    assert by_id["fields"]["fldOwner"] == [{"id": U_ADA, "email": "ada@s.example", "name": "Ada Lovelace"}]
    assert items.all(fields=["Name"])[0]["fields"] == {"Name": "Landing page 1"}


@pytest.mark.parametrize(
    ("formula", "found"),
    [
        ("IS_AFTER(LAST_MODIFIED_TIME(), '2026-01-01T12:00:00.000Z')", [2, 3]),
        ("LAST_MODIFIED_TIME() >= DATETIME_PARSE('2026-01-02T12:00:00.000Z')", [2, 3]),
        ("OR(IS_SAME({Touched}, '2026-01-03', 'day'), {fldTouched} < '2026-01-02')", [1, 3]),
        ("AND(NOT({Owner} = BLANK()), FIND('2', {Name}))", [2]),
        ("SEARCH('PAGE 3', Name) > 0", [3]),
        ("{Owner} = 'Ada Lovelace'", [1, 2]),
        ("RECORD_ID() = 'rec2'", [2]),
        ("IF({Status} = \"Open\", LOWER({Name}) & '!' = 'landing page 1!', FALSE())", [1]),
        ("IS_BEFORE(LAST_MODIFIED_TIME(), DATEADD('2026-01-01T12:00:00Z', 90, 'minutes'))", [1]),
        ("IS_AFTER(NOW(), CREATED_TIME())", [1, 2, 3]),
    ],
)
def test_formulas(items: Table, formula: str, found: list[int]) -> None:
    assert ids(items.all(formula=formula)) == [f"rec{n}" for n in found]


def test_formulas_the_client_writes(items: Table) -> None:
    assert ids(items.all(formula=match({"Name": "Landing page 2"}))) == ["rec2"]
    both = AND(Field("Status").eq("Open"), Field("Name").ne("Landing page 1"))
    assert ids(items.all(formula=both, sort=["-Name"])) == ["rec3", "rec2"]


def test_a_very_long_formula_goes_as_a_post(small: Running, items: Table) -> None:
    many = ",".join(f"RECORD_ID()='rec{n}'" for n in range(2, 1500))
    assert ids(items.all(formula=f"OR({many})")) == ["rec2", "rec3"]
    assert small.control("GET", "/journal?tool=airtable")[-1]["path"].endswith("/listRecords")


def test_a_page_walk_is_not_disturbed_by_edits(small: Running, items: Table) -> None:
    for n in range(250):
        record = {
            "id": f"recN{n:03d}",
            "createdTime": "2026-01-05T12:00:00.000Z",
            "_table": ITEMS,
            "fields": {"fldName": "n"},
        }
        put(small.store, SPACES["airtable"], "record", {**record, "_modified": "2026-01-05T12:00:00.000000Z"}, day=5)
    pages = items.iterate(page_size=100)
    seen = ids(next(pages))
    items.update("rec1", {"Name": "edited in the middle of the walk"})
    items.delete("recN249")
    for page in pages:
        seen += ids(page)
    assert len(seen) == len(set(seen)) == 252
    assert "recN249" not in seen


def test_an_iterator_nobody_knows_is_not_available(small: Running) -> None:
    answer = ask(small, "GET", f"/v0/{BASE}/Items", params={"offset": "itrXXXXXXXXXXXXXXX/100"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "LIST_RECORDS_ITERATOR_NOT_AVAILABLE")


def test_an_owner_is_written_by_id_or_address_and_the_clock_moves(items: Table) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    told = items.update("rec1", {"Owner": [{"id": U_GRACE}, {"email": "ada@s.example"}]})
    assert [one["name"] for one in told["fields"]["Owner"]] == ["Grace Hopper", "Ada Lovelace"]
    assert datetime.fromisoformat(told["fields"]["Touched"]) >= before
    assert "Owner" not in items.update("rec1", {"Owner": None})["fields"]
    assert items.get("rec2")["fields"]["Touched"] == "2026-01-02T12:00:00.000Z"


def test_a_field_nobody_watches_moves_the_record_but_not_the_watching_field(items: Table) -> None:
    items.update("rec1", {"Status": "Closed"})
    assert items.get("rec1")["fields"]["Touched"] == "2026-01-01T12:00:00.000Z"
    assert ids(items.all(formula="IS_AFTER(LAST_MODIFIED_TIME(), '2026-06-01')")) == ["rec1"]


def test_a_write_of_the_same_value_changes_nothing(items: Table) -> None:
    items.update("rec1", {"Name": "Landing page 1"})
    assert items.all(formula="IS_AFTER(LAST_MODIFIED_TIME(), '2026-06-01')") == []


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ({"Owner": [{"id": "usrStranger"}]}, "INVALID_VALUE_FOR_COLUMN"),
        ({"Owner": {"id": U_ADA}}, "INVALID_VALUE_FOR_COLUMN"),
        ({"Status": "Unheard of"}, "INVALID_MULTIPLE_CHOICE_OPTIONS"),
        ({"Touched": "2026-01-01"}, "INVALID_VALUE_FOR_COLUMN"),
        ({"Foo": 1}, "UNKNOWN_FIELD_NAME"),
        ({"Updates": ["rec99"]}, "ROW_DOES_NOT_EXIST"),
    ],
)
def test_a_batch_with_one_bad_cell_changes_nothing(small: Running, cells: dict[str, Any], kind: str) -> None:
    batch = [{"id": "rec1", "fields": {"Name": "changed"}}, {"id": "rec2", "fields": cells}]
    answer = ask(small, "PATCH", f"/v0/{BASE}/{ITEMS}", json={"records": batch})
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, kind)
    assert ask(small, "GET", f"/v0/{BASE}/{ITEMS}/rec1").json()["fields"]["Name"] == "Landing page 1"


def test_at_most_ten_records_are_written_at_once(small: Running) -> None:
    batch = [{"fields": {"Name": str(n)}} for n in range(11)]
    answer = ask(small, "POST", f"/v0/{BASE}/{ITEMS}", json={"records": batch})
    assert answer.json()["error"]["type"] == "INVALID_RECORDS"


def test_links_have_two_ends(api: Api, items: Table) -> None:
    updates = api.table(BASE, UPDATES)
    made = updates.create({"Text": "told once", "Item": ["rec1"]})
    assert items.get("rec1")["fields"]["Updates"] == [made["id"]]
    updates.delete(made["id"])
    assert "Updates" not in items.get("rec1")["fields"]


def test_put_empties_what_is_not_sent(items: Table) -> None:
    told = items.batch_update([{"id": "rec1", "fields": {"Name": "only"}}], replace=True)[0]
    assert set(told["fields"]) == {"Name", "Touched"}


def test_the_rate_limit_is_off_until_the_world_asks_for_it(tmp_path: Any) -> None:
    store = small_company(tmp_path / "limited.sqlite")
    put(store, SPACES["airtable"], "_settings", {"requests_per_second": 5, "penalty_seconds": 30}, id_="settings")
    with running(store) as limited:
        statuses = [ask(limited, "GET", f"/v0/{BASE}/Items").status_code for _ in range(12)]
        assert statuses[:5] == [200] * 5
        assert statuses[-1] == 429
        refused = ask(limited, "GET", f"/v0/{BASE}/Items").json()
        assert refused["errors"][0]["error"] == "RATE_LIMIT_REACHED"
    store.close()
