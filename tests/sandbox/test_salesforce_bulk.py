"""Bulk API 2.0 through simple-salesforce as it comes, and where needed through bare HTTP."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from http_world import (
    ADA,
    CASES,
    GRACE,
    HUB,
    LEFT,
    QUEUE,
    SPACES,
    Running,
    put,
    running,
    sf_time,
    small_company,
)
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceOperationError

JOBS = "/services/data/v59.0/jobs"
SPACE = SPACES["salesforce"]


class ToLoopback(HTTPAdapter):
    """The client insists on https and a salesforce.com host: send everything to the sandbox instead."""

    def __init__(self, address: str) -> None:
        self._host = urlsplit(address).netloc
        super().__init__()

    def send(self, request: requests.PreparedRequest, **rest: Any) -> requests.Response:  # type: ignore[override]
        request.url = urlunsplit(("http", self._host, *urlsplit(str(request.url))[2:]))
        return super().send(request, **rest)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Running]:
    """The small company, its cases with a key of another system."""
    store = small_company(tmp_path / "world.sqlite")
    made = store.get(SPACE, "_object", "Case") or {}
    made["fields"].append({"name": "Key__c", "type": "string", "label": "Key", "updateable": True, "externalId": True})
    for name, kind in (("IsClosed", "boolean"), ("Weight", "double"), ("Seen", "datetime"), ("Count", "int")):
        made["fields"].append({"name": f"{name}__c", "type": kind, "label": name, "updateable": True})
    put(store, SPACE, "_object", made)
    with running(store) as served:
        yield served
    store.close()


@pytest.fixture
def org(small: Running) -> Salesforce:
    session = requests.Session()
    session.mount("https://", ToLoopback(small.addresses["salesforce"]))
    return Salesforce(session_id="sf-token", instance="acme.my.salesforce.com", session=session)


def ask(small: Running, method: str, path: str, *, token: str = "sf-token", **rest: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}", **rest.pop("headers", {})}
    return requests.request(method, small.addresses["salesforce"] + JOBS + path, headers=headers, timeout=10, **rest)


def ingest(
    small: Running, data: str, operation: str = "update", token: str = "sf-token", **wanted: Any
) -> dict[str, Any]:
    """Run one ingest job to its end and return what the service says of it."""
    body = {"object": "Case", "operation": operation, **wanted}
    job = ask(small, "POST", "/ingest", json=body, token=token).json()["id"]
    assert ask(small, "PUT", f"/ingest/{job}/batches", data=data.encode(), token=token).status_code == 201
    assert (
        ask(small, "PATCH", f"/ingest/{job}", json={"state": "UploadComplete"}, token=token).json()["state"]
        == "UploadComplete"
    )
    told: dict[str, Any] = ask(small, "GET", f"/ingest/{job}", token=token).json()
    return told


def rows(small: Running, job: str, sort: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(ask(small, "GET", f"/ingest/{job}/{sort}").text)))


def case(small: Running, n: int) -> dict[str, Any]:
    doc = small.store.get(SPACE, "Case", CASES[n])
    assert doc is not None
    return doc


def refused(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()[0]["errorCode"]


# -- queries -----------------------------------------------------------------------------------------------------


def test_a_stock_client_reads_records_parents_times_and_nothing(org: Salesforce) -> None:
    soql = "SELECT Id, Subject, Owner.Name, Due__c, IsDeleted, CreatedDate FROM Case ORDER BY Id"
    (page,) = org.bulk2.Case.query(soql, wait=0.01)
    assert page == (
        '"Id","Subject","Owner.Name","Due__c","IsDeleted","CreatedDate"\n'
        f'"{CASES[0]}","Landing page 1","Ada Lovelace","","false","2026-01-01T12:00:00.000Z"\n'
        f'"{CASES[2]}","Landing page 3","Unassigned","","false","2026-01-01T12:00:00.000Z"\n'
    )


def test_query_all_includes_the_recycle_bin(org: Salesforce) -> None:
    (page,) = org.bulk2.Case.query_all("SELECT Id FROM Case WHERE IsDeleted = true", wait=0.01)
    assert page == f'"Id"\n"{CASES[1]}"\n'


def test_pages_follow_the_locator_each_with_its_header(org: Salesforce, small: Running) -> None:
    for n in range(450):
        put(
            small.store, SPACE, "Case", {"Id": f"500X{n:011d}AAA", "Subject": f'a "{n}",\nb', "CreatedDate": sf_time(1)}
        )
    soql = "SELECT Id, Subject FROM Case WHERE Subject LIKE 'a%' ORDER BY Id"
    pages = list(org.bulk2.Case.query(soql, max_records=199, wait=0.01))
    read = [list(csv.DictReader(io.StringIO(page))) for page in pages]
    assert [len(page) for page in read] == [199, 199, 52]
    assert [row["Subject"] for page in read for row in page] == [f'a "{n}",\nb' for n in range(450)]


def test_delimiter_and_line_ending_are_the_jobs_own(small: Running) -> None:
    wanted = {"operation": "query", "query": "SELECT Id FROM Case LIMIT 1", "lineEnding": "CRLF"}
    job = ask(
        small,
        "POST",
        "/query",
        json={**wanted, "columnDelimiter": "PIPE", "query": "SELECT Id,Subject FROM Case LIMIT 1"},
    )
    answer = results(small, job.json()["id"])
    assert answer.text == f'"Id"|"Subject"\r\n"{CASES[0]}"|"Landing page 1"\r\n'
    assert answer.headers["Sforce-NumberOfRecords"] == "1"
    assert answer.headers["Sforce-Locator"] == "null"
    assert answer.headers["Content-Type"].startswith("text/csv")


def results(small: Running, job: str, **params: Any) -> requests.Response:
    ask(small, "GET", f"/query/{job}")
    return ask(small, "GET", f"/query/{job}/results", params=params)


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Id FROM Case LIMIT 1 OFFSET 5", "FEATURENOTENABLED"),
        ("SELECT COUNT() FROM Case", "FEATURENOTENABLED"),
        ("SELECT Status, COUNT(Id) FROM Case GROUP BY Status", "FEATURENOTENABLED"),
        ("SELECT Id, (SELECT Id FROM CaseComments) FROM Case", "FEATURENOTENABLED"),
        ("SELECT TYPEOF Owner WHEN User THEN Name END FROM Case", "FEATURENOTENABLED"),
        ("SELECT FIELDS(ALL) FROM Case LIMIT 200", "FEATURENOTENABLED"),
        ("SELECT Nothing__c FROM Case", "INVALID_FIELD"),
        ("SELECT Id FROM Nothing__c", "INVALID_TYPE"),
        ("SELECT FROM", "MALFORMED_QUERY"),
    ],
)
def test_a_query_that_bulk_cannot_do_is_refused_at_once(small: Running, soql: str, code: str) -> None:
    assert refused(ask(small, "POST", "/query", json={"operation": "query", "query": soql})) == (400, code)


def test_words_in_a_literal_are_no_features(small: Running) -> None:
    wanted = {"operation": "query", "query": "SELECT Id FROM Case WHERE Subject = 'GROUP BY OFFSET 1 COUNT(x)'"}
    job = ask(small, "POST", "/query", json=wanted).json()["id"]
    answer = results(small, job)
    assert (answer.text, answer.headers["Sforce-NumberOfRecords"]) == ('"Id"\n', "0")


def test_a_query_job_tells_what_it_is_and_how_far(small: Running) -> None:
    made = ask(small, "POST", "/query", json={"operation": "query", "query": "SELECT Id FROM Case"}).json()
    assert made["id"].startswith("750")
    assert (made["state"], made["object"], made["apiVersion"], made["createdById"]) == (
        "UploadComplete",
        "Case",
        59.0,
        HUB,
    )
    assert (made["concurrencyMode"], made["contentType"], made["lineEnding"]) == ("Parallel", "CSV", "LF")
    done = ask(small, "GET", f"/query/{made['id'][:15]}").json()
    assert (done["state"], done["jobType"], done["numberRecordsProcessed"]) == ("JobComplete", "V2Query", 2)
    assert ask(small, "GET", f"/ingest/{made['id']}").status_code == 404


def test_states_follow_the_virtual_clock(small: Running) -> None:
    put(small.store, SPACE, "_settings", {"bulk_seconds": 60}, id_="bulk")
    small.control("POST", "/clock", json={"frozen": True})
    job = ask(small, "POST", "/query", json={"operation": "query", "query": "SELECT Id FROM Case"}).json()["id"]
    assert ask(small, "GET", f"/query/{job}").json()["state"] == "InProgress"
    assert refused(ask(small, "GET", f"/query/{job}/results")) == (400, "INVALIDJOBSTATE")
    assert refused(ask(small, "DELETE", f"/query/{job}")) == (400, "INVALIDJOBSTATE")
    small.control("POST", "/clock", json={"advance": 59})
    assert ask(small, "GET", f"/query/{job}").json()["state"] == "InProgress"
    small.control("POST", "/clock", json={"advance": 1})
    done = ask(small, "GET", f"/query/{job}").json()
    assert (done["state"], done["totalProcessingTime"]) == ("JobComplete", 60_000)
    assert done["systemModstamp"] > done["createdDate"]


def test_jobs_are_listed_aborted_deleted_and_gone_after_seven_days(small: Running) -> None:
    query = {"operation": "query", "query": "SELECT Id FROM Case"}
    kept, dropped = (ask(small, "POST", "/query", json=query).json()["id"] for _ in range(2))
    opened = ask(small, "POST", "/ingest", json={"object": "Case", "operation": "insert"}).json()["id"]
    listed = ask(small, "GET", "/query").json()
    assert (listed["done"], listed["nextRecordsUrl"], {row["id"] for row in listed["records"]}) == (
        True,
        None,
        {kept, dropped},
    )
    assert ask(small, "DELETE", f"/query/{dropped}").status_code == 204
    assert ask(small, "GET", f"/query/{dropped}").status_code == 404
    assert refused(ask(small, "PATCH", f"/query/{kept}", json={"state": "Aborted"})) == (400, "INVALIDJOBSTATE")
    assert ask(small, "PATCH", f"/ingest/{opened}", json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert [row["state"] for row in ask(small, "GET", "/ingest").json()["records"]] == ["Aborted"]
    small.control("POST", "/clock", json={"advance": 7 * 86400 - 60})
    assert ask(small, "GET", f"/query/{kept}").status_code == 200
    small.control("POST", "/clock", json={"advance": 60})
    assert ask(small, "GET", f"/query/{kept}").status_code == 404
    assert small.store.kinds(SPACE).count("_bulk_result") == 0 or small.store.count(SPACE, "_bulk_result") == 0


def test_a_long_list_of_jobs_comes_in_pages(small: Running) -> None:
    first = ask(small, "POST", "/ingest", json={"object": "Case", "operation": "insert"}).json()["id"]
    doc = small.store.get(SPACE, "_bulk_job", first) or {}
    copies = ({**doc, "id": f"750{n:012d}AAA"} for n in range(1_000))
    small.store.put(SPACE, "_bulk_job", ((copy["id"], doc["created"], copy) for copy in copies))
    page = ask(small, "GET", "/ingest").json()
    rest = ask(small, "GET", page["nextRecordsUrl"].removeprefix(JOBS)).json()
    assert (page["done"], len(page["records"]), rest["done"], len(rest["records"])) == (False, 1_000, True, 1)
    assert len({job["id"] for job in page["records"] + rest["records"]}) == 1_001


@pytest.mark.parametrize("locator", ["nonsense", "OTk", "%%%", "MTAwMDAwMDAwMDAwMDA"])
def test_a_foreign_locator_is_refused(small: Running, locator: str) -> None:
    job = ask(small, "POST", "/query", json={"operation": "query", "query": "SELECT Id FROM Case"}).json()["id"]
    assert refused(results(small, job, locator=locator)) == (400, "INVALID_QUERY_LOCATOR")


# -- writing -----------------------------------------------------------------------------------------------------


def test_a_stock_client_inserts_and_updates_with_history(org: Salesforce, small: Running) -> None:
    (made,) = org.bulk2.Case.insert(records=[{"Subject": "By bulk", "OwnerId": GRACE}], wait=0.01)
    assert (made["numberRecordsProcessed"], made["numberRecordsFailed"]) == (1, 0)
    (row,) = csv.DictReader(io.StringIO(org.bulk2.Case.get_successful_records(made["job_id"])))
    assert (row["sf__Created"], row["Subject"]) == ("true", "By bulk")
    (done,) = org.bulk2.Case.update(records=[{"Id": row["sf__Id"], "OwnerId": ADA}], wait=0.01)
    (again,) = csv.DictReader(io.StringIO(org.bulk2.Case.get_successful_records(done["job_id"])))
    assert (again["sf__Id"], again["sf__Created"]) == (row["sf__Id"], "false")
    case = small.store.get(SPACE, "Case", row["sf__Id"]) or {}
    assert (case["OwnerId"], case["CreatedById"], case["LastModifiedById"]) == (ADA, HUB, HUB)
    history = [
        line["NewValue"] for line in small.store.find(SPACE, "CaseHistory", row["sf__Id"]) if line["Field"] == "Owner"
    ]
    assert history == ["Ada Lovelace", ADA]


def test_a_stock_client_deletes_into_the_recycle_bin(org: Salesforce, small: Running) -> None:
    (done,) = org.bulk2.Case.delete(records=[{"Id": CASES[0]}, {"Id": CASES[1]}], wait=0.01)
    assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (2, 1)
    assert case(small, 0)["IsDeleted"] is True
    assert org.query_all("SELECT Id FROM Case", include_deleted=True)["totalSize"] == 3


def test_a_hard_delete_leaves_nothing(org: Salesforce, small: Running) -> None:
    (done,) = org.bulk2.Case.hard_delete(records=[{"Id": CASES[0]}], wait=0.01)
    assert done["numberRecordsFailed"] == 0
    assert small.store.get(SPACE, "Case", CASES[0]) is None


def test_an_upsert_finds_by_an_external_id_or_makes(org: Salesforce, small: Running) -> None:
    put(small.store, SPACE, "Case", {**case(small, 0), "Key__c": "P-1"})
    records = [
        {"Key__c": "P-1", "Subject": "Known"},
        {"Key__c": "P-2", "Subject": "New"},
        {"Key__c": "", "Subject": "No key"},
    ]
    (done,) = org.bulk2.Case.upsert(records=records, external_id_field="Key__c", wait=0.01)
    assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (3, 1)
    told = {row["Key__c"]: row["sf__Created"] for row in rows(small, done["job_id"], "successfulResults")}
    assert told == {"P-1": "false", "P-2": "true"}
    assert case(small, 0)["Subject"] == "Known"


def test_an_empty_cell_leaves_a_field_and_the_mark_clears_it(small: Running) -> None:
    put(small.store, SPACE, "Case", {**case(small, 0), "Due__c": "2026-02-01"})
    ingest(small, f"Id,Subject,Due__c\n{CASES[0]},,\n")
    assert (case(small, 0)["Subject"], case(small, 0)["Due__c"]) == ("Landing page 1", "2026-02-01")
    ingest(small, f"Id,Due__c\n{CASES[0]},#N/A\n")
    assert case(small, 0)["Due__c"] is None


def test_rows_stand_alone_and_tell_code_message_and_fields(small: Running) -> None:
    data = f"Id,OwnerId\n{CASES[0]},{LEFT}\n{CASES[1]},{ADA}\n{CASES[2]},{GRACE}\n500000000000099AAA,00Gbad\n"
    told = ingest(small, data)
    assert (told["state"], told["jobType"]) == ("JobComplete", "V2Ingest")
    assert (told["numberRecordsProcessed"], told["numberRecordsFailed"]) == (4, 3)
    failed = rows(small, told["id"], "failedResults")
    assert [row["sf__Error"].split(":")[0] for row in failed][:2] == ["INACTIVE_OWNER_OR_USER", "ENTITY_IS_DELETED"]
    assert all(row["sf__Error"].endswith("--") for row in failed)
    assert [row["Id"] for row in failed] == [CASES[0], CASES[1], "500000000000099AAA"]
    assert [row["OwnerId"] for row in rows(small, told["id"], "successfulresults")] == [GRACE]
    assert rows(small, told["id"], "unprocessedRecords") == []
    assert case(small, 2)["OwnerId"] == GRACE


def test_cells_that_do_not_fit_their_column_fail_their_row(small: Running) -> None:
    head = "Id,IsClosed__c,Weight__c,Seen__c,Count__c\n"
    bad = [
        "perhaps,1,,",
        "true,heavy,,",
        "true,inf,,",
        "true,1,yesterday,",
        "true,1,0001-01-01T00:00:00+14:00,",
        "1,1,,nan",
    ]
    good = f"{CASES[2]},TRUE,1.5,2026-02-01T10:00:00+02:00,7\n"
    told = ingest(small, head + "".join(f"{CASES[0]},{row}\n" for row in bad) + good)
    failed = [row["sf__Error"] for row in rows(small, told["id"], "failedResults")]
    assert [error.split(":")[0] for error in failed] == ["INVALID_TYPE_ON_FIELD_IN_RECORD"] * len(bad)
    written = case(small, 2)
    assert (written["IsClosed__c"], written["Weight__c"], written["Count__c"]) == (True, 1.5, 7)
    assert written["Seen__c"] == "2026-02-01T08:00:00.000+0000"
    query = "SELECT IsClosed__c, Weight__c, Seen__c, Count__c FROM Case WHERE Weight__c > 1"
    job = ask(small, "POST", "/query", json={"operation": "query", "query": query}).json()["id"]
    assert results(small, job).text.splitlines()[1] == '"true","1.5","2026-02-01T08:00:00.000Z","7"'


def test_a_queue_where_none_may_own_names_the_field(small: Running) -> None:
    deal = "006000000000001AAA"
    told = ingest(small, f"Id,OwnerId\n{deal},{QUEUE}\n", object="Opportunity")
    (row,) = rows(small, told["id"], "failedResults")
    assert row["sf__Error"].startswith("FIELD_INTEGRITY_EXCEPTION:")
    assert row["sf__Error"].endswith(":OwnerId --")


@pytest.mark.parametrize(
    ("data", "wanted", "says"),
    [
        (f"Id,Nothing__c\n{CASES[0]},x\n", {}, "InvalidBatch : Field name not found : Nothing__c"),
        (f"Id;Subject\n{CASES[0]};x\n", {}, "InvalidBatch : Field name not found : Id;Subject"),
        (f"Id,Subject,subject\n{CASES[0]},x,y\n", {}, "InvalidBatch : Duplicate field name"),
        ("Subject\nx\n", {}, "InvalidBatch : Field name not found : Id"),
        (f"Id,Subject\n{CASES[0]}\n", {}, "InvalidBatch : "),
        (f'Id,Subject\n{CASES[0]},"x\n', {}, "InvalidBatch : "),
        (f"Id,Subject\r\n{CASES[0]},x\r\n", {}, "ClientInputError : LineEnding is invalid"),
        (f"Id,Subject\n{CASES[0]},x\n", {"lineEnding": "CRLF"}, "ClientInputError : LineEnding is invalid"),
        (f"Id,Subject\n{CASES[0]},x\n", {"operation": "delete"}, "InvalidBatch : "),
    ],
)
def test_a_table_that_cannot_be_used_fails_the_job(
    small: Running, data: str, wanted: dict[str, Any], says: str
) -> None:
    told = ingest(small, data, **wanted)
    assert told["state"] == "Failed"
    assert told["errorMessage"].startswith(says)
    assert (told["numberRecordsProcessed"], case(small, 0)["Subject"]) == (0, "Landing page 1")
    unprocessed = ask(small, "GET", f"/ingest/{told['id']}/unprocessedrecords").text
    assert unprocessed.count(CASES[0]) == data.count(CASES[0])


def test_the_stock_client_raises_with_the_services_message(org: Salesforce) -> None:
    with pytest.raises(SalesforceOperationError, match="InvalidBatch : Field name not found : Nothing__c"):
        org.bulk2.Case.update(records=[{"Id": CASES[0], "Nothing__c": "x"}], wait=0.01)


def test_other_delimiters_marks_and_quotes_are_read(small: Running) -> None:
    data = f'\ufeffId|Subject|Description\r\n{CASES[0]}|"a ""b"" | c"|"two\r\nlines"\r\n\r\n'
    told = ingest(small, data, columnDelimiter="PIPE", lineEnding="CRLF")
    assert (told["numberRecordsProcessed"], told["numberRecordsFailed"]) == (1, 0)
    assert (case(small, 0)["Subject"], case(small, 0)["Description"]) == ('a "b" | c', "two\r\nlines")


def test_data_comes_once_and_only_while_the_job_is_open(small: Running) -> None:
    put(small.store, SPACE, "_settings", {"bulk_upload_bytes": 100}, id_="bulk")
    job = ask(small, "POST", "/ingest", json={"object": "Case", "operation": "insert"}).json()
    assert (job["state"], job["contentUrl"]) == ("Open", f"services/data/v59.0/jobs/ingest/{job['id']}/batches")
    path = f"/ingest/{job['id']}"
    assert ask(small, "PUT", f"{path}/batches", data=b"x" * 101).status_code == 413
    assert refused(ask(small, "GET", f"{path}/successfulResults")) == (400, "INVALIDJOBSTATE")
    assert ask(small, "PUT", f"{path}/batches", data=b"Subject\nx\n").status_code == 201
    assert refused(ask(small, "PUT", f"{path}/batches", data=b"Subject\nx\n")) == (400, "INVALIDJOBSTATE")
    ask(small, "PATCH", path, json={"state": "UploadComplete"})
    assert refused(ask(small, "PUT", f"{path}/batches", data=b"Subject\nx\n")) == (400, "INVALIDJOBSTATE")
    assert refused(ask(small, "PATCH", path, json={"state": "UploadComplete"})) == (400, "INVALIDJOBSTATE")


def test_an_aborted_job_writes_nothing(small: Running) -> None:
    put(small.store, SPACE, "_settings", {"bulk_seconds": 60}, id_="bulk")
    told = ingest(small, f"Id,Subject\n{CASES[0]},x\n")
    assert told["state"] == "InProgress"
    ask(small, "PATCH", f"/ingest/{told['id']}", json={"state": "Aborted"})
    small.control("POST", "/clock", json={"advance": 120})
    assert ask(small, "GET", f"/ingest/{told['id']}").json()["state"] == "Aborted"
    assert [row["Id"] for row in rows(small, told["id"], "unprocessedrecords")] == [CASES[0]]
    assert case(small, 0)["Subject"] == "Landing page 1"


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"object": "Nothing__c", "operation": "insert"}, "INVALIDJOB"),
        ({"object": "CaseHistory", "operation": "insert"}, "INVALIDENTITY"),
        ({"object": "Case", "operation": "merge"}, "INVALIDJOB"),
        ({"object": "Case", "operation": "upsert"}, "INVALIDJOB"),
        ({"object": "Case", "operation": "upsert", "externalIdFieldName": "Nothing__c"}, "INVALIDJOB"),
        ({"object": "Case", "operation": "upsert", "externalIdFieldName": "Subject"}, "INVALIDJOB"),
        ({"object": "Case", "operation": "insert", "columnDelimiter": "COLON"}, "INVALIDJOB"),
        ({"object": "Case", "operation": "insert", "colour": "red"}, "JSON_PARSER_ERROR"),
        ({"object": "Case", "operation": ["insert"]}, "JSON_PARSER_ERROR"),
        ({"object": "Case", "operation": "insert", "lineEnding": {}}, "JSON_PARSER_ERROR"),
    ],
)
def test_a_job_that_makes_no_sense_is_refused(small: Running, wanted: dict[str, str], code: str) -> None:
    assert refused(ask(small, "POST", "/ingest", json=wanted)) == (400, code)


def test_rights_are_those_of_whoever_made_the_job(small: Running) -> None:
    put(small.store, SPACE, "_token", {"user": GRACE}, id_="grace-token")
    rights = {"user": GRACE, "hidden": [CASES[0]], "read_only": [CASES[2]]}
    put(small.store, SPACE, "_rights", rights, id_=GRACE)
    query = {"operation": "query", "query": "SELECT Id FROM Case"}
    job = ask(small, "POST", "/query", json=query, token="grace-token").json()["id"]
    ask(small, "GET", "/query")  # somebody else's look moves the job along, not the rights
    assert ask(small, "GET", f"/query/{job}/results", token="grace-token").text == f'"Id"\n"{CASES[2]}"\n'
    theirs = ask(small, "POST", "/query", json=query).json()["id"]
    assert ask(small, "GET", f"/query/{theirs}/results", token="grace-token").status_code == 404
    hard = {"object": "Case", "operation": "hardDelete"}
    assert refused(ask(small, "POST", "/ingest", json=hard, token="grace-token")) == (400, "FEATURENOTENABLED")


def test_a_field_that_is_hidden_is_no_column(small: Running) -> None:
    put(small.store, SPACE, "_token", {"user": GRACE}, id_="grace-token")
    put(small.store, SPACE, "_rights", {"user": GRACE, "hidden_fields": ["Case.Subject"]}, id_=GRACE)
    query = {"operation": "query", "query": "SELECT Subject FROM Case"}
    assert refused(ask(small, "POST", "/query", json=query, token="grace-token")) == (400, "INVALID_FIELD")
    told = ingest(small, f"Id,Subject\n{CASES[0]},x\n", token="grace-token")
    assert told["errorMessage"] == "InvalidBatch : Field name not found : Subject"


def test_two_records_with_one_key_are_an_error_and_a_key_may_come_twice(small: Running) -> None:
    for n in (0, 2):
        put(small.store, SPACE, "Case", {**case(small, n), "Key__c": "twin"})
    data = "Key__c,Subject\nTWIN,x\nnew,first\nNew,second\n"
    told = ingest(small, data, operation="upsert", externalIdFieldName="Key__c")
    assert [row["sf__Error"].split(":")[0] for row in rows(small, told["id"], "failedResults")] == [
        "DUPLICATE_EXTERNAL_ID"
    ]
    first, second = rows(small, told["id"], "successfulResults")
    assert (first["sf__Created"], second["sf__Created"]) == ("true", "false")
    assert first["sf__Id"] == second["sf__Id"]


def test_row_locked_shows_in_the_failed_results(small: Running) -> None:
    small.fault(fault="row_locked", tool="salesforce", path="/jobs/ingest/")
    told = ingest(small, f"Id,Subject\n{CASES[0]},x\n{CASES[2]},y\n")
    (row,) = rows(small, told["id"], "failedResults")
    assert row["sf__Error"].startswith("UNABLE_TO_LOCK_ROW:unable to obtain exclusive access")
    assert (row["Id"], case(small, 0)["Subject"], case(small, 2)["Subject"]) == (CASES[0], "Landing page 1", "y")


def test_long_work_goes_on_from_look_to_look(small: Running) -> None:
    lines = "".join(f"{CASES[0]},{n}\n" for n in range(6_000))
    told = ingest(small, f"Id,Subject\n{lines}")
    assert (told["state"], told["numberRecordsProcessed"]) == ("InProgress", 5_000)
    done = ask(small, "GET", f"/ingest/{told['id']}").json()
    assert (done["state"], done["numberRecordsProcessed"]) == ("JobComplete", 6_000)
    assert case(small, 0)["Subject"] == "5999"


def test_a_restart_in_the_middle_neither_loses_nor_repeats_a_row(tmp_path: Path) -> None:
    store = small_company(tmp_path / "world.sqlite")
    lines = "".join(f"new {n}\n" for n in range(6_000))
    with running(store) as before:
        load = ingest(before, f"Subject\n{lines}", operation="insert")["id"]
        found = ask(before, "POST", "/query", json={"operation": "query", "query": "SELECT Id FROM Case"}).json()["id"]
        assert ask(before, "GET", f"/query/{found}").json()["state"] == "InProgress"
    with running(store) as after:
        while ask(after, "GET", f"/query/{found}").json()["state"] == "InProgress":
            pass
        assert ask(after, "GET", f"/ingest/{load}").json()["numberRecordsProcessed"] == 6_000
        subjects = [row["Subject"] for row in rows(after, load, "successfulResults")]
        ids = ask(after, "GET", f"/query/{found}/results", params={"maxRecords": 20_000}).text.split()[1:]
    assert subjects == [f"new {n}" for n in range(6_000)]
    assert len(ids) == len(set(ids)) == store.count(SPACE, "Case") - 1  # one is in the recycle bin
    store.close()
