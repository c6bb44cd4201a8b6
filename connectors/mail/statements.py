"""What a mail states outright, with the place where it says so. Pure.

Only whole lines (or whole sentences) count, and only in fresh text: free prose is never turned into a
statement, because people do not agree among themselves what it means. A question states nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from connectors.mail.parse import Address

Kind = Literal["owner", "phase", "status", "approval_request", "approval_answer"]

_LINE_LIMIT = 500
_LABELLED = re.compile(
    r"[*_ ]{0,3}(owner|owned by|assigned to|assignee|phase|status)[*_ ]{0,3}\s?:[*_ ]{0,3}(.{1,400})",
    re.IGNORECASE,
)
_REQUEST = re.compile(r"approval requested from\s?:?\s(.{1,400})", re.IGNORECASE)
_TAKING = re.compile(
    r"(?:(?:ok|okay|sure|thanks|yes|hi \w{1,30}|hello)[,!]? )?"
    r"(?:i'll|i will|i can|i am going to|i'm going to) take (?:this|it)(?: one| over| on| from here| now)?",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?;]{1,300}[.!?;]?")
_ADDRESS = re.compile(r"[^\s<>()\[\]\\,;:\"@]{1,64}@[^\s<>()\[\]\\,;:\"@]{1,253}[^\s<>()\[\]\\,;:\"@.!?]")
_ADDRESSED = re.compile(r"(?:@\w{1,40} |[A-Z][A-Z0-9_]{1,9}-\d{1,9}: ?)?(.{1,40}?)[.!]?", re.DOTALL)
_NOBODY = frozenset({"nobody", "none", "no one", "noone", "unassigned", "n/a", "-", "—"})

APPROVED = frozenset(
    {"approve", "approved", "yes", "ok to proceed", "go ahead", "please go ahead", "lgtm", "+1"}
    | {"genehmigt", "aprobado", "approuvé"}
)
REJECTED = frozenset(
    ["reject", "rejected", "no", "not approved", "declined", "decline", "on hold", "abgelehnt", "rechazado", "refusé"]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement: `value` is an address (owner, approval_request; None: nobody), a native status or phase,
    or approved/rejected; `start` and `end` are its offsets in the fresh text, `rule` names what recognised it.
    """

    kind: Kind
    value: str | None
    start: int
    end: int
    rule: str
    name: str = ""


def statements(fresh: str, *, sender: str, people: Iterable[Address] = ()) -> tuple[Statement, ...]:
    """Statements of a fresh text in the order they stand; `people` resolve names written without address."""
    known = tuple(people)
    found: list[Statement] = []
    offset = 0
    first = True
    for line in fresh.split("\n"):
        said = unicodedata.normalize("NFKC", line[:_LINE_LIMIT]).replace("\u2019", "'").strip()
        if said:
            end = offset + len(line)
            if first:
                found.extend(_answer(said, offset, end))
            first = False
            found.extend(_labelled(said, offset, end, known))
            found.extend(_requested(said, offset, end, known))
            found.extend(_taken(said, offset, end, sender))
        offset += len(line) + 1
    return tuple(found)


def answer(line: str) -> Literal["approved", "rejected"] | None:
    """What a whole line answers to an approval request, by the agreed vocabulary; None: nothing."""
    match = _ADDRESSED.fullmatch(line.strip())
    words = " ".join(match[1].lower().split()) if match else ""
    if words in APPROVED:
        return "approved"
    return "rejected" if words in REJECTED else None


def _answer(said: str, start: int, end: int) -> list[Statement]:
    verdict = answer(said)
    if verdict is None:
        return []
    return [Statement(kind="approval_answer", value=verdict, start=start, end=end, rule="vocabulary on the first line")]


def _labelled(said: str, start: int, end: int, known: tuple[Address, ...]) -> list[Statement]:
    match = _LABELLED.fullmatch(said)
    if match is None or said.endswith("?"):
        return []
    label, rest = match[1].lower(), match[2].strip(" *_")
    if label == "phase":
        return [Statement(kind="phase", value=rest[:200], start=start, end=end, rule="line `Phase:`")] if rest else []
    if label == "status":
        return [Statement(kind="status", value=rest[:200], start=start, end=end, rule="line `Status:`")] if rest else []
    rule = f"line `{match[1].capitalize()}:`"
    if rest.lower().rstrip(".") in _NOBODY:
        return [Statement(kind="owner", value=None, start=start, end=end, rule=rule)]
    named = _named(rest, known)
    if named is None:
        return []
    return [Statement(kind="owner", value=named[0], start=start, end=end, rule=rule, name=named[1])]


def _requested(said: str, start: int, end: int, known: tuple[Address, ...]) -> list[Statement]:
    match = _REQUEST.fullmatch(said)
    named = _named(match[1].strip(), known) if match and not said.endswith("?") else None
    if named is None:
        return []
    rule = "line `Approval requested from`"
    return [Statement(kind="approval_request", value=named[0], start=start, end=end, rule=rule, name=named[1])]


def _taken(said: str, start: int, end: int, sender: str) -> list[Statement]:
    for sentence in _SENTENCE.findall(said):
        words = sentence.strip()
        if not words.endswith("?") and _TAKING.fullmatch(words.rstrip(".!; ")):
            return [Statement(kind="owner", value=sender, start=start, end=end, rule="sender takes it")]
    return []


def _named(rest: str, known: tuple[Address, ...]) -> tuple[str, str] | None:
    """(addresses in lower case, sorted and joined by ",", display name of a single one), or None."""
    addresses = sorted({a.lower() for a in _ADDRESS.findall(rest)})
    if addresses:
        name = rest.split("<", 1)[0].strip(" \"'") if len(addresses) == 1 and "<" in rest else ""
        return ",".join(addresses), "" if "@" in name else name[:200]
    wanted = rest.rstrip(".").casefold()
    matches = {p.address for p in known if p.name.casefold() == wanted}
    return (matches.pop(), rest.rstrip(".")) if len(matches) == 1 else None
