"""Stock clients iterating over what was asked, as their users do it; told: how many records came."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import requests

from benchmarks.pulls.asking import Question
from benchmarks.sandbox.readers import ToLoopback
from benchmarks.steps import Measured, measured

NAMES = {
    "salesforce": "simple-salesforce query_all_iter",
    "jira": "jira Issue objects",
    "airtable": "pyairtable iterate",
}


def iterated(asked: Question) -> Measured:
    """Sign in and load the library first; then iterate over everything and keep nothing."""
    walk = {"salesforce": _salesforce, "jira": _jira, "airtable": _airtable}[asked["tool"]](asked)
    next(walk)  # signed in
    return measured(lambda: sum(1 for _ in walk))


def _salesforce(asked: Question) -> Iterator[Any]:
    from simple_salesforce.api import Salesforce

    session = requests.Session()
    session.mount("https://", ToLoopback(asked["address"]))
    token = asked["headers"]["Authorization"].removeprefix("Bearer ")
    client = Salesforce(instance_url="https://org.example", session_id=token, session=session, version="59.0")
    yield None
    for query in asked["queries"]:
        yield from client.query_all_iter(query)


def _jira(asked: Question) -> Iterator[Any]:
    import jira as library

    client = library.JIRA(server=asked["address"], basic_auth=tuple(asked["login"]))
    yield None
    token = None
    while True:
        page = client.enhanced_search_issues(
            asked["jql"], maxResults=100, fields=",".join(asked["fields"]), expand="changelog", nextPageToken=token
        )
        yield from page
        token = page.nextPageToken
        if not token:
            return


def _airtable(asked: Question) -> Iterator[Any]:
    from pyairtable import Api

    client = Api(asked["headers"]["Authorization"].removeprefix("Bearer "), endpoint_url=asked["address"])
    yield None
    for path, table in asked["tables"].items():
        base, name = path.split("/")[-2:]
        listing = client.table(base, name)
        for page in listing.iterate(fields=table["fields"], sort=[table["sort"]], use_field_ids=True):
            yield from page
