"""What a person would see of a message: its headers decoded and its text. Never fails, whatever the bytes are."""

from __future__ import annotations

import email
import email.policy
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import Message as Parsed
from itertools import islice

_TEXT_LIMIT = 100_000  # characters
_HEADERS_LIMIT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message as read: headers in order, and the first text part (plain before HTML, as it is)."""

    headers: tuple[tuple[str, str], ...]
    text: str
    html: bool = False

    def header(self, name: str) -> str:
        """The first header of that name, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def read(raw: bytes) -> Letter:
    """Read a message; what cannot be decoded is given as it stands."""
    try:
        parsed = email.message_from_bytes(raw, policy=email.policy.compat32)
        headers = tuple((name, _decoded(value)) for name, value in islice(parsed.raw_items(), _HEADERS_LIMIT))
        part, html = _text_part(parsed)
        return Letter(headers=headers, text=_text(part) if part is not None else "", html=html)
    except (ValueError, LookupError, RecursionError, AttributeError, AssertionError, TypeError):
        # Python's parser stumbles over hostile mail in many ways; the envelope is kept all the same.
        return Letter(headers=(), text=raw[:_TEXT_LIMIT].decode("utf-8", "replace"))


def _text_part(parsed: Parsed) -> tuple[Parsed | None, bool]:
    texts = [part for part in parsed.walk() if part.get_content_maintype() == "text"]
    plain = next((part for part in texts if part.get_content_type() == "text/plain"), None)
    if plain is not None:
        return plain, False
    found = next((part for part in texts if part.get_content_type() == "text/html"), None)
    return found, found is not None


def _text(part: Parsed) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    charset = part.get_content_charset("utf-8")
    try:
        text = content.decode(charset, "replace")
    except LookupError:  # a character set nobody has heard of
        text = content.decode("utf-8", "replace")
    return text.replace("\r\n", "\n")[:_TEXT_LIMIT]


def _decoded(value: str) -> str:
    # The parser keeps bytes above 127 as surrogates; UTF-8 is what RFC 6532 and most senders mean by them.
    unfolded = " ".join(value.encode("utf-8", "surrogateescape").decode("utf-8", "replace").split())
    try:
        return str(make_header(decode_header(unfolded))) if "=?" in unfolded else unfolded
    except (ValueError, LookupError):
        return unfolded
