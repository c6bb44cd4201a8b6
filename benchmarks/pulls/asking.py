"""What every means is asked to read, and a bare walk over it; needs nothing but requests and orjson."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs

import orjson
import requests

Question = dict[str, Any]  # plain JSON, so that another Python can be asked too


def question(
    tool: str, address: str, reads: Iterable[dict[str, Any]], headers: dict[str, str], login: list[str]
) -> Question:
    """The listings that a pull asked for, as the journal shows them: queries, fields and tables.

    `tool` and `address` say where; `headers` or `login` (user, token) are what a plain session signs in with.
    """
    asked: Question = {"tool": tool, "address": address, "headers": headers, "login": login}
    listings = [(read["path"], parse_qs(read["query"])) for read in reads if read["query"]]
    if tool == "salesforce":
        queries = [given["q"][0] for _, given in listings if "q" in given]
        return asked | {"queries": [query for query in dict.fromkeys(queries) if "COUNT()" not in query]}
    if tool == "jira":
        first = next(given for path, given in listings if path.endswith("/search/jql"))
        return asked | {"jql": first["jql"][0], "fields": first["fields"]}
    tables = {
        path: {"fields": given["fields[]"], "sort": given["sort[0][field]"][0]}
        for path, given in listings
        if "fields[]" in given
    }
    return asked | {"tables": tables}


def sobject(query: str) -> str:
    """The object that a query reads."""
    found = re.search(r" FROM (\w+)", query)
    assert found, query
    return found[1]


def pages(asked: Question) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Every page of every listing, with the name of what it lists."""
    session = requests.Session()
    session.headers.update(asked["headers"])
    if asked["login"]:
        session.auth = tuple(asked["login"])
    walk = {"salesforce": _salesforce, "jira": _jira, "airtable": _airtable}[asked["tool"]]
    yield from walk(session, asked)


def _read(session: requests.Session, url: str, given: Any = None) -> dict[str, Any]:
    reply = session.get(url, params=given, timeout=300)
    reply.raise_for_status()
    body: dict[str, Any] = orjson.loads(reply.content)
    return body


def _salesforce(session: requests.Session, asked: Question) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for query in asked["queries"]:
        page = _read(session, f"{asked['address']}/services/data/v59.0/query", {"q": query})
        yield sobject(query), page["records"]
        while not page["done"]:
            page = _read(session, asked["address"] + page["nextRecordsUrl"])
            yield sobject(query), page["records"]


def _jira(session: requests.Session, asked: Question) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    given = {"jql": asked["jql"], "fields": ",".join(asked["fields"]), "maxResults": 100, "expand": "changelog"}
    while True:
        page = _read(session, f"{asked['address']}/rest/api/2/search/jql", given)
        yield "issue", page["issues"]
        if not page.get("nextPageToken"):
            return
        given["nextPageToken"] = page["nextPageToken"]


def _airtable(session: requests.Session, asked: Question) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for path, table in asked["tables"].items():
        given = {"pageSize": 100, "returnFieldsByFieldId": 1, "fields[]": table["fields"]}
        given |= {"sort[0][field]": table["sort"], "sort[0][direction]": "asc"}
        while True:
            page = _read(session, asked["address"] + path, given)
            yield path.rsplit("/", 1)[-1], page["records"]
            if not page.get("offset"):
                break
            given["offset"] = page["offset"]
