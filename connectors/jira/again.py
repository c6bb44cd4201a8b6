"""An issue or account again, out of the payload that was kept when it could not be read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from connectors.jira import parse, pull, timeline
from connectors.jira.site import Site
from connectors.jira.values import Json, Unreadable
from hub.domain.records import Observation, Page, Quarantined, RawRecord


def reparse(site: Site, stream: str, mapping: parse.Mapping, payload: bytes, *, now: datetime) -> Page | None:
    """The page of this one record, without a cursor; None where the payload may lack what the mapping asks for
    now. Raises SourceError when the sign-in fails."""
    held = orjson.loads(payload)
    own = site.me()
    if stream == pull.USERS:
        native = str(held.get("accountId", "")) if isinstance(held, dict) else ""
        version = ""
    else:
        issue = held["issue"] if isinstance(held["issue"], dict) else {}
        named = issue.get("fields")
        fields = named if isinstance(named, dict) else {}
        native, version = str(issue.get("id") or ""), str(fields.get("updated", ""))
        if not _enough(held, fields, mapping):
            return None
    raw = RawRecord(
        source=site.source, stream=stream, native_id=native, version=version, payload=payload, fetched_at=now
    )
    try:
        said = _said(site, stream, mapping, held, own, raw.digest, now)
    except (Unreadable, LookupError, TypeError, AttributeError, ValueError) as error:
        reason = str(error) if isinstance(error, Unreadable) else f"of an unexpected shape ({error})"
        aside = Quarantined(source=site.source, stream=stream, native_id=native, reason=reason, payload=payload)
        return Page(records=(), observations=(), quarantined=(aside,))
    return Page(records=(raw,), observations=said)


def _said(
    site: Site, stream: str, mapping: parse.Mapping, held: Any, own: str, raw: str, now: datetime
) -> tuple[Observation, ...]:
    if stream == pull.USERS:
        return pull.account(site, held, own, raw, now)
    told = parse.issue(held, mapping, raw)
    met = (said for user in told.users for said in pull.account(site, user, own, raw, now))
    return (*told.observations, *met)


def _enough(held: Json, fields: Json, mapping: parse.Mapping) -> bool:
    """A custom field without changes may never have changed or never have been asked for: only the site knows."""
    try:
        told = timeline.by_field(held["changelog"])
    except (Unreadable, LookupError, TypeError, AttributeError):
        return True  # it cannot be read, whatever it holds
    return all(name in fields and name in told for name in mapping.custom)
