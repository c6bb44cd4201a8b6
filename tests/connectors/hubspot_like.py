"""A small CRM on a real socket, after the shape of HubSpot's lists, and a charter source that reads it.

Its lists come as `results` with `paging.next.after` (a keyset over ids), archived objects only when asked for,
owners at an address of their own. What it can do besides, other services do: filter by time, page by position,
give the next link, answer CSV.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import TypeAdapter

from connectors.rest.connector import RestConnector
from hub.charter.secret import Secret
from hub.charter.sources import Source

TOKEN = "pat-crm-1"
START = datetime(2026, 11, 20, 9, tzinfo=UTC)
DEALS = "/crm/v3/objects/deals"
OWNERS = "/crm/v3/owners"


def at(minutes: float) -> datetime:
    """Minutes after the start of the day at the CRM."""
    return START + timedelta(minutes=minutes)


def text(when: datetime) -> str:
    """A time as the CRM writes it."""
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"


@dataclass
class Crm:
    """Records by id; `hook` runs before every answer, `faults` are used up one for each request."""

    deals: dict[str, dict[str, Any]] = field(default_factory=dict)
    owners: dict[str, dict[str, Any]] = field(default_factory=dict)
    clock: datetime = field(default_factory=lambda: at(60))
    cap: int = 100
    token: str = TOKEN
    sick: str = ""
    faults: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    hook: Callable[[str], None] = lambda _: None
    link_to: str = ""
    address: str = ""

    def deal(self, native: str, minutes: float, **properties: Any) -> None:
        """Create or change a deal at that time."""
        old = self.deals.get(native, {"createdAt": text(at(minutes)), "properties": {}})
        known = {"dealname": f"Deal {native}", "dealstage": "open", "hubspot_owner_id": "71", "closedate": None}
        self.deals[native] = {
            "id": native,
            "createdAt": old["createdAt"],
            "updatedAt": text(at(minutes)),
            "archived": False,
            "properties": {**known, **old["properties"], **properties},
        }

    def archive(self, native: str, minutes: float) -> None:
        """Delete a deal, as people do."""
        self.deals[native] |= {"archived": True, "archivedAt": text(at(minutes))}

    def owner(self, native: str, first: str, last: str, minutes: float = 0, *, archived: bool = False) -> None:
        """Somebody who owns deals."""
        self.owners[native] = {
            "id": native, "firstName": first, "lastName": last, "email": f"{first.lower()}@acme.example",
            "createdAt": text(START), "updatedAt": text(at(minutes)), "archived": archived,
        }  # fmt: skip

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        """Status, body and headers of a GET."""
        if path.startswith(f"{DEALS}/"):
            found = self.deals.get(path.removeprefix(f"{DEALS}/"))
            gone = found is None or found["archived"]
            return (404, {"message": "resource not found"}, {}) if gone else (200, found, {})
        held = {DEALS: self.deals, OWNERS: self.owners}.get(path)
        if held is None:
            return 404, {"message": "no such list"}, {}
        rows = [row for row in held.values() if row["archived"] is (query.get("archived") == "true")]
        if "updatedAfter" in query:
            rows = [row for row in rows if row["updatedAt"] > query["updatedAfter"]]
        rows.sort(key=lambda row: int(row["id"]))
        return self._paged(path, rows, query)

    def csv(self) -> bytes:
        """Everything as CSV."""
        lines = ["Number,Changed,Name,Owner"]
        lines += [f"{d['id']},{d['updatedAt']},{d['properties']['dealname']},71" for d in self.deals.values()]
        return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()

    def _paged(self, path: str, rows: list[Any], query: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        size = min(self.cap, int(query.get("limit", "10")))
        if "page" in query:
            start = (int(query["page"]) - 1) * size
            return 200, {"results": rows[start : start + size]}, {}
        if "offset" in query:
            start = int(query["offset"])
            return 200, {"results": rows[start : start + size]}, {}
        rest = [row for row in rows if int(row["id"]) > int(query.get("after", "0"))]
        body: dict[str, Any] = {"results": rest[:size]}
        headers: dict[str, str] = {}
        if len(rest) > size:
            after = rest[size - 1]["id"]
            link = f"{self.link_to or self.address}{path}?limit={size}&after={after}"
            body["paging"] = {"next": {"after": after, "link": link}}
            headers["Link"] = f'<{link}>; rel="next"'
        return 200, body, headers


@contextmanager
def serving(crm: Crm) -> Iterator[Crm]:
    """The CRM behind a socket of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body in one packet

        def do_GET(self) -> None:
            crm.hook(self.path)
            crm.requests.append(self.path)
            url = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(url.query).items()}
            if crm.sick == "down":
                self.reply(503, {"message": "down"}, {})
            elif crm.faults:
                status, headers = crm.faults.pop(0)
                self.reply(status, {"message": "not now"}, headers)
            elif self.headers.get("Authorization") != f"Bearer {crm.token}":
                self.reply(401, {"message": "authentication failed"}, {})
            elif crm.sick == "html":
                self.send(200, b"<html>sign in</html>", "text/html", {})
            elif query.get("format") == "csv":
                self.send(200, crm.csv(), "text/csv; charset=utf-8", {})
            else:
                self.reply(*crm.answer(url.path, query))

        def reply(self, status: int, body: Any, headers: dict[str, str]) -> None:
            self.send(status, json.dumps(body).encode(), "application/json", headers)

        def send(self, status: int, body: bytes, kind: str, headers: dict[str, str]) -> None:
            self.send_response_only(status)
            told = {"Date": format_datetime(crm.clock, usegmt=True), "Content-Type": kind, **headers}
            for name, value in told.items():
                self.send_header(name, value)
            body = body[: len(body) // 2] if crm.sick == "truncate" else body
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    crm.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    try:
        yield crm
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


CURSOR = {"kind": "cursor", "next": "paging.next.after", "parameter": "after", "size_parameter": "limit", "size": 3}


def stated(address: str, **deals: Any) -> dict[str, Any]:
    """The source as the charter would state it; `deals` changes the stream of deals."""
    archived = {"archived": "true"}
    return {
        "tool": "rest",
        "partner": "acme",
        "connection": {"base_url": address, "secret": "env:CRM_TOKEN"},
        "accounts": {
            "path": OWNERS, "records": "results", "paging": CURSOR, "name": ["firstName", "lastName"],
            "email": "email", "modified": "updatedAt", "deleted": {"params": archived, "at": "updatedAt"},
        },
        "streams": {
            "deals": {
                "path": DEALS, "records": "results", "paging": CURSOR, "modified": "updatedAt",
                "created": "createdAt", "record": f"{DEALS}/{{id}}", "url": "https://crm.example/deal/{id}",
                "deleted": {"params": archived, "at": "archivedAt"}, "title": "properties.dealname",
                "status": "properties.dealstage", "owner": "properties.hubspot_owner_id",
                "due": "properties.closedate", **deals,
            }
        },
    }  # fmt: skip


def connector_for(crm: Crm, token: str = TOKEN, *, waits: list[float] | None = None, **deals: Any) -> RestConnector:
    """A connector to a running CRM; waits are noted in `waits` and not slept."""
    source = TypeAdapter(Source).validate_python(stated(crm.address, **deals))
    return RestConnector("acme_crm", source, lambda _: Secret(token), sleep=(waits if waits is not None else []).append)
