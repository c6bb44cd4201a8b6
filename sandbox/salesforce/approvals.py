"""Approval processes: submit a record, approve or reject a work item. Requests of one call stand alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from sandbox.calls import RefusedCall
from sandbox.salesforce.errors import refused
from sandbox.salesforce.ids import eighteen, new_id
from sandbox.salesforce.schema import Schema
from sandbox.stamps import Clock, salesforce, stamp
from sandbox.store import Doc, Store


class Approvals:
    """The approval processes of one org."""

    def __init__(self, store: Store, space: str, schema: Schema, clock: Clock) -> None:
        """Work on one space, stamping with the clock."""
        self._store = store
        self._space = space
        self._schema = schema
        self._clock = clock

    def act(self, request: Mapping[str, Any], *, user: str) -> dict[str, Any]:
        """Carry out one request; returns its result, raises RefusedCall when it cannot be done."""
        context = eighteen(str(request.get("contextId") or ""))
        action = str(request.get("actionType") or "").lower()
        at = self._clock().replace(microsecond=0)
        with self._store.transaction():
            if action == "submit":
                return self._submit(request, context, user=user, at=at)
            if action in {"approve", "reject"}:
                status = "Approved" if action == "approve" else "Rejected"
                return self._answer(request, context, status, user=user, at=at)
        raise refused(400, "INVALID_FIELD", "actionType must be Submit, Approve or Reject", fields=[])

    def _submit(self, request: Mapping[str, Any], target: str, *, user: str, at: datetime) -> dict[str, Any]:
        sobject = self._schema.of_id(target)
        if sobject is None or self._store.get(self._space, sobject.name, target) is None:
            raise refused(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=[])
        if any(known["Status"] == "Pending" for known in self._store.find(self._space, "ProcessInstance", target)):
            raise refused(400, "ALREADY_IN_PROCESS", "This record is currently in an approval process.", fields=[])
        approvers = [eighteen(str(id_)) for id_ in request.get("nextApproverIds") or []]
        if not approvers:
            text = "Required fields are missing: [nextApproverIds]"
            raise refused(400, "REQUIRED_FIELD_MISSING", text, fields=["nextApproverIds"])
        submitter = eighteen(str(request.get("contextActorId") or user))
        instance = new_id("04g", at)
        self._put(
            "ProcessInstance",
            target,
            at,
            Id=instance,
            TargetObjectId=target,
            Status="Pending",
            CompletedDate=None,
            SubmittedById=submitter,
            CreatedById=submitter,
        )
        self._step(instance, "Started", submitter, request.get("comments"), at)
        item = new_id("04i", at)
        self._put(
            "ProcessInstanceWorkitem",
            instance,
            at,
            Id=item,
            ProcessInstanceId=instance,
            ActorId=approvers[0],
            OriginalActorId=approvers[0],
            CreatedById=submitter,
        )
        return _result(target, instance, "Pending", actors=approvers[:1], items=[item])

    def _answer(
        self, request: Mapping[str, Any], context: str, status: str, *, user: str, at: datetime
    ) -> dict[str, Any]:
        item = self._work_item(context)
        instance = self._store.get(self._space, "ProcessInstance", str(item["ProcessInstanceId"]))
        if instance is None:
            raise refused(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=[])
        actor = eighteen(str(request.get("contextActorId") or user))
        self._store.delete(self._space, "ProcessInstanceWorkitem", str(item["Id"]))
        self._step(str(instance["Id"]), status, actor, request.get("comments"), at)
        instance |= {"Status": status, "CompletedDate": salesforce(at), "LastActorId": actor}
        instance |= {
            "LastModifiedDate": salesforce(at),
            "SystemModstamp": salesforce(at),
            "LastModifiedById": user,
        }
        self._store.put(self._space, "ProcessInstance", [(str(instance["Id"]), stamp(at), instance)])
        return _result(str(instance["TargetObjectId"]), str(instance["Id"]), status, actors=[], items=[])

    def _work_item(self, context: str) -> Doc:
        item = self._store.get(self._space, "ProcessInstanceWorkitem", context)
        if item is not None:
            return item
        for instance in self._store.find(self._space, "ProcessInstance", context):
            for waiting in self._store.find(self._space, "ProcessInstanceWorkitem", str(instance["Id"])):
                return waiting
        raise refused(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=[])

    def _step(self, instance: str, status: str, actor: str, comments: Any, at: datetime) -> None:
        self._put(
            "ProcessInstanceStep",
            instance,
            at,
            Id=new_id("04h", at),
            ProcessInstanceId=instance,
            StepStatus=status,
            ActorId=actor,
            OriginalActorId=actor,
            Comments=comments,
            CreatedById=actor,
        )

    def _put(self, kind: str, parent: str, at: datetime, **columns: Any) -> None:
        stamped = {"CreatedDate": salesforce(at), "SystemModstamp": salesforce(at), "_parent": parent}
        self._store.put(self._space, kind, [(str(columns["Id"]), stamp(at), {**columns, **stamped})])


def failed(error: RefusedCall, context: object) -> dict[str, Any]:
    """Return the result of a request that was refused while others of the call may have succeeded."""
    told = orjson.loads(error.answer.body)[0]
    row = {"statusCode": told["errorCode"], "message": told["message"], "fields": told.get("fields", [])}
    return {
        "actorIds": None,
        "entityId": context,
        "errors": [row],
        "instanceId": None,
        "instanceStatus": None,
        "newWorkitemIds": None,
        "success": False,
    }


def _result(target: str, instance: str, status: str, *, actors: list[str], items: list[str]) -> dict[str, Any]:
    return {
        "actorIds": actors,
        "entityId": target,
        "errors": None,
        "instanceId": instance,
        "instanceStatus": status,
        "newWorkitemIds": items,
        "success": True,
    }
