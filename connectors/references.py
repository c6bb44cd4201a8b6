"""Names of records as people write them in other tools, in one spelling. Pure.

A token is the normalised name of a record: a Jira key in upper case, a Salesforce id of 15 characters, an
Airtable record id, a message id without angle brackets, or any other reference as it was written. Two records
name each other when a token one mentions equals a token the other is known by.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

_JIRA_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{1,9}-[0-9]{1,9}")
_AIRTABLE_RECORD: Final = re.compile(r"rec[A-Za-z0-9]{14}")
_MESSAGE_ID: Final = re.compile(r"<([^<>\s@]+@[^<>\s@]+)>")
_SALESFORCE_ID: Final = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_URL: Final = re.compile(r"\b(?:https?|mid):[^\s<>\"'\]|]+", re.IGNORECASE)

# Objects whose ids are recognised without a URL around them: Case, Opportunity, Account, Lead.
_KNOWN_PREFIXES: Final = ("500", "006", "001", "00Q")
_CHECK_CHARACTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

_IN_URL: Final = (
    re.compile(r"/browse/(" + _JIRA_KEY.pattern + r")(?![A-Za-z0-9])"),
    re.compile(r"[?&]selectedIssue=(" + _JIRA_KEY.pattern + r")(?![A-Za-z0-9])"),
    re.compile(r"/lightning/r/(?:[A-Za-z0-9_]+/)?(" + _SALESFORCE_ID.pattern + r")(?![A-Za-z0-9])"),
    re.compile(r"(?:salesforce|force)\.com(?::[0-9]+)?/(" + _SALESFORCE_ID.pattern + r")(?![A-Za-z0-9])"),
    re.compile(r"/(" + _AIRTABLE_RECORD.pattern + r")(?![A-Za-z0-9])"),
    re.compile(r"^mid:<?([^<>\s@?/]+@[^<>\s@?/]+)>?", re.IGNORECASE),
)

# In running text, in the order of the alternatives: URL, [bracketed token], <message id>, bare ids and keys.
# A display name before <...> makes it an address; "(" after [...] makes it a link's caption.
_IN_TEXT: Final = re.compile(
    rf"(?P<url>{_URL.pattern})"
    r"|\[(?P<bracket>[^\[\]\r\n]{1,80})\](?!\()"
    rf"|(?<![\w\"'.)][ \t]){_MESSAGE_ID.pattern.replace('(', '(?P<message>', 1)}"
    rf"|(?<![A-Za-z0-9_])(?P<airtable>{_AIRTABLE_RECORD.pattern})(?![A-Za-z0-9_])"
    rf"|(?<![A-Za-z0-9_])(?P<salesforce>(?:{'|'.join(_KNOWN_PREFIXES)})"
    r"[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?)(?![A-Za-z0-9_])"
    r"|(?<![A-Za-z0-9_-])(?P<jira>[A-Z][A-Z0-9_]{1,9}-[0-9]{1,9})(?![A-Za-z0-9_])",
)


def normalise(token: str) -> str:
    """One spelling of a record's name: a URL becomes the id it contains, a Salesforce id 15 characters,
    a Jira key upper case; angle and square brackets around it go; anything else is only stripped."""
    text = token.strip()
    if _URL.fullmatch(text):
        return _from_url(text) or text
    if len(text) > 2 and (text[0], text[-1]) in {("<", ">"), ("[", "]")}:
        text = text[1:-1].strip()
        if _URL.fullmatch(text):
            return _from_url(text) or text
    if _JIRA_KEY.fullmatch(text):
        return text.upper()
    if len(text) == 18 and _SALESFORCE_ID.fullmatch(text) and _is_salesforce_id(text):
        return text[:15]
    return text


def find(text: str) -> tuple[str, ...]:
    """Tokens that `text` mentions, normalised, each once, in the order they appear.

    Bare keys count in upper case only, and bare Salesforce ids only with the prefix of a known object;
    square brackets count when they hold a digit (`[ACME-12]`, `[Case 731]`, but not `[EXTERNAL]`).
    """
    found: dict[str, None] = {}
    for match in _IN_TEXT.finditer(text):
        kind = match.lastgroup
        if kind is None:
            continue
        written = match.group(kind)
        if kind == "url":
            token = _from_url(written.rstrip(".,;:!?)"))
        elif kind == "bracket":
            inside = find(written)
            if inside:
                found.update(dict.fromkeys(inside))
                continue
            token = normalise(" ".join(written.split())) if any(c.isdigit() for c in written) else None
        else:
            token = normalise(written)
        if token:
            found[token] = None
    return tuple(found)


def find_in_field(value: str) -> tuple[str, ...]:
    """Tokens of a field that people use for references: those `find` sees, else the single word it holds
    (an external number has no shape that could be recognised in running text)."""
    found = find(value)
    if found:
        return found
    word = value.strip()
    return (normalise(word),) if word and len(word) <= 80 and not re.search(r"\s", word) else ()


def _from_url(url: str) -> str | None:
    plain = unquote(url)
    for pattern in _IN_URL:
        match = pattern.search(plain)
        if match:
            return normalise(match.group(1))
    return None


def _is_salesforce_id(text: str) -> bool:
    """Whether 18 characters are an id: a known object's prefix, or the three check characters are right."""
    if text.startswith(_KNOWN_PREFIXES):
        return True
    check = ""
    for start in (0, 5, 10):
        bits = sum(
            1 << place for place, char in enumerate(text[start : start + 5]) if char.isascii() and char.isupper()
        )
        check += _CHECK_CHARACTERS[bits]
    return text[15:].upper() == check
