"""The HTTP face of an Airtable base: pyairtable's addresses and session, our own replies, errors and pace."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import orjson
import pyairtable
import requests
from pyairtable.api.params import options_to_params

from connectors.airtable.cells import Json
from connectors.airtable.pace import Pace, PacedAdapter
from connectors.airtable.sign_in import Keys, Signature
from connectors.transport import Meter, ReadingAdapter, mount, read_json
from connectors.wire import TIMEOUT, MeteredSession
from hub.errors import SourceBroken, SourceRefused, SourceUnavailable

PAGE = 100  # records in one page, the documented limit
_PAGES_OF_BASES = 10  # of a thousand bases each
_RESTARTS = 3  # iterators lost at the same place before the service counts as unavailable


class _PatientAdapter(ReadingAdapter, PacedAdapter):
    """Repeats questions; every repetition keeps the pace too."""


class FieldUnknown(SourceRefused):
    """A field that was asked for is not in the table."""


class _IteratorGone(Exception):
    """The offset has expired on the server: the walk must begin again."""


class Web:
    """Reads from one base; `date` is the service's own clock at its last reply (UTC)."""

    def __init__(
        self,
        source: str,
        endpoint: str,
        base: str,
        keys: Keys,
        *,
        per_second: float,
        ca_file: str | None = None,
        meter: Meter | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.source = source
        self.date: datetime | None = None
        self._allowed = [urlsplit(endpoint).netloc]
        self._ca_file = ca_file
        self._pace = Pace(per_second, clock=clock, sleep=sleep)
        # without its own retries: they hammer a closed base and repeat writes
        self._api = pyairtable.Api("", endpoint_url=endpoint, retry_strategy=None, use_field_ids=True)
        self._keys = keys
        self._api.session.auth = Signature(keys)
        self._base = self._api.base(base)
        adapter = _PatientAdapter(source, allowed_hosts=self._allowed, ca_file=ca_file, meter=meter, sleep=sleep)
        adapter.pace = self._pace
        self.meter = mount(self._api.session, adapter)
        self._me: Json | None = None
        self._tables: dict[str, Json] | None = None

    def write_session(self) -> MeteredSession:
        """A session that sends once, signed in, at the same pace."""
        adapter = PacedAdapter(
            self.source, allowed_hosts=self._allowed, timeout=TIMEOUT, ca_file=self._ca_file, meter=self.meter
        )
        adapter.pace = self._pace
        session = MeteredSession(adapter)
        session.auth = Signature(self._keys)
        return session

    def me(self) -> str:
        """The hub's own user id, asked once. Raises SourceError."""
        if self._me is None:
            self._me = self._object(self.get(str(self._api.urls.whoami)), "whoami")
        return str(self._me.get("id", ""))

    def scopes(self) -> frozenset[str] | None:
        """Scopes of the token, or None where the service does not tell them (it need not for personal tokens)."""
        self.me()
        told = (self._me or {}).get("scopes")
        return frozenset(str(scope) for scope in told) if isinstance(told, list) else None

    def level(self) -> str | None:
        """The hub's level of permission in the base (`read`, `comment`, `edit`, `create`); None where it is not
        told. Raises SourceError."""
        offset: str | None = None
        for _ in range(_PAGES_OF_BASES):
            params = {"offset": offset} if offset else None
            body = self._object(self.get(str(self._api.urls.bases), params), "the list of bases")
            for one in body.get("bases") or ():
                if isinstance(one, dict) and one.get("id") == self._base.id:
                    return str(one["permissionLevel"]) if one.get("permissionLevel") else None
            offset = body.get("offset")
            if not offset:
                break
        return None

    def may_read(self, table: str) -> bool:
        """Whether records of a table can be listed. Raises SourceError for anything but a plain no."""
        response = self._ask(str(self._base.table(table).urls.records), {"pageSize": 1})
        if response.status_code == 403:
            return False
        self._object(self._json(response), f"table {table}")
        return True

    def tables(self, *, fresh: bool = False) -> dict[str, Json]:
        """Schemas of the base's tables by id, asked once unless `fresh`. Raises SourceError."""
        if self._tables is None or fresh:
            body = self._object(self.get(str(self._base.urls.tables)), "the schema")
            tables = [table for table in body.get("tables") or () if isinstance(table, dict)]
            self._tables = {str(table.get("id")): table for table in tables}
        return self._tables

    def collaborators(self) -> tuple[Json, ...] | None:
        """People with access to the base, or None where the plan or the token does not let us ask."""
        response = self._ask(str(self._base.urls.meta), {"include": ["collaborators"]})
        if response.status_code in {403, 404}:
            return None
        body = self._object(self._json(response), "the base")
        individual = body.get("individualCollaborators") or {}
        people = [
            person
            for way in ("baseCollaborators", "workspaceCollaborators")
            for person in individual.get(way) or ()
            if isinstance(person, dict)
        ]
        return tuple(people)

    def record(self, table: str, record: str) -> Json:
        """One record by id, cells by field id. Raises SourceError."""
        url = self.record_url(table, record)
        return self._object(self.get(url, {"returnFieldsByFieldId": 1}), f"record {record}")

    def fate(self, table: str, record: str) -> Literal["there", "gone", "forbidden"]:
        """Whether a record can be read, is unknown, or is out of reach. Raises SourceError for other answers."""
        response = self._ask(self.record_url(table, record))
        if response.status_code == 403:
            self._dated(response)
            return "forbidden"
        if response.status_code == 404 and b"MODEL_ID_NOT_FOUND" in response.content:
            self._dated(response)
            return "gone"
        self._object(self._json(response), f"record {record}")
        return "there"

    def record_url(self, table: str, record: str) -> str:
        """Address of one record."""
        return str(self._base.table(table).urls.record(record))

    def walk(
        self,
        table: str,
        fields: tuple[str, ...],
        *,
        since: Callable[[], str | None] = lambda: None,
        sort: str | None = None,
    ) -> Iterator[tuple[tuple[Json, ...], bool]]:
        """Pages of a table, each with whether it is the last.

        `since` gives the filter formula and is asked again when the server has lost its iterator, so that a
        walk begins again where its caller has got to. Raises SourceError.
        """
        url = str(self._base.table(table).urls.records)
        offset: str | None = None
        passed: set[str] = set()
        restarts = 0
        formula = since()
        while True:
            options: dict[str, Any] = {"fields": list(fields), "page_size": PAGE, "use_field_ids": True}
            options |= {"sort": [sort]} if sort else {}
            options |= {"formula": formula} if formula else {}
            options |= {"offset": offset} if offset else {}
            try:
                body = self._object(self.get(url, options_to_params(options)), f"table {table}")
            except _IteratorGone:
                further = since()
                restarts = restarts + 1 if further == formula else 1
                if restarts > _RESTARTS:
                    raise SourceUnavailable(
                        f"{self.source}: table {table} keeps losing our place in it",
                        source=self.source,
                        hint="the next sync tries again",
                    ) from None
                offset, formula = None, further
                passed.clear()
                continue
            records = body.get("records")
            if not isinstance(records, list):
                raise self._broken(f"table {table} answered without records")
            offset = body.get("offset")
            yield tuple(records), not offset
            if not offset:
                return
            if offset in passed:
                raise self._broken(f"table {table} repeats its offset")
            passed.add(offset)

    def get(self, url: str, params: Any = None) -> Any:
        """JSON of a GET. Raises SourceError."""
        response = self._ask(url, params)
        if response.status_code == 422 and b"LIST_RECORDS_ITERATOR_NOT_AVAILABLE" in response.content:
            raise _IteratorGone
        return self._json(response)

    def _ask(self, url: str, params: Any = None) -> requests.Response:
        response = self._api.session.get(url, params=params)
        if response.status_code != 401:
            return response
        # The token may have ended early, or another process has renewed it: once more with the new one.
        refused = str(response.request.headers.get("Authorization", "")).removeprefix("Bearer ")
        return self._api.session.get(url, params=params) if self._keys.renew(refused) else response

    def _json(self, response: Any) -> Any:
        if response.status_code == 422 and b"UNKNOWN_FIELD_NAME" in response.content:
            raise FieldUnknown(
                f"{self.source}: a field of the charter is not in the table: {_message(response.content)}",
                source=self.source,
                hint="name fields by id (fld...); `hub check` says which one is missing",
            )
        body = read_json(response, self.source)
        self._dated(response)
        return body

    def _dated(self, response: requests.Response) -> None:
        try:
            self.date = parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
        except (KeyError, ValueError, TypeError):
            self.date = None

    def _object(self, body: Any, what: str) -> Json:
        if not isinstance(body, dict):
            raise self._broken(f"{what} came as something else than an object")
        return body

    def _broken(self, what: str) -> SourceBroken:
        return SourceBroken(
            f"{self.source}: {what}", source=self.source, hint="the next sync tries again", remedy="wait"
        )


def _message(content: bytes) -> str:
    try:
        return str(orjson.loads(content)["error"]["message"])[:200]
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return "unknown field"
