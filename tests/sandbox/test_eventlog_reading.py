"""Event logs as the world writes them: separators, encodings, times, and rows that are no use."""

from __future__ import annotations

import csv
import gzip
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.eventlog import UnusableLog, load_log
from sandbox.eventlog.load import Loaded, report
from sandbox.eventlog.reading import Event, read_log, read_map
from sandbox.store import Store
from sandbox.world.identifiers import Mint

FINE = "ticket,when,who,what\nT1,2024-01-01T00:00:00Z,Ann,Open\n"
MAP = "case: ticket\ntime: when\nactor: who\nactivity: what\n"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "world.sqlite")


def put(place: Path, log: str, more: str = "", *, encoding: str = "utf-8", name: str = "log.csv") -> tuple[Path, Path]:
    """Write a log and its map."""
    paths = place / name, place / "map.yaml"
    raw = log.encode(encoding)
    paths[0].write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    paths[1].write_text(MAP + more, encoding="utf-8")
    return paths


def events(place: Path, log: str, more: str = "", **how: Any) -> list[Event]:
    """The events of a log all of whose rows are usable."""
    path, column_map = put(place, log, more, **how)
    found = list(read_log(path, read_map(column_map)))
    assert all(isinstance(row, Event) for row in found), found
    return [row for row in found if isinstance(row, Event)]


def load(place: Path, store: Store, log: str, more: str = "") -> Loaded:
    return load_log(store, Mint(7), *put(place, log, more), place)


# -- text -----------------------------------------------------------------------------------------------------

PLAIN = "ticket,when,who,what\nT1,2024-03-01T09:00:00Z,Zoë,Öffnen\n"


@pytest.mark.parametrize(
    ("encoding", "more", "name"),
    [
        ("utf-8", "", "log.csv"),
        ("utf-8-sig", "", "log.csv"),
        ("utf-16", "", "log.csv"),
        ("utf-16", "", "log.csv.gz"),
        ("cp1252", "encoding: cp1252\n", "log.csv"),
        ("latin-1", "encoding: latin-1\n", "log.csv.gz"),
    ],
)
def test_encodings(tmp_path: Path, encoding: str, more: str, name: str) -> None:
    (row,) = events(tmp_path, PLAIN, more, encoding=encoding, name=name)
    assert (row.actor, row.activity) == ("Zoë", "Öffnen")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_usual_separators_are_seen(tmp_path: Path, delimiter: str) -> None:
    (row,) = events(tmp_path, PLAIN.replace(",", delimiter))
    assert row.case == "T1"


def test_odd_separators_and_quotes_are_told(tmp_path: Path) -> None:
    log = "ticket~when~who~what\nT1~2024-03-01~'Ann ~ Bob'~'it''s\nlong'\n"
    (row,) = events(tmp_path, log, "delimiter: '~'\nquote: \"'\"\n")
    assert (row.actor, row.activity, row.line) == ("Ann ~ Bob", "it's\nlong", 3)


def test_a_wrong_encoding_says_what_to_do(tmp_path: Path, store: Store) -> None:
    with pytest.raises(UnusableLog, match=r"line 1.*codec|`encoding` in the map"):
        load_log(store, Mint(7), *put(tmp_path, PLAIN, encoding="cp1252"))


def test_xes_is_refused_with_a_way_out(tmp_path: Path, store: Store) -> None:
    with pytest.raises(UnusableLog, match="export the log as CSV"):
        load_log(store, Mint(7), *put(tmp_path, "<log/>", name="log.xes"))


# -- times ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "more", "told"),
    [
        ("2024-03-01T09:00:00.250+01:00", "", "2024-03-01T08:00:00.250000+00:00"),
        ("2024-03-01 09:00", "zone: Europe/Rome\n", "2024-03-01T08:00:00+00:00"),
        ("2024-07-01 09:00", "zone: Europe/Rome\n", "2024-07-01T07:00:00+00:00"),
        ("2024-07-01T09:00Z", "zone: Europe/Rome\n", "2024-07-01T09:00:00+00:00"),
        ("3/2/2024 9:05", "times: [day_first]\n", "2024-02-03T09:05:00+00:00"),
        ("03.02.24 21:05:06,5", "times: [day_first]\n", "2024-02-03T21:05:06.500000+00:00"),
        ("3/2/2024 9:05 PM", "times: [month_first]\n", "2024-03-02T21:05:00+00:00"),
        ("12/31/2024 12:05 am", "times: [month_first]\n", "2024-12-31T00:05:00+00:00"),
        ("1709283600", "times: [epoch]\n", "2024-03-01T09:00:00+00:00"),
        ("1709283600250", "times: [epoch_ms]\n", "2024-03-01T09:00:00.250000+00:00"),
        ("Fri 01 Mar 2024 09h00", "times: ['%a %d %b %Y %Hh%M']\n", "2024-03-01T09:00:00+00:00"),
        ("31/01/2024", "times: [iso, day_first]\n", "2024-01-31T00:00:00+00:00"),
    ],
)
def test_times(tmp_path: Path, text: str, more: str, told: str) -> None:
    (row,) = events(tmp_path, f'ticket,when,who,what\nT1,"{text}",Ann,Open\n', more)
    assert row.at.isoformat() == told


