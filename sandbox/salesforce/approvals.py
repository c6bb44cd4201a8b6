"""Approval processes: submit a record, approve or reject a work item. Requests of one call stand alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.calls import Answer, Call, RefusedCall, reply
from sandbox.salesforce.author import Author
from sandbox.salesforce.errors import body_of, no_access, refused, row_error
from sandbox.salesforce.ids import eighteen, new_id
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import Schema
from sandbox.stamps import salesforce, stamp
from sandbox.store import Doc

_STATUSES = {"approve": "Approved", "reject": "Rejected", "removed": "Removed", "remove": "Removed"}


class Approvals:
    """The approval processes of one org."""

    def __init__(self, org: Org) -> None:
        """Work on one org, stamping with its clock."""
        self._org = org
        self._store = org.store
        self._space = org.space

    @property
    def _schema(self) -> Schema:
        return self._org.schema

    def listed(self, call: Call) -> Answer:
        """GET /process/approvals."""
        return reply({"approvals": self.processes(self._org.author(call))})

    def post(self, call: Call) -> Answer:
        """POST /process/approvals: requests stand alone; the status is 400 as soon as one of them failed."""
        requests, author = body_of(call).get("requests"), self._org.author(call)
        if not isinstance(requests, list) or not requests or not all(isinstance(one, Mapping) for one in requests):
            raise refused(400, "JSON_PARSER_ERROR", "requests must be a list of objects")
        results = []
        for request in requests:
            try:
                results.append(self.act(request, by=author))
            except RefusedCall as error:
                results.append(failed(error, request.get("contextId")))
        return reply(results, 200 if all(result["success"] for result in results) else 400)

    def processes(self, author: Author) -> dict[str, list[dict[str, Any]]]:
        """Return the approval processes by the object they are for, as GET /process/approvals tells them."""
        told: dict[str, list[dict[str, Any]]] = {}
        for doc in self._store.scan(self._space, "ProcessDefinition"):
            name = str(doc.get("TableEnumOrId") or "")
            if author.rights.reads(name):
                row = {"description": doc.get("Description"), "id": doc["Id"], "name": doc.get("Name"), "object": name}
                told.setdefault(name, []).append({**row, "sortOrder": len(told.get(name, ())) + 1})
        return told

    def act(self, request: Mapping[str, Any], *, by: Author) -> dict[str, Any]:
        """Carry out one request; returns its result, raises RefusedCall when it cannot be done."""
        context = eighteen(str(request.get("contextId") or ""))
        action = str(request.get("actionType") or "").lower()
        at = self._org.clock().replace(microsecond=0)
        with self._store.transaction():
            if action == "submit":
                return self._submit(request, context, by=by, at=at)
            if action in _STATUSES:
                return self._answer(request, context, _STATUSES[action], by=by, at=at)
        raise refused(400, "INVALID_FIELD", "actionType must be Submit, Approve or Reject", fields=[])

    def _submit(self, request: Mapping[str, Any], target: str, *, by: Author, at: datetime) -> dict[str, Any]:
        sobject = self._schema.of_id(target)
        record = None if sobject is None else self._store.get(self._space, sobject.name, target)
        if sobject is None or record is None or record.get("IsDeleted"):
            raise refused(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=[])
        if not self._org.visible(sobject, record, by.rights):
            text = f"insufficient access rights on cross-reference id: {target}"
            raise refused(400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", text, fields=[])
        if not by.rights.edits(sobject.name, target):
            raise no_access()
        if any(known["Status"] == "Pending" for known in self._store.find(self._space, "ProcessInstance", target)):
            raise refused(400, "ALREADY_IN_PROCESS", "This record is currently in an approval process.", fields=[])
        named = request.get("nextApproverIds")
        approvers = [eighteen(str(id_)) for id_ in named] if isinstance(named, list) else []
        if not approvers:
            text = "Required fields are missing: [nextApproverIds]"
            raise refused(400, "REQUIRED_FIELD_MISSING", text, fields=["nextApproverIds"])
        for id_ in approvers:
            self._refuse_unfit(id_)
        submitter = eighteen(str(request.get("contextActorId") or by.user))
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
            _locks=bool(self._org.settings.get("approvals_lock")),
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
        self, request: Mapping[str, Any], context: str, status: str, *, by: Author, at: datetime
    ) -> dict[str, Any]:
        user = by.user
        item = self._work_item(context)
        instance = self._store.get(self._space, "ProcessInstance", str(item["ProcessInstanceId"]))
        if instance is None:
            raise refused(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=[])
        if not by.rights.admin and not self._may_answer(str(item["ActorId"]), user):
            text = f"insufficient access rights on cross-reference id: {item['Id']}"
            raise refused(400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", text, fields=[])
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

    def _may_answer(self, actor: str, user: str) -> bool:
        """Whether a work item is the user's own, or of a queue the user is a member of."""
        if actor == user:
            return True
        members = self._store.scan(self._space, "GroupMember") if actor.startswith("00G") else iter(())
        return any(row.get("GroupId") == actor and row.get("UserOrGroupId") == user for row in members)

    def _refuse_unfit(self, approver: str) -> None:
        kind = "Group" if approver.startswith("00G") else "User"
        record = self._store.get(self._space, kind, approver)
        if record is None:
            text = "invalid cross reference id"
            raise refused(400, "INVALID_CROSS_REFERENCE_KEY", text, fields=["nextApproverIds"])
        if not record.get("IsActive", True):
            text = f"operation performed with inactive user [{approver}]"
            raise refused(400, "INACTIVE_OWNER_OR_USER", text, fields=[])

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
    row = row_error(error)
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
