"""Every endpoint of the base tool through pyairtable as it comes: comments, upserts, schema, bases, people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airtable_base import PROJECTS, RICH, SPACE, TASKS, Stage, ask, client, refusal, rich_company, rich_stage
from http_world import BASE, ITEMS, U_ADA, U_GRACE, Running, put, running
from pyairtable import Table


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with rich_stage(tmp_path_factory.mktemp("rich")) as stage:
        yield stage


@pytest.fixture
def rich(stage: Stage) -> Running:
    return stage.set_up()


def test_a_space_holds_several_bases_and_their_tables_do_not_mix(rich: Running) -> None:
    api = client(rich)
    assert [(base.id, base.name) for base in api.bases()] == [(BASE, "Planning"), (RICH, "Rich")]
    assert [table.name for table in api.base(RICH).schema().tables] == ["Projects", "Tasks"]
    assert refusal(ask(rich, "GET", f"/v0/{RICH}/{ITEMS}")) == (403, "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND")


def test_bases_come_in_pages(tmp_path: Path) -> None:
    store = rich_company(tmp_path / "paged.sqlite")
    put(store, SPACE, "_settings", {"bases_page_size": 1}, id_="settings")
    with running(store) as paged:
        assert [base.id for base in client(paged).bases()] == [BASE, RICH]
        first = ask(paged, "GET", "/v0/meta/bases").json()
        assert len(first["bases"]) == 1
        assert first["offset"].startswith("itr")
        assert refusal(ask(paged, "GET", "/v0/meta/bases?offset=x")) == (422, "INVALID_OFFSET_VALUE")
    store.close()


def test_who_i_am_with_which_scopes(rich: Running) -> None:
    me = client(rich).whoami()
    assert (me["id"], me["email"]) == (U_GRACE, "grace@s.example")
    assert "webhook:manage" in me["scopes"]


def test_comments_are_written_mentioned_counted_changed_and_deleted(rich: Running) -> None:
    table = client(rich).table(RICH, "Projects")
    first = table.add_comment("recP1", f"please look, @[{U_ADA}]")
    assert (first.author.id, first.author.name) == (U_GRACE, "Grace Hopper")
    assert first.mentioned[U_ADA].display_name == "Ada Lovelace"
    rich.control("POST", "/clock", json={"advance": 60})
    reply = table.add_comment("recP1", "done", parent_comment_id=first.id)
    assert [one.text for one in table.comments("recP1")] == ["done", f"please look, @[{U_ADA}]"]
    counted = table.all(count_comments=True)
    assert [record["commentCount"] for record in counted] == [2, 0]
    first.text = "never mind"
    first.save()
    assert table.comments("recP1")[1].text == "never mind"
    assert table.comments("recP1")[1].last_updated_time is not None
    reply.delete()
    assert [one.id for one in table.comments("recP1")] == [first.id]


def test_comments_come_in_pages_newest_first(rich: Running) -> None:
    table = client(rich).table(RICH, "Projects")
    for n in range(5):
        table.add_comment("recP2", str(n))
        rich.control("POST", "/clock", json={"advance": 1})
    path, seen, offset = f"/v0/{RICH}/{PROJECTS}/recP2/comments", [], ""
    while True:
        page = ask(rich, "GET", path, params={"pageSize": 2, **({"offset": offset} if offset else {})}).json()
        seen += [one["text"] for one in page["comments"]]
        offset = page["offset"]
        if offset is None:
            break
    assert seen == ["4", "3", "2", "1", "0"]
    assert refusal(ask(rich, "GET", f"{path}?offset=comX")) == (422, "INVALID_OFFSET_VALUE")


def test_somebody_elses_comment_cannot_be_changed(rich: Running) -> None:
    comment = client(rich).table(RICH, "Projects").add_comment("recP1", "mine")
    path = f"/v0/{RICH}/{PROJECTS}/recP1/comments/{comment.id}"
    for method in ("PATCH", "DELETE"):
        answer = ask(rich, method, path, token="ada-token", json={"text": "yours"})
        assert refusal(answer) == (403, "INVALID_PERMISSIONS")
    assert refusal(ask(rich, "PATCH", f"{path}x", json={"text": "x"})) == (404, "MODEL_ID_NOT_FOUND")
    assert refusal(ask(rich, "PATCH", path, json={"text": ""})) == (422, "INVALID_REQUEST_UNKNOWN")


def test_a_comment_goes_with_its_record(rich: Running) -> None:
    table = client(rich).table(RICH, "Projects")
    table.add_comment("recP1", "soon gone")
    table.delete("recP1")
    assert list(rich.store.scan(SPACE, "comment")) == []


def test_an_upsert_updates_the_one_that_agrees_and_creates_the_others(rich: Running) -> None:
    table = client(rich).table(RICH, "Tasks")
    rows = [{"fields": {"Name": "Copy", "Hours": 4}}, {"fields": {"Name": "Film", "Hours": 9}}]
    told = table.batch_upsert(rows, ["Name"])
    assert told["updatedRecords"] == ["recT1"]
    assert told["createdRecords"] == [told["records"][1]["id"]]
    assert {r["fields"]["Name"]: r["fields"]["Hours"] for r in table.all()} == {"Copy": 4, "Art": 5, "Film": 9}
    again = table.batch_upsert(rows, ["Name"])
    assert (len(again["updatedRecords"]), again["createdRecords"]) == (2, [])
    by_id = table.batch_upsert([{"id": "recT2", "fields": {"Hours": 6}}], ["fldTName"])
    assert by_id["updatedRecords"] == ["recT2"]


@pytest.mark.parametrize(
    ("upsert", "rows"),
    [
        ({"fieldsToMergeOn": ["Hours"]}, [{"fields": {"Hours": 7}}, {"fields": {"Hours": 7, "Name": "two match"}}]),
        ({"fieldsToMergeOn": ["Name"]}, [{"fields": {"Hours": 7}}]),
        ({"fieldsToMergeOn": []}, [{"fields": {"Name": "x"}}]),
        ({"fieldsToMergeOn": ["Number"]}, [{"fields": {"Name": "x"}}]),
        ({"fieldsToMergeOn": ["Nothing"]}, [{"fields": {"Name": "x"}}]),
        ({}, [{"fields": {"Name": "x"}}]),
    ],
)
def test_an_unusable_upsert_changes_nothing(rich: Running, upsert: Any, rows: Any) -> None:
    table = client(rich).table(RICH, TASKS)
    for id_ in ("recT1", "recT2"):
        table.update(id_, {"Hours": 7})
    body = {"performUpsert": upsert, "records": [{"fields": {"Name": "Copy", "Hours": 7}}, *rows]}
    before = table.all()
    assert ask(rich, "PATCH", f"/v0/{RICH}/{TASKS}", json=body).status_code == 422
    assert table.all() == before


def test_tables_and_fields_are_made_and_renamed(rich: Running) -> None:
    base = client(rich).base(RICH)
    made = base.create_table(
        "Budgets", [{"name": "Name", "type": "singleLineText"}, {"name": "Sum", "type": "currency"}]
    )
    assert made.create({"Name": "Spring", "Sum": 100})["fields"]["Sum"] == 100
    field = made.create_field("Kind", "singleSelect", options={"choices": [{"name": "Small"}]})
    assert made.create({"Kind": "Small"})["fields"] == {"Kind": "Small"}
    field.name = "Size"
    field.save()
    assert {r["fields"].get("Size") for r in made.all()} == {None, "Small"}
    assert refusal(ask(rich, "GET", f"/v0/{RICH}/Budgets?fields[]=Kind")) == (422, "UNKNOWN_FIELD_NAME")
    schema = base.schema(force=True).table("Budgets")
    schema.name = "Money"
    schema.save()
    assert [table.name for table in base.schema(force=True).tables] == ["Projects", "Tasks", "Money"]


def test_a_new_link_field_gives_the_other_table_its_end(rich: Running) -> None:
    base = client(rich).base(RICH)
    made = base.create_table("Budgets", [{"name": "Name", "type": "singleLineText"}])
    made.create_field("Project", "multipleRecordLinks", options={"linkedTableId": PROJECTS})
    budget = made.create({"Name": "b", "Project": ["recP1"]})
    assert base.table("Projects").get("recP1")["fields"]["Budgets"] == [budget["id"]]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("tables", {"name": "Projects", "fields": [{"name": "a", "type": "singleLineText"}]}),
        ("tables", {"name": "New", "fields": []}),
        (f"tables/{PROJECTS}/fields", {"name": "Name", "type": "singleLineText"}),
        (f"tables/{PROJECTS}/fields", {"name": "New", "type": "formula"}),
        (f"tables/{PROJECTS}/fields", {"name": "New", "type": "nonsense"}),
        (f"tables/{PROJECTS}/fields", {"name": "", "type": "singleLineText"}),
    ],
)
def test_schemas_that_cannot_be(rich: Running, path: str, body: Any) -> None:
    assert ask(rich, "POST", f"/v0/meta/bases/{RICH}/{path}", json=body).status_code == 422
    assert len(client(rich).base(RICH).schema().tables) == 2


def test_the_schema_tells_views_and_nothing_of_the_sandbox(rich: Running) -> None:
    plain = ask(rich, "GET", f"/v0/meta/bases/{RICH}/tables").json()["tables"]
    assert [view["name"] for view in plain[0]["views"]] == ["Everything", "Late ones", "Backwards"]
    assert plain[1]["views"] == [{"id": "viwTasks", "name": "Grid view", "type": "grid"}]
    assert '"_' not in str(plain).replace("'", '"')
    told = ask(rich, "GET", f"/v0/meta/bases/{RICH}/tables?include=visibleFieldIds").json()["tables"]
    assert told[1]["views"][0]["visibleFieldIds"][0] == "fldTName"


@pytest.mark.parametrize(
    ("view", "names"), [("Late ones", ["Autumn"]), ("viwLate", ["Autumn"]), ("Backwards", ["Spring", "Autumn"])]
)
def test_a_view_filters_and_orders(rich: Running, view: str, names: list[str]) -> None:
    table = client(rich).table(RICH, "Projects")
    assert [record["fields"]["Name"] for record in table.all(view=view)] == names
    assert [record["fields"]["Name"] for record in table.all(view=view, sort=["Name"])] == sorted(names)


def test_a_view_nobody_knows(rich: Running) -> None:
    path = f"/v0/{RICH}/Projects"
    assert refusal(ask(rich, "GET", path, params={"view": "Nope"})) == (422, "VIEW_NAME_NOT_FOUND")
    assert refusal(ask(rich, "GET", path, params={"view": "viwNope"})) == (422, "VIEW_ID_NOT_FOUND")


def test_people_of_a_base_without_those_who_have_no_access(rich: Running) -> None:
    people = client(rich).base(RICH).collaborators().individual_collaborators.via_base
    assert {one.email for one in people} == {"ada@s.example", "grace@s.example", "usrreader@s.example"}
    assert {one.permission_level for one in people} == {"edit", "read"}


def test_cells_as_text_for_a_reader(rich: Running) -> None:
    table = client(rich).table(RICH, "Projects")
    told = table.all(cell_format="string", time_zone="America/New_York", user_locale="en-us", sort=["Name"])
    assert told[0]["fields"]["Due"] == "3/9/2026"
    assert told[0]["fields"]["Lead"] == "Ada Lovelace"
    assert told[1]["fields"]["Tasks"] == "Copy, Art"
    assert told[1]["fields"]["Done"] == "checked"
    one = table.get("recP1", cell_format="string", time_zone="UTC", user_locale="en-gb")
    assert one["fields"]["Touched"] == "1/1/2026 12:00pm"
    answer = ask(rich, "GET", f"/v0/{RICH}/Projects?cellFormat=string")
    assert refusal(answer) == (422, "INVALID_REQUEST_UNKNOWN")


def test_a_listing_is_asked_for_in_every_way_a_client_may(rich: Running) -> None:
    path = f"/v0/{RICH}/Tasks"
    ways: list[Any] = [
        ask(rich, "GET", path, params={"fields[]": "Name", "sort[0][field]": "Hours", "sort[0][direction]": "desc"}),
        ask(rich, "GET", path, params={"fields": "Name", "sort[0][field]": "fldTHours", "sort[0][direction]": "desc"}),
        ask(rich, "GET", path, params={"fields[0]": "Name", "sort[0][field]": "Name"}),
        ask(rich, "POST", f"{path}/listRecords", json={"fields": ["Name"], "sort": [{"field": "Name"}]}),
    ]
    for answer in ways:
        assert [record["fields"] for record in answer.json()["records"]] == [{"Name": "Art"}, {"Name": "Copy"}]
    assert isinstance(client(rich).table(RICH, "Tasks").first(sort=["-Hours"]), dict)


def walked(table: Table, size: int) -> Any:
    return table.iterate(page_size=size)


def test_offsets_look_like_the_services_and_expire_with_idleness(rich: Running) -> None:
    table = client(rich).table(RICH, "Tasks")
    first = ask(rich, "GET", f"/v0/{RICH}/Tasks?pageSize=1").json()
    assert first["offset"].startswith("itr")
    assert first["offset"].endswith("/recT2")
    pages = walked(table, 1)
    next(pages)
    rich.control("POST", "/clock", json={"advance": 200})
    assert [record["id"] for record in next(pages)] == ["recT2"]
    again = ask(rich, "GET", f"/v0/{RICH}/Tasks?pageSize=1").json()["offset"]
    rich.control("POST", "/clock", json={"advance": 301})
    answer = ask(rich, "GET", f"/v0/{RICH}/Tasks", params={"offset": again})
    assert refusal(answer) == (422, "LIST_RECORDS_ITERATOR_NOT_AVAILABLE")


def test_an_accounts_oldest_listings_make_way(rich: Running) -> None:
    def begun(token: str) -> str:
        return str(ask(rich, "GET", f"/v0/{RICH}/Tasks?pageSize=1", token=token).json()["offset"])

    first, others = begun("at-token"), begun("ada-token")
    for _ in range(200):
        begun("at-token")
    answer = ask(rich, "GET", f"/v0/{RICH}/Tasks", params={"offset": first})
    assert refusal(answer) == (422, "LIST_RECORDS_ITERATOR_NOT_AVAILABLE")
    assert ask(rich, "GET", f"/v0/{RICH}/Tasks", params={"offset": others}).status_code == 200


def test_a_restart_of_the_server_forgets_offsets(tmp_path: Path) -> None:
    store = rich_company(tmp_path / "restarted.sqlite")
    with running(store) as before:
        offset = ask(before, "GET", f"/v0/{RICH}/Tasks?pageSize=1").json()["offset"]
    with running(store) as after:
        answer = ask(after, "GET", f"/v0/{RICH}/Tasks", params={"offset": offset})
        assert refusal(answer) == (422, "LIST_RECORDS_ITERATOR_NOT_AVAILABLE")
    store.close()


def test_the_limits_follow_the_clock_and_are_the_bases_own(tmp_path: Path) -> None:
    store = rich_company(tmp_path / "limited.sqlite")
    put(store, SPACE, "_settings", {"requests_per_second": 5}, id_="settings")
    with running(store) as limited:
        limited.control("POST", "/clock", json={"frozen": True})
        statuses = [ask(limited, "GET", f"/v0/{RICH}/Tasks").status_code for _ in range(7)]
        assert statuses == [200] * 5 + [429] * 2
        assert ask(limited, "GET", f"/v0/{BASE}/Items").status_code == 200
        limited.control("POST", "/clock", json={"advance": 29})
        assert ask(limited, "GET", f"/v0/{RICH}/Tasks").status_code == 429
        limited.control("POST", "/clock", json={"advance": 2})
        assert ask(limited, "GET", f"/v0/{RICH}/Tasks").status_code == 200
    store.close()


def test_an_account_is_limited_over_all_its_bases(tmp_path: Path) -> None:
    store = rich_company(tmp_path / "limited.sqlite")
    put(store, SPACE, "_settings", {"requests_per_second": 5, "requests_per_second_per_account": 6}, id_="settings")
    with running(store) as limited:
        limited.control("POST", "/clock", json={"frozen": True})
        for base, table in ((BASE, "Items"), (RICH, "Tasks")):
            statuses = [ask(limited, "GET", f"/v0/{base}/{table}").status_code for _ in range(4)]
        assert statuses == [200, 200, 429, 429]
        assert ask(limited, "GET", f"/v0/{RICH}/Tasks", token="ada-token").status_code == 200
    store.close()
