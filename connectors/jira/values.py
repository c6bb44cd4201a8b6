"""Reading Jira's values: times, users, texts, approvals. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hub.domain.records import OWNER_SEPARATOR

Json = dict[str, Any]

# Epoch numbers above this are milliseconds: as seconds they would lie 3,000 years ahead.
_MILLISECONDS_FROM = 100_000_000_000

_APPROVALS = {
    "pending": "pending",
    "requested": "pending",
    "waiting": "pending",
    "waiting for approval": "pending",
    "in review": "pending",
    "approved": "approved",
    "accepted": "approved",
    "rejected": "rejected",
    "declined": "rejected",
}


class Unreadable(ValueError):
    """A record lacks what it must have, or holds something of another shape; the text says what."""


def moment(value: Any, what: str) -> datetime:
    """An aware UTC time out of ISO text or an epoch number (bulk changelogs send numbers, other replies text).

    Raises Unreadable naming `what`.
    """
    if isinstance(value, bool):
        raise Unreadable(f"{what} is {value!r}, not a time")
    try:
        if isinstance(value, int | float):
            seconds = value / 1000 if value > _MILLISECONDS_FROM else value
            return datetime.fromtimestamp(seconds, UTC)
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError, OverflowError, OSError):
        raise Unreadable(f"{what} is {value!r}, not a time") from None
    if parsed.tzinfo is None:
        raise Unreadable(f"{what} is {value!r}, without a time zone")
    return parsed.astimezone(UTC)


def milliseconds(at: datetime) -> int:
    """Epoch milliseconds, the only form of a time in JQL that no profile time zone can bend."""
    return round(at.timestamp() * 1000)


def text(value: Any) -> str | None:
    """Text of a cell however Jira wraps it: plain, option, named thing, list, or a document (API v3)."""
    match value:
        case None | "" | []:
            return None
        case str():
            return value.strip() or None
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case list():
            parts = [part for part in map(text, value) if part]
            return ", ".join(parts) or None
        case {"type": "doc"}:
            return _flat(value).strip() or None
        case {"value": inner} | {"name": inner} | {"displayName": inner} | {"key": inner}:
            return text(inner)
    raise Unreadable(f"a value of unknown shape: {sorted(value) if isinstance(value, dict) else type(value).__name__}")


def accounts(value: Any) -> str | None:
    """Account ids of a user cell or a cell of several users, sorted and joined; None when empty."""
    users = value if isinstance(value, list) else [value] if value else []
    ids: list[str] = []
    for user in users:
        if not isinstance(user, dict) or not user.get("accountId"):
            raise Unreadable("a user without an accountId")
        ids.append(str(user["accountId"]))
    return OWNER_SEPARATOR.join(sorted(set(ids))) or None


def account_list(value: Any) -> str | None:
    """Account ids as a changelog writes them: one id, or `[id, id]` for a field of several users."""
    ids = {part.strip() for part in str(value or "").strip("[]").split(",")} - {""}
    return OWNER_SEPARATOR.join(sorted(ids)) or None


def day(value: Any) -> str | None:
    """ISO date; changelogs also write `2026-01-05 00:00:00.0`."""
    written = str(value or "")[:10]
    return written or None


def approval(value: str | None) -> str | None:
    """The canonical approval state; a word nobody taught us stays visible in lower case."""
    if value is None:
        return None
    return _APPROVALS.get(value.casefold(), value.casefold())


def _flat(node: Json) -> str:
    """Plain text of an Atlassian document: paragraphs become lines, mentions and links keep their words."""
    kind = node.get("type")
    attributes = node.get("attrs") or {}
    if kind == "text":
        words = str(node.get("text", ""))
        links = [
            m["attrs"]["href"]
            for m in node.get("marks") or ()
            if m.get("type") == "link" and m.get("attrs", {}).get("href")
        ]
        return " ".join([words, *(link for link in links if link != words)])
    if kind == "hardBreak":
        return "\n"
    if kind in {"mention", "emoji", "status"}:
        return str(attributes.get("text", ""))
    if kind in {"inlineCard", "blockCard", "embedCard"}:
        return str(attributes.get("url", ""))
    inner = "".join(_flat(child) for child in node.get("content") or () if isinstance(child, dict))
    return inner + "\n" if kind in {"paragraph", "heading", "listItem", "codeBlock", "tableRow"} else inner
