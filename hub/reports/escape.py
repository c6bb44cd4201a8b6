"""Text from tools made harmless for the place where it will be shown."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#!|<>&~+\-=.:\"'$^@])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+")
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")

#: Invisible and without width: keeps `https://` and `a@b` from being made into links by Markdown renderers,
#: which link bare addresses even when their punctuation is escaped.
_JOINER = "\u2060"
_LINKABLE = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?=@)", re.IGNORECASE)


def one_line(text: str, limit: int = 200) -> str:
    """`text` on one line without control or direction-changing characters, cut to `limit` with an ellipsis."""
    flat = " ".join(_CONTROL.sub(" ", text).split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"


def md_escape(text: str, limit: int = 200) -> str:
    """`text` as plain Markdown words: no link, image, HTML, table border or line break survives.

    A Markdown image is more than ugly here: rendered by the orchestration UI it would send a request in the
    name of whoever opens the page.
    """
    return _MARKDOWN.sub(r"\\\1", _LINKABLE.sub(_JOINER, one_line(text, limit)))


def csv_cell(value: object) -> str:
    """A value as a spreadsheet cell that can never start a formula (a leading apostrophe marks it as text)."""
    text = "" if value is None else str(value).replace("\x00", "")
    if text.lstrip(" \u00a0\u200b\ufeff").startswith(_FORMULA):
        return "'" + text
    return text


def web_url(url: str) -> str:
    """`url` when it is an absolute http or https address, else empty text."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.netloc or _CONTROL.search(url):
        return ""
    return url.strip()
