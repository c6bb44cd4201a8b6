"""Who may own what: the checks a new owner has to pass, in the order the org makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.rights import rights_of
from sandbox.salesforce.author import Author
from sandbox.salesforce.errors import refused
from sandbox.salesforce.ids import eighteen, plausible
from sandbox.salesforce.schema import SObject

if TYPE_CHECKING:
    from sandbox.salesforce.org import Org

_STRICT = {"Task", "Contact"}  # an inactive owner blocks every edit of these, not only a change of owner


def accepted_owner(org: Org, sobject: SObject, value: Any, *, by: Author) -> str:
    """Return the 18-character id of a user or queue that may own such a record.

    Raises RefusedCall: MALFORMED_ID, INVALID_CROSS_REFERENCE_KEY, FIELD_INTEGRITY_EXCEPTION (queues),
    INACTIVE_OWNER_OR_USER, INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY or TRANSFER_REQUIRES_READ.
    """
    if not isinstance(value, str) or not plausible(value) or value[:3] not in {"005", "00G"}:
        raise refused(400, "MALFORMED_ID", f"Owner ID: id value of incorrect type: {value}", fields=["OwnerId"])
    id_ = eighteen(value)
    record = org.get("Group" if id_[:3] == "00G" else "User", id_)
    if record is None:
        raise refused(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=["OwnerId"])
    if not by.rights.reads("Group" if id_[:3] == "00G" else "User", id_):
        text = f"insufficient access rights on cross-reference id: {id_}"
        raise refused(400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", text, fields=[])
    if id_[:3] == "00G":
        if record.get("Type", "Queue") != "Queue" or not _queue_takes(org, sobject, id_):
            text = f"Owner ID: id value of incorrect type: {id_}"
            raise refused(400, "FIELD_INTEGRITY_EXCEPTION", text, fields=["OwnerId"])
        return id_
    if not record.get("IsActive", True):
        text = f"operation performed with inactive user [{id_}] as owner of {sobject.name.lower()}"
        raise refused(400, "INACTIVE_OWNER_OR_USER", text, fields=[])
    if not rights_of(org.store, org.space, id_).reads(sobject.name):
        raise refused(400, "TRANSFER_REQUIRES_READ", "The new owner must have read permission", fields=[])
    return id_


def refuse_inactive_keeper(org: Org, sobject: SObject, owner: Any) -> None:
    """Raise INACTIVE_OWNER_OR_USER where a record may not even be edited while its owner is inactive."""
    if sobject.name not in _STRICT or str(owner)[:3] != "005":
        return
    if not (org.get("User", str(owner)) or {}).get("IsActive", True):
        text = f"operation performed with inactive user [{owner}] as owner of {sobject.name.lower()}"
        raise refused(400, "INACTIVE_OWNER_OR_USER", text, fields=[])


def _queue_takes(org: Org, sobject: SObject, queue: str) -> bool:
    if not sobject.queue_ownable:
        return False
    told = [row["SobjectType"] for row in org.store.scan(org.space, "QueueSobject") if row.get("QueueId") == queue]
    return not told or sobject.name in told