@pytest.mark.parametrize("text", ["31/31/2024", "2024-02-30", "3/2/2024 25:00", "3/2/2024 soon", "9999999999999999999"])
def test_times_that_are_none_are_reported_with_column_and_value(tmp_path: Path, store: Store, text: str) -> None:
    loaded = load(tmp_path, store, f"{FINE}T1,{text},Ann,Open\n", "times: [iso, day_first, epoch]\n")
    (row,) = loaded.unusable
    assert (row.line, row.column, row.value, row.kind) == (3, "when", text, "unreadable time")


def test_a_start_stands_in_for_a_missing_end_and_must_not_follow_it(tmp_path: Path, store: Store) -> None:
    log = """\
ticket,begin,when,who,what
T1,2024-03-01T09:00Z,2024-03-01T10:00Z,Ann,Open
T1,2024-03-01T11:00Z,,Bob,Look
T1,2024-03-01T12:00Z,2024-03-01T11:59Z,Bob,Close
T1,,,Bob,Close
"""
    path, column_map = put(tmp_path, log, "start: begin\n")
    rows = list(read_log(path, read_map(column_map)))
    assert [row.at.hour for row in rows if isinstance(row, Event)] == [10, 11]
    loaded = load_log(store, Mint(7), path, column_map)
    assert [(row.line, row.kind) for row in loaded.unusable] == [(4, "ends before it starts"), (5, "no time")]


# -- what the map says ----------------------------------------------------------------------------------------


def test_activities_become_statuses_and_phases_attributes_become_fields(tmp_path: Path, store: Store) -> None:
    log = """\
ticket,when,who,what,team,chan,until
T1,2024-03-01T09:00Z,Ann,Draft it,sf,Phone,
T1,2024-03-02T09:00Z,Bob,Check it,jira,,5/4/2024
T1,2024-03-03T09:00Z,Cid,Check it,at,Letter,
"""
    more = """\
group: team
due: until
times: [iso, day_first]
deal: {sf: salesforce, jira: jira, at: airtable}
status: {Draft it: Working, Check it: Checking}
phase: {Draft it: Brief, Check it: Proof}
fields: {Channel (1st): chan}
closed: [Check it]
"""
    loaded = load(tmp_path, store, log, more)
    assert loaded.tools == {"sf": "salesforce", "jira": "jira", "at": "airtable"}
    (case,) = store.scan("acme_salesforce", "Case")
    assert [case[name] for name in ("Status", "Phase__c", "Due__c", "Channel_1st__c")] == [
        "Working", "Brief", "2024-04-05", "Phone",
    ]  # fmt: skip
    (issue,) = store.scan("acme_jira", "issue")
    assert (issue["fields"]["status"]["name"], issue["fields"]["customfield_10300"]) == ("Checking", "Phone")
    assert issue["fields"]["customfield_10010"] == {"value": "Proof"}
    (field,) = (one for one in store.scan("acme_jira", "field") if one["id"] == "customfield_10300")
    assert field["name"] == "Channel (1st)"
    table = next(one for one in store.scan("studio_airtable", "table") if one["name"] == "Items")
    names = {one["id"]: one["name"] for one in table["fields"]}
    row = next(one for one in store.scan("studio_airtable", "record") if one["_table"] == table["id"])
    cells = {names[id_]: value for id_, value in row["fields"].items()}
    assert (cells["Channel (1st)"], cells["Phase"], cells["Due"]) == ("Phone", "Proof", "2024-04-05")
    phases = next(one for one in table["fields"] if one["name"] == "Phase")["options"]["choices"]
    assert "Proof" in {choice["name"] for choice in phases}
    assert loaded.configured.charter["statuses"]["acme_jira"] == {"Checking": "done"}


def test_the_role_decides_the_tool_where_no_group_is_told(tmp_path: Path, store: Store) -> None:
    rows = ("Ann,x,front,clerk", "Bob,x,,boss", "Cid,x,,")
    log = "ticket,when,who,what,team,role\n" + "".join(f"T1,2024-03-01,{row}\n" for row in rows)
    assert set(load(tmp_path, store, log, "group: team\nrole: role\n").tools) == {"front", "boss", "Cid"}


