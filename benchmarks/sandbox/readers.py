"""Stock clients reading records as anybody would: ``python -m benchmarks.sandbox.readers CLIENT ADDRESS RECORDS``.

Each prints one line of JSON: how many records came, and how many CPU and wall seconds that took once the library
was loaded and signed in. Nothing but the address is set; page sizes are the libraries' own, or the tool's largest.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import orjson
import requests

from benchmarks.sandbox.tokens import AIRTABLE, JIRA, JIRA_LOGIN, SALESFORCE, base_and_table

SOQL = "SELECT Id, Subject, Status, OwnerId, CreatedDate, SystemModstamp FROM Case ORDER BY SystemModstamp, Id"
JQL = 'updated >= "2000-01-01 00:00" ORDER BY updated, key'
FIELDS = ["summary", "status", "assignee", "created", "updated", "duedate"]


class ToLoopback(requests.adapters.HTTPAdapter):
    """Sends what is meant for an https address to a plain one on this machine."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send to the other address."""
        _, _, rest = str(request.url).partition("//")
        request.url = f"{self._address}/{rest.partition('/')[2]}"
        return super().send(request, *args, **kwargs)


def simple_salesforce(address: str) -> Iterator[Any]:
    """query_all_iter: pages of 2,000."""
    from simple_salesforce import Salesforce

    session = requests.Session()
    session.mount("https://", ToLoopback(address))
    client = Salesforce(instance_url="https://org.example", session_id=SALESFORCE, session=session)
    return iter(client.query_all_iter(SOQL))


def jira(address: str) -> Iterator[Any]:
    """enhanced search, pages of 100, as JSON (the library's quickest way)."""
    import jira as library

    client = library.JIRA(server=address, basic_auth=(JIRA_LOGIN, JIRA), options={"rest_api_version": "3"})
    token = None
    while True:
        page = client.enhanced_search_issues(
            JQL, maxResults=100, fields=",".join(FIELDS), json_result=True, nextPageToken=token
        )
        yield from page["issues"]
        token = page.get("nextPageToken")
        if not token:
            return


def pyairtable(address: str) -> Iterator[Any]:
    """iterate: pages of 100."""
    from pyairtable import Api

    base, table = base_and_table(address)
    for page in Api(AIRTABLE, endpoint_url=address).table(base, table).iterate():
        yield from page


def bare_salesforce(address: str) -> Iterator[Any]:
    """requests and orjson: nothing a client could leave out."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {SALESFORCE}"
    page = orjson.loads(session.get(f"{address}/services/data/v59.0/query", params={"q": SOQL}, timeout=300).content)
    while True:
        yield from page["records"]
        if page["done"]:
            return
        page = orjson.loads(session.get(address + page["nextRecordsUrl"], timeout=300).content)


def bare_jira(address: str) -> Iterator[Any]:
    """requests and orjson."""
    session = requests.Session()
    session.auth = (JIRA_LOGIN, JIRA)
    asked: dict[str, Any] = {"jql": JQL, "fields": FIELDS, "maxResults": 100}
    while True:
        page = orjson.loads(session.post(f"{address}/rest/api/3/search/jql", json=asked, timeout=300).content)
        yield from page["issues"]
        if not page.get("nextPageToken"):
            return
        asked["nextPageToken"] = page["nextPageToken"]


def bare_airtable(address: str) -> Iterator[Any]:
    """requests and orjson."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {AIRTABLE}"
    base, table = base_and_table(address)
    asked: dict[str, Any] = {"pageSize": 100}
    while True:
        page = orjson.loads(session.get(f"{address}/v0/{base}/{table}", params=asked, timeout=300).content)
        yield from page["records"]
        if not page.get("offset"):
            return
        asked["offset"] = page["offset"]


READERS: dict[str, Callable[[str], Iterable[Any]]] = {
    "simple-salesforce": simple_salesforce,
    "jira": jira,
    "pyairtable": pyairtable,
    "requests + orjson (Salesforce)": bare_salesforce,
    "requests + orjson (Jira)": bare_jira,
    "requests + orjson (Airtable)": bare_airtable,
}


def main() -> None:
    """Read so many records after the first one, which pays for loading, signing in and opening the result."""
    client, address, records = sys.argv[1], sys.argv[2], int(sys.argv[3])
    reader = iter(READERS[client](address))
    next(reader)
    wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    count = sum(1 for _ in islice(reader, records - 1))
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    sys.stdout.buffer.write(
        orjson.dumps({"records": count + 1, "cpu": cpu, "seconds": time.perf_counter() - wall}) + b"\n"
    )


if __name__ == "__main__":
    main()
