"""RFC 5322 bytes to a message value. Pure; every step is bounded, so hostile mail costs little.

The compat32 policy is used on purpose: the modern policy's header parser is slow and can be made to hang.
Limits are checked on the bytes before anything is parsed, because the library parses first and asks later.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import Message as LibraryMessage
from email.utils import getaddresses, parsedate_to_datetime

from connectors.mail.fresh import fresh
from connectors.mail.text import TEXT_LIMIT, clean, html_text, one_line

RAW_LIMIT = 25 * 1024 * 1024
_HEADERS_LIMIT = 256 * 1024
_HEADER_LIMIT = 32 * 1024
_HEADER_COUNT = 1_000
_DELIMITERS = 5_000
_CONTAINERS = 60
_PARTS = 200
_DEPTH = 20
_ADDRESSES = 500
_REFERENCES = 100

_MESSAGE_ID = re.compile(r"<([^<>\s\"]{1,250}@[^<>\s\"]{1,250})>")
_ADDRESS = re.compile(r"[^\s<>()\[\]\\,;:\"@]{1,64}@[^\s<>()\[\]\\,;:\"@]{1,253}")
_REPLY = re.compile(
    r"\s*(?:re|fwd?|aw|wg|sv|vs|tr|rv|antw|odp|res|enc|ref|回复|答复|转发)(?:\[\d+\])?\s*[:\uff1a]\s*",
    re.IGNORECASE,
)
_BRACKET = re.compile(r"\s*\[([^\[\]]{1,60})\]\s*")
_MACHINE = re.compile(
    r"(?:no-?_?\.?reply|do-?_?not-?_?reply|mailer-?daemon|postmaster|bounces?|notifications?)(?:[-+.=].*)?"
)
_AWAY = re.compile(
    r"(?:automatic reply|auto(?:matic)?[ -]?(?:reply|response)|autoreply|out of (?:the )?office|"
    r"abwesenheitsnotiz|automatische antwort|réponse automatique|respuesta automática)\b",
    re.IGNORECASE,
)
_BOUNCED = re.compile(
    r"(?:undeliver(?:ed|able)|delivery (?:status notification|failure|has failed)|mail delivery (?:failed|sub)|"
    r"returned mail|failure notice)",
    re.IGNORECASE,
)
OWN_HEADER = "X-Handoff-Hub"


class Unreadable(ValueError):
    """The mail cannot be read within its limits; the text says why, for the quarantine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A mail address in lower case and the display name it came with (which proves nothing)."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A mail as read: ids without <>, `claimed` = its Date header (UTC, None: unreadable).

    `root` names the thread; `automatic` is empty for a human sender, else auto-reply, bounce or machine;
    `marker` is the hub's own header (it proves nothing without the hub's sender).
    """

    id: str
    root: str
    in_reply_to: str | None
    subject: str
    title: str
    brackets: tuple[str, ...]
    sender: Address
    recipients: tuple[Address, ...]
    claimed: datetime | None
    fresh: str
    automatic: str
    marker: str


def parse(raw: bytes) -> Message:
    """The message in `raw`; raises Unreadable with the reason, and nothing else."""
    try:
        return _parse(raw)
    except Unreadable:
        raise
    except RecursionError:
        raise Unreadable("nested too deeply") from None
    except Exception as error:  # the library raises anything on foreign bytes
        raise Unreadable(f"cannot be parsed ({type(error).__name__})") from error


def message_id(raw: bytes) -> str:
    """The Message-ID without <>, or a stable id made from the bytes when there is none."""
    head = raw[:_HEADERS_LIMIT].replace(b"\r\n", b"\n").split(b"\n\n", 1)[0]
    found = re.search(rb"(?im)^message-id:[ \t]*(?:\n[ \t]+)?(<[^<>\s]{3,500}>)", head)
    match = _MESSAGE_ID.fullmatch(found[1].decode("ascii", "replace")) if found else None
    return match[1] if match else f"sha256-{hashlib.sha256(raw).hexdigest()[:32]}"


def is_machine(address: str) -> bool:
    """Whether an address belongs to a program by its name (no-reply, mailer-daemon …)."""
    return _MACHINE.fullmatch(address.partition("@")[0]) is not None


def _parse(raw: bytes) -> Message:
    _refuse_oversized(raw)
    mail = message_from_bytes(raw, policy=policy.compat32)
    parts = _parts(mail)
    sender = _sender(mail)
    identity = message_id(raw)
    references = _ids(mail, "References")
    replied = _ids(mail, "In-Reply-To")
    subject = _header(mail, "Subject")
    title, brackets = _title(subject)
    root = next(iter((*references, *replied)), identity)
    return Message(
        id=identity,
        root=root,
        in_reply_to=replied[0] if replied else None,
        subject=subject,
        title=title,
        brackets=brackets,
        sender=sender,
        recipients=_addresses(mail, "To", "Cc"),
        claimed=_claimed(mail),
        fresh=fresh(_body(parts)),
        automatic=_automatic(mail, sender, subject),
        marker=_header(mail, OWN_HEADER),
    )


def _refuse_oversized(raw: bytes) -> None:
    if len(raw) > RAW_LIMIT:
        raise Unreadable(f"larger than {RAW_LIMIT >> 20} MB")
    ends = [at for at in (raw.find(b"\n\n"), raw.find(b"\r\n\r\n")) if at >= 0]
    head = raw[: min(ends)] if ends else raw
    if len(head) > _HEADERS_LIMIT:
        raise Unreadable("headers larger than 256 KB")
    headers = re.split(rb"\r?\n(?![ \t])", head)
    if len(headers) > _HEADER_COUNT:
        raise Unreadable("more than 1,000 headers")
    if any(len(header) > _HEADER_LIMIT for header in headers):
        raise Unreadable("a header larger than 32 KB")
    if raw.count(b"\n--") > _DELIMITERS:
        raise Unreadable("too many parts")
    if len(re.findall(rb"(?im)^content-type:\s{0,80}(?:multipart|message)/", raw)) > _CONTAINERS:
        raise Unreadable("nested too deeply")


def _parts(mail: LibraryMessage) -> list[LibraryMessage]:
    """Leaf parts in order, without attached messages and attachments."""
    found: list[LibraryMessage] = []
    waiting: list[tuple[LibraryMessage, int]] = [(mail, 0)]
    seen = 0
    while waiting:
        part, depth = waiting.pop()
        seen += 1
        if seen > _PARTS:
            raise Unreadable("more than 200 parts")
        if depth > _DEPTH:
            raise Unreadable("nested too deeply")
        content = part.get_payload()
        if isinstance(content, list):
            # what lies inside an attached message was said by somebody else, some other time
            if depth and part.get_content_maintype() == "message":
                continue
            children = [child for child in content if isinstance(child, LibraryMessage)]
            waiting.extend((child, depth + 1) for child in reversed(children))
        elif part.get_content_disposition() != "attachment":
            found.append(part)
    return found


def _body(parts: list[LibraryMessage]) -> str:
    plain = [_decoded(p) for p in parts if p.get_content_type() == "text/plain"]
    if any(text.strip() for text in plain):
        return clean("\n".join(plain))
    try:
        return clean("\n".join(html_text(_decoded(p)) for p in parts if p.get_content_type() == "text/html"))
    except ValueError as error:
        raise Unreadable(str(error)) from None


def _decoded(part: LibraryMessage) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    content = content[: TEXT_LIMIT * 4]
    charset = part.get_content_charset() or "utf-8"
    try:
        return content.decode(charset, "replace")
    except (LookupError, ValueError):
        return content.decode("latin-1")


def _header(mail: LibraryMessage, name: str) -> str:
    value = mail.get(name)
    if value is None:
        return ""
    pieces = []
    for piece, charset in decode_header(str(value)):
        if isinstance(piece, str):
            pieces.append(piece)
            continue
        try:
            pieces.append(piece.decode(charset or "utf-8", "replace"))
        except (LookupError, ValueError):
            pieces.append(piece.decode("latin-1"))
    return one_line("".join(pieces))


def _ids(mail: LibraryMessage, name: str) -> list[str]:
    found = _MESSAGE_ID.findall(str(mail.get(name, "")))
    return found[:1] + found[1:][-_REFERENCES:]


def _addresses(mail: LibraryMessage, *names: str) -> tuple[Address, ...]:
    values = [str(v) for name in names for v in mail.get_all(name, [])]
    found: dict[str, Address] = {}
    for name, address in getaddresses(values)[:_ADDRESSES]:
        lowered = address.strip().lower()
        if _ADDRESS.fullmatch(lowered) and lowered not in found:
            found[lowered] = Address(address=lowered, name=_display(name))
    return tuple(found.values())


def _display(name: str) -> str:
    pieces = [
        piece if isinstance(piece, str) else piece.decode(_known(charset), "replace")
        for piece, charset in decode_header(name)
    ]
    return one_line("".join(pieces))[:200]


def _known(charset: str | None) -> str:
    try:
        "".encode(charset or "utf-8")
    except LookupError:
        return "latin-1"
    return charset or "utf-8"


def _sender(mail: LibraryMessage) -> Address:
    if len(mail.get_all("From", [])) != 1:
        raise Unreadable("not exactly one From header")
    senders = _addresses(mail, "From")
    if len(senders) != 1:
        raise Unreadable("not exactly one sender address")
    return senders[0]


def _claimed(mail: LibraryMessage) -> datetime | None:
    try:
        stamp = parsedate_to_datetime(str(mail.get("Date", "")))
        # RFC 5322: -0000 means UTC of an unknown zone
        return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _title(subject: str) -> tuple[str, tuple[str, ...]]:
    """The subject without reply marks and leading brackets, and what stood in those brackets."""
    rest, brackets = subject, []
    for _ in range(20):
        if match := _REPLY.match(rest):
            rest = rest[match.end() :]
        elif match := _BRACKET.match(rest):
            brackets.append(match[1].strip())
            rest = rest[match.end() :]
        else:
            break
    return rest.strip(), tuple(dict.fromkeys(brackets))


def _automatic(mail: LibraryMessage, sender: Address, subject: str) -> str:
    # Auto-Submitted comes first: auto-replies also travel with an empty return path, as bounces do
    submitted = _header(mail, "Auto-Submitted").lower()
    if submitted and not submitted.startswith("no"):
        return "auto-reply" if submitted.startswith("auto-replied") else "machine"
    if mail.get_content_type() == "multipart/report" or mail.get("X-Failed-Recipients"):
        return "bounce"
    if any(mail.get(name) for name in ("X-Autoreply", "X-Autorespond")) or _AWAY.match(subject):
        return "auto-reply"
    if _header(mail, "Precedence").lower() in {"auto_reply", "junk"}:
        return "auto-reply"
    if _header(mail, "Return-Path") == "<>" or _BOUNCED.match(subject):
        return "bounce"
    return "machine" if is_machine(sender.address) else ""
