"""A parsed message as observations. Pure: what is known about the thread and the folder is passed in."""

from __future__ import annotations

from datetime import datetime, timedelta

from connectors.mail.fresh import prose
from connectors.mail.parse import Message, is_machine
from connectors.mail.statements import Statement, statements
from connectors.references import find, normalise
from hub.domain.records import Field, Observation, Origin

#: A Date header is believed when it lies at most this long before the receipt, and never after it.
BELIEVED = timedelta(days=7)
APPROVAL_PART = "approval"
_UPDATE_LIMIT = 20_000


def stated(message: Message) -> tuple[Statement, ...]:
    """What the message states; nothing for automatic mail, other people's words never count as the sender's."""
    if message.automatic and not message.marker:
        return ()
    people = (message.sender, *message.recipients)
    return statements(message.fresh, sender=message.sender.address, people=people)


def is_own(message: Message, own: str) -> bool:
    """Whether the hub wrote this message: its header and its sender together."""
    return bool(message.marker) and message.sender.address == own


def happened(message: Message, received: datetime) -> datetime:
    """When the message was said (UTC): its Date if that is believable, else when the server received it."""
    claimed = message.claimed
    return claimed if claimed is not None and received - BELIEVED <= claimed <= received else received


def requested_approver(message: Message, own: str) -> str | None:
    """Address that this message asks for an approval, or None."""
    if message.automatic or is_own(message, own):
        return None
    asked = [s.value for s in stated(message) if s.kind == "approval_request"]
    return asked[-1] if asked else None


def gives_answer(message: Message, own: str) -> bool:
    """Whether the message answers an approval request, if it comes from whoever was asked."""
    return (
        not message.automatic and not is_own(message, own) and any(s.kind == "approval_answer" for s in stated(message))
    )


def observe(
    message: Message, *, source: str, received: datetime, own: str, raw: str, approver: str | None = None
) -> tuple[Observation, ...]:
    """Observations of one message.

    Args:
        message: as parsed.
        source: configured source name.
        received: the server's receipt time (INTERNALDATE, aware).
        own: the hub's own sender address in lower case.
        raw: digest of the raw record.
        approver: address that was asked for an approval earlier in this thread, None: nobody.
    """
    at = happened(message, received)
    make = _Maker(source=source, message=message, at=at, raw=raw)
    found = make.accounts(own)
    if is_own(message, own):
        # our mail names the owner in an existing thread; it is not news and starts no item
        if message.root != message.id:
            found += make.identifiers() + make.owner(stated(message))
        return tuple(found)
    if message.automatic:
        return tuple(found)
    said = stated(message)
    found += make.named() + make.identifiers() + make.references()
    found += make.owner(said) + make.labelled(said) + make.approvals(said, approver) + make.update(said)
    return tuple(found)


class _Maker:
    """Builds observations that share their source, moment, actor and evidence."""

    def __init__(self, *, source: str, message: Message, at: datetime, raw: str) -> None:
        self._source, self._message, self._at, self._raw = source, message, at, raw

    def _item(self, field: Field, value: str | None, origin: Origin, part: str = "") -> Observation:
        return Observation(
            source=self._source,
            entity="item",
            record=normalise(self._message.root),
            field=field,
            value=value,
            valid_from=self._at,
            origin=origin,
            part=part,
            actor=self._message.sender.address,
            raw=self._raw,
            evidence=f"mid:{self._message.id}",
        )

    def _account(self, address: str, field: Field, value: str) -> Observation:
        return Observation(
            source=self._source,
            entity="account",
            record=address,
            field=field,
            value=value,
            valid_from=self._at,
            origin="snapshot",
            raw=self._raw,
            evidence=f"mid:{self._message.id}",
        )

    def accounts(self, own: str) -> list[Observation]:
        names = {p.address: p.name for p in (*self._message.recipients, self._message.sender)}
        if not self._message.automatic or is_own(self._message, own):
            for statement in stated(self._message):
                if statement.kind in {"owner", "approval_request"}:
                    for address in (statement.value or "").split(","):
                        names.setdefault(address, statement.name)
        found = []
        for address, name in names.items():
            if not address:
                continue
            kind = "hub" if address == own else "bot" if is_machine(address) else "person"
            found += [self._account(address, "email", address), self._account(address, "kind", kind)]
            if name and "@" not in name:
                found.append(self._account(address, "name", name))
        return found

    def named(self) -> list[Observation]:
        return [self._item("title", self._message.title, "event")] if self._message.title else []

    def identifiers(self) -> list[Observation]:
        """The thread's root, this message's own id (threads whose root is missing join by it), brackets."""
        bracketed = [f"[{b}]" for b in self._message.brackets] if self._message.root == self._message.id else []
        tokens = [normalise(self._message.root), normalise(self._message.id)]
        tokens += [token for b in bracketed for token in find(b)]
        return [self._item("identifier", t, "snapshot", t) for t in dict.fromkeys(tokens)]

    def references(self) -> list[Observation]:
        message = self._message
        tokens = list(find(message.subject)) + list(find(message.fresh))
        if message.in_reply_to:
            tokens.append(normalise(message.in_reply_to))
        return [
            self._item("reference", t, "snapshot", t) for t in dict.fromkeys(tokens) if t != normalise(message.root)
        ]

    def owner(self, said: tuple[Statement, ...]) -> list[Observation]:
        owners = [s for s in said if s.kind == "owner"]
        return [self._item("owner", owners[-1].value, "event")] if owners else []

    def labelled(self, said: tuple[Statement, ...]) -> list[Observation]:
        phases = [s.value for s in said if s.kind == "phase"][-1:]
        states = [s.value for s in said if s.kind == "status"][-1:]
        return [self._item("phase", v, "event") for v in phases] + [self._item("status", v, "event") for v in states]

    def approvals(self, said: tuple[Statement, ...], approver: str | None) -> list[Observation]:
        asked = [s.value for s in said if s.kind == "approval_request"][-1:]
        if asked:
            return [
                self._item("approval", "pending", "event", APPROVAL_PART),
                self._item("approver", asked[0], "event", APPROVAL_PART),
            ]
        answers = [s.value for s in said if s.kind == "approval_answer"]
        if not answers or approver is None or self._message.sender.address not in approver.split(","):
            return []
        return [self._item("approval", answers[0], "event", APPROVAL_PART)]

    def update(self, said: tuple[Statement, ...]) -> list[Observation]:
        """The words that carry news: the fresh text without the lines that were read as statements."""
        starts = {s.start for s in said}
        kept: list[str] = []
        offset = 0
        for line in self._message.fresh.split("\n"):
            if offset in starts:
                # "For your information:" above a statement belongs to it
                while kept and (not kept[-1].strip() or kept[-1].rstrip().endswith(":")):
                    kept.pop()
            else:
                kept.append(line)
            offset += len(line) + 1
        news = prose(kept, self._message.sender.name)[:_UPDATE_LIMIT]
        return [self._item("update", news, "event", self._message.id)] if news else []
