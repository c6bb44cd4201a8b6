"""Duplicate rules: `_settings.duplicate_rules` refuse a record whose field equals another record's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.calls import RefusedCall, reply
from sandbox.salesforce.author import Author
from sandbox.salesforce.schema import SObject

if TYPE_CHECKING:
    from sandbox.salesforce.org import Org

_TEXT = "Use one of these records?"


def refuse_duplicates(org: Org, sobject: SObject, values: Mapping[str, Any], *, own: str, by: Author) -> None:
    """Raise RefusedCall (DUPLICATES_DETECTED) when a rule finds another record alike.

    A rule is `{"sobject", "field", "rule", "allowSave"}`; with allowSave true the header
    Sforce-Duplicate-Rule-Header lets the caller save all the same. `own` is the record's own id ("" for a new one).
    """
    for rule in org.settings.get("duplicate_rules") or ():
        field = str(rule["field"])
        wanted = values.get(field)
        if rule["sobject"] != sobject.name or not wanted or (by.allow_duplicates and rule.get("allowSave")):
            continue
        alike = [
            str(record["Id"])
            for record in org.store.scan(org.space, sobject.name)
            if record["Id"] != own
            and not record.get("IsDeleted")
            and str(record.get(field) or "").lower() == str(wanted).lower()
        ]
        if alike:
            raise _detected(sobject.name, rule, alike)


def _detected(name: str, rule: Mapping[str, Any], alike: list[str]) -> RefusedCall:
    matches = [
        {
            "additionalInformation": [],
            "fieldDiffs": [],
            "matchConfidence": 100.0,
            "record": {"attributes": {"type": name, "url": f"/services/data/v59.0/sobjects/{name}/{id_}"}, "Id": id_},
        }
        for id_ in alike
    ]
    told = str(rule.get("rule") or f"Standard_{name}_Duplicate_Rule")
    result = {
        "allowSave": bool(rule.get("allowSave")),
        "duplicateRule": told,
        "duplicateRuleEntityType": name,
        "errorMessage": _TEXT,
        "matchResults": [
            {
                "entityType": name,
                "errors": [],
                "matchEngine": "FuzzyMatchEngine",
                "matchRecords": matches,
                "rule": f"Standard_{name}_Match_Rule_v1_1",
                "size": len(matches),
                "success": True,
            }
        ],
    }
    body = [{"duplicateResult": result, "errorCode": "DUPLICATES_DETECTED", "message": _TEXT}]
    return RefusedCall(reply(body, 400))
