"""The faults on order that only the org can play: what happens around a struck request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import orjson

from sandbox.calls import Answer, Call, RefusedCall, reply
from sandbox.faults.hooks import Hook, Settings
from sandbox.salesforce import other_people
from sandbox.salesforce.errors import refused
from sandbox.salesforce.ids import eighteen
from sandbox.salesforce.org import Org, token_of
from sandbox.salesforce.queries import Queries
from sandbox.salesforce.soap import fault
from sandbox.stamps import parsed, salesforce

_WAIT = timedelta(seconds=60)  # for a Retry-After that is a date


def hooks(org: Org, queries: Queries) -> dict[str, Hook]:
    """Return the org's part in the faults, by name; a hook with nothing in it says that handlers look themselves."""
    play = _Mishaps(org, queries)
    return {
        "session_expired_mid_walk": Hook(before=play.end_session),
        "session_expired_before_write": Hook(before=play.end_session),
        "unauthorized_for_ever": Hook(before=play.refuse_session),
        "request_limit_exceeded": Hook(before=play.refuse_for_the_day),
        "row_locked": Hook(),
        "partial_collection_failure": Hook(),
        "changed_before_write": Hook(before=lambda call, _: play.take_over(call, same_second=False)),
        "owner_changed_same_second": Hook(before=lambda call, _: play.take_over(call, same_second=True)),
        "late_commit": Hook(before=play.commit_late),
        "equal_stamps": Hook(before=play.equal_stamps),
        "deleted_between_pages": Hook(before=play.delete_between_pages),
        "deleted_window_too_old": Hook(after=_shortened_log),
        "fewer_rows": Hook(),
        "too_many_requests": Hook(before=play.refuse_for_now),
        "edited_mid_walk": Hook(before=play.edit_mid_walk),
        "field_renamed": Hook(before=play.rename_field),
        "field_deleted": Hook(before=lambda call, settings: play.reshape(settings, lambda _: None)),
        "field_retyped": Hook(before=play.retype_field),
        "owner_deactivated": Hook(before=play.deactivate_owner),
        "queue_owner_refused": Hook(before=play.forbid_queue),
        "permission_lost": Hook(before=play.take_rights),
    }


