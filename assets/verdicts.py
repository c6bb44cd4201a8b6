"""What a check says about receipts, findings and outcomes: pure, time comes as an argument."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.domain.findings import Finding
from hub.domain.records import Receipt

#: A source read longer ago than this is worth a look; three times as long is an error.
STALE_AFTER = timedelta(hours=1)
#: How a change ended well; everything else needs a person.
WRITTEN: Collection[str] = frozenset({"confirmed", "confirmed_late", "already"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`passed`, and if not whether it is an error or a warning, with one plain sentence."""

    passed: bool
    error: bool
    sentence: str


def freshness(receipts: Sequence[Receipt], now: datetime) -> Verdict:
    """Whether every stream was read without error within the last hour."""
    read = [r.finished_at for r in receipts if not r.error]
    failed = [r.stream for r in receipts if r.error]
    if not read:
        return Verdict(passed=False, error=True, sentence="never read, or not since it last failed")
    age = now - min(read)
    minutes = int(age.total_seconds() // 60)
    sentence = f"read {minutes} minutes ago"
    if failed:
        sentence += f"; the last try failed for {', '.join(sorted(failed))}"
    return Verdict(passed=age <= STALE_AFTER and not failed, error=age > 3 * STALE_AFTER, sentence=sentence)


def completeness(receipts: Sequence[Receipt]) -> Verdict:
    """Whether the ledger holds as many records as the source counts, and no stream failed."""
    problems = [f"{r.error}. {r.hint}".strip() for r in receipts if r.error]
    for receipt in receipts:
        if receipt.gap and receipt.gap > 0:
            problems.append(f"{receipt.stream}: {receipt.gap} records of the source are missing{_named(receipt)}")
        elif receipt.missing:
            problems.append(f"{receipt.stream}: records of the source are missing{_named(receipt)}")
        elif receipt.gap:
            problems.append(f"{receipt.stream}: the ledger holds {-receipt.gap} records the source does not count")
    if not receipts:
        problems.append("never read")
    return Verdict(passed=not problems, error=True, sentence="; ".join(problems) or "nothing is missing")


def _named(receipt: Receipt) -> str:
    if not receipt.missing:
        return ""
    more = ", …" if receipt.gap is not None and receipt.gap > len(receipt.missing) else ""
    return f" ({', '.join(receipt.missing)}{more})"


def open_findings(findings: Sequence[Finding]) -> Verdict:
    """Whether no case of a kind is open; one of high severity makes it an error."""
    if not findings:
        return Verdict(passed=True, error=False, sentence="no open case")
    high = sum(1 for f in findings if f.severity == "high")
    return Verdict(passed=False, error=bool(high), sentence=f"{len(findings)} open, {high} of high severity")


def quarantine(count: int) -> Verdict:
    """Whether every record could be read."""
    sentence = f"{count} records could not be read; they are kept with the reason" if count else "every record was read"
    return Verdict(passed=not count, error=False, sentence=sentence)


def written(outcomes: Mapping[str, int]) -> Verdict:
    """Whether every change of the applied plan was verified; records that moved meanwhile are only a warning."""
    other = {kind: n for kind, n in outcomes.items() if n and kind not in WRITTEN}
    if not other:
        return Verdict(
            passed=True, error=False, sentence="every change was verified" if outcomes else "nothing applied"
        )
    sentence = ", ".join(f"{n} {kind.replace('_', ' ')}" for kind, n in sorted(other.items()))
    return Verdict(passed=False, error=bool(set(other) - {"refused_changed"}), sentence=sentence)
