"""First loads in bulk: the same records as by query, resumable at every page."""

from datetime import UTC, datetime, timedelta

import pytest
import requests
from contract import NOW, keys
from salesforce_world import SECRET, SPACE, case, configured, connector_for, fill, put

from connectors.salesforce import bulk
from connectors.salesforce.connector import SalesforceConnector
from hub.charter.secret import Secret
from hub.errors import SourceBroken, SourceUnavailable

CASES = 3000


@pytest.fixture
def org(company):
    def many(store):
        fill(store)
        odd = {"Subject": 'say "ja",\nthen "no"', "Due__c": "2026-12-01", "Phase__c": "00123"}
        for start in range(0, CASES, 1500):
            put(
                store,
                "Case",
                *(
                    case(f"500000000B{n:05d}AAA", n, at(n), at(n), **(odd if n % 7 == 0 else {}))
                    for n in range(start, start + 1500)
                ),
            )

    return company({"salesforce": SPACE}, many)


def at(number):
    return (datetime(2026, 9, 1, tzinfo=UTC) + timedelta(seconds=number * 7)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def in_bulk(org, sleep=lambda _: None):
    source = configured(org.addresses["salesforce"], bulk_above=1000)
    return SalesforceConnector(SPACE, source, lambda _: Secret(SECRET), sleep=sleep)


def read(pages):
    return sorted(raw.digest for page in pages for raw in page.records)


def settings(org, **said):
    org.store.put(SPACE, "_settings", [("settings", "2026-01-01T00:00:00Z", said)])


def advance(org, seconds):
    requests.post(f"{org.addresses['control']}/clock", json={"advance": seconds}, timeout=5).raise_for_status()


def asked(org, method, path):
    return [e for e in org.journal(tool="salesforce", method=method, limit="5000") if path in e["path"]]


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(bulk, "PAGE", 700)


def test_bulk_and_query_bring_the_very_same_records(org, small_pages):
    by_query = list(connector_for(org).pull("Case", None, now=NOW))
    loaded = list(in_bulk(org).pull("Case", None, now=NOW))
    assert read(loaded) == read(by_query)
    assert keys({"Case": loaded}) == keys({"Case": by_query})
    assert loaded[-1].total == CASES + 3
    assert len(asked(org, "POST", "/jobs/query")) == 1


def test_the_pull_after_a_bulk_load_reads_what_changed_since_it_began(org, small_pages):
    walk = in_bulk(org).pull("Case", None, now=NOW)
    pages = [next(walk), next(walk)]
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    put(org.store, "Case", case("5000000000000L1AAA", 1009, now, now))
    pages += walk
    (page,) = in_bulk(org).pull("Case", pages[-1].cursor, now=NOW)
    assert [raw.native_id for raw in page.records] == ["5000000000000L1AAA"]
    assert len(asked(org, "POST", "/jobs/query")) == 1


def test_a_load_that_was_stopped_at_any_page_goes_on_with_the_same_job(org, small_pages):
    pages = list(in_bulk(org).pull("Case", None, now=NOW))
    whole = read(pages)
    assert len(pages) > 4
    for count in range(1, len(pages)):
        rest = list(in_bulk(org).pull("Case", pages[count - 1].cursor, now=NOW))
        assert read(pages[:count] + rest) == whole, count
    assert len(asked(org, "POST", "/jobs/query")) == 1


def test_a_batch_within_a_page_never_moves_the_position_past_the_page(org, monkeypatch):
    monkeypatch.setattr(bulk, "_BATCH", 1000)
    pages = list(in_bulk(org).pull("Case", None, now=NOW))
    assert len({page.cursor for page in pages[:-1]}) == 1
    rest = list(in_bulk(org).pull("Case", pages[1].cursor, now=NOW))
    assert set(read(pages[:2] + rest)) == set(read(pages))


def test_a_job_the_org_has_forgotten_is_asked_for_anew(org, small_pages):
    walk = in_bulk(org).pull("Case", None, now=NOW)
    kept = [next(walk), next(walk)]
    advance(org, 8 * 86_400)
    rest = list(in_bulk(org).pull("Case", kept[-1].cursor, now=NOW))
    assert len(read(rest)) == CASES + 3


def test_the_wait_for_a_job_is_in_growing_steps(org):
    settings(org, bulk_seconds=60)
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        advance(org, seconds)

    assert len(read(in_bulk(org, sleep).pull("Case", None, now=NOW))) == CASES + 3
    assert pauses[:4] == [0.5, 1.0, 2.0, 4.0]
    assert max(pauses) <= 10


def test_a_job_that_takes_too_long_is_gone_on_with_by_the_next_pull(org):
    settings(org, bulk_seconds=100_000)
    walk = in_bulk(org).pull("Case", None, now=NOW)
    waiting = next(walk)
    with pytest.raises(SourceUnavailable, match="still"):
        next(walk)
    advance(org, 100_000)
    assert len(read(in_bulk(org).pull("Case", waiting.cursor, now=NOW))) == CASES + 3
    assert len(asked(org, "POST", "/jobs/query")) == 1


def test_an_org_that_takes_no_job_is_read_by_query(org):
    body = '[{"errorCode": "API_DISABLED_FOR_ORG", "message": "no bulk"}]'
    org.order(tool="salesforce", path="/jobs/query", action="status", status=400, body=body, times=None)
    assert len(read(in_bulk(org).pull("Case", None, now=NOW))) == CASES + 3


def test_a_page_with_fewer_rows_than_announced_is_broken(org):
    org.order(
        tool="salesforce", path="/results", action="status", status=200, body='"Id"\n"500"\n',
        headers={"Content-Type": "text/csv", "Sforce-NumberOfRecords": "2", "Sforce-Locator": "null"},
    )  # fmt: skip
    with pytest.raises(SourceBroken, match="not what was announced"):
        list(in_bulk(org).pull("Case", None, now=NOW))


def test_small_objects_take_no_job(org):
    list(in_bulk(org).pull("Opportunity", None, now=NOW))
    list(in_bulk(org).pull("users", None, now=NOW))
    assert asked(org, "POST", "/jobs/query") == []
