"""What can be wrong: one module per kind, one function each, in one tuple."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import ibis.expr.types as ir

from hub.charter.model import Charter
from reconciliation.findings.duplicate_update import duplicate_update
from reconciliation.findings.ghost_owner import ghost_owner
from reconciliation.findings.missed_handoff import missed_handoff
from reconciliation.findings.orphan_item import orphan_item
from reconciliation.findings.owner_conflict import owner_conflict
from reconciliation.findings.returned_handoff import returned_handoff
from reconciliation.findings.split_ownership import split_ownership
from reconciliation.findings.stalled_decision import stalled_decision
from reconciliation.findings.unmapped_person import unmapped_person
from reconciliation.view import View


class Detector(Protocol):
    """Finds one kind of fault in the view; the columns are `shape.COLUMNS`."""

    def __call__(self, view: View, charter: Charter, *, as_of: datetime) -> ir.Table: ...


DETECTORS: tuple[Detector, ...] = (
    owner_conflict,
    missed_handoff,
    returned_handoff,
    duplicate_update,
    stalled_decision,
    ghost_owner,
    orphan_item,
    split_ownership,
    unmapped_person,
)
