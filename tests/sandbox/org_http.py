"""How the tests of the simulated org reach it: simple-salesforce with its address bent, and plain requests."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from http_world import ADA, HUB, SPACES, Running, put, sf_time
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce

SPACE = SPACES["salesforce"]
VERSION = "/services/data/v59.0"
SMALL_PAGES = {"Sforce-Query-Options": "batchSize=200"}


class ToLoopback(HTTPAdapter):
    """The client insists on https and a salesforce.com host: send everything to the sandbox instead."""

    def __init__(self, address: str) -> None:
        self._host = urlsplit(address).netloc
        super().__init__()

    def send(self, request: requests.PreparedRequest, **rest: Any) -> requests.Response:  # type: ignore[override]
        request.url = urlunsplit(("http", self._host, *urlsplit(str(request.url))[2:]))
        return super().send(request, **rest)


def loopback(small: Running) -> requests.Session:
    """A session whose every https request reaches the simulated org."""
    session = requests.Session()
    session.mount("https://", ToLoopback(small.addresses["salesforce"]))
    return session


def signed_in(small: Running) -> Salesforce:
    """The stock client after client credentials."""
    return Salesforce(
        consumer_key="hub-client", consumer_secret="client-secret", domain="acme", session=loopback(small)
    )


def asked(small: Running, method: str, path: str, *, token: str = "sf-token", **rest: Any) -> requests.Response:
    """A plain request to the data API (or another path of the org) with a session planted by the world."""
    headers = {"Authorization": f"Bearer {token}", **rest.pop("headers", {})}
    path = path if path.startswith("/services") else f"{VERSION}/{path}"
    return requests.request(
        method, small.addresses["salesforce"] + path, headers=headers, timeout=10, allow_redirects=False, **rest
    )


def rows(small: Running, soql: str, *, token: str = "sf-token", verb: str = "query") -> list[dict[str, Any]]:
    """The records of a query, without their attributes."""
    told = asked(small, "GET", verb, token=token, params={"q": soql})
    assert told.status_code == 200, told.text
    return [{key: value for key, value in row.items() if key != "attributes"} for row in told.json()["records"]]


def code(answer: requests.Response) -> str:
    """The error code of a refused request."""
    return str(answer.json()[0]["errorCode"])


def settings(small: Running, **values: Any) -> None:
    """Set the org's settings."""
    put(small.store, SPACE, "_settings", values, id_="settings")


def rights(small: Running, user: str = HUB, **values: Any) -> None:
    """Limit a user's rights; not an administrator unless said."""
    put(small.store, SPACE, "_rights", {"user": user, **values}, id_=user)


def moved(small: Running, seconds: float) -> None:
    """Let time pass in the company."""
    small.control("POST", "/clock", json={"advance": seconds})


def frozen(small: Running, at: str = "2026-11-20T12:00:00+00:00") -> None:
    """Stop the company's clock at a time."""
    small.control("POST", "/clock", json={"set": at, "frozen": True})


def many_cases(small: Running, count: int, *, day: int = 5) -> list[str]:
    """Further cases, all stamped at noon of a day in January 2026; their ids in order."""
    ids = [f"50000000000{n:04d}AAA" for n in range(1000, 1000 + count)]
    for n, id_ in enumerate(ids):
        doc = {"Id": id_, "CaseNumber": f"{5000 + n:08d}", "Subject": f"More {n}", "OwnerId": ADA, "Status": "New"}
        stamps = {"CreatedDate": sf_time(1), "LastModifiedDate": sf_time(day), "SystemModstamp": sf_time(day)}
        put(small.store, SPACE, "Case", {**doc, **stamps, "CreatedById": ADA, "IsDeleted": False}, day=day)
    return ids
