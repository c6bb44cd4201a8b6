"""Salesforce documents into observations. Pure: documents and mapping in, values out.

Fields with history tracking become exact histories: the value at creation (old value of the first change, by
the creator), then one observation for each change, with its time and actor. Other fields are snapshots, true
since the record's last modification at the latest; who set them is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.references import find_in_field, normalise
from hub.charter.sources import SalesforceObject
from hub.domain.records import OWNER_SEPARATOR, Field, Observation, Origin

Row = Mapping[str, Any]

SYSTEM_FIELDS = (
    "Id", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp",
)  # fmt: skip
USER_FIELDS = ("Id", "Name", "Email", "IsActive", "UserType", "CreatedDate", "SystemModstamp")
QUEUE_FIELDS = ("Id", "Name", "CreatedDate", "SystemModstamp")
COMMENT_FIELDS = ("Id", "ParentId", "CommentBody", "CreatedById", "CreatedDate", "SystemModstamp")
APPROVAL_FIELDS = (
    "Id", "TargetObjectId", "Status", "SubmittedById", "CreatedDate", "CompletedDate", "SystemModstamp",
)  # fmt: skip
STEP_FIELDS = ("Id", "ProcessInstanceId", "StepStatus", "ActorId", "CreatedDate")
WORKITEM_FIELDS = ("Id", "ProcessInstanceId", "ActorId", "CreatedDate")

# UserType of users that are programs; integration users proper are named by the charter.
_BOTS = frozenset({"AutomatedProcess", "CloudIntegrationUser"})
_ACCOUNT_ID = re.compile(r"(?:005|00G)[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?")
_CHECK_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_HISTORY = {
    "Case": ("CaseHistory", "CaseId"),
    "Opportunity": ("OpportunityFieldHistory", "OpportunityId"),
}


class Unreadable(Exception):
    """A document lacks something without which nothing can be said about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a document came from: source, address of the org for links, digest of the raw record."""

    source: str
    instance: str
    raw: str = ""


@dataclass(slots=True)
class _Statements:
    """Observations about one record, without repeating what they share."""

    place: Place
    entity: str
    record: str
    evidence: str = ""
    made: list[Observation] = field(default_factory=list)

    def say(
        self,
        name: Field,
        value: str | None,
        since: datetime,
        origin: Origin,
        *,
        actor: str | None = None,
        part: str = "",
    ) -> None:
        self.made.append(
            Observation(
                source=self.place.source,
                entity="account" if self.entity == "account" else "item",
                record=self.record,
                field=name,
                value=value,
                valid_from=since,
                origin=origin,
                part=part,
                actor=actor,
                raw=self.place.raw,
                evidence=self.evidence,
            )
        )


def history_of(sobject: str) -> tuple[str, str]:
    """(history object, its column for the parent id) of an object."""
    if sobject.endswith("__c"):
        return f"{sobject.removesuffix('__c')}__History", "ParentId"
    return _HISTORY.get(sobject, (f"{sobject}History", f"{sobject}Id"))


def history_names(mapping: SalesforceObject) -> tuple[str, ...]:
    """Names under which the tracked fields we read appear in the history's `Field` column."""
    mapped = {api for _, api in _mapped(mapping)}
    return tuple(sorted(_history_name(api) for api in set(mapping.tracked) & mapped))


def record_fields(sobject: str, mapping: SalesforceObject) -> tuple[str, ...]:
    """Fields to ask for: those every record has, and those the charter maps."""
    wanted = [*SYSTEM_FIELDS, *(api for _, api in _mapped(mapping)), *_identifying(sobject, mapping)]
    return tuple(dict.fromkeys([*wanted, *mapping.references]))


def link_to(place: Place, sobject: str, record: str) -> str:
    """Address a person can open."""
    return f"{place.instance}/lightning/r/{sobject}/{record}/view"


