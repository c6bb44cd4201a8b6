"""Describe replies: what objects an org has and what columns they have, as far as one account sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.rights import Rights
from sandbox.salesforce.schema import Schema, SObject
from sandbox.salesforce.values import LENGTHS

_SOAP_TYPES = {
    "boolean": "xsd:boolean",
    "currency": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "double": "xsd:double",
    "id": "tns:ID",
    "int": "xsd:int",
    "percent": "xsd:double",
    "reference": "tns:ID",
}
_DEFAULTED = {"CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp", "IsDeleted"}
_PEOPLE = {"CreatedById", "LastModifiedById", "SubmittedById", "LastActorId", "ManagerId"}


def listed(schema: Schema, version: str, rights: Rights) -> dict[str, Any]:
    """Return the global describe: every visible object in short."""
    names = sorted(name for name in schema.objects if rights.reads(name))
    return {
        "encoding": "UTF-8",
        "maxBatchSize": 200,
        "sobjects": [in_short(schema.objects[name], version, rights) for name in names],
    }


def in_short(sobject: SObject, version: str, rights: Rights) -> dict[str, Any]:
    """Return what the global describe says of one object."""
    base = f"/services/data/{version}/sobjects/{sobject.name}"
    edits, history = rights.edits(sobject.name), sobject.prefix == "017"
    urls = {"sobject": base, "describe": f"{base}/describe", "rowTemplate": f"{base}/{{ID}}"}
    if sobject.createable:
        urls |= {"approvalLayouts": f"{base}/describe/approvalLayouts", "layouts": f"{base}/describe/layouts"}
    return {
        "activateable": False,
        "associateEntityType": "History" if history else None,
        "associateParentEntity": (sobject.parent or "").removesuffix("Id") or None if history else None,
        "createable": sobject.createable and edits,
        "custom": sobject.name.endswith("__c"),
        "customSetting": False,
        "deepCloneable": False,
        "deletable": sobject.deletable and edits,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": sobject.prefix,
        "label": sobject.label,
        "labelPlural": f"{sobject.label}s",
        "layoutable": sobject.createable,
        "mergeable": sobject.name in {"Account", "Case", "Contact", "Lead"},
        "mruEnabled": sobject.createable,
        "name": sobject.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": sobject.createable,
        "triggerable": sobject.createable,
        "undeletable": sobject.deletable and edits,
        "updateable": sobject.updateable and edits,
        "urls": urls,
    }


def described(schema: Schema, sobject: SObject, version: str, rights: Rights) -> dict[str, Any]:
    """Return the whole describe of one object; columns hidden from the account are left out."""
    return {
        **in_short(sobject, version, rights),
        "actionOverrides": [],
        "childRelationships": _children(schema, sobject, rights),
        "compactLayoutable": sobject.createable,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": [
            _field(sobject, field, rights)
            for field in sobject.fields.values()
            if rights.sees_field(sobject.name, str(field["name"]))
        ],
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [_master(sobject, version)] if sobject.createable else [],
        "searchLayoutable": sobject.createable,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {sobject.label}s", "name": "everything"}],
    }


def _children(schema: Schema, sobject: SObject, rights: Rights) -> list[dict[str, Any]]:
    told = []
    for child in schema.objects.values():
        for field in child.fields.values():
            name = str(field["name"])
            if field["type"] != "reference" or name == "OwnerId" or not rights.reads(child.name):
                continue
            if sobject.name in targets(child, name):
                told.append(
                    {
                        "cascadeDelete": child.parent == name and child.createable,
                        "childSObject": child.name,
                        "deprecatedAndHidden": False,
                        "field": name,
                        "junctionIdListNames": [],
                        "junctionReferenceTo": [],
                        "relationshipName": "Histories" if child.prefix == "017" else None,
                        "restrictedDelete": False,
                    }
                )
    return told


def _master(sobject: SObject, version: str) -> dict[str, Any]:
    id_ = "012000000000000AAA"
    return {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": True,
        "developerName": "Master",
        "master": True,
        "name": "Master",
        "recordTypeId": id_,
        "urls": {"layout": f"/services/data/{version}/sobjects/{sobject.name}/describe/layouts/{id_}"},
    }


def _field(sobject: SObject, field: Mapping[str, Any], rights: Rights) -> dict[str, Any]:
    name, kind = str(field["name"]), str(field["type"])
    writable = bool(field.get("updateable", True)) and rights.edits(sobject.name)
    closed = kind == "textarea" or (sobject.prefix == "017" and name in {"OldValue", "NewValue"})
    length = int(field.get("length") or LENGTHS.get(kind, 0))
    pointing = targets(sobject, name) if kind == "reference" else []
    number = kind in {"double", "currency", "percent"}
    return {
        "aggregatable": not closed,
        "aiPredictionField": False,
        "autoNumber": name == "CaseNumber",
        "byteLength": length * 3 if kind not in {"id", "reference"} else length,
        "calculated": False,
        "calculatedFormula": None,
        "cascadeDelete": False,
        "caseSensitive": False,
        "compoundFieldName": None,
        "controllerName": None,
        "createable": writable and sobject.createable,
        "custom": name.endswith("__c"),
        "defaultValue": False if kind == "boolean" else None,
        "defaultValueFormula": None,
        "defaultedOnCreate": name in _DEFAULTED or name == "OwnerId" or kind == "boolean",
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": int(field.get("digits") or 0),
        "displayLocationInDecimal": False,
        "encrypted": False,
        "externalId": bool(field.get("externalId")),
        "extraTypeInfo": "plaintextarea" if kind == "textarea" else None,
        "filterable": not closed,
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "groupable": not closed and kind not in {"datetime", "double", "currency", "percent"},
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": name == "Id" or bool(field.get("externalId")),
        "inlineHelpText": field.get("inlineHelpText"),
        "label": field["label"],
        "length": length,
        "mask": None,
        "maskType": None,
        "name": name,
        "nameField": name == ("CaseNumber" if sobject.name == "Case" else "Name"),
        "namePointing": len(pointing) > 1,
        "nillable": name not in sobject.required and name not in {"Id", "OwnerId", *_DEFAULTED} and kind != "boolean",
        "permissionable": name.endswith("__c"),
        "picklistValues": [_choice(value) for value in field.get("picklistValues") or []],
        "polymorphicForeignKey": len(pointing) > 1,
        "precision": int(field.get("precision") or (18 if number else 0)),
        "queryByDistance": False,
        "referenceTargetField": None,
        "referenceTo": pointing,
        "relationshipName": _relationship(name) if kind == "reference" else None,
        "relationshipOrder": None,
        "restrictedDelete": False,
        "restrictedPicklist": bool(field.get("restrictedPicklist")),
        "scale": int(field.get("scale") or (2 if kind == "currency" else 0)),
        "searchPrefilterable": kind == "reference",
        "soapType": _SOAP_TYPES.get(kind, "xsd:string"),
        "sortable": not closed,
        "type": kind,
        "unique": bool(field.get("unique")),
        "updateable": writable and sobject.updateable,
        "writeRequiresMasterRead": False,
    }


def _choice(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return {"active": True, "defaultValue": False, "validFor": None, "label": value.get("value"), **value}
    return {"active": True, "defaultValue": False, "validFor": None, "label": value, "value": value}


def _relationship(name: str) -> str:
    return f"{name[:-3]}__r" if name.endswith("__c") else name.removesuffix("Id")


def targets(sobject: SObject, name: str) -> list[str]:
    """Return the objects that a reference column of an object may point to."""
    told = (sobject.column(name) or {}).get("referenceTo")
    if told:
        return [str(target) for target in told]
    if name == "OwnerId":
        return ["Group", "User"] if sobject.queue_ownable else ["User"]
    if name in _PEOPLE:
        return ["User"]
    if name in {"ActorId", "OriginalActorId", "UserOrGroupId"}:
        return ["Group", "User"]
    if name in {"TargetObjectId", "WhatId"}:
        return ["Account", "Case", "Opportunity"]
    if name == "WhoId":
        return ["Contact", "Lead"]
    if name == "MasterRecordId":
        return [sobject.name]
    if name in {"QueueId", "GroupId"}:
        return ["Group"]
    if name == "ParentRoleId":
        return ["UserRole"]
    if name == "ParentId" and sobject.name == "CaseComment":
        return ["Case"]
    if name == "ParentId" and sobject.prefix == "017":
        return [sobject.name.removesuffix("__History") + "__c"]
    return [name.removesuffix("Id")]