def test_only_the_wanted_lifecycles_count_and_the_others_are_counted(tmp_path: Path, store: Store) -> None:
    log = "ticket,when,who,what,step\n" + "".join(
        f"T1,2024-03-0{n},Ann,x,{step}\n"
        for n, step in enumerate(("start", "COMPLETE", "start", "complete", ""), start=1)
    )
    loaded = load(tmp_path, store, log, "lifecycle: step\n")
    assert (loaded.rows, loaded.events, loaded.left_out) == (5, 2, {"start": 2, "": 1})


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("group: team\ntitle: name\n", "no column name, team (there are: ticket, when, who, what)"),
        ("deal: {a: trello}\n", "deal: trello is no tool"),
        ("times: [iso8601]\n", "times: iso8601 is no format"),
        ("zone: Europe/Nowhere\n", "zone: there is no time zone Europe/Nowhere"),
        ("encoding: utf-99\n", "encoding: nobody knows utf-99"),
        ("delimiter: ';;'\n", "delimiter is not one character"),
        ("fields: chan\n", "fields has no keys"),
        ("closed: Done\n", "closed is not a list"),
        ("titel: name\n", "unknown key titel (did you mean title?)"),
        ("titel: name\nzone: Nowhere/City\n", "unknown key titel (did you mean title?), zone: there is no time zone"),
    ],
)
def test_a_map_that_does_not_fit_says_why(tmp_path: Path, store: Store, more: str, told: str) -> None:
    with pytest.raises(UnusableLog) as caught:
        load(tmp_path, store, PLAIN, more)
    assert told in str(caught.value)


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path, store: Store) -> None:
    with pytest.raises(UnusableLog, match="more than one column who"):
        load(tmp_path, store, "ticket,when,who,what,who\nT1,2024-03-01,Ann,x,Bob\n")


# -- nothing is dropped ---------------------------------------------------------------------------------------


def test_every_row_is_an_event_or_reported(tmp_path: Path, store: Store) -> None:
    rows = ["ticket,when,who,what,step"]
    for n in range(600):
        case = "" if n % 7 == 0 else f"T{n % 50}"
        when = "soon" if n % 11 == 0 else f"2024-03-{1 + n % 28:02d}T09:00:00Z"
        extra = ",one,two" if n % 13 == 0 else ""
        rows.append(
            f"{case},{when},{'' if n % 17 == 0 else f'P{n % 9}'},x,{'start' if n % 19 == 0 else 'complete'}{extra}"
        )
    loaded = load(tmp_path, store, "\n".join(rows), "lifecycle: step\n")
    assert loaded.rows == 600
    assert loaded.events + loaded.unusable_total + sum(loaded.left_out.values()) == 600
    assert sum(loaded.reasons.values()) == loaded.unusable_total == len(table(tmp_path))
    assert set(loaded.reasons) >= {"no case", "unreadable time", "no actor", "more cells than columns"}
    told = report(loaded)
    assert (told["rows"], told["unusable_by_reason"]) == (600, loaded.reasons)


def table(place: Path) -> list[dict[str, str]]:
    """The table of unusable rows."""
    with (place / "unusable_rows.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_has_all_rows_the_report_the_first_thousand(tmp_path: Path, store: Store) -> None:
    loaded = load(tmp_path, store, FINE + "T1,never,Ann,x\n" * 1500)
    assert (len(loaded.unusable), loaded.unusable_total, len(table(tmp_path))) == (1000, 1500, 1500)
    assert table(tmp_path)[-1] == {"line": "1502", "column": "when", "value": "never", "reason": "unreadable time"}


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@x", "=HYPERLINK(1)"])
def test_no_value_becomes_a_formula(tmp_path: Path, store: Store, value: str) -> None:
    load(tmp_path, store, f"{FINE}T1,{value},Ann,x\n")
    assert table(tmp_path)[0]["value"] == f"'{value}"


def test_a_log_without_a_usable_row_says_what_is_wrong_with_them(tmp_path: Path, store: Store) -> None:
    with pytest.raises(UnusableLog, match=r"none of its 2 rows can be used \(unreadable time: 2\)"):
        load(tmp_path, store, "ticket,when,who,what\n" + "T1,1.3.2024,Ann,x\n" * 2)


# -- size -----------------------------------------------------------------------------------------------------


def long_log(path: Path, rows: int) -> Path:
    """A log of many short cases by few people."""

    def lines() -> Iterator[str]:
        yield "ticket,when,who,what\n"
        for n in range(rows):
            yield f"T{n // 5:07d},2024-01-{1 + n % 28:02d}T{n % 24:02d}:00:00Z,P{n % 40},step {n % 6}\n"

    with path.open("w", encoding="utf-8") as file:
        file.writelines(lines())
    return path


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    peaks = []
    for rows in (3_000, 12_000):
        _, column_map = put(tmp_path, PLAIN)
        log = long_log(tmp_path / f"{rows}.csv", rows)
        store = Store(tmp_path / f"{rows}.sqlite")
        tracemalloc.start()
        loaded = load_log(store, Mint(7), log, column_map, tmp_path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        store.close()
        assert loaded.events == rows
    small, large = peaks
    # A batch of documents is all that is held; the longer log has many more batches, not larger ones.
    assert large < small * 1.5
