"""Records that could not be read are tried again with a corrected mapping, or as they are in their tool by now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import airtable_world
import jira_world
import pytest
import salesforce_world

from connectors.base import Connector, OwnerWriter
from hub.domain.records import Observation, Page, Problem, Quarantined, RawRecord
from hub.errors import SourceUnavailable
from hub.flow.quarantine import ANEW, FROM_PAYLOAD, retry
from hub.flow.sync import pull
from hub.ledger import Ledger

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    with Ledger.open(ledger_url) as opened:
        yield opened


@dataclass
class Tool:
    """A tool with records 1 and 2. `odd` ones cannot be read from the tool, `stubborn` ones from no payload."""

    odd: set[str] = field(default_factory=set)
    stubborn: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    down: bool = False
    fetched: list[list[str]] = field(default_factory=list)
    calls: int = 0
    writer: OwnerWriter | None = None

    def page(self, native: str, payload: bytes, *, odd: bool, cursor: str | None = None) -> Page:
        if odd:
            aside = Quarantined(source="s", stream="items", native_id=native, reason="still odd", payload=payload)
            return Page(records=(), observations=(), quarantined=(aside,), cursor=cursor)
        raw = RawRecord(source="s", stream="items", native_id=native, version="1", payload=payload, fetched_at=NOW)
        said = Observation(
            source="s", entity="item", record=native, field="title", value="A", valid_from=NOW, origin="history"
        )
        return Page(records=(raw,), observations=(said,), cursor=cursor)

    def streams(self) -> tuple[str, ...]:
        return ("items",)

    def pull(self, stream: str, cursor: str | None, *, now: datetime) -> Iterator[Page]:
        for native in ("1", "2"):
            yield self.page(native, native.encode(), odd=native in self.odd, cursor=f"after {native}")

    def census(self, stream: str) -> int | None:
        return None

    def check(self) -> tuple[Problem, ...]:
        return ()

    def reparse(self, stream: str, payload: bytes, *, now: datetime) -> Page | None:
        native = payload.decode().removeprefix("anew ")
        return None if native in self.unsure else self.page(native, payload, odd=native in self.stubborn)

    def fetch(self, stream: str, ids: Sequence[str], *, now: datetime) -> Iterator[Page]:
        if self.down:
            raise SourceUnavailable("s: no answer", source="s", hint="the next sync tries again")
        self.fetched.append(list(ids))
        for native in ids:
            if native not in self.gone:
                yield self.page(native, b"anew " + native.encode(), odd=native in self.odd, cursor="elsewhere")


@pytest.fixture
def held(ledger: Ledger, clock: Clock) -> Tool:
    """A tool both of whose records were put aside by a pull."""
    tool = Tool(odd={"1", "2"})
    pull(ledger, lambda _: tool, ["s"], clock=clock)
    assert [each.native_id for each in ledger.quarantined()] == ["1", "2"]
    return tool


def state(ledger: Ledger) -> dict[str, str]:
    return {each.native_id: each.reason for each in ledger.quarantined()}


def test_what_the_payload_tells_now_is_released_without_asking_the_tool(
    ledger: Ledger, clock: Clock, held: Tool
) -> None:
    report = retry(ledger, lambda _: held, ["s"], clock=clock)
    assert [(each.native_id, each.released, each.note) for each in report.records] == [
        ("1", True, FROM_PAYLOAD),
        ("2", True, FROM_PAYLOAD),
    ]
    assert held.fetched == []
    assert state(ledger) == {}
    assert ledger.observations().num_rows == 2
    notes = [each.reason for each in ledger.released()]
    assert all(note.startswith(f"still odd | released: {FROM_PAYLOAD}, quarantine-") for note in notes), notes


def test_the_tool_is_asked_for_what_the_payload_cannot_tell(ledger: Ledger, clock: Clock, held: Tool) -> None:
    held.stubborn, held.unsure, held.odd = {"1"}, {"2"}, set()
    report = retry(ledger, lambda _: held, ["s"], clock=clock)
    assert [each.note for each in report.released] == [ANEW, ANEW]
    assert held.fetched == [["1", "2"]]
    assert state(ledger) == {}


def test_what_still_cannot_be_read_stays_with_its_new_reason(ledger: Ledger, clock: Clock, held: Tool) -> None:
    held.stubborn, held.gone = {"1"}, {"1"}
    report = retry(ledger, lambda _: held, ["s"], clock=clock)
    assert [each.native_id for each in report.released] == ["2"]
    assert [(each.native_id, each.note) for each in report.held] == [("1", "still odd")]
    assert state(ledger) == {"1": "still odd"}


def test_trying_again_changes_nothing_more(ledger: Ledger, clock: Clock, held: Tool) -> None:
    held.stubborn = {"1"}
    retry(ledger, lambda _: held, ["s"], clock=clock)
    before = (state(ledger), ledger.head(), ledger.released(), ledger.cursor("s", "items"))
    report = retry(ledger, lambda _: held, ["s"], clock=clock)
    assert [each.native_id for each in report.held] == ["1"]
    assert (state(ledger), ledger.head(), ledger.released(), ledger.cursor("s", "items")) == before


def test_the_cursor_stays_where_the_pull_left_it(ledger: Ledger, clock: Clock, held: Tool) -> None:
    held.unsure, held.odd = {"1", "2"}, set()
    retry(ledger, lambda _: held, ["s"], clock=clock)
    assert ledger.cursor("s", "items") == "after 2"


def test_a_tool_that_does_not_answer_keeps_its_records_and_says_what_to_do(
    ledger: Ledger, clock: Clock, held: Tool
) -> None:
    held.unsure, held.down = {"2"}, True
    report = retry(ledger, lambda _: held, ["s"], clock=clock)
    assert [each.native_id for each in report.released] == ["1"]
    assert [(each.error, each.hint) for each in report.failures] == [
        ("s: no answer", "wait: the next sync tries again")
    ]
    assert list(state(ledger)) == ["2"]


def test_only_the_named_sources_are_tried(ledger: Ledger, clock: Clock, held: Tool) -> None:
    assert retry(ledger, lambda _: held, ["other"], clock=clock).records == ()
    assert len(state(ledger)) == 2


def test_a_stream_the_charter_dropped_is_named(ledger: Ledger, clock: Clock, held: Tool) -> None:
    held.streams = lambda: ("others",)  # type: ignore[method-assign]  # the charter names another stream now
    report = retry(ledger, lambda _: held, ["s"], clock=clock)
    assert {each.note for each in report.held} == {"the charter no longer asks for items"}
    assert len(state(ledger)) == 2


def test_a_newer_state_put_aside_meanwhile_is_not_lost_to_the_older_one(
    ledger: Ledger, clock: Clock, held: Tool
) -> None:
    older = held.reparse

    def reparse(stream: str, payload: bytes, *, now: datetime) -> Page | None:
        if payload == b"1":
            aside = held.page("1", b"newer", odd=True)
            ledger.append("a pull", "items", "s", aside, recorded_at=clock())
        return older(stream, payload, now=now)

    held.reparse, held.down = reparse, True  # type: ignore[method-assign]  # a pull comes in between
    report = retry(ledger, lambda _: held, ["s"], clock=clock)
    assert [each.native_id for each in report.released] == ["2"]
    assert [(each.native_id, each.payload) for each in ledger.quarantined()] == [("1", b"newer")]


def test_a_record_put_aside_once_more_loses_its_note(ledger: Ledger, clock: Clock, held: Tool) -> None:
    retry(ledger, lambda _: held, ["s"], clock=clock)
    pull(ledger, lambda _: held, ["s"], clock=clock, full=True)
    assert state(ledger) == {"1": "still odd", "2": "still odd"}
    assert ledger.released() == ()


# -- the real connectors: a charter that named the wrong field, and was corrected ---------------------------


def test_salesforce_cases_are_read_from_their_payloads_when_the_mapping_is_right(
    company: Callable[..., Any], ledger: Ledger, clock: Clock
) -> None:
    org = company({"salesforce": salesforce_world.SPACE}, salesforce_world.fill)

    def connector(owner: str) -> Connector:
        case = {"title": "Subject", "status": "Status", "owner": owner, "references": ["OwnerId"], "tracked": []}
        return salesforce_world.connector_for(org, objects={"Case": case})

    _is_released_from_payload(ledger, clock, salesforce_world.SPACE, connector("Activity__c"), connector("OwnerId"))


def test_jira_issues_are_read_from_their_payloads_when_the_mapping_is_right(
    company: Callable[..., Any], ledger: Ledger, clock: Clock
) -> None:
    site = company({"jira": jira_world.SPACE}, jira_world.fill)
    doc = site.store.get(jira_world.SPACE, "issue", jira_world.FIRST)
    odd = {**doc["fields"], jira_world.PHASE: {"cascade": 7}}
    jira_world.put_issue(site.store, {**doc, "fields": odd})
    wrong = jira_world.connector_for(site, fields={"phase": jira_world.PHASE})
    _is_released_from_payload(
        ledger, clock, jira_world.SPACE, wrong, jira_world.connector_for(site, fields={"references": ["description"]})
    )


def test_airtable_rows_are_read_from_their_payloads_when_the_mapping_is_right(
    company: Callable[..., Any], ledger: Ledger, clock: Clock
) -> None:
    base = company({"airtable": airtable_world.SPACE}, airtable_world.fill)

    def connector(owner: str) -> Connector:
        items = {
            "table": airtable_world.ITEMS, "title": airtable_world.TITLE, "owner": owner,
            "phase": airtable_world.PHASE, "approver": airtable_world.APPROVER, "modified": airtable_world.MODIFIED,
        }  # fmt: skip
        return airtable_world.connector_for(base, items=items, updates=None)

    row = base.store.get(airtable_world.SPACE, "record", airtable_world.FIRST)
    cells = {**row["fields"], airtable_world.OWNER: "Ada, probably"}
    airtable_world.put_item(base.store, airtable_world.FIRST, airtable_world.at(5, 10), cells)
    wrong, right = connector(airtable_world.OWNER), connector(airtable_world.APPROVER)
    _is_released_from_payload(ledger, clock, airtable_world.SPACE, wrong, right)


def _is_released_from_payload(ledger: Ledger, clock: Clock, source: str, wrong: Connector, right: Connector) -> None:
    pull(ledger, lambda _: wrong, [source], clock=clock)
    aside = {each.native_id for each in ledger.quarantined()}
    assert aside
    report = retry(ledger, lambda _: right, [source], clock=clock)
    assert report.failures == ()
    assert {each.native_id for each in report.released if each.note == FROM_PAYLOAD} == aside
    titled = ledger.observations().filter(_is_title(ledger)).column("record").to_pylist()
    assert aside <= set(titled)


def _is_title(ledger: Ledger) -> Any:
    import pyarrow.compute as pc

    return pc.equal(ledger.observations().column("field"), "title")


# -- the real connectors: a record that was wrong in its tool, and was corrected there ----------------------


def test_a_salesforce_case_is_read_anew_once_it_is_right(
    company: Callable[..., Any], ledger: Ledger, clock: Clock
) -> None:
    space, case = salesforce_world.SPACE, salesforce_world.CASE_2
    org = company({"salesforce": space}, salesforce_world.fill)
    right = org.store.get(space, "Case", case)
    org.store.put(space, "Case", [(case, "2026-11-01T00:00:00Z", {**right, "OwnerId": None})])

    def correct() -> None:
        org.store.put(space, "Case", [(case, "2026-11-01T00:00:00Z", right)])

    _is_read_anew(ledger, clock, space, case, salesforce_world.connector_for(org), correct)


def test_a_jira_issue_is_read_anew_once_it_is_right(company: Callable[..., Any], ledger: Ledger, clock: Clock) -> None:
    space, issue = jira_world.SPACE, jira_world.SECOND
    site = company({"jira": space}, jira_world.fill)
    right = site.store.get(space, "issue", issue)
    fields = {name: value for name, value in right["fields"].items() if name != "summary"}
    jira_world.put_issue(site.store, {**right, "fields": fields})
    connector = jira_world.connector_for(site)
    _is_read_anew(ledger, clock, space, issue, connector, lambda: jira_world.put_issue(site.store, right))


def test_an_airtable_row_is_read_anew_once_it_is_right(
    company: Callable[..., Any], ledger: Ledger, clock: Clock
) -> None:
    space, row = airtable_world.SPACE, airtable_world.SECOND
    base = company({"airtable": space}, airtable_world.fill)
    at, title, owner = airtable_world.at(6), airtable_world.TITLE, airtable_world.OWNER
    airtable_world.put_item(base.store, row, at, {title: "Banner", owner: "Ada, probably"})

    def correct() -> None:
        airtable_world.put_item(base.store, row, at, {title: "Banner"})

    _is_read_anew(ledger, clock, space, row, airtable_world.connector_for(base), correct)


def _is_read_anew(
    ledger: Ledger, clock: Clock, source: str, record: str, connector: Connector, correct: Callable[[], None]
) -> None:
    pull(ledger, lambda _: connector, [source], clock=clock)
    assert [each.native_id for each in ledger.quarantined()] == [record]
    assert [each.native_id for each in retry(ledger, lambda _: connector, [source], clock=clock).held] == [record]
    correct()
    report = retry(ledger, lambda _: connector, [source], clock=clock)
    assert report.failures == ()
    assert [(each.native_id, each.note) for each in report.released] == [(record, ANEW)]
    assert ledger.quarantined() == ()


# -- a payload that may lack what the charter asks for now is not believed ----------------------------------


def test_a_salesforce_payload_without_a_field_or_its_history_is_not_enough(company: Callable[..., Any]) -> None:
    org = company({"salesforce": salesforce_world.SPACE}, salesforce_world.fill)

    def connector(**changes: Any) -> Any:
        case = {"title": "Subject", "status": "Status", "tracked": [], **changes}
        return salesforce_world.connector_for(org, objects={"Case": case})

    payload = next(connector().pull("Case", None, now=NOW)).records[0].payload
    assert connector().reparse("Case", payload, now=NOW).records
    assert connector(phase="Phase__c").reparse("Case", payload, now=NOW) is None
    assert connector(tracked=["Status"]).reparse("Case", payload, now=NOW) is None


def test_a_jira_payload_without_a_field_is_not_enough(company: Callable[..., Any]) -> None:
    site = company({"jira": jira_world.SPACE}, jira_world.fill)
    plain = jira_world.connector_for(site, fields={})
    payload = next(plain.pull("issues:ACME", None, now=NOW)).records[0].payload
    assert plain.reparse("issues:ACME", payload, now=NOW).records
    wider = jira_world.connector_for(site, fields={"phase": jira_world.PHASE})
    assert wider.reparse("issues:ACME", payload, now=NOW) is None


def test_an_airtable_payload_without_a_cell_is_not_enough(company: Callable[..., Any]) -> None:
    base = company({"airtable": airtable_world.SPACE}, airtable_world.fill)

    def connector(**more: str) -> Any:
        items = {
            "table": airtable_world.ITEMS, "title": airtable_world.TITLE, "owner": airtable_world.OWNER,
            "modified": airtable_world.MODIFIED, **more,
        }  # fmt: skip
        return airtable_world.connector_for(base, items=items, updates=None)

    records = [raw for page in connector().pull("items", None, now=NOW) for raw in page.records]
    payload = next(raw.payload for raw in records if raw.native_id == airtable_world.FIRST)
    assert connector().reparse("items", payload, now=NOW).records
    assert connector(due=airtable_world.DUE).reparse("items", payload, now=NOW) is None
