"""Replication: /sobjects/{o}/updated and /deleted, in whole minutes and as far back as the org remembers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sandbox.calls import Answer, Call, reply
from sandbox.salesforce.author import Author
from sandbox.salesforce.columns import own_value
from sandbox.salesforce.deletes import LOG
from sandbox.salesforce.errors import refused
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import SObject
from sandbox.stamps import parsed, salesforce, stamp

_UPDATED_DAYS, _DELETED_DAYS = 30, 15
_MOST = 600_000


class Changes:
    """Handlers over one org, on its clock."""

    def __init__(self, org: Org) -> None:
        """Serve one org."""
        self._org = org

    def updated(self, call: Call) -> Answer:
        """GET /sobjects/{o}/updated?start=&end=: ids of records created or changed, at most 30 days back."""
        author = self._org.author(call)
        sobject = self._org.sobject(call.at["o"], author)
        start, end = self._span(call)
        start = max(start, self._today() - timedelta(days=_UPDATED_DAYS))
        records = self._org.store.scan(self._org.space, sobject.name, since=stamp(start), until=_just_before(end))
        ids = [
            str(record["Id"])
            for record in records
            if not record.get("IsDeleted") and self._org.visible(sobject, record, author.rights)
        ]
        _refuse_too_many(ids)
        return reply({"ids": ids, "latestDateCovered": salesforce(self._covered(end))})

    def deleted(self, call: Call) -> Answer:
        """GET /sobjects/{o}/deleted?start=&end=: what the log of deletions holds.

        The log goes back 15 days (`_settings.deleted_log_days`); a `start` before `earliestDateAvailable` is
        answered with what there is, and the caller has to read everything again.
        """
        author = self._org.author(call)
        sobject = self._org.sobject(call.at["o"], author)
        start, end = self._span(call)
        days = float(self._org.settings.get("deleted_log_days", _DELETED_DAYS))
        earliest = _minute(self._org.clock() - timedelta(days=days))
        found = dict(self._deletions(sobject, author, max(start, earliest), end))
        _refuse_too_many(list(found))
        rows = [{"id": id_, "deletedDate": at} for id_, at in sorted(found.items(), key=lambda row: (row[1], row[0]))]
        return reply(
            {
                "deletedRecords": rows,
                "earliestDateAvailable": salesforce(earliest),
                "latestDateCovered": salesforce(self._covered(end)),
            }
        )

    def _deletions(self, sobject: SObject, author: Author, start: datetime, end: datetime) -> Iterator[tuple[str, str]]:
        store, space = self._org.store, self._org.space
        since, until = stamp(start), _just_before(end)
        for record in store.scan(space, sobject.name, since=since, until=until):
            if record.get("IsDeleted") and self._org.visible(sobject, record, author.rights):
                yield str(record["Id"]), str(own_value(record, "SystemModstamp"))
        for entry in store.scan(space, LOG, since=since, until=until, parent=sobject.name):
            if author.rights.reads(sobject.name, str(entry["id"])):
                yield str(entry["id"]), str(entry["deletedDate"])

    def _span(self, call: Call) -> tuple[datetime, datetime]:
        start, end = (_instant(call, name) for name in ("start", "end"))
        if end - start < timedelta(minutes=1):
            text = "endDate must be at least one minute greater than startDate"
            raise refused(400, "INVALID_REPLICATION_DATE", text)
        if start > self._org.clock():
            raise refused(400, "INVALID_REPLICATION_DATE", "startDate cannot be in the future")
        return start, end

    def _covered(self, end: datetime) -> datetime:
        return min(end, _minute(self._org.clock()))

    def _today(self) -> datetime:
        return self._org.clock().replace(hour=0, minute=0, second=0, microsecond=0)


def _instant(call: Call, name: str) -> datetime:
    text = call.one(name).strip()
    if not text:
        raise refused(400, "MISSING_ARGUMENT", f"{name} is a required parameter")
    try:
        # a plus sign that was not escaped arrives as a blank
        return _minute(parsed(text.replace(" ", "+")))
    except (ValueError, OverflowError) as error:
        raise refused(400, "INVALID_REPLICATION_DATE", f"{name} is not a date and time: {text[:40]}") from error


def _minute(at: datetime) -> datetime:
    """Seconds are ignored on both sides (REST API Developer Guide, sObject Get Updated)."""
    return at.astimezone(UTC).replace(second=0, microsecond=0)


def _just_before(end: datetime) -> str:
    return stamp(end - timedelta(microseconds=1))


def _refuse_too_many(ids: list[str]) -> None:
    if len(ids) > _MOST:
        raise refused(400, "EXCEEDED_ID_LIMIT", f"more than {_MOST} ids; ask for a shorter time")
