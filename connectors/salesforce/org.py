"""One signed-in org: questions in, JSON and the org's own clock out.

simple-salesforce supplies addresses and headers; replies are parsed by orjson, which is three times as fast.
When the session expires, the hub signs in again and asks again with all its own headers (the library would
drop them, guards included). Signing in happens under a lock: of several threads whose session ended, one
signs in and the others take what it got. Two sessions in a row that are refused at once end the attempts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import RLock
from typing import Any
from urllib.parse import quote

import requests
from simple_salesforce.api import Salesforce

from connectors.salesforce import soql
from connectors.salesforce.budget import Budget
from connectors.salesforce.refusals import raise_explained
from connectors.salesforce.signin import Session, sign_in
from connectors.wire import read_json
from hub.charter.secret import Secret
from hub.charter.sources import SalesforceConnection
from hub.errors import SourceBroken, SourceRefused

ALLOWED_HOSTS = ("*.salesforce.com",)
_RENEWALS = 2  # sessions in a row that may be refused at once
_SKEW = timedelta(seconds=60)  # of our clock, from which on a refused assertion may be its fault


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
        self._lock = RLock()
        self._in_vain = 0
        self._budget = Budget(source, connection.keep_requests)

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

    def time(self) -> datetime:
        """The org's clock now (UTC), as far as its replies tell it."""
        self._signed_in()
        return self._clock() + self._ahead

    def address(self, path: str) -> str:
        """Full address of a REST path below the API version."""
        return f"{self._signed_in().base_url}{path}"

    def headers(self) -> dict[str, str]:
        """Headers that carry our session; not for logs."""
        return {**self._signed_in().headers, "X-PrettyPrint": "0"}

    def forget(self) -> None:
        """Drop the session, so that the next request signs in anew."""
        with self._lock:
            self._client = None

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """Ask for a path below the API version. Raises SourceError."""
        return self.read(self._asked("GET", path, params=params))

    def reply(self, path: str, params: Mapping[str, str] | None = None) -> requests.Response:
        """A good reply of any form to a question below the API version. Raises SourceError."""
        response = self._asked("GET", path, params=params)
        if response.status_code >= 300:
            self.read(response)
        return response

    def query_job(self, text: str) -> Answer:
        """Have a SOQL query run in bulk; the job. The only thing ordered here, and it reads. Raises SourceError."""
        return self.read(self._asked("POST", "jobs/query", json={"operation": "query", "query": text}))

    def query(self, text: str, *, with_deleted: bool = False) -> Rows:
        """Ask a SOQL query and read its first page, deleted records included on demand. Raises SourceError."""
        return self._rows(self.get("queryAll/" if with_deleted else "query/", {"q": text}))

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
            raise_explained(response, self.source)
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

    def _asked(self, method: str, path: str, **what: Any) -> requests.Response:
        """The reply to a question; a session that ended is renewed, but not without end."""
        while True:
            client = self._signed_in()
            self._budget.spend(self._clock())
            headers = {**client.headers, "X-PrettyPrint": "0"}
            response = self._session.request(method, f"{client.base_url}{path}", headers=headers, **what)
            self._budget.hear(response.headers, self._clock())
            if response.status_code != 401:
                self._in_vain = 0
                return response
            self._renew(client, response)

    def _renew(self, refused: Salesforce, response: requests.Response) -> None:
        """Give up the refused session, unless another thread has done so. Raises SourceRefused at the last."""
        with self._lock:
            if self._client is not refused:
                return
            self._client = None
            self._in_vain += 1
            if self._in_vain <= _RENEWALS:
                return
            self._in_vain = 0
        try:
            read_json(response, self.source)
        except SourceRefused as error:
            raise SourceRefused(
                f"{error.message}; {_RENEWALS} new sessions were refused as well",
                source=self.source,
                hint="signing in works, the data API refuses: give the hub's user 'API Enabled', and check the IP "
                "ranges and session settings of the profile and the app",
            ) from None

    def _signed_in(self) -> Salesforce:
        with self._lock:
            if self._client is None:
                granted = self._sign_in()
                self._user, self._instance = granted.user, granted.instance
                self._client = Salesforce(
                    instance_url=granted.instance,
                    session_id=granted.token,
                    version=self._connection.api_version,
                    session=self._session,
                )
            return self._client

    def _sign_in(self) -> Session:
        believed = self._ahead
        try:
            return self._one_sign_in()
        except SourceRefused:
            # An assertion carries our time: where the org's clock turns out to be another, it goes by the org's.
            if self._connection.sign_in != "jwt_bearer" or abs(self._ahead - believed) < _SKEW:
                raise
            return self._one_sign_in()

    def _one_sign_in(self) -> Session:
        now = self._clock() + self._ahead
        return sign_in(self._connection, self._secret, self._post, source=self.source, now=now)

    def _post(self, url: str, body: bytes | dict[str, str], headers: Mapping[str, str]) -> requests.Response:
        response = self._session.post(url, data=body, headers={**self._repeat, **headers})
        if response.ok or "Date" in response.headers:
            self.server_time(response)
        return response
