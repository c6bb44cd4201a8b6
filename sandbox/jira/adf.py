"""Rich text of API version 3 (a document tree) from and to the plain text the store keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DEEPEST = 50


def to_tree(text: str | None) -> dict[str, Any] | None:
    """Return the document: one paragraph for each block of lines."""
    if text is None:
        return None
    return {"type": "doc", "version": 1, "content": [_paragraph(block) for block in text.split("\n\n")]}


def to_text(value: Any) -> str | None:
    """Return the plain text of a document, or of plain text itself; "" for what is neither."""
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, Mapping):
        return ""
    return "\n\n".join(_flat(block) for block in _content(value))


def is_tree(value: Any) -> bool:
    """Whether a value is a document as version 3 wants it."""
    return isinstance(value, Mapping) and value.get("type") == "doc" and isinstance(value.get("content"), list)


def _paragraph(block: str) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    for place, line in enumerate(block.split("\n")):
        if place:
            content.append({"type": "hardBreak"})
        if line:
            content.append({"type": "text", "text": line})
    return {"type": "paragraph", "content": content}


def _content(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = node.get("content")
    return [part for part in content if isinstance(part, Mapping)] if isinstance(content, list) else []


def _flat(node: Mapping[str, Any], depth: int = 0) -> str:
    if node.get("type") == "hardBreak":
        return "\n"
    if node.get("type") == "text":
        return str(node.get("text", ""))
    if node.get("type") == "mention":
        told = node.get("attrs")
        return str(told.get("text", "")) if isinstance(told, Mapping) else ""
    if depth > _DEEPEST:
        return ""
    return "".join(_flat(part, depth + 1) for part in _content(node))
