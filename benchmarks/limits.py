"""What a pull is measured against: the same reads and the same rows with nothing of the hub in between."""

from __future__ import annotations

import imaplib
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
import requests

from hub.charter.sources import MailSource, Source

_KEPT_OF_A_BODY = 20_000  # characters; the simulated company's journal cuts there
_AT_ONCE = 200  # messages in one FETCH, as the mail connector asks
_ROWS = 20_000  # in one transaction

Secret = Callable[[str], str]


def asked(control: str, tool: str) -> list[dict[str, Any]]:
    """Every read that the simulated company answered since the journal was cleared, oldest first."""
    entries: list[dict[str, Any]] = requests.get(f"{control}/journal", params={"tool": tool}, timeout=120).json()
    reads = [entry for entry in entries if not entry["path"].endswith("/token")]
    odd = [e for e in reads if e["status"] != 200 or len(e["body"] or "") >= _KEPT_OF_A_BODY]
    assert not odd, odd[0]
    return reads


def forget(control: str) -> None:
    """Clear the journal."""
    requests.delete(f"{control}/journal", timeout=60).raise_for_status()


def signed_in(source: Source, address: str, secret: Secret) -> requests.Session:
    """A plain session of the source's own user."""
    session = requests.Session()
    connection: Any = source.connection
    if source.tool == "jira":
        session.auth = (connection.email, secret(connection.token))
        return session
    if source.tool == "airtable":
        token = secret(connection.token)
    else:
        form = {
            "grant_type": "client_credentials",
            "client_id": connection.client_id,
            "client_secret": secret(connection.client_secret),
        }
        token = session.post(f"{address}/services/oauth2/token", data=form, timeout=10).json()["access_token"]
    session.headers["Authorization"] = f"Bearer {token}"
    return session


def replay(session: requests.Session, address: str, reads: Iterable[dict[str, Any]]) -> int:
    """Send the reads again, one after the other, parse the replies and drop them; how many bytes came."""
    received = 0
    pages: dict[str, str] = {}
    for read in reads:
        # The next pages of a Salesforce query have names that only the session which asked for them can use.
        path = pages.get(_place(read["path"]), read["path"])
        url = address + path + (f"?{read['query']}" if read["query"] else "")
        headers = {"Content-Type": "application/json"}
        reply = session.request(read["method"], url, data=read["body"] or None, headers=headers, timeout=120)
        assert reply.status_code == 200, (reply.status_code, path)
        received += len(reply.content)
        body = orjson.loads(reply.content)
        following = body.get("nextRecordsUrl") if isinstance(body, dict) else None
        if following:
            pages[_place(following)] = following
    return received


def _place(path: str) -> str:
    """The part of a query locator that every session shares: its offset."""
    return path.rsplit("-", 1)[-1] if "/query/" in path else path


def fetch(source: MailSource, password: str) -> int:
    """All messages of the folder by plain imaplib; how many bytes came."""
    connection = source.connection
    kind = imaplib.IMAP4_SSL if connection.tls else imaplib.IMAP4
    received = 0
    with kind(connection.host, connection.port) as box:
        box.login(connection.user, password)
        box.select(connection.folder, readonly=True)
        uids = box.uid("SEARCH", "ALL")[1][0].split()
        for start in range(0, len(uids), _AT_ONCE):
            some = b",".join(uids[start : start + _AT_ONCE]).decode()
            parts = box.uid("FETCH", some, "(INTERNALDATE BODY.PEEK[])")[1]
            received += sum(len(part[1]) for part in parts if isinstance(part, tuple))
    return received


def insert(rows: list[tuple[Any, ...]], path: Path) -> int:
    """Observations by plain sqlite3 into a table with a unique key of 16 bytes; how many are there afterwards."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    columns = ", ".join(f"c{number}" for number in range(len(rows[0]) - 1))
    connection.execute(f"CREATE TABLE observation (key BLOB UNIQUE, {columns})")
    places = ",".join("?" * len(rows[0]))
    for start in range(0, len(rows), _ROWS):
        connection.execute("BEGIN")
        connection.executemany(f"INSERT INTO observation VALUES ({places})", rows[start : start + _ROWS])
        connection.execute("COMMIT")
    count = int(connection.execute("SELECT count(*) FROM observation").fetchone()[0])
    connection.close()
    return count
