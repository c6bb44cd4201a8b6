"""Case attributes of a log as fields of the tools: one custom field in each, under the label that the map gives."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sandbox.world import airtable
from sandbox.world.projection import Document

_FIRST = 10_300  # number of the first custom field in Jira; the site's own ones are below
_MOST_NAME = 36


def with_phases(documents: Iterable[Document], phases: Sequence[str]) -> Iterator[Document]:
    """Give the tools' furniture with further phases to choose from."""
    for space, kind, id_, stamp, doc in documents:
        if kind not in {"_object", "table"} or not phases:
            yield space, kind, id_, stamp, doc
            continue
        fields = [_more(field, phases) if field["name"] in {"Phase__c", "Phase"} else field for field in doc["fields"]]
        yield space, kind, id_, stamp, {**doc, "fields": fields}


def _more(field: Mapping[str, Any], phases: Sequence[str]) -> dict[str, Any]:
    if "picklistValues" in field:
        known = {value["value"] for value in field["picklistValues"]}
        more = [{"value": name, "label": name, "active": True} for name in phases if name not in known]
        return {**field, "picklistValues": [*field["picklistValues"], *more]}
    choices = field["options"]["choices"]
    known = {choice["name"] for choice in choices}
    own = [{"id": f"selPhase{n:09d}", "name": name} for n, name in enumerate(phases) if name not in known]
    return {**field, "options": {**field["options"], "choices": [*choices, *own]}}


class Attributes:
    """The fields that a map adds, and the ids they have in each tool."""

    def __init__(self, labels: Sequence[str]) -> None:
        """Give every label its ids."""
        self.labels = list(labels)
        self.salesforce = _distinct(
            f"{re.sub(r'[^A-Za-z0-9]+', '_', label).strip('_')[:_MOST_NAME]}" for label in labels
        )
        self.jira = [f"customfield_{_FIRST + n}" for n in range(len(self.labels))]
        self.airtable = [f"fldAttribute{n:05d}" for n in range(len(self.labels))]

    def furnished(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Give the tools' furniture with the fields in it."""
        for space, kind, id_, stamp, doc in documents:
            if kind == "_object" and id_ == "Case":
                own = [
                    {"name": name, "label": label, "type": "string", "updateable": True}
                    for name, label in zip(self.salesforce, self.labels, strict=True)
                ]
                yield space, kind, id_, stamp, {**doc, "fields": [*doc["fields"], *own]}
                continue
            if kind == "table" and id_ == airtable.ITEMS:
                cells = [
                    {"id": field, "name": label, "type": "singleLineText"}
                    for field, label in zip(self.airtable, self.labels, strict=True)
                ]
                yield space, kind, id_, stamp, {**doc, "fields": [*doc["fields"], *cells]}
                continue
            yield space, kind, id_, stamp, doc
            if kind == "project":
                for field, label in zip(self.jira, self.labels, strict=True):
                    told = {"id": field, "name": label, "custom": True, "schema": {"type": "string"}}
                    yield space, "field", field, stamp, told

    def filled(self, documents: Iterable[Document], values: Sequence[str]) -> Iterator[Document]:
        """Give a case's documents with the values in its records."""
        for space, kind, id_, stamp, doc in documents:
            if kind == "Case":
                yield space, kind, id_, stamp, {**doc, **_told(self.salesforce, values, empty=True)}
            elif kind == "issue":
                yield (
                    space,
                    kind,
                    id_,
                    stamp,
                    {**doc, "fields": {**doc["fields"], **_told(self.jira, values, empty=True)}},
                )
            elif kind == "record" and doc["_table"] == airtable.ITEMS:
                yield space, kind, id_, stamp, {**doc, "fields": {**doc["fields"], **_told(self.airtable, values)}}
            else:
                yield space, kind, id_, stamp, doc


def _told(names: Sequence[str], values: Sequence[str], *, empty: bool = False) -> Mapping[str, Any]:
    pairs = zip(names, values, strict=True)
    return {name: value or None for name, value in pairs if value or empty}


def _distinct(names: Iterable[str]) -> list[str]:
    """Give API names, numbered where two labels come to the same."""
    made: list[str] = []
    for name in names:
        stem = name if name[:1].isalpha() else f"X{name}"
        turn, one = 1, f"{stem}__c"
        while one.lower() in {other.lower() for other in made}:
            turn += 1
            one = f"{stem}_{turn}__c"
        made.append(one)
    return made