class _Mishaps:
    def __init__(self, org: Org, queries: Queries) -> None:
        self._org = org
        self._queries = queries

    def end_session(self, call: Call, _: Settings) -> Answer | None:
        """The session dies, and the locators it opened with it."""
        token = token_of(call)
        self._org.sign_out(token)
        self._queries.walks.forget_of(token)
        return None

    def refuse_session(self, call: Call, _: Settings) -> Answer | None:
        if not call.path.startswith("/services/data"):
            return None  # signing in again works, and does not help
        text = "This session is not valid for use with the REST API"
        return refused(401, "INVALID_SESSION_ID", text).answer

    def refuse_for_the_day(self, call: Call, _: Settings) -> Answer | None:
        text = "TotalRequests Limit exceeded."
        if call.path.startswith("/services/Soap/"):
            return fault("REQUEST_LIMIT_EXCEEDED", text, "partner").answer
        return refused(403, "REQUEST_LIMIT_EXCEEDED", text).answer

    def refuse_for_now(self, _: Call, settings: Settings) -> Answer | None:
        """429 with an error array; this status is not documented for the data API, a gateway in front may send it."""
        after = settings.get("retry_after")
        body = [{"message": "Too many requests; try again later", "errorCode": "TOO_MANY_REQUESTS"}]
        headers: dict[str, str] = {}
        if after == "date":
            at = self._org.clock().replace(microsecond=0) + _WAIT
            headers = {"Retry-After": format_datetime(at, usegmt=True)}
        elif after is not None:
            headers = {"Retry-After": str(after)}
        return reply(body, 429).plus(headers)

    def take_over(self, call: Call, *, same_second: bool) -> Answer | None:
        if call.method not in {"GET", "HEAD"}:
            other_people.take_over(self._org, call, self._user(call), same_second=same_second)
        return None

    def commit_late(self, call: Call, settings: Settings) -> Answer | None:
        sobject = other_people.asked_object(self._org, call)
        if sobject is not None:
            seconds = float(settings.get("seconds") or 300)
            other_people.commit_late(self._org, sobject, seconds=seconds, user=self._user(call))
        return None

    def equal_stamps(self, call: Call, settings: Settings) -> Answer | None:
        sobject = other_people.asked_object(self._org, call)
        if sobject is not None:
            other_people.equal_stamps(self._org, sobject, count=int(settings.get("count") or 1000))
        return None

    def delete_between_pages(self, call: Call, _: Settings) -> Answer | None:
        waiting = self._queries.waiting(call.path.rpartition("/")[2])
        if waiting is not None and waiting.coming:
            other_people.remove(self._org, waiting.kind, waiting.coming[0])
        return None

    def edit_mid_walk(self, call: Call, _: Settings) -> Answer | None:
        waiting = self._queries.waiting(call.path.rpartition("/")[2])
        if waiting is not None:
            for id_ in (*waiting.served, *waiting.coming):
                other_people.edit(self._org, waiting.kind, id_, user=self._user(call))
        return None

    def rename_field(self, _: Call, settings: Settings) -> Answer | None:
        def reshape(field: dict[str, Any]) -> dict[str, Any]:
            stem = str(field["name"]).removesuffix("__c")
            name = str(settings.get("name") or f"{stem}_renamed__c")
            return {**field, "name": name, "label": name.removesuffix("__c").replace("_", " ")}

        return self.reshape(settings, reshape)

    def retype_field(self, _: Call, settings: Settings) -> Answer | None:
        def reshape(field: dict[str, Any]) -> dict[str, Any]:
            new = str(settings.get("type") or ("string" if field["type"] != "string" else "double"))
            return {**field, "type": new}

        return self.reshape(settings, reshape)

    def reshape(self, settings: Settings, reshape: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Answer | None:
        """Change the named field, or the first custom field of the cases; what is gone already stays gone."""
        named = str(settings.get("field") or self._some_field())
        if named:
            other_people.reshape_field(self._org, named, reshape)
        return None

    def deactivate_owner(self, call: Call, _: Settings) -> Answer | None:
        for _sobject, user in other_people.targets_of(self._org, call, ("005",))[:1]:
            other_people.deactivate(self._org, str(user["Id"]))
        return None

    def forbid_queue(self, call: Call, _: Settings) -> Answer | None:
        records = other_people.targets_of(self._org, call)
        sobject = records[0][0] if records else other_people.asked_object(self._org, call)
        for _sobject, queue in other_people.targets_of(self._org, call, ("00G",))[:1]:
            if sobject is not None:
                other_people.forbid_queue(self._org, str(queue["Id"]), sobject.name)
        return None

    def take_rights(self, call: Call, settings: Settings) -> Answer | None:
        records = [eighteen(str(id_)) for id_ in settings.get("records") or ()]
        container = settings.get("container")
        if not records and container is None:
            records = [str(record["Id"]) for _, record in other_people.targets_of(self._org, call)]
            asked = other_people.asked_object(self._org, call)
            container = None if records or asked is None else asked.name
        named = None if container is None else str(container)
        other_people.take_rights(self._org, self._user(call), records=records, container=named)
        return None

    def _user(self, call: Call) -> str:
        try:
            return self._org.user(call)
        except RefusedCall:
            return ""

    def _some_field(self) -> str:
        case = self._org.schema.find("Case")
        names = [] if case is None else [str(field["name"]) for field in case.fields.values()]
        return next((f"Case.{name}" for name in names if name.endswith("__c")), "")


def _shortened_log(call: Call, answer: Answer, _: Settings) -> Answer:
    """Say that the log of deletions begins after what was asked for, and leave out what lies before."""
    if answer.status != 200:
        return answer
    body: dict[str, Any] = orjson.loads(answer.body)
    earliest = _later(call, body)
    rows: list[Mapping[str, Any]] = body["deletedRecords"]
    body["deletedRecords"] = [row for row in rows if parsed(str(row["deletedDate"])) >= earliest]
    body["earliestDateAvailable"] = salesforce(earliest)
    return reply(body).plus(answer.headers)


def _later(call: Call, body: Mapping[str, Any]) -> datetime:
    start = parsed(call.one("start").replace(" ", "+"))
    covered = parsed(str(body["latestDateCovered"]))
    return max(start + timedelta(minutes=1), covered - timedelta(minutes=1)).replace(second=0, microsecond=0)