def item(
    place: Place, sobject: str, mapping: SalesforceObject, record: Row, history: Sequence[Row]
) -> tuple[Observation, ...]:
    """Everything one record and its history say. Raises Unreadable."""
    id_ = _text_of(record, "Id")
    created, modified = instant(record, "CreatedDate"), instant(record, "LastModifiedDate")
    creator = account_id(_text_of(record, "CreatedById"))
    url = link_to(place, sobject, id_)
    told = _Statements(place=place, entity="item", record=id_, evidence=url)
    changes = _changes_by_field(history)
    for name, api in _mapped(mapping):
        current = _canonical(name, _present(record, api))
        if name == "owner" and current is None:
            raise Unreadable(f"{api} is empty; every Salesforce record has an owner")
        if api not in mapping.tracked:
            told.say(name, current, modified, "snapshot")
            continue
        rows = changes.get(_history_name(api), [])
        value = _canonical(name, rows[0].get("OldValue")) if rows else current
        told.say(name, value, created, "history", actor=creator)
        for row in rows:
            value = _canonical(name, row.get("NewValue"))
            actor = account_id(_text_of(row, "CreatedById"))
            told.say(name, value, instant(row, "CreatedDate"), "history", actor=actor)
        if value != current:
            # changed without a history row (tracking switched on late, rows expired, system job)
            told.say(name, current, modified, "snapshot")
    told.say("url", url, created, "snapshot")
    told.say("identifier", id_[:15], created, "snapshot", part=id_[:15])
    known = {id_[:15]}
    # One observation per field: what a field no longer names is withdrawn with its next value.
    for api in _identifying(sobject, mapping):
        value = _text(_present(record, api))
        token = None if value is None else normalise(value)
        told.say("identifier", token, created if api == "CaseNumber" else modified, "snapshot", part=api)
        known.add(token or "")
    for api in mapping.references:
        named = dict.fromkeys(find_in_field(_text(_present(record, api)) or ""))
        others = "\n".join(token for token in named if token not in known)
        told.say("reference", others or None, modified, "snapshot", part=api)
    return tuple(told.made)


def comment(place: Place, sobject: str, row: Row) -> tuple[Observation, ...]:
    """What one comment says: an update, told by its author. Raises Unreadable."""
    record = _text_of(row, "ParentId")
    told = _Statements(place=place, entity="item", record=record, evidence=link_to(place, sobject, record))
    told.say(
        "update",
        _text(_present(row, "CommentBody")),
        instant(row, "CreatedDate"),
        "event",
        actor=account_id(_text_of(row, "CreatedById")),
        part=_text_of(row, "Id"),
    )
    return tuple(told.made)


def approval(
    place: Place, sobject: str, row: Row, steps: Sequence[Row], workitems: Sequence[Row]
) -> tuple[Observation, ...]:
    """What one approval process says: asked, of whom, and how it ended. Raises Unreadable.

    Several people asked at once are joined like several owners; a recalled approval ends as None.
    """
    record, part = _text_of(row, "TargetObjectId"), _text_of(row, "Id")
    asked = instant(row, "CreatedDate")
    told = _Statements(place=place, entity="item", record=record, evidence=link_to(place, sobject, record))
    submitter = _text(row.get("SubmittedById"))
    told.say("approval", "pending", asked, "event", actor=account_id(submitter) if submitter else None, part=part)
    status = _text_of(row, "Status")
    outcome = {"Approved": "approved", "Rejected": "rejected"}.get(status)
    if outcome is None and status not in {"Removed", "Recalled"}:
        actors = sorted({account_id(_text_of(each, "ActorId")) for each in workitems})
        if actors:
            since = min(instant(each, "CreatedDate") for each in workitems)
            told.say("approver", OWNER_SEPARATOR.join(actors), since, "event", part=part)
        return tuple(told.made)
    answers = sorted(
        (each for each in steps if each.get("StepStatus") == (status if outcome else "Removed")),
        key=lambda each: (instant(each, "CreatedDate"), str(each.get("Id"))),
    )
    actor = account_id(_text_of(answers[-1], "ActorId")) if answers else None
    if row.get("CompletedDate"):
        ended = instant(row, "CompletedDate")
    else:
        ended = instant(answers[-1], "CreatedDate") if answers else instant(row, "SystemModstamp")
    if actor is not None and outcome is not None:
        told.say("approver", actor, ended, "event", actor=actor, part=part)
    told.say("approval", outcome, ended, "event", actor=actor, part=part)
    return tuple(told.made)


