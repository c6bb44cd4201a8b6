"""What the org knows about its objects: the `_object` documents of the world over Salesforce's own objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.store import Store

_DATETIMES = {"CreatedDate", "LastModifiedDate", "SystemModstamp", "CompletedDate"}
_SYSTEM = (
    "Id",
    "IsDeleted",
    "CreatedDate",
    "CreatedById",
    "LastModifiedDate",
    "LastModifiedById",
    "SystemModstamp",
)
# what every org has without anybody configuring it: key prefix, parent column, further columns
_HISTORY = ("Field", "OldValue", "NewValue", "DataType")
_STANDARD: Mapping[str, tuple[str, str | None, Sequence[str]]] = {
    "Organization": ("00D", None, ("Name",)),
    "Profile": ("00e", None, ("Name",)),
    "UserRole": ("00E", None, ("Name", "ParentRoleId", "DeveloperName")),
    "User": (
        "005",
        None,
        (
            "Name",
            "FirstName",
            "LastName",
            "Email",
            "Username",
            "IsActive",
            "UserType",
            "Alias",
            "FederationIdentifier",
            "Title",
            "ManagerId",
            "ProfileId",
            "UserRoleId",
            "TimeZoneSidKey",
        ),
    ),
    "Group": ("00G", None, ("Name", "Type", "DeveloperName", "Email")),
    "GroupMember": ("011", None, ("GroupId", "UserOrGroupId")),
    "QueueSobject": ("03g", None, ("QueueId", "SobjectType")),
    "Account": ("001", None, ("Name", "OwnerId", "Type", "Industry", "MasterRecordId")),
    "Contact": ("003", None, ("Name", "FirstName", "LastName", "Email", "AccountId", "OwnerId", "MasterRecordId")),
    "Lead": (
        "00Q",
        None,
        ("Name", "FirstName", "LastName", "Company", "Email", "Status", "OwnerId", "IsConverted", "MasterRecordId"),
    ),
    "Task": ("00T", None, ("Subject", "Status", "Priority", "ActivityDate", "OwnerId", "WhatId", "WhoId")),
    "Case": (
        "500",
        None,
        (
            "CaseNumber",
            "Subject",
            "Description",
            "Status",
            "OwnerId",
            "IsClosed",
            "Priority",
            "AccountId",
            "ContactId",
            "MasterRecordId",
        ),
    ),
    "Opportunity": (
        "006",
        None,
        (
            "Name",
            "Description",
            "StageName",
            "OwnerId",
            "CloseDate",
            "Amount",
            "AccountId",
            "IsClosed",
            "IsWon",
        ),
    ),
    "AccountHistory": ("017", "AccountId", ("AccountId", *_HISTORY)),
    "CaseHistory": ("017", "CaseId", ("CaseId", *_HISTORY)),
    "ContactHistory": ("017", "ContactId", ("ContactId", *_HISTORY)),
    "LeadHistory": ("017", "LeadId", ("LeadId", *_HISTORY)),
    "OpportunityFieldHistory": ("017", "OpportunityId", ("OpportunityId", *_HISTORY)),
    "CaseComment": ("00a", "ParentId", ("ParentId", "CommentBody", "IsPublished")),
    "ProcessDefinition": ("04a", None, ("Name", "DeveloperName", "TableEnumOrId", "Type", "State", "Description")),
    "ProcessInstance": (
        "04g",
        "TargetObjectId",
        ("TargetObjectId", "Status", "CompletedDate", "SubmittedById", "LastActorId", "ProcessDefinitionId"),
    ),
    "ProcessInstanceStep": (
        "04h",
        "ProcessInstanceId",
        ("ProcessInstanceId", "StepStatus", "ActorId", "OriginalActorId", "Comments"),
    ),
    "ProcessInstanceWorkitem": (
        "04i",
        "ProcessInstanceId",
        ("ProcessInstanceId", "ActorId", "OriginalActorId"),
    ),
}
_QUEUE_OWNABLE = {"Case", "Lead", "Task"}  # Opportunity, Account and Contact take people only
_READ_ONLY = {*_SYSTEM, "CaseNumber", "IsClosed", "IsWon", "IsConverted", "MasterRecordId"}
_REQUIRED = {
    "Opportunity": ("Name", "StageName", "CloseDate"),
    "CaseComment": ("ParentId",),
    "Account": ("Name",),
    "Contact": ("LastName",),
    "Lead": ("LastName", "Company"),
    "GroupMember": ("GroupId", "UserOrGroupId"),
}
_DELETABLE = {"Case", "Opportunity", "Account", "CaseComment", "Contact", "Lead", "Task", "GroupMember"}
_DERIVED_NAMES = {"Contact", "Lead"}  # their Name is put together from its parts


@dataclass(frozen=True, slots=True, kw_only=True)
class SObject:
    """One kind of record: its columns by lower-case name, and where its history goes."""

    name: str
    label: str
    prefix: str
    parent: str | None
    fields: Mapping[str, Mapping[str, Any]]
    history: str | None
    history_parent: str | None
    tracked: frozenset[str]

    @property
    def queue_ownable(self) -> bool:
        """Whether a queue may own such a record."""
        return self.name in _QUEUE_OWNABLE or self.name.endswith("__c")

    @property
    def createable(self) -> bool:
        """Whether the API may add such a record."""
        return self.name in _DELETABLE or self.name.endswith("__c")

    @property
    def updateable(self) -> bool:
        """Whether the API may change such a record; users can be changed, but neither added nor deleted."""
        return self.createable or self.name == "User"

    @property
    def deletable(self) -> bool:
        """Whether the API may delete such a record."""
        return self.createable

    @property
    def required(self) -> Sequence[str]:
        """Columns that a new record must have."""
        return _REQUIRED.get(self.name, ())

    def column(self, name: str) -> Mapping[str, Any] | None:
        """Return a column by its name in any case, or None."""
        return self.fields.get(name.lower())


class Schema:
    """The objects of one org, read once from the store."""

    def __init__(self, store: Store, space: str) -> None:
        """Read the `_object` documents of a space."""
        told = {str(doc["name"]): doc for doc in store.scan(space, "_object")}
        histories = {
            str(doc["history"]): str(doc.get("historyParent") or f"{name}Id")
            for name, doc in told.items()
            if doc.get("history")
        }
        names = set(_STANDARD) | set(told) | set(histories)
        names |= {kind for kind in store.kinds(space) if not kind.startswith("_")}
        self.objects: dict[str, SObject] = {}
        for number, name in enumerate(sorted(names)):
            sample = next(store.scan(space, name, limit=1), {})
            spare = str(sample.get("Id") or f"a{number:02d}")[:3]
            self.objects[name] = _sobject(name, told.get(name, {}), histories.get(name), sample, spare)
        self._by_lower = {name.lower(): made for name, made in self.objects.items()}
        self._by_prefix = {made.prefix: made for made in self.objects.values() if made.prefix != "017"}

    def find(self, name: str) -> SObject | None:
        """Return an object by its name in any case, or None."""
        return self._by_lower.get(name.lower())

    def of_id(self, id_: str) -> SObject | None:
        """Return the object that a record id belongs to, or None."""
        return self._by_prefix.get(id_[:3])


def _sobject(name: str, told: Mapping[str, Any], parent: str | None, sample: Mapping[str, Any], spare: str) -> SObject:
    prefix, standard_parent, columns = _STANDARD.get(name, (spare, None, ("Name", "OwnerId")))
    if parent is not None:
        prefix, columns = "017", (parent, "Field", "OldValue", "NewValue", "DataType")
    # history rows are never changed, and have no columns to say so
    system = _SYSTEM[:4] if prefix == "017" else _SYSTEM
    fields: dict[str, Mapping[str, Any]] = {}
    for column in (*system, *columns, *(key for key in sample if not key.startswith("_") and key not in _SYSTEM)):
        fields.setdefault(column.lower(), {"name": column, "type": _type_of(column, sample.get(column))})
    for field in told.get("fields", []):
        fields[str(field["name"]).lower()] = field
    return SObject(
        name=name,
        label=str(told.get("label") or name),
        prefix=str(told.get("keyPrefix") or prefix),
        parent=parent or standard_parent,
        fields={
            key: {
                "updateable": field["name"] not in _READ_ONLY and (name not in _DERIVED_NAMES or key != "name"),
                **field,
                "label": field.get("label") or field["name"],
            }
            for key, field in fields.items()
        },
        history=told.get("history"),
        history_parent=told.get("historyParent"),
        tracked=frozenset(told.get("tracked", ())),
    )


def _type_of(column: str, value: object) -> str:
    if column in _DATETIMES:
        return "datetime"
    if column == "Id":
        return "id"
    if column == "TableEnumOrId":
        return "string"
    if column.endswith("Id"):
        return "reference"
    if column in {"CloseDate", "Due__c", "ActivityDate"}:
        return "date"
    if column == "Amount":
        return "currency"
    if column == "Description":
        return "textarea"
    if isinstance(value, bool) or column.startswith("Is"):
        return "boolean"
    if isinstance(value, (int, float)):
        return "double"
    return "string"
