"""The HTTP face of a Jira site: the library's session for address and sign-in, our own replies and errors.

The library's request loop is left out on purpose: it repeats writes, cannot honour long `Retry-After`s, and
builds objects at a cost of 140 us an issue; its search truncates silently.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import jira
import requests

from connectors.jira.pace import Pace
from connectors.jira.sign_in import SignIn
from connectors.jira.values import Json
from connectors.transport import READ, Meter, ReadingAdapter, mount, read_json
from connectors.wire import said
from hub.errors import SourceBroken, SourceRefused

# Version 2 of the API: the same resources as 3 with plain text instead of documents.
API = "/rest/api/2/"
DESK = "/rest/servicedeskapi/"


class Site:
    """Reads from one Jira site; `date` is the service's own clock at its last reply (UTC)."""

    def __init__(
        self,
        source: str,
        server: str,
        auth: SignIn,
        *,
        root: str = "",
        ca_file: str | None = None,
        meter: Meter | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`server` is what people open, `root` where the API is (empty: there too)."""
        self.source = source
        self.server = server.rstrip("/")
        self.root = (root or server).rstrip("/")
        self.auth = auth
        self.date: datetime | None = None
        self._sleep = sleep
        self._pace = Pace(time.monotonic)
        self._me: Json | None = None
        client = jira.JIRA(
            server=self.root,
            options={"rest_api_version": "2", "check_update": False},
            get_server_info=False,
            max_retries=0,
            logging=False,
        )
        self._client = client  # its destructor closes the session
        self._session: requests.Session = client._session
        self._session.auth = auth
        adapter = ReadingAdapter(
            source, allowed_hosts=[urlsplit(self.root).netloc], ca_file=ca_file, meter=meter, sleep=sleep
        )
        self.meter = mount(self._session, adapter)

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """JSON of a GET below the API root. Raises SourceError."""
        return self._read(self._send("GET", path, params=params))

    def find(self, path: str, params: Mapping[str, Any] | None = None) -> Any | None:
        """As `get`, but None where Jira itself (no proxy before it) answers 404. Raises SourceError."""
        response = self._send("GET", path, params=params)
        if response.status_code == 404 and said(response):
            return None
        return self._read(response)

    def desk(self, path: str, params: Mapping[str, Any] | None = None) -> Any | None:
        """JSON of a GET of the service desk's own interface, None where the desk says 404. Raises SourceError."""
        response = self._send("GET", path, params=params, below=DESK)
        if response.status_code == 404 and "errorMessage" in _told(response):
            return None
        return self._read(response)

    def ask(self, path: str, body: Json) -> Any:
        """JSON of a POST that only asks (bulk changelog, count). Raises SourceError."""
        return self._read(self._send("POST", path, json=body, headers=dict(READ)))

    def me(self) -> str:
        """The hub's own account id, asked once: the proof that the sign-in holds, since a site may answer
        strangers with 200 and fewer rows. Raises SourceError."""
        if self._me is None:
            self._me = self.get("myself")
        account = self._me.get("accountId") if isinstance(self._me, dict) else None
        if not account:
            raise SourceBroken(
                f"{self.source}: myself names no accountId",
                source=self.source,
                hint="the address must be that of a Jira Cloud site",
                remedy="fix configuration",
            )
        return str(account)

    def _send(self, method: str, path: str, *, below: str = API, **rest: Any) -> requests.Response:
        pause = self._pace.pause(method, path)
        if pause:
            self.meter.waited += pause
            self._sleep(pause)
        # Session.request itself, past the library's override with its own retries and exceptions
        response = requests.Session.request(self._session, method, self.root + below + path, **rest)
        if response.status_code == 401 and self.auth.renewed(response):
            response = requests.Session.request(self._session, method, self.root + below + path, **rest)
        if response.ok:
            self._pace.told(method, path, response.headers, _date(response))
        return response

    def _read(self, response: requests.Response) -> Any:
        if "FAILED" in response.headers.get("X-Seraph-LoginReason", ""):
            raise SourceRefused(
                f"{self.source}: the site did not accept the sign-in",
                source=self.source,
                hint="check connection.email and the secrets the charter refers to",
            )
        body = read_json(response, self.source)
        self.date = _date(response)
        return body


def _date(response: requests.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError, TypeError):
        return None


def _told(response: requests.Response) -> Json:
    try:
        told = response.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
