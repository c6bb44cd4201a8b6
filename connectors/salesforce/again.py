"""Whether a payload that was kept holds all that the charter asks for now. Pure."""

from __future__ import annotations

from typing import Any

from connectors.salesforce import parse
from hub.charter.sources import SalesforceObject


def enough(sobject: str, mapping: SalesforceObject, held: dict[str, Any]) -> bool:
    """Whether the record has every mapped field, and the history tells of every tracked one.

    A tracked field without rows may never have changed or never have been asked for: only the org knows.
    """
    row = held["record"]
    told = {change.get("Field") for change in held["history"]}
    fields = (api.partition(".")[0] for api in parse.record_fields(sobject, mapping))
    return all(api in row for api in fields) and told.issuperset(parse.history_names(mapping))
