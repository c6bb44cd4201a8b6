"""One signed-in org: questions in, JSON and the org's own clock out.

simple-salesforce supplies addresses and headers; replies are parsed by orjson, which is three times as fast.
When the session expires, the hub signs in again once per request and asks again with all its own headers
(the library would drop them, guards included).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlsplit

import orjson
import requests
from simple_salesforce.api import Salesforce

from connectors.salesforce import soql
from connectors.wire import read_json, said
from hub.charter.secret import Secret
from hub.charter.sources import SalesforceConnection
from hub.errors import ConfigurationError, SourceBroken, SourceError, SourceRefused, SourceUnavailable

ALLOWED_HOSTS = ("*.salesforce.com",)
_NO_SUCH_COLUMN = re.compile(r"No such column '([^']*)' on entity '([^']*)'")
_NO_SUCH_OBJECT = re.compile(r"sObject type '([^']*)' is not supported")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply: its JSON, and the org's clock when it was sent (UTC, whole seconds)."""

    body: Any
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """One page of a query: `next` is the address of the following page (None: this was the last)."""

    rows: list[dict[str, Any]]
    next: str | None
    total: int
    at: datetime


class Org:
    """Signs in on first use and asks.

    Args:
        source: configured source name.
        connection: address and client from the charter.
        secret: resolves the client secret when signing in.
        session: the only way out; must be one for reading.
        clock: our clock, used to learn how far the org's clock is from it.
    """

    def __init__(
        self,
        source: str,
        connection: SalesforceConnection,
        secret: Callable[[str], Secret],
        session: requests.Session,
        *,
        repeat: Mapping[str, str],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.source = source
        self._connection = connection
        self._secret = secret
        self._session = session
        self._repeat = repeat
        self._clock = clock
        self._client: Salesforce | None = None
        self._user = ""
        self._instance = ""
        self._ahead = timedelta(0)

    @property
    def instance(self) -> str:
        """Address of the org for links, without a trailing slash."""
        self._signed_in()
        return self._instance

    @property
    def user(self) -> str:
        """Id of the user we act as (18 characters)."""
        self._signed_in()
        return self._user

    @property
    def ahead(self) -> timedelta:
        """How far the org's clock is ahead of ours, as of the last reply."""
        return self._ahead

    def address(self, path: str) -> str:
        """Full address of a REST path below the API version."""
        return f"{self._signed_in().base_url}{path}"

    def headers(self) -> dict[str, str]:
        """Headers that carry our session; not for logs."""
        return {**self._signed_in().headers, "X-PrettyPrint": "0"}

    def forget(self) -> None:
        """Drop the session, so that the next request signs in anew."""
        self._client = None

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """Ask for a path below the API version. Raises SourceError."""
        response = self._ask(path, params)
        if response.status_code == 401:
            self.forget()
            response = self._ask(path, params)
        return self.read(response)

    def query(self, text: str) -> Rows:
        """Ask a SOQL query and read its first page. Raises SourceError."""
        return self._rows(self.get("query/", {"q": text}))

    def page(self, locator: str) -> Rows:
        """A later page of a query. Raises SourceRefused when the session no longer knows the locator."""
        return self._rows(self.get(f"query/{quote(locator, safe='-')}"))

    def _rows(self, answer: Answer) -> Rows:
        body = answer.body
        if not isinstance(body, dict) or not isinstance(body.get("records"), list):
            raise SourceBroken(f"{self.source}: a query answered without records", source=self.source)
        following = body.get("nextRecordsUrl")
        if not body.get("done", True) and not following:
            raise SourceBroken(f"{self.source}: a page of a query names no next page", source=self.source)
        return Rows(
            rows=body["records"],
            next=None if body.get("done", True) else str(following),
            total=int(body.get("totalSize", 0)),
            at=answer.at,
        )

    def count(self, sobject: str, *conditions: str) -> int:
        """The org's own count of records. Raises SourceError."""
        return self.query(soql.count(sobject, *conditions)).total

    def read(self, response: requests.Response) -> Answer:
        """JSON and clock of a reply; vendor errors become ours with a hint that names the field."""
        if response.status_code in {400, 403, 404}:
            self._explain(response)
        body = read_json(response, self.source)
        return Answer(body=body, at=self.server_time(response))

    def server_time(self, response: requests.Response) -> datetime:
        """The org's clock when it answered. Raises SourceBroken when the reply has no usable Date."""
        try:
            at = parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
        except (KeyError, ValueError, TypeError):
            raise SourceBroken(f"{self.source}: a reply without a Date", source=self.source) from None
        self._ahead = at - self._clock()
        return at

    def _ask(self, path: str, params: Mapping[str, str] | None) -> requests.Response:
        return self._session.get(self.address(path), params=params, headers=self.headers())

    def _signed_in(self) -> Salesforce:
        if self._client is None:
            self._client = self._sign_in()
        return self._client

    def _sign_in(self) -> Salesforce:
        connection = self._connection
        response = self._session.post(
            f"https://{_host(connection)}/services/oauth2/token",
            data={
                "grant_type": "client_credentials",
                "client_id": connection.client_id,
                "client_secret": self._secret(connection.client_secret).reveal(),
            },
            headers=dict(self._repeat),
        )
        try:
            self._limit_reached(response)
            granted = read_json(response, self.source)
        except SourceRefused as error:
            raise SourceRefused(
                f"{self.source}: sign-in refused{said(response)}",
                source=self.source,
                hint="check client_id and client_secret, and that the app allows the client credentials flow",
            ) from error
        self.server_time(response)
        try:
            token, instance = str(granted["access_token"]), str(granted["instance_url"])
            self._user = str(granted["id"]).rstrip("/").rsplit("/", 1)[-1]
        except (KeyError, TypeError):
            raise SourceBroken(
                f"{self.source}: the sign-in reply lacks a token, an instance or our id", source=self.source
            ) from None
        parts = urlsplit(instance)
        self._instance = f"{parts.scheme}://{parts.netloc}"
        return Salesforce(
            instance_url=instance,
            session_id=token,
            version=connection.api_version,
            session=self._session,
        )

    def _limit_reached(self, response: requests.Response) -> None:
        if "REQUEST_LIMIT_EXCEEDED" in {code for code, _ in vendor_errors(response)}:
            raise SourceUnavailable(
                f"{self.source}: the org's daily API limit is used up",
                source=self.source,
                hint="wait for the rolling 24 hours to free some, or ask for a higher limit",
            )

    def _explain(self, response: requests.Response) -> None:
        self._limit_reached(response)
        for code, message in vendor_errors(response):
            column = _NO_SUCH_COLUMN.search(message)
            if column:
                raise self._unknown(f"field {column.group(1)!r} of {column.group(2)}")
            sobject = _NO_SUCH_OBJECT.search(message)
            if sobject or code == "INVALID_TYPE":
                raise self._unknown(f"object {sobject.group(1)!r}" if sobject else "an object")

    def _unknown(self, what: str) -> SourceError:
        return SourceRefused(
            f"{self.source}: Salesforce does not know {what}, or hides it from the hub's user",
            source=self.source,
            hint=f"check {what} in the charter (API names) and the field-level security of the hub's user",
        )


def vendor_errors(response: requests.Response) -> tuple[tuple[str, str], ...]:
    """(errorCode, message) pairs of a failed reply; empty when the body has another shape."""
    if response.status_code < 400:
        return ()
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return ()
    parts = body if isinstance(body, list) else [body]
    return tuple(
        (str(part.get("errorCode", "")), str(part.get("message", ""))) for part in parts if isinstance(part, dict)
    )


def _host(connection: SalesforceConnection) -> str:
    if connection.domain is None:
        if connection.base_url is None:
            raise ConfigurationError(
                "a Salesforce source needs its domain", hint="connection.domain is your My Domain name"
            )
        return "login.salesforce.com"  # a label only: the transport sends it to base_url
    domain = connection.domain.removeprefix("https://").rstrip("/").removesuffix(".salesforce.com")
    return f"{domain if '.' in domain else domain + '.my'}.salesforce.com"
