"""What other people, imports and administrators do to an org behind a caller's back, for faults on order."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any

from sandbox.calls import Call
from sandbox.salesforce.columns import own_value
from sandbox.salesforce.deletes import LOG
from sandbox.salesforce.ids import eighteen, new_id
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import SObject
from sandbox.stamps import parsed, salesforce, stamp
from sandbox.store import Doc

_ID = re.compile(r"\b[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?\b")
_NUMBERS = {"double", "currency", "percent", "int"}
_SECOND = timedelta(seconds=1)


def targets_of(org: Org, call: Call, prefixes: tuple[str, ...] = ()) -> list[tuple[SObject, Doc]]:
    """Return the records whose ids a request names, path first; only those with these key prefixes if any."""
    found: dict[str, tuple[SObject, Doc]] = {}
    for text in _ID.findall(f"{call.path} {call.body[:100_000].decode('utf-8', 'replace')}"):
        sobject = org.schema.of_id(text)
        wanted = text[:3] in prefixes if prefixes else text[:3] not in {"005", "00G", "00D"}
        record = org.get(sobject.name, eighteen(text)) if sobject is not None and wanted else None
        if sobject is not None and record is not None:
            found[str(record["Id"])] = (sobject, record)
    return list(found.values())


def asked_object(org: Org, call: Call) -> SObject | None:
    """Return the object that a query or an address is about; Case when it does not say."""
    named = re.search(r"\bFROM\s+(\w+)", call.one("q"), re.IGNORECASE) or re.search(r"/sobjects/(\w+)", call.path)
    return org.schema.find(named[1] if named else "Case")


def somebody_else(org: Org, *, than: set[str], rather_not: str = "") -> str:
    """Return an active user besides these, and besides one more if possible; any of them where there is no other."""
    users = [str(user["Id"]) for user in org.store.scan(org.space, "User") if user.get("IsActive", True)]
    others = [user for user in users if user not in than]
    return next((user for user in others if user != rather_not), next(iter(others or sorted(than)), ""))


def take_over(org: Org, call: Call, user: str, *, same_second: bool) -> None:
    """Give the records of a write to somebody else, later than any guard says or in the guard's own second."""
    wanted = call.body.decode("utf-8", "replace")
    for sobject, record in targets_of(org, call)[:1]:
        owners = {str(record.get("OwnerId")), *(id_ for id_ in _ID.findall(wanted) if id_[:3] in {"005", "00G"})}
        changed = parsed(str(own_value(record, "LastModifiedDate")))
        at = _guarded(call) or changed
        if not same_second:
            at = max(org.writer.now(), at + _SECOND, changed + _SECOND)
        new = somebody_else(org, than={eighteen(owner) for owner in owners}, rather_not=user)
        changes = {"OwnerId": new} if sobject.column("OwnerId") is not None else {}
        org.writer.change(sobject, record, changes, user=somebody_else(org, than={user}), at=at.replace(microsecond=0))


def commit_late(org: Org, sobject: SObject, *, seconds: float, user: str) -> None:
    """Let a record appear whose creation began so many seconds ago: its stamps are that old."""
    model = next(org.store.scan(org.space, sobject.name, limit=1), None)
    if model is None:
        return
    at = org.writer.now() - timedelta(seconds=seconds)
    text, other = salesforce(at), somebody_else(org, than={user})
    new: Doc = {**model, "Id": new_id(str(model["Id"])[:3], at), "IsDeleted": False}
    new |= dict.fromkeys(("CreatedDate", *_moving(sobject)), text)
    new |= {name: other for name in ("CreatedById", "LastModifiedById") if sobject.column(name) is not None}
    if sobject.name == "Case":
        new["CaseNumber"] = org.writer.next_case_number()
    org.store.put(org.space, sobject.name, [(new["Id"], stamp(at), new)])


def equal_stamps(org: Org, sobject: SObject, *, count: int) -> None:
    """Let an import touch so many records in one second."""
    at = org.writer.now()
    there = (doc for doc in org.store.scan(org.space, sobject.name) if not doc.get("IsDeleted"))
    docs = list(islice(there, count))
    for doc in docs:
        doc.update(dict.fromkeys(_moving(sobject) or ("CreatedDate",), salesforce(at)))
    org.store.put(org.space, sobject.name, [(doc["Id"], stamp(at), doc) for doc in docs])


def edit(org: Org, kind: str, id_: str, *, user: str) -> None:
    """Let somebody else add a word to a record's subject or name."""
    sobject, record = org.schema.find(kind), org.get(kind, id_)
    if sobject is None or record is None:
        return
    column = next((name for name in ("Subject", "Name") if name in record), None)
    changes: dict[str, Any] = {} if column is None else {column: f"{record[column]} (edited)"}
    org.writer.change(sobject, record, changes, user=somebody_else(org, than={user}), at=org.writer.now())


