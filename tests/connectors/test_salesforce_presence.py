"""What an org says is gone: deleted, merged, hidden; told by its log, its bin, or a direct read."""

from datetime import UTC, datetime, timedelta

import pytest
import requests
from contract import NOW
from salesforce_world import ADA, CASE_1, CASE_2, CASE_3, SECRET, SPACE, case, connector_for, fill, put

from connectors.base import PresenceTeller
from hub.errors import SourceBroken, SourceUnavailable
from hub.flow.ingest import pull_source
from hub.ledger import Ledger

DATA = "/services/data/v59.0"


@pytest.fixture
def org(company):
    return company({"salesforce": SPACE}, fill)


def token(org):
    form = {"grant_type": "client_credentials", "client_id": "hub-client", "client_secret": SECRET}
    answer = requests.post(f"{org.addresses['salesforce']}/services/oauth2/token", data=form, timeout=5)
    return answer.json()["access_token"]


def delete(org, *ids):
    for id_ in ids:
        address = f"{org.addresses['salesforce']}{DATA}/sobjects/Case/{id_}"
        answer = requests.delete(address, headers={"Authorization": f"Bearer {token(org)}"}, timeout=5)
        assert answer.status_code == 204, answer.text


def by_soap(org, inner):
    envelope = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com"><e:Header>'
        f"<SessionHeader><sessionId>{token(org)}</sessionId></SessionHeader></e:Header><e:Body>{inner}</e:Body>"
        "</e:Envelope>"
    )
    address = f"{org.addresses['salesforce']}/services/Soap/u/59.0"
    answer = requests.post(address, data=envelope, headers={"Content-Type": "text/xml", "SOAPAction": "x"}, timeout=5)
    assert "<success>true</success>" in answer.text, answer.text


def merge(org, winner, loser):
    by_soap(
        org,
        f"<merge><request><masterRecord><type>Case</type><Id>{winner}</Id></masterRecord>"
        f"<recordToMergeIds>{loser}</recordToMergeIds></request></merge>",
    )


def advance(org, **time):
    seconds = timedelta(**time).total_seconds()
    requests.post(f"{org.addresses['control']}/clock", json={"advance": seconds}, timeout=5).raise_for_status()


def told(absences):
    return {(each.record, each.kind, each.into) for each in absences}


def test_the_ids_of_a_stream_are_those_its_pull_brings(org):
    connector = connector_for(org)
    assert isinstance(connector, PresenceTeller)
    for stream in connector.streams():
        pulled = {raw.native_id for page in connector.pull(stream, None, now=NOW) for raw in page.records}
        assert sorted(connector.ids(stream)) == sorted(pulled), stream


def test_ids_over_several_pages_are_complete(org):
    stamp = "2026-10-09T09:00:00.000+0000"
    put(org.store, "Case", *(case(f"500000000B{n:05d}AAA", n, stamp, stamp) for n in range(4500)))
    ids = list(connector_for(org).ids("Case"))
    assert (len(ids), len(set(ids))) == (4503, 4503)


def test_a_listing_that_fails_is_an_error_and_no_shorter_listing(org):
    org.order(tool="salesforce", path="/query", action="down", times=None)
    with pytest.raises(SourceUnavailable):
        list(connector_for(org).ids("Case"))


def test_a_deletion_is_told_once_it_happened_with_the_org_s_own_time(org):
    connector = connector_for(org)
    before, cursor = connector.deletions("Case", None, now=NOW)
    assert before == ()
    delete(org, CASE_1)
    absences, cursor = connector.deletions("Case", cursor, now=NOW)
    assert told(absences) == {(CASE_1, "deleted", "")}
    assert abs(absences[0].at - datetime.now(UTC)) < timedelta(minutes=1)
    assert "deletions" in absences[0].evidence
    # the comment that went with it
    comments, _ = connector.deletions("Case.comments", None, now=NOW)
    assert told(comments) == {("00a0000000000N1AAA", "deleted", "")}
    advance(org, minutes=5)
    connector.check()
    _, cursor = connector.deletions("Case", cursor, now=NOW)
    assert connector.deletions("Case", cursor, now=NOW)[0] == ()


def test_nothing_deleted_in_the_minute_that_was_running_is_lost(org):
    connector = connector_for(org)
    cursor = None
    seen = set()
    for id_ in (CASE_1, CASE_2, CASE_3):
        delete(org, id_)
        absences, cursor = connector.deletions("Case", cursor, now=NOW)
        seen |= told(absences)
        advance(org, seconds=30)
        connector.check()  # any reply tells the org's clock
    assert seen == {(id_, "deleted", "") for id_ in (CASE_1, CASE_2, CASE_3)}


