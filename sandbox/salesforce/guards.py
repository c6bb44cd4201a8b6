"""Conditional requests: HTTP dates against the last modification, entity tags for accounts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from sandbox.calls import Answer, Call, RefusedCall
from sandbox.salesforce.columns import own_value
from sandbox.salesforce.errors import refused
from sandbox.stamps import parsed


def entity_tag(record: Mapping[str, Any]) -> str:
    """Return the weak entity tag of a record; it follows the stamp of its last change."""
    text = f"{record['Id']}{own_value(record, 'SystemModstamp')}"
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:20]}"'


def refuse_newer(record: Mapping[str, Any], unless: str) -> None:
    """Raise 412 when the record is newer than an If-Unmodified-Since header says; both sides are whole seconds."""
    if unless and _changed(record) > _date(unless, "If-Unmodified-Since"):
        raise refused(412, "PRECONDITION_FAILED", "The record was modified after the given date")


def check_read(call: Call, sobject: str, record: Mapping[str, Any]) -> None:
    """Raise 304 or 412 as the conditional headers of a GET demand."""
    refuse_newer(record, call.headers.get("if-unmodified-since", ""))
    since = call.headers.get("if-modified-since", "")
    if since and _changed(record) <= _date(since, "If-Modified-Since"):
        raise RefusedCall(Answer(status=304))
    if sobject == "Account":
        if entity_tag(record) in _tags(call, "if-none-match"):
            raise RefusedCall(Answer(status=304, headers={"ETag": entity_tag(record)}))
        _check_tags(call, record)


def check_write(call: Call, sobject: str, record: Mapping[str, Any]) -> None:
    """Raise 412 (or 400 for a bad date) as the conditional headers of a PATCH demand."""
    refuse_newer(record, call.headers.get("if-unmodified-since", ""))
    since = call.headers.get("if-modified-since", "")
    if since and _changed(record) <= _date(since, "If-Modified-Since"):
        raise refused(412, "PRECONDITION_FAILED", "The record was not modified after the given date")
    if sobject == "Account":
        if entity_tag(record) in _tags(call, "if-none-match"):
            raise refused(412, "PRECONDITION_FAILED", "The record has this entity tag")
        _check_tags(call, record)


def _check_tags(call: Call, record: Mapping[str, Any]) -> None:
    wanted = _tags(call, "if-match")
    if wanted and "*" not in wanted and entity_tag(record) not in wanted:
        raise refused(412, "PRECONDITION_FAILED", "The record has another entity tag")


def _tags(call: Call, header: str) -> set[str]:
    sent = call.headers.get(header, "")
    return {tag.strip().removeprefix("W/").removesuffix("--gzip") for tag in sent.split(",") if tag.strip()}


def _changed(record: Mapping[str, Any]) -> datetime:
    told = own_value(record, "LastModifiedDate")
    return parsed(str(told)).replace(microsecond=0) if told else datetime.min.replace(tzinfo=UTC)


def _date(text: str, header: str) -> datetime:
    try:
        at = parsedate_to_datetime(text)
    except ValueError as error:
        raise refused(400, "INVALID_HEADER", f"{header} is not an HTTP date") from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
