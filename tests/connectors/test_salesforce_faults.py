"""Walks under faults: whatever happens between two pages, the pull and the one after it miss nothing."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import requests
from contract import NOW
from salesforce_world import SPACE, case, connector_for, fill, put

CASES = 4500


@pytest.fixture
def org(company):
    def many(store):
        fill(store)
        for start in range(0, CASES, 1500):
            put(store, "Case", *(case(f"500000000B{n:05d}AAA", n, at(n), at(n)) for n in range(start, start + 1500)))

    return company({"salesforce": SPACE}, many)


def at(number):
    return (datetime(2026, 9, 1, tzinfo=UTC) + timedelta(seconds=number * 7)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def read(pages):
    """How often each version of each record came."""
    return Counter((raw.native_id, raw.version) for page in pages for raw in page.records)


def held(org):
    """What the org holds: every record in its present version."""
    docs = org.store.scan(SPACE, "Case")
    return {(doc["Id"], doc["SystemModstamp"]) for doc in docs if not doc.get("IsDeleted")}


@pytest.mark.parametrize(
    ("fault", "more"),
    [
        ("session_expired_mid_walk", {}),
        ("session_expired_mid_walk", {"times": 2}),
        ("edited_mid_walk", {}),
        ("deleted_between_pages", {}),
        ("equal_stamps", {"settings": {"count": 2500}}),
        ("late_commit", {"settings": {"seconds": 540}}),
        ("fewer_rows", {"settings": {"rows": 700}}),
    ],
)
def test_a_pull_and_the_next_one_hold_what_the_org_holds(org, fault, more):
    connector = connector_for(org)
    connector.check()
    org.order(tool="salesforce", fault=fault, **more)
    pages = list(connector.pull("Case", None, now=NOW))
    first = read(pages)
    assert max(first.values()) == 1
    second = list(connector.pull("Case", pages[-1].cursor, now=NOW))
    both = first + read(second)
    assert held(org) - both.keys() == set()


def test_a_locator_that_dies_among_equal_stamps_again_and_again_is_no_obstacle(org):
    stamp = at(0)
    put(org.store, "Case", *(case(f"500000000B{n:05d}AAA", n, stamp, stamp) for n in range(CASES)))
    org.order(tool="salesforce", fault="session_expired_mid_walk", times=2)
    came = read(connector_for(org).pull("Case", None, now=NOW))
    assert came.keys() == held(org)
    assert max(came.values()) == 1


def test_a_crash_among_equal_stamps_goes_on_behind_the_last_committed_record(org):
    stamp = at(0)
    put(org.store, "Case", *(case(f"500000000B{n:05d}AAA", n, stamp, stamp) for n in range(CASES)))
    walk = connector_for(org).pull("Case", None, now=NOW)
    kept = [next(walk), next(walk)]
    rest = list(connector_for(org).pull("Case", kept[-1].cursor, now=NOW))
    came = read(kept + rest)
    assert came.keys() == held(org)
    assert max(came.values()) == 1


def test_what_became_visible_late_during_an_interrupted_walk_is_read_by_the_one_after(org):
    recent, late = ago(1), ago(9)
    put(org.store, "Case", *(case(f"500000000R{n:05d}AAA", n, recent, recent) for n in range(2500)))
    walk = connector_for(org).pull("Case", None, now=NOW)
    kept = [next(walk), next(walk), next(walk)]
    put(org.store, "Case", case("5000000000000L1AAA", 1009, late, late))
    requests.post(f"{org.addresses['control']}/clock", json={"advance": 300}, timeout=5).raise_for_status()
    kept += connector_for(org).pull("Case", kept[-1].cursor, now=NOW)
    kept += connector_for(org).pull("Case", kept[-1].cursor, now=NOW)
    assert read(kept).keys() == held(org)


def ago(minutes):
    return (datetime.now(UTC) - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
