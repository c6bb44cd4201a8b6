"""What is no longer there, what is back, what was missed: asked of a source around the pull of one stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from connectors.base import Absence, Connector, PresenceTeller
from hub.domain.records import Observation, Page
from hub.flow.census import CensusPolicy, CensusState, due, judge
from hub.ledger.ledger import Ledger
from hub.ledger.presence import Presence

#: Records asked about before looking whether more are gone than can be believed.
_ASKED_AT_ONCE = 100
#: Ids a receipt names.
_NAMED = 20
_TICK = timedelta(microseconds=1)


@dataclass(kw_only=True)
class StreamPresence:
    """Presence in one stream during one pull. Nothing is concluded from a listing or a read that failed: what a
    connector raises goes through to the caller, before anything is written.

    `observed` counts what was written, `missing` names listed records that could not be had, `doubt` says why
    absences that the source did prove were not believed.
    """

    ledger: Ledger
    connector: Connector
    source: str
    stream: str
    run: str
    now: datetime
    policy: CensusPolicy
    full: bool = False
    observed: int = 0
    missing: tuple[str, ...] = ()
    doubt: str = ""
    _known: dict[str, Presence] = field(init=False)
    _state: CensusState | None = field(init=False)
    _back: set[str] = field(init=False, default_factory=set)
    _elsewhere: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self._known = dict(self.ledger.presences(self.source))
        self._state = CensusState.parse(self.ledger.cursor(self.source, self._census))
        self._elsewhere = set() if self._state is None else set(self._state.elsewhere)

    @property
    def _census(self) -> str:
        return f"census of {self.stream}"

    @property
    def _deletions(self) -> str:
        return f"deletions of {self.stream}"

    @property
    def _teller(self) -> PresenceTeller | None:
        return self.connector if isinstance(self.connector, PresenceTeller) else None

    @property
    def count(self) -> int:
        """Records of the stream that the ledger holds and believes to be there."""
        return self.ledger.record_count(self.source, self.stream) - len(self._elsewhere)

    def believe_the_source(self) -> None:
        """Take over the deletions the source tells by itself. To be called before the pull, which then reads
        again whatever was restored since."""
        if self._teller is None:
            return
        start = None if self.full else self.ledger.cursor(self.source, self._deletions)
        told, position = self._teller.deletions(self.stream, start, now=self.now)
        held = self.ledger.held_among(self.source, self.stream, (each.record for each in told))
        news = [each for each in told if each.record in held and self._is_news(each)]
        if self._believable(sum(each.kind != "present" for each in news)):
            self._write(self._deletions, news, position)

    def saw(self, page: Page) -> None:
        """A page is read and about to be stored: whoever of it was thought gone is present, unless a direct read
        contradicts, since a list may be older than the deletion. To be called before the page is stored: after
        a crash in between it is read again."""
        ids = {record.native_id for record in page.records}
        self._elsewhere -= ids
        back = sorted(record for record in ids if record in self._known and self._known[record].gone)
        if not back:
            return
        told = () if self._teller is None else self._teller.prove(self.stream, back, now=self.now)
        proofs = {each.record: each for each in told}
        found = [proofs.get(record) or self._read_again(record) for record in back]
        self._write(self._census, [self._after_the_last(each) for each in found if each.kind == "present"], None)

    def compare(self, source_count: int | None, store: Callable[[Page], None]) -> None:
        """Compare with the source id by id where that is due, fetch what was missed (`store` keeps a page) and
        write down what is proven gone."""
        if self._teller is None:
            return
        gap = None if source_count is None else source_count - self.count
        if not self.full and not due(self._state, gap, self.policy, self.now):
            self._remember(CensusState(at=self.now) if self._state is None else replace(self._state, gap=gap or 0))
            return
        listing = self._teller.ids(self.stream)
        if listing is None:
            return
        listed = set(listing)
        held = self.ledger.held_ids(self.source, self.stream)
        held -= {record for record, last in self._known.items() if last.gone}
        ceiling = self.policy.ceiling(len(held))
        verdict = judge(held, listed, self._proofs(self._teller, sorted(held - listed), ceiling), ceiling)
        if self._believable(len(verdict.gone), ceiling):
            self._write(self._census, [self._after_the_last(each) for each in verdict.gone], None)
            self._elsewhere = set(verdict.elsewhere)
        self._heal(self._teller, verdict.missing, store)
        settled = not self.missing and not self.doubt
        left = None if source_count is None else source_count - self.count
        self._remember(
            CensusState(at=self.now, gap=(left or 0) if settled else None, elsewhere=tuple(sorted(self._elsewhere)))
        )

    def _proofs(self, teller: PresenceTeller, unlisted: Sequence[str], ceiling: int) -> list[Absence]:
        """What became of each, as far as there is any use in asking."""
        proofs: list[Absence] = []
        gone = 0
        for first in range(0, len(unlisted), _ASKED_AT_ONCE):
            some = teller.prove(self.stream, unlisted[first : first + _ASKED_AT_ONCE], now=self.now)
            proofs += some
            gone += sum(each.kind != "present" for each in some)
            if gone > ceiling:
                break
        return proofs

    def _heal(self, teller: PresenceTeller, missing: Sequence[str], store: Callable[[Page], None]) -> None:
        unread = self.ledger.unread_ids(self.source, self.stream)
        wanted = [record for record in missing if record not in unread]
        if not wanted:
            return
        for page in teller.fetch(self.stream, wanted, now=self.now):
            self.saw(page)
            store(replace(page, cursor=None))
        held = self.ledger.held_ids(self.source, self.stream)
        held -= {record for record, last in self._known.items() if last.gone}
        held |= self.ledger.unread_ids(self.source, self.stream)
        left = [record for record in wanted if record not in held]
        # Whatever went between the listing and the fetch is not missing.
        asked = left[:_ASKED_AT_ONCE]
        proofs = teller.prove(self.stream, asked, now=self.now) if asked else ()
        went = {each.record for each in proofs if each.kind != "present"}
        self.missing = tuple(record for record in left if record not in went)[:_NAMED]

    def _believable(self, gone: int, ceiling: int | None = None) -> bool:
        if not gone:
            return True
        if ceiling is None:
            ceiling = self.policy.ceiling(self.ledger.record_count(self.source, self.stream))
        if gone <= ceiling:
            return True
        self.doubt = (
            f"{self.source} {self.stream}: {gone} records or more seem to be gone, "
            f"more than believed at once ({ceiling}); none was taken for deleted"
        )
        return False

    def _is_news(self, told: Absence) -> bool:
        last = self._known.get(told.record)
        if last is None:
            return told.kind != "present"
        return told.at > last.at and _value(told) != last.value

    def _after_the_last(self, proof: Absence) -> Absence:
        """What was proven by reading now holds after all that was known before, whatever the clocks say."""
        last = self._known.get(proof.record)
        return proof if last is None else replace(proof, at=max(proof.at, last.at + _TICK))

    def _read_again(self, record: str) -> Absence:
        return Absence(record=record, kind="present", at=self.now, evidence="read again by a pull")

    def _write(self, stream: str, told: Iterable[Absence], position: str | None) -> None:
        absences = list(told)
        if not absences and position is None:
            return
        accounts = self.ledger.accounts_among(self.source, (each.record for each in absences))
        said = tuple(
            Observation(
                source=self.source,
                entity="account" if each.record in accounts else "item",
                record=each.record,
                field="presence",
                value=_value(each),
                valid_from=each.at,
                origin="event",
                evidence=each.evidence,
            )
            for each in absences
        )
        page = Page(records=(), observations=said, cursor=position)
        self.observed += self.ledger.append(self.run, stream, self.source, page, self.now).new_observations
        self._known |= {each.record: Presence(value=_value(each), at=each.at) for each in absences}

    def _remember(self, state: CensusState) -> None:
        if state != self._state:
            self._write(self._census, (), state.text())
            self._state = state


def _value(told: Absence) -> str:
    return f"merged:{told.into}" if told.kind == "merged" else told.kind
