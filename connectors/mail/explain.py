"""What the hub reads from one message, and why: for `hub mail explain`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, policy

from connectors.mail.observe import stated
from connectors.mail.parse import Message, Unreadable, parse
from connectors.mail.text import one_line
from connectors.references import find, normalise

_RESULT = re.compile(r"\b(dmarc|dkim)\s*=\s*([a-z]+)([^;]*)", re.IGNORECASE)
_DOMAIN = re.compile(r"\bheader\.(?:from|d)\s*=\s*@?([A-Za-z0-9.-]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """One statement: what it sets, to what, and where it stands in the fresh text (`span` are its words)."""

    field: str
    value: str
    span: str
    start: int
    end: int
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A message as the hub reads it.

    `verdict` says how far the sender is proven; `note` why nothing is read from the message, when so.
    """

    message_id: str
    thread: str
    sender: str
    verdict: str
    title: str
    statements: tuple[Stated, ...]
    references: tuple[str, ...]
    fresh: str
    note: str = ""


def explain(raw: bytes, *, trusted: str | None = None) -> Explanation:
    """What the hub reads from `raw`.

    Args:
        raw: the message, RFC 5322.
        trusted: authserv-id of the receiving server whose Authentication-Results are believed; the operator
            vouches that it strips foreign headers with its name. None: no sender is ever verified.
    """
    try:
        message = parse(raw)
    except Unreadable as error:
        return Explanation(
            message_id="",
            thread="",
            sender="",
            verdict="unverified",
            title="",
            statements=(),
            references=(),
            fresh="",
            note=f"quarantined: {error}",
        )
    tokens = (*find(message.subject), *find(message.fresh))
    return Explanation(
        message_id=message.id,
        thread=normalise(message.root),
        sender=message.sender.address,
        verdict=_verdict(raw, message, trusted),
        title=message.title,
        statements=tuple(
            Stated(
                field=s.kind,
                value=s.value or "nobody",
                span=message.fresh[s.start : s.end].strip(),
                start=s.start,
                end=s.end,
                rule=s.rule,
            )
            for s in stated(message)
        ),
        references=tuple(dict.fromkeys(tokens)),
        fresh=message.fresh,
        note=f"no statements are read from automatic mail ({message.automatic})" if message.automatic else "",
    )


def _verdict(raw: bytes, message: Message, trusted: str | None) -> str:
    """`aligned` only by the first result header of the trusted server, for exactly the sender's domain."""
    if trusted is None:
        return "unverified"
    domain = message.sender.address.partition("@")[2]
    headers = message_from_bytes(raw, policy=policy.compat32).get_all("Authentication-Results", [])
    for header in map(one_line, map(str, headers)):
        server = re.match(r"[^\s;]+", header)
        if server is None or server[0].lower() != trusted.lower():
            continue
        results = [(m[1].lower(), m[2].lower(), _DOMAIN.search(m[3])) for m in _RESULT.finditer(header)]
        decisive = [r for r in results if r[0] == "dmarc"] or [r for r in results if r[0] == "dkim"]
        aligned = any(
            verdict == "pass" and found is not None and found[1].lower() == domain for _, verdict, found in decisive
        )
        return "aligned" if aligned else "unverified"
    return "unverified"