def test_the_loser_of_a_merge_leads_to_the_survivor(org):
    merge(org, CASE_1, CASE_2)
    connector = connector_for(org)
    absences, _ = connector.deletions("Case", None, now=NOW)
    assert told(absences) == {(CASE_2, "merged", CASE_1)}
    assert told(connector.prove("Case", [CASE_2], now=NOW)) == {(CASE_2, "merged", CASE_1)}


def test_a_record_taken_out_of_the_bin_is_read_again_and_no_longer_told(org):
    connector = connector_for(org)
    cursor = list(connector.pull("Case", None, now=NOW))[-1].cursor
    delete(org, CASE_1)
    by_soap(org, f"<undelete><ids>{CASE_1}</ids></undelete>")
    assert connector.deletions("Case", None, now=NOW)[0] == ()
    assert CASE_1 in {raw.native_id for page in connector.pull("Case", cursor, now=NOW) for raw in page.records}


def test_a_log_that_does_not_go_back_that_far_is_replaced_by_the_bin(org):
    connector = connector_for(org)
    _, cursor = connector.deletions("Case", None, now=NOW)
    delete(org, CASE_1)
    merge(org, CASE_2, CASE_3)
    advance(org, days=16)
    connector.check()
    absences, cursor = connector.deletions("Case", cursor, now=NOW)
    assert told(absences) == {(CASE_1, "deleted", ""), (CASE_3, "merged", CASE_2)}
    assert connector.deletions("Case", cursor, now=NOW)[0] == ()


def test_the_fault_of_a_short_log_loses_no_deletion(org):
    connector = connector_for(org)
    _, cursor = connector.deletions("Case", None, now=NOW)
    delete(org, CASE_1)
    advance(org, minutes=10)
    connector.check()
    org.order(tool="salesforce", fault="deleted_window_too_old")
    assert told(connector.deletions("Case", cursor, now=NOW)[0]) == {(CASE_1, "deleted", "")}


def test_an_object_without_a_log_is_asked_by_its_bin(org):
    delete(org, CASE_1)
    body = '[{"errorCode": "INVALID_TYPE", "message": "not replicateable"}]'
    org.order(tool="salesforce", path="/deleted", action="status", status=400, body=body, times=None)
    assert told(connector_for(org).deletions("Case", None, now=NOW)[0]) == {(CASE_1, "deleted", "")}


def test_a_log_without_its_end_is_broken_and_no_news(org):
    org.order(tool="salesforce", path="/deleted", action="status", status=200, body='{"deletedRecords": []}')
    with pytest.raises(SourceBroken):
        connector_for(org).deletions("Case", None, now=NOW)


def test_a_direct_read_tells_deleted_hidden_and_present_apart(org):
    delete(org, CASE_1)
    connector = connector_for(org)
    connector.check()
    org.order(tool="salesforce", fault="permission_lost", settings={"records": [CASE_2]})
    proofs = connector.prove("Case", [CASE_1, CASE_2, CASE_3], now=NOW)
    assert told(proofs) == {(CASE_1, "deleted", ""), (CASE_2, "unreachable", ""), (CASE_3, "present", "")}
    assert next(each.at for each in proofs if each.kind == "unreachable") == NOW


def test_people_are_proven_without_a_bin(org):
    proofs = connector_for(org).prove("users", [ADA, "0050000000000Z1AAA"], now=NOW)
    assert told(proofs) == {(ADA, "present", ""), ("0050000000000Z1AAA", "unreachable", "")}


def test_named_records_are_read_again_whole_and_move_no_cursor(org):
    connector = connector_for(org)
    whole = {
        said.key for page in connector.pull("Case", None, now=NOW) for said in page.observations
        if said.record in {CASE_1, CASE_3}
    }  # fmt: skip
    pages = list(connector.fetch("Case", [CASE_1, CASE_3, "5000000000000Z9AAA"], now=NOW))
    assert {said.key for page in pages for said in page.observations} == whole
    assert {page.cursor for page in pages} == {None}
    people = list(connector.fetch("users", [ADA], now=NOW))
    assert [raw.native_id for page in people for raw in page.records] == [ADA]


def test_after_every_pull_the_ledger_knows_what_became_of_each_record(org, tmp_path):
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}") as ledger:

        def pull():
            advance(org, minutes=2)
            receipts = pull_source(ledger, lambda: connector_for(org), SPACE, run="r", clock=lambda: datetime.now(UTC))
            assert [receipt.error for receipt in receipts if receipt.error] == []
            return {record: said.value for record, said in ledger.presences(SPACE).items() if record.startswith("500")}

        assert pull() == {}
        delete(org, CASE_1)
        merge(org, CASE_2, CASE_3)
        assert pull() == {CASE_1: "deleted", CASE_3: f"merged:{CASE_2}"}
        by_soap(org, f"<undelete><ids>{CASE_1}</ids></undelete>")
        assert pull() == {CASE_1: "present", CASE_3: f"merged:{CASE_2}"}
