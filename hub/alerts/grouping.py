"""Which cases are told to whom, and in which words. Pure.

A notice groups everything new of one kind for one recipient on one channel: a first sync that finds a thousand
missed handoffs makes one message with a count, not a thousand messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from hub.charter.model import Charter, Person
from hub.domain.findings import SEVERITIES, Finding, Severity

Turn = Literal["opened", "resolved"]
Channel = Literal["mail", "chat"]

#: So many cases are spelled out in a message; the others are counted.
LINES = 10
_LINE = 300


class Changes(Protocol):
    """Keys of the findings that changed their state in one run."""

    @property
    def opened(self) -> tuple[str, ...]:
        """Seen for the first time."""
        ...

    @property
    def resolved(self) -> tuple[str, ...]:
        """Gone."""
        ...

    @property
    def reopened(self) -> tuple[str, ...]:
        """Back again."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A finding as a message tells it; `url` is empty or http(s)."""

    key: str
    kind: str
    severity: Severity
    title: str
    summary: str
    next_move: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Cases of one kind that took the same turn, for one recipient.

    `recipient` is a person of the charter (channel mail, `address` theirs or empty) or the reference of a chat
    address (channel chat).
    """

    channel: Channel
    recipient: str
    address: str
    kind: str
    turn: Turn
    cases: tuple[Case, ...]


def plan_alerts(
    changes: Changes, findings: Iterable[Finding], charter: Charter, people: Mapping[str, Person]
) -> tuple[Notice, ...]:
    """Notices for what changed, at or above the charter's minimum severity, sorted.

    Args:
        changes: which findings opened, came back or were resolved in this run.
        findings: at least the findings that `changes` names, the resolved ones included.
        charter: routing and minimum severity.
        people: for the mail addresses of `alerts.mail_to`.
    """
    known = {finding.key: finding for finding in findings}
    least = SEVERITIES.index(charter.alerts.minimum_severity)
    turns: dict[tuple[str, Turn], list[Case]] = {}
    wanted: tuple[tuple[Turn, Sequence[str]], ...] = (
        ("opened", (*changes.opened, *changes.reopened)),
        ("resolved", changes.resolved),
    )
    for turn, keys in wanted:
        for key in dict.fromkeys(keys):
            finding = known.get(key)
            if finding is not None and SEVERITIES.index(finding.severity) >= least:
                turns.setdefault((finding.kind, turn), []).append(_case(finding))
    recipients: list[tuple[Channel, str, str]] = [
        ("mail", person, (people[person].email or "") if person in people else "") for person in charter.alerts.mail_to
    ]
    recipients += [("chat", reference, "") for reference in charter.alerts.apprise]
    return tuple(
        Notice(
            channel=channel,
            recipient=recipient,
            address=address,
            kind=kind,
            turn=turn,
            cases=tuple(sorted(cases, key=lambda c: (-SEVERITIES.index(c.severity), c.title, c.key))),
        )
        for channel, recipient, address in recipients
        for (kind, turn), cases in sorted(turns.items())
    )


def subject(kind: str, turn: Turn, cases: Sequence[Case], count: int) -> str:
    """The subject line: how many of what; with a single case also its title."""
    head = f"{'Resolved' if turn == 'resolved' else 'New'}: {_counted(kind, count)}"
    return f"{head}: {_one_line(cases[0].title)}"[:200] if count == 1 else head


def body(kind: str, turn: Turn, cases: Sequence[Case], count: int) -> str:
    """The message as plain text: the count, the first cases with their next move and link, the rest counted."""
    if turn == "resolved":
        head = f"{_counted(kind, count)} told earlier {'is' if count == 1 else 'are'} settled."
    else:
        head = f"{_counted(kind, count)} need{'s' if count == 1 else ''} attention."
    lines = [head, ""]
    for case in cases[:LINES]:
        told = case.summary if case.title in case.summary else f"{case.title}: {case.summary}"
        lines.append(f"- {_one_line(told)}")
        if turn == "opened" and case.next_move:
            lines.append(f"  Next: {_one_line(case.next_move)}")
        if case.url:
            lines.append(f"  {case.url}")
    rest = count - min(len(cases), LINES)
    if rest:
        lines += ["", f"… and {rest} more. `hub findings --kind {kind}` lists them all."]
    return "\n".join(lines) + "\n"


def _counted(kind: str, count: int) -> str:
    if kind == "unmapped_person":
        return f"{count} unmapped {'person' if count == 1 else 'people'}"
    name = kind.replace("_", " ")
    if count == 1:
        return f"1 {name}"
    # "split ownerships" is no word: what is counted are the cases
    return f"{count} cases of {name}" if name.endswith("ship") else f"{count} {name}s"


def _case(finding: Finding) -> Case:
    links = (str(e.get("url") or "") for e in finding.evidence)
    return Case(
        key=finding.key,
        kind=finding.kind,
        severity=finding.severity,
        title=finding.title,
        summary=finding.summary,
        next_move=finding.next_move,
        url=next((u for u in links if u.startswith(("https://", "http://")) and u.isprintable() and " " not in u), ""),
    )


def _one_line(text: str) -> str:
    """Text from tools as one printable line: it can break neither a header nor the list it stands in."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(plain.split())[:_LINE]
