"""What every connector promises, as one suite: inherit `ConnectorContract` and give it a `bench`.

    class TestJira(ConnectorContract):
        @pytest.fixture
        def bench(self, company):
            ...
            return Bench(connect=..., with_wrong_secret=..., fault=..., spoil=..., idle_calls=3)

The servers behind a bench are real; whatever a connector cannot be asked is left None and named in the docs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from connectors.base import Connector
from hub.domain.records import Field, Observation, Origin, Page
from hub.errors import SourceBroken, SourceError, SourceRefused, SourceUnavailable

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
WRONG_SECRET = "canary-2f9d-never-shown"
_ACCOUNT_FIELDS = {"name", "email", "active", "kind"}


@dataclass
class Bench:
    """One source on real servers.

    `fault("html" | "truncate" | "down")` makes every further read fail that way; `spoil()` makes one record
    unreadable and returns (stream, native id); `idle_calls` is the most a sync without changes may cost,
    over all streams; `writes()` lists requests that changed something in the tool.
    """

    connect: Callable[[], Connector]
    with_wrong_secret: Callable[[], Connector]
    fault: Callable[[str], None] | None = None
    spoil: Callable[[], tuple[str, str]] | None = None
    writes: Callable[[], list[Any]] | None = None
    idle_calls: int = 20


def pulled(connector: Connector, cursors: dict[str, str | None] | None = None) -> dict[str, list[Page]]:
    """All pages of all streams."""
    start = cursors or {}
    return {s: list(connector.pull(s, start.get(s), now=NOW)) for s in connector.streams()}


def observations(pages: dict[str, list[Page]]) -> list[Observation]:
    """Everything observed, in order."""
    return [each for stream in pages.values() for page in stream for each in page.observations]


def keys(pages: dict[str, list[Page]]) -> set[str]:
    """Idempotency keys of everything observed."""
    return {each.key for each in observations(pages)}


class ConnectorContract:
    """Inherit, and define the `bench` fixture."""

    @pytest.fixture
    def bench(self) -> Bench:
        raise NotImplementedError

    def test_accounts_come_first_and_something_is_said_about_items(self, bench: Bench) -> None:
        pages = pulled(bench.connect())
        first, *others = pages.values()
        assert {each.entity for page in first for each in page.observations} <= {"account"}
        entities = {each.entity for stream in others or [first] for page in stream for each in page.observations}
        assert "item" in entities

    def test_every_observation_is_well_formed_and_leads_back_to_its_raw_record(self, bench: Bench) -> None:
        connector = bench.connect()
        for stream, stream_pages in pulled(connector).items():
            for page in stream_pages:
                assert page.cursor is not None
                digests = {raw.digest for raw in page.records}
                assert all(raw.stream == stream and raw.native_id and raw.payload for raw in page.records)
                for each in page.observations:
                    assert each.raw in digests
                    assert each.record
                    assert each.field in get_args(Field)
                    assert each.origin in get_args(Origin)
                    assert each.valid_from.utcoffset() == timedelta(0)
                    assert each.value != ""
                    assert (each.entity == "account") == (each.field in _ACCOUNT_FIELDS)
                    if each.field in {"identifier", "reference"}:
                        assert each.part
                        assert all(each.value.split("\n")) if each.value is not None else True
                    if each.field in {"update", "approval", "approver"}:
                        assert each.part

    def test_each_item_has_an_identifier(self, bench: Bench) -> None:
        told = [each for each in observations(pulled(bench.connect())) if each.entity == "item"]
        named = {each.record for each in told if each.field == "identifier"}
        assert {each.record for each in told if each.field == "title"} <= named

    def test_pulling_twice_says_the_same(self, bench: Bench) -> None:
        assert keys(pulled(bench.connect())) == keys(pulled(bench.connect()))

    def test_a_sync_without_changes_observes_nothing_new_and_is_cheap(self, bench: Bench) -> None:
        connector = bench.connect()
        pages = pulled(connector)
        cursors = {stream: stream_pages[-1].cursor for stream, stream_pages in pages.items() if stream_pages}
        before = connector.calls
        again = pulled(connector, cursors)
        assert keys(again) <= keys(pages)
        assert connector.calls - before <= bench.idle_calls

    def test_a_crash_after_any_page_loses_nothing(self, bench: Bench) -> None:
        whole = pulled(bench.connect())
        for stream, stream_pages in whole.items():
            everything = keys({stream: stream_pages})
            for count in range(1, len(stream_pages)):
                resumed = list(bench.connect().pull(stream, stream_pages[count - 1].cursor, now=NOW))
                assert keys({stream: stream_pages[:count] + resumed}) == everything, (stream, count)

    def test_census_agrees_with_what_was_pulled(self, bench: Bench) -> None:
        connector = bench.connect()
        for stream, stream_pages in pulled(connector).items():
            counted = connector.census(stream)
            ids = {raw.native_id for page in stream_pages for raw in page.records}
            assert counted in {None, len(ids)}, stream

    def test_a_healthy_source_has_no_problems_and_looking_changes_nothing(self, bench: Bench) -> None:
        connector = bench.connect()
        assert connector.check() == ()
        pulled(connector)
        for stream in connector.streams():
            connector.census(stream)
        if bench.writes is not None:
            assert bench.writes() == []

    def test_a_wrong_secret_is_refused_with_a_hint_and_never_shown(self, bench: Bench) -> None:
        connector = bench.with_wrong_secret()
        problems = connector.check()
        assert problems
        assert not any(WRONG_SECRET in problem.what + problem.hint for problem in problems)
        with pytest.raises(SourceRefused) as refused:
            pulled(connector)
        assert refused.value.hint
        assert WRONG_SECRET not in f"{refused.value!r} {refused.value.message} {refused.value.hint}"
        assert "\n" not in refused.value.message

    @pytest.mark.parametrize(
        ("fault", "expected"),
        [("html", SourceBroken), ("truncate", SourceBroken), ("down", SourceUnavailable)],
    )
    def test_a_sick_service_is_one_clear_error(self, bench: Bench, fault: str, expected: type[SourceError]) -> None:
        if bench.fault is None:
            pytest.skip("this tool is no HTTP service")
        connector = bench.connect()
        streams = connector.streams()
        list(connector.pull(streams[0], None, now=NOW))
        bench.fault(fault)
        with pytest.raises(expected) as raised:
            list(connector.pull(streams[-1], None, now=NOW))
        assert raised.value.source
        assert "\n" not in raised.value.message

    def test_an_unreadable_record_is_quarantined_and_the_others_go_on(self, bench: Bench) -> None:
        if bench.spoil is None:
            pytest.skip("no record of this tool can be unreadable")
        stream, native_id = bench.spoil()
        pages = list(bench.connect().pull(stream, None, now=NOW))
        spoilt = [each for page in pages for each in page.quarantined]
        assert [(each.stream, each.native_id) for each in spoilt] == [(stream, native_id)]
        assert spoilt[0].reason
        assert native_id not in {raw.native_id for page in pages for raw in page.records}
        assert any(page.records for page in pages)
