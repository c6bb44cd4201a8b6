"""Compare findings with an answer key: precision and recall per kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hub.domain.findings import FINDING_KINDS, Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Numbers per finding kind. Precision of a kind never found and recall of a kind never planted are 1.0."""

    planted: dict[str, int]
    found: dict[str, int]
    precision: dict[str, float]
    recall: dict[str, float]


def score(key: Sequence[dict[str, Any]], findings: Iterable[Finding]) -> Score:
    """A finding is right when a fault of its kind was planted in one of its records; each fault counts once."""
    planted = {kind: [_records(fault["records"]) for fault in key if fault["kind"] == kind] for kind in FINDING_KINDS}
    found: dict[str, list[frozenset[tuple[str, str]]]] = {kind: [] for kind in FINDING_KINDS}
    for finding in findings:
        found[finding.kind].append(_records(finding.refs))
    right = {kind: sum(1 for f in found[kind] if any(f & p for p in planted[kind])) for kind in FINDING_KINDS}
    hit = {kind: sum(1 for p in planted[kind] if any(f & p for f in found[kind])) for kind in FINDING_KINDS}
    return Score(
        planted={kind: len(planted[kind]) for kind in FINDING_KINDS},
        found={kind: len(found[kind]) for kind in FINDING_KINDS},
        precision={kind: _ratio(right[kind], len(found[kind])) for kind in FINDING_KINDS},
        recall={kind: _ratio(hit[kind], len(planted[kind])) for kind in FINDING_KINDS},
    )


def _records(refs: Iterable[Sequence[str]]) -> frozenset[tuple[str, str]]:
    return frozenset((ref[0], ref[1]) for ref in refs)


def _ratio(part: int, whole: int) -> float:
    return 1.0 if whole == 0 else round(part / whole, 4)
