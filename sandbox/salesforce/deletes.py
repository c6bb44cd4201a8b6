"""The recycle bin: deleting, restoring, deleting for good, and merging, each with its trace for replication."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sandbox.salesforce.author import Author
from sandbox.salesforce.errors import no_access, not_found, refused
from sandbox.salesforce.ids import eighteen
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import SObject
from sandbox.stamps import salesforce, stamp
from sandbox.store import Doc

LOG = "_deleted_log"  # one document for each deleted record, found by its object's name
_MERGEABLE = {"Account", "Contact", "Lead", "Case"}
_MOST_LOSERS = 2


class Bin:
    """Deletes of one org. Deleted records keep their shelf, with IsDeleted, until they are deleted for good."""

    def __init__(self, org: Org) -> None:
        """Work on one org."""
        self._org = org

    def delete(self, sobject: SObject, id_: str, *, by: Author) -> None:
        """Move a record, and what belongs to it, to the recycle bin; its SystemModstamp moves."""
        if not sobject.deletable:
            raise refused(400, "INSUFFICIENT_ACCESS_OR_READONLY", f"entity type cannot be deleted: {sobject.name}")
        record = self._org.writer.editable(sobject, id_, by=by)
        at = self._org.writer.now()
        with self._org.store.transaction():
            self._bury(sobject, record, by.user, at)
            for kind, child in self._children(str(record["Id"])):
                if not child.get("IsDeleted"):
                    child["_deletedWith"] = record["Id"]
                    self._bury(kind, child, by.user, at)

    def undelete(self, id_: str, *, by: Author) -> None:
        """Take a record, and what was deleted with it, out of the recycle bin."""
        sobject = self._org.schema.of_id(id_)
        record = None if sobject is None else self._org.get(sobject.name, eighteen(id_))
        if sobject is None or record is None or not self._org.visible(sobject, record, by.rights):
            raise refused(400, "INVALID_ID_FIELD", f"invalid id: {id_}", fields=[])
        if not record.get("IsDeleted"):
            raise refused(400, "UNDELETE_FAILED", "Entity is not in the recycle bin", fields=[])
        if not by.rights.edits(sobject.name, str(record["Id"])):
            raise no_access()
        at = self._org.writer.now()
        with self._org.store.transaction():
            self._raise(sobject, record, by.user, at)
            for kind, child in self._children(str(record["Id"])):
                if child.get("_deletedWith") == record["Id"]:
                    self._raise(kind, child, by.user, at)

    def delete_for_good(self, sobject: SObject, id_: str, *, by: Author) -> None:
        """Remove a record, deleted before or not; the log of deletions keeps its id."""
        record = self._org.get(sobject.name, eighteen(id_))
        if record is None or not self._org.visible(sobject, record, by.rights):
            raise not_found()
        if not by.rights.edits(sobject.name, str(record["Id"])):
            raise no_access()
        with self._org.store.transaction():
            if not record.get("IsDeleted"):
                self.delete(sobject, id_, by=by)
            for kind, child in self._children(str(record["Id"])):
                self._org.store.delete(self._org.space, kind.name, str(child["Id"]))
            self._org.store.delete(self._org.space, sobject.name, str(record["Id"]))

    def merge(self, winner: str, losers: Sequence[str], changes: Mapping[str, Any], *, by: Author) -> None:
        """Fold up to two records into another of their kind: children move, losers point to it and are deleted."""
        sobject = self._org.schema.of_id(winner)
        if sobject is None or sobject.name not in _MERGEABLE:
            raise refused(400, "INVALID_ID_FIELD", f"entity type cannot be merged: {winner}", fields=[])
        if not 1 <= len(losers) <= _MOST_LOSERS or winner in losers:
            raise refused(400, "INVALID_NUM_ARGS", "one or two other records can be merged", fields=[])
        at = self._org.writer.now()
        with self._org.writer.together():
            self._org.writer.update(sobject, winner, changes, by=by)
            for id_ in losers:
                loser = self._org.writer.editable(sobject, id_, by=by)
                for kind, child in self._children(str(loser["Id"])):
                    moved = {str(kind.parent): winner, "_parent": winner, "SystemModstamp": salesforce(at)}
                    self._org.store.put(self._org.space, kind.name, [(child["Id"], stamp(at), {**child, **moved})])
                loser["MasterRecordId"] = winner
                self._bury(sobject, loser, by.user, at)

    def _children(self, id_: str) -> list[tuple[SObject, Doc]]:
        kinds = [made for made in self._org.schema.objects.values() if made.parent is not None and made.createable]
        return [(kind, child) for kind in kinds for child in self._org.store.find(self._org.space, kind.name, id_)]

    def _bury(self, sobject: SObject, record: Doc, user: str, at: datetime) -> None:
        text = salesforce(at)
        record.update(IsDeleted=True, SystemModstamp=text, LastModifiedDate=text, LastModifiedById=user)
        self._org.store.put(self._org.space, sobject.name, [(record["Id"], stamp(at), record)])
        entry = {"id": record["Id"], "deletedDate": text, "_parent": sobject.name}
        self._org.store.put(self._org.space, LOG, [(str(record["Id"]), stamp(at), entry)])

    def _raise(self, sobject: SObject, record: Doc, user: str, at: datetime) -> None:
        record.pop("_deletedWith", None)
        record.pop("MasterRecordId", None)
        text = salesforce(at)
        record.update(IsDeleted=False, SystemModstamp=text, LastModifiedDate=text, LastModifiedById=user)
        self._org.store.put(self._org.space, sobject.name, [(record["Id"], stamp(at), record)])
        self._org.store.delete(self._org.space, LOG, str(record["Id"]))