def remove(org: Org, kind: str, id_: str) -> None:
    """Let somebody else delete a record."""
    record = org.get(kind, id_)
    if record is None:
        return
    at = org.writer.now()
    record.update(IsDeleted=True, SystemModstamp=salesforce(at), LastModifiedDate=salesforce(at))
    entry = {"id": id_, "deletedDate": salesforce(at), "_parent": kind}
    org.store.put(org.space, kind, [(id_, stamp(at), record)])
    org.store.put(org.space, LOG, [(id_, stamp(at), entry)])


def deactivate(org: Org, user: str) -> None:
    """Let an administrator deactivate a user; the user's sessions end with it."""
    record = org.get("User", user)
    if record is not None:
        at = org.writer.now()
        record.update(IsActive=False, SystemModstamp=salesforce(at), LastModifiedDate=salesforce(at))
        org.store.put(org.space, "User", [(user, stamp(at), record)])


def forbid_queue(org: Org, queue: str, sobject: str) -> None:
    """Let an administrator take an object away from what a queue may own."""
    for doc in list(org.store.scan(org.space, "QueueSobject")):
        if doc.get("QueueId") == queue and doc.get("SobjectType") == sobject:
            org.store.delete(org.space, "QueueSobject", str(doc["Id"]))
    at = org.writer.now()
    id_ = new_id("03g", at)
    other = "Lead" if sobject != "Lead" else "Case"
    doc = {"Id": id_, "QueueId": queue, "SobjectType": other, "CreatedDate": salesforce(at)}
    org.store.put(org.space, "QueueSobject", [(id_, stamp(at), doc)])


def take_rights(org: Org, user: str, *, records: list[str], container: str | None) -> None:
    """Let an administrator hide records, or a whole object, from a user."""
    doc = org.get("_rights", user) or {"user": user, "admin": True}
    if records:
        doc["hidden"] = sorted({*doc.get("hidden", ()), *records})
    if container is not None:
        read = set(doc.get("read", ["*"]))
        doc["read"] = sorted((set(org.schema.objects) if "*" in read else read) - {container})
    org.store.put(org.space, "_rights", [(user, stamp(org.clock()), doc)])


def reshape_field(org: Org, field: str, reshape: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    """Change a field wherever it exists: `reshape` gives its new description, or None to delete it.

    `field` is a name, or Object.Name. Records follow: a renamed value moves, a deleted one goes, a value that
    does not fit a new type is emptied. The schema is read again.
    """
    owner, _, name = field.rpartition(".")
    for sobject in list(org.schema.objects.values()):
        known = sobject.column(name)
        if known is None or (owner and owner.lower() != sobject.name.lower()):
            continue
        old = str(known["name"])
        new = reshape(dict(known))
        _reshape_description(org, sobject, old, new)
        docs = [doc for doc in org.store.scan(org.space, sobject.name) if old in doc]
        moved = [(doc["Id"], stamp(_stamp_of(doc)), _moved(doc, old, new)) for doc in docs]
        org.store.put(org.space, sobject.name, moved)
    org.reload()


def _reshape_description(org: Org, sobject: SObject, old: str, new: Mapping[str, Any] | None) -> None:
    told = org.get("_object", sobject.name) or {"name": sobject.name, "label": sobject.label}
    fields = [field for field in told.get("fields", []) if field["name"] != old]
    told["fields"] = fields if new is None else [*fields, dict(new)]
    tracked = [name for name in told.get("tracked", ()) if name != old]
    told["tracked"] = [*tracked, new["name"]] if new is not None and old in told.get("tracked", ()) else tracked
    org.store.put(org.space, "_object", [(sobject.name, stamp(org.clock()), told)])


def _moved(doc: Doc, old: str, new: Mapping[str, Any] | None) -> Doc:
    value = doc.pop(old)
    if new is not None:
        fits = value is None or isinstance(value, (int, float)) is (new["type"] in _NUMBERS)
        doc[str(new["name"])] = value if fits else None if new["type"] in _NUMBERS else str(value)
    return doc


def _stamp_of(doc: Mapping[str, Any]) -> datetime:
    return parsed(str(own_value(doc, "SystemModstamp") or "2000-01-01T00:00:00Z"))


def _moving(sobject: SObject) -> tuple[str, ...]:
    """Return the stamps that move with a change; rows of a history have none."""
    return tuple(name for name in ("LastModifiedDate", "SystemModstamp") if sobject.column(name) is not None)


def _guarded(call: Call) -> datetime | None:
    try:
        return parsedate_to_datetime(call.headers.get("if-unmodified-since", ""))
    except ValueError:
        return None
