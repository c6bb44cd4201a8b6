"""The HTTP face of a configured service: signing in, one reply, and walking a list to its end."""

from __future__ import annotations

import base64
import csv
import io
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import requests

from connectors.rest.places import ABSENT, at
from connectors.transport import Meter, read_json, session
from hub.charter.secret import Secret
from hub.charter.sources import RestConnection, RestListing
from hub.errors import ConfigurationError, Remedy, SourceBroken, SourceRefused

_CSV = frozenset({"text/csv", "text/plain", "application/csv", "application/octet-stream"})


class Web:
    """Reads from one service; `date` is the service's own clock at its last reply (UTC, None: it tells none)."""

    def __init__(
        self,
        source: str,
        connection: RestConnection,
        secret: Callable[[str], Secret],
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.source = source
        self.date: datetime | None = None
        self._base = connection.base_url.rstrip("/")
        self._session = session(
            source, allowed_hosts=[urlsplit(self._base).netloc], ca_file=connection.ca_file, sleep=sleep
        )
        if connection.secret is not None:
            self._sign(connection, connection.secret, secret(connection.secret).reveal())

    @property
    def meter(self) -> Meter:
        """What the source has cost so far."""
        return self._session.meter

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> requests.Response:
        """A reply below the base address, whatever its status. Raises SourceError when none comes."""
        response = self._session.get(self._base + path, params=params)
        self._note(response)
        return response

    def single(self, path: str, native: str) -> requests.Response:
        """The reply to a direct read of one record; `path` holds `{id}`."""
        return self.get(path.replace("{id}", quote(native, safe="")))

    def walk(self, listing: RestListing, extra: Mapping[str, str]) -> Iterator[tuple[list[Any], bool]]:
        """Pages of a listing, `extra` added to its parameters, each with whether it is the last.

        Raises SourceError; SourceBroken also for a place in the list that comes twice, which would never end.
        """
        paging = listing.paging
        params: dict[str, str] = {**listing.params, **extra}
        if paging.size_parameter:
            params[paging.size_parameter] = str(paging.size)
        url = self._base + listing.path
        read = 0
        number = paging.first
        passed: set[str] = set()
        previous: list[Any] = []
        while True:
            if paging.parameter and paging.kind in {"offset", "page"}:
                params[paging.parameter] = str(read if paging.kind == "offset" else number)
            response = self._session.get(url, params=params)
            body = self._body(response, listing)
            records = self._records(body, listing)
            read += len(records)
            number += 1
            if paging.kind == "none":
                yield records, True
                return
            if paging.kind in {"offset", "page"}:
                if records and records == previous:
                    raise self._broken(f"{listing.path} sends the same page again", "check `paging` in the charter")
                previous = records
                # A short page is no proof of the end: services cap the size of pages as they like.
                yield records, not records
                if not records:
                    return
                continue
            further = self._further(body, response, listing)
            yield records, further is None
            if further is None:
                return
            if further in passed:
                raise self._broken(f"{listing.path} repeats its place in the list", "the next sync tries again")
            passed.add(further)
            if paging.kind == "link":
                url, params = self._same_origin(urljoin(response.url, further)), {}
            elif paging.parameter:
                params[paging.parameter] = further

    def json(self, response: requests.Response) -> Any:
        """The JSON of a good reply. Raises SourceError."""
        return read_json(response, self.source)

    def _further(self, body: Any, response: requests.Response, listing: RestListing) -> str | None:
        """Where the next page is, as the reply says."""
        if listing.paging.next is None:
            return response.links.get("next", {}).get("url") or None
        found = at(body, listing.paging.next)
        return None if found is ABSENT or found in (None, "", False) else str(found)

    def _same_origin(self, url: str) -> str:
        """The path and query of a link below our own address. Raises SourceRefused for another origin."""
        link, own = urlsplit(url), urlsplit(self._base)
        if (link.scheme, link.netloc.lower()) != (own.scheme, own.netloc.lower()):
            raise SourceRefused(
                f"{self.source}: the next page is said to be at another origin, {link.scheme}://{link.hostname}",
                source=self.source,
                hint="only the configured service is spoken to; check `base_url` and `paging`",
            )
        return f"{own.scheme}://{own.netloc}{link.path}" + (f"?{link.query}" if link.query else "")

    def _body(self, response: requests.Response, listing: RestListing) -> Any:
        self._note(response)
        if listing.format == "json" or response.status_code >= 300:
            return read_json(response, self.source)
        kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if kind not in _CSV:
            raise self._broken(f"{listing.path} answered {kind or 'no content type'} instead of CSV", _PAGE_BEFORE)
        try:
            rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"), newline=""), strict=True))
        except (UnicodeDecodeError, csv.Error):
            raise self._broken(f"{listing.path} answered CSV that is cut or not UTF-8", _PAGE_BEFORE) from None
        if not rows or len(set(rows[0])) != len(rows[0]):
            raise self._broken(f"{listing.path} answered CSV without a heading for each column", _PAGE_BEFORE)
        return [_row(rows[0], row, listing.id) for row in rows[1:] if row]

    def _records(self, body: Any, listing: RestListing) -> list[Any]:
        records = body if listing.format == "csv" else at(body, listing.records)
        if not isinstance(records, list):
            where = listing.records or "the reply itself"
            raise self._broken(f"{listing.path} answered without records at {where}", "check `records` in the charter")
        return records

    def _note(self, response: requests.Response) -> None:
        try:
            self.date = parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
        except (KeyError, ValueError, TypeError):
            self.date = None

    def _sign(self, connection: RestConnection, reference: str, value: str) -> None:
        # What is sent in a header is quoted in requests' own complaint about it.
        if not value or not value.isascii() or not value.isprintable() or value != value.strip():
            raise ConfigurationError(
                f"{self.source}: {reference} holds what cannot be sent as a credential",
                hint="one line of plain characters, nothing before or after",
            )
        headers = self._session.headers
        if connection.auth == "basic":
            pair = base64.b64encode(f"{connection.user}:{value}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        elif connection.auth == "header":
            headers[connection.header or ""] = value
        else:
            headers["Authorization"] = f"Bearer {value}"

    def _broken(self, what: str, hint: str) -> SourceBroken:
        remedy: Remedy = "fix configuration" if hint.startswith("check ") else "wait"
        return SourceBroken(f"{self.source}: {what}", source=self.source, hint=hint, remedy=remedy)


_PAGE_BEFORE = "a proxy, a sign-in page or a maintenance page may stand before the service"


def _row(headings: list[str], row: list[str], key: str) -> dict[str, Any]:
    """A row by heading. One of another length has its values in the wrong columns: only its id is kept apart."""
    if len(row) == len(headings):
        return dict(zip(headings, row, strict=True))
    place = headings.index(key) if key in headings else len(row)
    return {"": row, **({key: row[place]} if place < len(row) else {})}
