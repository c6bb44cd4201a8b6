"""Describe replies: what objects an org has and what columns they have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.salesforce.schema import Schema, SObject


def listed(schema: Schema, version: str) -> dict[str, Any]:
    """Return the global describe: every object in short."""
    names = sorted(schema.objects)
    return {
        "encoding": "UTF-8",
        "maxBatchSize": 200,
        "sobjects": [described(schema.objects[name], version, brief=True) for name in names],
    }


def described(sobject: SObject, version: str, *, brief: bool = False) -> dict[str, Any]:
    """Return the describe of one object; `brief` leaves the columns out."""
    base = f"/services/data/{version}/sobjects/{sobject.name}"
    told: dict[str, Any] = {
        "name": sobject.name,
        "label": sobject.label,
        "labelPlural": f"{sobject.label}s",
        "keyPrefix": sobject.prefix,
        "custom": sobject.name.endswith("__c"),
        "createable": sobject.writable,
        "updateable": sobject.writable,
        "deletable": False,
        "queryable": True,
        "retrieveable": True,
        "replicateable": True,
        "searchable": sobject.writable,
        "urls": {"sobject": base, "describe": f"{base}/describe", "rowTemplate": f"{base}/{{ID}}"},
    }
    if not brief:
        told["fields"] = [_field(sobject, field) for field in sobject.fields.values()]
        told["childRelationships"] = []
        told["recordTypeInfos"] = []
    return told


def _field(sobject: SObject, field: Mapping[str, Any]) -> dict[str, Any]:
    name, kind = str(field["name"]), str(field["type"])
    updateable = bool(field.get("updateable", True)) and sobject.writable
    history = sobject.prefix == "017" and name in {"OldValue", "NewValue"}
    return {
        "name": name,
        "label": field["label"],
        "type": kind,
        "custom": name.endswith("__c"),
        "createable": updateable,
        "updateable": updateable,
        "nillable": name not in sobject.required and name != "Id",
        "filterable": kind != "textarea" and not history,
        "sortable": kind != "textarea" and not history,
        "picklistValues": [_choice(value) for value in field.get("picklistValues") or []],
        "referenceTo": _targets(sobject, name) if kind == "reference" else [],
        "relationshipName": name.removesuffix("Id") if kind == "reference" else None,
    }


def _choice(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return {"active": True, "defaultValue": False, "validFor": None, "label": value.get("value"), **value}
    return {"active": True, "defaultValue": False, "validFor": None, "label": value, "value": value}


def _targets(sobject: SObject, name: str) -> list[str]:
    if name == "OwnerId":
        return ["Group", "User"] if sobject.queue_ownable else ["User"]
    if name in {"CreatedById", "LastModifiedById", "SubmittedById", "LastActorId"}:
        return ["User"]
    if name in {"ActorId", "OriginalActorId"}:
        return ["Group", "User"]
    if name == "TargetObjectId":
        return ["Account", "Case", "Opportunity"]
    return ["Case"] if name == "ParentId" else [name.removesuffix("Id")]
