"""The last step of findings and corrections: stable keys, JSON, and who points at whom.

These few rows leave the engine as Python values because JSON text has one canonical writer.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from hub.charter.model import Charter
from hub.domain.findings import finding_key
from hub.domain.records import instant
from reconciliation.columns import CORRECTION, FINDING, moment

#: Kinds that a correction of the owner settles.
_SETTLED_BY_CORRECTION = ("owner_conflict", "ghost_owner", "orphan_item", "split_ownership")

Refs = Mapping[str, list[tuple[str, str]]]


def findings(raw: Iterable[dict[str, Any]], titles: Mapping[str, str], refs: Refs, charter: Charter) -> pa.Table:
    """The finding table, sorted by key."""
    rows = {}
    for found in raw:
        key = finding_key(found["kind"], found["item"], *(fact or "" for fact in found["facts"]))
        rows[key] = found | {
            "key": key,
            "title": titles[found["item"]],
            "severity": charter.severity(found["kind"]),
            "at": moment(found["at"]),
            "due": None if found["due"] is None else moment(found["due"]),
            "refs": _json(sorted(refs[found["item"]])),
            "evidence": _json([_evidence(proof) for proof in found["evidence"] or ()]),
        }
    ordered = [rows[key] for key in sorted(rows)]
    return pa.table({f.name: pa.array([row[f.name] for row in ordered], f.type) for f in FINDING}, schema=FINDING)


def corrections(raw: Iterable[dict[str, Any]], found: pa.Table) -> pa.Table:
    """The correction table, sorted by source and record, each row with the findings it settles."""
    keys: dict[str, list[str]] = defaultdict(list)
    for key, kind, item in zip(*(found.column(c).to_pylist() for c in ("key", "kind", "item")), strict=True):
        if kind in _SETTLED_BY_CORRECTION:
            keys[item].append(key)
    rows = [row | {"findings": _json(sorted(keys[row["item"]]))} for row in raw]
    rows.sort(key=lambda row: (row["source"], row["record"]))
    return pa.table({f.name: pa.array([row[f.name] for row in rows], f.type) for f in CORRECTION}, schema=CORRECTION)


def _evidence(proof: Mapping[str, Any]) -> dict[str, Any]:
    names = ("source", "record", "field", "value", "who", "at", "url")
    return {name: proof[name] for name in names} | {"at": None if proof["at"] is None else instant(moment(proof["at"]))}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
