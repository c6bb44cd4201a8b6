"""What cells mean: computed fields, links, conversions, what moves the time of change, and the formula language."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from airtable_base import PROJECTS, RICH, SPACE, TASKS, Stage, ask, client, refusal, rich_stage
from http_world import U_ADA, U_GRACE, Running, put

from sandbox.airtable.formula import Row, compiled
from sandbox.airtable.values import BrokenValue


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with rich_stage(tmp_path_factory.mktemp("rich")) as stage:
        yield stage


@pytest.fixture
def rich(stage: Stage) -> Running:
    return stage.set_up()


def test_computed_cells_are_worked_out_when_they_are_read(rich: Running) -> None:
    projects, tasks = (client(rich).table(RICH, name) for name in ("Projects", "Tasks"))
    spring = projects.get("recP1")["fields"]
    assert (spring["Task count"], spring["Task names"], spring["Hours"]) == (2, ["Copy", "Art"], 8)
    assert (spring["Days"], spring["Label"], spring["Broken"]) == (1, "Spring (1)", 0.5)
    tasks.update("recT1", {"Hours": 11, "Name": "Long copy"})
    spring = projects.get("recP1")["fields"]
    assert (spring["Task names"], spring["Hours"], spring["Days"]) == (["Long copy", "Art"], 16, 2)
    autumn = projects.get("recP2")["fields"]
    assert (autumn["Task count"], autumn["Hours"], autumn["Broken"]) == (0, 0, {"error": "#ERROR!"})
    assert "Task names" not in autumn
    assert [r["id"] for r in projects.all(formula="{Hours} > 10")] == ["recP1"]
    assert [r["id"] for r in projects.all(formula="ISERROR({Broken})")] == ["recP2"]
    assert projects.all(formula="{Broken} > 100") == []


def test_computed_changes_do_not_move_the_record(rich: Running) -> None:
    client(rich).table(RICH, "Tasks").update("recT1", {"Hours": 11})
    projects = client(rich).table(RICH, "Projects")
    assert projects.all(formula="IS_AFTER(LAST_MODIFIED_TIME(), '2026-06-01')") == []


@pytest.mark.parametrize("name", ["Task count", "Task names", "Hours", "Days", "Touched", "Touched by", "Made by"])
def test_computed_cells_cannot_be_written(rich: Running, name: str) -> None:
    answer = ask(rich, "PATCH", f"/v0/{RICH}/{PROJECTS}/recP1", json={"fields": {name: 1}})
    assert refusal(answer) == (422, "INVALID_VALUE_FOR_COLUMN")


def test_who_made_and_last_changed_a_record(rich: Running) -> None:
    ada, grace = (client(rich, token).table(RICH, "Projects") for token in ("ada-token", "at-token"))
    made = ada.create({"Name": "Winter"})
    assert (made["fields"]["Made by"]["id"], made["fields"]["Touched by"]["id"]) == (U_ADA, U_ADA)
    told = grace.update(made["id"], {"Done": True})
    assert (told["fields"]["Made by"]["id"], told["fields"]["Touched by"]["id"]) == (U_ADA, U_GRACE)


def test_a_watching_field_moves_only_with_its_cells_and_formulas_can_watch_too(rich: Running) -> None:
    projects = client(rich).table(RICH, "Projects")
    projects.update("recP2", {"Done": True})
    assert projects.get("recP2")["fields"]["Touched"].startswith("2026-01-02")
    assert projects.all(formula="IS_AFTER({Touched}, '2026-06-01')") == []
    assert [r["id"] for r in projects.all(formula="IS_AFTER(LAST_MODIFIED_TIME({Done}), '2026-06-01')")] == ["recP2"]
    assert projects.all(formula="IS_AFTER(LAST_MODIFIED_TIME({State}, {Lead}), '2026-06-01')") == []
    projects.update("recP1", {"State": "Done"})
    assert [r["id"] for r in projects.all(formula="IS_AFTER({Touched}, '2026-06-01')")] == ["recP1"]


def test_moving_a_link_keeps_every_end(rich: Running) -> None:
    projects, tasks = (client(rich).table(RICH, name) for name in ("Projects", "Tasks"))
    tasks.update("recT2", {"Project": ["recP2"]})
    assert projects.get("recP1")["fields"]["Tasks"] == ["recT1"]
    assert projects.get("recP2")["fields"]["Tasks"] == ["recT2"]
    projects.update("recP2", {"Tasks": ["recT1", "recT2"]})
    assert projects.get("recP1")["fields"].get("Tasks") == ["recT1"]
    assert tasks.get("recT1")["fields"]["Project"] == ["recP1", "recP2"]
    projects.delete("recP2")
    assert tasks.get("recT2")["fields"].get("Project") is None
    wrong = ask(rich, "PATCH", f"/v0/{RICH}/{TASKS}/recT1", json={"fields": {"Project": ["recT2"]}})
    assert refusal(wrong) == (422, "ROW_DOES_NOT_EXIST")


def test_numbers_are_given_in_order(rich: Running) -> None:
    table = client(rich).table(RICH, "Tasks")
    made = table.batch_create([{"Name": "a"}, {"Name": "b"}])
    assert [record["fields"]["Number"] for record in made] == [3, 4]
    table.delete(made[1]["id"])
    assert table.create({"Name": "c"})["fields"]["Number"] == 5


@pytest.mark.parametrize(
    ("cells", "kept"),
    [
        ({"Hours": "1,234.5"}, {"Hours": 1234.5}),
        ({"Hours": "$12"}, {"Hours": 12}),
        ({"At": "3/9/2026"}, {"At": "2026-03-09T00:00:00.000Z"}),
        ({"Tags": "a, b"}, {"Tags": ["a", "b"]}),
        ({"Project": "Autumn"}, {"Project": ["recP2"]}),
        ({"Name": 12}, {"Name": "12"}),
    ],
)
def test_conversions_happen_only_when_asked_for(rich: Running, cells: Any, kept: Any) -> None:
    strict = ask(rich, "PATCH", f"/v0/{RICH}/{TASKS}/recT2", json={"fields": cells})
    assert strict.status_code == 422
    told = client(rich).table(RICH, "Tasks").update("recT2", cells, typecast=True)["fields"]
    assert {name: told[name] for name in kept} == kept


def test_people_are_found_by_name_and_address_when_converting(rich: Running) -> None:
    table = client(rich).table(RICH, "Projects")
    for given in ("ada@s.example", "Ada Lovelace", U_ADA):
        assert table.update("recP1", {"Lead": given}, typecast=True)["fields"]["Lead"]["id"] == U_ADA
        table.update("recP1", {"Lead": None})
    strict = ask(rich, "PATCH", f"/v0/{RICH}/{PROJECTS}/recP1", json={"fields": {"Lead": "ada@s.example"}})
    assert refusal(strict) == (422, "INVALID_VALUE_FOR_COLUMN")


def test_converting_creates_linked_records_and_options(rich: Running) -> None:
    base = client(rich).base(RICH)
    rows = [
        {"Name": "x", "Project": ["Summer"], "Tags": ["new"]},
        {"Name": "y", "Project": ["Summer"], "Tags": ["new"]},
    ]
    made = base.table("Tasks").batch_create(rows, typecast=True)
    summer = base.table("Projects").first(formula="{Name} = 'Summer'")
    assert summer is not None
    assert summer["fields"]["Tasks"] == [record["id"] for record in made]
    choices = base.schema().table("Tasks").field("Tags").options.choices
    assert [choice.name for choice in choices] == ["a", "new"]


def test_conversions_of_a_refused_batch_leave_nothing_behind(rich: Running) -> None:
    body = {
        "typecast": True,
        "records": [{"fields": {"Tags": ["new"], "Project": ["Summer"]}}, {"fields": {"Hours": "x"}}],
    }
    assert refusal(ask(rich, "POST", f"/v0/{RICH}/{TASKS}", json=body)) == (422, "INVALID_VALUE_FOR_COLUMN")
    base = client(rich).base(RICH)
    assert [choice.name for choice in base.schema().table("Tasks").field("Tags").options.choices] == ["a"]
    assert len(base.table("Projects").all()) == 2


@pytest.mark.parametrize("user", ["usrOutsider", "usrNobody"])
def test_somebody_without_access_cannot_be_written(rich: Running, user: str) -> None:
    answer = ask(rich, "PATCH", f"/v0/{RICH}/{PROJECTS}/recP1", json={"fields": {"Lead": {"id": user}}})
    assert refusal(answer) == (422, "INVALID_VALUE_FOR_COLUMN")


def test_put_empties_writable_cells_only(rich: Running) -> None:
    told = ask(rich, "PUT", f"/v0/{RICH}/{PROJECTS}/recP1", json={"fields": {"Name": "bare"}}).json()["fields"]
    assert (told["Name"], told["Task count"], told["Label"]) == ("bare", 0, "bare (0)")
    assert "Done" not in told
    assert client(rich).table(RICH, "Tasks").get("recT1")["fields"].get("Project") is None


def test_a_deleted_record_is_gone_for_every_verb(rich: Running) -> None:
    client(rich).table(RICH, "Tasks").delete("recT1")
    for method in ("GET", "PATCH", "DELETE"):
        answer = ask(rich, method, f"/v0/{RICH}/{TASKS}/recT1", json={"fields": {"Name": "x"}})
        assert refusal(answer) == (404, "MODEL_ID_NOT_FOUND")
    batch = ask(rich, "DELETE", f"/v0/{RICH}/{TASKS}", params={"records[]": ["recT2", "recT1"]})
    assert refusal(batch) == (404, "MODEL_ID_NOT_FOUND")
    assert client(rich).table(RICH, "Tasks").get("recT2")["id"] == "recT2"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", TASKS, {"records": [1]}),
        ("POST", TASKS, {"fields": []}),
        ("POST", TASKS, []),
        ("PATCH", TASKS, {"records": [{"fields": {}}]}),
        ("PATCH", TASKS, {"records": "x"}),
        ("PATCH", f"{TASKS}/recT1", {}),
        ("POST", f"{TASKS}/listRecords", {"sort": 3}),
        ("POST", f"{TASKS}/listRecords", {"fields": {"a": 1}}),
        ("POST", f"{TASKS}/listRecords", {"pageSize": []}),
        ("POST", f"{TASKS}/listRecords", {"recordMetadata": [[]]}),
        ("POST", f"{TASKS}/listRecords", {"sort": [{"field": "Name", "direction": "up"}]}),
    ],
)
def test_requests_of_the_wrong_form_are_refused_not_broken(rich: Running, method: str, path: str, body: Any) -> None:
    assert ask(rich, method, f"/v0/{RICH}/{path}", json=body).status_code in {400, 422}


def test_options_sort_in_their_own_order_and_nothing_first(rich: Running) -> None:
    projects = client(rich).table(RICH, "Projects")
    made = projects.batch_create([{"Name": "d", "State": "Done"}, {"Name": "o", "State": "Open"}])
    by_state = [record["id"] for record in projects.all(sort=["State"])]
    assert by_state == ["recP1", made[1]["id"], "recP2", made[0]["id"]]


# -- the formula language ------------------------------------------------------------------------------------

NOW = datetime(2026, 3, 9, 15, 30, 45, 123000, tzinfo=UTC)
CELLS = {
    "T": "Hello World",
    "N": 7,
    "Zero": 0,
    "List": ["b", "a", "b"],
    "On": True,
    "D": "2026-01-31",
    "Numbers": [1, 2],
}
FIELDS = {name: name for name in (*CELLS, "Empty", "Off", "Two words")}
KINDS = {"On": "checkbox", "Off": "checkbox"}


def worked_out(formula: str) -> Any:
    row = Row(id="rec1", created=NOW, modified=NOW, cells=CELLS)
    made = compiled(formula, fields=FIELDS, modified_fields=frozenset(), now=NOW, kinds=KINDS)
    return made.value(row)


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("1 + 2 * 3 - 4 / 2", 5),
        ("(1 + 2) * -3", -9),
        ("-.5 + +1", 0.5),
        ("'a' & 1 & BLANK() & TRUE()", "a1True"),
        ("T & '!'", "Hello World!"),
        ("{Two words} & ''", ""),
        ("IF({Off}, 'yes', 'no')", "no"),
        ("{Off} = FALSE()", True),
        ("{On} = 1", True),
        ("{Off} = 0", True),
        ("SWITCH({N}, 1, 'one', 7, 'seven', 'many')", "seven"),
        ("SWITCH({N}, 1, 'one', 'many')", "many"),
        ("SWITCH({N}, 1, 'one')", None),
        ("XOR(1, 1, 1)", True),
        ("IF(1, 'lazy', ERROR())", "lazy"),
        ("IFERROR(1 / 0, 'none')", "none"),
        ("ISERROR('x' * 2)", True),
        ("ISERROR(1)", False),
        ("LEN(TRIM('  x '))", 1),
        ("UPPER(LEFT({T}, 5)) & LOWER(RIGHT({T}, 5))", "HELLOworld"),
        ("MID({T}, 7, 3)", "Wor"),
        ("REPT('ab', 3)", "ababab"),
        ("REPLACE('abcdef', 2, 3, 'X')", "aXef"),
        ("SUBSTITUTE('a-b-c', '-', '+')", "a+b+c"),
        ("SUBSTITUTE('a-b-c', '-', '+', 2)", "a-b+c"),
        ("FIND('o', {T}, 6)", 8),
        ("FIND('z', {T})", 0),
        ("SEARCH('z', {T})", None),
        ("T({N})", None),
        ("VALUE('$1,200.50')", 1200.5),
        ("CONCATENATE('a', 1, {Empty})", "a1"),
        ("ENCODE_URL_COMPONENT('a b')", "a%20b"),
        ("REGEX_MATCH({T}, 'W.r')", True),
        ("REGEX_EXTRACT({T}, 'W.r')", "Wor"),
        ("REGEX_REPLACE({T}, 'o', '0')", "Hell0 W0rld"),
        ("ARRAYJOIN({List}, '/')", "b/a/b"),
        ("ARRAYJOIN(ARRAYUNIQUE({List}))", "b, a"),
        ("COUNTALL({List}, {N})", 4),
        ("SUM({Numbers}, {N})", 10),
        ("AVERAGE({Numbers})", 1.5),
        ("MAX(1, {N}) - MIN(1, {N})", 6),
        ("COUNT({List}, 1, 2)", 2),
        ("COUNTA({List}, {Empty})", 3),
        ("ROUND(2.345, 2)", 2.35),
        ("ROUND(-2.5)", -3),
        ("ROUNDUP(2.1, 0) + ROUNDDOWN(2.9, 0)", 5),
        ("CEILING(7, 5) + FLOOR(7, 5)", 15),
        ("MOD(-7, 3)", 2),
        ("INT(-1.5) + ABS(-2)", 0),
        ("POWER(2, 10) + SQRT(16)", 1028),
        ("YEAR({D}) * 10000 + MONTH({D}) * 100 + DAY({D})", 20260131),
        ("HOUR(NOW()) * 10000 + MINUTE(NOW()) * 100 + SECOND(NOW())", 153045),
        ("WEEKDAY('2026-03-09')", 1),
        ("WEEKDAY('2026-03-09', 'Monday')", 0),
        ("DATETIME_FORMAT(DATEADD({D}, 1, 'month'), 'YYYY-MM-DD')", "2026-02-28"),
        ("DATESTR(DATEADD({D}, -1, 'y'))", "2025-01-31"),
        ("DATESTR(DATEADD({D}, 2, 'weeks'))", "2026-02-14"),
        ("DATETIME_DIFF('2026-03-09', {D}, 'days')", 37),
        ("DATETIME_DIFF({D}, '2026-03-09', 'months')", -1),
        ("DATETIME_DIFF('2026-03-09T00:01:00Z', '2026-03-09')", 60),
        ("IS_SAME('2026-03-09T23:00:00Z', NOW(), 'day')", True),
        ("IS_SAME('2026-03-01', NOW(), 'month')", True),
        ("IS_SAME('2026-02-01', NOW(), 'quarter')", True),
        ("IS_SAME('2026-03-08', NOW(), 'week')", True),
        ("IS_SAME('2026-03-09', NOW())", False),
        ("IS_SAME(TODAY(), '2026-03-09')", True),
        ("IS_BEFORE({Empty}, NOW())", False),
        ("DATETIME_FORMAT(NOW(), 'dddd, MMMM D YYYY, h:mm a')", "Monday, March 9 2026, 3:30 pm"),
        ("DATETIME_FORMAT(SET_TIMEZONE(NOW(), 'America/New_York'), 'HH:mm Z')", "11:30 -04:00"),
        ("DATESTR(DATETIME_PARSE('9 Mar 2026', 'D MMM YYYY'))", "2026-03-09"),
        ("DATETIME_PARSE('nonsense')", None),
        ("TIMESTR(NOW())", "15:30:45"),
    ],
)
def test_a_formula_means_what_the_book_says(formula: str, value: Any) -> None:
    assert worked_out(formula) == value


@pytest.mark.parametrize(
    "formula",
    ["1 / 0", "'x' + 1", "ERROR()", "MOD(1, 0)", "SQRT(-1)", "REPT('x', 999999)", "REGEX_MATCH('a', '(')",
     "DATEADD(NOW(), 1, 'fortnight')", "SET_TIMEZONE(NOW(), 'Nowhere')", "REGEX_EXTRACT('a', 'b')", "AVERAGE({Empty})",
     "POWER(10, 9999)", "DATEADD(NOW(), 99999, 'years')", "DATEADD(NOW(), 999999999, 'days')"],
)  # fmt: skip
def test_what_cannot_be_worked_out_is_an_error_and_no_hit(formula: str) -> None:
    with pytest.raises(BrokenValue):
        worked_out(formula)
    row = Row(id="rec1", created=NOW, modified=NOW, cells=CELLS)
    assert not compiled(formula, fields=FIELDS, modified_fields=frozenset(), now=NOW).test(row)


@pytest.mark.parametrize(
    "formula",
    ["", "(", "1 +", "'open", "{T", "NOPE(1)", "LEN()", "LEN(1, 2)", "AND()", "{Unknown} = 1", "Unknown", "1 2",
     "NOW(1)", "RECORD_ID('x')", "LAST_MODIFIED_TIME('x')", "WORKDAY(NOW(), 1)", "(" * 3000,
     "-" * 3000 + "1", "NOT(" * 300 + "1" + ")" * 300],
)  # fmt: skip
def test_formulas_outside_the_subset_get_the_services_own_error(rich: Running, formula: str) -> None:
    answer = ask(rich, "POST", f"/v0/{RICH}/{TASKS}/listRecords", json={"filterByFormula": formula})
    if formula:
        assert refusal(answer) == (422, "INVALID_FILTER_BY_FORMULA")
    else:
        assert answer.status_code == 200


def test_a_row_of_every_kind_of_cell_survives_a_round_trip(rich: Running) -> None:
    kinds = {
        "email": "a@b.example", "url": "https://b.example", "phoneNumber": "1", "richText": "**b**", "percent": 0.5,
        "currency": 9.99, "rating": 4, "duration": 60, "checkbox": True, "barcode": {"text": "1"}, "dateTime":
        "2026-03-09T01:02:03.000Z", "date": "2026-03-09", "multipleAttachments": [{"url": "https://b.example/x"}],
    }  # fmt: skip
    fields = [{"id": f"fldK{kind}", "name": kind, "type": kind} for kind in kinds]
    put(rich.store, SPACE, "table", {"id": "tblK", "name": "Kinds", "_base": RICH, "fields": fields}, day=4)
    table = client(rich).table(RICH, "Kinds")
    assert table.get(table.create(kinds)["id"])["fields"] == kinds
    for kind in ("percent", "checkbox", "barcode", "date", "dateTime", "multipleAttachments"):
        answer = ask(rich, "POST", f"/v0/{RICH}/tblK", json={"fields": {kind: "no such thing"}})
        assert refusal(answer) == (422, "INVALID_VALUE_FOR_COLUMN")
