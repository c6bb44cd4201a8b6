"""What two lists of ids and the proofs between them say about a stream (pure)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.base import Absence

#: Believed gone at once without a word in the charter: this many, or this share of the stream.
_FEW = 20
_SHARE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class CensusPolicy:
    """How often a stream is compared id by id, and how many records may be believed gone at once (None: 20, or
    2 % of the stream where that is more)."""

    every: timedelta = timedelta(hours=24)
    max_believed_deletions: int | None = None

    def ceiling(self, held: int) -> int:
        """Most records of a stream of `held` that may be believed gone at once."""
        if self.max_believed_deletions is not None:
            return self.max_believed_deletions
        return max(_FEW, int(held * _SHARE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a census found.

    `missing`: listed and not held. `gone`: held, not listed and proven gone. `elsewhere`: held, not listed and
    proven to be there all the same (moved out of the stream). `unproven`: held, not listed, nothing proven.
    `too_many`: how many more than believable are gone; then nothing of `gone` may be written.
    """

    missing: tuple[str, ...] = ()
    gone: tuple[Absence, ...] = ()
    elsewhere: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()
    too_many: bool = False


def judge(ledger_ids: Collection[str], source_ids: Collection[str], proofs: Iterable[Absence], ceiling: int) -> Verdict:
    """Compare the ids of the records held as present with a complete listing of the source.

    A proof counts only for a record that is held and not listed; what nothing proves stays as it is.
    """
    held, listed = frozenset(ledger_ids), frozenset(source_ids)
    latest = {proof.record: proof for proof in proofs if proof.record in held and proof.record not in listed}
    gone = tuple(proof for proof in latest.values() if proof.kind != "present")
    return Verdict(
        missing=tuple(sorted(listed - held)),
        gone=gone,
        elsewhere=tuple(sorted(record for record, proof in latest.items() if proof.kind == "present")),
        unproven=tuple(sorted(held - listed - latest.keys())),
        too_many=len(gone) > ceiling,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CensusState:
    """What the last census of a stream left: when it was, which difference of the counts it explained (None:
    it explained none, and the next pull looks again), and the records proven to be there but unlisted."""

    at: datetime
    gap: int | None = 0
    elsewhere: tuple[str, ...] = ()

    def text(self) -> str:
        """As kept between two pulls."""
        return json.dumps([self.at.isoformat(), self.gap, list(self.elsewhere)])

    @classmethod
    def parse(cls, text: str | None) -> CensusState | None:
        """What `text` held; None for None."""
        if text is None:
            return None
        at, gap, elsewhere = json.loads(text)
        return cls(at=datetime.fromisoformat(at), gap=gap, elsewhere=tuple(elsewhere))


def due(state: CensusState | None, gap: int | None, policy: CensusPolicy, now: datetime) -> bool:
    """Whether ids are to be compared: the counts differ by something no census explained, or it is time again.

    A stream read for the first time was listed by that very reading.
    """
    if state is None:
        return bool(gap)
    if now - state.at >= policy.every or state.gap is None:
        return True
    return gap is not None and gap != state.gap