def user(place: Place, row: Row, *, ours: str) -> tuple[Observation, ...]:
    """What one user record says; `ours` is the id of the hub's own user. Raises Unreadable."""
    id_ = account_id(_text_of(row, "Id"))
    told = _Statements(place=place, entity="account", record=id_)
    since = instant(row, "SystemModstamp")
    kind = "hub" if id_ == ours else "bot" if row.get("UserType") in _BOTS else "person"
    told.say("name", _text(_present(row, "Name")), since, "snapshot")
    told.say("email", _text(_present(row, "Email")), since, "snapshot")
    told.say("active", "true" if _present(row, "IsActive") else "false", since, "snapshot")
    told.say("kind", kind, since, "snapshot")
    return tuple(told.made)


def queue(place: Place, row: Row) -> tuple[Observation, ...]:
    """What one queue says: an account that owns, and is nobody. Raises Unreadable."""
    told = _Statements(place=place, entity="account", record=account_id(_text_of(row, "Id")))
    since = instant(row, "SystemModstamp")
    told.say("name", _text(_present(row, "Name")), since, "snapshot")
    told.say("active", "true", since, "snapshot")
    told.say("kind", "queue", since, "snapshot")
    return tuple(told.made)


def instant(row: Row, name: str) -> datetime:
    """A date-time field as UTC. Raises Unreadable when it is missing or no date-time."""
    value = row.get(name)
    try:
        moment = datetime.fromisoformat(value)  # type: ignore[arg-type]  # None lands in the except below
    except (TypeError, ValueError):
        what = "missing" if value is None else f"no date-time ({value!r})"
        raise Unreadable(f"{name} is {what}") from None
    if moment.tzinfo is None:
        raise Unreadable(f"{name} has no time zone ({value!r})")
    return moment.astimezone(UTC)


def account_id(text: str) -> str:
    """The 18-character form of a user or queue id, which survives programs that ignore case."""
    if len(text) != 15 or not text.isalnum():
        return text
    check = ""
    for start in (0, 5, 10):
        group = text[start : start + 5]
        check += _CHECK_CHARACTERS[sum(1 << place for place, char in enumerate(group) if char.isupper())]
    return text + check


def _mapped(mapping: SalesforceObject) -> Iterable[tuple[Field, str]]:
    named: tuple[tuple[Field, str | None], ...] = (
        ("title", mapping.title),
        ("status", mapping.status),
        ("phase", mapping.phase),
        ("owner", mapping.owner),
        ("due", mapping.due),
        ("activity", mapping.activity),
    )
    return tuple((name, api) for name, api in named if api is not None)


def _identifying(sobject: str, mapping: SalesforceObject) -> tuple[str, ...]:
    number = ("CaseNumber",) if sobject == "Case" else ()
    return tuple(dict.fromkeys([*number, *mapping.identifiers]))


def _history_name(api: str) -> str:
    return "Owner" if api == "OwnerId" else api


def _changes_by_field(history: Sequence[Row]) -> dict[str, list[Row]]:
    """History rows by field, oldest first; of the two rows of an owner change only the one with ids."""
    changes: dict[str, list[Row]] = {}
    for row in sorted(history, key=lambda row: (instant(row, "CreatedDate"), str(row.get("Id")))):
        name = str(row.get("Field"))
        if name == "Owner" and not all(
            value is None or _ACCOUNT_ID.fullmatch(str(value)) for value in (row.get("OldValue"), row.get("NewValue"))
        ):
            continue
        changes.setdefault(name, []).append(row)
    return changes


def _canonical(name: Field, value: Any) -> str | None:
    text = _text(value)
    if text is None:
        return None
    if name == "owner":
        return account_id(text)
    return text[:10] if name == "due" else text


def _present(row: Row, name: str) -> Any:
    """A field that was asked for; Salesforce sends every one of them, empty ones as null."""
    try:
        return row[name]
    except KeyError:
        raise Unreadable(f"{name} is missing") from None


def _text_of(row: Row, name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise Unreadable(f"{name} is missing")
    return value


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
